import type { Events } from '../../device/events/events.ts'
import type { Subscriptions } from '../../device/events/subscriptions.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { Raw } from '../../onvif/schema.ts'
import type { Notify } from '../../onvif/types.generated.ts'
import type { Clock } from '../../platform/platform.ts'
import { messageOf, notificationOf } from './messages.ts'
import { referenceOf, termOf } from './pullPoints.ts'
import { expressionOf, filterOf, isChangedOnly, lifeOf } from './requests.ts'

/** Where messages are delivered to. */
interface Consumer {
  readonly address: string
  /** What every message to it has to carry as header blocks (WS-Addressing 1.0 SOAP Binding, 3.3). */
  readonly parameters: readonly Raw[]
}

/** Takes one message to its consumer. Rejects where he did not take it. */
export type Send = (notify: Notify, signal: AbortSignal) => Promise<void>

/** The way out of the house. */
export interface Consumers {
  /** Rejects, and says why, where nothing is ever sent to. Keeps nothing of the request that the consumer came with. */
  open(consumer: Consumer): Promise<Send>
}

interface Subjects {
  readonly events: Events
  readonly subscriptions: Subscriptions
  readonly consumers: Consumers
  readonly clock: Pick<Clock, 'now'>
}

/** WS-BaseNotification 1.3, 4: the device brings the messages (Core 9.1). */
export function notification({ events, subscriptions, consumers, clock }: Subjects): Chapter<'notification'> {
  return {
    async 'tev:Subscribe'({ ConsumerReference, Filter, InitialTerminationTime, SubscriptionPolicy }, call) {
      const filter = filterOf(Filter, events)
      if (isChangedOnly(SubscriptionPolicy?.$any)) {
        const detail = { UnsupportedPolicy: ['tev:ChangedOnly'] }
        throw fault('UnsupportedPolicyRequestFault', 'this policy is for pull points', { detail })
      }
      const { Address, ReferenceParameters } = ConsumerReference
      const send = await consumers
        .open({ address: Address.$value, parameters: ReferenceParameters?.$any ?? [] })
        .catch((error: unknown) => {
          throw fault('SubscribeCreationFailedFault', error instanceof Error ? error.message : 'the consumer cannot be reached')
        })
      const { id, ...term } = subscriptions.subscribe({
        filter,
        owner: call.caller?.name ?? '',
        lifeMs: lifeOf(InitialTerminationTime, clock.now()),
        deliver: (messages, signal) =>
          send({ NotificationMessage: messages.map(each => ({ SubscriptionReference: reference, ...notificationOf(each) })) }, signal),
      })
      const reference = referenceOf(id, call)
      return { SubscriptionReference: reference, ...termOf(term) }
    },

    async 'tev:GetCurrentMessage'({ Topic }) {
      const filter = expressionOf(Topic, [...events.emitted()])
      if (filter.topics.size > 1) throw fault('MultipleTopicsSpecifiedFault', 'the current message is asked for topic by topic')
      const latest = events.current(filter).at(-1)
      if (latest === undefined) throw fault('NoCurrentMessageOnTopicFault', 'there is no message on this topic at present')
      return { $any: [{ element: 'tt:Message', value: messageOf(latest) }] }
    },
  }
}
