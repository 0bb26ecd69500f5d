import { OUR_ROLES, SOAP_ENVELOPE } from './namespaces.ts'
import type { XmlElement } from './xml.ts'

/** SOAP 1.2 Part 1, 2.2: a block for another role is none of our business. */
export const isForUs = (block: XmlElement): boolean => OUR_ROLES.has(soapAttribute(block, 'role') ?? '')

export function soapAttribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.find(attribute => attribute.name === name && attribute.namespace === SOAP_ENVELOPE)?.value.trim()
}
