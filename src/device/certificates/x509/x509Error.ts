/** What is wrong with what a client sent, for the subject to name by the fault of its operation. The message is for the client. */
export class X509Error extends Error {
  override readonly name = 'X509Error'
  /**
   * `format`: not what it should be; `publicKey`: a key that this device does not take; `signatureAlgorithm`: likewise; `passphrase`:
   * it does not open with this one; `mismatch`: private and public key are not a pair; `subject`, `attribute`: part of an order.
   */
  readonly kind: 'format' | 'publicKey' | 'signatureAlgorithm' | 'passphrase' | 'mismatch' | 'subject' | 'attribute'

  constructor(kind: X509Error['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** Libraries throw all kinds of errors at bytes that are not theirs: every one of them means that the bytes are no `what`. */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw cause instanceof X509Error ? cause : new X509Error('format', `this is no ${what} that can be read`, { cause })
  }
}

export async function readingLater<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw cause instanceof X509Error ? cause : new X509Error('format', `this is no ${what} that can be read`, { cause })
  }
}
