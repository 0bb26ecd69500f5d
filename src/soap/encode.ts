import type {
  AnyParticle,
  Attribute,
  ChoiceParticle,
  ComplexType,
  Contract,
  ElementParticle,
  Particle,
  PrefixScope,
  QualifiedName,
  RawElement,
} from '../onvif/schema.ts'
import { escapeAttribute, escapeText } from './characters.ts'
import { SCHEMA_INSTANCE } from './namespaces.ts'
import { canBeAbsent, elementsIn } from './particles.ts'
import { declaration, declarations, writeRaw } from './raw.ts'
import { type SimpleCodec, simpleCodec } from './simpleTypes.ts'

/** Writes the whole element that a value makes, under the tag given. */
type Encode = (value: unknown, tag: string) => string

type Fields = Readonly<Record<string, unknown>>

/** Writes what one particle covers. */
type Step = (fields: Fields) => string

/**
 * From values to elements: right prefixes and order whatever the order of the properties. A value that does not fit the contract
 * is a bug of ours, not the client's, and throws an Error that names type and property. Compiled like the Decoder.
 */
export class Encoder {
  readonly #contract: Contract
  readonly #compiled = new Map<QualifiedName, Encode>()
  readonly #prefixes: ReadonlyMap<string, string>

  constructor(contract: Contract) {
    this.#contract = contract
    this.#prefixes = new Map(Object.entries(contract.namespaces))
  }

  encode(name: QualifiedName, value: unknown): string {
    const type = this.#contract.elements[name]
    if (type === undefined) throw new Error(`the contract has no element ${name}`)
    return this.#typed(type)(value, name)
  }

  #typed(type: QualifiedName): Encode {
    const known = this.#compiled.get(type)
    if (known) return known
    const definition = this.#contract.types[type]
    const encode = definition?.kind === 'complex' ? this.#complex(type, definition) : this.#simple(type)
    this.#compiled.set(type, encode)
    return encode
  }

  #simple(type: QualifiedName): Encode {
    const codec = simpleCodec(type, this.#contract)
    return (value, tag) => element(tag, codec.declare?.(value) ?? '', escapeText(write(codec, value, tag)))
  }

  #complex(type: QualifiedName, { attributes, content, text, mixed }: ComplexType): Encode {
    const writers = attributes.map(attribute => this.#attribute(attribute, type))
    if (text !== undefined) writers.push(this.#declare(text))
    if (mixed) writers.push(fields => this.#declareInText(fields))
    const steps = text === undefined ? content.map(particle => this.#step(particle, type)) : [this.#text(text, type)]
    if (mixed) steps.unshift(({ $text }) => escapeText(mixedText($text, type)))
    const properties = new Set([
      ...attributes.map(({ name }) => name),
      ...(text === undefined ? content.flatMap(propertiesOf) : ['$value']),
      ...(mixed ? ['$text', '$scope'] : []),
    ])
    return (value, tag) => {
      if (!isFields(value)) throw new Error(`${type} needs an object`)
      for (const name in value) if (!properties.has(name)) throw new Error(`${type} has no property ${name}`)
      let head = ''
      for (const writer of writers) head += writer(value)
      let body = ''
      for (const step of steps) body += step(value)
      return element(tag, head, body)
    }
  }

  #attribute({ prefix, name, type, required }: Attribute, owner: QualifiedName): Step {
    const codec = simpleCodec(type, this.#contract)
    const qualified = prefix === '' ? name : `${prefix}:${name}`
    return fields => {
      const value = fields[name]
      if (value !== undefined)
        return `${codec.declare?.(value) ?? ''} ${qualified}="${escapeAttribute(write(codec, value, `${owner}/@${name}`))}"`
      if (required) throw new Error(`${owner}/@${name} is missing`)
      return ''
    }
  }

  #text(type: QualifiedName, owner: QualifiedName): Step {
    const codec = simpleCodec(type, this.#contract)
    return ({ $value }) => escapeText(write(codec, $value, `${owner}/$value`))
  }

  #declare(type: QualifiedName): Step {
    const { declare } = simpleCodec(type, this.#contract)
    return ({ $value }) => declare?.($value) ?? ''
  }

  /** The prefixes of a text that came with its scope; of ours, those of the contract are enough. */
  #declareInText({ $text, $scope }: Fields): string {
    if (typeof $text !== 'string' || !isScope($scope)) return ''
    return [...declarations($text, $scope, this.#prefixes)].map(([prefix, namespace]) => declaration(prefix, namespace)).join('')
  }

  #step(particle: Particle, owner: QualifiedName): Step {
    switch (particle.kind) {
      case 'element':
        return particle.max === 1 ? this.#single(particle, owner) : this.#repeated(particle, owner)
      case 'any':
        return this.#any(particle, owner)
      case 'choice':
        return this.#choice(particle, owner)
    }
  }

  /** Compiled when the first value comes: types may hold themselves. */
  #lazily(type: QualifiedName): Encode {
    let encode: Encode | undefined
    return (value, tag) => {
      encode ??= this.#typed(type)
      return encode(value, tag)
    }
  }

  #single({ prefix, name, type, min, nillable }: ElementParticle, owner: QualifiedName): Step {
    const tag = prefix === '' ? name : `${prefix}:${name}`
    const encode = this.#lazily(type)
    return fields => {
      const value = fields[name]
      if (value !== undefined) return encode(value, tag)
      if (min > 0 && nillable) return `<${tag} xmlns:xsi="${SCHEMA_INSTANCE}" xsi:nil="true"/>`
      if (min > 0) throw new Error(`${owner}/${name} is missing`)
      return ''
    }
  }

  #repeated({ prefix, name, type, min, max = Infinity }: ElementParticle, owner: QualifiedName): Step {
    const tag = prefix === '' ? name : `${prefix}:${name}`
    const encode = this.#lazily(type)
    return fields => {
      const values = fields[name] ?? []
      if (!Array.isArray(values)) throw new Error(`${owner}/${name} needs an array`)
      if (values.length < min || values.length > max) throw new Error(`${owner}/${name} has ${values.length} elements`)
      let written = ''
      for (const value of values) written += encode(value, tag)
      return written
    }
  }

  #any({ min, max = Infinity, raw }: AnyParticle, owner: QualifiedName): Step {
    return ({ $any = [] }) => {
      if (!Array.isArray($any) || $any.length < min || $any.length > max)
        throw new Error(`${owner}/$any needs an array of ${min} to ${max} elements`)
      let written = ''
      for (const any of $any) {
        if (raw && isFields(any) && isRaw(any.xml)) {
          written += writeRaw(any.xml, this.#prefixes)
          continue
        }
        if (!isFields(any) || typeof any.element !== 'string') throw new Error(`${owner}/$any needs elements of the contract`)
        written += this.encode(any.element, any.value)
      }
      return written
    }
  }

  #choice(choice: ChoiceParticle, owner: QualifiedName): Step {
    const options = choice.alternatives.map(particles => ({
      properties: particles.flatMap(propertiesOf),
      steps: particles.map(particle => this.#step(particle, owner)),
    }))
    return fields => {
      const chosen = options.filter(({ properties }) => properties.some(name => fields[name] !== undefined))
      if (chosen.length > 1) throw new Error(`${owner} has more than one alternative of a choice`)
      if (chosen.length === 0 && !canBeAbsent(choice)) throw new Error(`${owner} lacks an alternative of a choice`)
      return chosen.flatMap(({ steps }) => steps.map(step => step(fields))).join('')
    }
  }
}

function element(tag: string, attributes: string, content: string): string {
  return content === '' ? `<${tag}${attributes}/>` : `<${tag}${attributes}>${content}</${tag}>`
}

function write({ write, rule }: SimpleCodec, value: unknown, place: string): string {
  const text = write(value)
  if (text === undefined) throw new Error(`the value of ${place} is not ${rule}`)
  return text
}

function mixedText(value: unknown, owner: QualifiedName): string {
  if (typeof value !== 'string') throw new Error(`${owner}/$text is not text`)
  return value
}

/** Nothing more can be known of a function; what it was made for is in the type of `$scope`. */
function isScope(value: unknown): value is PrefixScope {
  return typeof value === 'function'
}

function isRaw(value: unknown): value is RawElement {
  return isFields(value) && typeof value.namespace === 'string' && Array.isArray(value.attributes) && Array.isArray(value.children)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function propertiesOf(particle: Particle): readonly string[] {
  return particle.kind === 'any' ? ['$any'] : elementsIn([particle]).map(({ name }) => name)
}
