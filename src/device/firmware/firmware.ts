import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import {
  type Clock,
  ImageError,
  type Log,
  type Power,
  type RecordState,
  type SlotInfo,
  type Storage,
  type UpdateBackend,
} from '../../platform/platform.ts'
import { boundedBody, createTickets, type UploadReceipt, UploadRefusal, type UploadRequest, type UploadTarget } from '../upload.ts'
import { failureEvent, refusal } from './failures.ts'
import {
  type Effect,
  type Finding,
  type InstalledImage,
  next,
  type Outcome,
  type Upgrade,
  type UpgradeEvent,
  type UpgradeState,
} from './machine.ts'
import { createSavedFile } from './savedFile.ts'
import { type HistoryEntry, historyFromSaved, historyToSave, stateFromSaved, stateToSave } from './savedState.ts'
import { newTransaction } from './transaction.ts'

export interface FirmwareParts {
  readonly backend: UpdateBackend
  readonly clock: Clock
  readonly storage: Storage
  readonly power: Power
  readonly log: Log
  /** Where the journal and the history of upgrades are kept. */
  readonly folder: string
}

export interface FirmwareStatus {
  readonly state: UpgradeState['name']
  readonly transaction: string | undefined
  /** Of the image under way, once it is known. */
  readonly version: string | undefined
  readonly receivedBytes: number
}

/** What a person asks who looks after an upgrade: FirmwareStatus, and what the engine knows. */
export interface FirmwareReport extends FirmwareStatus {
  /** Of the whole image, where the client said it. */
  readonly expectedBytes: number | undefined
  /** 0 to 100, where the engine says it. */
  readonly percent: number | undefined
  /** What the device waits for, in words. */
  readonly waitingFor: string | undefined
  readonly engine: UpdateBackend['name']
  readonly record: RecordState
  readonly slots: readonly SlotInfo[]
  /** How the last upgrade ended. */
  readonly last: HistoryEntry | undefined
}

/** What an administrator can tell an upgrade. */
export type FirmwareOrder = 'activate' | 'confirm' | 'rollback' | 'abort'

/** An upload that is being received. */
interface Upload {
  readonly request: UploadRequest
  readonly body: AsyncIterable<Uint8Array>
  readonly abort: AbortController
  readonly done: Promise<void>
  receivedBytes: number
  /** What went wrong, for the answer. */
  error?: unknown
}

export type Firmware = Awaited<ReturnType<typeof createFirmware>>

/**
 * One upgrade at a time, from the upload URI to the confirmation of the new image (Core 8.3.9). What is intended is saved before
 * it is done; what a start finds in the slots counts more. Between its making and `resume` nothing can be started.
 */
export async function createFirmware({ backend, clock, storage, power, log, folder }: FirmwareParts) {
  const journal = createSavedFile(storage, folder, 'journal.json')
  const chronicle = createSavedFile(storage, folder, 'history.json')
  const tickets = createTickets(clock)
  const uploadBytesMax = backend.imageBytesMax

  const running = runningOf(await backend.slots())
  let state = stateFromSaved(await journal.load())
  let saved = JSON.stringify(stateToSave(state))
  let history = historyFromSaved(await chronicle.load())
  let enteredMs = clock.monotonicMs()
  let isResumed = false
  let upload: Upload | undefined
  let selfCheck = async (): Promise<void> => {}
  let endSelfCheck = () => {}
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
      event = (await save()) ?? (step.effect && (await perform(step.effect)))
    }
  }

  function enter(entered: UpgradeState): void {
    if (entered.name !== state.name) {
      log.info({ state: entered.name, transaction: transactionOf(entered), version: versionOf(entered) }, 'firmware upgrade')
      enteredMs = clock.monotonicMs()
    }
    state = entered
    cancelDeadline()
    if (state.name === 'Armed') cancelDeadline = clock.after(limits.ticketLifetimeMs, () => later({ name: 'TicketExpired' }))
    if (state.name === 'Rebooting' || state.name === 'Rollback')
      cancelDeadline = clock.after(limits.rebootDeadlineMs, () => later({ name: 'RebootDue' }))
  }

  function later(event: UpgradeEvent): void {
    run(event).catch(error => log.error({ error, event: event.name }, 'firmware upgrade: a step failed'))
  }

  /** Before the activation nothing may happen that a restart would not know of; after it, the boot record is what counts. */
  async function save(): Promise<UpgradeEvent | undefined> {
    const value = stateToSave(state)
    if (JSON.stringify(value) === saved) return undefined
    try {
      await journal.save(value)
      saved = JSON.stringify(value)
      return undefined
    } catch (error) {
      log.error({ error, state: state.name }, 'the journal of the upgrade could not be written')
      return state.name === 'Transfer' || state.name === 'Activating' ? fail(error) : undefined
    }
  }

  async function perform(effect: Effect): Promise<UpgradeEvent | undefined> {
    const transaction = transactionOf(state) ?? ''
    try {
      switch (effect) {
        case 'install':
          return { name: 'ImageInstalled', image: await install(transaction) }
        case 'discard':
          await backend.discard()
          return { name: 'Discarded' }
        case 'activate':
          if ('image' in state) await backend.activate(state.image.slot, transaction)
          return { name: 'Activated' }
        case 'confirm':
          await backend.confirm(transaction)
          return { name: 'Confirmed' }
        case 'reject':
          await backend.reject(transaction)
          return { name: 'Rejected' }
        case 'selfCheck':
          return await checkSelf()
        case 'reboot':
          await power.reboot('firmware upgrade')
          return undefined
      }
    } catch (error) {
      const level = error instanceof ImageError || error instanceof UploadRefusal ? 'info' : 'error'
      log[level]({ error, effect, transaction }, 'a step of the firmware upgrade did not succeed')
      // A reboot that cannot be ordered is ordered again at its deadline.
      return effect === 'reboot' ? undefined : fail(error)
    }
  }

  function fail(error: unknown): UpgradeEvent {
    if (upload) upload.error ??= error
    const event = failureEvent(error, () => tickets.broke())
    if (event.name !== 'ConnectionLost' || !event.again) tickets.retire()
    return event
  }

  async function install(transaction: string): Promise<InstalledImage> {
    if (upload === undefined) throw new Error('there is no upload')
    const onHead = ({ version }: { readonly version: string }) => observe({ name: 'HeadVerified', version })
    const { target } = await backend.install(bytesOf(upload), {
      transaction,
      signal: upload.abort.signal,
      onHead,
      onProgress() {},
      async beforeActivation() {},
    })
    const { version, sha256 } = (await backend.slots()).find(({ id }) => id === target) ?? {}
    return { slot: target, version, sha256 }
  }

  async function* bytesOf(current: Upload): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, lengthBytes } = current.request
    const either = AbortSignal.any([signal, current.abort.signal])
    for await (const bytes of boundedBody(current.body, { clock, signal: either, lengthBytes, bytesMax: uploadBytesMax })) {
      current.receivedBytes += bytes.length
      yield bytes
    }
    observe({ name: 'BodyReceived' })
  }

  /** For what a restart need not know. */
  function observe(event: UpgradeEvent): void {
    const step = next(state, event)
    if (step) enter(step.state)
  }

  /** Undefined where the device goes down meanwhile: that says nothing about the image, and the next start asks again. */
  async function checkSelf(): Promise<UpgradeEvent | undefined> {
    const { promise: noVerdict, resolve, reject } = Promise.withResolvers<undefined>()
    const cancel = clock.after(limits.selfCheckTimeoutMs, () => reject(new Error('it took too long')))
    endSelfCheck = () => resolve(undefined)
    try {
      return await Promise.race([selfCheck().then(() => ({ name: 'SelfCheckPassed' }) as const), noVerdict])
    } catch (error) {
      log.error({ error, transaction: transactionOf(state) }, 'the self-check of the new image failed')
      return { name: 'SelfCheckFailed', detail: error instanceof Error ? error.message : 'it failed' }
    } finally {
      cancel()
    }
  }

  /** The history never holds up an upgrade. An upgrade that ends once more after a power cut stands in it once. */
  async function remember(outcome: Outcome): Promise<void> {
    const entry: HistoryEntry = { ...outcome, at: clock.now().toISOString() }
    history = [...history.filter(({ transaction }) => transaction !== outcome.transaction), entry].slice(-limits.upgradeHistoryMax)
    if (outcome.failure) log.warn({ ...entry }, 'the firmware upgrade failed')
    else log.info({ ...entry }, 'the firmware upgrade succeeded')
    await chronicle.save(historyToSave(history)).catch(error => log.warn({ error }, 'the history of upgrades could not be written'))
  }

  function admit({ ticket, lengthBytes = 0 }: UploadRequest): void {
    tickets.check(ticket)
    if (state.name !== 'Armed')
      throw new UploadRefusal(409, 'busy', 'another upload to this address is running', { transaction: transactionOf(state) })
    if (lengthBytes > uploadBytesMax) throw new UploadRefusal(413, 'nospace', `an image has at most ${backend.imageBytesMax} bytes`)
  }

  async function receive(request: UploadRequest, body: AsyncIterable<Uint8Array>): Promise<UploadReceipt> {
    // Two clients may have been admitted before the first of them began.
    admit(request)
    const { promise: done, resolve } = Promise.withResolvers<void>()
    const current: Upload = { request, body, abort: new AbortController(), done, receivedBytes: 0 }
    const transaction = transactionOf(state) ?? ''
    upload = current
    log.info({ transaction, user: request.user, from: request.remoteAddress, bytes: request.lengthBytes }, 'firmware upload')
    try {
      await run({ name: 'UploadBegun' })
      if (state.name !== 'Rebooting') throw refusal(current.error, transaction)
      tickets.retire()
      return {
        transaction,
        message: `firmware ${state.image.version} is installed, the device restarts`,
        afterReply: () => run({ name: 'RebootDue' }),
      }
    } finally {
      upload = undefined
      resolve()
    }
  }

  /** What a start finds, measured against the state that was saved. */
  function find(slots: readonly SlotInfo[]): Finding {
    const runs = runningOf(slots)
    const intended = 'upgrade' in state ? state.upgrade : undefined
    const found = (slot: SlotInfo) => {
      const transaction = slot.transaction ?? intended?.transaction ?? newTransaction(clock.now())
      const unknown: Upgrade = { transaction, user: 'unknown', from: slots.find(({ confirmed }) => confirmed)?.version }
      return {
        upgrade: intended?.transaction === transaction ? intended : unknown,
        image: { slot: slot.id, version: slot.version, sha256: slot.sha256 },
      }
    }
    if (!runs.confirmed) return { name: 'FoundTrial', ...found(runs) }
    const ahead = slots.find(({ next: isNext }) => isNext)
    if (ahead && !ahead.running) return { name: 'FoundActivated', ...found(ahead) }
    if (!('image' in state)) return { name: 'FoundUnchanged' }
    const { slot, sha256 } = state.image
    if (slot === runs.id) return { name: 'FoundCommitted' }
    const isThere = slots.some(({ id, sha256: held }) => id === slot && held !== undefined && held === sha256)
    return { name: isThere ? 'FoundInstalled' : 'FoundUnchanged' }
  }

  /** The longest that a state lasts from here on, as far as it is known. */
  function remainingMs(): number {
    const spentMs = clock.monotonicMs() - enteredMs
    if (state.name === 'Transfer' || state.name === 'Check') return Math.max(0, limits.uploadTotalTimeoutMs - spentMs)
    if (state.name === 'Trial' || state.name === 'Commit') return Math.max(0, limits.selfCheckTimeoutMs - spentMs)
    return Math.max(0, limits.rebootDeadlineMs + power.bootTimeMs - spentMs)
  }

  /**
   * Ends an upload for what must not wait: a reboot, a factory default, the end of the process. An activation is waited for; a
   * trial goes on with the next start.
   */
  async function abort(reason: string): Promise<void> {
    endSelfCheck()
    const refused = new UploadRefusal(503, 'aborted', `the upload was ended by ${reason}`)
    if (upload) {
      upload.abort.abort(refused)
      await upload.done
    } else if (state.name === 'Armed') {
      tickets.retire()
      await run({ name: 'Aborted', failure: { reason: 'aborted', detail: refused.message } })
    }
  }

  return {
    /** Of the image that runs; undefined where the boot record was lost. */
    runningVersion: (): string | undefined => running.version,

    /**
     * Hands out the last segment of an UploadUri; one that was handed out before is worth nothing from now on (a lost answer
     * must not lock the device). Throws the fault Action while an image is on its way.
     */
    start(user: string): { readonly ticket: string; readonly uploadDelayMs: number; readonly expectedDownTimeMs: number } {
      const upgrade = { transaction: newTransaction(clock.now()), user, from: running.version }
      const step = next(state, { name: 'Started', upgrade })
      if (step === undefined) {
        const seconds = Math.ceil(remainingMs() / 1000)
        throw fault('Action', `an upgrade is under way: ${state.name}, transaction ${transactionOf(state)}, at most ${seconds} s more`)
      }
      if (!isResumed) throw fault('Action', 'the device is starting, try again')
      // First, so that the state never ends before the ticket does.
      const ticket = tickets.issue()
      enter(step.state)
      log.info({ transaction: upgrade.transaction, user }, 'an upload URI for firmware was handed out')
      return { ticket, uploadDelayMs: 0, expectedDownTimeMs: Math.ceil(power.bootTimeMs * (1 + limits.downTimeMargin)) }
    },

    upload: { admit, receive } satisfies UploadTarget,

    /** An image that comes within a message (UpgradeSystemFirmware): armed and taken in one. Throws UploadRefusal, and the fault Action. */
    async take(request: Omit<UploadRequest, 'ticket'>, body: AsyncIterable<Uint8Array>): Promise<UploadReceipt> {
      const { ticket } = this.start(request.user)
      return receive({ ...request, ticket }, body)
    },

    async report(): Promise<FirmwareReport> {
      return {
        ...this.status(),
        expectedBytes: upload?.request.lengthBytes,
        percent: undefined,
        waitingFor: undefined,
        engine: backend.name,
        record: await backend.record(),
        slots: await backend.slots(),
        last: history.at(-1),
      }
    },

    /** Throws UploadRefusal 409 where the order has no meaning in the present state. */
    async command(order: FirmwareOrder, by: Pick<UploadRequest, 'user' | 'remoteAddress'>): Promise<UploadReceipt> {
      const transaction = transactionOf(state)
      if (order !== 'abort' || transaction === undefined)
        throw new UploadRefusal(409, 'state', `${order} has no meaning in the state ${state.name}`, { transaction })
      await abort(by.user)
      return { transaction, message: 'aborted', async afterReply() {} }
    },

    /**
     * Goes on where the last start left off. To be called once, when the device answers requests: a new image is kept if
     * `check` resolves in time, and given up if it rejects. Returns when that has been decided.
     */
    async resume(check: () => Promise<void>): Promise<void> {
      selfCheck = check
      const finding = find(await backend.slots())
      if (next(state, finding)) await run(finding)
      isResumed = true
      if (state.name === 'Rebooting') await run({ name: 'RebootDue' })
    },

    status(): FirmwareStatus {
      return { state: state.name, transaction: transactionOf(state), version: versionOf(state), receivedBytes: upload?.receivedBytes ?? 0 }
    },

    /** How the last upgrades ended, the newest last. */
    history: (): readonly HistoryEntry[] => history,

    abort,

    /** Calls off what is still to come. The state stays for the next start. */
    async close(): Promise<void> {
      await abort('the end of the service')
      cancelDeadline()
    },
  }
}

function runningOf(slots: readonly SlotInfo[]): SlotInfo {
  const slot = slots.find(({ running }) => running)
  if (slot === undefined) throw new Error('no slot is running')
  return slot
}

const transactionOf = (state: UpgradeState): string | undefined => ('upgrade' in state ? state.upgrade.transaction : undefined)

function versionOf(state: UpgradeState): string | undefined {
  if ('image' in state) return state.image.version
  return 'version' in state ? state.version : undefined
}
