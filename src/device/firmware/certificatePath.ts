import { type KeyObject, X509Certificate } from 'node:crypto'
import {
  anyExtendedKeyUsage,
  BasicConstraints,
  Certificate as CertificateSyntax,
  ExtendedKeyUsage,
  type Extension,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_codeSigning,
  KeyUsage,
  type KeyUsageType,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509'
import { limits } from '../../limits.ts'
import { ImageError } from '../../platform/platform.ts'
import { parseDer, toDer } from '../der.ts'
import { isSignedBy, weaknessOf } from './signatureAlgorithms.ts'

/** A certificate with what a path needs to know of it. Both views are of the same bytes. */
export interface Certificate {
  readonly x509: X509Certificate
  readonly publicKey: KeyObject
  /** Serialised, to be compared. */
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly serialNumber: Buffer
  readonly keyIdentifier: Buffer | undefined
  readonly isAuthority: boolean
  readonly pathLengthMax: number
  /** Undefined where the certificate does not say, which allows everything (RFC 5280 4.2.1.3 and 4.2.1.12). */
  readonly keyUsage: readonly KeyUsageType[] | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
  /** Object identifiers of critical extensions that this code does not act on. */
  readonly unknownCritical: readonly string[]
  readonly signed: { readonly bytes: Uint8Array; readonly algorithm: string; readonly signature: Uint8Array }
}

/** A subject alternative name may be critical (RFC 5280 4.2.1.6) and says nothing about who may sign firmware. */
const understood: readonly string[] = [id_ce_basicConstraints, id_ce_keyUsage, id_ce_extKeyUsage, id_ce_subjectAltName]

export function readCertificate(der: Uint8Array): Certificate {
  const x509 = new X509Certificate(der)
  const { tbsCertificate, tbsCertificateRaw, signatureAlgorithm, signatureValue } = parseDer(der, CertificateSyntax)
  const extensions: readonly Extension[] = tbsCertificate.extensions ?? []
  if (new Set(extensions.map(({ extnID }) => extnID)).size !== extensions.length) throw new Error('an extension stands twice')
  const find = <T>(id: string, type: new () => T): T | undefined => {
    const extension = extensions.find(({ extnID }) => extnID === id)
    return extension && parseDer(extension.extnValue.buffer, type)
  }
  if (tbsCertificateRaw === undefined) throw new Error('the signed part is missing')
  const keyIdentifier = find(id_ce_subjectKeyIdentifier, SubjectKeyIdentifier)
  const constraints = find(id_ce_basicConstraints, BasicConstraints)
  return {
    x509,
    publicKey: x509.publicKey,
    issuer: toDer(tbsCertificate.issuer),
    subject: toDer(tbsCertificate.subject),
    serialNumber: Buffer.from(tbsCertificate.serialNumber),
    keyIdentifier: keyIdentifier && Buffer.from(keyIdentifier.buffer),
    isAuthority: constraints?.cA ?? false,
    pathLengthMax: constraints?.pathLenConstraint ?? Number.POSITIVE_INFINITY,
    keyUsage: find(id_ce_keyUsage, KeyUsage)?.toJSON(),
    extendedKeyUsage: find(id_ce_extKeyUsage, ExtendedKeyUsage),
    unknownCritical: extensions.filter(({ critical, extnID }) => critical && !understood.includes(extnID)).map(({ extnID }) => extnID),
    signed: {
      bytes: new Uint8Array(tbsCertificateRaw),
      algorithm: signatureAlgorithm.algorithm,
      signature: new Uint8Array(signatureValue),
    },
  }
}

/** The certificates of a PEM text. Throws where there is none, or one that cannot be an authority. */
export function readAuthorities(pem: string): readonly Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new Error('no certificate in the PEM text of the firmware CA')
  return blocks.map(block => {
    const certificate = readCertificate(new X509Certificate(block).raw)
    if (!certificate.isAuthority) throw new Error(`${nameOf(certificate)} is not a CA certificate: basicConstraints does not say CA:TRUE`)
    return certificate
  })
}

/**
 * The path from `leaf` to one of `roots`, leaf first (RFC 5280 6.1, RFC 5652 5.6); among several issuers those that are valid
 * at `moment` are preferred. Throws ImageError `signature` where there is none, or `leaf` may not sign firmware. Whether the
 * path is valid at that moment is asked with assertValidAt, last, so that "expired" means that nothing else is wrong.
 */
export function firmwareSignerPath(
  leaf: Certificate,
  others: readonly Certificate[],
  roots: readonly Certificate[],
  moment: Date,
): readonly Certificate[] {
  if (leaf.isAuthority) throw refused(leaf, 'is a CA and no signer')
  if (!leaf.extendedKeyUsage?.includes(id_kp_codeSigning)) throw refused(leaf, 'is not for code signing (extendedKeyUsage)')
  const signs = leaf.keyUsage?.some(usage => usage === 'digitalSignature' || usage === 'nonRepudiation') ?? true
  if (!signs) throw refused(leaf, 'is not for signatures (keyUsage)')

  const path = findPath(leaf, others, roots, moment)
  for (const certificate of path) {
    if (certificate.unknownCritical.length > 0)
      throw refused(certificate, `has an unknown critical extension ${certificate.unknownCritical[0]}`)
    const weakness = weaknessOf(certificate.publicKey)
    if (weakness !== undefined) throw refused(certificate, `has ${weakness}`)
  }
  path.slice(1).forEach((issuer, below) => {
    if (!(issuer.keyUsage?.includes('keyCertSign') ?? true)) throw refused(issuer, 'may not sign certificates (keyUsage)')
    if (issuer.pathLengthMax < below) throw refused(issuer, `allows ${issuer.pathLengthMax} CAs below it`)
    const purposes = issuer.extendedKeyUsage ?? [anyExtendedKeyUsage]
    if (!purposes.includes(anyExtendedKeyUsage) && !purposes.includes(id_kp_codeSigning))
      throw refused(issuer, 'is a CA for other purposes')
  })
  return path
}

/** Throws ImageError `expired`. */
export function assertValidAt(path: readonly Certificate[], moment: Date): void {
  for (const certificate of path) {
    if (isValidAt(certificate, moment)) continue
    const { validFrom, validTo } = certificate.x509
    throw new ImageError(
      'expired',
      `the certificate of ${nameOf(certificate)} is valid from ${validFrom} to ${validTo}, and not at ${moment.toISOString()}`,
    )
  }
}

/**
 * Leaf first, root last. At each step a root is preferred, then a certificate that is valid at the moment; the first that fits is
 * taken and there is no way back, which bounds the work: chains of firmware signers are not a labyrinth.
 */
function findPath(leaf: Certificate, others: readonly Certificate[], roots: readonly Certificate[], moment: Date): readonly Certificate[] {
  const validFirst = (a: Certificate, b: Certificate) => Number(isValidAt(b, moment)) - Number(isValidAt(a, moment))
  const candidates = [roots, others].flatMap(pool => [...pool].sort(validFirst))
  const path = [leaf]
  for (let current = leaf; path.length < limits.certificatePathMax; ) {
    const issuer = candidates.find(candidate => !path.includes(candidate) && candidate.isAuthority && isIssuer(candidate, current))
    if (issuer === undefined) throw refused(leaf, 'does not lead to a trusted CA')
    path.push(issuer)
    if (roots.includes(issuer)) return path
    current = issuer
  }
  throw refused(leaf, `does not lead to a trusted CA within ${limits.certificatePathMax} certificates`)
}

function isIssuer(issuer: Certificate, certificate: Certificate): boolean {
  const { bytes, algorithm, signature } = certificate.signed
  return (
    issuer.subject.equals(certificate.issuer) &&
    weaknessOf(issuer.publicKey) === undefined &&
    isSignedBy(issuer.publicKey, algorithm, bytes, signature, ['sha256', 'sha384', 'sha512'])
  )
}

const isValidAt = ({ x509 }: Certificate, moment: Date): boolean => x509.validFromDate <= moment && moment <= x509.validToDate

const refused = (certificate: Certificate, why: string): ImageError =>
  new ImageError('signature', `the certificate of ${nameOf(certificate)} ${why}`)

/** On one line, for people. */
export const nameOf = ({ x509 }: Certificate): string => x509.subject.replaceAll('\n', ', ')
