import type { AccessClass, operations } from './operations.ts'
import type { AttachmentData, OperationName, Operations } from './types.generated.ts'

/** Levels that a person or program can log in with, Core 5.9.4.2. What Extended may do is up to the roles of the user (5.9.4.5). */
export type UserLevel = 'Administrator' | 'Operator' | 'User' | 'Extended'

export interface Caller {
  readonly name: string
  readonly level: UserLevel
  /** Of a user whose level is Extended. */
  readonly roles?: readonly string[]
}

/** Whether the caller may use what belongs to this class: an operation, or a file that goes with it. */
export type Permits = (caller: Caller, access: Exclude<AccessClass, 'PRE_AUTH'>, operation: OperationName | undefined) => boolean

/** One request as a handler sees it: who asks, by which address, and what to do once the answer has left. */
export interface Call {
  /** Undefined for a PRE_AUTH operation, whose credentials nobody looks at. */
  readonly caller: Caller | undefined
  /** Scheme, host and port by which the client reached the device: the base of every address in the answer. */
  readonly origin: URL
  readonly remoteAddress: string
  /** Path by which the client asked, as sent: a subscription has one of its own. */
  readonly target: string
  /** Aborted when the client's connection closes before the answer is out. */
  readonly hungUp: AbortSignal
  /** The caller may not call this operation but for what is his own: see `own` in the table of operations. */
  readonly ownOnly?: boolean
  afterReply(effect: () => Promise<void>): void
  /** The request came as an MTOM message, so the client can read an answer that is one. */
  readonly isMultipart: boolean
  /** The bytes that came beside the message under this reference; undefined where there are none. */
  attachment(href: string): Uint8Array | undefined
  /**
   * The same for an operation whose attachments are too large to be held: its bytes, to be read once, may be still arriving. They
   * end in a SoapFault where the message is not sound to its end.
   */
  stream(href: string): Promise<AttachmentStream | undefined>
  /** Sends the bytes beside the answer, which is an MTOM message then. Gives the reference to them. */
  attach(content: Uint8Array, contentType: string): AttachmentData
}

export interface AttachmentStream {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Undefined while they are arriving. */
  readonly lengthBytes: number | undefined
  /** Aborted when the client hangs up or the device stops. */
  readonly signal: AbortSignal
}

export type Handler<O extends OperationName> = (request: Operations[O]['request'], call: Call) => Promise<Operations[O]['response']>

export type Handlers = { readonly [O in OperationName]: Handler<O> }

/** The operations of one service, by its prefix: only those of the Device service have no prefix in their names. */
export type OperationOf<S extends string> = S extends 'tds'
  ? Exclude<OperationName, `${string}:${string}`>
  : Extract<OperationName, `${S}:${string}`>

/** With the prefix of its service in any case, as in `tds:GetUsers`: how a user role names an operation (Core 8.4.10). */
export const functionName = (operation: string): string => (operation.includes(':') ? operation : `tds:${operation}`)

/** What a service has to bring: one handler for each of its operations. */
export type HandlersOf<S extends string> = { readonly [O in OperationOf<S>]: Handler<O> }

type Table = typeof operations
export type ChapterName = Table[OperationName]['chapter']

/** The handlers of one chapter: exactly the operations that the table gives to it. */
export type Chapter<C extends ChapterName> = {
  readonly [O in OperationName as Table[O]['chapter'] extends C ? O : never]: Handler<O>
}
