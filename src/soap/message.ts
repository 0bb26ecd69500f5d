/** One SOAP request as it left the socket, or as a test or an embedding program made it. */
export interface SoapRequest {
  readonly body: Uint8Array
  /** Scheme, host and port by which the client reached the device. */
  readonly origin: URL
  readonly remoteAddress: string
  /** Request target as sent, for the `uri` of HTTP Digest. */
  readonly target: string
  /** The Authorization header, if any. */
  readonly authorization?: string | undefined
}

export interface SoapAnswer {
  readonly status: 200 | 400 | 401 | 500
  /** Ready to be sent; Content-Length included. Names in lower case; several values are several header lines. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** To be sent as UTF-8. Text, because Node then writes head and body in one piece. */
  readonly body: string
  /** To be called once when the answer has left: what the operation registered with `afterReply`. */
  readonly afterReply: () => Promise<void>
}
