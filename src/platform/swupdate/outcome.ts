import { limits } from '../../limits.ts'
import { BackendError, type Clock, ImageError } from '../platform.ts'
import type { Control } from './control.ts'
import { pause } from './watch.ts'

export interface Outcome {
  readonly succeeded: boolean
  /** What the engine complained about meanwhile. */
  readonly complaints: readonly string[]
}

/**
 * Asks until the installation that has just been acknowledged is over: until the engine has been at work, is idle again, and
 * has no message left. Before it has been at work, its last result is that of an installation before this one.
 */
export async function awaitOutcome(control: Control, clock: Clock, sign: () => void, signal: AbortSignal): Promise<Outcome> {
  const complaints: string[] = []
  for (let begun = false; ; ) {
    const { state, last, text } = await control.status(signal)
    begun ||= state !== 'IDLE'
    if (text !== '') {
      sign()
      if (state === 'FAILURE' && complaints.length < limits.engineComplaintsMax) complaints.push(text)
    } else if (begun && state === 'IDLE') {
      return { succeeded: last === 'SUCCESS', complaints }
    } else {
      await pause(clock, limits.enginePollMs)
      signal.throwIfAborted()
    }
  }
}

/** Waits until the engine is idle, or has gone, or has had enough time for either. */
export async function awaitIdle(control: Control, clock: Clock): Promise<void> {
  const patience = new AbortController()
  const callOff = clock.after(limits.engineStopTimeoutMs, () => patience.abort())
  try {
    for (;;) {
      const { state, text } = await control.status(patience.signal)
      if (state === 'IDLE' && text === '') return
      if (text === '') await pause(clock, limits.enginePollMs)
    }
  } catch {
    // Where nothing answers, nothing is under way that could be waited for.
  } finally {
    callOff()
  }
}

/** What SWUpdate 2022.12 says when it refuses; the head and the payloads have been found good before, with the same rules. */
const meanings: readonly (readonly [pattern: RegExp, error: (text: string) => Error])[] = [
  [/No space left on device/, text => new BackendError('nospace', text)],
  [/Authentication of all signatures failed|signature|Checksum WRONG|common name/i, text => new ImageError('signature', text)],
  [/not compatible with hardware|HW compatibility/i, text => new ImageError('compatible', text)],
  [/No downgrading allowed|No reinstalling allowed|Max version set/, text => new ImageError('version', text)],
  [/CPIO|Compatible SW not found|parsing|sw-description/i, text => new ImageError('format', text)],
]

/** The first complaint that says something counts: those behind it are its consequences. */
export function failureOf({ complaints }: Outcome): Error {
  for (const complaint of complaints) {
    const meaning = meanings.find(([pattern]) => pattern.test(complaint))
    if (meaning) return meaning[1](`SWUpdate: ${complaint}`)
  }
  return new BackendError('io', `SWUpdate failed${complaints[0] === undefined ? '' : `: ${complaints[0]}`}`)
}
