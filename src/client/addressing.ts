import { randomUUID } from 'node:crypto'
import { escapeAttribute, escapeText } from '../soap/characters.ts'
import { WS_ADDRESSING } from '../soap/namespaces.ts'
import type { XmlElement } from '../soap/xml.ts'
import { child, text } from './message.ts'

/** WS-Addressing 1.0 Core, 2.1: where messages go, and what goes with each. */
export interface Endpoint {
  readonly address: string
  /** Header blocks, as XML. */
  readonly parameters: string
}

/** An endpoint reference; its names are the same in the addressing of 2004, which some devices still speak. */
export function readEndpoint(reference: XmlElement): Endpoint {
  const parameters = ['ReferenceProperties', 'ReferenceParameters'].flatMap(name => child(reference, name)?.children ?? [])
  return { address: text(reference, 'Address'), parameters: parameters.map(parameter => writeElement(parameter, mark)).join('') }
}

/** WS-Addressing 1.0 SOAP Binding, 3.1: a parameter comes back as it was, and says that it is one. */
const mark = ` xmlns:_wsa="${WS_ADDRESSING}" _wsa:IsReferenceParameter="true"`

function writeElement({ namespace, name, attributes, children, text: own }: XmlElement, more = ''): string {
  const written = attributes
    .filter(attribute => attribute.namespace !== WS_ADDRESSING)
    .map((attribute, index) => {
      const value = `="${escapeAttribute(attribute.value)}"`
      if (attribute.namespace === '') return ` ${attribute.name}${value}`
      return ` xmlns:_${index}="${escapeAttribute(attribute.namespace)}" _${index}:${attribute.name}${value}`
    })
  const content = children.map(element => writeElement(element)).join('')
  return `<${name} xmlns="${escapeAttribute(namespace)}"${written.join('')}${more}>${escapeText(own)}${content}</${name}>`
}

/** The header blocks of one request. Strict devices want all of them; an anonymous ReplyTo is what its absence says. */
export function addressingHeader(to: string, action: string, parameters: string): string {
  return (
    `<wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>` +
    `<wsa:To>${escapeText(to)}</wsa:To><wsa:Action>${escapeText(action)}</wsa:Action>${parameters}`
  )
}
