import type { Events } from '../../device/events/events.ts'
import { topicDialects } from '../../device/events/topicFilter.ts'
import { type ItemDescription, type TopicDescription, type TopicName, topics } from '../../device/events/topics.ts'
import { limits } from '../../limits.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { rawElement } from '../../onvif/rawElement.ts'
import type { RawElement } from '../../onvif/schema.ts'
import type { EventServiceCapabilities, GetEventPropertiesResponse } from '../../onvif/types.generated.ts'

/** What both of Core's ways to say it have in common. */
const policies = { WSSubscriptionPolicySupport: true, WSPausableSubscriptionManagerInterfaceSupport: false } as const

/** Core 9.10. */
const ownCapabilities: EventServiceCapabilities = {
  ...policies,
  MaxNotificationProducers: limits.eventConsumersMax,
  // What one client can count on; all users together have more.
  MaxPullPoints: limits.eventPullPointsPerUserMax,
  PersistentNotificationStorage: false,
}

/** The same as Core 1 spelled it. */
export const legacyCapabilities = { ...policies, WSPullPointSupport: true } as const

/** Core 9.8: what there is to subscribe to. It is the same as long as the device runs. */
export function eventProperties({ events }: { readonly events: Events }): Chapter<'eventProperties'> {
  let once: GetEventPropertiesResponse | undefined
  return {
    async 'tev:GetServiceCapabilities'() {
      return { Capabilities: ownCapabilities }
    },

    async 'tev:GetEventProperties'() {
      once ??= {
        TopicNamespaceLocation: ['http://www.onvif.org/onvif/ver10/topics/topicns.xml'],
        FixedTopicSet: true,
        TopicSet: { $any: treeOf([...events.emitted()]).map(xml => ({ xml })) },
        TopicExpressionDialect: Object.values(topicDialects),
        // A single empty one says that there is none.
        MessageContentFilterDialect: [''],
        MessageContentSchemaLocation: ['http://www.onvif.org/onvif/ver10/schema/onvif.xsd'],
      }
      return once
    },
  }
}

interface Branch {
  readonly name: string
  readonly branches: Map<string, Branch>
  topic?: TopicName
}

/** Core 9.6.2: an element for each step of a path, and a description where a topic is. */
function treeOf(names: readonly TopicName[]): readonly RawElement[] {
  const root: Branch = { name: '', branches: new Map() }
  for (const topic of names) {
    let at = root
    for (const name of topic.split('/')) {
      const next: Branch = at.branches.get(name) ?? { name, branches: new Map() }
      at.branches.set(name, next)
      at = next
    }
    at.topic = topic
  }
  return below(root)
}

const below = ({ branches }: Branch): readonly RawElement[] => [...branches.values()].map(elementOf)

function elementOf(branch: Branch): RawElement {
  const { name, topic } = branch
  if (topic === undefined) return rawElement(name, {}, below(branch))
  return rawElement(name, { 'wstop:topic': 'true' }, [description(topics[topic]), ...below(branch)])
}

function description({ isProperty, source, data }: TopicDescription): RawElement {
  const parts = [itemsOf('tt:Source', source), itemsOf('tt:Data', data)]
  return rawElement(
    'tt:MessageDescription',
    { IsProperty: String(isProperty) },
    parts.filter(({ children }) => children.length > 0),
  )
}

function itemsOf(element: string, items: Readonly<Record<string, ItemDescription>>): RawElement {
  const item = ([name, description]: [string, ItemDescription]) =>
    rawElement('tt:SimpleItemDescription', { Name: name, Type: typeof description === 'string' ? description : description.type })
  return rawElement(element, {}, Object.entries(items).map(item))
}
