import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { limits } from '../limits.ts'
import type { Clock } from '../platform/platform.ts'

/** Why an upload got no 200, as an HTTP status and a first word for programs; `message` is for the person. */
export class UploadRefusal extends Error {
  override readonly name = 'UploadRefusal'
  readonly status: 400 | 404 | 408 | 409 | 410 | 413 | 415 | 416 | 500 | 503
  readonly reason: string
  /** Id of the transaction that the upload belonged to, if it came that far. */
  readonly transaction: string | undefined

  constructor(
    status: UploadRefusal['status'],
    reason: string,
    message: string,
    options: ErrorOptions & { transaction?: string | undefined } = {},
  ) {
    super(message, options)
    this.status = status
    this.reason = reason
    this.transaction = options.transaction
  }
}

export interface UploadRequest {
  /** The last segment of the URI. */
  readonly ticket: string
  /** Content-Length, where the client sent one. */
  readonly lengthBytes: number | undefined
  /** Content-Range: this body goes on where an upload with the same ticket broke off. */
  readonly range?: { readonly firstByte: number; readonly totalBytes: number } | undefined
  readonly user: string
  readonly remoteAddress: string
  /** Aborted when the client hangs up or the device stops; its reason may be the UploadRefusal to answer with. */
  readonly signal: AbortSignal
}

export interface UploadReceipt {
  readonly transaction: string
  /** One line for the person at the other end. */
  readonly message: string
  /** What follows when the answer has left: the reboot. */
  readonly afterReply: () => Promise<void>
}

/** A subject that takes one file over HTTP POST, by a ticket that an operation handed out (Core 8.3.5, 8.3.9). */
export interface UploadTarget {
  /** The operation that hands out the tickets: whoever may call it may upload. */
  readonly operation?: 'StartFirmwareUpgrade' | 'StartSystemRestore'
  /** Throws UploadRefusal before the body is asked for: wrong ticket, another upload running, too large. */
  admit(request: UploadRequest): void
  /** How many bytes of a broken upload are kept, to go on from there; 0 where it has to begin anew. Throws UploadRefusal. */
  offset?(ticket: string): number
  /** Takes the body, which it may leave unread in part. Throws UploadRefusal. */
  receive(request: UploadRequest, body: AsyncIterable<Uint8Array>): Promise<UploadReceipt>
}

/** Admissions to one kind of upload. One ticket is valid at a time; a restart ends it. */
export interface Tickets {
  /** 22 characters (128 random bits) for the end of a URI. The ticket before it is worth nothing from now on. */
  issue(): string
  /** Throws UploadRefusal 410 for a ticket that was valid once, 404 for one that never was. */
  check(ticket: string): void
  /** An upload with the valid ticket broke off. Returns whether it may be tried again. */
  broke(): boolean
  /** Ends the valid ticket, if there is one. */
  retire(): void
}

/** Keeps hashes only, and compares with every one of them: time tells nothing about a guess. */
export function createTickets(clock: Clock): Tickets {
  let valid: { readonly hash: Buffer; readonly expiresMs: number; attempts: number } | undefined
  /** The newest last. */
  const retired: Buffer[] = []

  function retire(): void {
    if (valid) retired.push(valid.hash)
    if (retired.length > limits.ticketsRetiredMax) retired.shift()
    valid = undefined
  }

  function retireOld(): void {
    if (valid && clock.monotonicMs() >= valid.expiresMs) retire()
  }

  return {
    retire,

    issue() {
      retire()
      const ticket = randomBytes(16).toString('base64url')
      valid = { hash: hashOf(ticket), expiresMs: clock.monotonicMs() + limits.ticketLifetimeMs, attempts: 0 }
      return ticket
    },

    check(ticket) {
      retireOld()
      const hash = hashOf(ticket)
      const isValid = valid !== undefined && timingSafeEqual(valid.hash, hash)
      const isRetired = retired.filter(old => timingSafeEqual(old, hash)).length > 0
      if (isRetired) throw new UploadRefusal(410, 'ticket', 'this address was used, replaced or has expired')
      if (!isValid) throw new UploadRefusal(404, 'ticket', 'there is no upload at this address')
    },

    broke() {
      retireOld()
      if (valid && ++valid.attempts >= limits.uploadAttemptsMax) retire()
      return valid !== undefined
    },
  }
}

const hashOf = (ticket: string): Buffer => createHash('sha256').update(ticket).digest()

/** What bounds a body while it arrives. */
export interface UploadBounds {
  readonly clock: Clock
  /** Breaks the upload off; its reason is thrown where it is an UploadRefusal. */
  readonly signal: AbortSignal
  readonly lengthBytes: number | undefined
  readonly bytesMax: number
}

/**
 * Passes a body on until it ends, breaks (UploadRefusal 400), grows too large (413) or is too slow (408). Only the time in which
 * the device waits for the client counts, whatever the device itself does with the bytes.
 */
export async function* boundedBody(
  body: AsyncIterable<Uint8Array>,
  { clock, signal, lengthBytes, bytesMax }: UploadBounds,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = body[Symbol.asyncIterator]()
  const begunMs = clock.monotonicMs()
  let received = 0
  let waitedMs = 0
  /** Set while the client is waited for. */
  let waiting: { readonly fromMs: number; readonly reject: (refusal: UploadRefusal) => void } | undefined

  function slowness(silentMs: number): string | undefined {
    if (received === 0 && silentMs >= limits.uploadFirstByteTimeoutMs) return 'nothing came'
    if (silentMs >= limits.uploadIdleTimeoutMs) return 'nothing came any more'
    if (clock.monotonicMs() - begunMs >= limits.uploadTotalTimeoutMs) return 'it took too long'
    const spentMs = waitedMs + silentMs
    if (spentMs >= limits.uploadRateGraceMs && received * 1000 < spentMs * limits.uploadBytesPerSecondMin) return 'it came too slowly'
    return undefined
  }

  function look(): void {
    const why = waiting && slowness(clock.monotonicMs() - waiting.fromMs)
    if (why !== undefined) waiting?.reject(new UploadRefusal(408, 'timeout', `the upload was given up: ${why}`))
    cancel = clock.after(limits.uploadCheckMs, look)
  }

  /** The next piece, unless the clock or the signal is faster. */
  async function next(): Promise<IteratorResult<Uint8Array, unknown>> {
    if (signal.aborted) throw brokenBy(signal)
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Uint8Array, unknown>>()
    const fromMs = clock.monotonicMs()
    waiting = { fromMs, reject }
    iterator.next().then(resolve, cause => reject(cause instanceof UploadRefusal ? cause : lost(cause)))
    try {
      return await promise
    } finally {
      waiting = undefined
      waitedMs += clock.monotonicMs() - fromMs
    }
  }

  const onAbort = () => waiting?.reject(brokenBy(signal))
  signal.addEventListener('abort', onAbort)
  let cancel = clock.after(limits.uploadCheckMs, look)
  try {
    for (;;) {
      const { done, value } = await next()
      if (done) break
      received += value.length
      if (received > bytesMax) throw new UploadRefusal(413, 'nospace', `more than ${bytesMax} bytes`)
      yield value
    }
    if (lengthBytes !== undefined && received < lengthBytes) throw lost(undefined)
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}

const brokenBy = ({ reason }: AbortSignal): UploadRefusal => (reason instanceof UploadRefusal ? reason : lost(reason))

const lost = (cause: unknown): UploadRefusal => new UploadRefusal(400, 'lost', 'the connection broke', { cause })
