import type { EventMessage, Item } from '../../device/events/events.ts'
import { topicDialects } from '../../device/events/topicFilter.ts'
import type { ItemList, Message, NotificationMessageHolderType } from '../../onvif/types.generated.ts'

/** Core 9.4. */
export function messageOf({ utcTime, operation, source, data }: EventMessage): Message {
  return { UtcTime: new Date(utcTime).toISOString(), PropertyOperation: operation, Source: itemList(source), Data: itemList(data) }
}

export function notificationOf(message: EventMessage): NotificationMessageHolderType {
  return {
    Topic: { Dialect: topicDialects.concrete, $text: message.topic },
    Message: { $any: [{ element: 'tt:Message', value: messageOf(message) }] },
  }
}

const itemList = (items: readonly Item[]): ItemList | undefined =>
  items.length === 0 ? undefined : { SimpleItem: items.map(({ name, value }) => ({ Name: name, Value: value })) }
