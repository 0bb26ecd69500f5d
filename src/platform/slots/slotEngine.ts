import type { LoadTrust } from '../../device/firmware/image.ts'
import { loadImage } from '../../device/firmware/loadImage.ts'
import type { Board, Downgrade, Installed } from '../../device/firmware/policy.ts'
import { openSwu, type Swu } from '../../device/firmware/swu.ts'
import { limits } from '../../limits.ts'
import {
  type AntiRollbackStore,
  BackendError,
  type Clock,
  ImageError,
  type ImageHead,
  type Log,
  type Storage,
  type UpdateBackend,
} from '../platform.ts'
import { type BootRecord, loadBootRecord, otherSlot, type Slot, type StoredFile, saveBootRecord, slotIds } from './bootRecord.ts'
import { type RecordPlace, readEnvironment } from './environment.ts'
import { nextSlot } from './launcher.ts'
import type { SlotLayout } from './layout.ts'
import { createTarget, type WrittenFile } from './target.ts'
import { onDisk, type Place } from './targetWriter.ts'

export interface SlotEngineParts {
  readonly storage: Storage
  /** Where the files of both slots are. */
  readonly layout: SlotLayout
  /** Where the boot record is. */
  readonly record: RecordPlace
  /** What the launcher booted. */
  readonly running: Slot
  readonly board: Board
  readonly trust: LoadTrust
  readonly clock: Clock
  readonly log: Log
  readonly downgrade?: Downgrade | undefined
  readonly antiRollback?: AntiRollbackStore | undefined
}

/** The steps of `install` on their own, for an engine that lets another program write the slot. */
export interface SlotEngine extends UpdateBackend {
  /** Verifies the head and asks the policy. Throws ImageError. */
  admit(swu: Swu): Promise<ImageHead>
  /** Declares the slot that does not run void, and gives it. Throws BackendError `busy` as long as it is the way back. */
  begin(transaction: string): Promise<Slot>
  /** Where the slot that does not run keeps the file with this role; undefined where the device has no place for it. */
  place(role: string): Place | undefined
  /**
   * Makes durable what somebody else wrote, reads it back, compares, copies what was not written from the slot that runs, and
   * records the image as complete.
   */
  complete(head: ImageHead, files: readonly WrittenFile[]): Promise<void>
}

/**
 * Two slots, one running and one to write. The order is: declare the target void, write, sync, read back, record, and, as one
 * write of the boot record, activate. The boot record is read anew for every step: it is the truth.
 */
export function createSlotEngine(parts: SlotEngineParts): SlotEngine {
  const { storage, layout, record: place, running, antiRollback, log } = parts
  const target = otherSlot(running)

  /** Where the record does not say it, the slot that runs is the confirmed one, and nobody knows what the slots hold. */
  const load = async (): Promise<BootRecord> => (await onDisk(() => loadBootRecord(storage, place))) ?? unknownRecord(running)
  const save = (record: BootRecord): Promise<void> => onDisk(() => saveBootRecord(storage, place, record))

  async function discard(transaction?: string): Promise<void> {
    const record = await load()
    if (record.confirmed !== running)
      throw new BackendError('busy', `slot ${target} is the way back as long as slot ${running} is on trial`)
    const isVoid = record.left[target] === 0 && record.images[target] === undefined && !record.order.includes(target)
    if (isVoid && record.transaction === transaction) return
    await save({
      ...record,
      order: [running],
      left: { ...record.left, [target]: 0 },
      images: { ...record.images, [target]: undefined },
      transaction,
    })
  }

  /** The boot record can be written over together with the disk; a store that cannot holds as well. */
  async function lowestEpoch({ securityEpoch }: BootRecord): Promise<number> {
    if (antiRollback === undefined) return securityEpoch
    return Math.max(securityEpoch, await ofStore(() => antiRollback.lowest()))
  }

  /** Behind the boot record: after a power cut between the two the next start catches up. */
  async function raiseEpoch({ securityEpoch }: BootRecord): Promise<void> {
    if (antiRollback && securityEpoch > 0) await ofStore(() => antiRollback.raise(securityEpoch))
  }

  async function admit(swu: Swu): Promise<ImageHead> {
    const record = await load()
    if (record.confirmed !== running) throw new BackendError('busy', `slot ${running} is on trial`)
    const installed = { version: record.images[running]?.version, securityEpoch: await lowestEpoch(record) }
    const head = await admitOn(swu, parts, installed)
    for (const { name, role } of head.payloads) {
      if (!layout.has(role)) throw new ImageError('compatible', `${name} is for the role ${role}, for which this device has no place`)
    }
    return head
  }

  /** Image and files become valid together. A device that was told of no transaction keeps the one of `begin`. */
  async function recordImage(
    { version, securityEpoch = 0 }: ImageHead,
    files: ReadonlyMap<string, StoredFile>,
    transaction?: string,
  ): Promise<void> {
    const current = await load()
    const others = new Map(files)
    const booted = others.get('rootfs')
    if (booted === undefined) throw new ImageError('format', 'the image has no file with the role rootfs')
    others.delete('rootfs')
    const image = { version, sha256: booted.sha256, sizeBytes: booted.sizeBytes, securityEpoch, others }
    await save({ ...current, images: { ...current.images, [target]: image }, transaction: transaction ?? current.transaction })
  }

  const openTarget = (head: ImageHead, before: BootRecord, signal: AbortSignal, declareVoid: () => Promise<void>) =>
    createTarget({ storage, layout, slot: target, before, head, signal, declareVoid })

  return {
    name: 'builtin',
    imageBytesMax:
      [...layout.values()].reduce((sum, { bytesMax }) => sum + bytesMax, 0) +
      limits.imageDescriptionBytesMax +
      limits.imageSignatureBytesMax +
      limits.imagePaddingBytesMax,
    canAbort: true,

    async recover() {
      const record = await load()
      if (record.confirmed === running) await raiseEpoch(record)
    },

    async record() {
      return (await onDisk(() => readEnvironment(storage, place))).state
    },

    async slots() {
      const record = await load()
      const next = nextSlot(record)
      return slotIds.map(id => ({
        id,
        running: id === running,
        confirmed: id === record.confirmed,
        next: id === next,
        version: record.images[id]?.version,
        sha256: record.images[id]?.sha256,
        triesLeft: record.left[id],
        transaction: id === record.confirmed ? undefined : record.transaction,
      }))
    },

    admit,

    async begin(transaction) {
      await discard(transaction)
      return target
    },

    place(role) {
      const places = layout.get(role)
      return places && { path: places[target], bytesMax: places.bytesMax }
    },

    async complete(head, files) {
      const { transaction, ...before } = await load()
      const filled = openTarget(head, { ...before, transaction }, new AbortController().signal, () => discard(transaction))
      for (const file of files) await filled.adopt(file)
      await filled.fill()
      await recordImage(head, filled.files)
      log.info({ transaction, slot: target, ...filled.deeds }, 'the files of the new image are in their slot')
    },

    async install(image, { transaction, signal, onHead }) {
      const swu = await openSwu(image)
      const head = await admit(swu)
      onHead(head)
      const filled = openTarget(head, await load(), signal, () => discard(transaction))
      for (let entry = await swu.next(); entry; entry = await swu.next()) await filled.take(entry)
      await filled.fill()
      await recordImage(head, filled.files, transaction)
      log.info({ transaction, slot: target, ...filled.deeds }, 'the files of the new image are in their slot')
      return { target, head }
    },

    async activate(_, transaction) {
      const record = await load()
      if (record.images[target] === undefined) throw new BackendError('io', `slot ${target} holds no complete image`)
      await save({
        ...record,
        order: [target, running],
        left: { ...record.left, [target]: limits.bootTriesMax, [running]: limits.bootTriesMax },
        transaction,
      })
    },

    async confirm() {
      const record = await load()
      const confirmed = {
        ...record,
        confirmed: running,
        left: { ...record.left, [running]: limits.bootTriesMax },
        securityEpoch: Math.max(record.securityEpoch, record.images[running]?.securityEpoch ?? 0),
        transaction: undefined,
      }
      await save(confirmed)
      await raiseEpoch(confirmed)
    },

    async reject() {
      const record = await load()
      if (record.confirmed === running) return
      await save({ ...record, order: [record.confirmed], left: { ...record.left, [running]: 0 } })
    },

    discard: () => discard(),
  }
}

async function admitOn(
  swu: Swu,
  { trust, clock, board, running, downgrade = 'deny' }: SlotEngineParts,
  installed: Installed,
): Promise<ImageHead> {
  const { admitHead } = await loadImage()
  return admitHead(swu, { trust, now: clock.now(), board, installed, copy: running === 'A' ? 'copy-b' : 'copy-a', downgrade })
}

const unknownRecord = (running: Slot): BootRecord => ({
  order: [running],
  left: { A: 0, B: 0, [running]: limits.bootTriesMax },
  confirmed: running,
  images: { A: undefined, B: undefined },
  securityEpoch: 0,
  transaction: undefined,
})

async function ofStore<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    throw new BackendError('io', 'the anti-rollback store failed', { cause })
  }
}
