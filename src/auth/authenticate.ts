import { randomBytes } from 'node:crypto'
import { limits } from '../limits.ts'
import type { Caller, Permits } from '../onvif/handlers.ts'
import { admitted } from '../onvif/operations.ts'
import type { Clock } from '../platform/platform.ts'
import type { Account, Accounts, Checked } from './account.ts'
import { type Bearer, isBearer } from './bearer.ts'
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
  /** It came by TLS. */
  readonly isSecure?: boolean
  /** The common names of the certificate that the client has proved to be his, if any. */
  readonly certificateNames?: readonly string[] | undefined
}

export type Verdict =
  | { readonly kind: 'known'; readonly caller: Caller }
  /** No credentials: normal traffic. */
  | { readonly kind: 'anonymous' }
  /** `by`: the layer whose credentials were at fault. `reason` is for the log, and holds nothing that the client sent. */
  | { readonly kind: 'refused'; readonly by: 'http' | 'message'; readonly stale: boolean; readonly reason: string }

export interface Authenticator {
  /** At once, unless wrong passwords came from the same address lately, or a bearer token comes. */
  authenticate(attempt: Attempt): Verdict | Promise<Verdict>
  /** Values of WWW-Authenticate, one for each header line. */
  challenges(stale: boolean, isSecure?: boolean): readonly string[]
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
  /** Whose JSON Web Tokens are taken; nobody's without it. */
  readonly bearer?: Bearer | undefined
  /** Whether the common name of a client's certificate is the name of a user (Security 5.3, CnMapsToUser). */
  readonly cnMapsToUser?: () => boolean
}

const byDefaultPolicy: Permits = ({ level }, access) => admitted[access].includes(level)

/** Who sends a request (Core 5.9.1): by TLS, by HTTP and by WS-UsernameToken, each alone or together. */
export function createAuthenticator(parts: Parts): Authenticator {
  const { accounts, clock, journal, algorithms, permits = byDefaultPolicy, failed = () => {} } = parts
  const { bearer, cnMapsToUser = () => false } = parts
  // An unknown user costs what a wrong password costs, so that time tells nobody which names exist.
  const nobody: Account = { name: '', level: 'User', password: randomBytes(12).toString('base64') }
  const digest = createHttpDigest(clock, nobody, algorithms)
  const tokens = createTokenCheck(clock, journal, nobody)
  const guessing = createGuessing(clock)
  let waiting = 0

  /** From the outside to the inside; what comes on several layers has to be right on each, and the same user (Core 5.9.1). */
  function verify(attempt: Attempt): Verdict {
    const { method, target, authorization, token, remoteAddress } = attempt
    let account = certified(attempt)
    if (authorization !== undefined) {
      const checked = digest.check({ method, target, authorization }, accounts)
      if (checked.kind !== 'right') return refuse('http', checked, remoteAddress)
      if (account && checked.account.name !== account.name) return refusal('http', 'HTTP and the certificate name different users')
      account = checked.account
    }
    if (token !== undefined) {
      if (account && token.username !== account.name)
        return refusal('message', 'the message names another user than HTTP or the certificate')
      const checked = tokens.check(token, accounts)
      // A client that was challenged sends its message once more, with the token that it had (client-quirks 10). HTTP Digest, by a
      // nonce of ours, and TLS show that whoever sends it is here now.
      const taken = checked.kind === 'right' || ((checked.kind === 'repeated' || checked.kind === 'doubtful') && account !== undefined)
      if (!taken) return refuse('message', checked, remoteAddress)
      account = checked.account
    }
    if (!account) return { kind: 'anonymous' }
    // A certificate says nothing about passwords.
    if (authorization !== undefined || token !== undefined) guessing.succeeded(remoteAddress, account.name)
    const { name, level, roles } = account
    return { kind: 'known', caller: { name, level, ...(roles && { roles }) } }
  }

  /** With two common names it is anybody's guess which one is meant. */
  function certified({ certificateNames: [name, ...others] = [] }: Attempt): Account | undefined {
    return name !== undefined && others.length === 0 && cnMapsToUser() ? accounts.find(name) : undefined
  }

  /** A token's bearer is no user of the device, so nobody else may be named beside him. */
  async function verifyBearer(trusted: Bearer, authorization: string, attempt: Attempt): Promise<Verdict> {
    if (attempt.isSecure !== true) return refusal('http', 'bearer tokens are taken over HTTPS only')
    const checked = await trusted.check(authorization)
    if ('reason' in checked) return refusal('http', checked.reason)
    if (attempt.token !== undefined) return refusal('message', 'the message names another user than HTTP')
    return certified(attempt) ? refusal('http', 'HTTP and the certificate name different users') : { kind: 'known', caller: checked.caller }
  }

  function refuse(by: 'http' | 'message', checked: Checked, remoteAddress: string): Verdict {
    if (checked.kind === 'unusable') return refusal(by, checked.reason, checked.stale)
    // With a challenge, because HTTP Digest can show what the token cannot.
    if (checked.kind === 'doubtful') return refusal('http', checked.reason)
    if (checked.kind !== 'wrong') return refusal(by, 'the token was used before')
    guessing.failed(remoteAddress, checked.name)
    failed(remoteAddress)
    return refusal(by, 'unknown user or wrong password')
  }

  return {
    challenges: (stale, isSecure = false) => [...digest.challenges(stale), ...(isSecure && bearer?.isOffered() ? [bearer.challenge] : [])],

    permits,

    authenticate(attempt) {
      const { authorization, token } = attempt
      // Without a password there is nothing to guess.
      if (authorization === undefined && token === undefined) return verify(attempt)
      if (authorization !== undefined && bearer?.isOffered() && isBearer(authorization)) return verifyBearer(bearer, authorization, attempt)
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
