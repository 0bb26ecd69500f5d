import type { Clock } from '../../platform/platform.ts'
import { boundedBody, UploadRefusal, type UploadRequest } from '../upload.ts'

type Connection = Pick<UploadRequest, 'lengthBytes' | 'signal'>

interface Attached extends Connection {
  readonly body: AsyncIterable<Uint8Array>
  readonly taken: PromiseWithResolvers<void>
}

interface FeedParts {
  readonly clock: Clock
  readonly bytesMax: number
  /** Asked with what broke a connection: may another one bring the rest? */
  readonly mayGoOn: (refusal: UploadRefusal) => boolean
  /** Told whenever there are more. */
  readonly received: () => void
}

export type UploadFeed = ReturnType<typeof createUploadFeed>

/** One image as an unbroken stream of bytes, over as many connections as it takes. */
export function createUploadFeed({ clock, bytesMax, mayGoOn, received }: FeedParts) {
  const ended = new AbortController()
  let next = expected()
  let receivedBytes = 0
  let isWaiting = true

  async function* piecesOf({ body, lengthBytes, signal }: Attached): AsyncGenerator<Uint8Array, void, undefined> {
    const either = AbortSignal.any([signal, ended.signal])
    for await (const piece of boundedBody(body, { clock, signal: either, lengthBytes, bytesMax: bytesMax - receivedBytes })) {
      receivedBytes += piece.length
      received()
      yield piece
    }
  }

  return {
    /** To be read once, by the engine. Throws UploadRefusal where no other connection may bring the rest, and what `end` was told. */
    async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        const connection = await next.promise
        next = expected()
        try {
          return yield* piecesOf(connection)
        } catch (error) {
          isWaiting = isBroken(error) && !ended.signal.aborted && mayGoOn(error)
          connection.taken.reject(error)
          if (!isWaiting) throw error
        } finally {
          connection.taken.resolve()
        }
      }
    },

    /** Takes the bytes of a connection; resolves when they are all there, rejects when it broke. */
    attach(connection: Connection, body: AsyncIterable<Uint8Array>): Promise<void> {
      const taken = Promise.withResolvers<void>()
      isWaiting = false
      next.resolve({ ...connection, body, taken })
      return taken.promise
    },

    /** No more bytes: the reader gets this error. */
    end(reason: Error): void {
      isWaiting = false
      ended.abort(reason)
      next.reject(reason)
    },

    get receivedBytes(): number {
      return receivedBytes
    },

    /** Whether a connection that brings the rest is waited for. */
    get isWaiting(): boolean {
      return isWaiting
    },
  }
}

/** A connection that may never come: that it is called off is met where it is awaited, if anybody still does. */
function expected(): PromiseWithResolvers<Attached> {
  const next = Promise.withResolvers<Attached>()
  next.promise.catch(() => {})
  return next
}

/** The connection is gone, or its client silent: the bytes that came are as good as ever. */
const isBroken = (error: unknown): error is UploadRefusal =>
  error instanceof UploadRefusal && (error.status === 400 || error.status === 408)
