import type { Storage } from '../platform.ts'
import { type BootRecord, loadBootRecord, type Slot, saveBootRecord } from './bootRecord.ts'
import type { RecordPlace } from './environment.ts'

/** What a boot loader takes when it cannot read its record. */
const defaultSlot: Slot = 'A'

/** The slot that the next boot takes: the first that has tries left, else the confirmed one. */
export function nextSlot(record: BootRecord | undefined): Slot {
  return record?.order.find(slot => record.left[slot] > 0) ?? record?.confirmed ?? defaultSlot
}

/**
 * What a boot loader's script does at power-on: chooses the slot, and counts the try before it boots one that is not confirmed,
 * so that an image which never comes up is given up. Needs nothing of the service. Call it once for each start.
 */
export async function launch(storage: Storage, place: RecordPlace): Promise<Slot> {
  const record = await loadBootRecord(storage, place)
  const slot = nextSlot(record)
  if (record && slot !== record.confirmed) {
    await saveBootRecord(storage, place, { ...record, left: { ...record.left, [slot]: record.left[slot] - 1 } })
  }
  return slot
}
