import type { IncomingMessage } from 'node:http'
import { UploadRefusal } from '../device/upload.ts'
import type { ArrivingBody } from '../soap/message.ts'
import type { Room } from './bodies.ts'
import { occupy, vacate } from './held.ts'
import { Intake, wholeBody } from './intake.ts'
import type { Terms } from './reply.ts'

const reasons = { 408: 'timeout', 413: 'nospace', 503: 'busy' } as const

/** The body of a SOAP request that is too large to be collected, from its first byte on. */
export class Arrival implements ArrivingBody {
  readonly lengthBytes: number | undefined
  readonly bytes: AsyncIterable<Uint8Array>
  readonly #terms: Terms
  readonly #request: IncomingMessage
  readonly #intake: Intake
  readonly #source
  readonly #room: Room
  readonly #onAdmitted: () => void
  #isAdmitted = false
  #refusal: UploadRefusal | undefined

  /** `beginning` is what was read of it; `bytesMax` holds until it is admitted. */
  constructor(terms: Terms, request: IncomingMessage, beginning: Buffer, bytesMax: number, room: Room, onAdmitted: () => void) {
    const length = request.headers['content-length']
    this.lengthBytes = length === undefined ? undefined : Number(length)
    this.#terms = terms
    this.#request = request
    this.#room = room
    this.#onAdmitted = onAdmitted
    this.#intake = new Intake(request, terms.stopping)
    this.#source = wholeBody(request)
    this.#source.attach(this.#intake.ring)
    this.bytes = this.#read(beginning, bytesMax)
  }

  get signal(): AbortSignal {
    return this.#intake.signal
  }

  /** What the client is to be told instead of the service's answer, which knows only that the message broke off. */
  get refusal(): UploadRefusal | undefined {
    return this.#refusal
  }

  admit(): void {
    this.#isAdmitted = true
    // From here on the device may be busy for minutes with nothing to be read or written.
    occupy(this.#request.socket)
    this.#room.leave()
    this.#onAdmitted()
  }

  /** Nobody reads any more: the rest of the body is left to whoever answers. */
  end(): void {
    this.#intake.end()
    this.#source.detach()
    vacate(this.#request.socket, this.#terms.bounds)
    if (this.#request.complete) this.#request.resume()
  }

  async *#read(beginning: Buffer, bytesMax: number): AsyncGenerator<Uint8Array, void, undefined> {
    const deadline = performance.now() + this.#terms.bounds.requestTimeoutMs
    let bytes = beginning.length
    if (bytes > 0) yield beginning
    // Asked for more than anybody may send whom nobody knows.
    this.#check(bytes <= bytesMax, 413, 'the message is too large')
    for await (const piece of this.#intake.pieces(this.#source.poll)) {
      this.#check(performance.now() <= deadline, 408, 'the message took too long')
      bytes += piece.length
      if (!this.#isAdmitted) this.#check(this.#room.fits(bytes), 503, 'too many large messages at a time')
      yield piece
      this.#check(bytes <= bytesMax, 413, 'the message is too large')
    }
  }

  #check(isFine: boolean, status: keyof typeof reasons, message: string): void {
    if (isFine || this.#isAdmitted) return
    this.#refusal = new UploadRefusal(status, reasons[status], message)
    throw this.#refusal
  }
}
