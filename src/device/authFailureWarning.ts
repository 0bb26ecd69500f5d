import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Clock, Log } from '../platform/platform.ts'
import type { Store } from './store.ts'

export interface AuthFailureSettings {
  readonly enabled: boolean
  readonly monitorPeriodSeconds: number
  /** How many failures are no reason for a warning yet. */
  readonly maxAuthFailures: number
}

interface Parts {
  readonly store: Store
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
  /** Told with every warning where the latest failure came from. */
  readonly warned?: (remoteAddress: string) => void
}

export type AuthFailureWarning = ReturnType<typeof createAuthFailureWarning>

const ranges = {
  monitorPeriodSeconds: { min: 1, max: limits.authFailurePeriodSecondsMax },
  maxAuthFailures: { min: 1, max: limits.authFailuresMax },
} as const

const factory: AuthFailureSettings = { enabled: true, monitorPeriodSeconds: 60, maxAuthFailures: 10 }

/**
 * Says once that somebody is guessing (Core 8.5.6 to 8.5.8): when more than `maxAuthFailures` log-ins have failed within the period,
 * which begins with the first failure. The next warning comes in the next period at the earliest. All sources are counted together,
 * because a guesser has as many addresses as he likes. What was counted is forgotten with the process.
 */
export function createAuthFailureWarning({ store, clock, log, warned = () => {} }: Parts) {
  const settings = store.document<AuthFailureSettings>('authFailureWarning', parseSettings, () => factory)
  let period: { readonly startMs: number; failures: number } | undefined

  return {
    ranges,
    get: (): AuthFailureSettings => settings.get(),

    /** Counting begins anew. Throws InvalidArgVal. */
    set(wanted: AuthFailureSettings): void {
      const { enabled, monitorPeriodSeconds, maxAuthFailures } = wanted
      assertWithin('monitorPeriodSeconds', monitorPeriodSeconds)
      assertWithin('maxAuthFailures', maxAuthFailures)
      settings.set({ enabled, monitorPeriodSeconds, maxAuthFailures })
      period = undefined
    },

    /** A password was wrong, or a user unknown. */
    failed(remoteAddress: string): void {
      const { enabled, monitorPeriodSeconds, maxAuthFailures } = settings.get()
      if (!enabled) return
      const nowMs = clock.monotonicMs()
      if (!period || nowMs - period.startMs > monitorPeriodSeconds * 1000) period = { startMs: nowMs, failures: 0 }
      period.failures++
      if (period.failures !== maxAuthFailures + 1) return
      log.warn({ failures: period.failures, monitorPeriodSeconds, latestFrom: remoteAddress }, 'log-ins fail again and again')
      warned(remoteAddress)
    },
  }
}

function assertWithin(what: keyof typeof ranges, value: number): void {
  const { min, max } = ranges[what]
  if (!isWithin(what, value)) throw fault('InvalidArgVal', `${what} goes from ${min} to ${max}`)
}

const isWithin = (what: keyof typeof ranges, value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= ranges[what].min && value <= ranges[what].max

function parseSettings(stored: unknown): AuthFailureSettings {
  const problem = new Error('no settings of the authentication failure warning')
  if (typeof stored !== 'object' || stored === null) throw problem
  const { enabled, monitorPeriodSeconds, maxAuthFailures }: { readonly [K in keyof AuthFailureSettings]?: unknown } = stored
  if (typeof enabled !== 'boolean' || !isWithin('monitorPeriodSeconds', monitorPeriodSeconds)) throw problem
  if (!isWithin('maxAuthFailures', maxAuthFailures)) throw problem
  return { enabled, monitorPeriodSeconds, maxAuthFailures }
}
