/** One SOAP request as it left the socket, or as a test or an embedding program made it. */
export interface SoapRequest {
  /** A whole message, or one that is too large to be collected. */
  readonly body: Uint8Array | ArrivingBody
  /** Scheme, host and port by which the client reached the device: `https:` only where the connection is TLS. */
  readonly origin: URL
  readonly remoteAddress: string
  /** Request target as sent, for the `uri` of HTTP Digest. */
  readonly target: string
  /** The Content-Type header, if any: it tells an MTOM message from a plain one, and nothing else. */
  readonly contentType?: string | undefined
  /** The Authorization header, if any. */
  readonly authorization?: string | undefined
  /** The common names of the certificate that the client has shown in the handshake, and proved to be his; if any. */
  readonly certificateNames?: readonly string[] | undefined
  /** Aborted when the client's connection closes before the answer is out. */
  readonly hungUp?: AbortSignal | undefined
}

/** A message on its way in. */
export interface ArrivingBody {
  /**
   * To be read once. Until `admit` it ends in an error where the message is larger or slower than one that is collected may be;
   * after that, only where it breaks off.
   */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Content-Length, where the client sent one. */
  readonly lengthBytes: number | undefined
  /** Aborted when the client hangs up or the device stops. */
  readonly signal: AbortSignal
  /** The sender is known and may send this: its size and time are the reader's business from here on. */
  admit(): void
}

export interface SoapAnswer {
  readonly status: 200 | 400 | 401 | 500
  /** Ready to be sent; Content-Length included. Names in lower case; several values are several header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** Text goes out as UTF-8, in one piece with the head; bytes where there are attachments. */
  readonly body: string | Buffer
  /** To be called once when the answer has left: what the operation registered with `afterReply`. */
  readonly afterReply: (() => Promise<void>) | undefined
}
