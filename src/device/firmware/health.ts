import { limits } from '../../limits.ts'
import type { Clock, Log } from '../../platform/platform.ts'
import { printable } from './failures.ts'
import type { Failure } from './machine.ts'

/** What a new image has to be able to do. */
export interface Check {
  /** In the log and in the reason of a rollback: `storage`, `own request`. */
  readonly name: string
  /** Longest that it may take; limits.healthCheckTimeoutMs where it does not say. */
  readonly timeoutMs?: number
  /** Rejects where the device is not well. It gives up when the signal is aborted; nobody waits for it then. */
  run(signal: AbortSignal): Promise<void>
}

interface Parts {
  readonly clock: Clock
  /** Done in this order. */
  readonly checks: readonly Check[]
  /** How long the image has to run before it is checked. */
  readonly settleMs: number
  /** How long it may take from `judge` to its confirmation. */
  readonly deadlineMs: number
  /** Who has to say yes: the checks, an administrator, or the checks and he. */
  readonly confirm: 'auto' | 'operator' | 'both'
  readonly log: Log
}

export interface Verdict {
  /** Undefined: the image is kept. */
  readonly failure: Failure | undefined
}

export type Health = ReturnType<typeof createHealth>

/** Whether a new image is kept. One run in which all checks pass is what it takes; there is one trial in the life of a process. */
export function createHealth({ clock, checks, settleMs, deadlineMs, confirm, log }: Parts) {
  const { promise: verdict, resolve } = Promise.withResolvers<Verdict | undefined>()
  const { promise: confirmed, resolve: sayYes } = Promise.withResolvers<void>()
  const over = new AbortController()
  const timers = new Set<() => void>()
  let beganMs: number | undefined
  let isConfirmed = false
  let waiting: (() => string) | undefined
  let lastFailure: Failure | undefined

  const isOn = (): boolean => beganMs !== undefined && !over.signal.aborted

  /** The first one counts. */
  function decide(found: Verdict | undefined): void {
    over.abort()
    for (const cancel of timers) cancel()
    waiting = undefined
    resolve(found)
  }

  const secondsUntil = (atMs: number): number => Math.max(0, Math.ceil((atMs - clock.monotonicMs()) / 1000))

  /** Does `act` after this time, unless the trial is over by then. */
  function inTrial(delayMs: number, act: () => void): () => void {
    const cancel = clock.after(delayMs, () => {
      timers.delete(cancel)
      act()
    })
    timers.add(cancel)
    return () => {
      timers.delete(cancel)
      cancel()
    }
  }

  function pause(delayMs: number): Promise<void> {
    const { promise, resolve: go } = Promise.withResolvers<void>()
    inTrial(delayMs, go)
    return promise
  }

  /** Undefined where all of them passed. */
  async function runChecks(): Promise<Failure | undefined> {
    for (const check of checks) {
      waiting = () => `check ${check.name}${lastFailure ? `; before, ${lastFailure.detail}` : ''}`
      try {
        await runCheck(check)
      } catch (error) {
        if (isOn()) log.warn({ error, check: check.name }, 'the new image is not well yet')
        const why = error instanceof Error ? error.message : 'no reason given'
        return { reason: 'selfCheck', detail: printable(`check ${check.name} failed: ${why}`) }
      }
    }
    return undefined
  }

  async function runCheck({ run, timeoutMs = limits.healthCheckTimeoutMs }: Check): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const ending = new AbortController()
    const cancel = inTrial(timeoutMs, () => reject(new Error(`no answer in ${timeoutMs / 1000} s`)))
    try {
      await Promise.race([run(AbortSignal.any([ending.signal, over.signal])), late])
    } finally {
      cancel()
      ending.abort()
    }
  }

  async function pass(settledMs: number): Promise<void> {
    waiting = () => `${secondsUntil(settledMs)} s until the checks`
    if (settleMs > 0) await pause(settleMs)
    for (;;) {
      lastFailure = await runChecks()
      if (lastFailure === undefined || !isOn()) return
      const { detail } = lastFailure
      waiting = () => `${detail}, trying again`
      await pause(limits.healthRetryMs)
    }
  }

  async function watch(startMs: number): Promise<void> {
    if (confirm !== 'operator') await pass(startMs + settleMs)
    if (confirm !== 'auto' && isOn()) {
      lastFailure = { reason: 'timeout', detail: 'nobody confirmed the new image in time' }
      waiting = () => `confirmation by an administrator, ${secondsUntil(startMs + deadlineMs)} s more`
      await confirmed
    }
    decide({ failure: undefined })
  }

  return {
    deadlineMs,

    /** Whether a verdict on a device that is well comes at once. */
    isQuick: confirm === 'auto' && settleMs === 0,

    /** Begins the trial. Undefined where the device goes down meanwhile: that says nothing about the image. Never rejects. */
    judge(): Promise<Verdict | undefined> {
      if (beganMs !== undefined || over.signal.aborted) return verdict
      beganMs = clock.monotonicMs()
      inTrial(deadlineMs, () => {
        const detail = `not well within ${deadlineMs / 1000} s: ${waiting?.() ?? 'no check has ended'}`
        decide({ failure: lastFailure ?? { reason: 'selfCheck', detail } })
      })
      watch(beganMs).catch(error => {
        log.error({ error }, 'the checks of the new image came to an end that nobody expected')
        decide({ failure: { reason: 'selfCheck', detail: 'the checks came to an unexpected end' } })
      })
      return verdict
    },

    /** An administrator says yes; it may come before the checks have passed. False where it is not his to say, or there is no trial. */
    confirm(): boolean {
      if (confirm === 'auto' || !isOn()) return false
      if (!isConfirmed) log.info({}, 'the new image is confirmed by an administrator')
      isConfirmed = true
      sayYes()
      return true
    },

    /** An administrator says no; without a trial this means nothing. */
    reject(reason: string): void {
      if (isOn()) decide({ failure: { reason: 'rejected', detail: reason } })
    },

    /** The device goes down. */
    end: (): void => decide(undefined),

    /** In words, for a person; undefined where there is no trial. */
    waitingFor: (): string | undefined => waiting?.(),
  }
}
