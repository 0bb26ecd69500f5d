import { createHash } from 'node:crypto'
import type { Account, Accounts } from '../../src/auth/account.ts'
import type { ReplayJournal } from '../../src/auth/tokenMemory.ts'
import type { UsernameToken } from '../../src/auth/usernameToken.ts'
import type { Clock } from '../../src/platform/platform.ts'

/** A clock that stands still until somebody moves it. */
export interface TestClock extends Clock {
  /** Lets time pass on both clocks, and runs what is due on the way. */
  pass(ms: number): Promise<void>
  /** Moves UTC alone. */
  jump(ms: number): void
  pending(): number
}

export function testClock(startMs = Date.UTC(2026, 0, 2, 3, 4, 5)): TestClock {
  let [utcMs, monotonicMs] = [startMs, 1_000_000]
  let timers: { readonly atMs: number; readonly act: () => void }[] = []
  return {
    now: () => new Date(utcMs),
    monotonicMs: () => monotonicMs,
    async set(utc) {
      utcMs = utc.getTime()
    },
    after(delayMs, act) {
      const timer = { atMs: monotonicMs + delayMs, act }
      timers.push(timer)
      return () => {
        timers = timers.filter(other => other !== timer)
      }
    },
    async pass(ms) {
      const end = monotonicMs + ms
      for (;;) {
        const due = timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0]
        const until = due?.atMs ?? end
        utcMs += until - monotonicMs
        monotonicMs = until
        if (!due) break
        timers = timers.filter(other => other !== due)
        due.act()
        await new Promise(setImmediate)
      }
    },
    jump(ms) {
      utcMs += ms
    },
    pending: () => timers.length,
  }
}

export const admin: Account = { name: 'admin', level: 'Administrator', password: 'Correct-horse-7' }
export const viewer: Account = { name: 'viewer', level: 'User', password: 'Battery-staple-8' }

export function accountsOf(...accounts: readonly Account[]): Accounts {
  return { find: name => accounts.find(account => account.name === name) }
}

/** A journal in memory that remembers what was asked of it. */
export function memoryJournal(before: Partial<ReplayJournal> = {}) {
  const asked: { appended: Uint8Array[]; rotations: number; syncs: number; synced: number; gaps: number; forgotten: Uint8Array } = {
    appended: [],
    rotations: 0,
    syncs: 0,
    /** How many of what was appended a power cut cannot take. */
    synced: 0,
    gaps: 0,
    forgotten: new Uint8Array(),
  }
  const journal: ReplayJournal = {
    previous: new Uint8Array(),
    current: new Uint8Array(),
    forgotten: new Uint8Array(),
    complete: true,
    lacksMark: false,
    append: record => void asked.appended.push(Uint8Array.from(record)),
    sync() {
      asked.syncs++
      asked.synced = asked.appended.length
    },
    admitGap: () => void asked.gaps++,
    keepForgotten(spans) {
      asked.forgotten = Uint8Array.from(spans)
    },
    rotate: () => void asked.rotations++,
    ...before,
  }
  return { journal, asked }
}

let made = 0

/** A token as the profile describes it; `change` says what is different about this one. */
export function tokenOf(account: Pick<Account, 'name' | 'password'>, created: string, change: Partial<UsernameToken> = {}): UsernameToken {
  const nonce = change.nonce ?? Buffer.from(`nonce ${made++}`).toString('base64')
  const digest = createHash('sha1').update(Buffer.from(nonce, 'base64')).update(created).update(account.password).digest('base64')
  return { username: account.name, password: digest, passwordType: 'PasswordDigest', nonce, created, ...change }
}

export const nonceIn = (challenge: string | undefined): string => /nonce="([^"]+)"/.exec(challenge ?? '')?.[1] ?? assertNever()

function assertNever(): never {
  throw new Error('the challenge has no nonce')
}

export interface DigestAnswer {
  readonly user?: string
  readonly password?: string
  readonly nonce: string
  readonly nc?: string
  readonly cnonce?: string
  readonly uri?: string
  readonly method?: string
  readonly algorithm?: 'MD5' | 'SHA-256'
  readonly realm?: string
  readonly qop?: string
}

export const target = '/onvif/device_service'

/** RFC 7616 3.4.1, computed without the code under test. */
export function responseOf(answer: DigestAnswer): string {
  const { user = admin.name, password = admin.password, nonce, nc = '00000001', cnonce = 'c', uri = target, method = 'POST' } = answer
  const { algorithm = 'MD5', realm = 'onvifd', qop = 'auth' } = answer
  const hash = (text: string) =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex')
  return hash(`${hash(`${user}:${realm}:${password}`)}:${nonce}:${nc}:${cnonce}:${qop}:${hash(`${method}:${uri}`)}`)
}

/** An Authorization header as curl writes it. */
export function authorizationOf(answer: DigestAnswer): string {
  const {
    user = admin.name,
    nonce,
    nc = '00000001',
    cnonce = 'c',
    uri = target,
    algorithm = 'MD5',
    realm = 'onvifd',
    qop = 'auth',
  } = answer
  return `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", cnonce="${cnonce}", nc=${nc}, qop=${qop}, response="${responseOf(answer)}", algorithm=${algorithm}`
}
