import { type FileHandle, mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Storage } from './platform.ts'

/** A file that is being written: its handle stays open until it is synced, renamed or removed, and nobody uses it any more. */
interface OpenFile {
  readonly handle: Promise<FileHandle>
  users: number
  finished: boolean
}

/** The disk. Files can be read by their owner alone; folders are made as they are needed. */
export function createFileStorage(): Storage {
  const files = new Map<string, OpenFile>()

  /** Where the file cannot be opened, every user of this attempt gets the error, and the next one tries again. */
  function openFile(path: string, flags: 'r+' | 'w+'): OpenFile {
    const file: OpenFile = { handle: open(path, flags, 0o600), users: 0, finished: flags === 'r+' }
    files.set(path, file)
    return file
  }

  async function use<T>(path: string, file: OpenFile, act: (handle: FileHandle) => Promise<T>): Promise<T> {
    file.users += 1
    try {
      return await act(await file.handle)
    } catch (error) {
      file.finished = true
      throw error
    } finally {
      file.users -= 1
      if (file.users === 0 && file.finished) await close(path, file)
    }
  }

  async function close(path: string, file: OpenFile): Promise<void> {
    if (files.get(path) === file) files.delete(path)
    // Whoever wanted to use a file that could not be opened has been told.
    const handle = await file.handle.catch(() => undefined)
    await handle?.close()
  }

  async function finish(path: string): Promise<void> {
    const file = files.get(path)
    if (file === undefined) return
    files.delete(path)
    file.finished = true
    if (file.users === 0) await close(path, file)
  }

  return {
    async create(path, sizeBytes = 0) {
      await finish(path)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const file = openFile(path, 'w+')
      // A block device is there already and keeps its size; opening it to make it empty does nothing (open(2), O_TRUNC).
      await use(path, file, async handle => {
        if ((await handle.stat()).isFile()) await handle.truncate(sizeBytes)
      })
    },

    async pwrite(path, offset, bytes) {
      const file = files.get(path) ?? openFile(path, 'r+')
      file.finished = false
      await use(path, file, async handle => {
        for (let written = 0; written < bytes.length; ) {
          written += (await handle.write(bytes, written, bytes.length - written, offset + written)).bytesWritten
        }
      })
    },

    async fsync(path) {
      const file = files.get(path) ?? openFile(path, 'r+')
      await use(path, file, handle => {
        file.finished = true
        // Without the times: the bytes, and what it takes to find them.
        return handle.datasync()
      })
    },

    async rename(from, to) {
      await Promise.all([finish(from), finish(to)])
      await rename(from, to)
    },

    async fsyncDir(path) {
      const handle = await open(path, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    },

    async unlink(path) {
      await finish(path)
      await unlink(path)
    },

    async read(path, offset, into) {
      const file = files.get(path)
      if (file) return use(path, file, handle => readFully(handle, into, offset))
      const handle = await open(path, 'r')
      try {
        return await readFully(handle, into, offset)
      } finally {
        await handle.close()
      }
    },

    async exists(path) {
      try {
        await stat(path)
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
        throw error
      }
    },
  }
}

async function readFully(handle: FileHandle, buffer: Buffer, offset: number): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
