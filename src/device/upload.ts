import type { Readable } from 'node:stream'

/** Why an upload got no 200, as an HTTP status and a first word for programs; `message` is for the person. */
export class UploadRefusal extends Error {
  override readonly name = 'UploadRefusal'
  readonly status: 400 | 404 | 408 | 409 | 410 | 413 | 415 | 500 | 503
  readonly reason: string
  /** Id of the transaction that the upload belonged to, if it came that far. */
  readonly transaction: string | undefined

  constructor(status: UploadRefusal['status'], reason: string, message: string, options: ErrorOptions & { transaction?: string } = {}) {
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
  readonly user: string
  readonly remoteAddress: string
  /** Aborted when the client hangs up or the device stops. */
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
  /** Throws UploadRefusal before the body is asked for: wrong ticket, another upload running, too large. */
  admit(request: UploadRequest): void
  /** Takes the body. Throws UploadRefusal. */
  receive(request: UploadRequest, body: Readable | AsyncIterable<Uint8Array>): Promise<UploadReceipt>
}
