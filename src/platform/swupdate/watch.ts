import { limits } from '../../limits.ts'
import { BackendError, type Clock } from '../platform.ts'

/** Bounds work that another program does: a stalled one waits for ever, and so would we. */
export interface Watch {
  /** The other side lives. */
  sign(): void
  /** From here on everything is up to the engine, and has to be over in time. */
  allSent(): void
  /** The work, or why it is over before: the signal, or `timeout`. */
  until<T>(work: Promise<T>): Promise<T>
  end(): void
}

export function createWatch(clock: Clock, signal: AbortSignal): Watch {
  const { promise: over, reject } = Promise.withResolvers<never>()
  over.catch(() => {})
  const interrupt = () => reject(signal.reason)
  signal.addEventListener('abort', interrupt, { once: true })
  if (signal.aborted) interrupt()

  const late = (ms: number, what: string) => clock.after(ms, () => reject(new BackendError('timeout', what)))
  const silent = () => late(limits.engineSilentTimeoutMs, 'nothing has happened for too long')
  let callOffSilence = silent()
  let callOffTotal = () => {}
  let ended = false
  return {
    sign() {
      if (ended) return
      callOffSilence()
      callOffSilence = silent()
    },
    allSent() {
      callOffTotal = late(limits.engineTotalTimeoutMs, 'SWUpdate did not come to an end')
    },
    until: work => Promise.race([work, over]),
    end() {
      ended = true
      callOffSilence()
      callOffTotal()
      signal.removeEventListener('abort', interrupt)
    },
  }
}

export const pause = (clock: Clock, ms: number): Promise<void> => new Promise(resolve => clock.after(ms, resolve))
