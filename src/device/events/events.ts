import { limits } from '../../limits.ts'
import type { Clock, Log } from '../../platform/platform.ts'
import type { TopicFilter } from './topicFilter.ts'
import { type DataOf, type PropertyName, type SourceOf, type TopicName, topics } from './topics.ts'

/** A name and a value as it is on the wire. */
export interface Item {
  readonly name: string
  readonly value: string
}

/** What happened. One object, however many wait to read it. */
export interface EventMessage {
  readonly topic: TopicName
  /** When it happened, by the clock of the device; milliseconds since 1970. */
  readonly utcTime: number
  /** Undefined for what has no state. */
  readonly operation: 'Initialized' | 'Changed' | 'Deleted' | undefined
  readonly source: readonly Item[]
  readonly data: readonly Item[]
  /** The same for every message of one property; undefined for what has no state. */
  readonly property: string | undefined
}

/** Whoever wants to hear of certain topics. */
export interface Listener {
  readonly filter: TopicFilter
  hear(message: EventMessage): void
}

interface Parts {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** What this device has sources for. */
  readonly emitted: readonly TopicName[]
}

export type Events = ReturnType<typeof createEvents>

/**
 * What happens on the device, and who hears of it (Core 9). A message goes to those whose filter has its topic, and costs nothing for
 * the others. Of a property the present state is kept, for those who come later.
 */
export function createEvents({ clock, log, emitted }: Parts) {
  const own: readonly TopicName[] = [...new Set([...emitted, 'ofd:Events/Lost'] as const)]
  const listeners = new Map<TopicName, Set<Listener>>()
  /** By topic and then by source; the state that changed longest ago comes first. */
  const states = new Map<TopicName, Map<string, EventMessage>>()

  function tell(message: EventMessage): void {
    for (const listener of listeners.get(message.topic) ?? []) listener.hear(message)
  }

  function occurred(topic: TopicName, source: readonly Item[], data: readonly Item[]): void {
    tell({ topic, utcTime: clock.now().getTime(), operation: undefined, source, data, property: undefined })
  }

  function became(topic: TopicName, source: readonly Item[], data: readonly Item[]): void {
    const property = propertyOf(topic, source)
    const ofTopic = states.get(topic) ?? new Map<string, EventMessage>()
    states.set(topic, ofTopic)
    const before = ofTopic.get(property)
    if (before && isSame(before.data, data)) return
    const state = { topic, utcTime: clock.now().getTime(), operation: 'Initialized', source, data, property } as const
    ofTopic.delete(property)
    ofTopic.set(property, state)
    tell(before ? { ...state, operation: 'Changed' } : state)
    const [oldest] = ofTopic.values()
    if (ofTopic.size <= limits.eventPropertiesMax || !oldest) return
    log.warn({ topic, properties: ofTopic.size }, 'too many properties of one topic: the oldest is given up')
    gone(oldest)
  }

  function gone({ topic, source, property }: EventMessage): void {
    if (property === undefined || !states.get(topic)?.delete(property)) return
    tell({ topic, utcTime: clock.now().getTime(), operation: 'Deleted', source, data: [], property })
  }

  return {
    /** What this device emits. */
    emitted: (): readonly TopicName[] => own,

    /** Of a property only a change is news: the same values again are not published. */
    publish<T extends TopicName>(topic: T, source: SourceOf<T>, data: DataOf<T>): void {
      if (!own.includes(topic)) throw new Error(`${topic} is not among the topics of this device`)
      const publishAs = topics[topic].isProperty ? became : occurred
      publishAs(topic, itemsOf(source), itemsOf(data))
    },

    /** A property exists no more. Nothing happens where it did not. */
    withdraw<T extends PropertyName>(topic: T, source: SourceOf<T>): void {
      const state = states.get(topic)?.get(propertyOf(topic, itemsOf(source)))
      if (state) gone(state)
    },

    /** The state of every property that the filter has, as it became, marked `Initialized`. */
    current: ({ topics: wanted }: TopicFilter): readonly EventMessage[] =>
      [...states].filter(([topic]) => wanted.has(topic)).flatMap(([, ofTopic]) => [...ofTopic.values()]),

    /** For tests: whether anybody listens. */
    isHeard: (topic: TopicName): boolean => (listeners.get(topic)?.size ?? 0) > 0,

    listen(listener: Listener): void {
      for (const topic of listener.filter.topics) {
        const ofTopic = listeners.get(topic) ?? new Set()
        listeners.set(topic, ofTopic.add(listener))
      }
    },

    leave(listener: Listener): void {
      for (const topic of listener.filter.topics) listeners.get(topic)?.delete(listener)
    },
  }
}

const propertyOf = (topic: TopicName, source: readonly Item[]): string => JSON.stringify([topic, ...source.map(({ value }) => value)])

const isSame = (before: readonly Item[], after: readonly Item[]): boolean =>
  before.length === after.length && before.every(({ name, value }, index) => name === after[index]?.name && value === after[index].value)

type Value = string | number | boolean | Date

const itemsOf = (values: Readonly<Record<string, Value | undefined>>): readonly Item[] =>
  Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: lexicalForm(value) }]))

/** As XML Schema writes it. */
function lexicalForm(value: Value): string {
  if (value instanceof Date) return value.toISOString()
  if (value === Number.POSITIVE_INFINITY) return 'INF'
  if (value === Number.NEGATIVE_INFINITY) return '-INF'
  return String(value)
}
