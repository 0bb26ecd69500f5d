import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { isDiskFull } from '../../device/firmware/failures.ts'
import type { SwuEntry } from '../../device/firmware/swu.ts'
import { limits } from '../../limits.ts'
import { BackendError, ImageError, type Payload, type Storage } from '../platform.ts'
import { createSlotWriter, type SlotWriter } from './slotWriter.ts'

/** What stands at the beginning of a file. */
export interface Content {
  readonly sha256: string
  readonly sizeBytes: number
}

/** A file that is to be written, and how much it takes. */
export interface Place {
  readonly path: string
  readonly bytesMax: number
}

/** Writes what arrives. Throws ImageError `hash` and, where the content is larger than the place, `nospace`. */
export async function writePayload(
  storage: Storage,
  place: Place,
  entry: SwuEntry,
  payload: Payload,
  signal: AbortSignal,
): Promise<Content> {
  const differs = () => new ImageError('hash', `${entry.name} is not what the description says`)
  if (payload.compression === 'gzip') {
    return writing(storage, place, signal, async write => {
      if ((await gunzip(entry, payload, write)) !== payload.sha256) throw differs()
    })
  }
  // The writer hashes what it writes: a second time would cost as much as everything else together.
  const written = await writing(storage, place, signal, async write => {
    for await (const piece of entry.content()) {
      await write(piece)
      release(piece)
    }
  })
  if (written.sha256 !== payload.sha256) throw differs()
  return written
}

/** Writes what stands at the beginning of another file. Undefined where that is not `content`: the place is worth nothing then. */
export async function copyContent(
  storage: Storage,
  from: string,
  place: Place,
  content: Content,
  signal: AbortSignal,
): Promise<Content | undefined> {
  const written = await writing(storage, place, signal, async write => {
    for await (const piece of piecesOf(storage, from, content.sizeBytes)) await write(piece)
  })
  return written.sha256 === content.sha256 ? written : undefined
}

/** Proves by reading that a file begins with this content, durably. */
export async function holds(storage: Storage, path: string, { sha256, sizeBytes }: Content, signal?: AbortSignal): Promise<boolean> {
  await onDisk(() => storage.fsync(path))
  const hash = createHash('sha256')
  for await (const piece of piecesOf(storage, path, sizeBytes)) {
    signal?.throwIfAborted()
    hash.update(piece)
  }
  return hash.digest('hex') === sha256
}

/** Reads what need not be written, because it is there. Throws ImageError `hash`. */
export async function passOver(entry: SwuEntry, { sha256 }: Payload, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256')
  for await (const piece of entry.content()) {
    signal.throwIfAborted()
    hash.update(piece)
    release(piece)
  }
  if (hash.digest('hex') !== sha256) throw new ImageError('hash', `${entry.name} is not what the description says`)
}

type Write = (piece: Uint8Array) => Promise<void>

/**
 * Gives back the memory of a piece that is used up, if nothing else shares it. The collector lets some 30 MiB of them pile up, more
 * where it has become lazy: they weigh nothing on the heap by which it goes.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** The discipline of every write to a slot: bounded, synced, read back, and left alone when something goes wrong. */
async function writing(
  storage: Storage,
  { path, bytesMax }: Place,
  signal: AbortSignal,
  bring: (write: Write) => Promise<void>,
): Promise<Content> {
  const writer: SlotWriter = createSlotWriter(storage, path)
  let sizeBytes = 0
  try {
    await bring(piece => {
      signal.throwIfAborted()
      sizeBytes += piece.length
      if (sizeBytes > bytesMax) throw new ImageError('nospace', `the content is larger than the ${bytesMax} bytes of the slot`)
      return onDisk(() => writer.write(piece))
    })
    const written = await onDisk(() => writer.finish())
    signal.throwIfAborted()
    return written
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

/** SHA-256 of what arrived, which is the compressed form; it is unpacked as it comes, no faster than it is written. */
async function gunzip(entry: SwuEntry, payload: Payload, write: Write): Promise<string> {
  const hash = createHash('sha256')
  const arriving = entry.content()
  async function* compressed(): AsyncGenerator<Uint8Array, void, undefined> {
    // Not by `for await`: what is left of it is still needed when it cannot be unpacked.
    for (let next = await arriving.next(); !next.done; next = await arriving.next()) {
      hash.update(next.value)
      yield next.value
    }
  }
  try {
    await pipeline(compressed, createGunzip({ chunkSize: limits.slotChunkBytes }), async (unpacked: AsyncIterable<Buffer>) => {
      for await (const piece of unpacked) await write(piece)
    })
  } catch (error) {
    if (!isOfZlib(error)) throw error
    for await (const piece of arriving) hash.update(piece)
    const sha256 = hash.digest('hex')
    // Bytes that were hurt on their way are told apart from bytes that were signed like that.
    if (sha256 === payload.sha256) throw new ImageError('format', `${entry.name} is not gzip, or not all of it`, { cause: error })
    return sha256
  }
  return hash.digest('hex')
}

const isOfZlib = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')

async function* piecesOf(storage: Storage, path: string, sizeBytes: number): AsyncGenerator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(limits.slotChunkBytes)
  for (let offset = 0; offset < sizeBytes; ) {
    const piece = await onDisk(() => storage.read(path, offset, buffer.subarray(0, Math.min(buffer.length, sizeBytes - offset))))
    if (piece.length === 0) return
    yield piece
    offset += piece.length
  }
}

/** A failing disk is the device's fault, and a full one is told apart. */
export async function onDisk<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof BackendError) throw cause
    throw isDiskFull(cause)
      ? new BackendError('nospace', 'the disk is full', { cause })
      : new BackendError('io', 'the disk failed', { cause })
  }
}
