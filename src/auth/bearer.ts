import type { JWTPayload } from 'jose'
import { limits } from '../limits.ts'
import type { Caller, UserLevel } from '../onvif/handlers.ts'
import type { Clock } from '../platform/platform.ts'
import { type JwtIssuer, type JwtKey, jwtAlgorithms } from './jwtIssuers.ts'

export type BearerVerdict = { readonly caller: Caller } | { readonly reason: string }

export interface Bearer {
  /** Value of WWW-Authenticate (RFC 6750 3). */
  readonly challenge: string
  /** Whether there is anybody whose tokens are believed now. */
  isOffered(): boolean
  /** `authorization` is a header of the scheme Bearer. What is wrong with a token is for the log alone. */
  check(authorization: string): Promise<BearerVerdict>
}

interface Parts {
  /** Asked for every token, so that a configuration may change. */
  readonly issuers: () => readonly JwtIssuer[]
  readonly clock: Pick<Clock, 'now'>
}

/** RFC 6750 2.1, with the three parts of RFC 7515 7.1. */
const form = /^[ \t]*bearer[ \t]+([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)[ \t]*$/i

export const isBearer = (authorization: string): boolean => /^[ \t]*bearer(?:[ \t]|$)/i.test(authorization)

/** JSON Web Tokens of issuers that the operator or a client named (Security 4.4). They are nobody's in the user database. */
export function createBearer({ issuers, clock }: Parts): Bearer {
  /** Loaded with the first token: a device that gets none starts without it. */
  let library: Promise<typeof import('jose')> | undefined

  async function verify(token: string): Promise<JWTPayload> {
    library ??= import('jose')
    const { decodeJwt, decodeProtectedHeader, errors, jwtVerify } = await library
    const { alg, kid } = decodeProtectedHeader(token)
    const { iss } = decodeJwt(token)
    const all = issuers()
    const issuer = all.find(({ name }) => name === iss) ?? all.find(({ name }) => name === undefined)
    if (!issuer || iss === undefined) throw new Error('the issuer is not known')
    const expectations = {
      issuer: iss,
      audience: [...issuer.audiences],
      algorithms: [...jwtAlgorithms],
      // Security 4.4 wants all four, although RFC 7519 lets each be absent.
      requiredClaims: ['iss', 'aud', 'exp', 'nbf'],
      currentDate: clock.now(),
      clockTolerance: limits.jwtSkewSeconds,
    }
    let failure: unknown = new Error('the issuer has no key for it')
    // Those that are published are asked for only where none of the others is the one.
    for (const keys of [() => issuer.keys, () => issuer.published?.(kid) ?? []]) {
      for (const { key } of candidates(await keys(), alg, kid)) {
        try {
          const { payload } = await jwtVerify(token, key, expectations)
          assertClaims(payload, issuer)
          return payload
        } catch (error) {
          if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
          failure = error
        }
      }
    }
    throw failure
  }

  return {
    challenge: 'Bearer realm="onvifd"',

    isOffered: () => issuers().length > 0,

    async check(authorization) {
      const token = form.exec(authorization)?.[1]
      if (token === undefined || authorization.length > limits.bearerCharactersMax) return { reason: 'the bearer token is malformed' }
      try {
        return callerOf(await verify(token))
      } catch (error) {
        // jose says what is wrong by a code; its messages quote nothing of a token, but a parser's may.
        const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
        return { reason: `the bearer token is not good: ${code ?? (error instanceof Error ? error.message : 'unknown')}` }
      }
    },
  }
}

/** Those that the token may be signed with: by its name where both have one. */
function candidates(keys: readonly JwtKey[], algorithm: string | undefined, id: string | undefined): readonly JwtKey[] {
  const fitting = keys.filter(key => key.algorithm === algorithm)
  const named = fitting.filter(key => id !== undefined && key.id === id)
  return named.length > 0 ? named : fitting.filter(key => id === undefined || key.id === undefined)
}

function assertClaims(payload: JWTPayload, { claims = [] }: JwtIssuer): void {
  for (const { name, values } of claims) {
    const claim = payload[name]
    const given: readonly unknown[] = Array.isArray(claim) ? claim : [claim]
    const has = given.some(each => each !== undefined && typeof each !== 'object' && values.includes(String(each)))
    if (!has) throw new Error('it lacks a claim, or the right value of one')
  }
}

const levels: Readonly<Record<string, UserLevel>> = {
  'onvif:Administrator': 'Administrator',
  'onvif:Operator': 'Operator',
  'onvif:User': 'User',
}

/** What the roles open (Security 4.4, Core 5.9.4.5): one of ONVIF's is a level, anything else is what the level Extended is for. */
function callerOf({ sub, roles }: JWTPayload): BearerVerdict {
  const list = typeof roles === 'string' ? roles.split(' ') : Array.isArray(roles) ? roles : []
  const names = [...new Set(list.filter(role => typeof role === 'string' && role !== ''))].slice(0, limits.userRolesMax)
  const [first = ''] = names
  if (first === '') return { reason: 'the bearer token has no roles' }
  const level = names.length === 1 && Object.hasOwn(levels, first) ? levels[first] : undefined
  // No user of the device has a colon in his name, so what is his own stays that.
  const name = `jwt:${(sub ?? '').replace(/[^\x21-\x7e]/g, '?').slice(0, limits.userNameCharactersMax)}`
  return { caller: level ? { name, level } : { name, level: 'Extended', roles: names } }
}
