import { SoapFault } from '../../onvif/faults.ts'
import type { Keystore } from './keystore.ts'

const alias = 'made by the device'

/** So that HTTPS works from the first minute: whoever wants a better certificate replaces it (ReplaceServerCertificateAssignment). */
export async function makeFirstCertificate(keystore: Keystore, names: readonly string[], serialNumber: string): Promise<void> {
  const { keys, certificates, paths, tls } = keystore
  removeUnfinished(keystore)
  const { id: keyId } = keys.createEc('secp256r1', alias)
  await keys.whenReady(keyId)
  const subject = [[{ type: 'CN', value: `onvifd ${serialNumber}` }]]
  const certificate = await certificates.createSelfSigned({ keyId, subject, alias, hostNames: names })
  tls.addPath(paths.create([certificate], alias))
}

/** What a start has made that ended before it was in use: starts that are broken off time and again would fill the keystore. */
function removeUnfinished({ keys, certificates, paths }: Keystore): void {
  for (const kind of [paths, certificates, keys])
    for (const { id } of kind.list().filter(each => each.alias === alias)) {
      try {
        kind.delete(id)
      } catch (error) {
        // A client has found a use for it.
        if (!(error instanceof SoapFault)) throw error
      }
    }
}
