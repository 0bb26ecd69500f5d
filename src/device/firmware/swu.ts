import { limits } from '../../limits.ts'
import { ImageError } from '../../platform/platform.ts'
import { createByteReader } from './byteReader.ts'
import { type CpioEntry, cpioHeaderBytes, cpioPadding, cpioTrailer, parseCpioHeader, parseCpioName } from './cpio.ts'

export const descriptionName = 'sw-description'
export const signatureName = 'sw-description.sig'

/** A SWU image as SWUpdate reads it: what is in it, then the signature over that, then the files; nothing is ever buffered whole. */
export interface Swu {
  readonly description: Buffer
  readonly signature: Buffer
  /** The next file, or undefined behind the last. Skips what was left unread of the one before. */
  next(): Promise<SwuEntry | undefined>
}

export interface SwuEntry extends CpioEntry {
  /** Content in the pieces in which it arrives; to be read once, before the next `next()`. */
  content(): AsyncGenerator<Uint8Array, void, undefined>
}

/**
 * Reads the head of an image. The byte sums of the cpio headers are not compared: every file that is used has a SHA-256 in
 * the signed description, which says more. Throws ImageError `format`, `truncated`, or `signature` where there is none.
 */
export async function openSwu(source: AsyncIterable<Uint8Array>): Promise<Swu> {
  const reader = createByteReader(source)
  const names = new Set<string>()
  let unread: AsyncGenerator<Uint8Array, void, undefined> | undefined

  async function header(): Promise<CpioEntry> {
    const { sizeBytes, nameBytes } = parseCpioHeader(await reader.take(cpioHeaderBytes))
    const name = parseCpioName(await reader.take(nameBytes))
    await reader.take(cpioPadding(cpioHeaderBytes + nameBytes))
    if (names.has(name)) throw new ImageError('format', 'a file stands twice in the image')
    names.add(name)
    if (names.size > limits.imageEntriesMax + 1) throw new ImageError('format', `more than ${limits.imageEntriesMax} files in the image`)
    return { name, sizeBytes }
  }

  async function small(name: string, bytesMax: number, missing: ImageError): Promise<Buffer> {
    const entry = await header()
    if (entry.name !== name) throw missing
    if (entry.sizeBytes > bytesMax) throw new ImageError('format', `${name} has ${entry.sizeBytes} bytes, ${bytesMax} are the most`)
    const content = await reader.take(entry.sizeBytes)
    await reader.take(cpioPadding(entry.sizeBytes))
    return content
  }

  async function* content(sizeBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    yield* reader.pieces(sizeBytes)
    await reader.take(cpioPadding(sizeBytes))
  }

  /** Zeroes that fill the last block of the archive are no content; anything else behind the trailer was not meant to be there. */
  async function assertEnd(): Promise<void> {
    for (let padding = 0; ; ) {
      const rest = await reader.rest()
      if (rest === undefined) return
      padding += rest.length
      if (padding > limits.imagePaddingBytesMax || rest.some(byte => byte !== 0))
        throw new ImageError('format', 'the image goes on behind its end')
    }
  }

  const description = await small(
    descriptionName,
    limits.imageDescriptionBytesMax,
    new ImageError('format', `an image begins with the file ${descriptionName}`),
  )
  const signature = await small(
    signatureName,
    limits.imageSignatureBytesMax,
    new ImageError('signature', `the image is not signed: its second file has to be ${signatureName}`),
  )

  return {
    description,
    signature,
    async next() {
      if (unread) for await (const _ of unread);
      const { name, sizeBytes } = await header()
      if (name === cpioTrailer) {
        unread = undefined
        await assertEnd()
        return undefined
      }
      const pieces = content(sizeBytes)
      unread = pieces
      return { name, sizeBytes, content: () => pieces }
    },
  }
}
