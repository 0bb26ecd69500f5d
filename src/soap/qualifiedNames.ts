import type { Contract } from '../onvif/schema.ts'
import { collapse } from './builtIns.ts'
import { escapeAttribute, isNcName } from './characters.ts'
import type { SimpleCodec } from './simpleTypes.ts'
import { type NamespaceScope, namespaceOf } from './xml.ts'

/** Stands for a namespace that has no prefix of its own in the contract. */
const PREFIX = 'q'

/**
 * xs:QName (XML Schema Part 2, 3.2.18). Its value is text, as in `xs:float`: with the contract's prefix, whatever the sender calls that
 * namespace, or as `{namespace}name` where the contract has none for it.
 */
export function qualifiedNames({ namespaces }: Pick<Contract, 'namespaces'>): SimpleCodec {
  const prefixes = new Map(Object.entries(namespaces).map(([prefix, namespace]) => [namespace, prefix]))

  function read(text: string, scope?: NamespaceScope): string | undefined {
    const [local = '', prefix = '', ...more] = collapse(text).split(':').reverse()
    if (!isNcName(local) || more.length > 0 || (prefix === '' && text.includes(':'))) return undefined
    const namespace = scope ? namespaceOf(prefix, scope) : prefix === '' ? '' : namespaces[prefix]
    if (namespace === undefined) return undefined
    const known = prefixes.get(namespace)
    return known === undefined ? `{${namespace}}${local}` : `${known}:${local}`
  }

  return {
    rule: 'xs:QName',
    read,
    write(value) {
      if (typeof value !== 'string') return undefined
      const foreign = parts(value)
      if (!foreign) return read(value)?.startsWith('{') === false ? value : undefined
      if (!isNcName(foreign.name)) return undefined
      return foreign.namespace === '' ? foreign.name : `${PREFIX}:${foreign.name}`
    },
    declare(value) {
      const { namespace = '' } = (typeof value === 'string' && parts(value)) || {}
      return namespace === '' ? '' : ` xmlns:${PREFIX}="${escapeAttribute(namespace)}"`
    },
  }
}

function parts(value: string): { readonly namespace: string; readonly name: string } | undefined {
  const end = value.lastIndexOf('}')
  return value.startsWith('{') && end > 0 ? { namespace: value.slice(1, end), name: value.slice(end + 1) } : undefined
}
