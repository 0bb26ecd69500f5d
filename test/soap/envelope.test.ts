import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { contract } from '../../src/onvif/contract.generated.ts'
import { fault, SoapFault } from '../../src/onvif/faults.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { parseEnvelope, writeAnswer, writeFault } from '../../src/soap/envelope.ts'
import { parseXml } from '../../src/soap/xml.ts'
import { validateMessage } from '../support/schemaValidator.ts'
import { message } from './messages.ts'

const soap12 = 'http://www.w3.org/2003/05/soap-envelope'
const envelope = (inside: string, attributes = '') => `<s:Envelope xmlns:s="${soap12}" ${attributes}>${inside}</s:Envelope>`
const body = '<s:Body><x/></s:Body>'
const role = (name: string) => `s:role="${soap12}/role/${name}"`
const block = (attributes: string) => envelope(`<s:Header><b:B xmlns:b="urn:b" ${attributes}/></s:Header>${body}`)
const security = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'

const taken: readonly (readonly [what: string, xml: string])[] = [
  ['the least', envelope(body)],
  ['a byte-order mark (WCF on Mono)', `\ufeff<?xml version="1.0" encoding="utf-8"?>${envelope(body)}`],
  ['blanks everywhere (onvif-rx)', `<?xml version="1.0"?>\n    ${envelope(`\r\n <s:Header>\n</s:Header> <s:Body>\n <x/> </s:Body>\t`)}\n`],
  ['the default namespace (onvif-go)', `<Envelope xmlns="${soap12}"><Header/><Body><x xmlns="${soap12}"/></Body></Envelope>`],
  ['attributes of others on the Body', envelope('<s:Body u:Id="b" xmlns:u="urn:u"><x/></s:Body>')],
  ['unknown blocks that are optional', block('s:mustUnderstand="0"')],
  ['unknown blocks that say nothing', block('')],
  ['mandatory blocks for others', block(`s:mustUnderstand="1" s:role="urn:somebody"`)],
  ['mandatory blocks for nobody', block(`s:mustUnderstand="1" ${role('none')}`)],
  [
    'WS-Addressing',
    envelope(`<s:Header><a:To s:mustUnderstand="1" xmlns:a="http://www.w3.org/2005/08/addressing">x</a:To></s:Header>${body}`),
  ],
  ['WS-Security', envelope(`<s:Header><Security s:mustUnderstand=" true " xmlns="${security}"/></s:Header>${body}`)],
  ['no encoding', envelope(`<s:Body><x s:encodingStyle="${soap12}/encoding/none"/></s:Body>`)],
]

for (const [what, xml] of taken) {
  test(`takes ${what}`, () => assert.equal(parseEnvelope(Buffer.from(xml)).body.name, 'x'))
}

const refused: readonly (readonly [what: string, xml: string | Uint8Array, code: string, reason: string])[] = [
  ['broken UTF-8', Buffer.from([0x3c, 0x61, 0xff, 0x2f, 0x3e]), 'Sender/WellFormed', 'the message is not UTF-8'],
  ['UTF-16', Buffer.from(`\ufeff${envelope(body)}`, 'utf16le'), 'Sender/WellFormed', 'the message is not UTF-8'],
  ['broken XML', '<a>', 'Sender/WellFormed', '1:4: <a> is not closed'],
  ['nothing', '', 'Sender/WellFormed', '1:1: the document has no root element'],
  ['an undeclared prefix', '<s:Envelope/>', 'Sender/Namespace', '1:12: the prefix s is not declared'],
  [
    'SOAP 1.1',
    envelope(body).replace(soap12, 'http://schemas.xmlsoap.org/soap/envelope/'),
    'VersionMismatch',
    'this is SOAP 1.1, the service speaks SOAP 1.2',
  ],
  ['something else', '<html/>', 'VersionMismatch', 'this is no SOAP envelope, the service speaks SOAP 1.2'],
  ['an Envelope without Body', envelope('<s:Header/>'), 'Sender/Tag', 'the Envelope has no Body'],
  ['an empty Envelope', envelope(''), 'Sender/Tag', 'the Envelope has no Body'],
  ['two Headers', envelope(`<s:Header/><s:Header/>${body}`), 'Sender/Tag', 'the Envelope has no Body'],
  ['a Header after the Body', envelope(`${body}<s:Header/>`), 'Sender/Tag', 'the Envelope has more than a Header and a Body'],
  ['two Bodies', envelope(`${body}${body}`), 'Sender/Tag', 'the Envelope has more than a Header and a Body'],
  [
    'a Body of SOAP 1.1',
    envelope('<Body xmlns="http://schemas.xmlsoap.org/soap/envelope/"><x/></Body>'),
    'Sender/Namespace',
    'Body is not in the namespace of the Envelope',
  ],
  ['text in the Envelope', envelope(`x${body}`), 'Sender/Tag', 'Envelope has text where only elements may be'],
  ['text in the Body', envelope('<s:Body>x<x/></s:Body>'), 'Sender/Tag', 'Body has text where only elements may be'],
  ['an empty Body', envelope('<s:Body> </s:Body>'), 'Sender/Tag', 'the Body is empty'],
  ['two requests', envelope('<s:Body><x/><y/></s:Body>'), 'Sender/Tag', 'the Body has more than one element'],
  ['a mandatory block', block('s:mustUnderstand="1"'), 'MustUnderstand', 'the header block B is not understood'],
  [
    'a mandatory block for the next',
    block(`s:mustUnderstand="true" ${role('next')}`),
    'MustUnderstand',
    'the header block B is not understood',
  ],
  [
    'a mandatory block for the last',
    block(`s:mustUnderstand="1" ${role('ultimateReceiver')}`),
    'MustUnderstand',
    'the header block B is not understood',
  ],
  [
    'a mandatory block for the empty role',
    block('s:mustUnderstand="1" s:role=""'),
    'MustUnderstand',
    'the header block B is not understood',
  ],
  [
    'an unknown mandatory block of WS-Security',
    block('s:mustUnderstand="1"').replace('urn:b', security),
    'MustUnderstand',
    'the header block B is not understood',
  ],
  ['mustUnderstand="maybe"', block('s:mustUnderstand="maybe"'), 'Sender/InvalidArgVal', 'mustUnderstand of B is not xs:boolean'],
  [
    'an encoding of the request',
    envelope('<s:Body><x s:encodingStyle="http://www.w3.org/2003/05/soap-encoding"/></s:Body>'),
    'DataEncodingUnknown',
    'the encoding of x is not known',
  ],
  [
    'an encoding of all',
    envelope(body, 's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'),
    'DataEncodingUnknown',
    'the encoding of Envelope is not known',
  ],
]

function faultOf(bytes: string | Uint8Array): SoapFault {
  try {
    parseEnvelope(Buffer.from(bytes))
  } catch (error) {
    if (error instanceof SoapFault) return error
    throw error
  }
  throw new Error('the message was taken')
}

for (const [what, xml, code, reason] of refused) {
  test(`answers ${what} with a valid ${code}`, () => {
    const refusal = faultOf(xml)
    assert.deepEqual([[refusal.code, ...refusal.subcodes].join('/'), refusal.message], [code, reason])
    assert.deepEqual(validateMessage(writeFault(refusal)), [])
  })
}

const start = `<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="${soap12}" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"`

test('a fault has its subcodes nested and its reason in English', () => {
  assert.equal(
    writeFault(fault('FixedScope', 'a < b & c')),
    `${start} xmlns:ter="http://www.onvif.org/ver10/error"><env:Body><env:Fault>` +
      '<env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>ter:OperationProhibited</env:Value>' +
      '<env:Subcode><env:Value>ter:FixedScope</env:Value></env:Subcode></env:Subcode></env:Code>' +
      '<env:Reason><env:Text xml:lang="en">a &lt; b &amp; c</env:Text></env:Reason></env:Fault></env:Body></env:Envelope>',
  )
})

test('a version mismatch says what would match', () => {
  assert.match(
    writeFault(faultOf('<a/>')),
    /<env:Header><env:Upgrade><env:SupportedEnvelope qname="env:Envelope"\/><\/env:Upgrade><\/env:Header>/,
  )
})

test('what is not understood is named by its qualified name', () => {
  assert.match(
    writeFault(faultOf(block('s:mustUnderstand="1"').replace('urn:b', 'urn:&lt;&quot;&#10;'))).toString(),
    /<env:NotUnderstood qname="b:B" xmlns:b="urn:&lt;&quot;&#10;"\/>/,
  )
  const endless = writeFault(faultOf(block('s:mustUnderstand="1"').replace('urn:b', 'x'.repeat(100_000))))
  assert.ok(endless.length < 1_000, 'an endless namespace is not sent back')
})

test('a reason is bounded, and made of characters that XML can carry', () => {
  const [text] =
    parseXml(writeFault(fault('Action', `\u0000\ud800${'\u{1f600}'.repeat(1_000)}`)).toString()).children[0]?.children[0]?.children[1]
      ?.children ?? []
  assert.ok(text)
  assert.ok(text.text.startsWith('\ufffd\ufffd\u{1f600}'))
  assert.ok(text.text.endsWith('…') && text.text.length <= limits.faultReasonCharactersMax)
})

test('the cause of a fault stays here', () => {
  assert.ok(!writeFault(fault('Action', 'no', { cause: new Error('secret') })).includes('secret'))
})

test('an answer declares the usual prefixes, and others where it needs them', () => {
  assert.equal(writeAnswer('<tds:SetNTPResponse/>').toString(), `${start}><env:Body><tds:SetNTPResponse/></env:Body></env:Envelope>`)
  const codec = createCodec(contract)
  const backup = codec.encode('tds:GetSystemBackupResponse', {
    BackupFiles: [{ Name: 'a', Data: { contentType: 'a/b', Include: { href: 'cid:1' } } }],
  })
  assert.deepEqual(validateMessage(writeAnswer(backup)), [])
})

test('an answer with a header, or with capabilities of any service, declares their prefixes, too', () => {
  const codec = createCodec(contract)
  const services = (['tds', 'tas', 'tev'] as const).map(prefix => ({
    Namespace: contract.namespaces[prefix],
    XAddr: 'http://192.0.2.7/',
    Capabilities: { $any: [{ element: `${prefix}:Capabilities`, value: prefix === 'tev' ? {} : bare[prefix] }] },
    Version: { Major: 26, Minor: 6 },
  }))
  assert.deepEqual(validateMessage(writeAnswer(codec.encode('tds:GetServicesResponse', { Service: services }))), [])
  const header = '<wsa:Action>urn:a</wsa:Action>'
  assert.equal(
    writeAnswer('<tds:SetNTPResponse/>', header),
    `${start} xmlns:wsa="${contract.namespaces.wsa}"><env:Header>${header}</env:Header><env:Body><tds:SetNTPResponse/></env:Body></env:Envelope>`,
  )
})

/** As little as the schema allows. */
const bare = {
  tds: { Network: {}, Security: {}, System: {} },
  tas: { KeystoreCapabilities: {}, TLSServerCapabilities: {} },
}

test('a fault has its detail behind the reason, and subcodes of other vocabularies with their own prefix', () => {
  const refusal = fault('PullMessagesFaultResponse', 'too long', { detail: { MaxTimeout: 'PT1M', MaxMessageLimit: 100 } })
  assert.ok(refusal.detail)
  const detail = createCodec(contract).encode(refusal.detail.element, refusal.detail.value)
  const written = writeFault(refusal, '<wsa:Action>urn:a</wsa:Action>', detail)
  assert.deepEqual(validateMessage(written), [])
  assert.match(written, /<env:Subcode><env:Value>tev:PullMessagesFaultResponse<\/env:Value><\/env:Subcode>/)
  assert.match(written, /<\/env:Reason><env:Detail><tev:PullMessagesFaultResponse><tev:MaxTimeout>PT1M</)
})

test('a message written is a message read', () => {
  assert.equal(parseEnvelope(Buffer.from(writeAnswer('<tds:SetNTPResponse/>'))).body.name, 'SetNTPResponse')
  assert.equal(parseEnvelope(message('<tds:GetUsers/>')).header, undefined)
})
