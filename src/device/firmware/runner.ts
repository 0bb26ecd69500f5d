import { limits } from '../../limits.ts'
import { type Clock, ImageError, type Log, type Power, type SlotId, type Storage, type UpdateBackend } from '../../platform/platform.ts'
import { UploadRefusal } from '../upload.ts'
import { failureEvent, isDiskFull } from './failures.ts'
import type { Health } from './health.ts'
import { type Effect, next, type Outcome, transactionOf, type UpgradeEvent, type UpgradeState, versionOf } from './machine.ts'
import { createReserve } from './reserve.ts'
import { createSavedFile } from './savedFile.ts'
import { type HistoryEntry, historyFromSaved, historyToSave, stateFromSaved, stateToSave } from './savedState.ts'
import { sweepProbe } from './storageCheck.ts'
import { startOf } from './transaction.ts'

export interface RunnerParts {
  readonly backend: UpdateBackend
  readonly clock: Clock
  readonly storage: Storage
  readonly power: Power
  readonly log: Log
  /** Where the journal and the history of upgrades are kept. */
  readonly folder: string
  /** Judges an image that runs for the first time. */
  readonly health: Health
  /** The settings of the device as they are now, for the case that this slot runs again. */
  readonly settings: { keep(slot: string, transaction: string): Promise<void>; drop(): Promise<void> }
  /** The slot that runs. */
  readonly running: SlotId
  /** What the firmware subject does with an upload; throws what went wrong with it. Undefined: it is of no interest any more. */
  readonly install: (transaction: string) => Promise<UpgradeEvent | undefined>
  /** Told of every failure before the machine is. */
  readonly failed: (error: unknown) => void
  /** Told that the upload URI is worth nothing any more. */
  readonly expired: () => Promise<void>
  /** Told of every state, and of what has become known in it. */
  readonly entered: () => void
}

/**
 * Drives the machine: saves each state before the effect of it begins, performs the effect, and takes what comes of it as the
 * next event. The saved state is only what was intended; what a start finds in the slots counts more.
 */
export async function createRunner(parts: RunnerParts) {
  const { backend, clock, storage, power, log, folder, health, settings, running, install, failed, expired, entered } = parts
  const journal = createSavedFile(storage, folder, 'journal.json', limits.journalBytesMax)
  const chronicle = createSavedFile(storage, folder, 'history.json', limits.historyBytesMax)
  const reserve = createReserve(storage, folder)
  await sweepProbe(storage, folder).catch(error => log.warn({ error }, 'the probe of a self-check could not be removed'))
  let state = stateFromSaved(await journal.load())
  let saved = JSON.stringify(stateToSave(state))
  let history = historyFromSaved(await chronicle.load())
  let enteredMs = clock.monotonicMs()
  /** The write of the boot record that is under way. */
  let turning: Promise<unknown> = Promise.resolve()
  /** Runs when the present state has lasted too long. */
  let cancelDeadline = () => {}

  /** Takes an event through the machine, with all that follows from it. An event without a meaning in the state is dropped. */
  async function run(first: UpgradeEvent): Promise<void> {
    let event: UpgradeEvent | undefined = first
    while (event) {
      const step = next(state, event)
      if (step === undefined) return log.debug({ state: state.name, event: event.name }, 'the event has no meaning in this state')
      enter(step.state)
      if (step.outcome) await remember(step.outcome)
      entered()
      event = (await save()) ?? (step.effect && (await attend(perform(step.effect), step.effect)))
    }
  }

  /** What changes the boot record is waited for when the device goes down. */
  function attend<T>(work: Promise<T>, effect: Effect): Promise<T> {
    if (effect === 'activate' || effect === 'confirm' || effect === 'reject' || effect === 'discard') turning = work
    return work
  }

  function enter(to: UpgradeState): void {
    if (to.name !== state.name) {
      log.info({ state: to.name, transaction: transactionOf(to), version: versionOf(to) }, 'firmware upgrade')
      enteredMs = clock.monotonicMs()
    }
    state = to
    cancelDeadline()
    if (state.name === 'Armed') cancelDeadline = clock.after(limits.ticketLifetimeMs, () => later({ name: 'TicketExpired' }))
    if (state.name === 'Rebooting' || state.name === 'Rollback')
      cancelDeadline = clock.after(limits.rebootDeadlineMs, () => later({ name: 'RebootDue' }))
  }

  function later(event: UpgradeEvent): void {
    const ready = event.name === 'TicketExpired' ? expired() : Promise.resolve()
    ready.then(() => run(event)).catch(error => log.error({ error, event: event.name }, 'firmware upgrade: a step failed'))
  }

  /** For what a restart need not know. */
  function observe(event: UpgradeEvent): void {
    const step = next(state, event)
    if (step === undefined) return
    enter(step.state)
    if (step.outcome) remember(step.outcome).catch(error => log.error({ error }, 'firmware upgrade: a step failed'))
    entered()
  }

  /** Before the activation nothing may happen that a restart would not know of; after it, the boot record is what counts. */
  async function save(): Promise<UpgradeEvent | undefined> {
    const value = stateToSave(state)
    if (JSON.stringify(value) === saved) return undefined
    try {
      await reserve.spend(() => journal.save(value))
      saved = JSON.stringify(value)
      if (state.name === 'Idle') await prepare()
      return undefined
    } catch (error) {
      log.error({ error, state: state.name }, 'the journal of the upgrade could not be written')
      if (state.name === 'Transfer' && isDiskFull(error))
        return fail(new UploadRefusal(503, 'nospace', 'the disk is full: no upgrade can be begun', { cause: error }))
      return state.name === 'Transfer' || state.name === 'Installed' || state.name === 'Activating' ? fail(error) : undefined
    }
  }

  async function perform(effect: Effect): Promise<UpgradeEvent | undefined> {
    const transaction = transactionOf(state) ?? ''
    try {
      switch (effect) {
        case 'install':
          await prepare()
          return await install(transaction)
        case 'discard':
          await backend.discard()
          return { name: 'Discarded' }
        case 'activate':
          await settings.keep(running, transaction)
          if ('image' in state && state.image && 'slot' in state.image) await backend.activate(state.image.slot, transaction)
          return { name: 'Activated' }
        case 'confirm':
          await backend.confirm(transaction)
          await settings.drop().catch(error => log.warn({ error }, 'the kept settings could not be removed'))
          return { name: 'Confirmed' }
        case 'reject':
          await backend.reject(transaction)
          return { name: 'Rejected' }
        case 'selfCheck':
          return await judge()
        case 'reboot':
          await power.reboot('firmware upgrade')
          return undefined
      }
    } catch (error) {
      const level = error instanceof ImageError || error instanceof UploadRefusal ? 'info' : 'error'
      log[level]({ error, effect, transaction }, 'a step of the firmware upgrade did not succeed')
      if (effect === 'discard' && (await isStillNext())) return discardLater()
      // A reboot that cannot be ordered is ordered again at its deadline.
      return effect === 'reboot' ? undefined : fail(error)
    }
  }

  /** Whether the boot record leads into an image that is given up; or may, where it cannot be read and the image is complete. */
  async function isStillNext(): Promise<boolean> {
    try {
      return (await backend.slots()).some(slot => slot.next && !slot.running && !slot.confirmed)
    } catch {
      return 'image' in state && state.image !== undefined && 'slot' in state.image
    }
  }

  /** Who sent the image is told that the old one goes on. So no other upgrade begins before that is true. */
  function discardLater(): undefined {
    cancelDeadline()
    cancelDeadline = clock.after(limits.discardRetryMs, () => later({ name: 'DiscardDue' }))
  }

  /** A device without room for it upgrades all the same, as long as its journal can be written. */
  async function prepare(): Promise<void> {
    const isThere = await reserve.prepare().catch(error => log.warn({ error }, 'no space could be kept for the journal'))
    if (isThere === false) log.warn({}, 'the disk is full: no space is kept for the journal')
  }

  function fail(error: unknown): UpgradeEvent {
    failed(error)
    return failureEvent(error)
  }

  /** Undefined where the device goes down meanwhile: that says nothing about the image, and the next start asks again. */
  async function judge(): Promise<UpgradeEvent | undefined> {
    const verdict = await health.judge()
    if (verdict === undefined) return undefined
    if (verdict.failure === undefined) return { name: 'SelfCheckPassed' }
    log.error({ ...verdict.failure, transaction: transactionOf(state) }, 'the new image is given up')
    return { name: 'SelfCheckFailed', failure: verdict.failure }
  }

  /** The history never holds up an upgrade. An upgrade that ends once more after a power cut stands in it once. */
  async function remember(outcome: Outcome): Promise<void> {
    const now = clock.now()
    const seconds = Math.max(0, Math.round((now.getTime() - startOf(outcome.transaction).getTime()) / 1000))
    const entry: HistoryEntry = { ...outcome, at: now.toISOString(), seconds }
    history = [...history.filter(({ transaction }) => transaction !== outcome.transaction), entry].slice(-limits.upgradeHistoryMax)
    if (outcome.failure) log.warn({ ...entry }, 'the firmware upgrade failed')
    else log.info({ ...entry }, 'the firmware upgrade succeeded')
    await chronicle.save(historyToSave(history)).catch(error => log.warn({ error }, 'the history of upgrades could not be written'))
  }

  return {
    run,
    observe,
    state: (): UpgradeState => state,
    history: (): readonly HistoryEntry[] => history,
    /** How long the present state has lasted. */
    spentMs: (): number => clock.monotonicMs() - enteredMs,

    /** When it returns, no write of the boot record is under way, or it takes too long to be waited for. */
    async settled(): Promise<void> {
      const { promise: enough, resolve } = Promise.withResolvers<void>()
      const cancel = clock.after(limits.activationWaitMs, resolve)
      await Promise.race([turning, enough])
      cancel()
    },

    /** Calls off the deadlines. */
    close: (): void => cancelDeadline(),
  }
}
