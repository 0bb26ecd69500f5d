import type { Contract, QualifiedName, SimpleType } from '../onvif/schema.ts'
import { builtIns, collapse } from './builtIns.ts'
import { qualifiedNames } from './qualifiedNames.ts'
import type { NamespaceScope } from './xml.ts'

/** How the values of one simple type look on the wire. */
export interface SimpleCodec {
  /** The rule, in the words of a fault: `xs:int of 0 to 31`. */
  readonly rule: string
  /** The value, or undefined where the text does not obey the rule. A prefix in it means what it means in `scope`. */
  readonly read: (text: string, scope?: NamespaceScope) => unknown
  /** The text, or undefined where the value does not obey the rule. */
  readonly write: (value: unknown) => string | undefined
  /** The declaration that the text of a value needs beside it, or ''; only qualified names need any. */
  readonly declare?: (value: unknown) => string
}

/** XML Schema Part 2. A type, or a facet on it, that no message uses is not implemented, and says so when it is first needed. */
export function simpleCodec(name: QualifiedName, contract: Contract): SimpleCodec {
  if (name === 'xs:QName') return qualifiedNames(contract)
  if (name.startsWith('xs:')) return builtIn(name.slice('xs:'.length))
  const type = contract.types[name]
  if (type?.kind !== 'simple') throw new Error(`the contract has no simple type ${name}`)
  if (type.list) return listOf(simpleCodec(type.list, contract))
  if (type.union) return unionOf(type.union.map(member => simpleCodec(member, contract)))
  if (type.primitive) return restricted(builtIn(type.primitive), type)
  throw new Error(`${name} is neither a restriction nor a list nor a union`)
}

function builtIn(name: string): SimpleCodec {
  const codec = builtIns.get(name)
  if (!codec) throw new Error(`xs:${name} is not implemented`)
  return codec
}

/** Facets bind the value, so that reading and writing are held to the same. */
function restricted(base: SimpleCodec, type: SimpleType): SimpleCodec {
  const obeys = facets(type)
  return {
    rule: describe(base.rule, type),
    read: text => {
      const value = base.read(text)
      return obeys(value) ? value : undefined
    },
    write: value => (obeys(value) ? base.write(value) : undefined),
  }
}

function facets(type: SimpleType): (value: unknown) => boolean {
  const { enumeration, minInclusive = -Infinity, maxInclusive = Infinity } = type
  const { minLength = type.length ?? 0, maxLength = type.length ?? Infinity } = type
  const allowed = enumeration && new Set(enumeration)
  // The patterns of the contract mean the same in both languages, but for the anchors that XML Schema implies.
  const pattern = type.pattern === undefined ? undefined : new RegExp(`^(?:${type.pattern})$`, 'u')
  return value => {
    if (typeof value === 'number') return value >= minInclusive && value <= maxInclusive
    if (value instanceof Uint8Array) return value.length >= minLength && value.length <= maxLength
    if (typeof value !== 'string') return false
    if (allowed && !allowed.has(value)) return false
    const length = characters(value)
    return length >= minLength && length <= maxLength && (pattern === undefined || pattern.test(value))
  }
}

/** XML Schema Part 2, 4.3.1: characters are counted, not UTF-16 units. */
function characters(text: string): number {
  let pairs = 0
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) pairs++
  return text.length - pairs
}

function describe(base: string, { enumeration, pattern, length, minLength, maxLength, minInclusive, maxInclusive }: SimpleType): string {
  const rules = [enumeration ? `one of ${enumeration.join(', ')}` : base]
  if (length !== undefined) rules.push(`of length ${length}`)
  if (minLength !== undefined || maxLength !== undefined) rules.push(`of length ${minLength ?? 0} to ${maxLength ?? 'any'}`)
  if (minInclusive !== undefined || maxInclusive !== undefined) rules.push(`from ${minInclusive ?? 'any'} to ${maxInclusive ?? 'any'}`)
  if (pattern !== undefined) rules.push(`of the pattern ${pattern}`)
  return rules.join(' ')
}

function listOf(item: SimpleCodec): SimpleCodec {
  return {
    rule: `list of ${item.rule}`,
    read: text => {
      const collapsed = collapse(text)
      if (collapsed === '') return []
      const values = collapsed.split(' ').map(word => item.read(word))
      return values.includes(undefined) ? undefined : values
    },
    write: value => {
      if (!Array.isArray(value)) return undefined
      const texts = value.map(each => item.write(each))
      return texts.every(text => text !== undefined && /^[^ \t\r\n]+$/.test(text)) ? texts.join(' ') : undefined
    },
  }
}

/** XML Schema Part 1, 2.5.1: the first member that takes the value. */
function unionOf(members: readonly SimpleCodec[]): SimpleCodec {
  return {
    rule: members.map(member => member.rule).join(' or '),
    read: text => firstOf(members, member => member.read(text)),
    write: value => firstOf(members, member => member.write(value)),
  }
}

function firstOf<T>(members: readonly SimpleCodec[], attempt: (member: SimpleCodec) => T | undefined): T | undefined {
  for (const member of members) {
    const result = attempt(member)
    if (result !== undefined) return result
  }
  return undefined
}
