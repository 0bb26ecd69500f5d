import type { Document, Store } from '../../src/device/store.ts'
import type { Clock } from '../../src/platform/platform.ts'
import { clockDocument, parseClockOffset } from '../../src/platform/virtual/clock.ts'

interface Timer {
  readonly atMs: number
  readonly act: () => void
}

/** The machine's own clocks. They go on while the device is down; nothing moves them but the schedule. */
export class Time {
  /** What the battery-backed clock shows. */
  utcMs = Date.UTC(2027, 5, 1, 12)
  monotonicMs = 0
  #timers: Timer[] = []

  after(delayMs: number, act: () => void): () => void {
    const timer = { atMs: this.monotonicMs + delayMs, act }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer)
    }
  }

  /** What the battery-backed clock would show if nobody had ever touched it. */
  get trueMs(): number {
    return Date.UTC(2027, 5, 1, 12) + this.monotonicMs
  }

  pending(): number {
    return this.#timers.length
  }

  /** The process is gone, and its timers with it. */
  forget(): void {
    this.#timers = []
  }

  /** Lets time pass, and runs what is due on the way, each to its end. */
  async pass(ms: number): Promise<void> {
    const end = this.monotonicMs + ms
    while (await this.next(end));
    this.#moveTo(end)
  }

  /** On to the next timer, if it is due before `end`. */
  async next(endMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const [due] = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((one, other) => one.atMs - other.atMs)
    if (due === undefined) return false
    this.#timers = this.#timers.filter(other => other !== due)
    this.#moveTo(Math.max(due.atMs, this.monotonicMs))
    due.act()
    await turns()
    return true
  }

  #moveTo(ms: number): void {
    this.utcMs += ms - this.monotonicMs
    this.monotonicMs = ms
  }
}

/** As many as the longest chain of promises that needs no time; nothing in a simulated device waits for anything else. */
export async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

/** The clock of one start: like that of the virtual platform, an offset that the store keeps, over the clock of the machine. */
export function clockOf(time: Time): Clock & { keepIn(store: Store): void } {
  let offset: Document<number> | undefined
  const set = async (utcMs: number) => {
    if (offset === undefined) throw new Error('the clock is set before it can keep its time')
    offset.set(utcMs - time.utcMs)
  }
  return {
    keepIn(store) {
      offset = store.document<number>(clockDocument, parseClockOffset, () => 0)
    },
    now: () => new Date(time.utcMs + (offset?.get() ?? 0)),
    monotonicMs: () => time.monotonicMs,
    set: utc => set(utc.getTime()),
    synchronize: () => set(time.utcMs),
    after: (delayMs, act) => time.after(delayMs, act),
  }
}
