import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Storage } from '../../platform/platform.ts'
import type { Check } from './health.ts'

const probeIn = (folder: string): string => join(folder, 'probe')

/** What a check has left that its process did not survive. */
export async function sweepProbe(storage: Storage, folder: string): Promise<void> {
  if (await storage.exists(probeIn(folder))) await storage.unlink(probeIn(folder))
}

/** The folder takes a file, keeps it and gives it back. Large enough for a block of any file system. */
const probeBytes = 4_096

export function storageCheck(storage: Storage, folder: string): Check {
  const path = probeIn(folder)
  return {
    name: 'storage',
    async run() {
      const probe = randomBytes(probeBytes)
      await storage.create(path)
      try {
        await storage.pwrite(path, 0, probe)
        await storage.fsync(path)
        const back = await storage.read(path, 0, Buffer.alloc(probeBytes))
        if (!back.equals(probe)) throw new Error('what was written is not what is read')
      } finally {
        await storage.unlink(path)
      }
    },
  }
}
