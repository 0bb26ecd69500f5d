import type { Document, Store } from '../../device/store.ts'
import { limits } from '../../limits.ts'
import type { Clock } from '../platform.ts'

/** The document with the offset. It is no setting: time does not go back with the settings. */
export const clockDocument = 'machine/clock'

/**
 * The clock of the host with an offset, which outlives a restart as a buffered real-time clock does. As long as it has no store to
 * keep the offset in, it shows the time of the host and cannot be set.
 */
export function createClock(store?: Store): Clock & { keepIn(store: Store): void } {
  let offset = store && offsetIn(store)

  function setOffset(ms: number): void {
    if (offset === undefined) throw new Error('the clock is set before it can keep its time')
    offset.set(ms)
  }

  return {
    keepIn(opened) {
      offset = offsetIn(opened)
    },
    now: () => new Date(Date.now() + (offset?.get() ?? 0)),
    monotonicMs: () => performance.now(),
    async set(utc) {
      setOffset(utc.getTime() - Date.now())
    },
    // The virtual network has no time servers; the clock of the host, which most likely follows some, stands for them.
    async synchronize() {
      setOffset(0)
    },
    after,
  }
}

const offsetIn = (store: Store): Document<number> => store.document<number>(clockDocument, parseClockOffset, () => 0)

/** A timer never keeps the process alive, and one longer than Node's longest is made of several. */
function after(delayMs: number, act: () => void): () => void {
  let cancel: () => void
  const piece = Math.min(delayMs, limits.timerMsMax)
  const timer = setTimeout(() => {
    if (piece === delayMs) act()
    else cancel = after(delayMs - piece, act)
  }, piece).unref()
  cancel = () => clearTimeout(timer)
  return () => cancel()
}

export function parseClockOffset(stored: unknown): number {
  if (typeof stored === 'number' && Number.isFinite(stored)) return stored
  throw new Error('no clock offset')
}
