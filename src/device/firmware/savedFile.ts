import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Storage } from '../../platform/platform.ts'

/** A small JSON value in one file, which is there as a whole or not at all. */
export interface SavedFile {
  /** Undefined where there is none, or it is damaged: whoever asks has to get along without. */
  load(): Promise<unknown>
  /** When it returns, the value survives a power cut. */
  save(value: unknown): Promise<void>
}

/** Eight hexadecimal digits of CRC-32, then JSON; written beside, synced, renamed, and the name synced. */
export function createSavedFile(storage: Storage, folder: string, name: string, bytesMax: number): SavedFile {
  const path = join(folder, name)
  const temporary = `${path}.new`
  /** One save after the other: they share the file beside. */
  let turn: Promise<void> = Promise.resolve()

  async function write(text: string): Promise<void> {
    await storage.create(temporary)
    await storage.pwrite(temporary, 0, Buffer.from(text))
    await storage.fsync(temporary)
    await storage.rename(temporary, path)
    await storage.fsyncDir(folder)
  }

  return {
    async load() {
      if (!(await storage.exists(path))) return undefined
      const text = (await storage.read(path, 0, Buffer.alloc(bytesMax))).toString('utf8')
      const json = text.slice(8)
      if (checksum(json) !== text.slice(0, 8)) return undefined
      return JSON.parse(json)
    },

    save(value) {
      const json = JSON.stringify(value)
      const saved = turn.then(() => write(checksum(json) + json))
      turn = saved.catch(() => {})
      return saved
    },
  }
}

const checksum = (json: string): string => crc32(json).toString(16).padStart(8, '0')
