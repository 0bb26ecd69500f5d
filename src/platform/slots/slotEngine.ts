import { createHash } from 'node:crypto'
import { isDiskFull } from '../../device/firmware/failures.ts'
import type { LoadTrust } from '../../device/firmware/image.ts'
import type { Board } from '../../device/firmware/policy.ts'
import { openSwu, type Swu, type SwuEntry } from '../../device/firmware/swu.ts'
import { limits } from '../../limits.ts'
import {
  BackendError,
  type Clock,
  ImageError,
  type ImageHead,
  type InstallContext,
  type Payload,
  type Storage,
  type UpdateBackend,
} from '../platform.ts'
import { type BootRecord, loadBootRecord, otherSlot, type Slot, saveBootRecord, slotFile, slotIds } from './bootRecord.ts'
import { nextSlot } from './launcher.ts'
import { createSlotWriter } from './slotWriter.ts'

export interface SlotEngineParts {
  readonly storage: Storage
  /** Where the slots and the boot record are. */
  readonly folder: string
  /** What the launcher booted. */
  readonly running: Slot
  readonly slotBytesMax: number
  readonly board: Board
  readonly trust: LoadTrust
  readonly clock: Clock
}

/** What a file of an image became in its slot. */
export interface WrittenFile {
  readonly role: string
  readonly sha256: string
  readonly sizeBytes: number
}

/** The steps of `install` on their own, for an engine that lets another program write the slot. */
export interface SlotEngine extends UpdateBackend {
  /** Verifies the head and asks the policy. Throws ImageError. */
  admit(swu: Swu): Promise<ImageHead>
  /** Declares the slot that does not run void, and gives it. Throws BackendError `busy` as long as it is the way back. */
  begin(transaction: string): Promise<Slot>
  /** Makes durable what somebody else wrote, reads it back, compares, and records the image as complete. */
  complete(head: ImageHead, files: readonly WrittenFile[]): Promise<void>
}

/**
 * Two slots, one running and one to write. The order is: declare the target void, write, sync, read back, record, and, as one
 * write of the boot record, activate. The boot record is read anew for every step: it is the truth.
 */
export function createSlotEngine(parts: SlotEngineParts): SlotEngine {
  const { storage, folder, running, slotBytesMax } = parts
  const target = otherSlot(running)

  /** Where both copies are damaged, the device runs the slot that the launcher takes then, and knows nothing about it. */
  const load = async (): Promise<BootRecord> => (await loadBootRecord(storage, folder)) ?? unknownRecord(running)
  const save = (record: BootRecord): Promise<void> => inOrder(() => saveBootRecord(storage, folder, record))

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

  /** Writes what the head calls the root file system into the target, void until it is recorded. */
  async function writeTarget(entry: SwuEntry, { role, sha256 }: Payload, { transaction, signal }: InstallContext): Promise<WrittenFile> {
    if (entry.sizeBytes > slotBytesMax) {
      throw new ImageError('nospace', `${entry.name} has ${entry.sizeBytes} bytes, a slot takes ${slotBytesMax}`)
    }
    await discard(transaction)
    const writer = createSlotWriter(storage, slotFile(folder, target))
    try {
      for await (const piece of entry.content()) {
        signal.throwIfAborted()
        await inOrder(() => writer.write(piece))
      }
      const written = await inOrder(() => writer.finish())
      signal.throwIfAborted()
      if (written.sha256 !== sha256) throw new ImageError('hash', `${entry.name} is not what the description says`)
      return { role, ...written }
    } catch (error) {
      await writer.abandon()
      throw error
    }
  }

  async function admit(swu: Swu): Promise<ImageHead> {
    const record = await load()
    if (record.confirmed !== running) throw new BackendError('busy', `slot ${running} is on trial`)
    const head = await admitOn(swu, parts, record)
    onlyPayload(head)
    return head
  }

  async function recordImage({ version, securityEpoch = 0 }: ImageHead, { sha256, sizeBytes }: WrittenFile): Promise<void> {
    const current = await load()
    await save({ ...current, images: { ...current.images, [target]: { sha256, sizeBytes, version, securityEpoch } } })
  }

  return {
    name: 'builtin',
    imageBytesMax: slotBytesMax + limits.imageDescriptionBytesMax + limits.imageSignatureBytesMax + limits.imagePaddingBytesMax,
    canAbort: true,

    async recover() {},

    async record() {
      return (await loadBootRecord(storage, folder)) ? 'whole' : 'lost'
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

    async complete(head, files) {
      const [file] = files
      if (file === undefined) throw new BackendError('io', 'nothing was written')
      await inOrder(async () => {
        const path = slotFile(folder, target)
        await storage.fsync(path)
        if ((await digestOf(storage, path, file.sizeBytes)) !== file.sha256)
          throw new BackendError('io', 'the slot does not hold what was written')
      })
      await recordImage(head, file)
    },

    async install(image, context) {
      const swu = await openSwu(image)
      const head = await admit(swu)
      const payload = onlyPayload(head)
      context.onHead(head)

      let written: WrittenFile | undefined
      for (let entry = await swu.next(); entry; entry = await swu.next()) {
        // Files that the description does not name for this slot are passed over, as SWUpdate does.
        if (entry.name === payload.name) written = await writeTarget(entry, payload, context)
      }
      if (written === undefined) throw new ImageError('format', `the image lacks ${payload.name}`)
      await recordImage(head, written)
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
      const securityEpoch = Math.max(record.securityEpoch, record.images[running]?.securityEpoch ?? 0)
      await save({
        ...record,
        confirmed: running,
        left: { ...record.left, [running]: limits.bootTriesMax },
        securityEpoch,
        transaction: undefined,
      })
    },

    async reject() {
      const record = await load()
      if (record.confirmed === running) return
      await save({ ...record, order: [record.confirmed], left: { ...record.left, [running]: 0 } })
    },

    discard: () => discard(),
  }
}

/** Loads what it takes to judge an image: ASN.1 and all would make every start slower than it may be. */
async function admitOn(
  swu: Swu,
  { trust, clock, board, running }: SlotEngineParts,
  { images, securityEpoch }: BootRecord,
): Promise<ImageHead> {
  const { admitHead } = await import('../../device/firmware/image.ts')
  const installed = { version: images[running]?.version, securityEpoch }
  return admitHead(swu, { trust, now: clock.now(), board, installed, copy: running === 'A' ? 'copy-b' : 'copy-a' })
}

function onlyPayload({ payloads }: ImageHead): Payload {
  const [payload, ...more] = payloads
  if (payload?.role !== 'rootfs' || more.length > 0) throw new ImageError('format', 'a slot takes one file, with the role rootfs')
  return payload
}

/** SHA-256 of the first bytes of a file. */
async function digestOf(storage: Storage, path: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(limits.slotChunkBytes)
  for (let offset = 0; offset < sizeBytes; ) {
    const read = await storage.read(path, offset, buffer.subarray(0, Math.min(buffer.length, sizeBytes - offset)))
    if (read.length === 0) break
    hash.update(read)
    offset += read.length
  }
  return hash.digest('hex')
}

const unknownRecord = (running: Slot): BootRecord => ({
  order: [running],
  left: { A: 0, B: 0, [running]: limits.bootTriesMax },
  confirmed: running,
  images: { A: undefined, B: undefined },
  securityEpoch: 0,
  transaction: undefined,
  others: {},
})

/** A failing disk is the device's fault, and a full one is told apart. */
async function inOrder<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof BackendError) throw cause
    throw isDiskFull(cause)
      ? new BackendError('nospace', 'the disk is full', { cause })
      : new BackendError('io', 'the disk failed', { cause })
  }
}
