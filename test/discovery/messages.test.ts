import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Description,
  readQuestion,
  readSightings,
  writeBye,
  writeHello,
  writeMatch,
  writeProbe,
  writeUnsupportedRule,
} from '../../src/discovery/messages.ts'
import { limits } from '../../src/limits.ts'
import { copiedProbe, DISCOVERY, probe, question, resolve, scopedProbe } from './questions.ts'
import { lacksSchemas, validateDiscovery } from './schema.ts'

const endpoint = 'urn:uuid:5f5a69c2-e0ae-504f-829b-000000000001'
const description: Description = {
  endpoint,
  scopes: ['onvif://www.onvif.org/name/A%20%26%20B', 'onvif://www.onvif.org/location/küche', 'urn:x:a&b<c'],
  xaddrs: ['http://192.0.2.7:80/onvif/device_service', 'http://[2001:db8::7]:80/onvif/device_service'],
  metadataVersion: 7,
}
const sequence = { instanceId: 3, messageNumber: 12 }
const asked = { kind: 'probe', messageId: 'uuid:A&B', types: [], scopes: [], rule: 'rfc3986' } as const

const written: readonly (readonly [string, string])[] = [
  ['Hello', writeHello(description, sequence)],
  ['Bye', writeBye(endpoint, sequence)],
  ['ProbeMatches', writeMatch(asked, description, sequence)],
  ['ResolveMatches', writeMatch({ kind: 'resolve', messageId: 'urn:uuid:1', endpoint }, description, sequence)],
  ['fault', writeUnsupportedRule(asked)],
  ['Probe', writeProbe(['tds:Device', '{urn:other}Thing'], ['onvif://www.onvif.org/name']).text],
  ['Probe', writeProbe([], []).text],
]

test('every message is valid by the schemas of WS-Discovery, WS-Addressing and SOAP', { skip: lacksSchemas }, () => {
  for (const [, xml] of written) assert.deepEqual(validateDiscovery(xml), [], xml)
  const spoilt = writeHello(description, sequence).replace('<d:MetadataVersion>7</d:MetadataVersion>', '')
  assert.notDeepEqual(validateDiscovery(spoilt), [], 'the validator sees what is missing')
  assert.notDeepEqual(validateDiscovery(writeBye(endpoint, sequence).replace('InstanceId', 'InstanceID')), [])
})

test('every message has its action, a MessageID of its own, and what clients go by', () => {
  for (const [name, xml] of written) assert.match(xml, new RegExp(`<a:Action>${DISCOVERY}/${name}</a:Action>`))
  const ids = written.map(([, xml]) => /<a:MessageID>(urn:uuid:[0-9a-f-]{36})</.exec(xml)?.[1])
  assert.equal(new Set(ids).size, written.length)
  const [[, hello], , [, match]] = [written[0] ?? ['', ''], written[1], written[2] ?? ['', '']]
  for (const xml of [hello, match]) {
    assert.match(xml, /<d:AppSequence InstanceId="3" MessageNumber="12"\/>/)
    assert.match(xml, /<d:Types>tds:Device<\/d:Types>/)
    assert.match(xml, /xmlns:tds="http:\/\/www\.onvif\.org\/ver10\/device\/wsdl"/)
    assert.match(xml, /<d:MetadataVersion>7<\/d:MetadataVersion>/)
  }
  assert.match(hello, /<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery<\/a:To>/)
  assert.match(match, /<a:To>http:\/\/schemas\.xmlsoap\.org\/ws\/2004\/08\/addressing\/role\/anonymous<\/a:To>/)
  assert.match(match, /<a:RelatesTo>uuid:A&amp;B<\/a:RelatesTo>/)
})

test('a client reads what a device writes', () => {
  const { scopes, xaddrs } = description
  assert.deepEqual(readSightings(Buffer.from(writeMatch(asked, description, sequence))), [
    { kind: 'match', relatesTo: 'uuid:A&B', endpoint, scopes, xaddrs },
  ])
  assert.deepEqual(readSightings(Buffer.from(writeHello(description, sequence))), [
    { kind: 'hello', relatesTo: undefined, endpoint, scopes, xaddrs },
  ])
  assert.deepEqual(readSightings(Buffer.from(writeBye(endpoint, sequence))), [])
  assert.deepEqual(readSightings(Buffer.from('no message')), [])
})

test('the scopes that fit are named, in their order', () => {
  const scopes = Array.from({ length: limits.scopesMax }, (_, index) => `onvif://www.onvif.org/x/${'y'.repeat(400)}${index}`)
  const [found] = readSightings(Buffer.from(writeHello({ ...description, scopes }, sequence)))
  assert.deepEqual(found?.scopes, scopes.slice(0, 9))
})

const read = (text: string) => readQuestion(Buffer.from(text))

test('the copied Probe is read, with its prefix that nobody declares', () => {
  const messageId = 'uuid:84ede3de-7dec-11d0-c360-f01234567890'
  assert.deepEqual(read(copiedProbe), { kind: 'probe', messageId, types: ['Device'], scopes: [], rule: 'rfc3986' })
  const asCamera = copiedProbe.replace('dn:Device', 'dn:NetworkVideoTransmitter')
  assert.deepEqual(read(asCamera), { kind: 'probe', messageId, types: ['NetworkVideoTransmitter'], scopes: [], rule: 'rfc3986' })
})

const types: readonly (readonly [string, readonly string[]])[] = [
  ['<d:Types>tds:Device</d:Types>', ['Device']],
  ['<d:Types> dn:NetworkVideoTransmitter\n tds:Device </d:Types>', ['NetworkVideoTransmitter', 'Device']],
  ['<d:Types xmlns:dp0="http://www.onvif.org/ver10/network/wsdl">dp0:NetworkVideoTransmitter</d:Types>', ['NetworkVideoTransmitter']],
  ['<d:Types xmlns="http://www.onvif.org/ver10/device/wsdl">Device</d:Types>', ['Device']],
  ['<d:Types>stray:Device</d:Types>', ['Device']],
  ['<d:Types>Device</d:Types>', ['Device']],
  ['<d:Types>tds:Printer</d:Types>', ['other']],
  ['<d:Types>dn:NetworkVideoDisplay</d:Types>', ['other']],
  ['<d:Types xmlns:w="http://schemas.xmlsoap.org/ws/2006/02/devprof">w:Device</d:Types>', ['other']],
  ['<d:Types>dn:NetworkVideoTransmitter tds:Printer</d:Types>', ['NetworkVideoTransmitter', 'other']],
  ['<d:Types/>', []],
  ['', []],
]

test('types are read as qualified names', () => {
  for (const [inside, expected] of types) {
    const found = read(probe(inside))
    assert.deepEqual(found?.kind === 'probe' && found.types, expected, inside)
  }
})

test('scopes and their rule are read', () => {
  const rule = (text: string) => {
    const found = read(text)
    return found?.kind === 'probe' ? found.rule : undefined
  }
  assert.equal(rule(scopedProbe('a:b')), 'rfc3986')
  assert.equal(rule(scopedProbe('a:b', 'rfc3986')), 'rfc3986')
  assert.equal(rule(scopedProbe('a:b', 'rfc2396')), 'rfc3986')
  assert.equal(rule(scopedProbe('a:b', 'strcmp0')), 'strcmp0')
  assert.equal(rule(scopedProbe('a:b', 'uuid')), 'uuid')
  for (const unknown of ['ldap', 'none', 'RFC3986', 'x']) assert.equal(rule(scopedProbe('a:b', unknown)), 'unsupported')
  const found = read(scopedProbe('\n a:b\t c:d '))
  assert.deepEqual(found?.kind === 'probe' && found.scopes, ['a:b', 'c:d'])
})

test('a Resolve is read', () => {
  const found = read(resolve(endpoint))
  assert.deepEqual(found && { ...found, messageId: '' }, { kind: 'resolve', messageId: '', endpoint })
})

const unread: Readonly<Record<string, string | Uint8Array>> = {
  nothing: '',
  'eighteen bytes of XML': '<s:Envelope></s:En',
  'no Header': probe().replace(/<s:Header>.*<\/s:Header>/, ''),
  'no MessageID': probe().replace(/<a:MessageID>.*<\/a:MessageID>/, ''),
  'an empty MessageID': probe('', { messageId: ' ' }),
  'a MessageID that would be an answer of its own': probe('', { messageId: 'x'.repeat(limits.discoveryMessageIdCharactersMax + 1) }),
  'no Action': probe().replace(/<a:Action>.*<\/a:Action>/, ''),
  'another Action': probe('', { action: `${DISCOVERY}/Resolve` }),
  'the addressing of 2005': probe().replace('2004/08/addressing', '2005/08/addressing'),
  'the discovery of 2009': probe().replaceAll(DISCOVERY, 'http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01'),
  'SOAP 1.1': probe().replace('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
  'two questions': probe().replace('</s:Body>', '<d:Probe/></s:Body>'),
  'a Hello': question('<d:Hello/>'),
  'a Resolve for nobody': question('<d:Resolve/>'),
  'a block that has to be understood': probe('', { header: '<x:Route xmlns:x="urn:x" s:mustUnderstand="1"/>' }),
  'a document type': `<!DOCTYPE x [<!ENTITY y "z">]>${probe()}`,
  'a stray prefix of its own body': copiedProbe.replaceAll('d:Probe', 'q:Probe'),
  'more than fits': probe(`<!--${'x'.repeat(limits.discoveryPacketBytesMax)}-->`),
  'too many elements': probe(`<d:Types/>${'<x/>'.repeat(limits.discoveryElementsMax)}`),
  'too deep': probe(`${'<x>'.repeat(limits.discoveryDepthMax)}${'</x>'.repeat(limits.discoveryDepthMax)}`),
  'Latin-1': Buffer.from(probe('<!-- \xe9 -->'), 'latin1'),
}

test('nothing else is read', () => {
  assert.ok(read(probe()), 'the one that they are made from')
  for (const [what, packet] of Object.entries(unread)) assert.equal(readQuestion(Buffer.from(packet)), undefined, what)
})
