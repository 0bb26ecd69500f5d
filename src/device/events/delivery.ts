import { limits } from '../../limits.ts'
import type { Clock } from '../../platform/platform.ts'
import type { EventMessage } from './events.ts'
import type { MessageQueue } from './messageQueue.ts'

/** Takes messages to their consumer. Rejects where he did not take them; when `signal` is aborted, at once. */
export type Deliver = (messages: readonly EventMessage[], signal: AbortSignal) => Promise<void>

interface Parts {
  readonly queue: MessageQueue
  readonly clock: Clock
  readonly deliver: Deliver
  /** The consumer did not take a delivery, however often it was tried. Has to stop the delivery. */
  gaveUp(error: unknown): void
}

/**
 * Empties a queue towards one consumer: one delivery at a time, again after a growing pause where it fails. Meanwhile what happens
 * waits in the queue, so that a consumer who never answers costs one connection and the queue.
 */
export function createDelivery({ queue, clock, deliver, gaveUp }: Parts) {
  let isRunning = false
  let isStopped = false
  /** Ends what the delivery waits for at present. */
  let interrupt: () => void = () => {}

  async function run(): Promise<void> {
    // With the next turn, so that what happens together is delivered together.
    await pause(0)
    while (!queue.isEmpty && !isStopped) await deliverSurely(queue.take(limits.eventMessagesMax, clock.now().getTime()))
    isRunning = false
  }

  async function deliverSurely(messages: readonly EventMessage[]): Promise<void> {
    for (let failures = 1; !isStopped; failures++) {
      try {
        return await deliverOnce(messages)
      } catch (error) {
        if (isStopped) return
        if (failures >= limits.eventDeliveryFailuresMax) return gaveUp(error)
        await pause(Math.min(limits.eventRetryPauseMinMs * 2 ** (failures - 1), limits.eventRetryPauseMaxMs))
      }
    }
  }

  async function deliverOnce(messages: readonly EventMessage[]): Promise<void> {
    const patience = new AbortController()
    const callOff = clock.after(limits.eventDeliveryTimeoutMs, () => patience.abort())
    interrupt = () => {
      callOff()
      patience.abort()
    }
    try {
      await deliver(messages, patience.signal)
    } finally {
      callOff()
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise(resolve => {
      const callOff = clock.after(ms, resolve)
      interrupt = () => {
        callOff()
        resolve()
      }
    })
  }

  return {
    /** Nothing is left to be delivered. */
    isDone: (): boolean => !isRunning,

    /** There is something in the queue. */
    wake(): void {
      if (isRunning) return
      isRunning = true
      void run()
    },

    /** Breaks off what runs; there will be no other. */
    stop(): void {
      isStopped = true
      interrupt()
    },
  }
}
