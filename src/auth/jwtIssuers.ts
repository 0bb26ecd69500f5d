import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { limits } from '../limits.ts'

/** Security Baseline 11. */
export const jwtAlgorithms = ['RS256', 'ES256'] as const
export type JwtAlgorithm = (typeof jwtAlgorithms)[number]

export interface JwtKey {
  /** What the token calls it, where keys have names. */
  readonly id: string | undefined
  readonly algorithm: JwtAlgorithm
  readonly key: KeyObject
}

/** Somebody whose tokens are believed. */
export interface JwtIssuer {
  /** As the `iss` of his tokens has it, to the letter; undefined for whoever has the keys, and is not named elsewhere. */
  readonly name: string | undefined
  /** A token is for this device if its `aud` has one of these. */
  readonly audiences: readonly string[]
  readonly keys: readonly JwtKey[]
  /** The keys that he publishes, for a token that names its key like this. None where they cannot be had; never rejects. */
  readonly published?: (keyId: string | undefined) => Promise<readonly JwtKey[]>
  /** What his tokens need beside the usual claims: each of these, with one of its values. */
  readonly claims?: readonly { readonly name: string; readonly values: readonly string[] }[]
}

/**
 * The operator's file: `[{ "issuer": "https://id.example.org", "audiences": ["camera-7"], "keys": "id.jwks.json" }]`. `keys` names a file
 * with a JWK Set (RFC 7517 5) or with one public key or certificate in PEM, which `readFile` gives. Throws an Error that says what is wrong.
 */
export function parseJwtIssuers(text: string, readFile: (name: string) => string): readonly JwtIssuer[] {
  const list = parseJson(text)
  if (!Array.isArray(list) || list.length === 0 || list.length > limits.jwtIssuersMax)
    throw new Error(`it is no list of 1 to ${limits.jwtIssuersMax} issuers`)
  const issuers = list.map(each => parseIssuer(each, readFile))
  if (new Set(issuers.map(({ name }) => name)).size < issuers.length) throw new Error('an issuer is there twice')
  return issuers
}

function parseIssuer(given: unknown, readFile: (name: string) => string): JwtIssuer {
  const { issuer, audiences, keys } = fieldsOf(given)
  if (typeof issuer !== 'string' || issuer === '') throw new Error('an issuer has no "issuer"')
  const names = Array.isArray(audiences) ? audiences.filter(name => typeof name === 'string' && name !== '') : []
  if (!Array.isArray(audiences) || names.length === 0 || names.length < audiences.length)
    throw new Error(`the "audiences" of ${issuer} are no list of names`)
  if (typeof keys !== 'string') throw new Error(`the "keys" of ${issuer} name no file`)
  try {
    return { name: issuer, audiences: names, keys: parseKeys(readFile(keys)) }
  } catch (error) {
    throw new Error(`the keys of ${issuer}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** A JWK Set, or one key in PEM. Throws an Error that says what is wrong. */
export function parseKeys(text: string): readonly JwtKey[] {
  if (text.includes('-----BEGIN')) return [keyOf(undefined, createPublicKey(text))]
  const { keys } = fieldsOf(parseJson(text))
  if (!Array.isArray(keys)) throw new Error('the file is neither PEM nor a JWK Set')
  // A set may hold keys for other things than RS256 and ES256 signatures.
  const usable = keys.map(fieldsOf).filter(({ kty, crv, use, alg }) => {
    const fits = kty === 'RSA' || (kty === 'EC' && crv === 'P-256')
    return fits && (use === undefined || use === 'sig') && (alg === undefined || jwtAlgorithms.some(known => known === alg))
  })
  if (usable.length === 0 || usable.length > limits.jwtKeysMax)
    throw new Error(`the set has ${usable.length} keys for ${jwtAlgorithms.join(' and ')}`)
  return usable.map(jwk => {
    const { kid } = jwk
    return keyOf(typeof kid === 'string' ? kid : undefined, createPublicKey({ key: publicJwk(jwk), format: 'jwk' }))
  })
}

/** Of what should be public, only that is taken. */
function publicJwk({ kty, n, e, crv, x, y }: Fields): JsonWebKey {
  const key: JsonWebKey = {}
  for (const [name, value] of Object.entries({ kty, n, e, crv, x, y })) {
    if (value === undefined) continue
    if (typeof value !== 'string') throw new Error(`the member ${name} of a key is no text`)
    key[name] = value
  }
  return key
}

/** Throws where no token can be signed with such a key. */
export function keyOf(id: string | undefined, key: KeyObject): JwtKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  const { modulusLength = 0 } = details ?? {}
  if (type === 'rsa' && modulusLength >= limits.rsaBitsMin && modulusLength <= limits.rsaBitsMax) return { id, algorithm: 'RS256', key }
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { id, algorithm: 'ES256', key }
  throw new Error(`a key is neither RSA of ${limits.rsaBitsMin} to ${limits.rsaBitsMax} bits nor on the curve P-256`)
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('there is something else than an object')
  return Object.fromEntries(Object.entries(value))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('it is no JSON', { cause })
  }
}
