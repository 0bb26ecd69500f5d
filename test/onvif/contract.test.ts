import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { XmlDocument } from 'libxml2-wasm'
import { acceptedDifferences, compareModels, loadOfficial, officialFolder } from '../../wsdl/compare.ts'
import { compile, generate, loadOurs } from '../../wsdl/generate.ts'
import { type Model, prefixes } from '../../wsdl/schemaLoader.ts'
import { loadSchema, provide } from '../support/schemaValidator.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'wsdl')
const model = loadOurs()

/** The model after a change to one file, which must contain `from`. */
function modelWith(file: string, from: string, to: string): Model {
  const read = (path: string): string => {
    const text = readFileSync(path, 'utf8')
    if (!path.endsWith(file)) return text
    assert.ok(text.includes(from), `${file} has no ${from}`)
    return text.replace(from, to)
  }
  return loadOurs({ read })
}

test('the generated files are what wsdl/ compiles to', () => {
  for (const [file, text] of generate(model)) {
    assert.equal(readFileSync(join(root, file), 'utf8'), text, `${file} is stale: npm run generate`)
  }
})

test('libxml2 loads every schema as it stands', () => {
  const schemas = readdirSync(folder).filter(file => file.endsWith('.xsd'))
  assert.equal(schemas.length, 12)
  for (const file of schemas) provide(`memory:///wsdl/${file}`, readFileSync(join(folder, file)))
  for (const file of schemas) loadSchema(readFileSync(join(folder, file)), `memory:///wsdl/${file}`).dispose()
})

const vocabularies = {
  w: 'http://schemas.xmlsoap.org/wsdl/',
  soap: 'http://schemas.xmlsoap.org/wsdl/soap12/',
  xs: 'http://www.w3.org/2001/XMLSchema',
}

for (const [file, operations, portTypes] of [
  ['device.wsdl', 103, 1],
  ['security.wsdl', 62, 7],
] as const) {
  test(`${file} binds ${operations} operations, each with a line of documentation, and offers a service`, () => {
    using document = XmlDocument.fromString(readFileSync(join(folder, file), 'utf8'))
    const count = (path: string): number => document.find(path, vocabularies).length
    assert.equal(count('/w:definitions/w:portType'), portTypes)
    assert.equal(count('/w:definitions/w:portType/w:operation'), operations)
    assert.equal(count('/w:definitions/w:portType/w:operation[string-length(w:documentation) > 10]'), operations)
    assert.equal(count('/w:definitions/w:binding/w:operation[soap:operation/@soapAction]'), operations)
    assert.equal(count('/w:definitions/w:message'), 2 * operations)
    assert.equal(count('/w:definitions/w:service/w:port/soap:address'), portTypes)
  })
}

test('event.wsdl binds its two port types and three of WS-BaseNotification, and has a port for each that clients call', () => {
  using document = XmlDocument.fromString(readFileSync(join(folder, 'event.wsdl'), 'utf8'))
  using notification = XmlDocument.fromString(readFileSync(join(folder, 'notification.wsdl'), 'utf8'))
  const count = (path: string, of = document): number => of.find(path, vocabularies).length
  const documented = 'w:operation[string-length(w:documentation) > 10]'
  assert.equal(count('/w:definitions/w:portType'), 2)
  assert.equal(count(`/w:definitions/w:portType/${documented}`), 10)
  assert.equal(count('/w:definitions/w:portType', notification), 3)
  assert.equal(count(`/w:definitions/w:portType/${documented}`, notification), 5)
  assert.equal(count('/w:definitions/w:binding/w:operation[soap:operation/@soapAction]'), 15)
  assert.equal(count('/w:definitions/w:service/w:port/soap:address'), 4)
  const keys = Object.keys(compile(model).operations).filter(key => key.startsWith('tev:'))
  assert.equal(keys.length, 13, 'Unsubscribe is in two port types')
})

test('the actions of answers are those of the files, or what WS-Addressing makes of the names', () => {
  const { operations, notifications } = compile(model)
  const reply = (key: string) => operations[key]?.reply
  assert.equal(reply('GetUsers'), 'http://www.onvif.org/ver10/device/wsdl/Device/GetUsersResponse')
  assert.equal(reply('tev:PullMessages'), 'http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesResponse')
  assert.equal(reply('tev:AddEventBroker'), 'http://www.onvif.org/ver10/events/wsdl/EventPortType/AddEventBrokerResponse')
  assert.equal(reply('tev:Unsubscribe'), 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeResponse')
  assert.equal(reply('tev:Subscribe'), 'http://docs.oasis-open.org/wsn/bw-2/NotificationProducer/SubscribeResponse')
  assert.deepEqual(notifications, {
    'tev:Notify': { action: 'http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify', element: 'wsnt:Notify' },
  })
})

test('every element that a schema declares is in the tables: a validator knows no more than the codec', () => {
  const { elements } = compile(model)
  for (const file of readdirSync(folder).filter(name => name.endsWith('.xsd'))) {
    using document = XmlDocument.fromString(readFileSync(join(folder, file), 'utf8'))
    const prefix = prefixes.get(document.get('/xs:schema/@targetNamespace', vocabularies)?.content ?? '')
    for (const { content } of document.find('/xs:schema/xs:element/@name', vocabularies))
      assert.ok(elements[`${prefix}:${content}`], content)
  }
})

test('wsdl/ says what the official files say, but for the differences that SOURCE.md explains', t => {
  if (!existsSync(officialFolder)) return t.skip(`the official files are not in ${officialFolder}`)
  const differences = compareModels(model, loadOfficial(officialFolder)).map(({ key }) => key)
  assert.deepEqual(differences.toSorted(), [...acceptedDifferences()].toSorted())
})

const mutations: readonly (readonly [what: string, file: string, from: string, to: string, keys: readonly string[]])[] = [
  ['an occurrence', 'types.xsd', '"Password" type="xs:string" minOccurs="0"', '"Password" type="xs:string"', ['tt:User/Password']],
  ['a type', 'types.xsd', '"FromDHCP" type="xs:boolean"', '"FromDHCP" type="xs:string"', ['tt:HostnameInformation/FromDHCP']],
  ['a missing attribute', 'device.xsd', '<xs:attribute name="Dot1X" type="xs:boolean"/>', '', ['tds:SecurityCapabilities/@Dot1X']],
  ['a required attribute', 'types.xsd', 'type="tt:ReferenceToken" use="required"', 'type="tt:ReferenceToken"', ['tt:DeviceEntity/@token']],
  ['a facet', 'types.xsd', '<xs:maxLength value="64"/>', '<xs:maxLength value="63"/>', ['type tt:ReferenceToken']],
  ['an enumeration value', 'types.xsd', '<xs:enumeration value="Operator"/>', '', ['type tt:UserLevel']],
  ['a wildcard', 'device.xsd', '##any" processContents="lax"/>', '##any" processContents="skip"/>', ['tds:Service/Capabilities/*']],
  ['an action', 'device.wsdl', 'device/wsdl/GetUsers"', 'device/wsdl/getUsers"', ['operation tds:Device/GetUsers']],
  [
    'the action of an answer',
    'event.wsdl',
    'PullPointSubscription/SeekResponse"/>',
    'PullPointSubscription/SeekReply"/>',
    ['operation tev:PullPointSubscription/Seek'],
  ],
  [
    'a fault',
    'notification.wsdl',
    '      <wsdl:fault name="MultipleTopicsSpecifiedFault" message="wsntw:MultipleTopicsSpecifiedFault"/>\n',
    '',
    [
      'element wsnt:MultipleTopicsSpecifiedFault',
      'operation wsntw:NotificationProducer/GetCurrentMessage',
      'type wsnt:MultipleTopicsSpecifiedFaultType',
    ],
  ],
  [
    'what may be nil',
    'notification.xsd',
    '"wsnt:AbsoluteOrRelativeTimeType" nillable="true"/>',
    '"wsnt:AbsoluteOrRelativeTimeType"/>',
    ['wsnt:Renew/TerminationTime'],
  ],
  [
    'a union',
    'notification.xsd',
    'memberTypes="xs:dateTime xs:duration"',
    'memberTypes="xs:duration xs:dateTime"',
    ['type wsnt:AbsoluteOrRelativeTimeType'],
  ],
  [
    'mixed content',
    'notification.xsd',
    'name="TopicExpressionType" mixed="true"',
    'name="TopicExpressionType"',
    ['type wsnt:TopicExpressionType'],
  ],
  ['a binding', 'security.wsdl', 'name="JWTBinding"', 'name="JwtBinding"', ['portType tas:JWT']],
  [
    'a default',
    'security.xsd',
    '"critical" type="xs:boolean" default="false"',
    '"critical" type="xs:boolean"',
    ['tas:X509v3Extension/critical'],
  ],
  [
    'an alternative',
    'security.xsd',
    '<xs:element name="BasicRequestAttribute" type="tas:BasicRequestAttribute"/>',
    '<xs:element name="BasicRequestAttribute" type="xs:string"/><xs:element name="Other" type="tas:BasicRequestAttribute"/>',
    ['tas:CSRAttribute/BasicRequestAttribute', 'tas:CSRAttribute/Other', 'tas:CSRAttribute/anyAttribute'],
  ],
  [
    'an order',
    'types.xsd',
    '<xs:element name="Min" type="xs:int"/>\n      <xs:element name="Max" type="xs:int"/>',
    '<xs:element name="Max" type="xs:int"/>\n      <xs:element name="Min" type="xs:int"/>',
    ['tt:IntRange/Max', 'tt:IntRange/Min'],
  ],
]

for (const [what, file, from, to, keys] of mutations) {
  test(`the comparison sees ${what} that differs`, () => {
    const differences = compareModels(modelWith(file, from, to), model)
    assert.deepEqual(differences.map(({ key }) => key).toSorted(), keys)
  })
}

test('the loader refuses what the tables cannot express', () => {
  const refused = (from: string, to: string, reason: RegExp): void => assert.throws(() => modelWith('types.xsd', from, to), reason)
  const min = '<xs:element name="Min" type="xs:int"/>'
  refused(min, `<xs:choice maxOccurs="2">${min}</xs:choice>`, /a repeated choice is not supported/)
  refused(min, '<xs:element name="Min" type="xs:int" nillable="true" maxOccurs="2"/>', /a repeated nillable element is not supported/)
  refused(min, '<xs:element name="Min" type="tt:Nothing"/>', /there is no type tt:Nothing/)
  refused('<xs:maxLength value="64"/>', '<xs:fractionDigits value="2"/>', /facet fractionDigits is not supported/)
})
