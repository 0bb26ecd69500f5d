import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { parseEnvelope, readUsernameToken } from '../../src/soap/envelope.ts'
import { message } from './messages.ts'

const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
const wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
const digest = 'Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"'
const base64 = 'EncodingType="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"'
const timestamp =
  '<wsu:Timestamp wsu:Id="T-1"><wsu:Created>2026-11-21T10:59:50Z</wsu:Created><wsu:Expires>2026-11-21T11:00:00Z</wsu:Expires></wsu:Timestamp>'

const password = `<wsse:Password ${digest}>ZGlnZXN0</wsse:Password>`
const security = (inside: string, attributes = '') =>
  `<wsse:Security ${attributes}><wsse:UsernameToken>${inside}</wsse:UsernameToken></wsse:Security>`
const usual = {
  username: 'admin',
  password: 'ZGlnZXN0',
  passwordType: 'PasswordDigest',
  nonce: 'bm9uY2U=',
  created: '2026-11-21T11:00:00.000Z',
}
const parts = `<wsse:Username>admin</wsse:Username>${password}<wsse:Nonce ${base64}>bm9uY2U=</wsse:Nonce><wsu:Created>2026-11-21T11:00:00.000Z</wsu:Created>`

const read = (header: string) => readUsernameToken(parseEnvelope(message('<tds:GetUsers/>', header)).header)

const variants: readonly (readonly [client: string, header: string, token: object | undefined])[] = [
  ['zeep, without mustUnderstand', security(parts), usual],
  [
    'gSOAP, mustUnderstand="true" and a Timestamp first',
    security(parts, 's:mustUnderstand="true"').replace('<wsse:UsernameToken>', `${timestamp}<wsse:UsernameToken>`),
    usual,
  ],
  [
    'onvif-nvt, Timestamp last and WS-Addressing',
    `<a:ReplyTo xmlns:a="http://www.w3.org/2005/08/addressing"/>${security(parts).replace('</wsse:Security>', `${timestamp}</wsse:Security>`)}`,
    usual,
  ],
  [
    'agsh onvif, in default namespaces',
    `<Security s:mustUnderstand="1" xmlns="${wsse}"><UsernameToken><Username>admin</Username><Password ${digest}>ZGlnZXN0</Password>` +
      `<Nonce ${base64}>bm9uY2U=</Nonce><Created xmlns="${wsu}">2026-11-21T11:00:00.000Z</Created></UsernameToken></Security>`,
    usual,
  ],
  [
    'KDSoap, Username last and no EncodingType',
    security(
      `<wsse:Nonce>bm9uY2U=</wsse:Nonce><wsu:Created>2026-11-21T11:00:00.000Z</wsu:Created>${password}<wsse:Username>admin</wsse:Username>`,
    ),
    usual,
  ],
  [
    'node-soap, with an Id that is no NCName',
    security(parts).replace('<wsse:UsernameToken>', '<wsse:UsernameToken wsu:Id="1/2 3">'),
    usual,
  ],
  [
    'use-go, nine digits of a second',
    security(parts.replace('.000Z', '.123456789Z')),
    { ...usual, created: '2026-11-21T11:00:00.123456789Z' },
  ],
  ['onvif-zeep, an offset for Z', security(parts.replace('.000Z', '+00:00')), { ...usual, created: '2026-11-21T11:00:00+00:00' }],
  ['a pretty printer', security(parts.replace('>bm9uY2U=<', '>\n  bm9uY2U=\n<').replace('>2026', '>\n 2026')), usual],
  ['libonvif, with an empty Username', security(parts.replace('admin', '')), { ...usual, username: '' }],
  ['PasswordText, said', security(parts.replace('#PasswordDigest', '#PasswordText')), { ...usual, passwordType: 'PasswordText' }],
  ['PasswordText, not said', security(parts.replace(digest, '')), { ...usual, passwordType: 'PasswordText' }],
  ['a name with blanks, which stay', security(parts.replace('admin', ' ad min ')), { ...usual, username: ' ad min ' }],
  [
    'a token with a name alone',
    security('<wsse:Username>admin</wsse:Username>'),
    { username: 'admin', password: '', passwordType: 'PasswordText', nonce: undefined, created: undefined },
  ],
  ['a Security without token', `<wsse:Security>${timestamp}</wsse:Security>`, undefined],
  ['a token for somebody else', security(parts, 's:role="urn:somebody"'), undefined],
  ['a Security of another namespace', `<Security xmlns="urn:x"><wsse:UsernameToken>${parts}</wsse:UsernameToken></Security>`, undefined],
  ['another block', '<x/>', undefined],
]

for (const [client, header, token] of variants) {
  test(`reads the token of ${client}`, () => assert.deepEqual(read(header), token))
}

test('a message without header has no token', () => assert.equal(readUsernameToken(undefined), undefined))

const ambiguous: readonly (readonly [what: string, header: string, reason: string])[] = [
  [
    'two tokens',
    security(parts).replace('</wsse:Security>', `<wsse:UsernameToken>${parts}</wsse:UsernameToken></wsse:Security>`),
    'more than one UsernameToken',
  ],
  ['two Securities', security(parts) + security(parts), 'more than one UsernameToken'],
  ['two names', security(`${parts}<wsse:Username>root</wsse:Username>`), 'more than one Username'],
  ['two times, one of another namespace', security(`${parts}<wsse:Created>2027</wsse:Created>`), 'more than one Created'],
  ['two nonces', security(`${parts}<wsse:Nonce/>`), 'more than one Nonce'],
  ['two passwords', security(`${parts}${password}`), 'more than one Password'],
  ['a nonce without end', security(parts.replace('bm9uY2U=', 'x'.repeat(limits.tokenTextCharactersMax + 1))), 'Nonce is too long'],
  ['a name without end', security(parts.replace('admin', 'x'.repeat(limits.tokenTextCharactersMax + 1))), 'Username is too long'],
]

for (const [what, header, reason] of ambiguous) {
  test(`refuses ${what}`, () =>
    assert.throws(() => read(header), { code: 'Sender', subcodes: ['NotAuthorized'], message: `sender not authorized: ${reason}` }))
}
