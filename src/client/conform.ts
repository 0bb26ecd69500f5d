import { contract } from '../onvif/contract.generated.ts'
import type { AnyParticle, ElementParticle, Particle, QualifiedName } from '../onvif/schema.ts'
import { elementsIn } from '../soap/particles.ts'
import { simpleCodec } from '../soap/simpleTypes.ts'
import type { XmlElement } from '../soap/xml.ts'

const prefixes = new Map(Object.entries(contract.namespaces).map(([prefix, namespace]) => [namespace, prefix]))

/**
 * An answer as the contract would have it, made from an answer as devices give it: in order, without the elements, attributes
 * and texts that the contract does not know, and without optional values that break the rule of their type. Nothing is
 * invented: what is missing stays missing, and the codec says so.
 */
export function conform(element: XmlElement, name: QualifiedName): XmlElement {
  const type = contract.elements[name]
  return type === undefined ? element : conformTo(element, type)
}

function conformTo(element: XmlElement, typeName: QualifiedName): XmlElement {
  const type = contract.types[typeName]
  if (type?.kind !== 'complex') return { ...element, attributes: [], children: [] }
  const attributes = element.attributes.filter(({ namespace, name, value }) => {
    const declared = type.attributes.find(candidate => candidate.name === name && namespaceOf(candidate.prefix) === namespace)
    return declared && (declared.required || obeys(value, declared.type))
  })
  if (type.text !== undefined) return { ...element, attributes, children: [] }
  return { ...element, attributes, text: '', children: conformingChildren(element.children, type.content) }
}

function conformingChildren(children: readonly XmlElement[], content: readonly Particle[]): readonly XmlElement[] {
  const declared = elementsIn(content)
  const extra = children.filter(child => !declared.some(particle => matches(child, particle)))
  return content.flatMap(particle => {
    if (particle.kind === 'any') return extra.filter(child => admits(particle, child)).map(conformAny)
    return elementsIn([particle]).flatMap(element => conforming(children, element))
  })
}

function conforming(children: readonly XmlElement[], particle: ElementParticle): readonly XmlElement[] {
  const { prefix, type, min, max } = particle
  const found = children.filter(child => matches(child, particle) && (min > 0 || isReadable(child, type)))
  return found.slice(0, max).map(child => ({ ...conformTo(child, type), namespace: namespaceOf(prefix) }))
}

/** Devices confuse the two namespaces of the contract; in any other, an element is another. */
function matches(child: XmlElement, { prefix, name }: ElementParticle): boolean {
  const namespace = prefixes.get(child.namespace)
  return child.name === name && (namespace === prefix || (isTwin(namespace) && isTwin(prefix)))
}

function isTwin(prefix: string | undefined): boolean {
  return prefix === 'tds' || prefix === 'tt'
}

function admits({ namespace, target }: AnyParticle, child: XmlElement): boolean {
  if (namespace === '##any') return true
  const own = child.namespace === namespaceOf(target)
  return namespace === '##other' ? !own && child.namespace !== '' : own
}

function conformAny(child: XmlElement): XmlElement {
  return conform(child, `${prefixes.get(child.namespace)}:${child.name}`)
}

function isReadable({ text }: XmlElement, type: QualifiedName): boolean {
  return contract.types[type]?.kind === 'complex' || obeys(text, type)
}

function obeys(text: string, type: QualifiedName): boolean {
  return simpleCodec(type, contract).read(text) !== undefined
}

function namespaceOf(prefix: string): string {
  return prefix === '' ? '' : (contract.namespaces[prefix] ?? '')
}
