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
import { CertificateBytes, idDataDer, SignedData, signedAttributesDer } from './cms.ts'
import { parseDer, toDer } from './der.ts'
import { weaknessOf } from './signatureAlgorithms.ts'

const sha256 = '2.16.840.1.101.3.4.2.1'
const derNull = new Uint8Array([5, 0]).buffer

/**
 * A detached CMS signature (RFC 5652) over `content` as DER. `certificatePem` holds the signer's certificate first, then any
 * intermediate ones; the key is RSA or EC. Throws where the two do not belong together or the device would refuse the key.
 */
export function signDetached(content: Uint8Array, keyPem: string, certificatePem: string, now: Date): Buffer {
  const chain = (certificatePem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    pem => new X509Certificate(pem),
  )
  const [leaf] = chain
  if (leaf === undefined) throw new Error('no certificate in the PEM text')
  const key = createPrivateKey(keyPem)
  if (!leaf.checkPrivateKey(key)) throw new Error('the key does not belong to the first certificate')
  const weakness = weaknessOf(leaf.publicKey)
  if (weakness !== undefined) throw new Error(`devices refuse ${weakness}`)

  const { issuer, serialNumber } = parseDer(leaf.raw, Certificate).tbsCertificate
  const digest = new OctetString(createHash('sha256').update(content).digest())
  const signedAttrs = [
    attribute(id_contentType, idDataDer),
    attribute(id_signingTime, toDer(new SigningTime(now))),
    attribute(id_messageDigest, toDer(digest)),
  ]
  const signer = new SignerInfo({
    version: CMSVersion.v1,
    sid: new SignerIdentifier({ issuerAndSerialNumber: new IssuerAndSerialNumber({ issuer, serialNumber }) }),
    digestAlgorithm: new DigestAlgorithmIdentifier({ algorithm: sha256 }),
    signedAttrs,
    signatureAlgorithm: algorithmFor(key),
    signature: new OctetString(sign('sha256', signedAttributesDer(signedAttrs), key)),
  })

  const data = new SignedData()
  data.version = CMSVersion.v1
  data.digestAlgorithms = new DigestAlgorithmIdentifiers([new DigestAlgorithmIdentifier({ algorithm: sha256 })])
  data.encapContentInfo = new EncapsulatedContentInfo({ eContentType: id_data })
  data.certificates = new CertificateBytes(chain.map(({ raw }) => new Uint8Array(raw).buffer))
  data.signerInfos = new SignerInfos([signer])
  return toDer(new ContentInfo({ contentType: id_signedData, content: new Uint8Array(toDer(data)).buffer }))
}

const attribute = (attrType: string, valueDer: Buffer): Attribute =>
  new Attribute({ attrType, attrValues: [new Uint8Array(valueDer).buffer] })

/** RFC 3370 3.2 and RFC 5753 2.1.1. */
function algorithmFor(key: KeyObject): SignatureAlgorithmIdentifier {
  if (key.asymmetricKeyType === 'rsa') return new SignatureAlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.1', parameters: derNull })
  if (key.asymmetricKeyType === 'ec') return new SignatureAlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })
  throw new Error(`signing with a key of type ${key.asymmetricKeyType} is not supported: use RSA or EC`)
}
