import { hash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../platform/platform.ts'
import { type Account, type Accounts, type Checked, unusable } from './account.ts'
import { type DigestFields, parseAuthorization } from './authorizationHeader.ts'
import { createServerNonces } from './serverNonces.ts'

export interface DigestRequest {
  readonly method: string
  /** Request target as sent. */
  readonly target: string
  readonly authorization: string
}

export interface HttpDigest {
  /** Values of WWW-Authenticate, one for each algorithm that is offered. */
  challenges(stale: boolean): readonly string[]
  check(request: DigestRequest, accounts: Accounts): Checked
}

/** Never changed: it is part of what clients hash. */
const realm = 'onvifd'

/** In the order in which they are offered unless somebody wants it otherwise (client-quirks 7). */
const algorithms = [
  { name: 'MD5', digest: 'md5', hexDigits: 32 },
  { name: 'SHA-256', digest: 'sha256', hexDigits: 64 },
] as const

type Algorithm = (typeof algorithms)[number]

export const digestAlgorithms: readonly string[] = algorithms.map(({ name }) => name)

/**
 * The server's side of HTTP Digest (RFC 7616) with qop=auth. `nobody` is whom an unknown user is compared with; `offered` are the
 * algorithms of the next challenge.
 */
export function createHttpDigest(
  clock: Pick<Clock, 'monotonicMs'>,
  nobody: Account,
  offered: () => readonly string[] = () => digestAlgorithms,
): HttpDigest {
  const nonces = createServerNonces(clock)

  return {
    challenges(stale) {
      const nonce = nonces.make()
      return offered().map(name => `Digest realm="${realm}", qop="auth", algorithm=${name}, nonce="${nonce}"${stale ? ', stale=true' : ''}`)
    },

    check({ method, target, authorization }, accounts) {
      const fields = parseAuthorization(authorization)
      if (typeof fields === 'string') return unusable(fields)
      const algorithm = algorithmOf(fields.algorithm)
      if (fields.realm !== realm || algorithm === undefined || fields.qop.toLowerCase() !== 'auth') return unusable('this was not offered')
      if (fields.response.length !== algorithm.hexDigits) return unusable('the response has another length than the algorithm gives')
      if (pathAndQuery(fields.uri) !== pathAndQuery(target)) return unusable('uri is not the target of the request')
      // It may have been, when the client got its challenge (Core 5.9.3.1): like an old nonce, that says nothing about the password.
      if (!offered().includes(algorithm.name)) return unusable('this algorithm is not offered any more', true)
      // Before the password is looked at, so that an old nonce tells nobody whether it was right.
      const age = nonces.judge(fields.nonce)
      if (age !== 'good') return unusable(`the nonce is ${age}`, age === 'stale')

      const account = accounts.find(fields.username)
      const expected = digestResponse(algorithm, fields, (account ?? nobody).password, method)
      if (!timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(fields.response, 'latin1')) || !account)
        return { kind: 'wrong', name: fields.username }
      // An honest client whose request came twice, or late, does better with a new nonce; whoever replays it gains nothing.
      if (!nonces.use(fields.nonce, Number.parseInt(fields.nc, 16))) return unusable('this count of the nonce was used before', true)
      return { kind: 'right', account }
    },
  }
}

/** RFC 7616 3.4.1, with the text of each field as the client sent it. */
export function digestResponse(
  { digest }: Pick<Algorithm, 'digest'>,
  { username, realm, nonce, nc, cnonce, qop, uri }: Pick<DigestFields, 'username' | 'realm' | 'nonce' | 'nc' | 'cnonce' | 'qop' | 'uri'>,
  password: string,
  method: string,
): string {
  const secret = hash(digest, `${username}:${realm}:${password}`)
  const action = hash(digest, `${method}:${uri}`)
  return hash(digest, `${secret}:${nonce}:${nc}:${cnonce}:${qop}:${action}`)
}

function algorithmOf(name = 'MD5'): Algorithm | undefined {
  return algorithms.find(algorithm => algorithm.name === name.toUpperCase())
}

/** RFC 7616 3.4.6: the absolute form, which a proxy may have made of the other or the other way round, is the same resource. */
function pathAndQuery(target: string): string {
  const authority = /^https?:\/\/[^/?#]*/i.exec(target)
  if (!authority) return target
  const rest = target.slice(authority[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
