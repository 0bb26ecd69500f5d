import type { KeyObject } from 'node:crypto'
import { type JwtIssuer, type JwtKey, keyOf } from './jwtIssuers.ts'

/** What a client has set (Security 5.5.6). */
interface Trust {
  readonly audiences: readonly string[]
  readonly claims: NonNullable<JwtIssuer['claims']>
  readonly policyId: string | undefined
  /** Those that were brought along. */
  readonly keys: readonly KeyObject[]
  readonly issuers: readonly { readonly metadata: string; readonly names: readonly string[] }[]
}

/** The keys that the issuer `name` publishes by way of its metadata; never rejects. */
export type PublishedKeys = (order: {
  readonly metadata: string
  readonly name: string
  readonly policyId: string | undefined
  readonly keyId: string | undefined
}) => Promise<readonly JwtKey[]>

/**
 * The issuers of the operator, and behind them those of the client: who is named by both is the operator's, so that no client takes
 * one over or shuts it out. A key that was brought along is good for every issuer that the client names, and where he names none,
 * for whatever its owner calls himself.
 */
export function jwtIssuersOf(operator: readonly JwtIssuer[], trust: () => Trust, published: PublishedKeys): () => readonly JwtIssuer[] {
  let built: { readonly from: Trust; readonly issuers: readonly JwtIssuer[] } | undefined
  return () => {
    const from = trust()
    if (built?.from !== from) built = { from, issuers: [...operator, ...configured(from, published)] }
    return built.issuers
  }
}

function configured({ audiences, claims, policyId, keys: given, issuers }: Trust, published: PublishedKeys): readonly JwtIssuer[] {
  const common = { audiences, claims, keys: given.map(key => keyOf(undefined, key)) }
  if (issuers.length === 0) return given.length === 0 ? [] : [{ ...common, name: undefined }]
  return issuers.flatMap(({ metadata, names }) =>
    names.map(name => ({ ...common, name, published: keyId => published({ metadata, name, policyId, keyId }) }) satisfies JwtIssuer),
  )
}
