import 'reflect-metadata'
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { Attribute as AttributeSyntax } from '@peculiar/asn1-x509'
import {
  Attribute,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  ExtensionsAttribute,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { limits } from '../../../limits.ts'
import { parseDer } from '../../der.ts'
import { assertStrong, type Digest, findSignatureAlgorithm } from './algorithms.ts'
import { assertOneDerValue, assertSize } from './der.ts'
import { type DistinguishedName, nameOf } from './names.ts'
import { readingLater, X509Error } from './x509Error.ts'

/** An extension as tas:X509v3Extension has it: the value is the DER inside of the octet string. */
export interface ExtensionOrder {
  readonly oid: string
  readonly critical: boolean
  readonly value: Uint8Array
}

/** An attribute of a certification request: an extension to ask for, or anything by its OID. */
export type AttributeOrder =
  | { readonly kind: 'extension'; readonly extension: ExtensionOrder }
  | { readonly kind: 'attribute'; readonly oid: string; readonly value: Uint8Array }

export interface SelfSignedOrder {
  readonly subject: DistinguishedName
  readonly validFrom: Date
  readonly validTo: Date
  readonly signatureAlgorithm: string
  /** Absent: what a TLS server needs, and `hostNames` as subject alternative names. */
  readonly extensions?: readonly ExtensionOrder[] | undefined
  readonly hostNames?: readonly string[]
}

const hashes: Readonly<Record<Digest, string>> = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' }
const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' }
const oidPattern = /^[0-2](?:\.(?:0|[1-9][0-9]{0,9})){1,15}$/

/** The usual algorithm for a key. */
export const usualSignatureAlgorithm = (key: KeyObject): string =>
  key.asymmetricKeyType !== 'ec'
    ? '1.2.840.113549.1.1.11'
    : key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
      ? '1.2.840.10045.4.3.3'
      : '1.2.840.10045.4.3.2'

/** A certification request in DER (PKCS #10 v1.7, RFC 2986). Throws X509Error: `subject`, `attribute`, `signatureAlgorithm`, `mismatch`. */
export async function makeRequest(
  privateKey: KeyObject,
  subject: DistinguishedName,
  orders: readonly AttributeOrder[],
  signatureAlgorithm: string,
  allowLegacy: boolean,
): Promise<Buffer> {
  const name = nameOf(subject)
  const extensions = orders.flatMap(order => (order.kind === 'extension' ? [extensionOf(order.extension)] : []))
  const attributes = orders.flatMap(order => (order.kind === 'attribute' ? [attributeOf(order.oid, order.value)] : []))
  if (extensions.length > 0 && attributes.some(({ type }) => type === extensionRequest))
    throw new X509Error('attribute', 'extensions are asked for in two ways')
  const { keys, signingAlgorithm } = cryptoKeys(privateKey, signatureAlgorithm, allowLegacy)
  const request = await Pkcs10CertificateRequestGenerator.create({
    name,
    keys,
    signingAlgorithm,
    // One attribute for all of them (RFC 2985 5.4.2).
    attributes: extensions.length > 0 ? [...attributes, new ExtensionsAttribute(extensions)] : attributes,
  })
  const der = Buffer.from(request.rawData)
  await readRequest(der)
  return der
}

const extensionRequest = '1.2.840.113549.1.9.14'

/** Throws X509Error where the bytes are no request, or one that is not signed with the key that it is for. */
export async function readRequest(der: Uint8Array): Promise<{ readonly subject: string; readonly publicKey: KeyObject }> {
  assertSize(der, limits.certificateBytesMax, 'certification request')
  return readingLater('certification request', async () => {
    assertOneDerValue(der)
    const request = new Pkcs10CertificateRequest(new Uint8Array(der), {
      berOptions: { maxNodes: limits.derNodesMax, maxDepth: limits.derDepthMax },
    })
    const publicKey = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' })
    assertStrong(publicKey)
    if (!(await request.verify())) throw new Error('the signature is not by this key')
    return { subject: request.subject, publicKey }
  })
}

/** A certificate that a key issues for itself, in DER. Throws X509Error: `subject`, `attribute`, `signatureAlgorithm`, `mismatch`. */
export async function makeSelfSigned(privateKey: KeyObject, order: SelfSignedOrder, allowLegacy: boolean): Promise<Buffer> {
  const name = nameOf(order.subject)
  const { keys, signingAlgorithm } = cryptoKeys(privateKey, order.signatureAlgorithm, allowLegacy)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm,
    notBefore: order.validFrom,
    notAfter: order.validTo,
    serialNumber: newSerialNumber(),
    extensions: order.extensions?.map(extensionOf) ?? [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(
        KeyUsageFlags.digitalSignature | (privateKey.asymmetricKeyType === 'rsa' ? KeyUsageFlags.keyEncipherment : 0),
        true,
      ),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...alternatives(order.hostNames ?? []),
    ],
  })
  return Buffer.from(certificate.rawData)
}

const isAddress = /:|^[0-9]+(?:\.[0-9]+){3}$/

/** RFC 5280 4.1.2.2: positive, at most 20 bytes, and with 158 random bits never the same one twice. */
function newSerialNumber(): string {
  const bytes = randomBytes(20)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

const alternatives = (hostNames: readonly string[]): readonly Extension[] =>
  hostNames.length === 0
    ? []
    : [new SubjectAlternativeNameExtension(hostNames.map(value => ({ type: isAddress.test(value) ? 'ip' : 'dns', value })))]

function extensionOf({ oid, critical, value }: ExtensionOrder): Extension {
  return orderedAttribute(oid, value, () => new Extension(oid, critical, value))
}

function attributeOf(oid: string, value: Uint8Array): Attribute {
  return orderedAttribute(oid, value, () => {
    const attribute = new Attribute(oid, [value])
    parseDer(attribute.rawData, AttributeSyntax)
    return attribute
  })
}

function orderedAttribute<T>(oid: string, value: Uint8Array, make: () => T): T {
  try {
    if (!oidPattern.test(oid)) throw new Error('no object identifier')
    if (value.length > limits.certificateBytesMax / 2) throw new Error('too long')
    assertOneDerValue(value)
    return make()
  } catch (cause) {
    throw new X509Error('attribute', 'an extension or attribute is no OID with a DER value', { cause })
  }
}

/** The key as the library wants it. It cannot be taken out of that again. */
function cryptoKeys(privateKey: KeyObject, oid: string, allowLegacy: boolean) {
  const { scheme, digest } = findSignatureAlgorithm(oid, allowLegacy)
  if (digest === undefined) throw new X509Error('signatureAlgorithm', 'the device does not sign with RSASSA-PSS')
  if (scheme !== privateKey.asymmetricKeyType) throw new X509Error('mismatch', 'the signature algorithm is for another kind of key')
  const { namedCurve = '' } = privateKey.asymmetricKeyDetails ?? {}
  const hash = hashes[digest]
  const algorithm =
    scheme === 'ec' ? { name: 'ECDSA', namedCurve: curves[namedCurve] ?? namedCurve, hash } : { name: 'RSASSA-PKCS1-v1_5', hash }
  const publicKey = createPublicKey(privateKey).toCryptoKey(algorithm, true, ['verify'])
  return { keys: { privateKey: privateKey.toCryptoKey(algorithm, false, ['sign']), publicKey }, signingAlgorithm: algorithm }
}
