import type { SwuEntry } from '../../device/firmware/swu.ts'
import { BackendError, ImageError, type ImageHead, type Storage } from '../platform.ts'
import { type BootRecord, otherSlot, type Slot, type StoredFile } from './bootRecord.ts'
import type { RolePlaces, SlotLayout } from './layout.ts'
import { type Content, copyContent, holds, passOver, writePayload } from './targetWriter.ts'

/** What a file of an image became in its slot: digest and size of its content. */
export interface WrittenFile extends Content {
  readonly role: string
}

export interface TargetOrder {
  readonly storage: Storage
  readonly layout: SlotLayout
  /** The slot that is written. */
  readonly slot: Slot
  /** What both slots held before anything was written. It only says where to look: what counts is read. */
  readonly before: BootRecord
  readonly head: ImageHead
  readonly signal: AbortSignal
  /** Called before every write, and not where nothing has to be written. */
  readonly declareVoid: () => Promise<void>
}

/** Brings a slot to hold what the signed head says, file by file: from the image, from the slot that runs, or as it is there already. */
export function createTarget({ storage, layout, slot, before, head, signal, declareVoid }: TargetOrder) {
  const files = new Map<string, StoredFile>()
  /** How every role came to be there, for the log. */
  const deeds: Record<'written' | 'copied' | 'skipped', string[]> = { written: [], copied: [], skipped: [] }

  function placesOf(role: string): RolePlaces {
    const places = layout.get(role)
    if (places === undefined) throw new ImageError('compatible', `this device has no place for the role ${role}`)
    return places
  }

  function heldBy(holder: Slot, role: string): StoredFile | undefined {
    const image = before.images[holder]
    return role === 'rootfs' ? image : image?.others.get(role)
  }

  return {
    files,
    deeds,

    /** Takes a file of the image. One that the head does not name is passed over, as SWUpdate does. */
    async take(entry: SwuEntry): Promise<void> {
      const payload = head.payloads.find(({ name }) => name === entry.name)
      if (payload === undefined) return
      const { role, sha256, version, compression } = payload
      const { [slot]: path, bytesMax } = placesOf(role)
      if (compression === 'none') {
        if (entry.sizeBytes > bytesMax)
          throw new ImageError('nospace', `${entry.name} has ${entry.sizeBytes} bytes, a slot takes ${bytesMax}`)
        const same = { sha256, sizeBytes: entry.sizeBytes }
        if (heldBy(slot, role)?.sha256 === sha256 && (await holds(storage, path, same, signal))) {
          await passOver(entry, payload, signal)
          deeds.skipped.push(role)
          files.set(role, { ...same, version })
          return
        }
      }
      await declareVoid()
      files.set(role, { ...(await writePayload(storage, { path, bytesMax }, entry, payload, signal)), version })
      deeds.written.push(role)
    },

    /** Takes what somebody else wrote, when it has been made durable and read back. */
    async adopt({ role, sha256, sizeBytes }: WrittenFile): Promise<void> {
      const payload = head.payloads.find(candidate => candidate.role === role)
      if (payload === undefined) throw new BackendError('io', `a file was written for the role ${role}, which the image does not have`)
      const { [slot]: path, bytesMax } = placesOf(role)
      if (sizeBytes > bytesMax) throw new ImageError('nospace', `${payload.name} has ${sizeBytes} bytes, a slot takes ${bytesMax}`)
      if (payload.compression === 'none' && sha256 !== payload.sha256)
        throw new ImageError('hash', `${payload.name} is not what the description says`)
      if (!(await holds(storage, path, { sha256, sizeBytes }))) throw new BackendError('io', 'the slot does not hold what was written')
      files.set(role, { sha256, sizeBytes, version: payload.version })
      deeds.written.push(role)
    },

    /** What the image leaves out has to be in one of the slots. Of a compressed file nobody knows the digest of its content. */
    async fill(): Promise<void> {
      for (const { name, role, sha256, version, compression } of head.payloads) {
        if (files.has(role)) continue
        const lacking = new ImageError('format', `the image lacks ${name}`)
        if (compression !== 'none') throw lacking
        const running = otherSlot(slot)
        const { [slot]: path, [running]: source, bytesMax } = placesOf(role)
        const [here, there] = [heldBy(slot, role), heldBy(running, role)]
        if (here?.sha256 === sha256 && (await holds(storage, path, here, signal))) {
          deeds.skipped.push(role)
          files.set(role, { sha256, sizeBytes: here.sizeBytes, version })
        } else if (there?.sha256 === sha256) {
          await declareVoid()
          const copied = await copyContent(storage, source, { path, bytesMax }, there, signal)
          if (copied === undefined) throw lacking
          deeds.copied.push(role)
          files.set(role, { ...copied, version })
        } else throw lacking
      }
    },
  }
}
