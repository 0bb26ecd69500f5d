import type { PrefixScope, RawElement } from '../onvif/schema.ts'
import { escapeAttribute, escapeText, isBlank, isNcName } from './characters.ts'
import { namespaceOf, type XmlElement } from './xml.ts'

type Prefixes = ReadonlyMap<string, string>

/**
 * Writes an element that the contract does not know. `prefixes` are those that the envelope declares where they are used; every other
 * namespace is declared where it begins, and so is a prefix inside of a text or an attribute that the sender had declared: it may be
 * part of a qualified name. Elements without a namespace have no prefix, for no default namespace is ever in scope.
 */
export function writeRaw(element: RawElement, prefixes: Prefixes): string {
  const { namespace, name, attributes, children, text } = element
  const scope = scopeOf(element)
  const used = scope ? [text, ...attributes.map(({ value }) => value)].flatMap(value => [...declarations(value, scope, prefixes)]) : []
  const declared = new Map(used)
  let inner: Prefixes = declared.size > 0 ? new Map([...prefixes, ...declared]) : prefixes

  const qualify = (wanted: string, local: string): string => {
    if (wanted === '') return local
    const known = prefixFor(wanted, inner)
    if (known !== undefined) return `${known}:${local}`
    const prefix = freshPrefix(inner)
    declared.set(prefix, wanted)
    inner = new Map([...inner, [prefix, wanted]])
    return `${prefix}:${local}`
  }
  const tag = qualify(namespace, name)
  const written = attributes.map(attribute => ` ${qualify(attribute.namespace, attribute.name)}="${escapeAttribute(attribute.value)}"`)
  const head = `${[...declared].map(([prefix, value]) => declaration(prefix, value)).join('')}${written.join('')}`
  const content = (children.length > 0 && isBlank(text) ? '' : escapeText(text)) + children.map(child => writeRaw(child, inner)).join('')
  return content === '' ? `<${tag}${head}/>` : `<${tag}${head}>${content}</${tag}>`
}

/** What has to be declared beside a text for the prefixes in it to mean what they mean in its scope. */
export function declarations(text: string, scope: PrefixScope, prefixes: Prefixes): Prefixes {
  const missing = new Map<string, string>()
  if (!text.includes(':')) return missing
  for (const [prefix = ''] of text.matchAll(/[^\s:/|()[\]{}<>=!,"'@*+&;?#%$\\^~`]+(?=:)/g)) {
    if (prefix === 'xml' || prefix === 'xmlns' || missing.has(prefix) || !isNcName(prefix)) continue
    const namespace = scope(prefix)
    if (namespace !== undefined && namespace !== '' && prefixes.get(prefix) !== namespace) missing.set(prefix, namespace)
  }
  return missing
}

export const declaration = (prefix: string, namespace: string): string => ` xmlns:${prefix}="${escapeAttribute(namespace)}"`

/** Of an element that came in a message. */
function scopeOf(element: RawElement | XmlElement): PrefixScope | undefined {
  if (!('scope' in element)) return undefined
  const { scope } = element
  return prefix => namespaceOf(prefix, scope)
}

function prefixFor(namespace: string, prefixes: Prefixes): string | undefined {
  for (const [prefix, value] of prefixes) if (value === namespace) return prefix
  return undefined
}

function freshPrefix(prefixes: Prefixes): string {
  let number = 1
  while (prefixes.has(`n${number}`)) number++
  return `n${number}`
}
