import type { SoapFault } from '../onvif/faults.ts'
import type {
  AnyOrRaw,
  AnyParticle,
  Attribute,
  ChoiceParticle,
  ComplexType,
  Contract,
  ElementParticle,
  Particle,
  QualifiedName,
} from '../onvif/schema.ts'
import { collapse } from './builtIns.ts'
import { detached, isBlank } from './characters.ts'
import { SCHEMA_INSTANCE } from './namespaces.ts'
import { withoutNil } from './nil.ts'
import { canBeAbsent, elementsIn } from './particles.ts'
import { refuse } from './refusals.ts'
import { type SimpleCodec, simpleCodec } from './simpleTypes.ts'
import { namespaceOf, type XmlAttribute, type XmlElement } from './xml.ts'

/** Turns an element into the value of its type. `root` is the message, from which a fault tells the way to the element. */
type Decode = (element: XmlElement, root: XmlElement) => unknown

/** How far the children of an element have been read, and what they gave. */
interface Progress {
  readonly parent: XmlElement
  readonly root: XmlElement
  readonly value: Record<string, unknown>
  next: number
}

/** Reads the children that one particle covers, if any. */
type Step = (progress: Progress) => void

type Matches = (child: XmlElement) => boolean

/** Types whose emptiness says nothing: there is no empty address, name of a host, or URI. */
const NOTHING_WHEN_EMPTY: ReadonlySet<string> = new Set(['token', 'anyURI'])

/** XML Schema Part 1, 2.6: these may stand on any element. */
const SCHEMA_ATTRIBUTES: ReadonlySet<string> = new Set(['type', 'nil', 'schemaLocation', 'noNamespaceSchemaLocation'])

/**
 * From elements to values, as the contract and XML Schema Part 1 say. Types are compiled to closures when they are first met.
 *
 * Unless strict, two things that real clients do are taken (client-quirks 17 and 18 are the evidence):
 * - A child may be in the namespace of the Device service where it belongs to the ONVIF schema, and the other way round.
 * - An empty optional element means "not given" where its type has no empty value, or is an address, name or URI.
 * Also, a wildcard does not swallow a misplaced or repeated sibling of its own type: that would drop a setting in silence.
 */
export class Decoder {
  readonly #contract: Contract
  readonly #strict: boolean
  readonly #prefixes: ReadonlyMap<string, string>
  readonly #compiled = new Map<QualifiedName, Decode>()

  constructor(contract: Contract, strict: boolean) {
    this.#contract = contract
    this.#strict = strict
    this.#prefixes = new Map(Object.entries(contract.namespaces).map(([prefix, namespace]) => [namespace, prefix]))
  }

  /** The contract's name of a global element, or undefined if it has none. */
  nameOf(element: XmlElement): QualifiedName | undefined {
    const name = `${this.#prefixes.get(element.namespace)}:${element.name}`
    return Object.hasOwn(this.#contract.elements, name) ? name : undefined
  }

  /** The value of a global element. Throws the fault that tells what is wrong with it and where. */
  decode(name: QualifiedName, element: XmlElement, root = element): unknown {
    const type = this.#contract.elements[name]
    if (type === undefined) throw new Error(`the contract has no element ${name}`)
    return this.#typed(type)(element, root)
  }

  #typed(type: QualifiedName): Decode {
    const known = this.#compiled.get(type)
    if (known) return known
    const definition = this.#contract.types[type]
    const decode = definition?.kind === 'complex' ? this.#complex(type, definition) : this.#simple(type)
    this.#compiled.set(type, decode)
    return decode
  }

  #simple(type: QualifiedName): Decode {
    const codec = simpleCodec(type, this.#contract)
    const refuseAttributes = this.#attributes(type, [], false)
    return (element, root) => {
      refuseAttributes(element, root, {})
      return readText(codec, element, root)
    }
  }

  #complex(type: QualifiedName, { attributes, anyAttribute, content, text, mixed }: ComplexType): Decode {
    const readAttributes = this.#attributes(type, attributes, anyAttribute ?? false)
    if (text !== undefined) {
      const codec = simpleCodec(text, this.#contract)
      return (element, root) => {
        const value: Record<string, unknown> = {}
        readAttributes(element, root, value)
        value.$value = readText(codec, element, root)
        return value
      }
    }
    const siblings = elementsIn(content)
    const steps = content.map(particle => this.#step(particle, siblings))
    return (element, root) => {
      const value: Record<string, unknown> = {}
      readAttributes(element, root, value)
      if (mixed) readMixed(element, value)
      else if (element.text !== '' && !isBlank(element.text)) throw refuse('Tag', 'has text where only elements may be', element, root)
      const progress = { parent: element, root, value, next: 0 }
      for (const step of steps) step(progress)
      const left = element.children[progress.next]
      if (left) throw this.#unexpected(left, siblings, root)
      return value
    }
  }

  /** Reads, checks and completes the attributes of an element into its value. */
  #attributes(
    type: QualifiedName,
    declared: readonly Attribute[],
    any: boolean,
  ): (element: XmlElement, root: XmlElement, value: Record<string, unknown>) => void {
    const known = new Map<string, { name: string; codec: SimpleCodec }>()
    const defaults: [name: string, value: unknown][] = []
    for (const { prefix, name, type, default: text } of declared) {
      const codec = simpleCodec(type, this.#contract)
      known.set(expanded(this.#namespace(prefix), name), { name, codec })
      if (text !== undefined) defaults.push([name, codec.read(text)])
    }
    const required = declared.filter(attribute => attribute.required).map(attribute => attribute.name)
    return (element, root, value) => {
      for (const [name, standard] of defaults) value[name] = standard
      for (const attribute of element.attributes) {
        const entry = known.get(expanded(attribute.namespace, attribute.name))
        if (entry) {
          const read = entry.codec.read(attribute.value, element.scope)
          if (read === undefined) throw refuse('InvalidArgVal', `is not ${entry.codec.rule}`, element, root, attribute.name)
          value[entry.name] = read
        } else if (attribute.namespace === SCHEMA_INSTANCE && SCHEMA_ATTRIBUTES.has(attribute.name)) {
          this.#checkSchemaAttribute(attribute, type, element, root)
        } else if (!any) {
          throw refuse('ProhibAttr', 'is not allowed', element, root, attribute.name)
        }
      }
      for (const name of required) if (value[name] === undefined) throw refuse('MissingAttr', 'is missing', element, root, name)
    }
  }

  /** What may be nil is looked at before (see `#nillable`), and the type that is declared is the only one that is taken. */
  #checkSchemaAttribute({ name, value }: XmlAttribute, type: QualifiedName, element: XmlElement, root: XmlElement): void {
    if (name === 'schemaLocation' || name === 'noNamespaceSchemaLocation') return
    if (name === 'nil') throw refuse('ProhibAttr', 'is not allowed', element, root, name)
    const [local = '', prefix = ''] = collapse(value).split(':').reverse()
    const namespace = namespaceOf(prefix, element.scope) ?? ''
    if (`${this.#prefixes.get(namespace)}:${local}` !== type)
      throw refuse('InvalidArgVal', 'is not the type of this element', element, root, name)
  }

  #step(particle: Particle, siblings: readonly ElementParticle[]): Step {
    switch (particle.kind) {
      case 'element':
        return particle.max === 1 ? this.#single(particle, siblings) : this.#repeated(particle, siblings)
      case 'any':
        return this.#any(particle, siblings)
      case 'choice':
        return this.#choice(particle, siblings)
    }
  }

  #single(particle: ElementParticle, siblings: readonly ElementParticle[]): Step {
    const { name, min } = particle
    const matches = this.#matches(particle)
    const saysNothing = this.#saysNothing(particle)
    const decode = this.#nillable(particle, this.#withDefault(particle, this.#lazily(particle.type)))
    return progress => {
      const child = progress.parent.children[progress.next]
      if (child !== undefined && matches(child)) {
        progress.next++
        if (saysNothing(child)) return
        const value = decode(child, progress.root)
        if (value !== undefined) progress.value[name] = value
      } else if (min > 0) {
        throw this.#missing(particle, siblings, progress)
      }
    }
  }

  /** XML Schema Part 1, 3.3.4: an element without content has the default's. */
  #withDefault({ default: text }: ElementParticle, decode: Decode): Decode {
    if (text === undefined) return decode
    return (element, root) => decode(element.text === '' && element.children.length === 0 ? { ...element, text } : element, root)
  }

  /** XML Schema Part 1, 2.6.2: what says of itself that it is not given has no value. */
  #nillable({ nillable, type }: ElementParticle, decode: Decode): Decode {
    if (!nillable) return decode
    const checkAttributes = this.#attributes(type, [], false)
    return (element, root) => {
      const { isNil, rest } = withoutNil(element, root, this.#strict)
      if (!isNil) return decode(rest, root)
      checkAttributes(rest, root, {})
      return undefined
    }
  }

  #repeated(particle: ElementParticle, siblings: readonly ElementParticle[]): Step {
    const { name, min, max = Infinity } = particle
    const matches = this.#matches(particle)
    const saysNothing = this.#saysNothing(particle)
    const decode = this.#lazily(particle.type)
    return progress => {
      const { children } = progress.parent
      const first = progress.next
      const values: unknown[] = []
      for (
        let child = children[first];
        child !== undefined && progress.next - first < max && matches(child);
        child = children[progress.next]
      ) {
        progress.next++
        if (!saysNothing(child)) values.push(decode(child, progress.root))
      }
      if (progress.next - first < min) throw this.#missing(particle, siblings, progress)
      if (values.length > 0) progress.value[name] = values
    }
  }

  /** Elements that the contract knows are decoded, others kept as they are or dropped; which of them may be there, processContents says. */
  #any(particle: AnyParticle, siblings: readonly ElementParticle[]): Step {
    const { min, max = Infinity, processContents, raw } = particle
    const matches = this.#matchesAny(particle, siblings)
    return progress => {
      const { children } = progress.parent
      const first = progress.next
      const found: AnyOrRaw[] = []
      for (
        let child = children[first];
        child !== undefined && progress.next - first < max && matches(child);
        child = children[progress.next]
      ) {
        progress.next++
        if (processContents === 'skip') continue
        const element = raw === 'all' ? undefined : this.nameOf(child)
        if (element !== undefined) found.push({ element, value: this.decode(element, child, progress.root) })
        else if (processContents === 'strict' && !raw) throw refuse('InvalidArgs', 'is not known to this service', child, progress.root)
        else this.#checkKnown(raw === 'all' ? [child] : child.children, progress.root)
        if (element === undefined && raw) found.push({ xml: child })
      }
      if (progress.next - first < min) throw refuse('InvalidArgs', 'lacks an element', progress.parent, progress.root)
      if (found.length > 0 || min > 0) progress.value.$any = found
    }
  }

  /** XML Schema Part 1, 3.10.4: in an element that is dropped, too, known elements are held to their declaration. */
  #checkKnown(elements: readonly XmlElement[], root: XmlElement): void {
    for (const element of elements) {
      const name = this.nameOf(element)
      if (name !== undefined) this.decode(name, element, root)
      else this.#checkKnown(element.children, root)
    }
  }

  #choice(particle: ChoiceParticle, siblings: readonly ElementParticle[]): Step {
    if (particle.max !== 1) throw new Error('a choice that repeats is not implemented')
    const alternatives = particle.alternatives.map(particles => ({
      begins: this.#begins(particles, siblings),
      steps: particles.map(each => this.#step(each, siblings)),
    }))
    return progress => {
      const child = progress.parent.children[progress.next]
      const chosen = child && alternatives.find(alternative => alternative.begins(child))
      if (chosen) for (const step of chosen.steps) step(progress)
      else if (!canBeAbsent(particle)) throw refuse('InvalidArgs', 'lacks an element', progress.parent, progress.root)
    }
  }

  /** Whether an element can be the first of a sequence. */
  #begins(particles: readonly Particle[], siblings: readonly ElementParticle[]): Matches {
    const needed = particles.findIndex(particle => !canBeAbsent(particle))
    const firsts = particles.slice(0, needed < 0 ? particles.length : needed + 1).flatMap(particle => {
      if (particle.kind === 'element') return [this.#matches(particle)]
      if (particle.kind === 'any') return [this.#matchesAny(particle, siblings)]
      return particle.alternatives.map(alternative => this.#begins(alternative, siblings))
    })
    return child => firsts.some(matches => matches(child))
  }

  #matches({ prefix, name }: ElementParticle): Matches {
    const namespace = this.#namespace(prefix)
    const twin = this.#strict ? namespace : this.#twin(namespace)
    return child => child.name === name && (child.namespace === namespace || child.namespace === twin)
  }

  #matchesAny({ namespace, target }: AnyParticle, siblings: readonly ElementParticle[]): Matches {
    const own = this.#strict ? [] : siblings.map(sibling => this.#matches(sibling))
    const admits = admission(namespace, this.#namespace(target))
    return child => admits(child.namespace) && !own.some(matches => matches(child))
  }

  #saysNothing({ type, min, default: text }: ElementParticle): Matches {
    if (this.#strict || min > 0) return () => false
    let hasNoEmptyValue: boolean | undefined
    return child => {
      if (child.children.length > 0 || child.attributes.length > 0 || !isBlank(child.text)) return false
      if (child.text === '' && text !== undefined) return false
      hasNoEmptyValue ??= !this.#hasEmptyValue(type)
      return hasNoEmptyValue
    }
  }

  #hasEmptyValue(type: QualifiedName): boolean {
    const definition = this.#contract.types[type]
    if (definition?.kind !== 'complex') {
      const primitive = definition ? definition.primitive : type.slice('xs:'.length)
      return !NOTHING_WHEN_EMPTY.has(primitive ?? '') && simpleCodec(type, this.#contract).read('') !== undefined
    }
    if (definition.attributes.some(attribute => attribute.required)) return false
    return definition.text === undefined ? definition.content.every(canBeAbsent) : this.#hasEmptyValue(definition.text)
  }

  /** What is in its place tells more where it is a sibling's name in another namespace: that is what went wrong. */
  #missing({ name }: ElementParticle, siblings: readonly ElementParticle[], { parent, next, root }: Progress): Error {
    const instead = parent.children[next]
    if (instead) {
      const unexpected = this.#unexpected(instead, siblings, root)
      if (unexpected.subcodes.includes('TagMismatch')) return unexpected
    }
    return refuse('InvalidArgs', `lacks the element ${name}`, parent, root)
  }

  #unexpected(child: XmlElement, siblings: readonly ElementParticle[], root: XmlElement): SoapFault {
    const namesakes = siblings.filter(sibling => sibling.name === child.name)
    if (namesakes.length === 0) return refuse('InvalidArgs', 'is not expected here', child, root)
    const known = namesakes.some(sibling => this.#matches(sibling)(child))
    return known
      ? refuse('InvalidArgs', 'is out of order or given too often', child, root)
      : refuse('TagMismatch', 'is in the wrong namespace', child, root)
  }

  #lazily(type: QualifiedName): Decode {
    let decode: Decode | undefined
    return (element, root) => {
      decode ??= this.#typed(type)
      return decode(element, root)
    }
  }

  #namespace(prefix: string): string {
    return prefix === '' ? '' : (this.#contract.namespaces[prefix] ?? '')
  }

  #twin(namespace: string): string {
    const { tds, tt } = this.#contract.namespaces
    return (namespace === tds ? tt : namespace === tt ? tds : undefined) ?? namespace
  }
}

/** What prefixes mean is kept without the element, which would keep the whole message. */
function readMixed({ text, scope }: XmlElement, value: Record<string, unknown>): void {
  value.$text = detached(text)
  value.$scope = (prefix: string) => namespaceOf(prefix, scope)
}

function readText({ read, rule }: SimpleCodec, element: XmlElement, root: XmlElement): unknown {
  if (element.children.length > 0) throw refuse('InvalidArgs', 'has elements where only text may be', element, root)
  const value = read(element.text, element.scope)
  if (value === undefined) throw refuse('InvalidArgVal', `is not ${rule}`, element, root)
  return value
}

/** XML Schema Part 1, 3.10.1. `##other` leaves out elements without a namespace, too. */
function admission(constraint: string, target: string): (namespace: string) => boolean {
  if (constraint === '##any') return () => true
  if (constraint === '##other') return namespace => namespace !== target && namespace !== ''
  const names = constraint.split(' ').map(name => (name === '##targetNamespace' ? target : name === '##local' ? '' : name))
  return namespace => names.includes(namespace)
}

function expanded(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace} ${name}`
}
