/** The device answered with a SOAP fault (Core 5.8.2): it understood, and will not. */
export class OnvifFault extends Error {
  override readonly name = 'OnvifFault'
  /** Local name of the SOAP 1.2 code: Sender, Receiver, … */
  readonly code: string
  /** Local names, outermost first: `InvalidArgVal`, `InvalidHostname`. */
  readonly subcodes: readonly string[]
  /** HTTP status of the answer. */
  readonly status: number

  constructor(code: string, subcodes: readonly string[], reason: string, status: number) {
    super(reason)
    this.code = code
    this.subcodes = subcodes
    this.status = status
  }
}

/**
 * Why there is no answer to work with: `unreachable` (no connection), `untrusted` (TLS certificate), `timeout`, `closed` (cut
 * before the answer was complete), `status` (an HTTP error without a fault), `answer` (not what the contract says, or too large).
 */
export type FailureKind = 'unreachable' | 'untrusted' | 'timeout' | 'closed' | 'status' | 'answer'

/** The message is one line for a person; the cause is what Node said. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly kind: FailureKind
  /** HTTP status, where the failure is one. */
  readonly status: number | undefined

  constructor(kind: FailureKind, message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options)
    this.kind = kind
    this.status = options.status
  }
}

/** Whether the device wants other credentials, or any: a 401, or the fault that Core 5.9.1 names. */
export function isLoginRefused(error: unknown): boolean {
  if (error instanceof ClientError) return error.status === 401
  return error instanceof OnvifFault && (error.status === 401 || saysNotAuthorized(error))
}

/** Devices spell the subcode differently, and some only say it in the reason. */
export function saysNotAuthorized({ subcodes, message }: OnvifFault): boolean {
  return (
    subcodes.some(subcode => /not_?authori[sz]ed|failedauthentication|failedcheck/i.test(subcode)) ||
    /not[ _]?authori[sz]ed|unauthori[sz]ed/i.test(message)
  )
}
