import { contract } from '../../src/onvif/contract.generated.ts'
import type { ElementParticle, Particle, QualifiedName, SimpleType, Type } from '../../src/onvif/schema.ts'
import type { OperationName } from '../../src/onvif/types.generated.ts'
import { escapeAttribute, escapeText } from '../../src/soap/characters.ts'
import { parseXml, type XmlElement } from '../../src/soap/xml.ts'

export const operationNames = Object.keys(contract.operations).filter((name): name is OperationName =>
  Object.hasOwn(contract.operations, name),
)

/** One element of a request and what the tables say of it. */
interface Part {
  readonly name: string
  readonly type: QualifiedName
  /** How often it may stand where it stands. */
  readonly min: number
  readonly max: number | undefined
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Part[]
  readonly text: string
}

/** What stands inside of the Body: a request with as little as the tables allow, or with everything that has a meaning. */
export function requestFor(operation: OperationName, extent: 'minimal' | 'full'): string {
  const name = contract.operations[operation]?.request ?? ''
  return write(madePart(name, contract.elements[name] ?? '', extent, 0))
}

export interface Spoiled {
  readonly how: string
  readonly body: string
  readonly fault: string
}

/** A valid request, spoiled in each way and at each place that the tables show, with the fault of Core 5.8.2.2 for it. */
export function* spoil(body: string): Generator<Spoiled> {
  const declared = Object.entries(contract.namespaces).map(([prefix, namespace]) => `xmlns:${prefix}="${namespace}"`)
  const element = parseXml(`<r ${declared.join(' ')}>${body}</r>`).children[0]
  if (!element) throw new Error(`no request: ${body}`)
  const name = `${prefixOf(element)}:${element.name}`
  const root = readPart(element, { name, type: contract.elements[name] ?? '', min: 1, max: 1 })
  yield* spoiled(root, write, root.name)
}

// --- from the tables ---

const typeOf = (type: QualifiedName): Type =>
  type.startsWith('xs:') ? { kind: 'simple', primitive: type.slice(3) } : (contract.types[type] ?? { kind: 'simple', primitive: 'string' })

/** Some types hold themselves, and extensions of extensions say nothing. */
const DEPTH_MAX = 5

function madePart(
  name: string,
  type: QualifiedName,
  extent: 'minimal' | 'full',
  depth: number,
  min = 1,
  max: number | undefined = 1,
): Part {
  const definition = typeOf(type)
  const base = { name, type, min, max }
  if (definition.kind === 'simple') return { ...base, attributes: {}, children: [], text: example(definition) }
  const attributes = definition.attributes.filter(({ required }) => required || extent === 'full')
  return {
    ...base,
    attributes: Object.fromEntries(attributes.map(({ prefix, name, type }) => [qualified(prefix, name), example(simple(type))])),
    children: definition.content.flatMap(particle => madeChildren(particle, extent, depth)),
    text: definition.text === undefined ? '' : example(simple(definition.text)),
  }
}

function madeChildren(particle: Particle, extent: 'minimal' | 'full', depth: number): Part[] {
  if (particle.kind === 'any') return []
  if (particle.kind === 'choice') return (particle.alternatives[0] ?? []).flatMap(each => madeChildren(each, extent, depth))
  const wanted = extent === 'full' && depth < DEPTH_MAX && particle.name !== 'Extension' ? 1 : 0
  const { prefix, name, type, min, max } = particle
  return Array.from({ length: Math.max(min, wanted) }, () => madePart(`${prefix}:${name}`, type, extent, depth + 1, min, max))
}

const qualified = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}:${name}`)

function simple(type: QualifiedName): SimpleType {
  const definition = typeOf(type)
  if (definition.kind === 'complex') throw new Error(`${type} is not simple`)
  return definition
}

const examples: Readonly<Record<string, string>> = {
  string: 'text',
  token: 'text',
  NCName: 'text',
  anyURI: 'onvif://www.onvif.org/x/y',
  boolean: 'false',
  float: '1.5',
  double: '1.5',
  dateTime: '2026-11-21T11:00:00Z',
  duration: 'PT10S',
  base64Binary: 'AAAA',
  hexBinary: '00ff',
}

function example(type: SimpleType): string {
  if (type.enumeration) return type.enumeration[0] ?? ''
  if (type.list) return example(simple(type.list))
  if (type.union) return example(simple(type.union[0] ?? ''))
  const { primitive = 'string', pattern, length, minLength = 0, maxLength = Infinity } = type
  if (pattern !== undefined) return matching(pattern)
  const text = examples[primitive] ?? String(Math.max(1, type.minInclusive ?? 1))
  if (primitive === 'hexBinary') return '00'.repeat(length ?? Math.max(minLength, 1))
  return text.padEnd(length ?? minLength, 'x').slice(0, length ?? maxLength)
}

/** The patterns of the contract are those of pre-shared keys and object identifiers. */
function matching(pattern: string): string {
  const found = ['text', '1.3.132.0.34'].find(text => new RegExp(`^(?:${pattern})$`, 'u').test(text))
  if (found === undefined) throw new Error(`no example of ${pattern}`)
  return found
}

// --- from a request that somebody wrote ---

const prefixOf = ({ namespace }: Pick<XmlElement, 'namespace'>): string =>
  Object.entries(contract.namespaces).find(([, name]) => name === namespace)?.[0] ?? ''

function readPart(element: XmlElement, place: Pick<Part, 'name' | 'type' | 'min' | 'max'>): Part {
  const definition = typeOf(place.type)
  const particles = definition.kind === 'complex' ? elementsOf(definition.content) : []
  return {
    ...place,
    attributes: Object.fromEntries(
      element.attributes.map(({ namespace, name, value }) => [qualified(prefixOf({ namespace }), name), value]),
    ),
    children: element.children.map(child => {
      const particle = particles.find(({ name }) => name === child.name)
      const name = `${prefixOf(child)}:${child.name}`
      return readPart(child, { name, type: particle?.type ?? 'xs:string', min: particle?.min ?? 0, max: particle?.max })
    }),
    text: element.text,
  }
}

const elementsOf = (content: readonly Particle[]): readonly ElementParticle[] =>
  content.flatMap(particle => {
    if (particle.kind === 'element') return [particle]
    return particle.kind === 'choice' ? particle.alternatives.flatMap(elementsOf) : []
  })

function write({ name, attributes, children, text }: Part): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`)
  return `<${name}${written.join('')}>${escapeText(text)}${children.map(write).join('')}</${name}>`
}

// --- spoiling ---

/** `around` writes the whole request with this text in place of the part. */
function* spoiled(part: Part, around: (part: Part) => string, path: string): Generator<Spoiled> {
  const definition = typeOf(part.type)
  const variant = (how: string, fault: string, changed: Partial<Part>): Spoiled => ({
    how: `${path}: ${how}`,
    fault: `Sender/${fault}`,
    body: around({ ...part, ...changed }),
  })

  if (definition.kind === 'simple') {
    yield variant('an element inside of text', 'InvalidArgs', { children: [nonsense] })
    yield variant('an attribute that it has not', 'ProhibAttr', { attributes: { surplus: '1' } })
    for (const [how, text] of badTexts(definition)) if (text !== '' || part.min > 0) yield variant(how, 'InvalidArgVal', { text })
    return
  }
  const isOpen = definition.content.some(({ kind }) => kind === 'any')
  if (!isOpen) yield variant('an unknown element', 'InvalidArgs', { children: [...part.children, nonsense] })
  if (definition.text === undefined && !definition.mixed) yield variant('text between elements', 'Tag', { text: 'surplus' })
  if (!definition.anyAttribute) yield variant('an unknown attribute', 'ProhibAttr', { attributes: { ...part.attributes, surplus: '1' } })
  for (const { prefix, name: local, type, required } of definition.attributes) {
    const name = qualified(prefix, local)
    const { [name]: given, ...others } = part.attributes
    if (given === undefined) continue
    if (required) yield variant(`without @${name}`, 'MissingAttr', { attributes: others })
    for (const [how, text] of badTexts(simple(type)))
      yield variant(`@${name}: ${how}`, 'InvalidArgVal', { attributes: { ...others, [name]: text } })
  }
  for (const [index, child] of part.children.entries()) {
    const replaced = (...parts: readonly Part[]) => ({ children: part.children.toSpliced(index, 1, ...parts) })
    const namesakes = part.children.filter(({ name }) => name === child.name).length
    // An optional element that is empty counts as not given (client-quirks 18), so that nothing is missing in it.
    const saysNothing = part.min === 0 && part.children.length === 1 && Object.keys(part.attributes).length === 0
    if (namesakes <= child.min && !saysNothing) yield variant(`without ${child.name}`, 'InvalidArgs', replaced())
    if (child.max === 1) yield variant(`${child.name} twice`, 'InvalidArgs', replaced(child, child))
    if (!isOpen && namesakes === 1)
      yield variant(`${child.name} in a strange namespace`, 'TagMismatch', replaced(inStrangeNamespace(child)))
    yield* spoiled(child, changed => around({ ...part, ...replaced(changed) }), `${path}/${child.name}`)
  }
}

const nonsense: Part = { name: 'tds:Nonsense', type: 'xs:string', min: 0, max: 1, attributes: {}, children: [], text: '' }

const inStrangeNamespace = (part: Part): Part => ({
  ...part,
  name: part.name.replace(/^.*:/, 'strange:'),
  attributes: { ...part.attributes, 'xmlns:strange': 'urn:strange' },
})

const wrongTypes: Readonly<Record<string, string>> = {
  boolean: 'perhaps',
  int: 'many',
  integer: 'many',
  nonNegativeInteger: '-1',
  positiveInteger: '0',
  NCName: 'a:b',
  float: 'much',
  double: 'much',
  dateTime: 'yesterday',
  duration: 'a while',
  base64Binary: '=AA=',
  hexBinary: 'xyz',
}

/** Texts of a wrong type and of a right type but out of range. Nothing is wrong for a plain string or URI. */
function* badTexts(type: SimpleType): Generator<readonly [how: string, text: string]> {
  if (type.list || type.union) return
  const { primitive = '', enumeration, pattern, length, minLength, maxLength, minInclusive, maxInclusive } = type
  const wrong = wrongTypes[primitive]
  if (wrong !== undefined) yield ['of a wrong type', wrong]
  if (enumeration) yield ['none of the values', 'Nonsense']
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test('~\u00e9~')) yield ['against the pattern', '~\u00e9~']
  if (primitive === 'int') for (const text of ['2147483648', '-2147483649', '1e3']) yield [`out of range: ${text}`, text]
  if (minInclusive !== undefined) yield ['below the least', String(minInclusive - 1)]
  if (maxInclusive !== undefined) yield ['above the most', String(maxInclusive + 1)]
  const unit = primitive === 'hexBinary' ? '00' : 'x'
  const most = length ?? maxLength
  const least = length ?? minLength
  if (most !== undefined) yield ['too long', unit.repeat(most + 1)]
  if (least !== undefined && least > 0) yield ['too short', unit.repeat(least - 1)]
}
