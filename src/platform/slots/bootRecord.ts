import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { limits } from '../../limits.ts'
import type { Storage } from '../platform.ts'

export const slotIds = ['A', 'B'] as const
export type Slot = (typeof slotIds)[number]

export const otherSlot = (slot: Slot): Slot => (slot === 'A' ? 'B' : 'A')
export const slotFile = (folder: string, slot: Slot): string => join(folder, `slot-${slot.toLowerCase()}.img`)

/** A complete image in a slot. */
export interface SlotImage {
  readonly version: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly securityEpoch: number
}

/**
 * What the boot loader goes by. It is kept as a redundant environment of U-Boot, under the names that RAUC uses, so that
 * fw_printenv, fw_setenv and a boot script can read and write it.
 */
export interface BootRecord {
  /** BOOT_ORDER: the slots to try, first one first. */
  readonly order: readonly Slot[]
  /** BOOT_A_LEFT, BOOT_B_LEFT: tries that a slot still has; the confirmed one needs none. */
  readonly left: Readonly<Record<Slot, number>>
  /** CONFIRMED: the slot that last passed its self-check. */
  readonly confirmed: Slot
  /** A_SHA, A_VERSION, A_SIZE, A_EPOCH, and the same for B. */
  readonly images: Readonly<Record<Slot, SlotImage | undefined>>
  /** EPOCH: the lowest security epoch that may be installed; raised with a confirmation, never lowered. */
  readonly securityEpoch: number
  /** TXID: the upgrade that is under way in the slot that is not confirmed. */
  readonly transaction: string | undefined
  /** What other programs keep here. */
  readonly others: Readonly<Record<string, string>>
}

/** Two copies, the newer valid one counts; a torn write costs the older one only. */
const copies = (folder: string): readonly [string, string] => [join(folder, 'env0.bin'), join(folder, 'env1.bin')]

/** Undefined where neither copy can be read: only damage does that, never a power cut. */
export async function loadBootRecord(storage: Storage, folder: string): Promise<BootRecord | undefined> {
  return newest(await Promise.all(copies(folder).map(path => readCopy(storage, path))))?.record
}

/** Writes over the older copy and syncs it: afterwards the new record counts, and until then the old one. */
export async function saveBootRecord(storage: Storage, folder: string, record: BootRecord): Promise<void> {
  const found = await Promise.all(copies(folder).map(path => readCopy(storage, path)))
  const current = newest(found)
  const path = copies(folder)[found[0] !== undefined && current === found[0] ? 1 : 0]
  const isNew = !(await storage.exists(path))
  if (isNew) await storage.create(path, limits.bootRecordBytes)
  await storage.pwrite(path, 0, serialize(record, current ? (current.flag + 1) & 0xff : 1))
  await storage.fsync(path)
  if (isNew) await storage.fsyncDir(folder)
}

/** Both copies are there as files, readable or not. */
export const hasBothCopies = async (storage: Storage, folder: string): Promise<boolean> =>
  (await Promise.all(copies(folder).map(path => storage.exists(path)))).every(there => there)

interface Copy {
  readonly record: BootRecord
  /** Counts the writes, modulo 256. */
  readonly flag: number
}

function newest(found: readonly (Copy | undefined)[]): Copy | undefined {
  const [first, second] = found
  if (first === undefined || second === undefined) return first ?? second
  return ((second.flag - first.flag) & 0xff) < 0x80 && second.flag !== first.flag ? second : first
}

async function readCopy(storage: Storage, path: string): Promise<Copy | undefined> {
  if (!(await storage.exists(path))) return undefined
  const bytes = await storage.read(path, 0, Buffer.alloc(limits.bootRecordBytes))
  if (bytes.length < 6) return undefined
  const data = bytes.subarray(5)
  if (crc32(data) !== bytes.readUInt32LE(0)) return undefined
  const end = data.indexOf('\0\0')
  const lines = data.toString('latin1', 0, end === -1 ? data.length : end).split('\0')
  const variables = new Map(
    lines.filter(line => line.includes('=')).map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const record = parse(variables)
  return record && { record, flag: bytes.readUInt8(4) }
}

/** `crc32 | flag | name=value NUL … NUL`; the checksum covers everything behind the flag. */
function serialize(record: BootRecord, flag: number): Buffer {
  const lines = [...variablesOf(record)].map(([name, value]) => `${name}=${value}`)
  if (lines.some(line => line.includes('\0'))) throw new Error('a NUL in a value of the boot record')
  const text = lines.map(line => `${line}\0`).join('')
  const bytes = Buffer.alloc(limits.bootRecordBytes)
  if (5 + text.length + 1 > bytes.length) throw new Error('the boot record is full')
  bytes.writeUInt8(flag, 4)
  bytes.write(text, 5, 'latin1')
  bytes.writeUInt32LE(crc32(bytes.subarray(5)), 0)
  return bytes
}

function parse(variables: Map<string, string>): BootRecord | undefined {
  const take = (name: string): string | undefined => {
    const value = variables.get(name)
    variables.delete(name)
    return value
  }
  const number = (name: string): number => Number.parseInt(take(name) ?? '0', 10) || 0
  const image = (slot: Slot): SlotImage | undefined => {
    const [sha256, version] = [take(`${slot}_SHA`), take(`${slot}_VERSION`)]
    const [sizeBytes, securityEpoch] = [number(`${slot}_SIZE`), number(`${slot}_EPOCH`)]
    return sha256 === undefined || version === undefined ? undefined : { version, sha256, sizeBytes, securityEpoch }
  }
  const confirmed = slotIds.find(slot => slot === variables.get('CONFIRMED'))
  variables.delete('CONFIRMED')
  if (confirmed === undefined) return undefined
  return {
    confirmed,
    order: (take('BOOT_ORDER') ?? '').split(' ').flatMap(name => slotIds.filter(slot => slot === name)),
    left: { A: number('BOOT_A_LEFT'), B: number('BOOT_B_LEFT') },
    images: { A: image('A'), B: image('B') },
    securityEpoch: number('EPOCH'),
    transaction: take('TXID'),
    others: Object.fromEntries(variables),
  }
}

function* variablesOf(record: BootRecord): Generator<readonly [name: string, value: string | number]> {
  yield* Object.entries(record.others)
  yield ['BOOT_ORDER', record.order.join(' ')]
  for (const slot of slotIds) {
    yield [`BOOT_${slot}_LEFT`, record.left[slot]]
    const image = record.images[slot]
    if (image === undefined) continue
    yield [`${slot}_SHA`, image.sha256]
    yield [`${slot}_VERSION`, image.version]
    yield [`${slot}_SIZE`, image.sizeBytes]
    yield [`${slot}_EPOCH`, image.securityEpoch]
  }
  yield ['CONFIRMED', record.confirmed]
  yield ['EPOCH', record.securityEpoch]
  if (record.transaction !== undefined) yield ['TXID', record.transaction]
}
