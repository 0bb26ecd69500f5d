import { hash } from 'node:crypto'
import { limits } from '../limits.ts'
import type { Clock } from '../platform/platform.ts'

/** Where the tokens that were accepted outlive the process: records in two generations, of which the older one goes as a whole. */
export interface ReplayJournal {
  /** What is there at the start: records of `recordBytes`, one after the other. */
  readonly previous: Uint8Array
  readonly current: Uint8Array
  /** False where records may be missing, because the machine lost its power. */
  readonly complete: boolean
  /** Adds a record to the current generation. The end of the process cannot undo it once this returns. */
  append(record: Uint8Array): void
  /** Drops the previous generation; the current one becomes the previous one. */
  rotate(): void
}

export interface TokenMemory {
  /**
   * `new`: never seen, and remembered from now on. `lost`: it may have been seen before the machine lost its power.
   * `full`: there is no room to remember it. Throws what the journal throws.
   */
  remember(user: string, digest: Uint8Array, createdMs: number): 'new' | 'known' | 'lost' | 'full'
}

/** Created in milliseconds as a float (8), key (16). */
export const recordBytes = 24
const keyBytes = 16

/**
 * The verified tokens of the window (WSS UsernameToken Profile 1.1.1, 3.1). The key is user and digest: the digest is over the
 * decoded nonce and the text of Created, so that it tells two of one user's tokens apart if either differs, and shifting
 * bytes from one to the other makes no second key.
 *
 * What is dropped lies outside of the window. A clock that is set back later by more than the window brings it back in; only an
 * Administrator sets the clock.
 */
export function createTokenMemory(clock: Clock, journal: ReplayJournal): TokenMemory {
  const startedMs = clock.now().getTime()
  let previous = readRecords(journal.previous, startedMs)
  let current = readRecords(journal.current, startedMs)
  let rotateAtMs = clock.monotonicMs()

  function isAnyInWindow(records: ReadonlyMap<string, number>): boolean {
    const nowMs = clock.now().getTime()
    for (const createdMs of records.values()) if (Math.abs(nowMs - createdMs) <= limits.tokenWindowMs) return true
    return false
  }

  /** By the monotonic clock, so that the other one can jump; and never while a token of the older generation would be taken again. */
  function rotateIfDue(): void {
    const nowMs = clock.monotonicMs()
    if (nowMs < rotateAtMs) return
    if (isAnyInWindow(previous)) {
      rotateAtMs = nowMs + limits.tokenWindowMs / 10
      return
    }
    rotateAtMs = nowMs + limits.tokenWindowMs
    if (previous.size === 0 && current.size === 0) return
    journal.rotate()
    previous = current
    current = new Map()
  }

  return {
    remember(user, digest, createdMs) {
      rotateIfDue()
      if (!journal.complete && createdMs < startedMs) return 'lost'
      const key = hash('sha256', Buffer.concat([Buffer.from(`${user}\0`), digest]), 'buffer').subarray(0, keyBytes)
      const name = key.toString('latin1')
      if (current.has(name) || previous.has(name)) return 'known'
      if (current.size + previous.size >= limits.tokensRememberedMax) return 'full'
      const record = Buffer.alloc(recordBytes)
      record.writeDoubleBE(createdMs)
      key.copy(record, recordBytes - keyBytes)
      // First the journal: if it fails, the token was not accepted.
      journal.append(record)
      current.set(name, createdMs)
      return 'new'
    },
  }
}

/** Created by key, without those that the window refuses anyway. */
function readRecords(bytes: Uint8Array, nowMs: number): Map<string, number> {
  const records = new Map<string, number>()
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = 0; start + recordBytes <= buffer.length; start += recordBytes) {
    const createdMs = buffer.readDoubleBE(start)
    if (createdMs + limits.tokenWindowMs >= nowMs)
      records.set(buffer.toString('latin1', start + recordBytes - keyBytes, start + recordBytes), createdMs)
  }
  return records
}
