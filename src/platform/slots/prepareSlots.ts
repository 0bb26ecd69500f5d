import { createHash } from 'node:crypto'
import { limits } from '../../limits.ts'
import type { Storage } from '../platform.ts'
import { type BootRecord, hasBothCopies, loadBootRecord, saveBootRecord, slotFile } from './bootRecord.ts'

/** What the factory puts into slot A. */
export interface FactoryImage {
  readonly version: string
  readonly content: Uint8Array
}

/**
 * Makes the slots of a new device. The boot record comes last, its second copy behind the first: where a start was cut off
 * before, the next one begins again. Two copies that cannot be read are damage, which the launcher and the engine live with.
 */
export async function prepareSlots(storage: Storage, folder: string, { version, content }: FactoryImage): Promise<void> {
  if ((await loadBootRecord(storage, folder)) || (await hasBothCopies(storage, folder))) return
  for (const [slot, bytes] of [
    ['A', content],
    ['B', new Uint8Array(0)],
  ] as const) {
    const path = slotFile(folder, slot)
    await storage.create(path)
    await storage.pwrite(path, 0, bytes)
    await storage.fsync(path)
  }
  await storage.fsyncDir(folder)
  const record: BootRecord = {
    order: ['A'],
    left: { A: limits.bootTriesMax, B: 0 },
    confirmed: 'A',
    images: {
      A: { version, sha256: createHash('sha256').update(content).digest('hex'), sizeBytes: content.length, securityEpoch: 0 },
      B: undefined,
    },
    securityEpoch: 0,
    transaction: undefined,
    others: {},
  }
  await saveBootRecord(storage, folder, record)
  await saveBootRecord(storage, folder, record)
}
