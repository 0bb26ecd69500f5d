import { createHash } from 'node:crypto'
import { limits } from '../../limits.ts'
import type { Storage } from '../platform.ts'
import { type BootRecord, loadBootRecord, saveBootRecord, slotFile, slotIds } from './bootRecord.ts'
import { hasBothCopies } from './environment.ts'

/** What the factory puts into slot A. */
export interface FactoryImage {
  readonly version: string
  readonly content: Uint8Array
}

/**
 * Makes the slots of a new virtual device. The boot record comes last, its second copy behind the first: where a start was cut
 * off before, the next one begins again. Two copies that cannot be read are damage, which the launcher and the engine live with.
 */
export async function prepareSlots(storage: Storage, folder: string, { version, content }: FactoryImage): Promise<void> {
  const isPrepared = (await loadBootRecord(storage, folder)) !== undefined || (await hasBothCopies(storage, folder))
  const files = [
    ...(isPrepared ? [] : [{ path: slotFile(folder, 'A'), bytes: content }, { path: slotFile(folder, 'B') }]),
    ...slotIds.map(slot => ({ path: slotFile(folder, slot, 'app') })),
  ]
  let isNew = false
  for (const { path, bytes = new Uint8Array(0) } of files) {
    // A device of an earlier version has no files for an application yet; what it has is left alone.
    if (isPrepared && (await storage.exists(path))) continue
    isNew = true
    await storage.create(path)
    await storage.pwrite(path, 0, bytes)
    await storage.fsync(path)
  }
  if (isNew) await storage.fsyncDir(folder)
  if (isPrepared) return
  const sha256 = createHash('sha256').update(content).digest('hex')
  const record: BootRecord = {
    order: ['A'],
    left: { A: limits.bootTriesMax, B: 0 },
    confirmed: 'A',
    images: { A: { version, sha256, sizeBytes: content.length, securityEpoch: 0, others: new Map() }, B: undefined },
    securityEpoch: 0,
    transaction: undefined,
  }
  await saveBootRecord(storage, folder, record)
  await saveBootRecord(storage, folder, record)
}
