import { ImageError } from '../../platform/platform.ts'

/** Reads a stream by lengths that the caller knows. Holds one chunk of the source, never more. */
export interface ByteReader {
  /** Bytes handed out so far. */
  readonly offset: number
  /** Exactly `length` bytes. Throws ImageError `truncated` where the stream ends before. */
  take(length: number): Promise<Buffer>
  /** The next `length` bytes in the pieces in which they come. */
  pieces(length: number): AsyncGenerator<Uint8Array, void, undefined>
  /** Whatever is left; undefined at the end. */
  rest(): Promise<Uint8Array | undefined>
}

export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]()
  let held: Uint8Array = new Uint8Array(0)
  let offset = 0

  /** At most `length` bytes, at least one; undefined at the end of the stream. */
  async function some(length: number): Promise<Uint8Array | undefined> {
    while (held.length === 0) {
      const { done, value } = await iterator.next()
      if (done) return undefined
      held = value
    }
    const piece = held.length <= length ? held : held.subarray(0, length)
    held = held.subarray(piece.length)
    offset += piece.length
    return piece
  }

  async function* pieces(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0; ) {
      const piece = await some(left)
      if (piece === undefined) throw new ImageError('truncated', `the image ends at byte ${offset}, ${left} bytes too early`)
      left -= piece.length
      yield piece
    }
  }

  return {
    get offset() {
      return offset
    },
    pieces,
    rest: () => some(Number.MAX_SAFE_INTEGER),
    async take(length) {
      const bytes = Buffer.allocUnsafe(length)
      let filled = 0
      for await (const piece of pieces(length)) {
        bytes.set(piece, filled)
        filled += piece.length
      }
      return bytes
    },
  }
}
