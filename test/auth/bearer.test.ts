import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { createAuthenticator } from '../../src/auth/authenticate.ts'
import { createBearer } from '../../src/auth/bearer.ts'
import { type JwtIssuer, parseJwtIssuers } from '../../src/auth/jwtIssuers.ts'
import { limits } from '../../src/limits.ts'
import { accountsOf, admin, authorizationOf, memoryJournal, nonceIn, testClock, tokenOf, viewer } from './support.ts'

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const issuer = {
  name: 'https://id.example.org',
  audiences: ['camera-7', 'all-cameras'],
  keys: [
    { id: 'one', algorithm: 'ES256', key: ec.publicKey },
    { id: undefined, algorithm: 'RS256', key: rsa.publicKey },
  ],
} satisfies JwtIssuer

const clock = testClock()
const nowSeconds = clock.now().getTime() / 1000
const bearer = createBearer({ issuers: () => [issuer], clock })

const good: JWTPayload = {
  iss: issuer.name,
  aud: 'camera-7',
  sub: 'vms',
  nbf: nowSeconds,
  exp: nowSeconds + 300,
  roles: ['onvif:Operator'],
}

interface Header {
  readonly alg?: string
  readonly kid?: string | undefined
}

const sign = (claims: JWTPayload, { alg = 'ES256', kid = 'one' }: Header = {}, key: KeyObject | Uint8Array = ec.privateKey) =>
  new SignJWT(claims).setProtectedHeader({ alg, ...(kid !== '' && { kid }) }).sign(key)

async function reasonFor(claims: JWTPayload, header?: Header, key?: KeyObject | Uint8Array): Promise<string> {
  const verdict = await bearer.check(`Bearer ${await sign(claims, header, key)}`)
  return 'reason' in verdict ? verdict.reason : `taken as ${verdict.caller.name}`
}

test('the roles of a good token say what its bearer may do', async () => {
  for (const [roles, caller] of [
    [['onvif:Administrator'], { name: 'jwt:vms', level: 'Administrator' }],
    [['onvif:Operator'], { name: 'jwt:vms', level: 'Operator' }],
    ['onvif:User', { name: 'jwt:vms', level: 'User' }],
    [['Guard'], { name: 'jwt:vms', level: 'Extended', roles: ['Guard'] }],
    [['onvif:User', 'Guard', 'Guard'], { name: 'jwt:vms', level: 'Extended', roles: ['onvif:User', 'Guard'] }],
    // What every object has is no level.
    [['constructor'], { name: 'jwt:vms', level: 'Extended', roles: ['constructor'] }],
  ] as const)
    assert.deepEqual(await bearer.check(`bearer ${await sign({ ...good, roles })}`), { caller })
  for (const roles of [undefined, [], [1], '']) assert.match(await reasonFor({ ...good, roles }), /no roles/)
})

test('RS256 and ES256 are taken, with the key that the token names or one without a name', async () => {
  assert.equal(await reasonFor(good, { alg: 'RS256', kid: '' }, rsa.privateKey), 'taken as jwt:vms')
  assert.equal(await reasonFor(good, { alg: 'RS256', kid: 'unknown' }, rsa.privateKey), 'taken as jwt:vms')
  assert.equal(await reasonFor(good, { kid: '' }), 'taken as jwt:vms')
  assert.match(await reasonFor(good, { kid: 'two' }), /no key/)
})

test('every claim that Security 4.4 wants has to be there and to fit', async () => {
  const { iss: _iss, ...withoutIssuer } = good
  const { aud: _aud, ...withoutAudience } = good
  const { nbf: _nbf, ...withoutBegin } = good
  const { exp: _exp, ...withoutEnd } = good
  assert.match(await reasonFor(withoutIssuer), /issuer is not known/)
  assert.match(await reasonFor({ ...good, iss: 'https://id.example.org/' }), /issuer is not known/)
  for (const claims of [withoutAudience, withoutBegin, withoutEnd, { ...good, aud: 'camera-8' }])
    assert.match(await reasonFor(claims), /ERR_JWT_CLAIM_VALIDATION_FAILED|ERR_JWT_INVALID/, JSON.stringify(claims))
  assert.equal(await reasonFor({ ...good, aud: ['somebody', 'all-cameras'] }), 'taken as jwt:vms')
})

test('times are held against the clock of the device, and clocks may be apart a little', async () => {
  const skew = limits.jwtSkewSeconds
  assert.equal(await reasonFor({ ...good, nbf: nowSeconds + skew }), 'taken as jwt:vms')
  assert.match(await reasonFor({ ...good, nbf: nowSeconds + skew + 1 }), /ERR_JWT_CLAIM_VALIDATION_FAILED/)
  assert.equal(await reasonFor({ ...good, exp: nowSeconds - skew + 1 }), 'taken as jwt:vms')
  assert.match(await reasonFor({ ...good, exp: nowSeconds - skew }), /ERR_JWT_EXPIRED/)
})

test('a token that is signed by another key, by a secret, or not at all is refused', async () => {
  assert.match(await reasonFor(good, {}, other.privateKey), /ERR_JWS_SIGNATURE_VERIFICATION_FAILED/)
  // The public key as a secret (RFC 8725 2.1).
  const pem = Buffer.from(rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString())
  assert.match(await reasonFor(good, { alg: 'HS256', kid: '' }, pem), /no key/)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [, , signature] = (await sign(good)).split('.')
  for (const token of [
    `${part({ alg: 'none' })}.${part(good)}.`,
    `${part({ alg: 'none' })}.${part(good)}.AAAA`,
    `${part({ alg: 'ES256', kid: 'one', crit: ['x'], x: 1 })}.${part(good)}.${signature}`,
    'AAAA.AAAA.AAAA',
    'e30.e30.e30',
    'x',
    `a.b.${'c'.repeat(limits.bearerCharactersMax)}`,
  ])
    assert.ok('reason' in (await bearer.check(`Bearer ${token}`)), token.slice(0, 80))
})

test('keys that are published are asked for only where no other key signed the token', async () => {
  const asked: (string | undefined)[] = []
  const published = async (keyId: string | undefined) => {
    asked.push(keyId)
    return [{ id: 'two', algorithm: 'ES256', key: other.publicKey } as const]
  }
  const publishing = createBearer({ issuers: () => [{ ...issuer, published }], clock })
  const isTaken = async (token: string) => 'caller' in (await publishing.check(`Bearer ${token}`))
  assert.equal(await isTaken(await sign(good)), true)
  assert.equal(await isTaken(await sign({ ...good, exp: nowSeconds - 3_600 })), false)
  assert.deepEqual(asked, [], 'a key that came along signed both')
  assert.equal(await isTaken(await sign(good, { kid: 'two' }, other.privateKey)), true)
  assert.equal(await isTaken(await sign({ ...good, aud: 'camera-8' }, { kid: 'two' }, other.privateKey)), false)
  assert.equal(await isTaken(await sign(good, { kid: 'three' }, other.privateKey)), false)
  assert.deepEqual(asked, ['two', 'two', 'three'])
})

test('further claims have to be there with one of their values, and nothing else passes for one', async () => {
  const claims = [{ name: 'site', values: ['north', '7', 'true', 'undefined', 'null'] }]
  const choosy = createBearer({ issuers: () => [{ ...issuer, claims }], clock })
  const isTaken = async (site: unknown) => 'caller' in (await choosy.check(`Bearer ${await sign({ ...good, site })}`))
  for (const site of ['north', 7, true, ['south', 'north']]) assert.equal(await isTaken(site), true, JSON.stringify(site))
  for (const site of [undefined, null, 'south', [['north']], {}, []]) assert.equal(await isTaken(site), false, JSON.stringify(site))
})

test('what a token says of its bearer is bounded and no name of a user', async () => {
  const verdict = await bearer.check(`Bearer ${await sign({ ...good, sub: `admin\n${'x'.repeat(5_000)}` })}`)
  assert.ok('caller' in verdict)
  assert.match(verdict.caller.name, /^jwt:admin\?x{58}$/)
})

test('a bearer is taken over HTTPS alone, with nobody else beside him, and asked for where somebody issues tokens', async () => {
  const issuers: JwtIssuer[] = [issuer]
  const authenticator = createAuthenticator({
    accounts: accountsOf(admin, viewer),
    clock,
    journal: memoryJournal().journal,
    bearer: createBearer({ issuers: () => issuers, clock }),
    cnMapsToUser: () => true,
  })
  const attempt = { method: 'POST', target: '/', remoteAddress: '192.0.2.1', token: undefined, isSecure: true }
  const authorization = `Bearer ${await sign(good)}`
  const kinds = async (change: object) => (await authenticator.authenticate({ ...attempt, authorization, ...change })).kind
  assert.equal(await kinds({}), 'known')
  assert.equal(await kinds({ isSecure: false }), 'refused')
  assert.equal(await kinds({ token: tokenOf(admin, clock.now().toISOString()) }), 'refused')
  assert.equal(await kinds({ certificateNames: ['admin'] }), 'refused')
  assert.equal(await kinds({ certificateNames: ['nobody'] }), 'known')
  assert.match(authenticator.challenges(false, true).at(-1) ?? '', /^Bearer realm=/)
  assert.equal(authenticator.challenges(false).length, 2)
  issuers.length = 0
  assert.equal(await kinds({}), 'refused')
  assert.equal(authenticator.challenges(false, true).length, 2)
})

test('a certificate logs in the one user that its common name names, and does not contradict a password', () => {
  let maps = true
  const authenticator = createAuthenticator({
    accounts: accountsOf(admin, viewer),
    clock,
    journal: memoryJournal().journal,
    cnMapsToUser: () => maps,
  })
  const attempt = { method: 'POST', target: '/', remoteAddress: '192.0.2.1', authorization: undefined, token: undefined }
  const ask = (certificateNames: readonly string[], token = attempt.token) =>
    authenticator.authenticate({ ...attempt, certificateNames, token })
  assert.deepEqual(ask(['viewer']), { kind: 'known', caller: { name: 'viewer', level: 'User' } })
  for (const names of [[], ['nobody'], ['viewer', 'admin']]) assert.deepEqual(ask(names), { kind: 'anonymous' }, names.join())
  const withToken = (name: string) =>
    authenticator.authenticate({ ...attempt, certificateNames: [name], token: tokenOf(viewer, clock.now().toISOString()) })
  assert.deepEqual(withToken('viewer'), { kind: 'known', caller: { name: 'viewer', level: 'User' } })
  assert.ok(!(withToken('admin') instanceof Promise))
  assert.deepEqual(withToken('nobody'), { kind: 'known', caller: { name: 'viewer', level: 'User' } })
  const contradiction = withToken('admin')
  assert.ok('kind' in contradiction && contradiction.kind === 'refused' && contradiction.by === 'message')
  const digest = (name: string) => {
    const authorization = authorizationOf({ nonce: nonceIn(authenticator.challenges(false)[0]), uri: '/' })
    return authenticator.authenticate({ ...attempt, authorization, certificateNames: [name] })
  }
  assert.deepEqual(digest('admin'), { kind: 'known', caller: { name: 'admin', level: 'Administrator' } })
  const other = digest('viewer')
  assert.ok('kind' in other && other.kind === 'refused' && other.by === 'http')
  maps = false
  assert.deepEqual(ask(['viewer']), { kind: 'anonymous' })
})

/** Nobody has the private key of it, nor needs it: looking at the size comes first. */
const rsaOf = (bits: number) => ({ kty: 'RSA', n: Buffer.alloc(bits / 8, 0xa5).toString('base64url'), e: 'AQAB' })

test('the file of issuers is read with its keys, in PEM or as a set, and anything else says what is wrong', async () => {
  const set = {
    keys: [
      { ...(await exportJWK(ec.publicKey)), kid: 'one' },
      await exportJWK(rsa.publicKey),
      { kty: 'oct', k: 'AAAA' },
      { ...(await exportJWK(other.publicKey)), use: 'enc' },
    ],
  }
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
  const files: Readonly<Record<string, string>> = {
    set: JSON.stringify(set),
    pem: pem(rsa.publicKey),
    weak: pem(weak),
    longest: JSON.stringify({ keys: [rsaOf(limits.rsaBitsMax)] }),
    long: JSON.stringify({ keys: [rsaOf(limits.rsaBitsMax + 8)] }),
    none: '{"keys":[]}',
    text: 'hello',
  }
  const readFile = (name: string) => files[name] ?? assert.fail(`there is no ${name}`)
  const parse = (...entries: readonly unknown[]) => parseJwtIssuers(JSON.stringify(entries), readFile)
  const entry = { issuer: 'a', audiences: ['b'], keys: 'set' }
  const [first, second] = parse(entry, { ...entry, issuer: 'c', keys: 'pem' })
  assert.deepEqual(
    first?.keys.map(({ id, algorithm }) => [id, algorithm]),
    [
      ['one', 'ES256'],
      [undefined, 'RS256'],
    ],
  )
  assert.deepEqual(
    second?.keys.map(({ id, algorithm }) => [id, algorithm]),
    [[undefined, 'RS256']],
  )
  for (const [wrong, message] of [
    [[], /no list of 1 to/],
    [[entry, entry], /twice/],
    [[{ ...entry, issuer: 1 }], /no "issuer"/],
    [[{ ...entry, audiences: [] }], /"audiences" of a/],
    [[{ ...entry, audiences: ['b', 2] }], /"audiences" of a/],
    [[{ ...entry, keys: {} }], /name no file/],
    [[{ ...entry, keys: 'weak' }], /RSA of 2048 to 8192 bits/],
    [[{ ...entry, keys: 'long' }], /RSA of 2048 to 8192 bits/],
    [[{ ...entry, keys: 'none' }], /0 keys/],
    [[{ ...entry, keys: 'text' }], /keys of a: it is no JSON/],
    [['a'], /something else than an object/],
  ] as const)
    assert.throws(() => parse(...wrong), message)
  assert.equal(parse({ ...entry, keys: 'longest' })[0]?.keys.length, 1)
  assert.throws(() => parseJwtIssuers('{', readFile), /no JSON/)
})
