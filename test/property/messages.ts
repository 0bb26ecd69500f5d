import assert from 'node:assert/strict'
import fc from 'fast-check'
import { contract } from '../../src/onvif/contract.generated.ts'
import { eventFaults } from '../../src/onvif/faults.ts'
import type { QualifiedName } from '../../src/onvif/schema.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { parseEnvelope, writeAnswer } from '../../src/soap/envelope.ts'
import { validateMessage } from '../support/schemaValidator.ts'
import { elementValues } from './values.ts'

export const codec = createCodec(contract, { strict: true })

const lenient = createCodec(contract)

/** The elements of all messages: a request and a response for each operation, and of those of events what goes with them. */
export const messageNames = [
  ...Object.values(contract.operations).flatMap(({ request, response }) => [request, response]),
  ...Object.values(contract.notifications).map(({ element }) => element),
  ...Object.values(eventFaults),
  'tt:Message',
  'tev:ChangedOnly',
  'wsnt:TopicExpression',
  'wsnt:MessageContent',
  'wsa:ReplyTo',
  'wsa:RelatesTo',
  'wsa:ProblemHeaderQName',
]

const cache = new Map<QualifiedName, fc.Arbitrary<unknown>>()

/** Random values of a message; made once, because that takes longer than drawing from them. */
export function valuesOf(name: QualifiedName): fc.Arbitrary<unknown> {
  const values = cache.get(name) ?? elementValues(name, contract)
  cache.set(name, values)
  return values
}

/** Any value of a message, written, is valid for libxml2 and comes back as it was; leniency refuses nothing that is valid. */
export function roundTrip(name: QualifiedName): fc.IProperty<[unknown]> {
  return fc.property(valuesOf(name), value => {
    const message = Buffer.from(writeAnswer(codec.encode(name, value)))
    assert.deepEqual(validateMessage(message), [], message.toString())
    const { body } = parseEnvelope(message)
    assert.deepEqual(withoutScopes(codec.decode(name, body)), value, message.toString())
    assert.doesNotThrow(() => lenient.decode(name, body), message.toString())
  })
}

/** What the prefixes of a message meant is no part of what it says. */
function withoutScopes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutScopes)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const kept = Object.entries(value).filter(([name]) => name !== '$scope' && name !== 'scope')
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutScopes(each)]))
}
