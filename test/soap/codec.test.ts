import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract } from '../../src/onvif/contract.generated.ts'
import type { FaultName } from '../../src/onvif/faults.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { parseEnvelope } from '../../src/soap/envelope.ts'
import { message } from './messages.ts'

const lenient = createCodec(contract)
const strict = createCodec(contract, { strict: true })

function decode(codec: typeof lenient, body: string): unknown {
  const element = parseEnvelope(message(body)).body
  const operation = codec.operationOf(element)
  assert.ok(operation, 'the request of an operation')
  return codec.decodeRequest(operation, element)
}

test('the body element alone names the operation', () => {
  const operationOf = (body: string) => lenient.operationOf(parseEnvelope(message(body)).body)
  assert.equal(operationOf('<tds:GetUsers/>'), 'GetUsers')
  assert.equal(operationOf('<GetUsers xmlns="http://www.onvif.org/ver10/device/wsdl"/>'), 'GetUsers')
  for (const body of [
    '<tds:GetUsersResponse/>',
    '<tt:GetUsers/>',
    '<GetUsers/>',
    '<tds:Nonsense/>',
    '<tds:__proto__/>',
    '<tds:toString/>',
  ]) {
    assert.equal(operationOf(body), undefined, body)
  }
})

const dns = (inside: string) => `<tds:SetDNS><tds:FromDHCP>false</tds:FromDHCP>${inside}</tds:SetDNS>`
const user = (inside: string) => `<tds:CreateUsers><tds:User>${inside}</tds:User></tds:CreateUsers>`
const clock = (time: string) =>
  `<tds:SetSystemDateAndTime><tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings>${time}</tds:SetSystemDateAndTime>`

const faults: readonly (readonly [what: string, body: string, fault: FaultName, reason: string])[] = [
  ['a missing element', '<tds:SetHostname/>', 'InvalidArgs', 'SetHostname lacks the element Name'],
  ['a missing element inside', user('<tt:Username>a</tt:Username>'), 'InvalidArgs', 'CreateUsers/User lacks the element UserLevel'],
  ['a missing element that repeats', '<tds:SetScopes/>', 'InvalidArgs', 'SetScopes lacks the element Scopes'],
  [
    'an element given twice',
    '<tds:SetHostname><tds:Name>a</tds:Name><tds:Name>b</tds:Name></tds:SetHostname>',
    'InvalidArgs',
    'SetHostname/Name[2] is out of order or given too often',
  ],
  [
    'an element out of order',
    user('<tt:UserLevel>User</tt:UserLevel><tt:Username>a</tt:Username>'),
    'InvalidArgs',
    'CreateUsers/User lacks the element Username',
  ],
  ['an unknown element', '<tds:GetUsers><tds:All/></tds:GetUsers>', 'InvalidArgs', 'GetUsers/All is not expected here'],
  [
    'an element from elsewhere',
    '<tds:SetHostname><Name>a</Name></tds:SetHostname>',
    'TagMismatch',
    'SetHostname/Name is in the wrong namespace',
  ],
  [
    'an optional element from elsewhere',
    dns('<SearchDomain>a</SearchDomain>'),
    'TagMismatch',
    'SetDNS/SearchDomain is in the wrong namespace',
  ],
  [
    'elements in a simple value',
    '<tds:SetHostname><tds:Name>a<tds:b/></tds:Name></tds:SetHostname>',
    'InvalidArgs',
    'SetHostname/Name has elements where only text may be',
  ],
  [
    'text between elements',
    '<tds:SetHostname>x<tds:Name>a</tds:Name></tds:SetHostname>',
    'Tag',
    'SetHostname has text where only elements may be',
  ],
  ['a no-break space between elements', '<tds:GetUsers>\u00a0</tds:GetUsers>', 'Tag', 'GetUsers has text where only elements may be'],
  [
    'a value that is none of the enumeration',
    '<tds:SetSystemFactoryDefault><tds:FactoryDefault>hard</tds:FactoryDefault></tds:SetSystemFactoryDefault>',
    'InvalidArgVal',
    'SetSystemFactoryDefault/FactoryDefault is not one of Hard, Soft',
  ],
  [
    'a second value that is wrong',
    '<tds:SetScopes><tds:Scopes>a</tds:Scopes><tds:Scopes>%zz</tds:Scopes></tds:SetScopes>',
    'InvalidArgVal',
    'SetScopes/Scopes[2] is not xs:anyURI',
  ],
  ['an empty mandatory value', '<tds:SetDNS><tds:FromDHCP/></tds:SetDNS>', 'InvalidArgVal', 'SetDNS/FromDHCP is not xs:boolean'],
  [
    'a number too large',
    clock(
      '<tds:UTCDateTime><tt:Time><tt:Hour>2147483648</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time><tt:Date><tt:Year>1</tt:Year><tt:Month>1</tt:Month><tt:Day>1</tt:Day></tt:Date></tds:UTCDateTime>',
    ),
    'InvalidArgVal',
    'SetSystemDateAndTime/UTCDateTime/Time/Hour is not xs:int',
  ],
  [
    'a token too long',
    `<tds:SetNetworkInterfaces><tds:InterfaceToken>${'x'.repeat(65)}</tds:InterfaceToken><tds:NetworkInterface/></tds:SetNetworkInterfaces>`,
    'InvalidArgVal',
    'SetNetworkInterfaces/InterfaceToken is not xs:string of length 0 to 64',
  ],
  [
    'a missing attribute',
    '<tds:SetStorageConfiguration><tds:StorageConfiguration><tds:Data type="NFS"/></tds:StorageConfiguration></tds:SetStorageConfiguration>',
    'MissingAttr',
    'SetStorageConfiguration/StorageConfiguration/@token is missing',
  ],
  ['an attribute of nowhere', '<tds:GetUsers all="true"/>', 'ProhibAttr', 'GetUsers/@all is not allowed'],
  [
    'an attribute of a simple value',
    '<tds:SetHostname><tds:Name x="">a</tds:Name></tds:SetHostname>',
    'ProhibAttr',
    'SetHostname/Name/@x is not allowed',
  ],
  [
    'nil',
    '<tds:SetHostname><tds:Name xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/></tds:SetHostname>',
    'ProhibAttr',
    'SetHostname/Name/@nil is not allowed',
  ],
  [
    'another type',
    '<tds:SetHostname><tds:Name xsi:type="tt:Name" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">a</tds:Name></tds:SetHostname>',
    'InvalidArgVal',
    'SetHostname/Name/@type is not the type of this element',
  ],
  [
    'a wrong attribute',
    '<tds:SetGeoLocation><tds:Location Fixed="yes"/></tds:SetGeoLocation>',
    'InvalidArgVal',
    'SetGeoLocation/Location/@Fixed is not xs:boolean',
  ],
]

for (const [what, body, name, reason] of faults) {
  test(`${what} is ${name}, with strictness or without`, () => {
    for (const codec of [lenient, strict]) {
      assert.throws(() => decode(codec, body), { name: 'SoapFault', code: 'Sender', subcodes: [name], message: reason })
    }
  })
}

test('a fault does not quote the value, which may be a secret', () => {
  const key =
    '<tds:SetNetworkInterfaces><tds:InterfaceToken>w</tds:InterfaceToken><tds:NetworkInterface><tt:Extension><tt:Dot11><tt:SSID>00</tt:SSID><tt:Mode>Infrastructure</tt:Mode><tt:Alias>a</tt:Alias><tt:Priority>1</tt:Priority><tt:Security><tt:Mode>PSK</tt:Mode><tt:PSK><tt:Passphrase>geheim</tt:Passphrase></tt:PSK></tt:Security></tt:Dot11></tt:Extension></tds:NetworkInterface></tds:SetNetworkInterfaces>'
  assert.throws(
    () => decode(lenient, key),
    (error: Error) => error.message.includes('Passphrase is not') && !error.message.includes('geheim'),
  )
})

const taken: readonly (readonly [what: string, body: string, value: unknown])[] = [
  [
    'any prefix, blanks, comments',
    '<GetServices xmlns="http://www.onvif.org/ver10/device/wsdl">\r\n <IncludeCapability> 1 <!-- yes --></IncludeCapability>\n</GetServices>',
    { IncludeCapability: true },
  ],
  [
    'its own type',
    '<tds:SetHostname><tds:Name xsi:type=" x:token " xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">a</tds:Name></tds:SetHostname>',
    { Name: 'a' },
  ],
  ['a schema location', '<tds:GetUsers xsi:schemaLocation="a b" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>', {}],
  [
    'an unknown element in a wildcard, which is dropped',
    '<tds:SetStorageConfiguration><tds:StorageConfiguration token="t"><tds:Data type="NFS"><x xmlns="urn:x"><y/></x></tds:Data></tds:StorageConfiguration></tds:SetStorageConfiguration>',
    { StorageConfiguration: { token: 't', Data: { type: 'NFS' } } },
  ],
  [
    'a known element in a wildcard',
    '<tds:SetDNS><tds:FromDHCP>false</tds:FromDHCP><tds:DNSManual><tt:Type>IPv4</tt:Type></tds:DNSManual></tds:SetDNS>',
    { FromDHCP: false, DNSManual: [{ Type: 'IPv4' }] },
  ],
]

for (const [what, body, value] of taken) {
  test(`takes ${what}, with strictness or without`, () => {
    for (const codec of [lenient, strict]) assert.deepEqual(decode(codec, body), value)
  })
}

const address = '<tds:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.1</tt:IPv4Address></tds:DNSManual>'
const setDns = (value: object) => ({ FromDHCP: false, ...value })
const leniencies: readonly (readonly [what: string, body: string, value: unknown])[] = [
  [
    'tds children where tt belongs (onvif-go)',
    user('<tds:Username>a</tds:Username><tds:UserLevel>User</tds:UserLevel>'),
    { User: [{ Username: 'a', UserLevel: 'User' }] },
  ],
  ['tt children where tds belongs (node-onvif)', '<tds:DeleteUsers><tt:Username>a</tt:Username></tds:DeleteUsers>', { Username: ['a'] }],
  ['an empty optional list element (use-go)', dns('<tds:SearchDomain/>'), setDns({})],
  [
    'an empty one among others',
    dns(`<tds:SearchDomain>a</tds:SearchDomain><tds:SearchDomain> </tds:SearchDomain>`),
    setDns({ SearchDomain: ['a'] }),
  ],
  ['an empty optional structure (node-onvif)', dns('<tds:DNSManual>\n</tds:DNSManual>'), setDns({})],
  [
    'empty optional addresses (use-go)',
    dns(address.replace('</tds:', '<tt:IPv6Address/></tds:')),
    setDns({ DNSManual: [{ Type: 'IPv4', IPv4Address: '192.0.2.1' }] }),
  ],
  ['an empty optional number', clock('<tds:UTCDateTime/>'), { DateTimeType: 'Manual', DaylightSavings: false }],
]

for (const [what, body, value] of leniencies) {
  test(`takes ${what} unless strict`, () => {
    assert.deepEqual(decode(lenient, body), value)
    let judged: unknown
    try {
      judged = decode(strict, body)
    } catch (error) {
      judged = error
    }
    assert.notDeepEqual(judged, value)
  })
}

test('an empty string that may be one stays', () => {
  const body = user('<tt:Username>a</tt:Username><tt:Password/><tt:UserLevel>User</tt:UserLevel>')
  assert.deepEqual(decode(lenient, body), { User: [{ Username: 'a', Password: '', UserLevel: 'User' }] })
})

test('a wildcard does not swallow what belongs to its own type, unless strict', () => {
  const security = '<tt:Mode>None</tt:Mode>'
  const dot11 = `<tt:SSID>00</tt:SSID><tt:Mode>Infrastructure</tt:Mode><tt:Alias>a</tt:Alias><tt:Priority>1</tt:Priority><tt:Security>${security}</tt:Security>`
  const body = (inside: string) =>
    `<tds:SetNetworkInterfaces><tds:InterfaceToken>w</tds:InterfaceToken><tds:NetworkInterface><tt:Extension><tt:Dot11>${inside}</tt:Dot11></tt:Extension></tds:NetworkInterface></tds:SetNetworkInterfaces>`
  assert.ok(decode(strict, body(`${dot11}<tt:Alias>b</tt:Alias>`)))
  assert.throws(() => decode(lenient, body(`${dot11}<tt:Alias>b</tt:Alias>`)), {
    message: /Alias\[2\] is out of order or given too often$/,
  })
  assert.ok(decode(lenient, body(`${dot11}<tt:Newer>b</tt:Newer>`)))
})

test('a known element in a wildcard is decoded, and names itself', () => {
  const body =
    '<tds:SetRemoteUser><tds:RemoteUser><tds:Username>u</tds:Username><tds:UseDerivedPassword>true</tds:UseDerivedPassword><tds:SetHostname><tds:Name>a</tds:Name></tds:SetHostname></tds:RemoteUser></tds:SetRemoteUser>'
  assert.deepEqual(decode(strict, body.replaceAll('tds:User', 'tt:User').replaceAll('tds:Use', 'tt:Use')), {
    RemoteUser: { Username: 'u', UseDerivedPassword: true, $any: [{ element: 'tds:SetHostname', value: { Name: 'a' } }] },
  })
  assert.throws(
    () => decode(strict, body.replaceAll('tds:User', 'tt:User').replaceAll('tds:Use', 'tt:Use').replace('<tds:Name>a</tds:Name>', '')),
    {
      message: 'SetRemoteUser/RemoteUser/SetHostname lacks the element Name',
    },
  )
})

test('answers have the order and the prefixes of the contract, whatever the order of the properties', () => {
  const response = { FromDHCP: false, NTPManual: [{ DNSname: 'a&b', Type: 'DNS' }] } as const
  assert.equal(
    lenient.encodeResponse('GetNTP', { NTPInformation: response }),
    '<tds:GetNTPResponse><tds:NTPInformation><tt:FromDHCP>false</tt:FromDHCP>' +
      '<tt:NTPManual><tt:Type>DNS</tt:Type><tt:DNSname>a&amp;b</tt:DNSname></tt:NTPManual></tds:NTPInformation></tds:GetNTPResponse>',
  )
  assert.equal(lenient.encodeResponse('SetNTP', {}), '<tds:SetNTPResponse/>')
})

const mistakes: readonly (readonly [what: string, element: string, value: unknown, message: string])[] = [
  ['a missing element', 'tds:SetHostname', {}, 'tds:SetHostname/Name is missing'],
  ['a missing list', 'tds:SetScopes', {}, 'tds:SetScopes/Scopes has 0 elements'],
  ['one where there are several', 'tds:SetScopes', { Scopes: 'a' }, 'tds:SetScopes/Scopes needs an array'],
  ['an unknown property', 'tds:SetHostname', { Name: 'a', name: 'a' }, 'tds:SetHostname has no property name'],
  ['no object', 'tds:SetHostname', 'a', 'tds:SetHostname needs an object'],
  ['a wrong type', 'tds:SetHostname', { Name: 1 }, 'the value of tds:Name is not xs:token'],
  [
    'a value out of range',
    'tds:GetServicesResponse',
    { Service: [{ Namespace: '', XAddr: '', Version: { Major: 2 ** 31, Minor: 0 } }] },
    'the value of tt:Major is not xs:int',
  ],
  [
    'a fraction',
    'tds:GetServicesResponse',
    { Service: [{ Namespace: '', XAddr: '', Version: { Major: 1.5, Minor: 0 } }] },
    'the value of tt:Major is not xs:int',
  ],
  [
    'a value outside of an enumeration',
    'tds:SetSystemFactoryDefault',
    { FactoryDefault: 'Firm' },
    'the value of tds:FactoryDefault is not one of Hard, Soft',
  ],
  [
    'a missing attribute',
    'tds:SetStorageConfiguration',
    { StorageConfiguration: { Data: { type: '' } } },
    'tds:StorageConfiguration/@token is missing',
  ],
  ['a character that XML cannot carry', 'tds:SetHostname', { Name: '\u0000' }, 'a character that XML does not allow'],
  ['an element of nowhere', 'tds:Nothing', {}, 'the contract has no element tds:Nothing'],
  [
    'an element of nowhere in a wildcard',
    'tds:GetEndpointReferenceResponse',
    { GUID: '', $any: [{ element: 'tt:X', value: {} }] },
    'the contract has no element tt:X',
  ],
]

for (const [what, element, value, message] of mistakes) {
  test(`a bug of ours is no fault: ${what}`, () => {
    assert.throws(() => lenient.encode(element, value), { name: 'Error', message })
  })
}

test('every type of the contract can be compiled', () => {
  for (const { request } of Object.values(contract.operations)) {
    try {
      lenient.encode(request, {})
    } catch (error) {
      assert.match(String(error), /is missing|has 0 elements/)
    }
  }
})

const megabyte = (pattern: string) => pattern.repeat(1_000_000 / pattern.length)
const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
const hostile: readonly (readonly [what: string, body: string])[] = [
  ...[' ', 'a', '%41', '@', ':', '/', '?', '//', 'a@', '[', 'é', '1'].map(
    pattern =>
      [
        `a URI of ${JSON.stringify(pattern)}`,
        `<tds:SetScopes><tds:Scopes>a:${megabyte(pattern)}\n %</tds:Scopes></tds:SetScopes>`,
      ] as const,
  ),
  [
    'a type of blanks',
    `<tds:GetServices><tds:IncludeCapability ${xsi} xsi:type="${megabyte(' ')}a b">true</tds:IncludeCapability></tds:GetServices>`,
  ],
  [
    'a boolean of blanks',
    `<tds:GetServices><tds:IncludeCapability>${megabyte(' ')}x ${megabyte(' ')}</tds:IncludeCapability></tds:GetServices>`,
  ],
  ['a number of digits', clock(`<tds:UTCDateTime><tt:Time><tt:Hour>${megabyte('1')}</tt:Hour></tt:Time></tds:UTCDateTime>`)],
  ['a date of digits', `<tds:CreateCertificate><tds:ValidNotBefore>${megabyte('1')}</tds:ValidNotBefore></tds:CreateCertificate>`],
  [
    'a duration of digits',
    `<tds:SetRelayOutputSettings><tds:RelayOutputToken/><tds:Properties><tt:Mode>Bistable</tt:Mode><tt:DelayTime>P${megabyte('1')}</tt:DelayTime></tds:Properties></tds:SetRelayOutputSettings>`,
  ],
  [
    'base64 without end',
    `<tds:LoadCACertificates><tds:CACertificate><tt:CertificateID/><tt:Certificate><tt:Data>${megabyte('A')}=A</tt:Data></tt:Certificate></tds:CACertificate></tds:LoadCACertificates>`,
  ],
  ['thousands of unknown elements', `<tds:GetUsers>${megabyte('<x/>').slice(0, 4 * 19_000)}</tds:GetUsers>`],
]

for (const [what, body] of hostile) {
  test(`refused in no time: ${what}`, () => {
    const began = performance.now()
    assert.throws(() => decode(lenient, body), { name: 'SoapFault', code: 'Sender' })
    assert.ok(performance.now() - began < 1_500, `${performance.now() - began} ms`)
  })
}
