import type { KeyObject } from 'node:crypto'
import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Store } from './store.ts'

/** A token needs the claim `name` with one of these. */
export interface Claim {
  readonly name: string
  readonly values: readonly string[]
}

/** tas:JWTConfiguration. Nothing of this is secret. */
export interface JwtConfiguration {
  /** Empty as long as nobody's tokens are taken. */
  readonly audiences: readonly string[]
  /** Where each publishes what it says of itself (RFC 8414 3). */
  readonly trustedIssuers: readonly string[]
  /** In the keystore. */
  readonly keyIds: readonly string[]
  /** What the certificates of the issuers are held against. */
  readonly policyId: string | undefined
  readonly claims: readonly Claim[]
}

/** The same for whoever verifies tokens. */
export interface JwtTrust extends Pick<JwtConfiguration, 'audiences' | 'claims' | 'policyId'> {
  readonly keys: readonly KeyObject[]
  readonly issuers: readonly { readonly metadata: string; readonly names: readonly string[] }[]
}

interface Parts {
  readonly store: Store
  readonly keys: { get(id: string): { readonly algorithm: string }; publicKey(id: string): KeyObject }
  readonly policies: { get(id: string): unknown }
}

const nobody: JwtConfiguration = { audiences: [], trustedIssuers: [], keyIds: [], policyId: undefined, claims: [] }

export type Jwt = ReturnType<typeof createJwt>

/** Whose JSON Web Tokens log clients in, as a client has set it (Security 5.5.6). */
export function createJwt({ store, keys, policies }: Parts) {
  const document = store.document<JwtConfiguration>('jwt', parse, () => nobody)
  let built: { readonly from: JwtConfiguration; readonly trust: JwtTrust } | undefined

  return {
    get: (): JwtConfiguration => document.get(),

    /** Replaces all of it. Throws TooManyAudiences, MaxIssuersExceeded, KeyID, InvalidKeyStatus, CertPathValidationPolicyID, InvalidArgVal. */
    set(given: JwtConfiguration): void {
      const configuration = checked(given)
      for (const id of configuration.keyIds) {
        keys.publicKey(id)
        // RS256 and ES256 are what tokens are signed with (Security Baseline 11).
        if (!/^(?:RSA-\d+|EC-P-256)$/.test(keys.get(id).algorithm))
          throw fault('InvalidArgVal', 'a key for tokens is RSA, or on the curve P-256')
      }
      if (configuration.policyId !== undefined) policies.get(configuration.policyId)
      document.set(configuration)
    },

    /** What cannot be deleted from the keystore meanwhile (Security 5.2.4). */
    references(): { readonly keys: readonly string[]; readonly policies: readonly string[] } {
      const { keyIds, policyId } = document.get()
      return { keys: keyIds, policies: policyId === undefined ? [] : [policyId] }
    },

    /** The same object until something changes. */
    trust(): JwtTrust {
      const from = document.get()
      if (built?.from !== from) {
        const { audiences, claims, policyId, keyIds, trustedIssuers } = from
        const issuers = trustedIssuers.map(metadata => ({ metadata, names: issuerNames(metadata) }))
        built = { from, trust: { audiences, claims, policyId, keys: keyIds.map(keys.publicKey), issuers } }
      }
      return built.trust
    },
  }
}

const refuse = (reason: string) => fault('InvalidArgVal', reason)

function checked({ audiences, trustedIssuers, keyIds, policyId, claims }: JwtConfiguration): JwtConfiguration {
  if (audiences.length > limits.jwtAudiencesMax) throw fault('TooManyAudiences', `the device takes ${limits.jwtAudiencesMax} audiences`)
  if (trustedIssuers.length > limits.jwtIssuersMax) throw fault('MaxIssuersExceeded', `the device trusts ${limits.jwtIssuersMax} issuers`)
  if (keyIds.length > limits.jwtKeysMax) throw refuse(`the device takes ${limits.jwtKeysMax} keys for tokens`)
  if (audiences.length === 0 && trustedIssuers.length + keyIds.length > 0)
    throw refuse('without an audience no token is for this device; for none at all, leave out issuers and keys, too')
  for (const uri of trustedIssuers) issuerNames(uri)
  if (claims.length > limits.jwtClaimsMax || claims.some(({ values }) => values.length > limits.jwtClaimValuesMax))
    throw refuse(`the device looks at ${limits.jwtClaimsMax} claims with ${limits.jwtClaimValuesMax} values each`)
  if (claims.some(({ name, values }) => name === '' || values.length === 0)) throw refuse('a claim has a name, and at least one value')
  const texts = [...audiences, ...claims.flatMap(({ name, values }) => [name, ...values])]
  if (texts.some(text => text.length > limits.jwtTextCharactersMax))
    throw refuse(`audiences, claims and values have at most ${limits.jwtTextCharactersMax} characters`)
  const once = (list: readonly string[]) => [...new Set(list)]
  return { audiences: once(audiences), trustedIssuers: once(trustedIssuers), keyIds: once(keyIds), policyId, claims }
}

/**
 * Who publishes at this address. The well-known part stands behind the host (RFC 8414 3.1) or at the end (OpenID Connect Discovery 4);
 * both leave open whether the name has a slash at its end. Throws InvalidArgVal.
 */
function issuerNames(metadata: string): readonly string[] {
  const url = metadata.length <= limits.uriCharactersMax ? URL.parse(metadata) : null
  const wellKnown = /^(.*)\/\.well-known\/[^/]+(\/.*)?$/.exec(url?.pathname ?? '')
  const [, before = '', after = ''] = wellKnown ?? []
  const isMetadata = url?.protocol === 'https:' && wellKnown !== null && (before === '' || after === '')
  if (!isMetadata || url.username !== '' || url.password !== '' || url.hash !== '')
    throw refuse('an issuer is given by the address of its metadata, such as https://id.example.org/.well-known/openid-configuration')
  const name = `${url.origin}${before}${after}`.replace(/\/+$/, '')
  return [name, `${name}/`]
}

function parse(stored: unknown): JwtConfiguration {
  const { audiences, trustedIssuers, keyIds, policyId, claims } = fieldsOf(stored)
  if (!Array.isArray(claims) || (policyId !== undefined && typeof policyId !== 'string')) throw new Error('no configuration of tokens')
  return checked({
    audiences: textsOf(audiences),
    trustedIssuers: textsOf(trustedIssuers),
    keyIds: textsOf(keyIds),
    policyId,
    claims: claims.map(fieldsOf).map(({ name, values }) => {
      if (typeof name !== 'string') throw new Error('no claim')
      return { name, values: textsOf(values) }
    }),
  })
}

function fieldsOf(stored: unknown): Readonly<Record<string, unknown>> {
  if (typeof stored !== 'object' || stored === null) throw new Error('no configuration of tokens')
  return { ...stored }
}

function textsOf(stored: unknown): readonly string[] {
  if (!Array.isArray(stored)) throw new Error('no list of texts')
  return stored.map(text => {
    if (typeof text !== 'string') throw new Error('no text')
    return text
  })
}
