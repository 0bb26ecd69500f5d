import { join } from 'node:path'
import type { Storage } from '../platform.ts'
import { type RecordPlace, readEnvironment, writeEnvironment } from './environment.ts'

export const slotIds = ['A', 'B'] as const
export type Slot = (typeof slotIds)[number]

export const otherSlot = (slot: Slot): Slot => (slot === 'A' ? 'B' : 'A')

/** Where a virtual device keeps the file with this role. */
export const slotFile = (folder: string, slot: Slot, role = 'rootfs'): string =>
  join(folder, `slot-${slot.toLowerCase()}${role === 'rootfs' ? '' : `-${role}`}.img`)

/** A file that a slot holds as a whole. Digest and size are those of the content, also where it came compressed. */
export interface StoredFile {
  readonly sha256: string
  readonly sizeBytes: number
  readonly version: string | undefined
}

/** A complete image in a slot; digest and size are those of its root file system. */
export interface SlotImage {
  readonly version: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly securityEpoch: number
  /** By role, what it holds besides. */
  readonly others: ReadonlyMap<string, StoredFile>
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
  /** A_SHA, A_VERSION, A_SIZE, A_EPOCH, for the role app A_APP_SHA, A_APP_VERSION, A_APP_SIZE, and the same for B. */
  readonly images: Readonly<Record<Slot, SlotImage | undefined>>
  /** EPOCH: the lowest security epoch that may be installed; raised with a confirmation, never lowered. */
  readonly securityEpoch: number
  /** TXID: the upgrade that is under way in the slot that is not confirmed. */
  readonly transaction: string | undefined
}

/** Undefined where neither copy can be read, and where what can be read does not say which slot is confirmed. */
export async function loadBootRecord(storage: Storage, place: RecordPlace): Promise<BootRecord | undefined> {
  const { variables } = await readEnvironment(storage, place)
  return variables && parse(new Map(variables)).record
}

/** One write: until it is done the old record counts. What other programs keep there stays. */
export async function saveBootRecord(storage: Storage, place: RecordPlace, record: BootRecord): Promise<void> {
  const { variables } = await readEnvironment(storage, place)
  await writeEnvironment(storage, place, [...parse(new Map(variables)).others, ...variablesOf(record)])
}

/** What is ours is taken out of `variables`, what is left belongs to others. */
function parse(variables: Map<string, string>): { readonly record: BootRecord | undefined; readonly others: ReadonlyMap<string, string> } {
  const take = (name: string): string | undefined => {
    const value = variables.get(name)
    variables.delete(name)
    return value
  }
  const number = (name: string): number => Number.parseInt(take(name) ?? '0', 10) || 0
  const image = (slot: Slot): SlotImage | undefined => {
    const others = new Map<string, StoredFile>()
    for (const [name, sha256] of [...variables]) {
      const prefix = `${slot}_${roleIn(slot, name)}`
      // Somebody else may use such a name, and then for something else.
      if (!/^[0-9a-f]{64}$/.test(sha256) || !/^\d+$/.test(variables.get(`${prefix}_SIZE`) ?? '')) continue
      variables.delete(name)
      const role = prefix.slice(2).toLowerCase().replaceAll('_', '-')
      others.set(role, { sha256, sizeBytes: number(`${prefix}_SIZE`), version: take(`${prefix}_VERSION`) })
    }
    const [sha256, version] = [take(`${slot}_SHA`), take(`${slot}_VERSION`)]
    const [sizeBytes, securityEpoch] = [number(`${slot}_SIZE`), number(`${slot}_EPOCH`)]
    return sha256 === undefined || version === undefined ? undefined : { version, sha256, sizeBytes, securityEpoch, others }
  }
  const given = take('CONFIRMED')
  const confirmed = slotIds.find(slot => slot === given)
  const rest = {
    order: (take('BOOT_ORDER') ?? '').split(' ').flatMap(name => slotIds.filter(slot => slot === name)),
    left: { A: number('BOOT_A_LEFT'), B: number('BOOT_B_LEFT') },
    images: { A: image('A'), B: image('B') },
    securityEpoch: number('EPOCH'),
    transaction: take('TXID'),
  }
  return { record: confirmed && { confirmed, ...rest }, others: variables }
}

/** A shell can name the variables: no dashes. */
const prefixOf = (slot: Slot, role: string): string => `${slot}_${role.toUpperCase().replaceAll('-', '_')}`

/** `APP` for A_APP_SHA. */
const roleIn = (slot: Slot, name: string): string | undefined =>
  name.startsWith(`${slot}_`) ? /^._([A-Z][A-Z0-9_]*)_SHA$/.exec(name)?.[1] : undefined

function* variablesOf(record: BootRecord): Generator<readonly [name: string, value: string]> {
  yield ['BOOT_ORDER', record.order.join(' ')]
  for (const slot of slotIds) {
    yield [`BOOT_${slot}_LEFT`, String(record.left[slot])]
    const image = record.images[slot]
    if (image === undefined) continue
    yield [`${slot}_SHA`, image.sha256]
    yield [`${slot}_VERSION`, image.version]
    yield [`${slot}_SIZE`, String(image.sizeBytes)]
    yield [`${slot}_EPOCH`, String(image.securityEpoch)]
    for (const [role, { sha256, sizeBytes, version }] of image.others) {
      yield [`${prefixOf(slot, role)}_SHA`, sha256]
      yield [`${prefixOf(slot, role)}_SIZE`, String(sizeBytes)]
      if (version !== undefined) yield [`${prefixOf(slot, role)}_VERSION`, version]
    }
  }
  yield ['CONFIRMED', record.confirmed]
  yield ['EPOCH', String(record.securityEpoch)]
  if (record.transaction !== undefined) yield ['TXID', record.transaction]
}
