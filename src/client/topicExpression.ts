import { escapeAttribute, escapeText } from '../soap/characters.ts'
import { namespaceOf, type XmlElement } from '../soap/xml.ts'
import { ONVIF_TOPICS } from './deviceEvent.ts'

/** A topic that no device can understand; the message says what one looks like. */
export class TopicError extends Error {
  override readonly name = 'TopicError'
}

/** ONVIF Core 9.6.3: the dialect that every device knows, with `//.` for a whole subtree and `|` between topics. */
const dialect = 'http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet'

const step = '(?:[\\p{L}_][\\p{L}\\p{N}_.-]*:)?[\\p{L}_][\\p{L}\\p{N}_.-]*'
const topicShape = new RegExp(`^${step}(?:/${step})*(?://\\.)?$`, 'u')

/** Each topic as ONVIF writes it; a first step without prefix is one of ONVIF's own. Throws TopicError. */
export function parseTopics(topics: readonly string[]): readonly string[] {
  return topics
    .flatMap(given => given.split('|'))
    .map(written => {
      const topic = written.trim()
      if (!topicShape.test(topic))
        throw new TopicError(
          `${JSON.stringify(topic.slice(0, 200))} is no topic: give one such as tns1:Monitoring/UploadStatus, or tns1:Monitoring//. for all below`,
        )
      return /^[^/]*:/.test(topic) ? topic : `tns1:${topic}`
    })
}

/**
 * The Filter of a subscription to any of these topics. Prefixes other than `tns1` mean what the device says, for which its GetEventProperties
 * is asked. Throws TopicError where it does not know one.
 */
export async function writeFilter(topics: readonly string[], eventProperties: () => Promise<XmlElement>): Promise<string> {
  const expression = parseTopics(topics).join('|')
  const prefixes = new Set([...expression.matchAll(/([^/:|]+):/g)].map(([, prefix = '']) => prefix))
  prefixes.delete('tns1')
  const properties = prefixes.size > 0 ? await eventProperties() : undefined
  const declared = [...prefixes].map(prefix => {
    const namespace = properties && declaredIn(properties, prefix)
    if (namespace === undefined) throw new TopicError(`the device has no topics with the prefix ${prefix}:`)
    return ` xmlns:${prefix}="${escapeAttribute(namespace)}"`
  })
  return (
    `<tev:Filter><wsnt:TopicExpression xmlns:tns1="${ONVIF_TOPICS}"${declared.join('')} Dialect="${dialect}">` +
    `${escapeText(expression)}</wsnt:TopicExpression></tev:Filter>`
  )
}

function declaredIn(element: XmlElement, prefix: string): string | undefined {
  const here = namespaceOf(prefix, element.scope)
  if (here !== undefined) return here
  for (const inner of element.children) {
    const found = declaredIn(inner, prefix)
    if (found !== undefined) return found
  }
  return undefined
}
