import type { Clock } from '../platform/platform.ts'
import type { Store } from './store.ts'

/** The document that it is kept in. It is no setting: what has happened does not unhappen with the settings. */
export const operatingTimesDocument = 'machine/operatingTimes'

const kinds = ['lastReset', 'lastClockSynchronization', 'lastBackup'] as const

type Kind = (typeof kinds)[number]

/** Milliseconds since 1970; absent as long as it has never happened. */
type Kept = Readonly<Partial<Record<Kind, number>>>

interface Parts {
  readonly store: Store
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>
  /** Told of every note. It may be part of a transaction that fails. */
  readonly changed?: () => void
}

export type OperatingTimes = ReturnType<typeof createOperatingTimes>

/**
 * When the device was last started, reset to what the factory set, told the time, and backed up (Core 8.9.4). Told the time means: by
 * a client, or by the order to follow the time servers. Whether these are right, and when the machine last asked them, the device
 * does not know.
 */
export function createOperatingTimes({ store, clock, changed = () => {} }: Parts) {
  const kept = store.document<Kept>(operatingTimesDocument, parseOperatingTimes, () => ({}))
  const startedMs = clock.monotonicMs()
  let lastReboot = clock.now()

  return {
    /** What has never happened was in 1970, as Core wants it. */
    get(): Readonly<Record<'lastReboot' | Kind, Date>> {
      const at = (kind: Kind) => new Date(kept.get()[kind] ?? 0)
      return {
        lastReboot,
        lastReset: at('lastReset'),
        lastClockSynchronization: at('lastClockSynchronization'),
        lastBackup: at('lastBackup'),
      }
    },

    /** It has happened now. */
    note(kind: Kind): void {
      const nowMs = clock.now().getTime()
      kept.set({ ...kept.get(), [kind]: nowMs })
      // A clock that was wrong at the start leaves no wrong time behind.
      if (kind === 'lastClockSynchronization') lastReboot = new Date(Math.round(nowMs - (clock.monotonicMs() - startedMs)))
      changed()
    },
  }
}

export function parseOperatingTimes(stored: unknown): Kept {
  if (typeof stored !== 'object' || stored === null) throw new Error('no operating times')
  const times: Readonly<Record<string, unknown>> = { ...stored }
  return Object.fromEntries(
    kinds.flatMap(kind => {
      const ms = times[kind]
      if (ms === undefined) return []
      if (typeof ms !== 'number' || Number.isNaN(new Date(ms).getTime())) throw new Error('no operating times')
      return [[kind, ms]]
    }),
  )
}
