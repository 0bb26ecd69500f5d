import { limits } from '../../limits.ts'
import type { EventMessage } from './events.ts'

/**
 * What a reader has not read yet. It costs a reference for each message, and `limits.eventQueueMax` of them at the most: of a slow
 * reader the oldest make room. He is told how many he has lost, and loses no property: of each whose messages made room the latest
 * is kept, and comes first, so that he sees the states in their order and has all of them at the end.
 */
export class MessageQueue {
  readonly #changedOnly: boolean
  #waiting: EventMessage[] = []
  /** By property, in the order in which they made room. */
  #outdone: Map<string, EventMessage> | undefined
  #lost = 0

  /** With `changedOnly` nothing is kept that says that a property is there or is gone (tev:ChangedOnly, Core 9.2.1). */
  constructor({ changedOnly }: { readonly changedOnly: boolean }) {
    this.#changedOnly = changedOnly
  }

  get isEmpty(): boolean {
    // Where something made room, more is waiting.
    return this.#waiting.length === 0
  }

  add(message: EventMessage): void {
    if (this.#changedOnly && (message.operation === 'Initialized' || message.operation === 'Deleted')) return
    this.#waiting.push(message)
    this.#makeRoom()
  }

  /** The oldest of them, `limit` at the most, which from now on are the caller's. */
  take(limit: number, utcTime: number): readonly EventMessage[] {
    const states = [...(this.#outdone?.values() ?? [])].map(state => (this.#changedOnly ? state : asState(state)))
    this.#waiting.unshift(...(this.#lost > 0 ? [notice(this.#lost, utcTime)] : []), ...states)
    this.#lost = 0
    this.#outdone = undefined
    const taken = this.#waiting.slice(0, limit)
    this.#waiting = this.#waiting.slice(limit)
    return taken
  }

  /** They did not arrive, and come first again. */
  restore(taken: readonly EventMessage[]): void {
    this.#waiting.unshift(...taken)
    this.#makeRoom()
  }

  #makeRoom(): void {
    while (this.#waiting.length > limits.eventQueueMax) {
      const oldest = this.#waiting.shift()
      if (oldest) this.#outdo(oldest)
    }
  }

  #outdo(message: EventMessage): void {
    if (message.property === undefined) {
      this.#lost += countOf(message)
      return
    }
    this.#outdone ??= new Map()
    if (this.#outdone.delete(message.property)) this.#lost++
    this.#outdone.set(message.property, message)
    const [oldest] = this.#outdone.keys()
    if (this.#outdone.size <= limits.eventQueueMax || oldest === undefined) return
    this.#outdone.delete(oldest)
    this.#lost++
  }
}

const asState = (message: EventMessage): EventMessage =>
  message.operation === 'Changed' ? { ...message, operation: 'Initialized' } : message

function notice(count: number, utcTime: number): EventMessage {
  const data = [{ name: 'Count', value: String(count) }]
  return { topic: 'ofd:Events/Lost', utcTime, operation: undefined, source: [], data, property: undefined }
}

/** How many the reader loses with it: a notice that is lost itself stands for all that it tells of. */
const countOf = ({ topic, data }: EventMessage): number => (topic === 'ofd:Events/Lost' ? Number(data[0]?.value) : 1)
