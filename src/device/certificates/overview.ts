import type { Keystore } from './keystore.ts'

/** What support may see of the keystore: what everybody sees in a handshake, and nothing that opens anything. */
export function keystoreOverview({ keys, paths, crls, policies, tls, device }: Keystore) {
  const certificates = [...device.certificates.own(), ...device.certificates.authorities()]
  return {
    keys: keys.list(),
    certificates: certificates.map(({ token }) => ({ token, ...device.certificates.information(token) })),
    paths: paths.list(),
    crls: crls.list().length,
    policies: policies.list(),
    tls: {
      paths: tls.paths(),
      policies: tls.policies(),
      versions: tls.versions(),
      clientAuthenticationRequired: tls.isClientAuthenticationRequired(),
      cnMapsToUser: tls.cnMapsToUser(),
    },
    dot1x: device.dot1x.list(),
  }
}
