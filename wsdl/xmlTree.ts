import { XMLParser } from 'fast-xml-parser'

/** One element with its names resolved. Comments and processing instructions are gone. */
export interface XmlNode {
  readonly namespace: string
  readonly name: string
  /** By name; those of another vocabulary, such as wsaw:Action, as `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlNode[]
  /** Character content of this element alone, white space collapsed. */
  readonly text: string
  /** Namespace of each prefix in scope, for QNames in attribute values; '' is the default namespace. */
  readonly scope: ReadonlyMap<string, string>
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  trimValues: false,
})

/** Parses a schema or WSDL file of ours. fast-xml-parser knows no namespaces, so they are resolved here; it is no parser for the wire. */
export function parseXml(text: string): XmlNode {
  const items: unknown = parser.parse(text)
  const roots = entries(items).flatMap(item => toNode(item, new Map([['xml', 'http://www.w3.org/XML/1998/namespace']])) ?? [])
  const [root] = roots
  if (!root || roots.length !== 1) throw new Error('the document has no single root element')
  return root
}

function toNode(item: Record<string, unknown>, outer: ReadonlyMap<string, string>): XmlNode | undefined {
  const tag = Object.keys(item).find(key => key !== ':@')
  if (tag === undefined || tag === '#text') return undefined

  const scope = new Map(outer)
  const attributes = new Map<string, string>()
  for (const [name, value] of Object.entries(isRecord(item[':@']) ? item[':@'] : {})) {
    if (name === 'xmlns') scope.set('', String(value))
    else if (name.startsWith('xmlns:')) scope.set(name.slice('xmlns:'.length), String(value))
    else if (!name.includes(':')) attributes.set(name, String(value))
  }
  for (const [attribute, value] of Object.entries(isRecord(item[':@']) ? item[':@'] : {})) {
    if (!attribute.includes(':') || /^(?:xmlns|xml):/.test(attribute)) continue
    const { namespace, name } = resolveName(attribute, scope)
    attributes.set(`{${namespace}}${name}`, String(value))
  }

  const content = entries(item[tag])
  const text = content.map(child => child['#text'] ?? '').join('')
  return {
    ...resolveName(tag, scope),
    attributes,
    children: content.flatMap(child => toNode(child, scope) ?? []),
    text: text.replace(/\s+/g, ' ').trim(),
    scope,
  }
}

/** Splits `prefix:local` by the prefixes in scope. */
export function resolveName(name: string, scope: ReadonlyMap<string, string>): { namespace: string; name: string } {
  const colon = name.indexOf(':')
  const namespace = scope.get(name.slice(0, Math.max(colon, 0))) ?? (colon < 0 ? '' : undefined)
  if (namespace === undefined) throw new Error(`no namespace for the prefix of ${name}`)
  return { namespace, name: name.slice(colon + 1) }
}

const entries = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isRecord) : [])

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
