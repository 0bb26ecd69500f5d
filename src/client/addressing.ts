import { randomUUID } from 'node:crypto'
import { referenceBlocks } from '../soap/addressing.ts'
import { escapeText } from '../soap/characters.ts'
import { WS_ADDRESSING, XML } from '../soap/namespaces.ts'
import type { XmlElement } from '../soap/xml.ts'
import { ClientError } from './errors.ts'
import { child, text } from './message.ts'

/** WS-Addressing 1.0 Core, 2.1: where messages go, and what goes with each. */
export interface Endpoint {
  readonly address: string
  /** Header blocks, as XML. */
  readonly parameters: string
}

/** Those that our messages with addressing declare, and the one that XML does. */
const prefixes = new Map([
  ['wsa', WS_ADDRESSING],
  ['xml', XML],
])

/**
 * An endpoint reference; its names are the same in the addressing of 2004, which some devices still speak. Throws ClientError where a
 * device gives more than it can want back.
 */
export function readEndpoint(reference: XmlElement): Endpoint {
  const found = ['ReferenceProperties', 'ReferenceParameters'].flatMap(name => child(reference, name)?.children ?? [])
  const parameters = referenceBlocks(
    found.map(xml => ({ xml })),
    prefixes,
  )
  if (parameters === undefined) throw new ClientError('answer', 'the device gave an address with too many reference parameters')
  return { address: text(reference, 'Address'), parameters }
}

/** The header blocks of one request. Strict devices want all of them; an anonymous ReplyTo is what its absence says. */
export function addressingHeader(to: string, action: string, parameters: string): string {
  return (
    `<wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>` +
    `<wsa:To>${escapeText(to)}</wsa:To><wsa:Action>${escapeText(action)}</wsa:Action>${parameters}`
  )
}
