import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCarried } from '../../src/onvif/carried.ts'
import { contract } from '../../src/onvif/contract.generated.ts'
import { rawElement } from '../../src/onvif/rawElement.ts'
import type { AnyOrRaw } from '../../src/onvif/schema.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { parseEnvelope, writeAnswer } from '../../src/soap/envelope.ts'
import { namespaceOf, parseXml } from '../../src/soap/xml.ts'
import { validateMessage, validateMessageOfficially } from '../support/schemaValidator.ts'
import { message } from './messages.ts'

const lenient = createCodec(contract)
const strict = createCodec(contract, { strict: true })
const { tev, tt, tns1, wsnt } = contract.namespaces
const CONCRETE = 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete'
const CONTENT = 'http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter'
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'

const prefixes = `xmlns="${tev}" xmlns:wsnt="${wsnt}" xmlns:xsi="${INSTANCE}"`
const create = (inside: string) => `<CreatePullPointSubscription ${prefixes}>${inside}</CreatePullPointSubscription>`
const bodyOf = (xml: string) => parseEnvelope(message(xml)).body

function created(inside: string, codec = lenient) {
  return codec.decodeRequest('tev:CreatePullPointSubscription', bodyOf(create(inside)))
}

/** The one thing in a filter. */
function filter(inside: string, codec = lenient): AnyOrRaw {
  const [only, ...more] = created(`<Filter>${inside}</Filter>`, codec).Filter?.$any ?? []
  assert.ok(only && more.length === 0)
  return only
}

function assertValid(xml: string): void {
  assert.deepEqual(validateMessage(xml), [], xml)
  assert.deepEqual(validateMessageOfficially(xml) ?? [], [], xml)
}

test('the element of WS-BaseNotification names an operation of the Event service', () => {
  const operationOf = (name: string) => lenient.operationOf(bodyOf(`<w:${name} xmlns:w="${wsnt}"/>`))
  assert.deepEqual(['Renew', 'Unsubscribe', 'Subscribe', 'GetCurrentMessage'].map(operationOf), [
    'tev:Renew',
    'tev:Unsubscribe',
    'tev:Subscribe',
    'tev:GetCurrentMessage',
  ])
  for (const other of ['Notify', 'GetMessages', 'PauseSubscription']) assert.equal(operationOf(other), undefined, other)
})

test('an expression comes with what its prefixes mean where it stands', () => {
  const each = filter(
    `<wsnt:TopicExpression Dialect="${CONCRETE}" xmlns:t="${tns1}" xmlns="urn:d"> t:Device/Trigger </wsnt:TopicExpression>`,
  )
  assert.ok(isCarried(each, 'wsnt:TopicExpression'))
  const { Dialect, $text, $scope } = each.value
  assert.deepEqual([Dialect, $text], [CONCRETE, ' t:Device/Trigger '])
  assert.deepEqual(
    ['t', 'wsnt', '', 'nobody'].map(prefix => $scope?.(prefix)),
    [tns1, wsnt, 'urn:d', undefined],
  )
  assert.throws(() => filter('<wsnt:TopicExpression>t:Device</wsnt:TopicExpression>'), { subcodes: ['MissingAttr'] })
})

test('a filter that nobody knows is handed on as it is, with strictness or without', () => {
  for (const codec of [lenient, strict]) {
    const each = filter('<x:Mine xmlns:x="urn:x" a="1"><x:b>text</x:b></x:Mine>', codec)
    assert.ok('xml' in each)
    assert.deepEqual([each.xml.namespace, each.xml.name, each.xml.children[0]?.text], ['urn:x', 'Mine', 'text'])
  }
})

test('what is known is decoded wherever it stands, and held to its declaration', () => {
  assert.ok(isCarried(filter(`<wsnt:MessageContent Dialect="${CONTENT}">x</wsnt:MessageContent>`), 'wsnt:MessageContent'))
  const policy = created('<SubscriptionPolicy><ChangedOnly/></SubscriptionPolicy>').SubscriptionPolicy?.$any?.[0]
  assert.ok(policy && isCarried(policy, 'tev:ChangedOnly'))
  assert.throws(() => filter('<x:Mine xmlns:x="urn:x"><wsnt:TopicExpression/></x:Mine>'), { subcodes: ['MissingAttr'] })
})

const times: readonly (readonly [what: string, element: string, value: unknown])[] = [
  ['a span', '<InitialTerminationTime>PT60S</InitialTerminationTime>', 'PT60S'],
  ['a point in time', '<InitialTerminationTime> 2026-11-21T11:00:00Z </InitialTerminationTime>', '2026-11-21T11:00:00Z'],
  ['nil', '<InitialTerminationTime xsi:nil="true"/>', undefined],
  ['nil as 1', '<InitialTerminationTime xsi:nil=" 1 "></InitialTerminationTime>', undefined],
  ['what is said not to be nil', '<InitialTerminationTime xsi:nil="false">PT1S</InitialTerminationTime>', 'PT1S'],
  ['nil with content', '<InitialTerminationTime xsi:nil="true">PT1S</InitialTerminationTime>', 'InvalidArgs'],
  ['nil that is no boolean', '<InitialTerminationTime xsi:nil="nil"/>', 'InvalidArgVal'],
  ['nil with another attribute', '<InitialTerminationTime xsi:nil="true" a="1"/>', 'ProhibAttr'],
  ['neither', '<InitialTerminationTime>60</InitialTerminationTime>', 'InvalidArgVal'],
]

for (const [what, element, value] of times) {
  test(`a time that may be a span, or nil: ${what}`, () => {
    for (const codec of [lenient, strict]) {
      const read = () => created(element, codec).InitialTerminationTime
      if (typeof value === 'string' && value.startsWith('I')) assert.throws(read, { subcodes: [value] })
      else if (value === 'ProhibAttr') assert.throws(read, { subcodes: [value] })
      else assert.equal(read(), value)
    }
  })
}

test('nil says nothing where it may not stand, and what is needed and not there is written as nil', () => {
  assert.throws(
    () => lenient.decodeRequest('tev:PullMessages', bodyOf(`<PullMessages ${prefixes}><Timeout xsi:nil="true"/></PullMessages>`)),
    {
      subcodes: ['ProhibAttr'],
    },
  )
  const answer = writeAnswer(lenient.encodeResponse('tev:Renew', { CurrentTime: '2026-11-21T11:00:00Z' }))
  assertValid(answer)
  assert.match(answer, /<wsnt:TerminationTime [^>]*xsi:nil="true"\/>/)
  assert.deepEqual(lenient.decode('wsnt:RenewResponse', parseEnvelope(Buffer.from(answer)).body), { CurrentTime: '2026-11-21T11:00:00Z' })
})

const relay = rawElement('Relay', { 'wstop:topic': 'true' }, [
  rawElement('tt:MessageDescription', { IsProperty: 'true' }, [
    rawElement('tt:Source', {}, [rawElement('tt:SimpleItemDescription', { Name: 'RelayToken', Type: 'tt:ReferenceToken' })]),
    rawElement('tt:Data', {}, [rawElement('tt:SimpleItemDescription', { Name: 'Level', Type: 'xs:float' })]),
  ]),
])

test('a set of topics: no default namespace, and every prefix declared, in the values of attributes as well', () => {
  const answer = writeAnswer(
    lenient.encodeResponse('tev:GetEventProperties', {
      TopicNamespaceLocation: ['urn:topics'],
      FixedTopicSet: true,
      TopicSet: { $any: [{ xml: rawElement('tns1:Device', {}, [rawElement('Trigger', {}, [relay])]) }, { xml: rawElement('ofd:Lost') }] },
      TopicExpressionDialect: [CONCRETE],
      MessageContentFilterDialect: [''],
      MessageContentSchemaLocation: ['urn:schema'],
    }),
  )
  assertValid(answer)
  assert.doesNotMatch(answer, / xmlns=/)
  assert.match(answer, /<tns1:Device><Trigger><Relay wstop:topic="true"><tt:MessageDescription IsProperty="true">/)
  const { body } = parseEnvelope(Buffer.from(answer))
  for (const [prefix, namespace] of Object.entries({ tns1, ofd: contract.namespaces.ofd, xs: contract.namespaces.xs, tt }))
    assert.equal(namespaceOf(prefix, body.scope), namespace, prefix)
})

test('a message is valid, and its topic declares its prefix', () => {
  const holder = {
    Topic: { Dialect: CONCRETE, $text: 'tns1:Device/Trigger/Relay' },
    ProducerReference: { Address: { $value: 'http://192.0.2.7/onvif/event_service' } },
    Message: {
      $any: [
        {
          element: 'tt:Message',
          value: {
            UtcTime: '2026-11-21T11:00:00Z',
            PropertyOperation: 'Changed',
            Source: { SimpleItem: [{ Name: 'RelayToken', Value: 'r<1>' }] },
            Data: {
              SimpleItem: [{ Name: 'LogicalState', Value: 'active' }],
              ElementItem: [{ Name: 'e', $any: [{ xml: rawElement('x', {}, 'y') }] }],
            },
          },
        },
      ],
    },
  }
  const time = '2026-11-21T11:00:00Z'
  const answer = writeAnswer(
    lenient.encodeResponse('tev:PullMessages', { CurrentTime: time, TerminationTime: time, NotificationMessage: [holder] }),
  )
  assertValid(answer)
  const { body } = parseEnvelope(Buffer.from(answer))
  assert.equal(namespaceOf('tns1', body.scope), tns1)
  assertValid(writeAnswer(lenient.encode('wsnt:Notify', { NotificationMessage: [holder] })))
})

test('an expression of somebody else keeps its prefixes on the way out', () => {
  const each = filter(`<wsnt:TopicExpression Dialect="${CONCRETE}" xmlns:tns1="urn:other">tns1:Device</wsnt:TopicExpression>`)
  assert.ok(isCarried(each, 'wsnt:TopicExpression'))
  const written = parseXml(writeAnswer(lenient.encode('wsnt:TopicExpression', each.value))).children[0]?.children[0]
  assert.ok(written)
  assert.equal(namespaceOf('tns1', written.scope), 'urn:other')
})

test('a qualified name has the prefix of the contract, whatever the sender calls it, or its namespace', () => {
  const read = (text: string) =>
    lenient.decode(
      'wsa:ProblemHeaderQName',
      parseXml(`<a:ProblemHeaderQName xmlns:a="${contract.namespaces.wsa}" xmlns:t="${tt}" xmlns:x="urn:x">${text}</a:ProblemHeaderQName>`),
    )
  assert.deepEqual(read(' t:Name '), { $value: 'tt:Name' })
  assert.deepEqual(read('x:Name'), { $value: '{urn:x}Name' })
  assert.deepEqual(read('Name'), { $value: '{}Name' })
  for (const text of ['nobody:Name', ':Name', 'x:', 'x:y:z', '', '1a'])
    assert.throws(() => read(text), { subcodes: ['InvalidArgVal'] }, text)

  const write = (value: string) => lenient.encode('wsa:ProblemHeaderQName', { $value: value })
  assert.equal(write('tt:Name'), '<wsa:ProblemHeaderQName>tt:Name</wsa:ProblemHeaderQName>')
  assert.equal(write('{urn:"x"}Name'), '<wsa:ProblemHeaderQName xmlns:q="urn:&quot;x&quot;">q:Name</wsa:ProblemHeaderQName>')
  assert.equal(write('{}Name'), '<wsa:ProblemHeaderQName>Name</wsa:ProblemHeaderQName>')
  for (const value of ['nobody:Name', '{urn:x}', '{urn:x}a:b', 'Name', '']) assert.throws(() => write(value), /is not xs:QName/, value)
})

test('a raw element is written with prefixes that are declared, its own values among them', () => {
  const source = `<p:a xmlns:p="urn:p" xmlns:tt="urn:q" xmlns:n1="urn:r" kind="tt:Kind"><b xmlns=""> n1:c </b><e xmlns="urn:e" p:f="1"/></p:a>`
  const parameters = (xml: string) =>
    `<SubscriptionReference><a:Address xmlns:a="${contract.namespaces.wsa}">urn:a</a:Address>${xml}</SubscriptionReference>`
  const response = `<CreatePullPointSubscriptionResponse ${prefixes}>${parameters(source)}<wsnt:CurrentTime>2026-11-21T11:00:00Z</wsnt:CurrentTime><wsnt:TerminationTime>2026-11-21T11:00:00Z</wsnt:TerminationTime></CreatePullPointSubscriptionResponse>`
  const name = 'tev:CreatePullPointSubscriptionResponse'
  const answer = writeAnswer(lenient.encode(name, lenient.decode(name, bodyOf(response))))
  assertValid(answer)
  const written = parseEnvelope(Buffer.from(answer)).body.children[0]?.children[1]
  const [b, e] = written?.children ?? []
  assert.ok(written && b && e)
  assert.deepEqual([written.namespace, written.name, written.attributes[0]?.value], ['urn:p', 'a', 'tt:Kind'])
  assert.equal(namespaceOf('tt', written.scope), 'urn:q')
  assert.deepEqual([b.namespace, b.text, namespaceOf('n1', b.scope)], ['', ' n1:c ', 'urn:r'])
  assert.deepEqual([e.namespace, e.attributes[0]?.namespace], ['urn:e', 'urn:p'])
})

test('a name with a prefix that nobody has declared is a bug', () => {
  assert.throws(() => rawElement('nobody:Device'), { message: 'nobody:Device has a prefix that the contract does not know' })
  assert.throws(() => lenient.encode('wsnt:TopicExpression', { Dialect: CONCRETE }), {
    message: 'wsnt:TopicExpressionType/$text is not text',
  })
})

test('raw elements as deep and as many as a message can hold are read and written in no time', () => {
  const began = process.cpuUsage()
  const deep = `${'<x:a xmlns:x="urn:x" x:b="x:c">'.repeat(34)}${'</x:a>'.repeat(34)}`
  const wide = Array.from({ length: 19_000 }, (_, index) => `<x${index}:a xmlns:x${index}="urn:x"/>`).join('')
  for (const content of [deep, wide]) {
    const { Filter } = created(`<Filter>${content}</Filter>`)
    const response = { TopicSet: Filter ?? {}, TopicNamespaceLocation: ['a'], FixedTopicSet: true, TopicExpressionDialect: ['a'] }
    const written = lenient.encodeResponse('tev:GetEventProperties', {
      ...response,
      MessageContentFilterDialect: ['a'],
      MessageContentSchemaLocation: ['a'],
    })
    assert.ok(written.length < content.length + 1_000)
  }
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 2_000_000, `${(user + system) / 1000} ms of CPU`)
})
