import { randomBytes } from 'node:crypto'
import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Clock, Log } from '../../platform/platform.ts'
import { createDelivery, type Deliver } from './delivery.ts'
import type { EventMessage, Events, Listener } from './events.ts'
import { MessageQueue } from './messageQueue.ts'
import type { TopicFilter } from './topicFilter.ts'

interface Parts {
  readonly clock: Clock
  readonly log: Log
  readonly events: Events
}

export interface SubscriptionRequest {
  readonly filter: TopicFilter
  /** The user, as far as he counts: each has a bounded number. */
  readonly owner: string
  /** How long it is to live; undefined where the client leaves it to the device. */
  readonly lifeMs: number | undefined
}

export interface PullRequest {
  readonly timeoutMs: number
  readonly limit: number
  /** Aborted when the client has gone before the answer is out. */
  readonly hungUp: AbortSignal
}

/** By the clock of the device as it is now; only the difference is certain. */
export interface Term {
  readonly currentTime: Date
  readonly terminationTime: Date
}

interface Subscription extends Listener {
  /** The secret part of its address. */
  readonly id: string
  readonly owner: string
  readonly kind: 'pullPoint' | 'consumer'
  readonly queue: MessageQueue
  endMs: number
  /** Calls off the look at whether it is over. */
  forget(): void
  /** Somebody waits for what comes. */
  wake(): void
  stop(): void
  isPulled: boolean
  /** When somebody last asked for its messages. */
  pulledMs: number
  /** Whether everything has gone where it is delivered to. */
  isDelivered(): boolean
  isOver: boolean
}

const nothing = (): void => {}

export type Subscriptions = ReturnType<typeof createSubscriptions>

/**
 * Who wants to hear what, and for how long (Core 9.1, 9.2). A subscription dies with its time, which every pull prolongs; nothing
 * of it outlasts the process. Times are measured by the clock that only runs forward: setting the device's clock ends none.
 */
export function createSubscriptions({ clock, log, events }: Parts) {
  const subscriptions = new Map<string, Subscription>()
  let isClosed = false

  function known(id: string): Subscription {
    const subscription = subscriptions.get(id)
    if (!subscription) throw fault('ResourceUnknownFault', 'there is no such subscription, or its time is over')
    return subscription
  }

  function open(kind: Subscription['kind'], { filter, owner, lifeMs }: SubscriptionRequest, changedOnly: boolean): Subscription {
    const endMs = clock.monotonicMs() + lifeOf(lifeMs, 'UnacceptableInitialTerminationTimeFault')
    assertRoom(kind, owner)
    const queue = new MessageQueue({ changedOnly })
    const subscription: Subscription = {
      id: randomBytes(16).toString('base64url'),
      filter,
      owner,
      kind,
      queue,
      endMs,
      forget: nothing,
      wake: nothing,
      stop: nothing,
      isPulled: false,
      pulledMs: Number.NEGATIVE_INFINITY,
      isDelivered: () => true,
      isOver: false,
      hear,
    }
    subscriptions.set(subscription.id, subscription)
    events.listen(subscription)
    watch(subscription)
    retell(subscription)
    return subscription
  }

  function assertRoom(kind: Subscription['kind'], owner: string): void {
    const alike = [...subscriptions.values()].filter(other => other.kind === kind)
    const ofOwner = alike.filter(other => other.owner === owner).length
    const isFull =
      kind === 'consumer'
        ? alike.length >= limits.eventConsumersMax
        : alike.length >= limits.eventPullPointsMax || ofOwner >= limits.eventPullPointsPerUserMax
    if (isClosed) throw fault('SubscribeCreationFailedFault', 'the device is about to stop')
    if (isFull) throw fault('SubscribeCreationFailedFault', 'the device has as many subscriptions as it can have')
  }

  /** The states of all properties of the filter. */
  function retell(subscription: Subscription): void {
    for (const state of events.current(subscription.filter)) subscription.hear(state)
  }

  /** A life that is prolonged is looked at when it would have ended before. */
  function watch(subscription: Subscription): void {
    const look = () => (clock.monotonicMs() < subscription.endMs ? watch(subscription) : end(subscription, 'a subscription is over'))
    subscription.forget = clock.after(Math.max(0, subscription.endMs - clock.monotonicMs()), look)
  }

  function end(subscription: Subscription, why: string): void {
    subscription.isOver = true
    subscriptions.delete(subscription.id)
    events.leave(subscription)
    subscription.forget()
    subscription.stop()
    log.debug({ owner: subscription.owner, kind: subscription.kind }, why)
  }

  function prolong(subscription: Subscription, timeoutMs: number): void {
    const untilMs = clock.monotonicMs() + Math.max(0, timeoutMs) + limits.eventPullGraceMs
    subscription.endMs = Math.max(subscription.endMs, untilMs)
  }

  function lifeOf(
    wantedMs: number | undefined,
    name: 'UnacceptableInitialTerminationTimeFault' | 'UnacceptableTerminationTimeFault',
  ): number {
    const lifeMs = wantedMs ?? limits.eventLifeDefaultMs
    if (lifeMs > 0 && lifeMs <= limits.eventLifeMaxMs) return Math.max(lifeMs, limits.eventLifeMinMs)
    const nowMs = clock.now().getTime()
    const detail = { MinimumTime: timeOf(nowMs + limits.eventLifeMinMs), MaximumTime: timeOf(nowMs + limits.eventLifeMaxMs) }
    throw fault(name, `a subscription ends in the future, within ${limits.eventLifeMaxMs / 1000} seconds`, { detail })
  }

  function termOf({ endMs }: Subscription): Term {
    const currentTime = clock.now()
    return { currentTime, terminationTime: new Date(currentTime.getTime() + Math.max(0, endMs - clock.monotonicMs())) }
  }

  /** Until there is something to read, the time is over, or nobody is there any more. */
  function patience(point: Subscription, timeoutMs: number, hungUp: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const release = () => {
        callOff()
        hungUp.removeEventListener('abort', release)
        // They would hold on to the request that is over.
        point.wake = nothing
        point.stop = nothing
        resolve()
      }
      const callOff = clock.after(timeoutMs, release)
      hungUp.addEventListener('abort', release)
      point.wake = release
      point.stop = release
    })
  }

  async function pullAlone(point: Subscription, { timeoutMs, limit, hungUp }: PullRequest): Promise<readonly EventMessage[]> {
    prolong(point, timeoutMs)
    point.pulledMs = clock.monotonicMs()
    if (point.queue.isEmpty && timeoutMs > 0 && !hungUp.aborted) await patience(point, timeoutMs, hungUp)
    if (point.isOver && !isClosed) throw fault('ResourceUnknownFault', 'the subscription was ended')
    if (hungUp.aborted) return []
    prolong(point, timeoutMs)
    const messages = point.queue.take(Math.min(limit, limits.eventMessagesMax), clock.now().getTime())
    if (messages.length > 0) hungUp.addEventListener('abort', () => restore(point, messages), { once: true })
    return messages
  }

  function isBehind({ kind, queue, pulledMs, isDelivered }: Subscription): boolean {
    if (kind === 'consumer') return !isDelivered()
    return !queue.isEmpty && clock.monotonicMs() - pulledMs < limits.eventAttentiveMs
  }

  function restore(point: Subscription, messages: readonly EventMessage[]): void {
    point.queue.restore(messages)
    point.wake()
  }

  return {
    /** Throws UnacceptableInitialTerminationTimeFault, SubscribeCreationFailedFault. */
    createPullPoint({ changedOnly, ...request }: SubscriptionRequest & { readonly changedOnly: boolean }): Term & { readonly id: string } {
      const point = open('pullPoint', request, changedOnly)
      return { id: point.id, ...termOf(point) }
    },

    /** Delivers from now on, first the states of all properties. Throws like `createPullPoint`. */
    subscribe({ deliver, ...request }: SubscriptionRequest & { readonly deliver: Deliver }): Term & { readonly id: string } {
      const consumer = open('consumer', request, false)
      const gaveUp = (error: unknown) => {
        log.warn({ error, owner: consumer.owner }, 'a consumer does not take its events: its subscription ends')
        end(consumer, 'a subscription was given up')
      }
      const { wake, stop, isDone } = createDelivery({ queue: consumer.queue, clock, deliver, gaveUp })
      consumer.wake = wake
      consumer.stop = stop
      consumer.isDelivered = isDone
      if (!consumer.queue.isEmpty) wake()
      return { id: consumer.id, ...termOf(consumer) }
    },

    /**
     * Answers at once where something waits, otherwise as soon as something happens, and with nothing only after `timeoutMs`. What
     * is taken for a client that has gone before the answer is out waits for its next pull. Throws ResourceUnknownFault,
     * UnableToGetMessagesFault where another pull waits already (Core 9.2.2), PullMessagesFaultResponse, InvalidArgVal.
     */
    async pull(id: string, request: PullRequest): Promise<Term & { readonly messages: readonly EventMessage[] }> {
      const point = known(id)
      if (point.kind === 'consumer') throw fault('UnableToGetMessagesFault', 'the messages of this subscription are delivered')
      if (request.timeoutMs > limits.eventPullTimeoutMaxMs) throw tooPatient()
      if (request.limit < 1) throw fault('InvalidArgVal', 'a MessageLimit is 1 or more')
      if (point.isPulled) throw fault('UnableToGetMessagesFault', 'another PullMessages waits at this pull point')
      point.isPulled = true
      try {
        const messages = await pullAlone(point, request)
        return { messages, ...termOf(point) }
      } finally {
        point.isPulled = false
      }
    },

    /** Throws ResourceUnknownFault, UnacceptableTerminationTimeFault. */
    renew(id: string, lifeMs: number | undefined): Term {
      const subscription = known(id)
      subscription.endMs = clock.monotonicMs() + lifeOf(lifeMs, 'UnacceptableTerminationTimeFault')
      subscription.forget()
      watch(subscription)
      return termOf(subscription)
    },

    /** Throws ResourceUnknownFault. */
    unsubscribe(id: string): void {
      end(known(id), 'a subscription was ended')
    },

    /** Everything of this user, or what is of this kind: he is no user any more, or may not have it any more. */
    endOf(owner: string, kind?: Subscription['kind']): void {
      for (const subscription of [...subscriptions.values()])
        if (subscription.owner === owner && (kind ?? subscription.kind) === subscription.kind)
          end(subscription, 'a subscription was taken from its user')
    },

    /** Repeats the states of all properties. Throws ResourceUnknownFault. */
    synchronize(id: string): void {
      retell(known(id))
    },

    /** Before the end: until all who have listened of late have heard everything, and not for long. */
    async lastWords(): Promise<void> {
      const endMs = clock.monotonicMs() + limits.eventLastWordsMs
      while (clock.monotonicMs() < endMs && [...subscriptions.values()].some(isBehind)) {
        await new Promise<void>(resolve => clock.after(limits.eventLastWordsMs / 50, resolve))
      }
    },

    /** Ends all subscriptions; no timer is left. */
    close(): void {
      isClosed = true
      for (const subscription of [...subscriptions.values()]) end(subscription, 'the device stops')
    },
  }
}

function hear(this: Subscription, message: EventMessage): void {
  this.queue.add(message)
  if (!this.queue.isEmpty) this.wake()
}

const timeOf = (utcMs: number): string => new Date(utcMs).toISOString()

function tooPatient() {
  const detail = { MaxTimeout: `PT${limits.eventPullTimeoutMaxMs / 1000}S`, MaxMessageLimit: limits.eventMessagesMax }
  return fault('PullMessagesFaultResponse', `a pull waits ${limits.eventPullTimeoutMaxMs / 1000} seconds at the most`, { detail })
}
