import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import { type TestContext, test } from 'node:test'
import { exportJWK } from 'jose'
import { limits } from '../../src/limits.ts'
import { createPublishedKeys } from '../../src/platform/publishedKeys.ts'
import { testClock } from '../auth/support.ts'
import { issue, lacksOpenssl, makeCrl, makeRoot, newKeystore, read, silent } from '../device/certificates/lab.ts'
import { until } from '../http/door.ts'

const serverExtensions = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=serverAuth',
  'subjectAltName=IP:127.0.0.1',
]

const key = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey

/** An issuer on the loopback, with a certificate of a CA that the device's policy believes. */
async function issuer(t: TestContext, name: string, { extensions = serverExtensions, ca = name } = {}) {
  const anchor = makeRoot(name)
  if (ca !== name) makeRoot(ca)
  issue(`${name}-server`, ca, extensions)
  const keys: { kid: string; key: KeyObject }[] = [{ kid: 'one', key: key() }]
  const asked: string[] = []
  const answers: Record<string, () => Promise<{ status?: number; location?: string; body?: string; isWhole?: boolean }>> = {
    '/.well-known/openid-configuration': async () => ({ body: JSON.stringify({ issuer: origin, jwks_uri: `${origin}/keys` }) }),
    '/keys': async () => ({
      body: JSON.stringify({ keys: await Promise.all(keys.map(async each => ({ ...(await exportJWK(each.key)), kid: each.kid }))) }),
    }),
  }
  const server = createServer({ cert: read(`${name}-server.crt`), key: read(`${name}-server.key`) }, async (request, response) => {
    asked.push(request.url ?? '')
    const { status = 200, location, body = '', isWhole = true } = (await answers[request.url ?? '']?.()) ?? { status: 404 }
    response.writeHead(status, location === undefined ? {} : { location }).write(body)
    if (isWhole) response.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const address = server.address()
  const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`

  const keystore = newKeystore()
  const { id } = keystore.certificates.upload(anchor)
  const policyId = keystore.policies.create({ requireClientAuthUsage: true, useDeltaCrls: false, anchorIds: [id] })
  const clock = testClock()
  const warnings: unknown[] = []
  const log = { ...silent, warn: (details: object) => void warnings.push('error' in details && details.error) }
  const published = createPublishedKeys({ clock, log, trustOf: keystore.serverTrust })
  const order = { metadata: `${origin}/.well-known/openid-configuration`, name: origin, policyId }
  return {
    keys,
    asked,
    answers,
    origin,
    clock,
    keystore,
    name,
    kids: async (keyId?: string, change: Partial<Omit<typeof order, 'policyId'>> & { policyId?: string | undefined } = {}) =>
      (await published({ ...order, keyId, ...change })).map(each => each.id),
    reason: () => String(warnings.at(-1)),
  }
}

const options = { skip: lacksOpenssl, timeout: 30_000 }

test('keys are those that the metadata lead to, asked for once by however many', options, async t => {
  const { kids, asked, clock } = await issuer(t, 'plain')
  assert.deepEqual(await Promise.all([kids(), kids('one'), kids('one')]), [['one'], ['one'], ['one']])
  assert.deepEqual(asked, ['/.well-known/openid-configuration', '/keys'])
  await clock.pass(limits.jwtKeysFreshMs - 1)
  await kids()
  assert.equal(asked.length, 2)
  await clock.pass(1)
  await kids()
  assert.equal(asked.length, 4)
})

test('a new key is seen when a token names it, and names that nobody has do not make the device ask on and on', options, async t => {
  const { kids, asked, clock, keys } = await issuer(t, 'rotation')
  await kids()
  keys.push({ kid: 'two', key: key() })
  assert.deepEqual(await kids('two'), ['one'], 'not so soon')
  await clock.pass(limits.jwtFetchPauseMs)
  assert.deepEqual(await kids('two'), ['one', 'two'])
  for (let index = 0; index < 20; index++) await kids(`invented-${index}`)
  assert.equal(asked.length, 4)
})

test('keys outlast an issuer that is away, though not for ever', options, async t => {
  const { kids, answers, clock, reason } = await issuer(t, 'away')
  await kids()
  answers['/keys'] = async () => ({ status: 503 })
  await clock.pass(limits.jwtKeysFreshMs)
  assert.deepEqual(await kids(), ['one'])
  assert.match(reason(), /answers 503/)
  await clock.pass(limits.jwtKeysStaleMaxMs - limits.jwtKeysFreshMs)
  assert.deepEqual(await kids(), [])
})

test('an issuer that says that it is another has no keys', options, async t => {
  const { kids, origin } = await issuer(t, 'named')
  assert.deepEqual(await kids('one', { name: `${origin}/` }), [])
  assert.deepEqual(await kids('one'), ['one'])
})

test('answers that are no keys are none, and nobody is asked where the answer does not come from', options, async t => {
  const plain = createPlainServer((_, response) => response.end('{"keys":[]}'))
  let plainAsked = 0
  plain.on('request', () => plainAsked++)
  await once(plain.listen(0, '127.0.0.1'), 'listening')
  t.after(() => plain.close())
  const address = plain.address()
  const port = typeof address === 'object' ? address?.port : ''
  const { kids, answers, origin, clock, reason } = await issuer(t, 'wrong')
  for (const [path, answer, expected] of [
    ['/keys', { body: 'x'.repeat(limits.jwtFileBytesMax + 1) }, /larger than/],
    ['/keys', { status: 302, location: `http://127.0.0.1:${port}/` }, /answers 302/],
    ['/keys', { body: '{"keys":[{"kty":"oct","k":"AAAA"}]}' }, /0 keys/],
    ['/keys', { body: '{' }, /no JSON/],
    ['/.well-known/openid-configuration', { body: `{"issuer":"${origin}","jwks_uri":"http://127.0.0.1:${port}/"}` }, /HTTPS alone/],
    ['/.well-known/openid-configuration', { body: `{"issuer":"${origin}"}` }, /no keys/],
    ['/.well-known/openid-configuration', { body: 'null' }, /no object/],
  ] as const) {
    answers[path] = async () => answer
    assert.deepEqual(await kids(), [])
    assert.match(reason(), expected)
    await clock.pass(limits.jwtFetchPauseMs)
  }
  assert.equal(plainAsked, 0)
})

test('an issuer has jwtFetchTimeoutMs for each answer, and for the whole of it', options, async t => {
  const { kids, answers, asked, clock, reason } = await issuer(t, 'slow')
  const path = '/.well-known/openid-configuration'
  const [metadata, jwks] = [answers[path], answers['/keys']]
  assert.ok(metadata && jwks)
  let heads = 0
  const count = () => void heads++
  subscribe('http.client.response.finish', count)
  t.after(() => unsubscribe('http.client.response.finish', count))
  const never = new Promise<never>(() => {})
  for (const [slow, isWaiting] of [
    [() => never, () => asked.length === 1],
    // Its head is here, and then nothing comes.
    [async () => ({ ...(await metadata()), isWhole: false }), () => heads === 1],
  ] as const) {
    answers[path] = slow
    const waiting = kids()
    await until(isWaiting)
    await clock.pass(limits.jwtFetchTimeoutMs)
    assert.deepEqual(await waiting, [])
    assert.match(reason(), /does not answer in time/)
    await clock.pass(limits.jwtFetchPauseMs)
  }

  const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  answers[path] = () => held[0].promise.then(metadata)
  answers['/keys'] = () => held[1].promise.then(jwks)
  const waiting = kids()
  for (const [index, { resolve }] of held.entries()) {
    await until(() => asked.length === 3 + index)
    await clock.pass(limits.jwtFetchTimeoutMs - 1)
    resolve()
  }
  assert.deepEqual(await waiting, ['one'])
  assert.equal(clock.pending(), 0)
})

test('a server is held against the policy: its CA, its name, its use, and the CRLs of the keystore', options, async t => {
  const stranger = await issuer(t, 'known', { ca: 'unknown' })
  assert.deepEqual(await stranger.kids(), [])
  assert.match(stranger.reason(), /verify|unable|certificate/i)
  assert.deepEqual(stranger.asked, [], 'nothing was said to it')

  const elsewhere = await issuer(t, 'elsewhere', { extensions: serverExtensions.with(3, 'subjectAltName=IP:192.0.2.1') })
  assert.deepEqual(await elsewhere.kids(), [])
  assert.match(elsewhere.reason(), /does not match|not in the cert/i)

  const client = await issuer(t, 'client', { extensions: serverExtensions.with(2, 'extendedKeyUsage=clientAuth') })
  assert.deepEqual(await client.kids(), [])
  assert.match(client.reason(), /purpose|not for the authentication of servers/)

  const revoked = await issuer(t, 'revoking')
  revoked.keystore.crls.upload(makeCrl('revoking', ['revoking-server']))
  assert.deepEqual(await revoked.kids(), [])
  assert.match(revoked.reason(), /is revoked/)

  const open = await issuer(t, 'open')
  assert.deepEqual(await open.kids('one', { policyId: undefined }), [], 'a CA that nobody knows')
  assert.deepEqual(await open.kids(), ['one'], 'and the policy is another question')
})
