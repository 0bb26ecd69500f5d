import { join } from 'node:path'
import { limits } from '../../limits.ts'
import type { Storage } from '../../platform/platform.ts'
import { isDiskFull } from './failures.ts'

/** Space that is kept for the journal: a file that is given up where the disk is full, so that the end of an upgrade can be written. */
export function createReserve(storage: Storage, folder: string) {
  const path = join(folder, 'reserve')

  /** Makes sure of the space. False where there is none at present, which must not keep anybody from anything. */
  async function prepare(): Promise<boolean> {
    if (await storage.exists(path)) return true
    const unfinished = `${path}.new`
    try {
      await storage.create(unfinished)
      // Written and not only sized: a hole in a file reserves nothing. Not zeroes, which some file systems keep as a hole.
      await storage.pwrite(unfinished, 0, Buffer.alloc(limits.journalReserveBytes, 'reserved'))
      await storage.fsync(unfinished)
      await storage.rename(unfinished, path)
      await storage.fsyncDir(folder)
      return true
    } catch (error) {
      // Half a reserve would take the last space from what it is there for.
      if (await storage.exists(unfinished)) await storage.unlink(unfinished).catch(() => {})
      if (isDiskFull(error)) return false
      throw error
    }
  }

  /** Gives the space back. False where there was none. */
  async function release(): Promise<boolean> {
    if (!(await storage.exists(path))) return false
    await storage.unlink(path)
    // On some file systems the space is free only when the name is gone for good.
    await storage.fsyncDir(folder)
    return true
  }

  return {
    prepare,
    release,

    /** Writes, and where the disk is full once more without the reserve. Throws what the last try threw. */
    async spend<T>(write: () => Promise<T>): Promise<T> {
      try {
        return await write()
      } catch (error) {
        if (!isDiskFull(error) || !(await release())) throw error
        return await write()
      }
    },
  }
}
