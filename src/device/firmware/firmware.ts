import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { ImageHead } from '../../platform/platform.ts'
import { createTickets, type UploadReceipt, UploadRefusal, type UploadRequest, type UploadTarget } from '../upload.ts'
import { failureEvent, refusal } from './failures.ts'
import { find, runningOf } from './finding.ts'
import { loadImage } from './loadImage.ts'
import {
  type InstalledImage,
  type KnownImage,
  next,
  transactionOf,
  type Upgrade,
  type UpgradeEvent,
  type UpgradeOperation,
  versionOf,
} from './machine.ts'
import { createOrders } from './orders.ts'
import { type FirmwareReport, type FirmwareStatus, waitingFor } from './report.ts'
import { createRunner, type RunnerParts } from './runner.ts'
import { newTransaction } from './transaction.ts'
import { createTelling, type UpgradeProgress, upgradeProgress } from './upgradeProgress.ts'
import { createUploadFeed, type UploadFeed } from './uploadFeed.ts'

export interface FirmwareParts extends Omit<RunnerParts, 'running' | 'install' | 'failed' | 'expired' | 'entered'> {
  /** Whether an image that is installed waits for an administrator to activate it. */
  readonly hold: boolean
  /** Told that `progress` shows something new: of every state, and within a state now and then. */
  readonly changed?: () => void
}

/** An image on its way, over one connection or several. */
interface Installation {
  readonly feed: UploadFeed
  readonly abort: AbortController
  readonly ended: Promise<void>
  readonly expectedBytes: number | undefined
  percent: number | undefined
  /** Another upload took its place: how it ends is of no interest. */
  isSuperseded: boolean
  /** What went wrong, for the answer. */
  error?: unknown
}

export type Firmware = Awaited<ReturnType<typeof createFirmware>>

/** What lasts until somebody does something, or the disk does. */
const endless: Partial<Record<FirmwareStatus['state'], string>> = {
  Installed: 'it waits to be activated',
  Failed: 'its image is being taken out of the boot record',
}

/**
 * One upgrade at a time, from the upload URI to the confirmation of the new image (Core 8.3.9). What is intended is saved before
 * it is done; what a start finds in the slots counts more. Between its making and `resume` nothing can be started.
 */
export async function createFirmware(parts: FirmwareParts) {
  const { backend, clock, power, log, hold, health, settings, changed = () => {} } = parts
  const tickets = createTickets(clock)
  const running = runningOf(await backend.slots())
  let current: Installation | undefined
  /** An upload takes the place of one that broke off. */
  let isBeginning = false
  let isResumed = false
  const telling = createTelling(clock, changed)
  const runner = await createRunner({
    ...parts,
    running: running.id,
    install,
    failed(error) {
      if (current) current.error ??= error
      tickets.retire()
    },
    expired: supersede,
    entered: telling.entered,
  })
  const { run, observe } = runner

  async function install(transaction: string): Promise<UpgradeEvent | undefined> {
    if (current === undefined) throw new Error('there is no upload')
    const upload = current
    try {
      return { name: 'ImageInstalled', image: await installImage(upload, transaction), hold }
    } catch (error) {
      if (upload.isSuperseded) return undefined
      throw error
    }
  }

  async function installImage(upload: Installation, transaction: string): Promise<InstalledImage> {
    let image: KnownImage = { version: undefined, sha256: undefined, signers: [], builtAt: undefined }
    const bytes = bytesOf(upload)
    const installing = backend.install(bytes, {
      transaction,
      signal: upload.abort.signal,
      onHead(head) {
        image = imageOf(head)
        observe({ name: 'HeadVerified', image })
      },
      onProgress: percent => {
        upload.percent = percent
        telling.progressed()
      },
      beforeActivation: () => settings.keep(running.id, transaction),
    })
    // An engine that refuses an image stops reading in its middle, and what watches over the body would never end.
    const { target } = await installing.finally(() => void bytes.return().catch(() => {}))
    const { version, sha256 } = (await backend.slots()).find(({ id }) => id === target) ?? {}
    return { ...image, slot: target, version, sha256 }
  }

  async function* bytesOf({ feed }: Installation): AsyncGenerator<Uint8Array, void, undefined> {
    yield* feed.bytes()
    observe({ name: 'BodyReceived' })
  }

  function admit({ ticket, lengthBytes = 0, range }: UploadRequest): void {
    tickets.check(ticket)
    const state = runner.state()
    const transaction = transactionOf(state)
    if (state.name !== 'Armed' || isBeginning)
      throw new UploadRefusal(409, 'busy', 'another upload to this address is running', { transaction })
    const { firstByte, totalBytes } = range ?? { firstByte: 0, totalBytes: lengthBytes }
    if (totalBytes > backend.imageBytesMax)
      throw new UploadRefusal(413, 'nospace', `an image has at most ${backend.imageBytesMax} bytes`, { transaction })
    if (firstByte === 0) return
    const keptBytes = offset(ticket)
    if (firstByte !== keptBytes || (current?.expectedBytes ?? totalBytes) !== totalBytes)
      throw new UploadRefusal(416, 'range', `this upload goes on at byte ${keptBytes}`, { transaction })
  }

  function offset(ticket: string): number {
    tickets.check(ticket)
    // Of a connection that broke, its client may know first: whoever is told 0 begins anew.
    if (current && !current.feed.isWaiting)
      throw new UploadRefusal(409, 'busy', 'the upload to this address is still running', { transaction: transactionOf(runner.state()) })
    return current?.feed.receivedBytes ?? 0
  }

  /** Lets go of an upload that broke off: what it brought is worth nothing any more. */
  function supersede(): Promise<void> {
    if (!current?.feed.isWaiting) return Promise.resolve()
    current.isSuperseded = true
    current.feed.end(new UploadRefusal(410, 'ticket', 'another upload took its place'))
    return current.ended
  }

  async function begin({ lengthBytes, range }: UploadRequest, isWhole: boolean): Promise<Installation> {
    if (current?.feed.isWaiting) {
      isBeginning = true
      await supersede()
      isBeginning = false
    }
    const abort = new AbortController()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const feed = createUploadFeed({
      clock,
      bytesMax: backend.imageBytesMax,
      mayGoOn(failure) {
        if (isWhole || !tickets.broke()) return false
        observe(failureEvent(failure, true))
        return true
      },
      received: telling.progressed,
    })
    const upload: Installation = {
      feed,
      abort,
      ended,
      expectedBytes: range?.totalBytes ?? lengthBytes,
      percent: undefined,
      isSuperseded: false,
    }
    current = upload
    run({ name: 'UploadBegun' })
      .catch(error => log.error({ error }, 'firmware upgrade: a step failed'))
      .finally(() => {
        if (current === upload) current = undefined
        resolve()
      })
    return upload
  }

  /** `isWhole`: it comes over this connection, or not at all. */
  async function receive(request: UploadRequest, body: AsyncIterable<Uint8Array>, isWhole = false): Promise<UploadReceipt> {
    // Two clients may have been admitted before the first of them began.
    admit(request)
    const transaction = transactionOf(runner.state()) ?? ''
    const { user, remoteAddress, lengthBytes, range } = request
    log.info({ transaction, user, from: remoteAddress, bytes: lengthBytes, range }, 'firmware upload')
    const goesOn = range !== undefined && range.firstByte > 0 && current
    if (goesOn) observe({ name: 'UploadResumed' })
    const upload = goesOn || (await begin(request, isWhole))
    const late = Promise.withResolvers<'late'>()
    let cancelLate = () => {}
    upload.feed.attach(request, body).then(() => {
      cancelLate = clock.after(limits.uploadAnswerHoldMs, () => late.resolve('late'))
    }, late.reject)
    try {
      if ((await Promise.race([upload.ended, late.promise])) === 'late')
        return { transaction, message: 'the image is being installed; the device restarts when it is', async afterReply() {} }
    } catch (error) {
      if (!upload.feed.isWaiting) await upload.ended
      throw refusal(upload.error ?? error, transaction)
    } finally {
      cancelLate()
    }
    const state = runner.state()
    if (state.name === 'Installed')
      return { transaction, message: `firmware ${state.image.version} is installed, and waits to be activated`, async afterReply() {} }
    if (state.name !== 'Rebooting') throw refusal(upload.error, transaction)
    tickets.retire()
    return {
      transaction,
      message: `firmware ${state.image.version} is installed, the device restarts`,
      afterReply: () => run({ name: 'RebootDue' }),
    }
  }

  /** The longest that a state lasts from here on, as far as it is known. */
  function remainingMs(): number {
    const spentMs = runner.spentMs()
    switch (runner.state().name) {
      case 'Transfer':
      case 'Check':
      case 'Aborting':
        return Math.max(0, limits.uploadTotalTimeoutMs - spentMs)
      case 'Trial':
      case 'Commit':
        return Math.max(0, health.deadlineMs - spentMs)
      default:
        return Math.max(0, limits.rebootDeadlineMs + power.bootTimeMs - spentMs)
    }
  }

  function status(): FirmwareStatus {
    const { receivedBytes = 0 } = current?.feed ?? {}
    const state = runner.state()
    return { state: state.name, transaction: transactionOf(state), version: versionOf(state), receivedBytes }
  }

  /** Ends an upload. An engine that cannot be stopped goes on, and the next start finds what came of it. */
  async function stopUpload(by: string): Promise<void> {
    const refused = new UploadRefusal(503, 'aborted', `the upload was ended by ${by}`)
    const failure = { reason: 'aborted', detail: refused.message } as const
    const state = runner.state()
    if (state.name === 'Armed') {
      tickets.retire()
      await supersede()
      await run({ name: 'AbortOrdered', failure })
    } else if ((state.name === 'Transfer' || state.name === 'Check') && backend.canAbort && current) {
      const { feed, abort, ended } = current
      await run({ name: 'AbortOrdered', failure })
      feed.end(refused)
      abort.abort(refused)
      await ended
    }
  }

  /** For what must not wait long: a reboot, a factory default, a restore. */
  async function abort(reason: string): Promise<void> {
    await stopUpload(reason)
    await runner.settled()
  }

  /** A trial goes on with the next start. */
  async function goDown(reason: string): Promise<void> {
    health.end()
    await abort(reason)
  }

  return {
    /** Of the image that runs; undefined where the boot record was lost. */
    runningVersion: (): string | undefined => running.version,

    /**
     * Hands out the last segment of an UploadUri; one that was handed out before is worth nothing from now on (a lost answer
     * must not lock the device). Throws the fault Action while an image is on its way.
     */
    start(
      user: string,
      remoteAddress?: string,
      operation: UpgradeOperation = 'StartFirmwareUpgrade',
    ): { readonly ticket: string; readonly uploadDelayMs: number; readonly expectedDownTimeMs: number } {
      const upgrade: Upgrade = { transaction: newTransaction(clock.now()), user, remoteAddress, operation, from: running.version }
      const state = runner.state()
      const step = next(state, { name: 'Started', upgrade })
      if (step === undefined) {
        const until = endless[state.name] ?? `at most ${Math.ceil(remainingMs() / 1000)} s more`
        throw fault('Action', `an upgrade is under way: ${state.name}, transaction ${transactionOf(state)}, ${until}`)
      }
      if (!isResumed || isBeginning) throw fault('Action', 'the device is busy, try again')
      supersede().catch(error => log.error({ error }, 'an upload that broke off could not be ended'))
      // First, so that the state never ends before the ticket does.
      const ticket = tickets.issue()
      runner.observe({ name: 'Started', upgrade })
      // Meanwhile, so that the upload does not wait for it.
      loadImage().catch(error => log.error({ error }, 'what judges images could not be loaded'))
      log.info({ transaction: upgrade.transaction, user }, 'an upload URI for firmware was handed out')
      return { ticket, uploadDelayMs: 0, expectedDownTimeMs: Math.ceil(power.bootTimeMs * (1 + limits.downTimeMargin)) }
    },

    upload: { admit, offset, receive: (request, body) => receive(request, body) } satisfies UploadTarget,

    /** An image that comes within a message (UpgradeSystemFirmware): armed and taken in one. Throws UploadRefusal, and the fault Action. */
    async take(request: Omit<UploadRequest, 'ticket'>, body: AsyncIterable<Uint8Array>): Promise<UploadReceipt> {
      const { ticket } = this.start(request.user, request.remoteAddress, 'UpgradeSystemFirmware')
      return receive({ ...request, ticket }, body, true)
    },

    /**
     * Goes on where the last start left off. To be called once, when the device answers requests. Returns when a new image is
     * kept or given up, or when that will take longer than anybody should wait for a start.
     */
    async resume(): Promise<void> {
      const going = (async () => {
        await backend.recover()
        const finding = find(runner.state(), { slots: await backend.slots(), record: await backend.record() }, () =>
          newTransaction(clock.now()),
        )
        const outcome = next(runner.state(), finding) ? run(finding) : Promise.resolve()
        isResumed = true
        await outcome
        // It was cut off between its activation and its answer, which nobody waits for any more.
        if (finding.name === 'FoundInstalled') await run({ name: 'RebootDue' })
      })()
      going.catch(error => log.error({ error }, 'firmware upgrade: going on after the start failed'))
      const { promise: enough, resolve } = Promise.withResolvers<void>()
      const cancel = clock.after(health.isQuick ? limits.resumeWaitMs : 0, resolve)
      await Promise.race([going, enough])
      cancel()
    },

    status,

    /** The upgrade that is under way, or how the last one ended. */
    progress: (): UpgradeProgress | undefined =>
      upgradeProgress(runner.state(), current && { ...current, receivedBytes: current.feed.receivedBytes }, runner.history().at(-1)),

    async report(): Promise<FirmwareReport> {
      const [slots, record] = await Promise.all([backend.slots(), backend.record()])
      const state = runner.state()
      const { expectedBytes, percent } = current ?? { expectedBytes: undefined, percent: undefined }
      const last = runner.history().at(-1)
      return {
        ...status(),
        expectedBytes,
        percent,
        waitingFor: waitingFor(state, current?.feed, health),
        engine: backend.name,
        record,
        slots,
        last,
      }
    },

    command: createOrders({ runner, backend, health, log, stopUpload }),

    /** A moment that is over for certain: nobody can have run an image before it was built. A clock that is before it is wrong. */
    passed(): Date {
      const built = runner.history().flatMap(({ failure, builtAt }) => (failure || builtAt === undefined ? [] : [Date.parse(builtAt)]))
      return new Date(Math.max(0, ...built.filter(Number.isFinite)) - limits.clockDoubtMs)
    },

    /** How the last upgrades ended, the newest last. */
    history: runner.history,

    abort,
    goDown,

    /** Calls off what is still to come. The state stays for the next start. */
    async close(): Promise<void> {
      await goDown('the end of the service')
      runner.close()
      telling.close()
    },
  }
}

const imageOf = ({ version, signers, payloads, buildTime }: ImageHead): KnownImage => ({
  version,
  signers,
  builtAt: buildTime?.toISOString(),
  sha256: payloads.find(({ role }) => role === 'rootfs')?.sha256,
})
