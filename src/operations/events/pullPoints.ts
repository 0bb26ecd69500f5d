import type { Events } from '../../device/events/events.ts'
import type { Subscriptions, Term } from '../../device/events/subscriptions.ts'
import { fault } from '../../onvif/faults.ts'
import type { Call, Chapter } from '../../onvif/handlers.ts'
import { durationMs } from '../../onvif/times.ts'
import type { Clock } from '../../platform/platform.ts'
import { addressOf, paths } from '../device/addresses.ts'
import { notificationOf } from './messages.ts'
import { filterOf, isChangedOnly, lifeOf, subscriptionOf } from './requests.ts'

interface Subjects {
  readonly events: Events
  readonly subscriptions: Subscriptions
  readonly clock: Pick<Clock, 'now'>
}

/** Core 9.2, and the subscription manager of WS-BaseNotification 1.3 for whatever is subscribed. */
export function pullPoints({ events, subscriptions, clock }: Subjects): Omit<Chapter<'pullPoints'>, 'tev:Seek'> {
  return {
    async 'tev:CreatePullPointSubscription'({ Filter, InitialTerminationTime, SubscriptionPolicy }, call) {
      const { id, ...term } = subscriptions.createPullPoint({
        filter: filterOf(Filter, events),
        changedOnly: isChangedOnly(SubscriptionPolicy?.$any),
        owner: call.caller?.name ?? '',
        lifeMs: lifeOf(InitialTerminationTime, clock.now()),
      })
      return { SubscriptionReference: referenceOf(id, call), ...termOf(term) }
    },

    async 'tev:PullMessages'({ Timeout, MessageLimit }, call) {
      const timeoutMs = durationMs(Timeout) ?? -1
      if (timeoutMs < 0) throw fault('InvalidArgVal', 'nobody can wait for a time that is over')
      const request = { timeoutMs, limit: MessageLimit, hungUp: call.hungUp }
      const { messages, ...term } = await subscriptions.pull(subscriptionOf(call), request)
      return { ...termOf(term), NotificationMessage: messages.map(notificationOf) }
    },

    async 'tev:SetSynchronizationPoint'(_, call) {
      subscriptions.synchronize(subscriptionOf(call))
      return {}
    },

    async 'tev:Renew'({ TerminationTime }, call) {
      return termOf(subscriptions.renew(subscriptionOf(call), lifeOf(TerminationTime, clock.now())))
    },

    async 'tev:Unsubscribe'(_, call) {
      subscriptions.unsubscribe(subscriptionOf(call))
      return {}
    },
  }
}

/** Its address is all of it: many clients drop reference parameters. */
export const referenceOf = (id: string, call: Call) => ({ Address: { $value: addressOf(paths.subscription + id, call) } })

export const termOf = ({ currentTime, terminationTime }: Term) => ({
  CurrentTime: currentTime.toISOString(),
  TerminationTime: terminationTime.toISOString(),
})
