import { createHash } from 'node:crypto'
import { limits } from '../../limits.ts'
import { BackendError, type Storage } from '../platform.ts'

/** Writes one stream from the beginning of a slot. */
export interface SlotWriter {
  write(piece: Uint8Array): Promise<void>
  /** When it returns, everything is durable and has been read back. */
  finish(): Promise<{ readonly sha256: string; readonly sizeBytes: number }>
  /** When it returns, nothing touches the slot any more. Never rejects. */
  abandon(): Promise<void>
}

/** A part of the slot that is written by now, and kept until it has been read back. */
interface Written {
  readonly offset: number
  readonly bytes: Buffer
}

/**
 * Three things go on at once: bytes arrive and are hashed, the chunk before them is being written, and the span before that is
 * synced and read back. Reading back compares with the bytes in memory instead of hashing again: SHA-256 has proved those
 * against the signed digest, what remains is that the disk keeps them, and comparing costs a tenth.
 */
export function createSlotWriter(storage: Storage, path: string): SlotWriter {
  const hash = createHash('sha256')
  const free: Buffer[] = []
  const compared = Buffer.allocUnsafeSlow(limits.slotChunkBytes)
  let sizeBytes = 0

  let chunk = take()
  let filled = 0
  /** The newest write. There is one at a time: two would only wait for each other, spinning on the lock of the file. */
  let writing: Promise<void> = Promise.resolve()
  /** The span that is being filled. */
  let span: Written[] = []
  /** The span before it, on its way to the disk. */
  let settling: Promise<void> = Promise.resolve()

  function take(): Buffer {
    return free.pop() ?? Buffer.allocUnsafeSlow(limits.slotChunkBytes)
  }

  async function submit(): Promise<void> {
    await writing
    const written = { offset: sizeBytes - filled, bytes: chunk.subarray(0, filled) }
    writing = heard(storage.pwrite(path, written.offset, written.bytes))
    span.push(written)
    filled = 0
    if (span.length * limits.slotChunkBytes >= limits.slotSyncBytes) await close()
    chunk = take()
  }

  /** Hands the span over to be settled, when the one before it is. */
  async function close(): Promise<void> {
    await settling
    settling = heard(settle(span, writing))
    span = []
  }

  async function settle(written: readonly Written[], last: Promise<void>): Promise<void> {
    await last
    // A failed sync is final: the kernel may have dropped the pages, and a second one would say that all is well.
    await storage.fsync(path)
    for (const { offset, bytes } of written) {
      const back = await storage.read(path, offset, compared.subarray(0, bytes.length))
      if (!back.equals(bytes)) throw new BackendError('io', `the slot does not hold what was written at byte ${offset}`)
      free.push(Buffer.from(bytes.buffer))
    }
  }

  return {
    async write(piece) {
      hash.update(piece)
      for (let taken = 0; taken < piece.length; ) {
        const part = piece.subarray(taken, taken + chunk.length - filled)
        chunk.set(part, filled)
        filled += part.length
        sizeBytes += part.length
        taken += part.length
        if (filled === chunk.length) await submit()
      }
    },

    async finish() {
      if (filled > 0) await submit()
      await close()
      await settling
      return { sha256: hash.digest('hex'), sizeBytes }
    },

    async abandon() {
      await Promise.allSettled([writing, settling])
      // Lets go of the file; whether its bytes are durable matters to nobody any more.
      await storage.fsync(path).catch(() => {})
    },
  }
}

/** Marks a promise as looked after: its rejection is met where it is awaited, which may be later. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
