import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'
import { readAnswerBlocks, readMessageId, referenceBlocks, writeFaultHeader, writeReplyHeader } from '../../src/soap/addressing.ts'
import { parseEnvelope, writeAnswer, writeFault } from '../../src/soap/envelope.ts'
import { SOAP_ENVELOPE, WS_ADDRESSING } from '../../src/soap/namespaces.ts'
import { namespaceOf, parseXml, type XmlElement } from '../../src/soap/xml.ts'
import { validateMessage } from '../support/schemaValidator.ts'
import { message } from './messages.ts'

const ANONYMOUS = `${WS_ADDRESSING}/anonymous`

function headerOf(blocks: string): XmlElement {
  const { header, isAddressed } = parseEnvelope(message('<tds:GetUsers/>', `<wrap xmlns:wsa="${WS_ADDRESSING}"/>${blocks}`))
  assert.ok(header)
  assert.equal(isAddressed, blocks.includes('wsa:'))
  return header
}

const ns = `xmlns:wsa="${WS_ADDRESSING}"`
const id = (text: string, attributes = '') => `<wsa:MessageID ${ns} ${attributes}>${text}</wsa:MessageID>`
const reply = (address: string, name = 'ReplyTo', inside = '') =>
  `<wsa:${name} ${ns}><wsa:Address>${address}</wsa:Address>${inside}</wsa:${name}>`
const parameters = (inside: string) => `<wsa:ReferenceParameters>${inside}</wsa:ReferenceParameters>`

function faultOf(read: () => unknown): SoapFault {
  try {
    read()
  } catch (error) {
    if (error instanceof SoapFault) return error
    throw error
  }
  throw new Error('it was taken')
}

test('the MessageID is read as sent, without the blanks around it', () => {
  assert.equal(readMessageId(headerOf(id(' urn:uuid:1&amp;2 '))), 'urn:uuid:1&2')
  assert.equal(readMessageId(headerOf(id(' '))), undefined)
  assert.equal(readMessageId(headerOf('<wsa:MessageID xmlns:wsa="urn:other">urn:1</wsa:MessageID>'.replaceAll('wsa', 'x'))), undefined)
  assert.equal(readMessageId(headerOf(id('urn:1', 's:role="urn:somebody-else"'))), undefined)
  assert.equal(readMessageId(headerOf(id('x'.repeat(limits.messageIdCharactersMax))))?.length, limits.messageIdCharactersMax)
})

const refused: readonly (readonly [what: string, blocks: string, subcode: string | undefined, header: string])[] = [
  ['a MessageID without end', id('x'.repeat(limits.messageIdCharactersMax + 1)), undefined, 'MessageID'],
  ['two MessageIDs', id('urn:1') + id('urn:1'), 'InvalidCardinality', 'MessageID'],
  ['a ReplyTo elsewhere', reply('http://198.51.100.1/'), 'OnlyAnonymousAddressSupported', 'ReplyTo'],
  ['a FaultTo elsewhere', reply(ANONYMOUS) + reply('http://198.51.100.1/', 'FaultTo'), 'OnlyAnonymousAddressSupported', 'FaultTo'],
  ['an empty ReplyTo', `<wsa:ReplyTo ${ns}/>`, 'MissingAddressInEPR', 'ReplyTo'],
  ['two ReplyTos', reply(ANONYMOUS) + reply(ANONYMOUS), 'InvalidCardinality', 'ReplyTo'],
  ['thousands of reference parameters', reply(ANONYMOUS, 'ReplyTo', parameters('<a/>'.repeat(9_000))), undefined, 'ReplyTo'],
  [
    'a reference parameter without end',
    reply(ANONYMOUS, 'ReplyTo', parameters(`<a>${'x'.repeat(limits.referenceParametersCharactersMax)}</a>`)),
    undefined,
    'ReplyTo',
  ],
]

for (const [what, blocks, subcode, name] of refused) {
  test(`refuses ${what}, and says which block`, () => {
    const header = headerOf(blocks)
    const refusal = faultOf(() => [readMessageId(header), readAnswerBlocks(header)])
    const subcodes = ['wsa:InvalidAddressingHeader', ...(subcode === undefined ? [] : [`wsa:${subcode}`])]
    assert.deepEqual([refusal.code, refusal.subcodes, refusal.detail?.value], ['Sender', subcodes, { $value: `wsa:${name}` }])
    const fault = writeFault(refusal, writeFaultHeader(refusal, { messageId: 'urn:1', reply: '', fault: '' }))
    assert.deepEqual(validateMessage(fault), [])
    assert.match(fault, /<wsa:Action>http:\/\/www\.w3\.org\/2005\/08\/addressing\/fault<\/wsa:Action><wsa:RelatesTo>urn:1</)
  })
}

test('answers go back where the question came from, or nobody wants them', () => {
  for (const address of [` ${ANONYMOUS}\n`, `${WS_ADDRESSING}/none`])
    assert.deepEqual(readAnswerBlocks(headerOf(reply(address) + reply(address, 'FaultTo'))), { reply: '', fault: '' })
  assert.deepEqual(readAnswerBlocks(headerOf('')), { reply: '', fault: '' })
})

test('reference parameters go back as header blocks, of faults those of FaultTo if it is there', () => {
  const own = parameters('<p:session xmlns:p="urn:p" p:kind="p:x" wsa:IsReferenceParameter="false">7 &lt; 8</p:session><q xmlns="urn:q"/>')
  const other = parameters('<f xmlns="urn:f"/>')
  const { reply: replyBlocks, fault } = readAnswerBlocks(headerOf(reply(ANONYMOUS, 'ReplyTo', own) + reply(ANONYMOUS, 'FaultTo', other)))
  assert.match(fault, /^<n1:f xmlns:n1="urn:f" wsa:IsReferenceParameter="true"\/>$/)
  const blocks = readAnswerBlocks(headerOf(reply(ANONYMOUS, 'ReplyTo', own)))
  assert.equal(blocks.fault, blocks.reply)

  const answer = writeAnswer('<tds:GetUsersResponse/>', writeReplyHeader('urn:action', { messageId: 'urn:a&b', reply: replyBlocks, fault }))
  assert.deepEqual(validateMessage(answer), [])
  const { header } = parseEnvelope(Buffer.from(answer))
  const [action, relatesTo, session, second] = header?.children ?? []
  assert.deepEqual([action?.text, relatesTo?.text], ['urn:action', 'urn:a&b'])
  assert.deepEqual([session?.namespace, session?.name, session?.text, second?.namespace], ['urn:p', 'session', '7 < 8', 'urn:q'])
  assert.ok(session && namespaceOf('p', session.scope) === 'urn:p', 'the prefix of its own value')
  const marks = session.attributes.filter(({ name }) => name === 'IsReferenceParameter')
  assert.deepEqual(marks, [{ namespace: WS_ADDRESSING, name: 'IsReferenceParameter', value: 'true' }])
})

test('parameters as deep as a message can be, and with every trick of prefixes, cost next to nothing', () => {
  const deep = `<wsa:a xmlns:wsa="urn:x" xmlns:n1="urn:y" n1:b="wsa:c">`.repeat(30) + '</wsa:a>'.repeat(30)
  const colons = `<a>${'p:q '.repeat(200_000)}</a>`
  const began = process.cpuUsage()
  const written = readAnswerBlocks(headerOf(reply(ANONYMOUS, 'ReplyTo', parameters(deep)))).reply
  const inner = parseXml(`<r xmlns:wsa="${WS_ADDRESSING}">${written}</r>`).children[0]
  assert.equal(inner?.namespace, 'urn:x')
  assert.ok(faultOf(() => readAnswerBlocks(headerOf(reply(ANONYMOUS, 'ReplyTo', parameters(colons))))))
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms of CPU`)
})

test('what is kept of an address keeps nothing of the message', () => {
  assert.equal(referenceBlocks([]), '')
  assert.equal(referenceBlocks(undefined), '')
  const xml = { namespace: 'urn:x', name: 'a', attributes: [], children: [], text: 'x' }
  assert.equal(referenceBlocks([{ xml }]), '<n1:a xmlns:n1="urn:x" wsa:IsReferenceParameter="true">x</n1:a>')
})

test('a message without addresses is not looked at twice', () => {
  assert.equal(parseEnvelope(message('<tds:GetUsers/>')).isAddressed, false)
  assert.equal(parseEnvelope(message('<tds:GetUsers/>', `<a xmlns="${SOAP_ENVELOPE}x"/>`)).isAddressed, false)
})
