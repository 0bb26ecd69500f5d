import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Storage } from '../../platform/platform.ts'
import type { Check } from './health.ts'

/** The folder takes a file, keeps it and gives it back. Large enough for a block of any file system. */
const probeBytes = 4_096

export function storageCheck(storage: Storage, folder: string): Check {
  const path = join(folder, 'probe')
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
