import type { operations } from './operations.ts'
import type { OperationName, Operations } from './types.generated.ts'

/** Levels that a person or program can log in with, Core 5.9.4.2. */
export type UserLevel = 'Administrator' | 'Operator' | 'User'

export interface Caller {
  readonly name: string
  readonly level: UserLevel
}

/** One request as a handler sees it: who asks, by which address, and what to do once the answer has left. */
export interface Call {
  /** Undefined for a PRE_AUTH operation, whose credentials nobody looks at. */
  readonly caller: Caller | undefined
  /** Scheme, host and port by which the client reached the device: the base of every address in the answer. */
  readonly origin: URL
  readonly remoteAddress: string
  afterReply(effect: () => Promise<void>): void
}

export type Handler<O extends OperationName> = (request: Operations[O]['request'], call: Call) => Promise<Operations[O]['response']>

export type Handlers = { readonly [O in OperationName]: Handler<O> }

type Table = typeof operations
export type ChapterName = Table[OperationName]['chapter']

/** The handlers of one chapter: exactly the operations that the table gives to it. */
export type Chapter<C extends ChapterName> = {
  readonly [O in OperationName as Table[O]['chapter'] extends C ? O : never]: Handler<O>
}
