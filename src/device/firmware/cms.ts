import { createHash } from 'node:crypto'
import {
  Attribute,
  ContentInfo,
  DigestAlgorithmIdentifiers,
  EncapsulatedContentInfo,
  id_contentType,
  id_data,
  id_messageDigest,
  id_signedData,
  id_signingTime,
  RevocationInfoChoices,
  type SignerIdentifier,
  type SignerInfo,
  SignerInfos,
  SigningTime,
} from '@peculiar/asn1-cms'
import { AsnArray, AsnProp, AsnPropTypes, AsnType, AsnTypeTypes, OctetString } from '@peculiar/asn1-schema'
import { limits } from '../../limits.ts'
import { ImageError } from '../../platform/platform.ts'
import { parseDer, toDer } from '../der.ts'
import { assertValidAt, type Certificate, firmwareSignerPath, nameOf, readAuthorities, readCertificate } from './certificatePath.ts'
import type { Trust } from './image.ts'
import { assertListsCurrent, assertNotRevoked, readRevocations } from './revocation.ts'
import { type Digest, digestByOid, isSignedBy } from './signatureAlgorithms.ts'

/** SignedData of RFC 5652 5.1, with its certificates as the bytes that their issuers signed. */
export class SignedData {
  version = 0
  digestAlgorithms = new DigestAlgorithmIdentifiers()
  encapContentInfo = new EncapsulatedContentInfo()
  certificates?: CertificateBytes
  crls?: RevocationInfoChoices
  signerInfos = new SignerInfos()
}
export class CertificateBytes extends AsnArray<ArrayBuffer> {}
AsnType({ type: AsnTypeTypes.Set, itemType: AsnPropTypes.Any })(CertificateBytes)
AsnProp({ type: AsnPropTypes.Integer })(SignedData.prototype, 'version')
AsnProp({ type: DigestAlgorithmIdentifiers })(SignedData.prototype, 'digestAlgorithms')
AsnProp({ type: EncapsulatedContentInfo })(SignedData.prototype, 'encapContentInfo')
AsnProp({ type: CertificateBytes, context: 0, implicit: true, optional: true })(SignedData.prototype, 'certificates')
AsnProp({ type: RevocationInfoChoices, context: 1, implicit: true, optional: true })(SignedData.prototype, 'crls')
AsnProp({ type: SignerInfos })(SignedData.prototype, 'signerInfos')

export class AttributeSet extends AsnArray<Attribute> {}
AsnType({ type: AsnTypeTypes.Set, itemType: Attribute })(AttributeSet)

/** The object identifier of id-data as DER. */
export const idDataDer = Buffer.from('06092a864886f70d010701', 'hex')

/** Somebody who signed, with the certificate that came along; nobody has asked yet whether to believe it. */
export interface Signed {
  readonly certificate: Certificate
  readonly attributes: readonly Attribute[]
}

export interface SignedBy {
  readonly signers: readonly Signed[]
  /** Every certificate that came along. */
  readonly certificates: readonly Certificate[]
}

/**
 * Verifies a detached CMS signature (RFC 5652) over `content`: every signer has to be right, has to lead to one of the
 * authorities, and must not be revoked; `signersMin` of them have keys of their own. Returns the signers' names.
 * Throws ImageError `signature`, `revoked` or `expired`; the first of these where several hold.
 */
export function verifyDetached(signature: Uint8Array, content: Uint8Array, trust: Trust, now: Date): readonly string[] {
  return believe(readSigners(signature, content), trust, now)
}

/** Digests of a content that is too large to be held. */
export type Digests = Readonly<Partial<Record<Digest, Buffer>>>

/** By which digests a signature names its content, and the content where it comes along (RFC 5652 5.2). Throws ImageError `signature`. */
export function signedContent(signature: Uint8Array): { readonly digests: readonly Digest[]; readonly carried: Buffer | undefined } {
  return readable(() => {
    const { signerInfos, carried } = parse(signature)
    return { digests: signerInfos.map(({ digestAlgorithm }) => digestByOid[digestAlgorithm.algorithm]).filter(isDefined), carried }
  })
}

/**
 * The same as verifyDetached for a content of which only the digests are known that `signedContent` names. Where everything is
 * right but these, it throws `otherwise`.
 */
export function verifyDigests(signature: Uint8Array, digests: Digests, otherwise: ImageError, trust: Trust, now: Date): readonly string[] {
  const { isOver, carried: _, ...signed } = readSignatures(signature, digest => digests[digest])
  const names = believe(signed, trust, now)
  if (!isOver) throw otherwise
  return names
}

/** Whether to believe those who signed; their names. */
function believe({ signers, certificates }: SignedBy, trust: Trust, now: Date): readonly string[] {
  const roots = readAuthorities(trust.authorities)
  const lists = readRevocations(trust.revocations)
  return readable(() => {
    const latest = later(now, trust.passed)
    const paths = signers.map(({ certificate }) => firmwareSignerPath(certificate, certificates, roots, latest))
    const keys = new Set(signers.map(({ certificate }) => certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('hex')))
    if (keys.size < trust.signersMin)
      throw new ImageError('signature', `signatures with ${keys.size} keys, and this device wants ${trust.signersMin}`)
    for (const path of paths) assertNotRevoked(path, lists)
    signers.forEach(({ attributes }, index) => {
      const path = paths[index] ?? []
      for (const { moment, is } of momentsOf(attributes, trust, now)) {
        assertValidAt(path, moment)
        assertListsCurrent(path, lists, moment, is)
      }
    })
    return signers.map(({ certificate }) => nameOf(certificate))
  })
}

/**
 * The moments at which a signer's path has to be valid: now, where the clock may be right. A clock that is behind a moment that
 * has passed is wrong, and then the signing time (RFC 5652 11.3) stands in for it, if the device may go by that. The path has
 * to be valid at the signing time, and at the last moment that has certainly passed, because what had ended by then has ended
 * now. An image that was signed before that moment is taken: whoever holds a stolen key writes the time he likes, so that
 * refusing it would keep out only honest ones. Against old images there are versions and the security epoch.
 */
function momentsOf(attributes: readonly Attribute[], { time, passed }: Trust, now: Date): readonly { moment: Date; is: 'now' | 'past' }[] {
  if (now >= passed) return [{ moment: now, is: 'now' }]
  const wrong = `the clock of this device is wrong: it says ${now.toISOString()}, and ${passed.toISOString()} has passed`
  if (time === 'clock') throw new ImageError('expired', wrong)
  const [value, ...more] = valuesOf(attributes, id_signingTime)
  if (value === undefined || more.length > 0) throw new ImageError('expired', `${wrong}; the signature does not say when it was made`)
  const signed = parseDer(value, SigningTime).getTime()
  return [signed, later(signed, passed)].map(moment => ({ moment, is: 'past' }))
}

const later = (a: Date, b: Date): Date => (a < b ? b : a)

/** Who signed `content`, and every certificate that came along. Throws ImageError `signature`. */
export function readSigners(signature: Uint8Array, content: Uint8Array): SignedBy {
  const { isOver, carried, ...signed } = readSignatures(signature, digest => createHash(digest).update(content).digest())
  if (carried) throw unreadable('it is not detached')
  if (!isOver) throw new ImageError('signature', 'the signature is over another description')
  return signed
}

/** Who signed what, whether that has these digests, and the content where it came along. */
function readSignatures(
  signature: Uint8Array,
  digestOf: (digest: Digest) => Buffer | undefined,
): SignedBy & { readonly isOver: boolean; readonly carried: Buffer | undefined } {
  return readable(() => {
    const { signerInfos, certificates, carried } = parse(signature)
    const signed = signerInfos.map(signer => {
      const certificate = certificates.find(candidate => isMeant(signer.sid, candidate))
      if (certificate === undefined) throw new ImageError('signature', 'the certificate of a signer is missing')
      return { certificate, ...assertSigned(signer, certificate, digestOf) }
    })
    return { signers: signed, certificates, carried, isOver: signed.every(({ isOver }) => isOver) }
  })
}

/** ASN.1 that is odd enough is noticed late, by whatever reads it. */
function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw cause instanceof ImageError ? cause : unreadable('it is no CMS', cause)
  }
}

interface Parsed {
  readonly signerInfos: readonly SignerInfo[]
  readonly certificates: readonly Certificate[]
  /** The content, where the signature is not detached. */
  readonly carried: Buffer | undefined
}

function parse(signature: Uint8Array): Parsed {
  const { contentType, content } = parseDer(signature, ContentInfo)
  if (contentType !== id_signedData) throw unreadable('it is no SignedData')
  const { encapContentInfo, certificates = [], signerInfos } = parseDer(content, SignedData)
  if (encapContentInfo.eContentType !== id_data) throw unreadable('it is not over plain data')
  const { eContent } = encapContentInfo
  // DER knows no other form than one string of octets (X.690 10.2).
  if (eContent !== undefined && eContent.single === undefined) throw unreadable('its content is in pieces')
  if (signerInfos.length === 0) throw unreadable('nobody signed')
  if (signerInfos.length > limits.imageSignersMax) throw unreadable(`${signerInfos.length} signers`)
  if (certificates.length > limits.imageCertificatesMax) throw unreadable(`${certificates.length} certificates`)
  return {
    signerInfos: [...signerInfos],
    certificates: certificates.map(bytes => readCertificate(new Uint8Array(bytes))),
    carried: eContent?.single && Buffer.from(octets(eContent.single)),
  }
}

const isDefined = <T>(value: T | undefined): value is T => value !== undefined

const unreadable = (why: string, cause?: unknown): ImageError =>
  new ImageError('signature', `the signature cannot be taken: ${why}`, { cause })

/** RFC 5652 5.3: by issuer and serial number, or by subject key identifier. */
function isMeant({ issuerAndSerialNumber: named, subjectKeyIdentifier }: SignerIdentifier, certificate: Certificate): boolean {
  if (named) return toDer(named.issuer).equals(certificate.issuer) && certificate.serialNumber.equals(new Uint8Array(named.serialNumber))
  return subjectKeyIdentifier !== undefined && certificate.keyIdentifier?.equals(octets(subjectKeyIdentifier)) === true
}

/** RFC 5652 5.4: what is signed is the DER of the attributes as a SET, and they carry the digest of the content. */
function assertSigned(
  { signedAttrs, digestAlgorithm, signatureAlgorithm, signature }: SignerInfo,
  certificate: Certificate,
  digestOf: (digest: Digest) => Buffer | undefined,
): { readonly attributes: readonly Attribute[]; readonly isOver: boolean } {
  const digest = digestByOid[digestAlgorithm.algorithm]
  if (digest === undefined) throw refused(certificate, `uses the digest ${digestAlgorithm.algorithm}`)
  if (signedAttrs === undefined) throw refused(certificate, 'has no signed attributes')
  if (!holds(signedAttrs, id_contentType, idDataDer)) throw refused(certificate, 'is not over plain data')
  if (!isSignedBy(certificate.publicKey, signatureAlgorithm.algorithm, signedAttributesDer(signedAttrs), octets(signature), [digest])) {
    throw refused(certificate, 'does not verify')
  }
  const contentDigest = digestOf(digest)
  return {
    attributes: signedAttrs,
    isOver: contentDigest !== undefined && holds(signedAttrs, id_messageDigest, toDer(new OctetString(contentDigest))),
  }
}

/** Whether there is exactly one attribute of this type, with exactly this value. */
function holds(attributes: readonly Attribute[], type: string, valueDer: Buffer): boolean {
  const values = valuesOf(attributes, type)
  return values.length === 1 && values.every(value => valueDer.equals(new Uint8Array(value)))
}

const valuesOf = (attributes: readonly Attribute[], type: string): readonly ArrayBuffer[] =>
  attributes.filter(({ attrType }) => attrType === type).flatMap(({ attrValues }) => attrValues)

/** The bytes that a signer signs; DER sorts the members of a SET OF (X.690 11.6). */
export function signedAttributesDer(attributes: readonly Attribute[]): Buffer {
  const sorted = attributes.map(attribute => ({ attribute, der: toDer(attribute) })).sort((a, b) => Buffer.compare(a.der, b.der))
  return toDer(new AttributeSet(sorted.map(({ attribute }) => attribute)))
}

const octets = ({ buffer }: OctetString): Uint8Array => new Uint8Array(buffer)

const refused = (certificate: Certificate, why: string): ImageError =>
  new ImageError('signature', `the signature of ${nameOf(certificate)} ${why}`)
