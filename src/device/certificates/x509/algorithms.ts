import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { limits } from '../../../limits.ts'
import { X509Error } from './x509Error.ts'

export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512'
type Scheme = 'rsa' | 'rsa-pss' | 'ec'

interface SignatureAlgorithm {
  readonly oid: string
  readonly name: string
  readonly scheme: Scheme
  /** Undefined: a parameter of the algorithm says it. */
  readonly digest: Digest | undefined
}

const algorithm = (oid: string, name: string, scheme: Scheme, digest?: Digest): SignatureAlgorithm => ({ oid, name, scheme, digest })

/** Security Baseline 26.06 and what certificates of the last twenty years were signed with. */
const known: readonly SignatureAlgorithm[] = [
  algorithm('1.2.840.113549.1.1.11', 'sha256WithRSAEncryption', 'rsa', 'sha256'),
  algorithm('1.2.840.113549.1.1.12', 'sha384WithRSAEncryption', 'rsa', 'sha384'),
  algorithm('1.2.840.113549.1.1.13', 'sha512WithRSAEncryption', 'rsa', 'sha512'),
  algorithm('1.2.840.10045.4.3.2', 'ecdsa-with-SHA256', 'ec', 'sha256'),
  algorithm('1.2.840.10045.4.3.3', 'ecdsa-with-SHA384', 'ec', 'sha384'),
  algorithm('1.2.840.10045.4.3.4', 'ecdsa-with-SHA512', 'ec', 'sha512'),
  algorithm('1.2.840.113549.1.1.10', 'rsassaPss', 'rsa-pss'),
]

/** Only on a device that was told to (`--legacy-crypto`). */
const legacy: readonly SignatureAlgorithm[] = [
  algorithm('1.2.840.113549.1.1.5', 'sha1WithRSAEncryption', 'rsa', 'sha1'),
  algorithm('1.2.840.10045.4.1', 'ecdsa-with-SHA1', 'ec', 'sha1'),
]

const names = new Map([...known, ...legacy].map(({ oid, name }) => [oid, name]))

/** By its usual name, or by its number. */
export const signatureAlgorithmName = (oid: string): string => names.get(oid) ?? oid

/** What the device signs with (tas:KeystoreCapabilities/SignatureAlgorithms). */
export const signingAlgorithms = (allowLegacy: boolean): readonly string[] =>
  [...known, ...(allowLegacy ? legacy : [])].filter(({ digest }) => digest !== undefined).map(({ oid }) => oid)

export function findSignatureAlgorithm(oid: string, allowLegacy: boolean): SignatureAlgorithm {
  const found = (allowLegacy ? [...known, ...legacy] : known).find(each => each.oid === oid)
  if (!found) throw new X509Error('signatureAlgorithm', `signatures with ${signatureAlgorithmName(oid)} are not taken`)
  return found
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' }
/** One is no encryption at all; a long exponent makes a verification as slow as a signature. */
const exponentMin = 3n
const exponentMax = 2n ** 32n

/** Looks at sizes and numbers alone, and calculates with none of them. Throws where this device does not take the key. */
export function assertStrong(key: KeyObject): void {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {}
  const refuse = (what: string) =>
    new X509Error('publicKey', `${what} is not taken: RSA has ${limits.rsaBitsMin} to ${limits.rsaBitsMax} bits, EC P-256 or P-384`)
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      if (modulusLength < limits.rsaBitsMin || modulusLength > limits.rsaBitsMax) throw refuse(`an RSA key of ${modulusLength} bits`)
      if (publicExponent < exponentMin || publicExponent > exponentMax || publicExponent % 2n === 0n)
        throw refuse('an RSA key with such a public exponent')
      return
    case 'ec':
      if (namedCurve === undefined || curves[namedCurve] === undefined) throw refuse(`a key on the curve ${namedCurve ?? 'of its own'}`)
      return
    default:
      throw refuse(`a key of type ${key.asymmetricKeyType}`)
  }
}

/** For people and for tas: `RSA-2048`, `EC-P-256`. */
export function describeKey(key: KeyObject): string {
  const { modulusLength, namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  return key.asymmetricKeyType === 'ec' ? `EC-${curves[namedCurve] ?? namedCurve}` : `RSA-${modulusLength}`
}

/** Bits of the modulus, or of the field of the curve. */
export function keyBits(key: KeyObject): number {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  return modulusLength ?? (namedCurve === 'secp384r1' ? 384 : 256)
}

const offered: readonly Digest[] = ['sha256', 'sha384', 'sha512']

/**
 * Whether `signature` over `data` is by `key` under the algorithm `oid`. The parameters of RSASSA-PSS are not read: a signature made
 * with another digest than those offered does not verify, and any length of salt is sound.
 */
export function isSignedBy(key: KeyObject, oid: string, data: Uint8Array, signature: Uint8Array, allowLegacy: boolean): boolean {
  const found = (allowLegacy ? [...known, ...legacy] : known).find(each => each.oid === oid)
  if (!found) return false
  const type = key.asymmetricKeyType
  const { scheme, digest } = found
  switch (scheme) {
    case 'rsa':
      return type === 'rsa' && digest !== undefined && verify(digest, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature)
    case 'rsa-pss': {
      const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      return (type === 'rsa' || type === 'rsa-pss') && offered.some(each => verify(each, data, options, signature))
    }
    case 'ec':
      return type === 'ec' && digest !== undefined && verify(digest, data, { key, dsaEncoding: 'der' }, signature)
  }
}

/** SubjectPublicKeyInfo in DER: the same key gives the same bytes. */
export const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })
