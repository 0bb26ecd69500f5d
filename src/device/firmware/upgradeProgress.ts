import { limits } from '../../limits.ts'
import type { Clock } from '../../platform/platform.ts'
import type { Failure, UpgradeOperation, UpgradeState } from './machine.ts'
import type { HistoryEntry } from './savedState.ts'

/** What has come of an image. */
export interface Arrival {
  readonly receivedBytes: number
  /** Of the whole image, where the client said it. */
  readonly expectedBytes: number | undefined
  /** 0 to 100, where the engine says how far its installation is. */
  readonly percent: number | undefined
}

/** An upgrade as those see it who wait for its end. */
export interface UpgradeProgress {
  readonly transaction: string
  readonly operation: UpgradeOperation | undefined
  /** `Succeeded` and `Failed` are its ends. */
  readonly state: Exclude<UpgradeState['name'], 'Idle' | 'Recovery'> | 'Succeeded'
  /** From 0 to 1, which is the end, a good one or a bad one. */
  readonly progress: number
  /** Of the image, once it is known. */
  readonly version: string | undefined
  readonly failure: Failure | undefined
  /** How much of the image has arrived; undefined where no upload belongs to the state. */
  readonly uploadPercent: number | undefined
}

/** Where each state begins. How long each of them takes depends on image, engine and machine: it is an estimate for a person. */
const begins: Readonly<Record<UpgradeProgress['state'], number>> = {
  Armed: 0,
  Transfer: 0,
  Check: 0.5,
  Installed: 0.8,
  Activating: 0.8,
  Rebooting: 0.85,
  Trial: 0.9,
  Commit: 0.95,
  Aborting: 0.95,
  Rollback: 0.95,
  Failed: 1,
  Succeeded: 1,
}

/** The upgrade that is under way, or the last one. An upload URI alone, to which nothing has come, is none yet. */
export function upgradeProgress(
  state: UpgradeState,
  arrival: Arrival | undefined,
  last: HistoryEntry | undefined,
): UpgradeProgress | undefined {
  if (state.name === 'Idle' || state.name === 'Recovery' || (state.name === 'Armed' && !state.broken)) return last && ended(last)
  const { name, upgrade } = state
  const { image, failure }: { image?: { version: string | undefined } | undefined; failure?: Failure } =
    state.name === 'Armed' ? { image: state.broken?.image } : state
  return {
    transaction: upgrade.transaction,
    operation: upgrade.operation,
    state: name,
    progress: hundredths(progressIn(name, arrival)),
    version: image?.version,
    failure,
    uploadPercent: uploadPercent(name, arrival),
  }
}

function ended({ transaction, operation, to, failure }: HistoryEntry): UpgradeProgress {
  const state = failure ? 'Failed' : 'Succeeded'
  return { transaction, operation, state, progress: begins[state], version: to, failure, uploadPercent: undefined }
}

function progressIn(name: UpgradeProgress['state'], arrival: Arrival | undefined): number {
  if (name === 'Armed' || name === 'Transfer') return begins.Check * received(arrival)
  if (name === 'Check') return begins.Check + ((begins.Installed - begins.Check) * (arrival?.percent ?? 0)) / 100
  return begins[name]
}

/** A share of 1; nothing where the client has not said how much will come. */
const received = (
  { receivedBytes, expectedBytes }: Arrival = { receivedBytes: 0, expectedBytes: undefined, percent: undefined },
): number => (expectedBytes ? Math.min(1, receivedBytes / expectedBytes) : 0)

/** 100 is said of a complete image only. */
function uploadPercent(name: UpgradeProgress['state'], arrival: Arrival | undefined): number | undefined {
  switch (name) {
    case 'Armed':
    case 'Transfer':
      return Math.min(99, Math.floor(100 * received(arrival)))
    case 'Check':
    case 'Installed':
    case 'Activating':
    case 'Rebooting':
      return 100
    default:
      return undefined
  }
}

const hundredths = (value: number): number => Math.floor(value * 100) / 100

/** Passes on every state at once, and what happens within a state at most once in `limits.progressTellingMs`; of that, the last is never lost. */
export function createTelling(clock: Clock, tell: () => void) {
  let toldMs = Number.NEGATIVE_INFINITY
  let cancel: (() => void) | undefined

  function tellNow(): void {
    cancel?.()
    cancel = undefined
    toldMs = clock.monotonicMs()
    tell()
  }

  return {
    entered: tellNow,

    progressed(): void {
      if (cancel) return
      const waitMs = toldMs + limits.progressTellingMs - clock.monotonicMs()
      if (waitMs > 0) cancel = clock.after(waitMs, tellNow)
      else tellNow()
    },

    close(): void {
      cancel?.()
      cancel = undefined
    },
  }
}
