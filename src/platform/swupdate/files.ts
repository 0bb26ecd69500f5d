import { createHash } from 'node:crypto'
import { createGunzip } from 'node:zlib'
import type { Swu, SwuEntry } from '../../device/firmware/swu.ts'
import { limits } from '../../limits.ts'
import { ImageError, type ImageHead, type Payload } from '../platform.ts'
import type { WrittenFile } from '../slots/target.ts'
import type { Content, Place } from '../slots/targetWriter.ts'

/** Reads the image to its end, which sends it. Gives what the slot has to hold then. */
export async function readFiles(swu: Swu, { payloads }: ImageHead, placeOf: (payload: Payload) => Place): Promise<readonly WrittenFile[]> {
  const files: WrittenFile[] = []
  for (let entry = await swu.next(); entry; entry = await swu.next()) {
    const { name } = entry
    const payload = payloads.find(known => known.name === name)
    // What the description does not name for this slot is passed over, here and by SWUpdate.
    if (payload === undefined) continue
    const { role } = payload
    files.push({ role, ...(await measure(entry, payload, placeOf(payload).bytesMax)) })
  }
  const missing = payloads.filter(({ role }) => !files.some(file => file.role === role))
  if (missing.length > 0) throw new ImageError('format', `the image lacks ${missing.map(({ name }) => name).join(', ')}`)
  return files
}

/** SWUpdate lets a slot that is a file grow, so the size is a matter of ours. */
async function measure(entry: SwuEntry, payload: Payload, bytesMax: number): Promise<Content> {
  const arriving = createHash('sha256')
  const content = payload.compression === 'gzip' ? unpacking(bytesMax) : counting(bytesMax)
  if (payload.compression === 'none') assertFits(entry.sizeBytes, bytesMax)
  for await (const piece of entry.content()) {
    arriving.update(piece)
    await content.take(piece)
  }
  // Bytes that were hurt on their way are told apart from bytes that were signed like that.
  if (arriving.digest('hex') !== payload.sha256) throw new ImageError('hash', `${entry.name} is not what the description says`)
  return content.end()
}

interface Measuring {
  take(piece: Uint8Array): Promise<void>
  end(): Promise<Content>
}

function counting(bytesMax: number): Measuring {
  const hash = createHash('sha256')
  let sizeBytes = 0
  return {
    async take(piece) {
      sizeBytes += piece.length
      assertFits(sizeBytes, bytesMax)
      hash.update(piece)
    },
    end: async () => ({ sha256: hash.digest('hex'), sizeBytes }),
  }
}

/** Takes no piece before the one in front of it has been unpacked, so that SWUpdate is never ahead. */
function unpacking(bytesMax: number): Measuring {
  const content = counting(bytesMax)
  const gunzip = createGunzip({ chunkSize: limits.slotChunkBytes })
  let failure: Error | undefined
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  gunzip.on('data', (piece: Buffer) => {
    content.take(piece).catch((error: Error) => gunzip.destroy(error))
  })
  gunzip.once('error', error => {
    failure =
      error instanceof ImageError ? error : new ImageError('format', 'a file of the image is not gzip, or not all of it', { cause: error })
  })
  gunzip.once('close', end)
  return {
    async take(piece) {
      if (failure instanceof ImageError && failure.reason === 'nospace') throw failure
      if (!gunzip.destroyed) await Promise.race([new Promise<void>(resolve => gunzip.write(piece, () => resolve())), ended])
    },
    async end() {
      gunzip.end()
      await ended
      if (failure) throw failure
      return content.end()
    },
  }
}

function assertFits(sizeBytes: number, bytesMax: number): void {
  if (sizeBytes > bytesMax) throw new ImageError('nospace', `a file has ${sizeBytes} bytes, its place in the slot takes ${bytesMax}`)
}
