import { hash } from 'node:crypto'
import { limits } from '../limits.ts'
import type { Clock } from '../platform/platform.ts'

export interface Guessing {
  /** Milliseconds that an attempt from this address has to wait before anybody looks at it; undefined: too many wait already. */
  waitFor(address: string): number | undefined
  failed(address: string, user: string): void
  succeeded(address: string, user: string): void
}

interface Source {
  /** Whose password was guessed wrong, latest last. Hashed, because a name may be as long as the request that it keeps in memory. */
  readonly users: string[]
  latestMs: number
  /** When the next attempt gets its turn. */
  turnMs: number
}

/**
 * Slows down guessing by the address it comes from, and never by the account, which would let anybody lock its owner out. A
 * success takes back what was counted for that user alone: whoever has one password cannot buy free guesses at another with it.
 *
 * Written here, because the limiters at hand count by the host's clock, start a timer for each address and bound no table.
 */
export function createGuessing(clock: Pick<Clock, 'monotonicMs'>): Guessing {
  const sources = new Map<string, Source>()

  /** Undefined where nothing has to be remembered, which is nearly always. */
  function sourceAt(address: string): Source | undefined {
    if (sources.size === 0) return undefined
    const key = networkOf(address)
    const source = sources.get(key)
    if (!source || clock.monotonicMs() - source.latestMs <= limits.guessMemoryMs) return source
    sources.delete(key)
    return undefined
  }

  return {
    waitFor(address) {
      const source = sourceAt(address)
      const pauseMs = pauseAfter(source?.users.length ?? 0)
      if (!source || pauseMs === 0) return 0
      const nowMs = clock.monotonicMs()
      const turnMs = Math.max(nowMs, source.turnMs)
      if (turnMs - nowMs > limits.guessPauseMaxMs) return undefined
      source.turnMs = turnMs + pauseMs
      return turnMs - nowMs
    },

    failed(address, user) {
      const nowMs = clock.monotonicMs()
      const key = networkOf(address)
      const source = sourceAt(address) ?? { users: [], latestMs: nowMs, turnMs: 0 }
      source.users.push(hash('sha1', user))
      if (source.users.length > limits.guessesCountedMax) source.users.shift()
      source.latestMs = nowMs
      source.turnMs = Math.max(source.turnMs, nowMs + pauseAfter(source.users.length))
      // Set anew, so that the map stays in the order of the latest failure.
      sources.delete(key)
      sources.set(key, source)
      if (sources.size <= limits.guessSourcesMax) return
      for (const quietest of sources.keys()) {
        sources.delete(quietest)
        break
      }
    },

    succeeded(address, user) {
      const source = sourceAt(address)
      if (!source) return
      const hashed = hash('sha1', user)
      const others = source.users.filter(other => other !== hashed)
      if (others.length === 0) sources.delete(networkOf(address))
      else source.users.splice(0, source.users.length, ...others)
    },
  }
}

function pauseAfter(failures: number): number {
  if (failures < limits.guessesFree) return 0
  return Math.min(limits.guessPauseMaxMs, limits.guessPauseMinMs * 2 ** (failures - limits.guessesFree))
}

/** An IPv4 address as it is; of an IPv6 address the first 64 bits, because a single host has all of the rest to choose from. */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1]
  if (mapped !== undefined) return mapped
  if (!plain.includes(':')) return plain.slice(0, 64)
  const [head = '', tail] = plain.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return groups
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')
}
