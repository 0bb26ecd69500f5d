import { SCHEMA_INSTANCE } from '../soap/namespaces.ts'
import { namespaceOf, type XmlElement } from '../soap/xml.ts'
import { child, text } from './message.ts'

/** The topics of ONVIF itself; everybody calls the namespace `tns1`. */
export const ONVIF_TOPICS = 'http://www.onvif.org/ver10/topics'

/** A simple item is a text. An element of any type is a record of its attributes and children; what repeats is an array. */
export type EventValue = string | { readonly [name: string]: EventValue | readonly EventValue[] }

/** One thing that a device has told of itself (Core 9.5). */
export interface DeviceEvent {
  /** `tns1:Monitoring/UploadStatus`. ONVIF's own namespace is always `tns1`; others have the prefix that the device gave them. */
  readonly topic: string
  /** When it happened, by the clock of the device; undefined where the device says nothing that can be read. */
  readonly utcTime: Date | undefined
  /** Of a property: how it is at first, that it changed, that it is gone. Undefined where the event is none. */
  readonly operation: 'Initialized' | 'Changed' | 'Deleted' | undefined
  /** What it happened to: the items of Source and Key. */
  readonly source: Readonly<Record<string, EventValue>>
  readonly data: Readonly<Record<string, EventValue>>
}

/** The events in a PullMessagesResponse or a Notify, as far as they can be read. */
export function readEvents(content: XmlElement): readonly DeviceEvent[] {
  return content.children.filter(({ name }) => name === 'NotificationMessage').map(readEvent)
}

function readEvent(notification: XmlElement): DeviceEvent {
  const content = child(notification, 'Message')
  // tt:Message within wsnt:Message; some devices leave one of them out.
  const message = content && (child(content, 'Message') ?? content)
  return {
    topic: topicOf(child(notification, 'Topic')),
    utcTime: message && readTime(attribute(message, 'UtcTime') ?? ''),
    operation: operationOf(message && attribute(message, 'PropertyOperation')),
    source: items(message, ['Source', 'Key']),
    data: items(message, ['Data']),
  }
}

function topicOf(topic: XmlElement | undefined): string {
  if (!topic) return ''
  return topic.text
    .trim()
    .replace(/([^\s/:|]+):/g, (written, prefix: string) => (namespaceOf(prefix, topic.scope) === ONVIF_TOPICS ? 'tns1:' : written))
}

function operationOf(written: string | undefined): DeviceEvent['operation'] {
  return written === 'Initialized' || written === 'Changed' || written === 'Deleted' ? written : undefined
}

function items(message: XmlElement | undefined, lists: readonly string[]): Record<string, EventValue> {
  const all = message?.children.filter(({ name }) => lists.includes(name)).flatMap(({ children }) => children) ?? []
  return Object.fromEntries(
    all.map(item => {
      const [element] = item.children
      const value = item.name === 'ElementItem' && element ? plain(element) : (attribute(item, 'Value') ?? item.text.trim())
      return [attribute(item, 'Name') ?? '', value]
    }),
  )
}

function plain({ attributes, children, text: own }: XmlElement): EventValue {
  const fields = new Map<string, EventValue | readonly EventValue[]>()
  for (const { namespace, name, value } of attributes) if (namespace !== SCHEMA_INSTANCE) fields.set(name, value)
  for (const element of children) {
    const same = children.filter(({ name }) => name === element.name)
    fields.set(element.name, same.length > 1 ? same.map(plain) : plain(element))
  }
  if (fields.size === 0) return own.trim()
  if (own.trim() !== '') fields.set('$text', own.trim())
  return Object.fromEntries(fields)
}

function attribute({ attributes }: XmlElement, wanted: string): string | undefined {
  return attributes.find(({ name }) => name === wanted)?.value
}

/** An xs:dateTime. Devices that leave the zone out mean UTC all the same. */
function readTime(written: string): Date | undefined {
  const time = new Date(/(?:Z|[+-]\d\d:\d\d)$/.test(written) ? written : `${written}Z`)
  return Number.isNaN(time.getTime()) ? undefined : time
}

/** How long a subscription goes on by itself, by the two times that answers about it carry; undefined where they do not. */
export function lifeLeftMs(answer: XmlElement): number | undefined {
  const [now, end] = [readTime(text(answer, 'CurrentTime')), readTime(text(answer, 'TerminationTime'))]
  return now && end && end.getTime() - now.getTime()
}
