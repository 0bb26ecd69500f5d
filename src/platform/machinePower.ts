import type { Document, Store } from '../device/store.ts'
import { limits } from '../limits.ts'
import type { Log, Power } from './platform.ts'
import { orderReboot } from './rebootCommand.ts'

interface Parts {
  readonly store: Store
  readonly now: () => Date
  /** A program and its arguments, by blanks. */
  readonly command: string
  /** What a restart takes as long as none has been measured. */
  readonly bootTimeMs: number
  readonly log: Log
}

interface BootTimes {
  /** Milliseconds since 1970: a restart was ordered then, and has not been seen to end. */
  readonly orderedAt: number | undefined
  /** The last ones, the newest last. */
  readonly measuredMs: readonly number[]
}

/**
 * The power of the machine that this process runs on, by the command of its operator. The process itself goes on until the machine
 * ends it: a machine that does not restart still has a device that answers, and orders again.
 */
export function createMachinePower({ store, now, command, bootTimeMs, log }: Parts): Power & { answered(): void } {
  const document: Document<BootTimes> = store.document('machine/bootTimes', parse, () => ({ orderedAt: undefined, measuredMs: [] }))
  return {
    get bootTimeMs() {
      return Math.max(...document.get().measuredMs, document.get().measuredMs.length === 0 ? bootTimeMs : 0)
    },

    async reboot(reason) {
      log.info({ reason, command }, 'restarting the machine')
      document.set({ ...document.get(), orderedAt: now().getTime() })
      await orderReboot(command)
    },

    /** To be called when the device answers after a start. */
    answered() {
      const { orderedAt, measuredMs } = document.get()
      if (orderedAt === undefined) return
      const spentMs = now().getTime() - orderedAt
      const isPlausible = spentMs > 0 && spentMs <= limits.bootTimeMsMax
      document.set({ orderedAt: undefined, measuredMs: isPlausible ? [...measuredMs, spentMs].slice(-limits.bootTimesMax) : measuredMs })
    },
  }
}

function parse(stored: unknown): BootTimes {
  if (typeof stored !== 'object' || stored === null) throw new Error('no boot times')
  const { orderedAt, measuredMs }: { readonly orderedAt?: unknown; readonly measuredMs?: unknown } = stored
  if (orderedAt !== undefined && typeof orderedAt !== 'number') throw new Error('no time of an order')
  if (!Array.isArray(measuredMs) || measuredMs.length > limits.bootTimesMax) throw new Error('no list of boot times')
  return {
    orderedAt,
    measuredMs: measuredMs.map(ms => {
      if (typeof ms !== 'number' || !(ms > 0 && ms <= limits.bootTimeMsMax)) throw new Error('no boot time')
      return ms
    }),
  }
}
