import type { IncomingMessage } from 'node:http'
import { UploadRefusal } from '../device/upload.ts'

/** What a source has for its reader now; it throws where the body is bad. */
export type Poll = () => Buffer | 'later' | 'end'

/** Where the bytes come from: all of the body, or the one file of a form. */
export interface Source {
  readonly poll: Poll
  /** Begins to read; `ring` is called when there may be something new. */
  attach(ring: () => void): void
  /** Leaves the rest of the body to whoever reads next. */
  detach(): void
}

/** Piece by piece as Node has them from the socket: `read()` would put several into a new buffer, which costs a third of the CPU. */
export function wholeBody(request: IncomingMessage): Source {
  let ring = () => {}
  let next: Buffer | undefined
  const onData = (piece: Buffer) => {
    next = piece
    request.pause()
    ring()
  }
  return {
    poll() {
      const piece = next
      next = undefined
      if (piece !== undefined) return piece
      if (request.readableEnded) return 'end'
      request.resume()
      return 'later'
    },
    attach(bell) {
      ring = bell
      request.on('data', onData).on('end', ring)
    },
    detach() {
      request.off('data', onData).off('end', ring)
    },
  }
}

/**
 * The body of one upload on its way in. `signal` is aborted when the client hangs up or the device stops; its reason is the
 * UploadRefusal to answer with. In contrast to a stream's own iterator it leaves the connection alive when its reader stops early,
 * because an answer has yet to go out on it. The time that a client takes is the reader's business.
 */
export class Intake {
  readonly #controller = new AbortController()
  readonly #request: IncomingMessage
  readonly #stopping: AbortSignal
  #over = false
  #wake = () => {}

  constructor(request: IncomingMessage, stopping: AbortSignal) {
    this.#request = request
    this.#stopping = stopping
    request.once('close', this.#onClose)
    stopping.addEventListener('abort', this.#onStop)
    if (stopping.aborted) this.#onStop()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** To be called when `poll` may have something new. */
  readonly ring = (): void => this.#wake()

  /** The bytes of the body, each when it is asked for. Throws the reason of `signal`. */
  async *pieces(poll: Poll): AsyncGenerator<Buffer, void, void> {
    while (!this.#over) {
      this.signal.throwIfAborted()
      const piece = poll()
      if (piece === 'end') return
      if (piece === 'later')
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
      else yield piece
    }
  }

  /** Nobody reads any more. */
  end(): void {
    this.#over = true
    this.#request.off('close', this.#onClose)
    this.#stopping.removeEventListener('abort', this.#onStop)
    this.ring()
  }

  readonly #onStop = (): void => this.#breakOff(new UploadRefusal(503, 'aborted', 'the device is stopping'))

  /** A client that leaves when it has sent everything leaves the device to its work: the upload is complete (Core 8.3.9). */
  readonly #onClose = (): void => {
    if (!this.#request.complete) this.#breakOff(new UploadRefusal(400, 'lost', 'the connection broke'))
  }

  #breakOff(refusal: UploadRefusal): void {
    this.#controller.abort(refusal)
    this.ring()
  }
}
