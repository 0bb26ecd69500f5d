import type { Store } from '../../device/store.ts'
import { limits } from '../../limits.ts'
import type { Clock } from '../platform.ts'

/** The clock of the host with an offset, which outlives a restart as a buffered real-time clock does. */
export function createClock(store: Store): Clock {
  const offsetMs = store.document<number>('machine/clock', parseOffset, () => 0)
  return {
    now: () => new Date(Date.now() + offsetMs.get()),
    monotonicMs: () => performance.now(),
    async set(utc) {
      offsetMs.set(utc.getTime() - Date.now())
    },
    // The virtual network has no time servers; the clock of the host, which most likely follows some, stands for them.
    async synchronize() {
      offsetMs.set(0)
    },
    after,
  }
}

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

function parseOffset(stored: unknown): number {
  if (typeof stored === 'number' && Number.isFinite(stored)) return stored
  throw new Error('no clock offset')
}
