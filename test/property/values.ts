import fc from 'fast-check'
import type {
  AnyOrRaw,
  AnyParticle,
  ChoiceParticle,
  ComplexType,
  Contract,
  ElementParticle,
  Particle,
  QualifiedName,
  Raw,
  RawElement,
  SimpleType,
} from '../../src/onvif/schema.ts'

/** Deeper than any message needs, but some types hold themselves. */
const DEPTH_MAX = 14

/** Random values of any element of the contract: every facet kept, every property possible, nothing that does not survive the way. */
export function elementValues(element: QualifiedName, contract: Contract): fc.Arbitrary<unknown> {
  return ofType(contract.elements[element] ?? '', contract, 0)
}

function ofType(name: QualifiedName, contract: Contract, depth: number): fc.Arbitrary<unknown> {
  if (name.startsWith('xs:') && !contract.types[name])
    return simple({ kind: 'simple', primitive: name.slice('xs:'.length) }, contract, depth)
  const type = contract.types[name]
  if (!type) throw new Error(`no type ${name}`)
  return type.kind === 'simple' ? simple(type, contract, depth) : complex(type, contract, depth)
}

function simple(type: SimpleType, contract: Contract, depth: number): fc.Arbitrary<unknown> {
  if (type.list) return fc.array(item(ofType(type.list, contract, depth)), { maxLength: 4 })
  if (type.union) return fc.oneof(...type.union.map(member => ofType(member, contract, depth)))
  if (type.enumeration) return fc.constantFrom(...type.enumeration)
  if (type.pattern) return fc.stringMatching(new RegExp(`^(?:${type.pattern})$`))
  const minLength = type.length ?? type.minLength ?? 0
  const maxLength = type.length ?? type.maxLength ?? 40
  const { minInclusive, maxInclusive } = type
  switch (type.primitive) {
    case 'string':
      return fc.string({ unit: character, minLength, maxLength })
    case 'token':
      return fc.string({ unit: character, minLength, maxLength }).map(text => text.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, ''))
    case 'anyURI':
      return fc.oneof(
        fc.webUrl({ withFragments: true, withQueryParameters: true }),
        fc.constantFrom('', 'urn:uuid:1', '/a/b?c#d', '../é', 'http://[::1]:80/'),
      )
    case 'NCName':
      return fc.stringMatching(/^[A-Za-z_é][\w.\-é·]{0,40}$/)
    case 'anySimpleType':
      return fc.string({ unit: character, maxLength })
    case 'language':
      return fc.constantFrom('en', 'de-CH', 'x-klingon')
    case 'QName':
      return fc.constantFrom('xs:float', 'tt:ReferenceToken', 'wsnt:TopicExpression', '{urn:x&y}Name', '{}plain')
    case 'boolean':
      return fc.boolean()
    case 'int':
      return fc.integer({ min: minInclusive ?? -2147483648, max: maxInclusive ?? 2147483647 })
    case 'integer':
      return fc.maxSafeInteger().map(value => Math.min(Math.max(value, minInclusive ?? -Infinity), maxInclusive ?? Infinity))
    case 'nonNegativeInteger':
      return fc.maxSafeNat()
    case 'positiveInteger':
      return fc.maxSafeNat().map(value => Math.max(value, 1))
    case 'float':
    case 'double':
      return fc.double().map(value => value + 0) // no -0: it comes back as 0
    case 'dateTime':
      return dateTime
    case 'duration':
      return duration
    case 'base64Binary':
    case 'hexBinary':
      return fc.uint8Array({ minLength, maxLength })
    default:
      throw new Error(`no values for ${JSON.stringify(type)}`)
  }
}

/** What XML, whitespace rules and counting of characters get wrong. */
const character = fc.oneof(
  { weight: 5, arbitrary: fc.string({ minLength: 1, maxLength: 1 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(' ', '\t', '\n', '\r', '&', '<', '>', '"', "'", ']', '\u00a0', 'é', '漢', '\u{1f600}', '\ufffd', '\u0085'),
  },
)

/** Lists are told apart by blanks, so that their strings have none. */
function item(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return values.map(value => (typeof value === 'string' ? value.replace(/[ \t\r\n]/g, '') || 'x' : value))
}

const zone = fc.constantFrom('', 'Z', '+00:00', '-14:00', '+13:59')
const dateTime = fc
  .tuple(fc.date({ noInvalidDate: true, min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z') }), zone, fc.boolean())
  .map(([date, suffix, exact]) => date.toISOString().slice(0, exact ? 23 : 19) + suffix)

const duration = fc
  .record({ sign: fc.constantFrom('', '-'), days: fc.nat(400), hours: fc.nat(30), seconds: fc.float({ min: 0, max: 100, noNaN: true }) })
  .map(({ sign, days, hours, seconds }) => `${sign}P${days}DT${hours}H${Math.abs(seconds).toFixed(3)}S`)

function complex({ attributes, content, text, mixed }: ComplexType, contract: Contract, depth: number): fc.Arbitrary<object> {
  const model: Record<string, fc.Arbitrary<unknown>> = {}
  const required: string[] = []
  for (const { name, type, required: needed, default: standard } of attributes) {
    model[name] = ofType(type, contract, depth)
    if (needed || standard !== undefined) required.push(name)
  }
  if (text !== undefined) {
    model.$value = ofType(text, contract, depth)
    required.push('$value')
  }
  if (mixed) {
    model.$text = fc.oneof(
      fc.string({ unit: character, maxLength: 40 }),
      fc.constantFrom('tns1:Device//.', 'boolean(//tt:SimpleItem[@Name="x"])'),
    )
    required.push('$text')
  }
  const choices: fc.Arbitrary<object>[] = []
  for (const particle of content) {
    if (particle.kind === 'choice') {
      choices.push(choice(particle, contract, depth))
      continue
    }
    const values = ofParticle(particle, contract, depth + 1)
    if (!values) continue
    const name = particle.kind === 'element' ? particle.name : '$any'
    model[name] = values
    if (particle.min > 0 && !(particle.kind === 'element' && particle.nillable)) required.push(name)
  }
  const rest = fc.record(model, { requiredKeys: required, noNullPrototype: true })
  return choices.length === 0 ? rest : fc.tuple(rest, ...choices).map(parts => Object.assign({}, ...parts))
}

/** The members of one alternative. */
function choice({ min, alternatives }: ChoiceParticle, contract: Contract, depth: number): fc.Arbitrary<object> {
  const values = alternatives.map(alternative => complex({ kind: 'complex', content: alternative, attributes: [] }, contract, depth))
  return fc.oneof(...(min === 0 ? [fc.constant({})] : []), ...values)
}

function ofParticle(particle: Exclude<Particle, ChoiceParticle>, contract: Contract, depth: number): fc.Arbitrary<unknown> | undefined {
  if (depth > DEPTH_MAX && particle.min === 0) return undefined
  if (particle.kind === 'any') return wildcard(particle, contract)
  return elements(particle, contract, depth)
}

function elements({ type, min, max = min + 3 }: ElementParticle, contract: Contract, depth: number): fc.Arbitrary<unknown> {
  const one = ofType(type, contract, depth)
  return max === 1 ? one : fc.array(one, { minLength: Math.max(min, 1), maxLength: Math.max(max, 1) })
}

/** Elements of the contract that are small enough to be put into any wildcard. */
const guests = ['tds:SetScopes', 'tds:GetServices', 'tds:StartFirmwareUpgradeResponse', 'wsnt:UseRaw']

function wildcard(
  { namespace, target, processContents, raw, min, max = min + 2 }: AnyParticle,
  contract: Contract,
): fc.Arbitrary<readonly AnyOrRaw[]> | undefined {
  const isWelcome = (prefix: string) => {
    const own = prefix === target
    return namespace === '##any' || (namespace === '##other' ? !own : namespace === '##targetNamespace' && own)
  }
  const welcome = guests.filter(guest => isWelcome(guest.split(':')[0] ?? '') && (raw || !guest.startsWith('wsnt:')))
  const kinds: fc.Arbitrary<AnyOrRaw>[] = []
  if (welcome.length > 0 && raw !== 'all')
    kinds.push(fc.constantFrom(...welcome).chain(element => elementValues(element, contract).map(value => ({ element, value }))))
  // A validator knows nothing of them, and takes them only where it is told to.
  if (raw && processContents === 'lax') kinds.push(stranger.filter(({ xml }) => namespace === '##any' || xml.namespace !== ''))
  return kinds.length === 0 ? undefined : fc.array(fc.oneof(...kinds), { minLength: Math.max(min, 1), maxLength: max })
}

const rawName = fc.constantFrom('a', 'Relay', 'é')
const rawText = fc.oneof(fc.string({ unit: character, minLength: 1, maxLength: 20 }), fc.constantFrom('', 'tt:ReferenceToken', 'p:q'))

/** An element that the contract does not know, of namespaces that it does or does not. */
const { rawElement } = fc.letrec<{ rawElement: RawElement }>(tie => ({
  rawElement: fc
    .record(
      {
        namespace: fc.constantFrom('', 'urn:x', 'urn:y&z', 'http://www.onvif.org/ver10/topics', 'http://www.onvif.org/ver10/schema'),
        name: rawName,
        attributes: fc.uniqueArray(
          fc.record({ namespace: fc.constantFrom('', 'urn:x', 'urn:z'), name: rawName, value: rawText }, { noNullPrototype: true }),
          { maxLength: 3, selector: ({ namespace, name }) => `${namespace} ${name}` },
        ),
        children: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('rawElement'), { maxLength: 2 })),
        text: rawText,
      },
      { noNullPrototype: true },
    )
    // Blanks between elements say nothing, and are not written.
    .map(element =>
      /\S/.test(element.text.replaceAll('\u00a0', '.')) || element.children.length === 0 ? element : { ...element, text: '' },
    ),
}))

const stranger: fc.Arbitrary<Raw> = rawElement.map(xml => ({ xml }))
