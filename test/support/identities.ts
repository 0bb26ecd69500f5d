import 'reflect-metadata'
import { KeyObject, X509Certificate as NodeCertificate, webcrypto } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { CertificateList } from '@peculiar/asn1-x509'
import { BasicConstraintsExtension, type X509Certificate, X509CertificateGenerator, X509CrlGenerator } from '@peculiar/x509'
import * as asn1js from 'asn1js'
import forge from 'node-forge'

/** A certificate of somebody, with the key that belongs to it. */
export interface Identity {
  readonly certificate: X509Certificate
  readonly der: Buffer
  readonly keys: webcrypto.CryptoKeyPair
  /** PKCS #8 in DER, in the clear. */
  readonly pkcs8: Buffer
}

interface IdentityOptions {
  readonly issuer?: Identity
  readonly isAuthority?: boolean
  readonly kind?: 'EC' | 'RSA'
  readonly curve?: 'P-256' | 'P-521'
  readonly hash?: 'SHA-256' | 'SHA-1'
}

/** Signed by its own key, or by the issuer's. */
export async function makeIdentity(
  name: string,
  { issuer, isAuthority = false, kind = 'EC', curve = 'P-256', hash = 'SHA-256' }: IdentityOptions = {},
): Promise<Identity> {
  const ec = { name: 'ECDSA', namedCurve: curve, hash }
  const rsa = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash }
  const keys = await webcrypto.subtle.generateKey(kind === 'EC' ? ec : rsa, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2046-01-01T00:00:00Z'),
    signingAlgorithm: issuer ? { name: 'ECDSA', hash } : kind === 'EC' ? ec : rsa,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    extensions: [new BasicConstraintsExtension(isAuthority, undefined, true)],
  })
  return {
    certificate,
    der: Buffer.from(certificate.rawData),
    keys,
    pkcs8: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'der' }),
  }
}

/** A list of `issuer`, signed by it, or by another who says so. */
export async function makeCrl(issuer: Identity, revoked: readonly Identity[] = [], signer = issuer): Promise<Buffer> {
  const crl = await X509CrlGenerator.create({
    issuer: issuer.certificate.subject,
    thisUpdate: new Date('2026-01-01T00:00:00Z'),
    nextUpdate: new Date('2046-01-01T00:00:00Z'),
    entries: revoked.map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: new Date('2026-06-01T00:00:00Z'),
    })),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    signingKey: signer.keys.privateKey,
  })
  return Buffer.from(crl.rawData)
}

/** A PKCS #12 file with an RSA key, PBES2 and an HMAC; the certificates in this order. */
export function makePkcs12(owner: Identity, certificates: readonly Identity[], passphrase: string): Buffer {
  const pem = KeyObject.from(owner.keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
  const asn1 = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(pem),
    certificates.map(({ der }) => forge.pki.certificateFromPem(new NodeCertificate(der).toString())),
    passphrase,
    { algorithm: 'aes256' },
  )
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1')
}

/** The list with as many more nodes of DER, where nobody looks for any: in the parameters of the algorithm beside the signature. */
export function padCrl(der: Buffer, nodes: number): Buffer {
  const list = AsnConvert.parse(der, CertificateList)
  const padding = new asn1js.Sequence({ value: Array.from({ length: nodes - 1 }, () => new asn1js.Null()) })
  list.signatureAlgorithm.parameters = padding.toBER(false)
  return Buffer.from(AsnConvert.serialize(list))
}
