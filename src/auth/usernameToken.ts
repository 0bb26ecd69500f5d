import { hash, timingSafeEqual } from 'node:crypto'
import { limits } from '../limits.ts'
import type { Clock } from '../platform/platform.ts'
import { type Account, type Accounts, type Checked, unusable } from './account.ts'
import { createTokenMemory, type ReplayJournal } from './tokenMemory.ts'

/** A WS-UsernameToken as it stands in the message. */
export interface UsernameToken {
  readonly username: string
  /** The digest in base64, if the type says so. */
  readonly password: string
  /** The part of the Type after the #. */
  readonly passwordType: string | undefined
  /** In base64. */
  readonly nonce: string | undefined
  /** The text is part of the digest, so it stays as it was sent. */
  readonly created: string | undefined
}

export interface TokenCheck {
  /** Reads the device's UTC. */
  check(token: UsernameToken, accounts: Accounts): Checked
}

/** `nobody` is whom an unknown user is compared with. */
export function createTokenCheck(clock: Clock, journal: ReplayJournal, nobody: Account): TokenCheck {
  const memory = createTokenMemory(clock, journal)

  return {
    check({ username, password, passwordType, nonce, created }, accounts) {
      // Core 5.9.5 and the profile's PasswordDigest. PasswordText is not taken, and the password that came with it not looked at.
      if (passwordType !== 'PasswordDigest') return unusable('the type of the password is not PasswordDigest')
      if (!nonce || !created) return unusable('Nonce and Created are required')
      const createdMs = parseCreated(created)
      if (createdMs === undefined) return unusable('Created is no time')
      const awayMs = Math.abs(clock.now().getTime() - createdMs)
      if (awayMs > limits.tokenWindowMs) return unusable(`Created is ${Math.round(awayMs / 1000)} s away from the clock of the device`)

      const account = accounts.find(username)
      const given = Buffer.from(password, 'base64')
      const expected = passwordDigest(nonce, created, (account ?? nobody).password)
      if (!timingSafeEqual(expected, given.length === expected.length ? given : Buffer.alloc(expected.length)) || !account)
        return { kind: 'wrong', name: username }
      const found = memory.remember(account.name, expected, createdMs)
      switch (found) {
        case 'new':
          return { kind: 'right', account }
        case 'known':
          return { kind: 'repeated', account }
        case 'forgotten':
          return { kind: 'doubtful', account, reason: 'Created lies in a time of which the device has forgotten what it took' }
        case 'unwritten':
          return { kind: 'doubtful', account, reason: 'the token cannot be written down' }
        case 'full':
          return unusable('more tokens came within the window than the device can remember')
      }
    },
  }
}

/** WSS UsernameToken Profile 1.0: SHA-1 over the decoded nonce, the text of Created and the password. */
export function passwordDigest(nonce: string, created: string, password: string): Buffer {
  return hash('sha1', Buffer.concat([Buffer.from(nonce, 'base64'), Buffer.from(created + password)]), 'buffer')
}

/** xs:dateTime with as many digits as a client likes (client-quirks 9). Without a zone it is UTC, as the profile recommends. */
function parseCreated(created: string): number | undefined {
  const zone = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?$/.exec(created)
  if (!zone) return undefined
  const milliseconds = Date.parse(zone[1] === undefined ? `${created}Z` : created)
  return Number.isNaN(milliseconds) ? undefined : milliseconds
}
