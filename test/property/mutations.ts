import assert from 'node:assert/strict'
import fc from 'fast-check'
import { contract } from '../../src/onvif/contract.generated.ts'
import { SoapFault } from '../../src/onvif/faults.ts'
import { escapeAttribute, escapeText } from '../../src/soap/characters.ts'
import { parseEnvelope, writeAnswer } from '../../src/soap/envelope.ts'
import type { XmlElement } from '../../src/soap/xml.ts'
import { validateMessage } from '../support/schemaValidator.ts'
import { codec, messageNames, valuesOf } from './messages.ts'
import { texts } from './texts.ts'

const { tds = '', tt = '', xop = '' } = contract.namespaces
const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance'
const xml = 'http://www.w3.org/XML/1998/namespace'

interface Attribute {
  readonly namespace: string
  readonly name: string
  value: string
}

/** A message that can be changed. */
interface Draft {
  namespace: string
  name: string
  attributes: Attribute[]
  children: Draft[]
  text: string
}

function draftOf({ namespace, name, attributes, children, text }: XmlElement): Draft {
  return { namespace, name, attributes: attributes.map(attribute => ({ ...attribute })), children: children.map(draftOf), text }
}

function allOf(draft: Draft): Draft[] {
  return [draft, ...draft.children.flatMap(allOf)]
}

/** Every element declares what it needs, so that prefixes are no matter here. */
function write({ namespace, name, attributes, children, text }: Draft): string {
  const prefixed = attributes.map((attribute, index) =>
    attribute.namespace === '' || attribute.namespace === xml
      ? ` ${attribute.namespace === xml ? 'xml:' : ''}${attribute.name}="${escapeAttribute(attribute.value)}"`
      : ` xmlns:a${index}="${escapeAttribute(attribute.namespace)}" a${index}:${attribute.name}="${escapeAttribute(attribute.value)}"`,
  )
  return `<${name} xmlns="${escapeAttribute(namespace)}"${prefixed.join('')}>${escapeText(text)}${children.map(write).join('')}</${name}>`
}

const names = fc.constantFrom(
  ...new Set(
    Object.values(contract.types).flatMap(type =>
      type.kind === 'complex' ? type.content.flatMap(p => (p.kind === 'element' ? [p.name] : [])) : [],
    ),
  ),
  'Nonsense',
)
const namespaces = fc.constantFrom(tds, tt, '', 'urn:other', xop)
const attributes: fc.Arbitrary<Attribute> = fc.oneof(
  fc.record({
    namespace: fc.constantFrom('', '', tt, 'urn:other', xml),
    name: fc.constantFrom('token', 'x', 'Critical', 'lang', 'id'),
    value: texts,
  }),
  fc.record({
    namespace: fc.constant(schemaInstance),
    name: fc.constantFrom('type', 'nil', 'schemaLocation', 'noNamespaceSchemaLocation', 'other'),
    value: fc.constantFrom('true', 'false', '0', '', 'tt:Nonsense', 'urn:a b'),
  }),
)

/** Changes the drafts, which are all elements of a message; the number chooses which. */
type Mutation = (all: readonly Draft[], choice: number) => void

function pick<T>(list: readonly T[], choice: number): T | undefined {
  return list[choice % Math.max(list.length, 1)]
}

/** The children of an element that has some, and the position of one of them. */
function family(all: readonly Draft[], choice: number): [children: Draft[], at: number] {
  const children =
    pick(
      all.filter(draft => draft.children.length > 0),
      choice,
    )?.children ?? []
  return [children, (choice >> 8) % Math.max(children.length, 1)]
}

const mutation = fc.oneof(
  {
    weight: 6,
    arbitrary: texts.map(
      (text): Mutation =>
        (all, choice) =>
          Object.assign(pick(all.filter(isLeaf), choice) ?? {}, { text }),
    ),
  },
  {
    weight: 1,
    arbitrary: texts.map(
      (text): Mutation =>
        (all, choice) =>
          Object.assign(pick(all, choice) ?? {}, { text }),
    ),
  },
  {
    weight: 3,
    arbitrary: namespaces.map(
      (namespace): Mutation =>
        (all, choice) =>
          Object.assign(pick(all.slice(1), choice) ?? {}, { namespace }),
    ),
  },
  {
    weight: 2,
    arbitrary: names.map(
      (name): Mutation =>
        (all, choice) =>
          Object.assign(pick(all.slice(1), choice) ?? {}, { name }),
    ),
  },
  { weight: 2, arbitrary: fc.constant(drop) },
  { weight: 2, arbitrary: fc.constant(duplicate) },
  { weight: 2, arbitrary: fc.constant(moveToEnd) },
  {
    weight: 2,
    arbitrary: fc.record({ namespace: namespaces, name: names, text: texts }).map(
      (leaf): Mutation =>
        (all, choice) =>
          addChild(pick(all, choice), leaf),
    ),
  },
  {
    weight: 2,
    arbitrary: attributes.map(
      (attribute): Mutation =>
        (all, choice) =>
          addAttribute(pick(all, choice), attribute),
    ),
  },
  {
    weight: 2,
    arbitrary: texts.map(
      (value): Mutation =>
        (all, choice) =>
          Object.assign(
            pick(
              all.flatMap(draft => draft.attributes),
              choice,
            ) ?? {},
            { value },
          ),
    ),
  },
  { weight: 1, arbitrary: fc.constant(dropAttribute) },
)

function isLeaf({ children }: Draft): boolean {
  return children.length === 0
}

function drop(all: readonly Draft[], choice: number): void {
  const [children, at] = family(all, choice)
  children.splice(at, 1)
}

function duplicate(all: readonly Draft[], choice: number): void {
  const [children, at] = family(all, choice)
  children.splice(at, 0, ...children.slice(at, at + 1))
}

function moveToEnd(all: readonly Draft[], choice: number): void {
  const [children, at] = family(all, choice)
  children.push(...children.splice(at, 1))
}

function addChild(parent: Draft | undefined, leaf: Pick<Draft, 'namespace' | 'name' | 'text'>): void {
  parent?.children.push({ ...leaf, attributes: [], children: [] })
}

function addAttribute(draft: Draft | undefined, added: Attribute): void {
  if (draft?.attributes.every(({ namespace, name }) => namespace !== added.namespace || name !== added.name)) draft.attributes.push(added)
}

function dropAttribute(all: readonly Draft[], choice: number): void {
  pick(
    all.filter(draft => draft.attributes.length > 0),
    choice,
  )?.attributes.splice((choice >> 8) % 2, 1)
}

const mutatedMessage = fc
  .tuple(
    fc.constantFrom(...messageNames).chain(name => valuesOf(name).map(value => ({ name, value }))),
    fc.array(fc.tuple(mutation, fc.nat()), { minLength: 1, maxLength: 2 }),
  )
  .map(([{ name, value }, mutations]) => {
    const draft = draftOf(parseEnvelope(Buffer.from(writeAnswer(codec.encode(name, value)))).body)
    for (const [mutate, choice] of mutations) mutate(allOf(draft), choice)
    return { name, text: write(draft) }
  })

/** What we refuse and libxml2 takes: by our words, and by the text. */
const laxities: readonly (readonly [message: RegExp, text: RegExp])[] = [
  // XML Schema Part 2, 3.2.16: libxml2 skips characters that are not of the alphabet, and bits that nobody needs.
  [/is not xs:base64Binary/, /./],
  // 3.2.6: a digit before the point, and one after it.
  [/is not (?:xs:dateTime or )?xs:duration/, /T(?:\.[0-9]|[0-9]+\.S)/],
  // Ours: see `builtIns`.
  [/is not xs:(?:nonNegativeI|positiveI|i)nteger/, /[0-9]{17}/],
  // The tables say of a place what may be nil, or has a default, not of an element in a wildcard.
  [/TerminationTime(?:\[\d+\])?\/@nil is not allowed|FixedTopicSet(?:\[\d+\])? is not xs:boolean/, /./],
  // Part 1, 3.8.4: where a wildcard follows a repeated element, libxml2 lets that come again after it.
  [/(?:CustomClaims|DomainComponent|NotificationMessage|MessageContentSchemaLocation)(?:\[\d+\])? is out of order/, /./],
]

/** What libxml2 refuses and we take, by its words. */
const severities: readonly RegExp[] = [
  // A blank in an element without content says nothing, and pretty printers make it.
  /Character content is not allowed, because the content type is empty/,
  // The tables tell that other attributes are allowed, not which, nor what is in them: they are ignored anyway.
  /attribute '\{http:\/\/www\.w3\.org\/XML\/1998\/namespace\}lang'/,
  /(?:oasis-open\.org\/ws[nr]f?\/|2005\/08\/addressing|SubscriptionReference)[^']*', attribute '[^']*': The attribute '[^']*' is not allowed/,
  /demanded by the strict wildcard|include}Include', attribute '[^']*': The attribute '[^']*' is not allowed/,
  // On an element that is dropped, xsi:type is, too.
  /attribute '\{http:\/\/www\.w3\.org\/2001\/XMLSchema-instance\}type'|The type definition is absent/,
  // XML Schema Part 2, 4.3.6: blanks around such values do not count.
  /': '(?:\s.*|.*\s)' is not a valid value of the atomic type 'xs:(?:duration|dateTime)'/s,
  // Not a matter of the schema, but of a specification that neither SOAP nor ONVIF knows.
  /xml:id|^not well-formed: ID \S+ already defined$/,
]

/** The strict codec accepts exactly the mutated messages that libxml2 finds valid. */
export const codecAgreesWithLibxml2 = fc.property(mutatedMessage, ({ name, text }) => {
  const message = Buffer.from(writeAnswer(text))
  const mine = ours(name, parseEnvelope(message).body)
  const theirs = validateMessage(message)
  const agreed = mine === undefined ? theirs.every(error => severities.some(known => known.test(error))) : theirs.length > 0
  const known = mine !== undefined && laxities.some(([error, cause]) => error.test(mine) && cause.test(text))
  assert.ok(agreed || known, `ours: ${mine}\nlibxml2: ${theirs.join('\n')}\n${text}`)
})

/** The fault, if there is one. */
function ours(name: string, body: XmlElement): string | undefined {
  try {
    codec.decode(name, body)
    return undefined
  } catch (error) {
    if (error instanceof SoapFault) return error.message
    throw error
  }
}
