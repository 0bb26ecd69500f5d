import { constants, type KeyObject, verify } from 'node:crypto'
import { limits } from '../../limits.ts'

export type Digest = 'sha256' | 'sha384' | 'sha512'

/** The digests that still count; SHA-1 and MD5 are not among them. */
export const digestByOid: Readonly<Record<string, Digest>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

type Scheme = 'rsa' | 'rsa-pss' | 'ec' | 'ed25519'

/** Undefined digest: the algorithm leaves it to a parameter beside it. */
const algorithms: Readonly<Record<string, readonly [Scheme, Digest | undefined]>> = {
  '1.2.840.113549.1.1.1': ['rsa', undefined],
  '1.2.840.113549.1.1.10': ['rsa-pss', undefined],
  '1.2.840.113549.1.1.11': ['rsa', 'sha256'],
  '1.2.840.113549.1.1.12': ['rsa', 'sha384'],
  '1.2.840.113549.1.1.13': ['rsa', 'sha512'],
  '1.2.840.10045.4.3.2': ['ec', 'sha256'],
  '1.2.840.10045.4.3.3': ['ec', 'sha384'],
  '1.2.840.10045.4.3.4': ['ec', 'sha512'],
  '1.3.101.112': ['ed25519', undefined],
}

const curves: readonly (string | undefined)[] = ['prime256v1', 'secp384r1']

/** What is wrong with a public key, or undefined. */
export function weaknessOf(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return modulusLength < limits.rsaBitsMin || modulusLength > limits.rsaBitsMax ? `an RSA key of ${modulusLength} bits` : undefined
    case 'ec':
      return curves.includes(namedCurve) ? undefined : `a key on the curve ${namedCurve}`
    case 'ed25519':
      return undefined
    default:
      return `a key of type ${key.asymmetricKeyType}`
  }
}

/**
 * Whether `signature` over `data` is by `key` under the algorithm `oid` with one of `digests`. The parameters of RSASSA-PSS
 * are not read: a signature made with another digest than those offered does not verify, and any length of salt is sound.
 */
export function isSignedBy(key: KeyObject, oid: string, data: Uint8Array, signature: Uint8Array, digests: readonly Digest[]): boolean {
  const [scheme, fixed] = algorithms[oid] ?? []
  const type = key.asymmetricKeyType
  const offered = fixed === undefined ? digests : digests.filter(digest => digest === fixed)
  switch (scheme) {
    case 'rsa':
      return type === 'rsa' && offered.some(digest => verify(digest, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature))
    case 'rsa-pss': {
      const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      return (type === 'rsa' || type === 'rsa-pss') && offered.some(digest => verify(digest, data, options, signature))
    }
    case 'ec':
      return type === 'ec' && offered.some(digest => verify(digest, data, { key, dsaEncoding: 'der' }, signature))
    case 'ed25519':
      return type === 'ed25519' && verify(null, data, key, signature)
    case undefined:
      return false
  }
}
