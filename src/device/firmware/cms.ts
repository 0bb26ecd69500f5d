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
  RevocationInfoChoices,
  type SignerIdentifier,
  type SignerInfo,
  SignerInfos,
} from '@peculiar/asn1-cms'
import { AsnArray, AsnProp, AsnPropTypes, AsnType, AsnTypeTypes, OctetString } from '@peculiar/asn1-schema'
import { limits } from '../../limits.ts'
import { ImageError } from '../../platform/platform.ts'
import { assertMaySignFirmware, type Certificate, nameOf, readAuthorities, readCertificate } from './certificatePath.ts'
import { parseDer, toDer } from './der.ts'
import type { Trust } from './image.ts'
import { digestByOid, isSignedBy } from './signatureAlgorithms.ts'

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

class AttributeSet extends AsnArray<Attribute> {}
AsnType({ type: AsnTypeTypes.Set, itemType: Attribute })(AttributeSet)

/** The object identifier of id-data as DER. */
export const idDataDer = Buffer.from('06092a864886f70d010701', 'hex')

/**
 * Verifies a detached CMS signature (RFC 5652) over `content`: every signer has to be right, and has to lead to one of the
 * authorities in `trustedPem`. Returns the signers' names. Throws ImageError `signature` or `expired`.
 */
export function verifyDetached(signature: Uint8Array, content: Uint8Array, trust: Trust, now: Date): readonly string[] {
  const roots = readAuthorities(trust.authorities)
  try {
    const { signers, certificates } = parse(signature)
    return signers.map(signer => {
      const certificate = certificates.find(candidate => isMeant(signer.sid, candidate))
      if (certificate === undefined) throw new ImageError('signature', 'the certificate of a signer is missing')
      assertSigned(signer, certificate, content)
      assertMaySignFirmware(certificate, certificates, roots, now)
      return nameOf(certificate)
    })
  } catch (cause) {
    // ASN.1 that is odd enough is noticed late, by whatever reads it.
    throw cause instanceof ImageError ? cause : unreadable('it is no CMS', cause)
  }
}

function parse(signature: Uint8Array): { readonly signers: readonly SignerInfo[]; readonly certificates: readonly Certificate[] } {
  const { contentType, content } = parseDer(signature, ContentInfo)
  if (contentType !== id_signedData) throw unreadable('it is no SignedData')
  const { encapContentInfo, certificates = [], signerInfos } = parseDer(content, SignedData)
  if (encapContentInfo.eContentType !== id_data) throw unreadable('it is not over plain data')
  if (encapContentInfo.eContent !== undefined) throw unreadable('it is not detached')
  if (signerInfos.length === 0) throw unreadable('nobody signed')
  if (signerInfos.length > limits.imageSignersMax) throw unreadable(`${signerInfos.length} signers`)
  if (certificates.length > limits.imageCertificatesMax) throw unreadable(`${certificates.length} certificates`)
  return { signers: [...signerInfos], certificates: certificates.map(bytes => readCertificate(new Uint8Array(bytes))) }
}

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
  content: Uint8Array,
): void {
  const digest = digestByOid[digestAlgorithm.algorithm]
  if (digest === undefined) throw refused(certificate, `uses the digest ${digestAlgorithm.algorithm}`)
  if (signedAttrs === undefined) throw refused(certificate, 'has no signed attributes')
  if (!holds(signedAttrs, id_contentType, idDataDer)) throw refused(certificate, 'is not over plain data')
  const contentDigest = new OctetString(createHash(digest).update(content).digest())
  if (!holds(signedAttrs, id_messageDigest, toDer(contentDigest))) throw refused(certificate, 'is over another description')
  if (!isSignedBy(certificate.publicKey, signatureAlgorithm.algorithm, signedAttributesDer(signedAttrs), octets(signature), [digest])) {
    throw refused(certificate, 'does not verify')
  }
}

/** Whether there is exactly one attribute of this type, with exactly this value. */
function holds(attributes: readonly Attribute[], type: string, valueDer: Buffer): boolean {
  const values = attributes.filter(({ attrType }) => attrType === type).flatMap(({ attrValues }) => attrValues)
  return values.length === 1 && values.every(value => valueDer.equals(new Uint8Array(value)))
}

/** The bytes that a signer signs; DER sorts the members of a SET OF (X.690 11.6). */
export function signedAttributesDer(attributes: readonly Attribute[]): Buffer {
  const sorted = attributes.map(attribute => ({ attribute, der: toDer(attribute) })).sort((a, b) => Buffer.compare(a.der, b.der))
  return toDer(new AttributeSet(sorted.map(({ attribute }) => attribute)))
}

const octets = ({ buffer }: OctetString): Uint8Array => new Uint8Array(buffer)

const refused = (certificate: Certificate, why: string): ImageError =>
  new ImageError('signature', `the signature of ${nameOf(certificate)} ${why}`)
