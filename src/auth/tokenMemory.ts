import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { limits } from '../limits.ts'
import type { Clock } from '../platform/platform.ts'
import { isInSpans, readSpans, type Span, spansOf, writeSpans } from './spans.ts'

/** Where the tokens that were accepted outlive the process: records in two generations, of which the older one goes as a whole. */
export interface ReplayJournal {
  /** What is there at the start: records of `recordBytes`, one after the other. */
  readonly previous: Uint8Array
  readonly current: Uint8Array
  /** What was given to `keepForgotten` last; empty where nothing was. */
  readonly forgotten: Uint8Array
  /** False where records may be missing, because the machine lost its power or the disk took none. */
  readonly complete: boolean
  /** True where the disk took no mark either, of a token that was ahead of the clock. */
  readonly lacksMark: boolean
  /** Adds a record to the current generation. The end of the process cannot undo it once this returns. */
  append(record: Uint8Array): void
  /** What was appended survives a power cut once this returns. */
  sync(): void
  /** Makes sure that the next start finds the journal not complete, because a record, or a `mark`, could not be added. Needs no space. */
  admitGap(missing: 'record' | 'mark'): void
  /** It survives a power cut once this returns. A journal that is not complete stays that until it is called. */
  keepForgotten(spans: Uint8Array): void
  /** Drops the previous generation; the current one becomes the previous one. */
  rotate(): void
}

export interface TokenMemory {
  /**
   * `new`: never seen, and remembered from now on. `forgotten`: it may have been seen. `unwritten`: the journal takes nothing.
   * `full`: there is no room to remember it. Never throws.
   */
  remember(user: string, digest: Uint8Array, createdMs: number): 'new' | 'known' | 'forgotten' | 'unwritten' | 'full'
}

/** Created in milliseconds as a float (8), key (12), CRC-32 of both (4). */
export const recordBytes = 24
const checkedBytes = 20
const keyStart = 8
/** The key of a mark, and of no token: tokens that are ahead of the clock may be used behind it, up to its time. */
const markKey = Buffer.alloc(checkedBytes - keyStart)

/**
 * The verified tokens (WSS UsernameToken Profile 1.1.1, 3.1). The key is user and digest: the digest is over the
 * decoded nonce and the text of Created, so that it tells two of one user's tokens apart if either differs, and shifting
 * bytes from one to the other makes no second key.
 *
 * A clock that is set back brings tokens into the window again that left it long ago. So they are kept beyond it, as long as there
 * is room; of what is dropped the spans of time stay known in which it was made, and whoever comes with a Created in one of them has
 * to show in another way that he is here now. A clock that was wrong, and is set right to a time in which nobody logged in, is in none.
 */
export function createTokenMemory(clock: Clock, journal: ReplayJournal): TokenMemory {
  const startedMs = clock.now().getTime()
  const kept = [readRecords(journal.previous), readRecords(journal.current)] as const
  let [previous, current] = [kept[0].records, kept[1].records]
  const known = readSpans(journal.forgotten)
  let spans: readonly Span[] = known ?? [{ fromMs: 0, toMs: startedMs - 1 }]
  let mustWriteSpans = known === undefined
  if (!journal.complete || kept.some(({ isDamaged }) => isDamaged)) {
    const [lastMs, markMs] = [kept[1].lastMs ?? kept[0].lastMs, kept[1].markMs ?? kept[0].markMs]
    spans = spansOf([...spans, ...lostSpans({ lastMs, markMs, startedMs, lacksMark: journal.lacksMark })])
    mustWriteSpans = true
  }
  let lookAgainMs = 0
  const utcAhead = () => clock.now().getTime() - clock.monotonicMs()
  let aheadMs = utcAhead()
  /** What this life has marked and synced. */
  let markMs = 0

  function isAnyInWindow(records: ReadonlyMap<string, number>): boolean {
    const nowMs = clock.now().getTime()
    for (const createdMs of records.values()) if (Math.abs(nowMs - createdMs) <= limits.tokenWindowMs) return true
    return false
  }

  /** Never while a token of the older generation would be taken again. */
  function rotateIfDue(): void {
    if (current.size < limits.tokensKept && previous.size <= 2 * limits.tokensKept) return
    const nowMs = clock.monotonicMs()
    if (nowMs < lookAgainMs) return
    lookAgainMs = nowMs + limits.tokenWindowMs / 10
    if (isAnyInWindow(previous)) return
    const next = spansOf([...spans, ...Array.from(previous.values(), createdMs => ({ fromMs: createdMs, toMs: createdMs }))])
    if (previous.size > 0) journal.keepForgotten(writeSpans(next))
    // They hold from the moment on in which the disk may have them, whatever becomes of the rotation.
    spans = next
    // Or a power cut could take tokens from before a mark that survives.
    journal.sync()
    journal.rotate()
    previous = current
    current = new Map()
  }

  /**
   * What a power cut takes was then used after the last jump, and lies near to what it leaves. Where the clock goes back, what was used
   * before lies ahead of it, and no mark says so.
   */
  function syncAfterJump(): void {
    const jumpMs = utcAhead() - aheadMs
    if (jumpMs > limits.tokenWindowMs || jumpMs < -limits.tokenAheadMs) journal.sync()
    aheadMs += jumpMs
  }

  /**
   * Before a token is taken that is ahead of the clock: if a power cut takes its record, the next start, which may be before its Created,
   * still knows up to when it has to doubt. False where the disk takes neither that nor the admission of a gap.
   */
  function isMarked(createdMs: number): boolean {
    const nowMs = clock.now().getTime()
    if (createdMs <= nowMs + limits.tokenAheadMs) return true
    // One that is too far ahead is from before the clock was set back.
    if (createdMs <= markMs && markMs <= furthestMarkMs(nowMs)) return true
    const nextMs = createdMs + limits.tokenMarkStepMs
    try {
      journal.append(recordOf(nextMs, markKey))
      journal.sync()
      markMs = nextMs
      return true
    } catch {
      return admitsGap(journal, 'mark')
    }
  }

  function keepSpans(): void {
    if (mustWriteSpans) journal.keepForgotten(writeSpans(spans))
    mustWriteSpans = false
  }

  /** Work on the disk that can be done later, when it has room again. */
  function keepHouse(): void {
    try {
      keepSpans()
      syncAfterJump()
      rotateIfDue()
    } catch {
      // The next token tries it again; until then the memory is larger, and bounded all the same.
    }
  }

  function write(record: Uint8Array): boolean {
    try {
      journal.append(record)
      return true
    } catch {
      return admitsGap(journal, 'record')
    }
  }

  // At once, because this life may end before anybody logs in, and the next one would take its journal for complete.
  try {
    keepSpans()
  } catch {
    admitsGap(journal, 'record')
  }

  return {
    remember(user, digest, createdMs) {
      keepHouse()
      const key = hash('sha256', Buffer.concat([Buffer.from(`${user}\0`), digest]), 'buffer').subarray(0, checkedBytes - keyStart)
      const name = key.toString('latin1')
      if (current.has(name) || previous.has(name)) return 'known'
      if (isInSpans(spans, createdMs)) return 'forgotten'
      if (current.size + previous.size >= limits.tokensRememberedMax) return 'full'
      // First the journal: if it fails, the token was not accepted.
      if (!isMarked(createdMs) || !write(recordOf(createdMs, key))) return 'unwritten'
      current.set(name, createdMs)
      return 'new'
    },
  }
}

/** A full disk must not shut everybody out: the memory of this process holds the token, and the next start is told that it does not. */
function admitsGap(journal: ReplayJournal, missing: 'record' | 'mark'): boolean {
  try {
    journal.admitGap(missing)
    return true
  } catch {
    return false
  }
}

/** Of a token that is as far ahead as it may be. */
const furthestMarkMs = (nowMs: number): number => nowMs + limits.tokenWindowMs + limits.tokenMarkStepMs

function recordOf(createdMs: number, key: Uint8Array): Buffer {
  const record = Buffer.alloc(recordBytes)
  record.writeDoubleBE(createdMs)
  record.set(key, keyStart)
  record.writeUInt32BE(crc32(record.subarray(0, checkedBytes)), checkedBytes)
  return record
}

/** What an incomplete journal has: the Created of its last token, the time of its last mark, and the start that found it. */
interface Remains {
  readonly lastMs: number | undefined
  readonly markMs: number | undefined
  readonly startedMs: number
  readonly lacksMark: boolean
}

/**
 * When the tokens were made that a journal may lack. The kernel writes within half a minute, so they were used in the last one before
 * the power went: shortly before the start, and ahead of it as far as the last mark says, or as a token may be. Where the clock was set
 * with the power, or will be, they lie near to the last token, or the last mark, that is there.
 */
function lostSpans({ lastMs, markMs, startedMs, lacksMark }: Remains): readonly Span[] {
  const window = limits.tokenWindowMs
  const isAhead = markMs !== undefined && markMs >= startedMs && markMs <= furthestMarkMs(startedMs)
  const near = (ms: number | undefined) =>
    ms === undefined ? [] : [{ fromMs: ms - 2 * window, toMs: ms < startedMs ? Math.min(ms + 2 * window, startedMs - 1) : ms + 2 * window }]
  const toMs = lacksMark ? startedMs + window : isAhead ? markMs : startedMs - 1
  return [{ fromMs: startedMs - 2 * window, toMs }, ...near(lastMs), ...(isAhead ? [] : near(markMs))]
}

/** Created by key. The rest of a record that was cut off is no damage: that token was not accepted. */
function readRecords(bytes: Uint8Array) {
  const records = new Map<string, number>()
  let isDamaged = false
  let lastMs: number | undefined
  let markMs: number | undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = 0; start + recordBytes <= buffer.length; start += recordBytes) {
    const createdMs = buffer.readDoubleBE(start)
    if (crc32(buffer.subarray(start, start + checkedBytes)) === buffer.readUInt32BE(start + checkedBytes)) {
      const key = buffer.subarray(start + keyStart, start + checkedBytes)
      if (key.equals(markKey)) markMs = createdMs
      else {
        records.set(key.toString('latin1'), createdMs)
        lastMs = createdMs
      }
    } else isDamaged = true
  }
  return { records, isDamaged, lastMs, markMs }
}
