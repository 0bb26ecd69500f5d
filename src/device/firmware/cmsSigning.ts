import { createHash, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto'
import {
  Attribute,
  CMSVersion,
  ContentInfo,
  DigestAlgorithmIdentifier,
  DigestAlgorithmIdentifiers,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  id_contentType,
  id_data,
  id_messageDigest,
  id_signedData,
  id_signingTime,
  SignatureAlgorithmIdentifier,
  SignerIdentifier,
  SignerInfo,
  SignerInfos,
  SigningTime,
} from '@peculiar/asn1-cms'
import { OctetString } from '@peculiar/asn1-schema'
import { Certificate } from '@peculiar/asn1-x509'
import { parseDer, toDer } from '../der.ts'
import { AttributeSet, CertificateBytes, idDataDer, readSigners, SignedData, signedAttributesDer } from './cms.ts'
import { weaknessOf } from './signatureAlgorithms.ts'

export interface Signer {
  /** PEM of an RSA, EC or Ed25519 key. */
  readonly keyPem: string
  /** PEM of its certificate, then of any intermediate ones. */
  readonly certificatePem: string
}

/** What somebody made who has the key, and shows nobody. */
export interface RawSignature {
  /** As attributesToSign gave them. */
  readonly attributes: Buffer
  /** Over those bytes. */
  readonly signature: Buffer
  readonly certificatePem: string
}

export type SigningDigest = 'sha256' | 'sha512'

const digestOids: Readonly<Record<SigningDigest, string>> = { sha256: '2.16.840.1.101.3.4.2.1', sha512: '2.16.840.1.101.3.4.2.3' }
const derNull = new Uint8Array([5, 0]).buffer

/** Ed25519 goes with SHA-512 (RFC 8419 3.1); the others are strong with SHA-256. */
export const signingDigestFor = (key: KeyObject): SigningDigest => (key.asymmetricKeyType === 'ed25519' ? 'sha512' : 'sha256')

/** The public key of the first certificate of a PEM text. */
export const certifiedKey = (certificatePem: string): KeyObject => chainOf(certificatePem)[0].publicKey

/** The signed attributes as DER (RFC 5652 5.4), which say nothing of the signer: the bytes that a key signs, wherever it is. */
export function attributesToSign(content: Uint8Array, digest: SigningDigest, now: Date): Buffer {
  const contentDigest = new OctetString(createHash(digest).update(content).digest())
  return signedAttributesDer([
    attribute(id_contentType, idDataDer),
    attribute(id_signingTime, toDer(new SigningTime(now))),
    attribute(id_messageDigest, toDer(contentDigest)),
  ])
}

/**
 * A detached CMS signature (RFC 5652) over `content` as DER. Throws where a key and its certificate do not belong together, or
 * devices would refuse the key.
 */
export function signDetached(content: Uint8Array, signers: readonly Signer[], now: Date): Buffer {
  const signatures = signers.map(({ keyPem, certificatePem }) => {
    const key = createPrivateKey(keyPem)
    if (!chainOf(certificatePem)[0].checkPrivateKey(key)) throw new Error('the key does not belong to the first certificate')
    const digest = signingDigestFor(key)
    const attributes = attributesToSign(content, digest, now)
    // An Ed25519 key has its digest built in.
    const signature = sign(key.asymmetricKeyType === 'ed25519' ? null : digest, attributes, key)
    return { attributes, signature, certificatePem }
  })
  return joinSignatures(content, signatures)
}

/** Makes one CMS of signatures. Throws where one of them is not over `content`, or not by the key of its certificate. */
export function joinSignatures(content: Uint8Array, signatures: readonly RawSignature[]): Buffer {
  const chains = signatures.map(({ certificatePem }) => chainOf(certificatePem))
  const signerInfos = signatures.map(({ attributes, signature }, index) => {
    const [leaf] = chains[index] ?? []
    if (leaf === undefined) throw new Error('a signature without its certificate')
    const weakness = weaknessOf(leaf.publicKey)
    if (weakness !== undefined) throw new Error(`devices refuse ${weakness}`)
    const { issuer, serialNumber } = parseDer(leaf.raw, Certificate).tbsCertificate
    return new SignerInfo({
      version: CMSVersion.v1,
      sid: new SignerIdentifier({ issuerAndSerialNumber: new IssuerAndSerialNumber({ issuer, serialNumber }) }),
      digestAlgorithm: new DigestAlgorithmIdentifier({ algorithm: digestOids[signingDigestFor(leaf.publicKey)] }),
      signedAttrs: [...parseDer(attributes, AttributeSet)],
      signatureAlgorithm: algorithmFor(leaf.publicKey),
      signature: new OctetString(signature),
    })
  })
  const digests = new Set(signerInfos.map(({ digestAlgorithm }) => digestAlgorithm.algorithm))
  const certificates = new Map(chains.flat().map(({ fingerprint256, raw }) => [fingerprint256, new Uint8Array(raw).buffer]))

  const data = new SignedData()
  data.version = CMSVersion.v1
  data.digestAlgorithms = new DigestAlgorithmIdentifiers([...digests].map(algorithm => new DigestAlgorithmIdentifier({ algorithm })))
  data.encapContentInfo = new EncapsulatedContentInfo({ eContentType: id_data })
  data.certificates = new CertificateBytes([...certificates.values()])
  data.signerInfos = new SignerInfos(signerInfos)
  const der = toDer(new ContentInfo({ contentType: id_signedData, content: new Uint8Array(toDer(data)).buffer }))
  readSigners(der, content)
  return der
}

/** Whether these bytes begin as a CMS SignedData does; a bare signature of any key does not. */
export const isCms = (bytes: Buffer): boolean => bytes.subarray(0, 16).includes(signedDataDer)
const signedDataDer = Buffer.from('06092a864886f70d010702', 'hex')

/** A CMS that somebody else made over `content`. Throws where it is not, or devices would refuse one of its keys. */
export function takeCms(cms: Buffer, content: Uint8Array): Buffer {
  for (const { certificate } of readSigners(cms, content).signers) {
    const weakness = weaknessOf(certificate.publicKey)
    if (weakness !== undefined) throw new Error(`devices refuse ${weakness}`)
  }
  return cms
}

/** Leaf first. */
function chainOf(certificatePem: string): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = certificatePem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const [leaf, ...others] = blocks.map(block => new X509Certificate(block))
  if (leaf === undefined) throw new Error('no certificate in the PEM text')
  return [leaf, ...others]
}

const attribute = (attrType: string, valueDer: Buffer): Attribute =>
  new Attribute({ attrType, attrValues: [new Uint8Array(valueDer).buffer] })

/** RFC 3370 3.2, RFC 5753 2.1.1 and RFC 8419 3.1. */
function algorithmFor(key: KeyObject): SignatureAlgorithmIdentifier {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return new SignatureAlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.1', parameters: derNull })
    case 'ec':
      return new SignatureAlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })
    case 'ed25519':
      return new SignatureAlgorithmIdentifier({ algorithm: '1.3.101.112' })
    default:
      throw new Error(`signing with a key of type ${key.asymmetricKeyType} is not supported: use RSA, EC or Ed25519`)
  }
}
