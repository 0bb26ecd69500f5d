import type { ImageStream } from './control.ts'
import type { Watch } from './watch.ts'

/** An image on its way through our own reader into SWUpdate. */
export interface Relay {
  /** For the reader. A piece goes on when the reader asks for the one behind it, so nothing goes on that it refuses. */
  readonly pieces: AsyncGenerator<Uint8Array, void, undefined>
  /** From now on pieces go there, first of all those that were read before. */
  connect(stream: ImageStream, watch: Watch): void
}

export function createRelay(image: AsyncIterable<Uint8Array>): Relay {
  /** The head of the image, as long as nobody may have it: bounded by what the reader takes for a head. */
  const held: Uint8Array[] = []
  let send = async (piece: Uint8Array): Promise<void> => {
    // The source may use its memory again.
    held.push(Uint8Array.from(piece))
  }

  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of image) {
      yield piece
      await send(piece)
    }
  }

  return {
    pieces: pieces(),
    connect(stream, watch) {
      send = async piece => {
        for (const next of [...held.splice(0), piece]) {
          await stream.write(next)
          watch.sign()
        }
      }
    },
  }
}
