import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import { type TopicName, topicNamespaces } from './topics.ts'

/** An expression, worked out: the topics of this device that it means. */
export interface TopicFilter {
  readonly topics: ReadonlySet<TopicName>
}

/** What GetEventProperties names (Core 9.6.3). */
export const topicDialects = {
  concrete: 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete',
  concreteSet: 'http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet',
} as const

export type NamespaceOf = (prefix: string) => string | undefined

/** Of a subscription that names no topic. */
export const everyTopic = (emitted: readonly TopicName[]): TopicFilter => ({ topics: new Set(emitted) })

/** Of a subscription with several expressions: a message has to pass all of them (WS-BaseNotification 4.2). */
export const narrowed = (filters: readonly [TopicFilter, ...TopicFilter[]]): TopicFilter => ({
  topics: filters.map(({ topics }) => topics).reduce((left, right) => left.intersection(right)),
})

/**
 * The topics that an expression means, of those that the device emits: of a path (WS-Topics 8.2) exactly that topic, of a path with
 * `//.` behind it that topic and all below, of paths with `|` between them all of theirs (Core 9.6.3). Topics that the device does
 * not have are no error as long as there is one that it has: VMSs send the same expression to every device.
 */
export function topicFilter(dialect: string, expression: string, namespaceOf: NamespaceOf, emitted: readonly TopicName[]): TopicFilter {
  const isSet = dialect.trim() === topicDialects.concreteSet
  if (!isSet && dialect.trim() !== topicDialects.concrete)
    throw fault('TopicExpressionDialectUnknownFault', `the device knows ${topicDialects.concrete} and ${topicDialects.concreteSet}`)
  if (expression.length > limits.topicExpressionCharactersMax)
    throw fault('InvalidTopicExpressionFault', `an expression has at most ${limits.topicExpressionCharactersMax} characters`)
  const paths = isSet ? expression.split('|') : [expression]
  const means = paths.map(path => meaningOf(path.trim(), isSet, namespaceOf))
  const topics = emitted.filter(topic => means.some(({ path, below }) => topic === path || (below && topic.startsWith(`${path}/`))))
  if (topics.length === 0)
    throw fault('TopicNotSupportedFault', `the device has none of the topics of ${JSON.stringify(expression.trim())}`)
  return { topics: new Set(topics) }
}

/** The path as our names have it; one into a namespace that is not ours is none of them. `below` says that what is under it counts, too. */
function meaningOf(text: string, isSet: boolean, namespaceOf: NamespaceOf): { readonly path: string; readonly below: boolean } {
  const below = isSet && text.endsWith('//.')
  const steps = (below ? text.slice(0, -3) : text).split('/').map(step => stepOf(step, text, namespaceOf))
  const root = steps[0]?.namespace
  // A child without a prefix is in the namespace of the root; only the first name of a path of ours has one.
  const names = steps.map(({ namespace, name }, index) =>
    index > 0 && (namespace === undefined || namespace === root) ? name : `${prefixOf(namespace)}:${name}`,
  )
  return { path: names.join('/'), below }
}

interface Step {
  readonly namespace: string | undefined
  readonly name: string
}

/** Letters and digits as NCName has them, nearly: no topic of ours has others. */
const qName = /^(?:([\p{L}_][\p{L}\p{N}_.-]*):)?([\p{L}_][\p{L}\p{N}_.-]*)$/u

function stepOf(step: string, path: string, namespaceOf: NamespaceOf): Step {
  const [, prefix, name] = qName.exec(step) ?? []
  if (name === undefined) throw fault('InvalidTopicExpressionFault', `${JSON.stringify(path)} is no path of topics`)
  if (prefix === undefined) return { namespace: undefined, name }
  // Programs that put the expression together as text forget to declare the prefix that all the examples use.
  const namespace = namespaceOf(prefix) ?? (prefix === 'tns1' ? topicNamespaces.tns1 : undefined)
  if (namespace === undefined)
    throw fault('InvalidTopicExpressionFault', `the prefix ${JSON.stringify(prefix)} in ${JSON.stringify(path)} is not declared`)
  return { namespace, name }
}

/** A root without a prefix is a topic without a namespace (WS-Topics 8.1), of which the device has none. */
function prefixOf(namespace: string | undefined): string {
  const own = Object.entries(topicNamespaces).find(([, uri]) => uri === namespace)
  return own?.[0] ?? ''
}
