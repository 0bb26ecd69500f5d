import { join } from 'node:path'
import { isDiskFull } from '../../device/firmware/failures.ts'
import type { LoadTrust } from '../../device/firmware/image.ts'
import { assertWanted, type Downgrade } from '../../device/firmware/policy.ts'
import { limits } from '../../limits.ts'
import {
  BackendError,
  type Clock,
  ImageError,
  type ImageHead,
  type InstallContext,
  type SlotInfo,
  type Storage,
  type UpdateBackend,
} from '../platform.ts'
import { readBundle, stageBundle, verifyBundle } from './bundle.ts'
import { type BusAddress, BusRefusal, withBus } from './bus.ts'
import { failureFrom } from './lastError.ts'
import { isAvailable, type Rauc, type RaucSlot, withRauc } from './rauc.ts'
import { createMemoryFile, type Memory } from './raucMemory.ts'
import { idOf, installationOf, type SlotPair, slotInfos, slotPair } from './raucSlots.ts'

export interface RaucEngineParts {
  readonly bus: BusAddress
  readonly storage: Storage
  /**
   * For the bundle while it is installed, and for what RAUC does not remember. Of this service alone: RAUC takes a bundle over
   * for root, and then only the owner of the folder can remove it.
   */
  readonly folder: string
  /** Of a whole bundle, the room in `folder` and in the slot; RAUC itself does not know how large a slot is that is a file. */
  readonly bundleBytesMax: number
  /** Whether bundles of the format plain are taken, which RAUC no longer recommends. */
  readonly plain: boolean
  /** Checked before RAUC is called, which has a keyring of its own. */
  readonly trust: LoadTrust
  readonly downgrade: Downgrade
  readonly clock: Clock
}

export interface RaucFound {
  readonly usable: boolean
  /** Why not. */
  readonly reason?: string
}

const nobodyThere = 'nobody offers de.pengutronix.rauc on D-Bus'

/** Whether RAUC can be used on this machine. Never rejects. */
export async function raucProbe({ bus, clock }: Pick<RaucEngineParts, 'bus' | 'clock'>): Promise<RaucFound> {
  try {
    const isThere = await withBus(bus, clock, isAvailable)
    return isThere ? { usable: true } : { usable: false, reason: nobodyThere }
  } catch (error) {
    return { usable: false, reason: error instanceof Error ? error.message : 'D-Bus failed' }
  }
}

/**
 * RAUC writes the slots and tells the boot loader; we verify, decide, and go by what its slots say. Its signals only say when
 * to look: `Completed` names no installation, and `Operation` is wrong after every call that was refused, so nobody asks it.
 * Throws BackendError where RAUC cannot be used.
 */
export async function createRaucEngine(parts: RaucEngineParts): Promise<UpdateBackend> {
  const { bus, storage, folder, clock } = parts
  if (!(await withBus(bus, clock, isAvailable))) throw new BackendError('lost', nobodyThere)
  const memoryFile = createMemoryFile(storage, folder)
  const staged = join(folder, 'bundle.raucb')
  /** What was seen last, for the time in which RAUC installs and tells nothing. */
  let seen: readonly SlotInfo[] | undefined

  const talk = <T>(act: (rauc: Rauc) => Promise<T>): Promise<T> => inOrder(() => withRauc(bus, clock, act))

  async function look(rauc: Rauc, slots?: readonly RaucSlot[]): Promise<{ pair: SlotPair; memory: Memory }> {
    const memory = await memoryFile.load()
    const pair = slotPair(slots ?? (await rauc.slots()), await rauc.primary(), memory)
    seen = slotInfos(pair, memory)
    return { pair, memory }
  }

  /** Waits until RAUC installs nothing any more. What its slots say then is the truth. */
  async function settled(rauc: Rauc, onProgress: (percent: number) => void): Promise<readonly RaucSlot[]> {
    const startMs = clock.monotonicMs()
    for (let heardMs = startMs; ; ) {
      const news = await rauc.news(limits.raucSilenceMs)
      if (news?.name === 'gone') throw new BackendError('lost', 'the RAUC service went away while it installed')
      const nowMs = clock.monotonicMs()
      if (news) heardMs = nowMs
      if (news?.name === 'progress') onProgress(news.percent)
      if (news === undefined || news.name === 'completed') {
        const slots = await unlessBusy(rauc.slots())
        if (slots) return slots
      }
      if (nowMs - heardMs > limits.engineSilentTimeoutMs || nowMs - startMs > limits.engineTotalTimeoutMs)
        throw new BackendError('timeout', 'RAUC does not come to an end; it cannot be stopped')
    }
  }

  async function removeStaged(): Promise<void> {
    if (await storage.exists(staged)) await storage.unlink(staged)
  }

  /** Verifies the staged bundle and asks the policy, before RAUC is told to do anything. */
  async function admit(rauc: Rauc, sizeBytes: number, running: RaucSlot): Promise<ImageHead> {
    const bundle = await readBundle(storage, staged, sizeBytes)
    const signers = await verifyBundle(storage, bundle, { trust: await parts.trust(), now: clock.now(), plain: parts.plain })
    const { version, compatible } = await understood(rauc.info(staged))
    assertWanted(
      {
        ...{ version, description: '', boards: [compatible], revisions: undefined, securityEpoch: undefined, minVersion: undefined },
        ...{ buildTime: undefined, allowDowngrade: false, payloads: { 'copy-a': undefined, 'copy-b': undefined } },
      },
      { name: await rauc.compatible(), revision: '' },
      { version: running.version, securityEpoch: 0 },
      parts.downgrade,
    )
    return { version, description: '', securityEpoch: undefined, signers, payloads: [] }
  }

  /** From here on RAUC goes its own way: it has no means to be stopped. */
  async function run(rauc: Rauc, { onProgress }: InstallContext): Promise<void> {
    const { pair: before } = await look(rauc)
    await rauc.install(staged)
    const { pair } = await look(rauc, await settled(rauc, onProgress))
    const lastError = await rauc.lastError()
    const isNew = installationOf(pair.other) !== installationOf(before.other)
    // An image that is there already may be passed over; then RAUC has only made its slot the next one.
    const isDone = pair.other.isComplete && (isNew || pair.next === pair.other)
    if (lastError !== '' || !isDone) throw failureFrom(lastError)
  }

  return {
    name: 'rauc',
    imageBytesMax: parts.bundleBytesMax,
    canAbort: false,

    async recover() {
      await talk(async rauc => {
        const slots = (await unlessBusy(rauc.slots())) ?? (await settled(rauc, () => {}))
        const { pair } = await look(rauc, slots)
        // The boot loader counts the starts of a confirmed slot, too, and has to be told of every good one.
        if (pair.confirmed === pair.running) await rauc.mark('good', 'booted')
      })
      await removeStaged()
    },

    async record() {
      // RAUC that installs has read the boot record, and is about to write it.
      const answer = await unlessBusy(talk(async rauc => ({ primary: await rauc.primary() })))
      return answer && answer.primary === undefined ? 'lost' : 'whole'
    },

    slots: () =>
      talk(async rauc => {
        const slots = await unlessBusy(rauc.slots())
        if (slots === undefined && seen) return seen.map(slot => (slot.running ? slot : { ...slot, version: undefined, sha256: undefined }))
        const { pair, memory } = await look(rauc, slots ?? (await settled(rauc, () => {})))
        return slotInfos(pair, memory)
      }),

    async install(image, context) {
      const { pair } = await talk(rauc => look(rauc))
      assertNoTrial(pair)
      const { running, other } = pair
      try {
        await removeStaged()
        const sizeBytes = await inOrder(() =>
          stageBundle(image, storage, { path: staged, bytesMax: parts.bundleBytesMax, signal: context.signal }),
        )
        const head = await talk(rauc => admit(rauc, sizeBytes, running))
        context.onHead(head)
        await inOrder(() =>
          memoryFile.save({
            confirmed: { slot: idOf(running), installation: installationOf(running) },
            trial: { slot: idOf(other), transaction: context.transaction },
          }),
        )
        context.signal.throwIfAborted()
        await context.beforeActivation()
        await talk(rauc => run(rauc, context))
        return { target: idOf(other), head }
      } finally {
        await removeStaged()
      }
    },

    activate: (target, transaction) =>
      talk(async rauc => {
        const { pair, memory } = await look(rauc)
        const slot = [pair.running, pair.other].find(candidate => idOf(candidate) === target)
        if (slot === undefined || !slot.isComplete) throw new BackendError('io', `slot ${target} holds no complete image`)
        if (memory.trial?.transaction !== transaction) await memoryFile.save({ ...memory, trial: { slot: target, transaction } })
        if (pair.next !== slot) await rauc.mark('active', slot.name)
      }),

    confirm: () =>
      talk(async rauc => {
        const { running } = (await look(rauc)).pair
        await rauc.mark('good', 'booted')
        await memoryFile.save({ confirmed: { slot: idOf(running), installation: installationOf(running) }, trial: undefined })
      }),

    reject: () =>
      talk(async rauc => {
        const { running, other, next, confirmed } = (await look(rauc)).pair
        if (confirmed === running) return
        // The first of them turns the boot loader round; the second keeps it from coming back here.
        if (next !== other) await rauc.mark('active', other.name)
        await rauc.mark('bad', 'booted')
      }),

    discard: () =>
      talk(async rauc => {
        const { pair, memory } = await look(rauc)
        assertNoTrial(pair)
        // What ran there before stays a way back, as long as nothing leads there.
        if (pair.next === pair.other) await rauc.mark('bad', pair.other.name)
        if (memory.trial) await memoryFile.save({ ...memory, trial: undefined })
      }),
  }
}

function assertNoTrial({ running, other, confirmed }: SlotPair): void {
  if (confirmed !== running)
    throw new BackendError('busy', `slot ${idOf(other)} is the way back as long as slot ${idOf(running)} is on trial`)
}

/** What RAUC does not answer while it installs is undefined. */
async function unlessBusy<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof BackendError && error.reason === 'busy') return undefined
    throw error
  }
}

/** Why RAUC cannot read a bundle, it does not say here; that its signature is right, we know. */
async function understood<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    if (!(cause instanceof BusRefusal)) throw cause
    throw new ImageError('format', `RAUC does not take the bundle: its manifest, or the keyring of RAUC (${cause.message})`, { cause })
  }
}

/** What RAUC refuses and what the disk refuses is the device's fault. What an upload throws is thrown on. */
async function inOrder<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof BusRefusal) throw new BackendError('io', `RAUC: ${cause.message}`, { cause })
    throw isDiskFull(cause) ? new BackendError('nospace', 'the disk is full', { cause }) : cause
  }
}
