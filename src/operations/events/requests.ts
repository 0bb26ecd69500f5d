import type { Events } from '../../device/events/events.ts'
import { everyTopic, narrowed, type TopicFilter, topicFilter } from '../../device/events/topicFilter.ts'
import type { TopicName } from '../../device/events/topics.ts'
import { isCarried } from '../../onvif/carried.ts'
import { fault } from '../../onvif/faults.ts'
import type { Call } from '../../onvif/handlers.ts'
import type { AnyOrRaw } from '../../onvif/schema.ts'
import { durationMs, instant } from '../../onvif/times.ts'
import type { FilterType, TopicExpressionType } from '../../onvif/types.generated.ts'
import { paths } from '../device/addresses.ts'

/** What was asked for; throws the fault for a filter that the device does not know, or an expression that makes no sense. */
export function filterOf(filter: FilterType | undefined, { emitted }: Events): TopicFilter {
  const topics: readonly TopicName[] = [...emitted()]
  const wanted = (filter?.$any ?? []).map(each => {
    if (isCarried(each, 'wsnt:TopicExpression')) return expressionOf(each.value, topics)
    const detail = { UnknownFilter: [nameOf(each)] }
    throw fault('InvalidFilterFault', 'messages are filtered by topic here, and by nothing else', { detail })
  })
  const [first, ...others] = wanted
  return first === undefined ? everyTopic(topics) : narrowed([first, ...others])
}

export const expressionOf = ({ Dialect, $text, $scope }: TopicExpressionType, topics: readonly TopicName[]): TopicFilter =>
  topicFilter(Dialect, $text, prefix => $scope?.(prefix), topics)

/** Whether changes alone are wanted (Core 9.1.3). Throws the fault for any other policy. */
export function isChangedOnly(policies: readonly AnyOrRaw[] = []): boolean {
  for (const policy of policies) {
    const name = nameOf(policy)
    if ('xml' in policy)
      throw fault('UnrecognizedPolicyRequestFault', 'the device does not know this policy', { detail: { UnrecognizedPolicy: [name] } })
    if (!isCarried(policy, 'tev:ChangedOnly'))
      throw fault('UnsupportedPolicyRequestFault', 'the device does not have this policy', { detail: { UnsupportedPolicy: [name] } })
  }
  return policies.length > 0
}

const nameOf = (each: AnyOrRaw): string => ('xml' in each ? `{${each.xml.namespace}}${each.xml.name}` : each.element)

/** wsnt:AbsoluteOrRelativeTimeType as a span from now on; undefined where the client leaves it to the device. */
export function lifeOf(time: string | undefined, now: Date): number | undefined {
  if (time === undefined) return undefined
  return durationMs(time) ?? (instant(time)?.getTime() ?? 0) - now.getTime()
}

/** The subscription that a message was sent to: each has an address of its own. */
export function subscriptionOf({ target }: Call): string {
  const [path = ''] = target.split('?')
  if (!path.startsWith(paths.subscription)) throw fault('ResourceUnknownFault', 'this is not the address of a subscription')
  return path.slice(paths.subscription.length)
}
