import { CertificateList } from '@peculiar/asn1-x509'
import { limits } from '../../limits.ts'
import { BackendError, ImageError } from '../../platform/platform.ts'
import { parseDer, toDer } from '../der.ts'
import { type Certificate, nameOf } from './certificatePath.ts'
import { isSignedBy, weaknessOf } from './signatureAlgorithms.ts'

/** A CRL (RFC 5280 5) as far as a path needs it. */
export interface RevocationList {
  /** Serialised, to be compared. */
  readonly issuer: Buffer
  readonly thisUpdate: Date
  /** Undefined where it holds until another one comes. */
  readonly nextUpdate: Date | undefined
  /** Serial numbers as hexadecimal digits. */
  readonly revoked: ReadonlySet<string>
  readonly signed: { readonly bytes: Uint8Array; readonly algorithm: string; readonly signature: Uint8Array }
}

/** Says nothing that changes what a list means: its number, and whose key signed it. */
const harmless: readonly string[] = ['2.5.29.20', '2.5.29.35']

/**
 * The CRLs of a PEM text. They are the operator's, as the authorities are: one that cannot be read, or that says in a critical
 * extension that it is only a part of a list (RFC 5280 5.2), is the device's fault, and no image is taken until it is put right.
 */
export function readRevocations(pem: string | undefined): readonly RevocationList[] {
  if (pem === undefined) return []
  try {
    const blocks = pem.match(/-----BEGIN X509 CRL-----[^-]*-----END X509 CRL-----/g) ?? []
    if (blocks.length === 0) throw new Error('no CRL in the PEM text')
    if (blocks.length !== pem.split('-----BEGIN').length - 1) throw new Error('something else than whole CRLs in the PEM text')
    if (blocks.length > limits.revocationListsMax) throw new Error(`${blocks.length} CRLs`)
    return blocks.map(block => readList(Buffer.from(block.replaceAll(/-----[^-]*-----/g, ''), 'base64')))
  } catch (cause) {
    throw new BackendError('io', 'the revocation lists of this device cannot be read', { cause })
  }
}

function readList(der: Buffer): RevocationList {
  const { tbsCertList, tbsCertListRaw, signatureAlgorithm, signature } = parseDer(der, CertificateList, limits.revocationNodesMax)
  if (tbsCertListRaw === undefined) throw new Error('the signed part is missing')
  const entries = tbsCertList.revokedCertificates ?? []
  for (const { critical, extnID } of [...(tbsCertList.crlExtensions ?? []), ...entries.flatMap(entry => entry.crlEntryExtensions ?? [])]) {
    if (critical && !harmless.includes(extnID)) throw new Error(`the critical extension ${extnID} of a CRL is unknown`)
  }
  return {
    issuer: toDer(tbsCertList.issuer),
    thisUpdate: tbsCertList.thisUpdate.getTime(),
    nextUpdate: tbsCertList.nextUpdate?.getTime(),
    revoked: new Set(entries.map(({ userCertificate }) => Buffer.from(userCertificate).toString('hex'))),
    signed: { bytes: new Uint8Array(tbsCertListRaw), algorithm: signatureAlgorithm.algorithm, signature: new Uint8Array(signature) },
  }
}

/**
 * Throws ImageError `revoked` where a list of its issuer names a certificate of `path` (leaf first, root last). An entry in any
 * list counts, an old one as well. An issuer without a list has revoked nobody: the lists are a file of this device, from which
 * no sender of an image can take one away. Lists in the name of an issuer, of which none is signed by its key, are refused.
 */
export function assertNotRevoked(path: readonly Certificate[], lists: readonly RevocationList[]): void {
  for (const { certificate, issued } of issuedLists(path, lists)) {
    if (issued.some(({ revoked }) => revoked.has(certificate.serialNumber.toString('hex')))) {
      throw new ImageError('revoked', `the certificate of ${nameOf(certificate)} has been revoked`)
    }
  }
}

/**
 * Throws ImageError `expired` where the lists of an issuer have all ended at a moment: who was revoked since is not in them.
 * A list that begins later is no harm to a moment in the past, and where the moment is now it says that the clock is wrong.
 */
export function assertListsCurrent(path: readonly Certificate[], lists: readonly RevocationList[], moment: Date, is: 'now' | 'past'): void {
  for (const { certificate, issued } of issuedLists(path, lists)) {
    const whose = `the revocation list for ${nameOf(certificate)}`
    if (issued.every(({ nextUpdate }) => nextUpdate !== undefined && nextUpdate < moment))
      throw new ImageError('expired', `${whose} has ended, and it is ${moment.toISOString()}: this device needs a newer one`)
    if (is === 'now' && issued.some(({ thisUpdate }) => thisUpdate > moment))
      throw new ImageError('expired', `${whose} is from the future of ${moment.toISOString()}: the clock of this device is wrong`)
  }
}

/** For every certificate but the root, the lists of the CA that issued it; those that have none are left out. */
function* issuedLists(path: readonly Certificate[], lists: readonly RevocationList[]) {
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1]
    const named = lists.filter(list => list.issuer.equals(certificate.issuer))
    if (issuer === undefined || named.length === 0) continue
    const issued = named.filter(list => isIssued(list, issuer))
    if (issued.length === 0) {
      throw new ImageError(
        'signature',
        `the revocation list of ${nameOf(issuer)} is not signed by its key, or with one that may not sign lists`,
      )
    }
    yield { certificate, issued }
  }
}

/** RFC 5280 6.3.3 (f) and (g). */
const isIssued = ({ signed }: RevocationList, issuer: Certificate): boolean =>
  (issuer.keyUsage?.includes('crlSign') ?? true) &&
  weaknessOf(issuer.publicKey) === undefined &&
  isSignedBy(issuer.publicKey, signed.algorithm, signed.bytes, signed.signature, ['sha256', 'sha384', 'sha512'])
