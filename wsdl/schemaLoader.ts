import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Attribute, ElementParticle, Particle, QualifiedName } from '../src/onvif/schema.ts'
import { parseXml, resolveName, type XmlNode } from './xmlTree.ts'

/** What the WSDL files and their schemas say: the operations of each service, and every element and type that they reach. */
export interface Model {
  readonly services: readonly Service[]
  readonly elements: ReadonlyMap<QualifiedName, QualifiedName>
  readonly definitions: ReadonlyMap<QualifiedName, Definition>
}

/** One WSDL file. */
export interface Service {
  readonly prefix: string
  /** Name of its `wsdl:service`, if it has one. */
  readonly name: string | undefined
  readonly portTypes: readonly PortType[]
}

export interface PortType {
  /** With the prefix of its namespace, as in `wsntw:SubscriptionManager`. */
  readonly name: QualifiedName
  readonly binding: string
  readonly operations: readonly Operation[]
}

export interface Operation {
  readonly name: string
  readonly soapAction: string
  readonly request: Message
  /** Undefined where the device sends the message and expects no answer. */
  readonly response: Message | undefined
  readonly faults: readonly Message[]
  readonly documentation: string
}

export interface Message {
  readonly name: string
  readonly part: string
  readonly element: QualifiedName
  /** Its wsa:Action. */
  readonly action: string
}

/** A type as written, before its base type is merged into it. */
export type Definition = SimpleDefinition | ComplexDefinition

export interface SimpleDefinition {
  readonly kind: 'simple'
  readonly base?: QualifiedName
  readonly list?: QualifiedName
  readonly union?: readonly QualifiedName[]
  readonly facets: readonly Facet[]
  readonly documentation: string
}

export interface Facet {
  readonly name: 'enumeration' | 'pattern' | 'length' | 'minLength' | 'maxLength' | 'minInclusive' | 'maxInclusive'
  readonly value: string
}

export interface ComplexDefinition {
  readonly kind: 'complex'
  /** The type that this one extends; with `text`, the type of its character content. */
  readonly base?: QualifiedName
  readonly text: boolean
  readonly mixed?: true
  readonly abstract?: true
  readonly content: readonly Particle[]
  readonly attributes: readonly Attribute[]
  readonly anyAttribute?: { readonly namespace: string; readonly processContents: string }
  readonly documentation: string
}

/** The fixed prefix of every namespace of the contract. */
export const prefixes: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/XMLSchema', 'xs'],
  ['http://www.onvif.org/ver10/device/wsdl', 'tds'],
  ['http://www.onvif.org/ver10/advancedsecurity/wsdl', 'tas'],
  ['http://www.onvif.org/ver10/events/wsdl', 'tev'],
  ['http://www.onvif.org/ver10/schema', 'tt'],
  ['http://www.w3.org/2005/05/xmlmime', 'xmime'],
  ['http://www.w3.org/2004/08/xop/include', 'xop'],
  ['http://www.w3.org/XML/1998/namespace', 'xml'],
  ['http://www.w3.org/2005/08/addressing', 'wsa'],
  ['http://docs.oasis-open.org/wsn/b-2', 'wsnt'],
  ['http://docs.oasis-open.org/wsn/bw-2', 'wsntw'],
  ['http://docs.oasis-open.org/wsn/t-1', 'wstop'],
  ['http://docs.oasis-open.org/wsrf/bf-2', 'wsrf-bf'],
  ['http://docs.oasis-open.org/wsrf/r-2', 'wsrf-r'],
  // Not of the contract, but of what is said in its messages: the topics of ONVIF, and our own.
  ['http://www.onvif.org/ver10/topics', 'tns1'],
  ['http://onvifd.org/ver10/topics', 'ofd'],
])

const xs = 'http://www.w3.org/2001/XMLSchema'
const wsdl = 'http://schemas.xmlsoap.org/wsdl/'
const soap = 'http://schemas.xmlsoap.org/wsdl/soap12/'
const addressingAction = '{http://www.w3.org/2006/05/addressing/wsdl}Action'

export interface LoadOptions {
  /** OASIS XML catalogue that says where remote schema locations lie on disk. */
  readonly catalog?: string
  /** Elements and types that messages carry inside of wildcards, or as header blocks, without naming them. */
  readonly carried?: readonly QualifiedName[]
  /** Port types whose operations are left out. */
  readonly without?: ReadonlySet<QualifiedName>
  readonly read?: (file: string) => string
}

/** Loads WSDL 1.1 files with all schemas that they import. Throws at anything that the contract's tables cannot express. */
export function loadModel(files: readonly string[], options: LoadOptions = {}): Model {
  return new Loader(options).load(files)
}

interface Component {
  readonly node: XmlNode
  readonly target: string
  readonly qualified: boolean
}

type Kind = 'element' | 'attribute' | 'type'

class Loader {
  readonly #read: (file: string) => string
  readonly #catalog = new Map<string, string>()
  readonly #files = new Set<string>()
  readonly #components: Record<Kind, Map<QualifiedName, Component>> = { element: new Map(), attribute: new Map(), type: new Map() }
  readonly #elements = new Map<QualifiedName, QualifiedName>()
  readonly #definitions = new Map<QualifiedName, Definition | undefined>()
  readonly #carried: readonly QualifiedName[]
  readonly #without: ReadonlySet<QualifiedName>

  constructor({ catalog, read = file => readFileSync(file, 'utf8'), carried = [], without = new Set() }: LoadOptions) {
    this.#read = read
    this.#carried = carried
    this.#without = without
    if (catalog === undefined) return
    for (const entry of parseXml(read(catalog)).children) {
      if (entry.name === 'system') this.#catalog.set(required(entry, 'systemId'), resolve(dirname(catalog), required(entry, 'uri')))
    }
  }

  load(files: readonly string[]): Model {
    const services = files.map(file => this.#service(file))
    for (const name of this.#carried) {
      if (this.#components.element.has(name)) this.#element(name)
      else this.#type(name)
    }
    const definitions = new Map<QualifiedName, Definition>()
    for (const [name, definition] of this.#definitions) if (definition) definitions.set(name, definition)
    return { services, elements: this.#elements, definitions }
  }

  #service(file: string): Service {
    const all = this.#documents(file)
    const [root] = all
    if (!root) throw new Error(`${file} is empty`)
    const prefix = prefixes.get(required(root, 'targetNamespace')) ?? ''
    const portTypes = all.flatMap(definitions =>
      childrenOf(definitions, wsdl, 'portType').map(node => this.#portType(all, root, required(definitions, 'targetNamespace'), node)),
    )
    // No message names it, but it travels inside a wildcard of GetServicesResponse (Core 8.1.2).
    this.#element(`${prefix}:Capabilities`)
    return { prefix, name: childrenOf(root, wsdl, 'service')[0]?.attributes.get('name'), portTypes }
  }

  /** A WSDL file, and behind it those that it imports. The types of all of them are noted. */
  #documents(file: string): XmlNode[] {
    if (this.#files.has(file)) return []
    this.#files.add(file)
    const root = parseXml(this.#read(file))
    for (const types of childrenOf(root, wsdl, 'types')) {
      for (const schema of childrenOf(types, xs, 'schema')) this.#index(schema, file, '')
    }
    const imported = childrenOf(root, wsdl, 'import').map(node => this.#path(required(node, 'location'), file))
    return [root, ...imported.flatMap(path => this.#documents(path))]
  }

  #portType(all: readonly XmlNode[], root: XmlNode, target: string, node: XmlNode): PortType {
    const name = `${prefixes.get(target)}:${required(node, 'name')}`
    const [binding, ...more] = childrenOf(root, wsdl, 'binding').filter(other => qualify(other, required(other, 'type')) === name)
    if (!binding || more.length > 0) throw new Error(`${name} needs exactly one binding`)
    const actions = `${target}/${required(node, 'name')}`
    const operations = this.#without.has(name) ? [] : childrenOf(node, wsdl, 'operation')
    return {
      name,
      binding: `${required(binding, 'name')} ${describe(only(binding, soap, 'binding'))}`,
      operations: operations.map(operation => this.#operation(all, binding, operation, actions)),
    }
  }

  /** `actions` is what the action of a message begins with where the file does not say it (WS-Addressing 1.0 Metadata, 4.4.4). */
  #operation(all: readonly XmlNode[], binding: XmlNode, node: XmlNode, actions: string): Operation {
    const name = required(node, 'name')
    const bound = childrenOf(binding, wsdl, 'operation').find(other => other.attributes.get('name') === name)
    if (!bound) throw new Error(`${name} is not bound`)
    for (const direction of [...childrenOf(bound, wsdl, 'input'), ...childrenOf(bound, wsdl, 'output')]) {
      if (only(direction, soap, 'body').attributes.get('use') !== 'literal') throw new Error(`${name} is not literal`)
    }
    const soapAction = required(only(bound, soap, 'operation'), 'soapAction')
    const [output, ...more] = childrenOf(node, wsdl, 'output')
    if (more.length > 0) throw new Error(`${name} has two outputs`)
    const faults = childrenOf(node, wsdl, 'fault')
    return {
      name,
      soapAction,
      request: this.#message(all, only(node, wsdl, 'input'), soapAction),
      response: output && this.#message(all, output, `${actions}/${output.attributes.get('name') ?? `${name}Response`}`),
      faults: faults.map(fault => this.#message(all, fault, `${actions}/${name}/Fault/${required(fault, 'name')}`)),
      documentation: documentationOf(node),
    }
  }

  #message(all: readonly XmlNode[], use: XmlNode, action: string): Message {
    const { namespace, name } = resolveName(required(use, 'message'), use.scope)
    const message = all
      .filter(({ attributes }) => attributes.get('targetNamespace') === namespace)
      .flatMap(definitions => childrenOf(definitions, wsdl, 'message'))
      .find(other => other.attributes.get('name') === name)
    if (!message) throw new Error(`there is no message ${name}`)
    const part = only(message, wsdl, 'part')
    const element = qualify(part, required(part, 'element'))
    this.#element(element)
    return { name, part: required(part, 'name'), element, action: use.attributes.get(addressingAction) ?? action }
  }

  /** Notes the global components of a schema and of what it includes and imports; they are compiled when something reaches them. */
  #index(schema: XmlNode, file: string, includer: string): void {
    const target = schema.attributes.get('targetNamespace') ?? includer
    const qualified = schema.attributes.get('elementFormDefault') === 'qualified'
    for (const node of schema.children) {
      const name = node.attributes.get('name')
      if (node.name === 'include' || node.name === 'import') this.#follow(node, file, node.name === 'include' ? target : '')
      else if (name !== undefined && prefixes.has(target)) {
        const kind = node.name === 'complexType' || node.name === 'simpleType' ? 'type' : node.name
        if (kind !== 'element' && kind !== 'attribute' && kind !== 'type') continue
        const key = `${prefixes.get(target)}:${name}`
        if (this.#components[kind].has(key)) throw new Error(`${kind} ${key} is declared twice`)
        this.#components[kind].set(key, { node, target, qualified })
      }
    }
  }

  #follow(node: XmlNode, file: string, includer: string): void {
    const path = this.#path(required(node, 'schemaLocation'), file)
    if (this.#files.has(path)) return
    this.#files.add(path)
    this.#index(parseXml(this.#read(path)), path, includer)
  }

  #path(location: string, from: string): string {
    return this.#catalog.get(location) ?? resolve(dirname(from), location)
  }

  #component(kind: Kind, name: QualifiedName): Component {
    const component = this.#components[kind].get(name)
    if (!component) throw new Error(`there is no ${kind} ${name}`)
    return component
  }

  #element(name: QualifiedName): QualifiedName {
    const known = this.#elements.get(name)
    if (known !== undefined) return known
    const component = this.#component('element', name)
    const type = this.#typeOf(component, name)
    this.#elements.set(name, type)
    return type
  }

  /** Name of the type of an element or attribute; `path` names it where it is anonymous. */
  #typeOf({ node, ...context }: Component, path: string): QualifiedName {
    const named = node.attributes.get('type')
    if (named !== undefined) return this.#type(qualify(node, named))
    const anonymous = node.children.find(child => child.name === 'complexType' || child.name === 'simpleType')
    if (!anonymous && node.name === 'element') return this.#type('xs:anyType')
    if (!anonymous) throw new Error(`${path} has no type`)
    if (this.#definitions.has(path) || this.#components.type.has(path)) throw new Error(`two types are named ${path}`)
    this.#define({ node: anonymous, ...context }, path)
    return path
  }

  #type(name: QualifiedName): QualifiedName {
    if (name === 'xs:anyType') this.#definitions.set(name, anyType)
    if (!name.startsWith('xs:') && !this.#definitions.has(name)) this.#define(this.#component('type', name), name)
    return name
  }

  #define(component: Component, path: string): void {
    this.#definitions.set(path, undefined) // Holds its place in the order, and ends the recursion of a type that contains itself.
    this.#definitions.set(path, component.node.name === 'simpleType' ? this.#simple(component.node, path) : this.#complex(component, path))
  }

  #simple(node: XmlNode, path: string): SimpleDefinition {
    const documentation = documentationOf(node)
    const [derivation] = contentOf(node)
    if (derivation?.name === 'list')
      return { kind: 'simple', list: this.#type(qualify(derivation, required(derivation, 'itemType'))), facets: [], documentation }
    if (derivation?.name === 'union') return { kind: 'simple', union: this.#members(derivation, path), facets: [], documentation }
    if (derivation?.name !== 'restriction') throw new Error(`${path}: ${derivation?.name} is not supported`)
    const base = this.#type(qualify(derivation, required(derivation, 'base')))
    const facets = contentOf(derivation).map(facet => ({ name: facetName(facet.name), value: required(facet, 'value') }))
    return { kind: 'simple', base, facets, documentation }
  }

  /** Types of a union: those that are named, and behind them those that are written out. */
  #members(union: XmlNode, path: string): QualifiedName[] {
    const named = (union.attributes.get('memberTypes') ?? '').split(/\s+/).filter(name => name !== '')
    const anonymous = contentOf(union).map((node, index) => {
      const name = `${path}/${named.length + index + 1}`
      this.#define({ node, target: '', qualified: false }, name)
      return name
    })
    return [...named.map(name => this.#type(qualify(union, name))), ...anonymous]
  }

  #complex({ node, ...context }: Component, path: string): ComplexDefinition {
    const wrapper = contentOf(node).find(child => child.name === 'complexContent' || child.name === 'simpleContent')
    const body = wrapper ? only(wrapper, xs, 'extension') : node
    const base = wrapper ? this.#type(qualify(body, required(body, 'base'))) : undefined
    const content: Particle[] = []
    const attributes: Attribute[] = []
    let anyAttribute: ComplexDefinition['anyAttribute']
    for (const child of contentOf(body)) {
      if (child.name === 'sequence') content.push(...this.#sequence({ node: child, ...context }, path))
      else if (child.name === 'choice') content.push(...this.#particles({ node: child, ...context }, path))
      else if (child.name === 'attribute') attributes.push(this.#attribute({ node: child, ...context }, path))
      else if (child.name === 'anyAttribute') anyAttribute = wildcardOf(child)
      else if (child !== wrapper) throw new Error(`${path}: ${child.name} is not supported`)
    }
    const isTrue = (holder: XmlNode | undefined, name: string) => holder?.attributes.get(name) === 'true'
    for (const name of ['block', 'final']) {
      if (node.attributes.has(name)) throw new Error(`${path}: ${name} is not supported`)
    }
    const text = wrapper?.name === 'simpleContent'
    const documentation = documentationOf(node)
    return {
      kind: 'complex',
      ...(base && { base }),
      text,
      ...((isTrue(node, 'mixed') || isTrue(wrapper, 'mixed')) && { mixed: true }),
      ...(isTrue(node, 'abstract') && { abstract: true }),
      content,
      attributes,
      ...(anyAttribute && { anyAttribute }),
      documentation,
    }
  }

  #sequence({ node, ...context }: Component, path: string): Particle[] {
    if (node.attributes.size > 0) throw new Error(`${path}: a repeated sequence is not supported`)
    return contentOf(node).flatMap(child => this.#particles({ node: child, ...context }, path))
  }

  /** A sequence within gives its members; everything else is one particle. */
  #particles({ node, ...context }: Component, path: string): Particle[] {
    const { min, max } = occurrenceOf(node)
    const occurrence = max === undefined ? { min } : { min, max }
    switch (node.name) {
      case 'sequence':
        return this.#sequence({ node, ...context }, path)
      case 'any':
        return [{ kind: 'any', ...wildcardOf(node), target: prefixes.get(context.target) ?? '', ...occurrence }]
      case 'choice':
        if (max !== 1) throw new Error(`${path}: a repeated choice is not supported`)
        return [
          {
            kind: 'choice',
            ...occurrence,
            alternatives: contentOf(node).map(child => this.#particles({ node: child, ...context }, path)),
          },
        ]
      case 'element': {
        const element = this.#particleName({ node, ...context }, path)
        if (element.nillable && max !== 1) throw new Error(`${path}: a repeated nillable element is not supported`)
        return [{ kind: 'element', ...element, ...occurrence }]
      }
      default:
        throw new Error(`${path}: ${node.name} is not supported`)
    }
  }

  #particleName({ node, ...context }: Component, path: string): Omit<ElementParticle, 'kind' | 'min' | 'max'> {
    for (const name of ['form', 'fixed']) if (node.attributes.has(name)) throw new Error(`${path}: ${name} is not supported`)
    const ref = node.attributes.get('ref')
    if (ref === undefined) {
      const name = required(node, 'name')
      const prefix = context.qualified ? (prefixes.get(context.target) ?? '') : ''
      return { prefix, name, type: this.#typeOf({ node, ...context }, `${path}/${name}`), ...contentRules(node) }
    }
    const element = qualify(node, ref)
    const [prefix = '', name = ''] = element.split(':')
    return { prefix, name, type: this.#element(element), ...contentRules(this.#component('element', element).node) }
  }

  #attribute({ node, ...context }: Component, path: string): Attribute {
    const use = node.attributes.get('use') ?? 'optional'
    if (use === 'prohibited' || node.attributes.has('fixed') || node.attributes.has('form'))
      throw new Error(`${path}: attribute not supported`)
    const fallback = node.attributes.get('default')
    const rest = { ...(use === 'required' && { required: true as const }), ...(fallback !== undefined && { default: fallback }) }
    const ref = node.attributes.get('ref')
    if (ref === undefined) {
      const name = required(node, 'name')
      return { prefix: '', name, type: this.#typeOf({ node, ...context }, `${path}/@${name}`), ...rest }
    }
    const attribute = qualify(node, ref)
    const [prefix = '', name = ''] = attribute.split(':')
    const type = `${prefix}:@${name}`
    return { prefix, name, type: this.#definitions.has(type) ? type : this.#typeOf(this.#component('attribute', attribute), type), ...rest }
  }
}

/** What any element is whose declaration says nothing. */
const anyType: ComplexDefinition = {
  kind: 'complex',
  text: false,
  mixed: true,
  content: [{ kind: 'any', namespace: '##any', target: 'xs', processContents: 'lax', min: 0 }],
  attributes: [],
  anyAttribute: { namespace: '##any', processContents: 'lax' },
  documentation: 'Anything.',
}

/** Of an element: what stands for content that is not there. */
function contentRules({ attributes }: XmlNode): { default?: string; nillable?: true } {
  const fallback = attributes.get('default')
  return { ...(fallback !== undefined && { default: fallback }), ...(attributes.get('nillable') === 'true' && { nillable: true }) }
}

const childrenOf = (node: XmlNode, namespace: string, name: string): XmlNode[] =>
  node.children.filter(child => child.namespace === namespace && child.name === name)

const contentOf = (node: XmlNode): XmlNode[] => node.children.filter(child => child.name !== 'annotation')

function only(node: XmlNode, namespace: string, name: string): XmlNode {
  const [child, ...more] = childrenOf(node, namespace, name)
  if (!child || more.length > 0) throw new Error(`${node.name} ${node.attributes.get('name') ?? ''} needs exactly one ${name}`)
  return child
}

function required(node: XmlNode, attribute: string): string {
  const value = node.attributes.get(attribute)
  if (value === undefined) throw new Error(`${node.name} ${node.attributes.get('name') ?? ''} has no ${attribute}`)
  return value
}

/** A QName in an attribute value, with the contract's fixed prefix. */
function qualify(node: XmlNode, value: string): QualifiedName {
  const { namespace, name } = resolveName(value, node.scope)
  const prefix = prefixes.get(namespace)
  if (prefix === undefined) throw new Error(`${value} is in ${namespace}, which has no fixed prefix`)
  return `${prefix}:${name}`
}

function documentationOf(node: XmlNode): string {
  const holder = node.namespace === xs ? node.children.find(child => child.name === 'annotation') : node
  return holder?.children.find(child => child.name === 'documentation')?.text ?? ''
}

/** `max` is undefined for unbounded. */
function occurrenceOf(node: XmlNode): { min: number; max: number | undefined } {
  const max = node.attributes.get('maxOccurs') ?? '1'
  return { min: Number(node.attributes.get('minOccurs') ?? '1'), max: max === 'unbounded' ? undefined : Number(max) }
}

function wildcardOf(node: XmlNode): { namespace: string; processContents: 'lax' | 'skip' | 'strict' } {
  const processContents = node.attributes.get('processContents') ?? 'strict'
  if (processContents !== 'lax' && processContents !== 'skip' && processContents !== 'strict')
    throw new Error(`processContents ${processContents}`)
  return { namespace: node.attributes.get('namespace') ?? '##any', processContents }
}

function facetName(name: string): Facet['name'] {
  switch (name) {
    case 'enumeration':
    case 'pattern':
    case 'length':
    case 'minLength':
    case 'maxLength':
    case 'minInclusive':
    case 'maxInclusive':
      return name
    default:
      throw new Error(`facet ${name} is not supported`)
  }
}

const describe = (node: XmlNode): string =>
  [...node.attributes]
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(' ')
