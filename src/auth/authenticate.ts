import { randomBytes } from 'node:crypto'
import { limits } from '../limits.ts'
import type { Caller, Permits } from '../onvif/handlers.ts'
import { admitted } from '../onvif/operations.ts'
import type { Clock } from '../platform/platform.ts'
import type { Account, Accounts, Checked } from './account.ts'
import { createGuessing } from './guessing.ts'
import { createHttpDigest } from './httpDigest.ts'
import type { ReplayJournal } from './tokenMemory.ts'
import { createTokenCheck, type UsernameToken } from './usernameToken.ts'

/** The credentials of one request, and where it came from. */
export interface Attempt {
  readonly method: string
  /** Request target as sent. */
  readonly target: string
  /** The Authorization header, if any. */
  readonly authorization: string | undefined
  /** The WS-UsernameToken of the message, if any. */
  readonly token: UsernameToken | undefined
  readonly remoteAddress: string
}

export type Verdict =
  | { readonly kind: 'known'; readonly caller: Caller }
  /** No credentials: normal traffic. */
  | { readonly kind: 'anonymous' }
  /** `by`: the layer whose credentials were at fault. `reason` is for the log, and holds nothing that the client sent. */
  | { readonly kind: 'refused'; readonly by: 'http' | 'message'; readonly stale: boolean; readonly reason: string }

export interface Authenticator {
  /** At once, unless wrong passwords came from the same address lately. */
  authenticate(attempt: Attempt): Verdict | Promise<Verdict>
  /** Values of WWW-Authenticate, one for each header line. */
  challenges(stale: boolean): readonly string[]
  /** Whether somebody who is known may do what he asks for. */
  readonly permits: Permits
}

interface Parts {
  readonly accounts: Accounts
  readonly clock: Clock
  readonly journal: ReplayJournal
  /** Algorithms of HTTP Digest for the next challenge, the preferred one first; all that there are without it. */
  readonly algorithms?: () => readonly string[]
  /** What each caller may do; the default access policy without it. */
  readonly permits?: Permits
  /** Told of every wrong password and unknown user. */
  readonly failed?: (remoteAddress: string) => void
}

const byDefaultPolicy: Permits = ({ level }, access) => admitted[access].includes(level)

/** Who sends a request (Core 5.9.1), by HTTP Digest, by WS-UsernameToken, or by both. */
export function createAuthenticator(parts: Parts): Authenticator {
  const { accounts, clock, journal, algorithms, permits = byDefaultPolicy, failed = () => {} } = parts
  // An unknown user costs what a wrong password costs, so that time tells nobody which names exist.
  const nobody: Account = { name: '', level: 'User', password: randomBytes(12).toString('base64') }
  const digest = createHttpDigest(clock, nobody, algorithms)
  const tokens = createTokenCheck(clock, journal, nobody)
  const guessing = createGuessing(clock)
  let waiting = 0

  /** HTTP first; what comes on both layers has to be right on both, and the same user (Core 5.9.1). */
  function verify({ method, target, authorization, token, remoteAddress }: Attempt): Verdict {
    let account: Account | undefined
    if (authorization !== undefined) {
      const checked = digest.check({ method, target, authorization }, accounts)
      if (checked.kind !== 'right') return refuse('http', checked, remoteAddress)
      account = checked.account
    }
    if (token !== undefined) {
      if (account && token.username !== account.name) return refusal('message', 'HTTP and the message name different users')
      const checked = tokens.check(token, accounts)
      // A client that was challenged sends its message once more, with the token that it had (client-quirks 10).
      const taken = checked.kind === 'right' || (checked.kind === 'repeated' && account !== undefined)
      if (!taken) return refuse('message', checked, remoteAddress)
      account = checked.account
    }
    if (!account) return { kind: 'anonymous' }
    guessing.succeeded(remoteAddress, account.name)
    const { name, level, roles } = account
    return { kind: 'known', caller: { name, level, ...(roles && { roles }) } }
  }

  function refuse(by: 'http' | 'message', checked: Checked, remoteAddress: string): Verdict {
    if (checked.kind === 'unusable') return refusal(by, checked.reason, checked.stale)
    if (checked.kind !== 'wrong') return refusal(by, 'the token was used before')
    guessing.failed(remoteAddress, checked.name)
    failed(remoteAddress)
    return refusal(by, 'unknown user or wrong password')
  }

  return {
    challenges: stale => digest.challenges(stale),

    permits,

    authenticate(attempt) {
      if (attempt.authorization === undefined && attempt.token === undefined) return { kind: 'anonymous' }
      const waitMs = guessing.waitFor(attempt.remoteAddress)
      if (waitMs === 0) return verify(attempt)
      if (waitMs === undefined || waiting >= limits.guessesWaitingMax)
        return refusal(attempt.authorization === undefined ? 'message' : 'http', 'too many attempts after wrong passwords')
      waiting++
      const { promise, resolve } = Promise.withResolvers<void>()
      clock.after(waitMs, resolve)
      return promise.then(() => {
        waiting--
        return verify(attempt)
      })
    },
  }
}

const refusal = (by: 'http' | 'message', reason: string, stale = false): Verdict => ({ kind: 'refused', by, stale, reason })
