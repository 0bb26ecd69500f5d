import type { Keystore } from './keystore.ts'

/** So that HTTPS works from the first minute: whoever wants a better certificate replaces it (ReplaceServerCertificateAssignment). */
export async function makeFirstCertificate({ keys, certificates, paths, tls }: Keystore, names: readonly string[], serialNumber: string) {
  const alias = 'made by the device'
  const { id: keyId } = keys.createEc('secp256r1', alias)
  await keys.whenReady(keyId)
  const subject = [[{ type: 'CN', value: `onvifd ${serialNumber}` }]]
  const certificate = await certificates.createSelfSigned({ keyId, subject, alias, hostNames: names })
  tls.addPath(paths.create([certificate], alias))
}
