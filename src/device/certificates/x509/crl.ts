import { AuthorityKeyIdentifier, CertificateList, type Extension, id_ce_authorityKeyIdentifier, id_ce_cRLNumber } from '@peculiar/asn1-x509'
import { limits } from '../../../limits.ts'
import { parseDer, toDer } from '../../der.ts'
import { findSignatureAlgorithm, isSignedBy } from './algorithms.ts'
import type { Certificate } from './certificate.ts'
import { assertSize } from './der.ts'
import { assertHonestName } from './names.ts'
import { reading } from './x509Error.ts'

/** A certificate revocation list (RFC 5280 5) that is complete for its issuer. */
export interface Crl {
  readonly issuer: Buffer
  readonly thisUpdate: Date
  readonly nextUpdate: Date | undefined
  isRevoked(certificate: Certificate): boolean
  readonly signed: { readonly bytes: Uint8Array; readonly algorithm: string; readonly signature: Uint8Array }
}

/** Critical extensions that are not acted on make a list partial, or mean more than it seems (RFC 5280 5.2). */
const understood: readonly string[] = [id_ce_authorityKeyIdentifier, id_ce_cRLNumber]
/** RFC 5280 5.3.1: an entry of a delta CRL that takes a revocation back. */
const reasonCode = '2.5.29.21'

/** Throws X509Error: `format` or `signatureAlgorithm`. */
export function readCrl(bytes: Uint8Array, allowLegacy: boolean): Crl {
  assertSize(bytes, limits.crlBytesMax, 'CRL')
  return reading('CRL', () => {
    const { tbsCertList, tbsCertListRaw, signatureAlgorithm, signature } = parseDer(bytes, CertificateList, limits.crlNodesMax)
    if (tbsCertListRaw === undefined) throw new Error('the signed part is missing')
    if (tbsCertList.signature.algorithm !== signatureAlgorithm.algorithm) throw new Error('two algorithms for one signature')
    findSignatureAlgorithm(signatureAlgorithm.algorithm, allowLegacy)
    assertHonestName(tbsCertList.issuer)
    const extensions: readonly Extension[] = tbsCertList.crlExtensions ?? []
    assertNothingUnknown(extensions, understood)
    const identifier = extensions.find(({ extnID }) => extnID === id_ce_authorityKeyIdentifier)
    if (identifier) parseDer(identifier.extnValue.buffer, AuthorityKeyIdentifier)
    const revoked = new Set<string>()
    for (const entry of tbsCertList.revokedCertificates ?? []) {
      assertNothingUnknown(entry.crlEntryExtensions ?? [], [reasonCode])
      revoked.add(hex(entry.userCertificate))
    }
    return {
      issuer: toDer(tbsCertList.issuer),
      thisUpdate: tbsCertList.thisUpdate.getTime(),
      nextUpdate: tbsCertList.nextUpdate?.getTime(),
      isRevoked: certificate => revoked.has(hex(certificate.serialNumber)),
      signed: {
        bytes: new Uint8Array(tbsCertListRaw),
        algorithm: signatureAlgorithm.algorithm,
        signature: new Uint8Array(signature),
      },
    }
  })
}

export const isCrlOf = (crl: Crl, issuer: Certificate, allowLegacy: boolean): boolean =>
  crl.issuer.equals(issuer.subject) &&
  (issuer.keyUsage?.includes('crlSign') ?? true) &&
  isSignedBy(issuer.publicKey, crl.signed.algorithm, crl.signed.bytes, crl.signed.signature, allowLegacy)

function assertNothingUnknown(extensions: readonly Extension[], known: readonly string[]): void {
  const unknown = extensions.find(({ critical, extnID }) => critical && !known.includes(extnID))
  if (unknown) throw new Error(`the critical extension ${unknown.extnID} is not known`)
}

/** Serial numbers are numbers: leading zeroes say nothing. */
const hex = (serial: ArrayBuffer | Uint8Array): string =>
  (serial instanceof Uint8Array ? Buffer.from(serial) : Buffer.from(serial)).toString('hex').replace(/^(?:00)+/, '')
