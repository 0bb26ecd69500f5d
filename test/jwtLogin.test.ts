import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, request } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { createDevice } from '../src/createDevice.ts'
import { issue, lacksOpenssl, makeRoot, read } from './device/certificates/lab.ts'
import { admin, temporaryFolder } from './support/daemon.ts'
import { envelope } from './support/device.ts'
import { freePort } from './support/freePort.ts'
import { makeIdentity } from './support/identities.ts'
import { createPolicy, setJwt, tas, uploadCertificate } from './support/keystoreRequests.ts'

interface Issuer {
  readonly der: Buffer
  readonly key: KeyObject
  readonly publicKey: KeyObject
  readonly alg: 'RS256' | 'ES256'
}

/** Somebody who issues tokens; his certificate is how his public key gets into the device. */
async function makeIssuer(kind: 'RSA' | 'EC'): Promise<Issuer> {
  const { der, keys } = await makeIdentity(`issuer ${kind}`, { kind })
  return { der, key: KeyObject.from(keys.privateKey), publicKey: KeyObject.from(keys.publicKey), alg: kind === 'RSA' ? 'RS256' : 'ES256' }
}

const seconds = () => Math.floor(Date.now() / 1000)
/** A claim that is undefined is not there. */
const claims = (change: Readonly<Record<string, unknown>> = {}): JWTPayload => ({
  iss: 'https://id.example.org',
  aud: 'camera-7',
  sub: 'vms',
  nbf: seconds(),
  exp: seconds() + 300,
  roles: ['onvif:Administrator'],
  ...change,
})
const sign = ({ key, alg }: Pick<Issuer, 'key' | 'alg'>, change?: Readonly<Record<string, unknown>>, kid?: string) =>
  new SignJWT(claims(change)).setProtectedHeader({ alg, ...(kid !== undefined && { kid }) }).sign(key)

function post(url: URL, body: string, authorization: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method: 'POST', agent: false, rejectUnauthorized: false, headers: { authorization } }, response => {
      let text = ''
      response.on('data', piece => (text += String(piece)))
      response.on('end', () => resolve({ status: response.statusCode, text }))
    })
    asking.on('error', reject).end(body)
  })
}

async function startDevice(t: TestContext, jwtIssuers?: (state: string) => string) {
  const state = await temporaryFolder(t, async () => device.stop())
  const httpsPort = await freePort()
  const device = await createDevice({
    state,
    httpsPort,
    port: 0,
    tls: 'self-signed',
    bootTime: 0,
    logLevel: 'silent',
    adminPassword: admin.password,
    ...(jwtIssuers && { jwtIssuers: jwtIssuers(state) }),
  })
  const plain = await device.start()
  const secure = new URL(`https://127.0.0.1:${httpsPort}/onvif/device_service`)
  const tell = async (body: string) => {
    const response = await fetch(plain, { method: 'POST', body: envelope(body, admin) })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return text
  }
  return {
    plain,
    tell,
    idIn: async (name: string, body: string) => new RegExp(`<tas:${name}>([^<]+)<`).exec(await tell(body))?.[1] ?? assert.fail(name),
    /** The status of a request that only an Administrator may send. */
    statusFor: async (token: string) => (await post(secure, envelope('<tds:GetUsers/>'), `Bearer ${token}`)).status,
  }
}

const keyId = (id: string) => `<tas:KeyID>${id}</tas:KeyID>`
const trusted = (uri: string) => `<tas:TrustedIssuers>${uri}</tas:TrustedIssuers>`
const metadata = 'https://id.example.org/.well-known/openid-configuration'

test('tokens log in from the moment that SetJWTConfiguration names their key, and until it does not', async t => {
  const [rsa, ec, stranger] = await Promise.all([makeIssuer('RSA'), makeIssuer('EC'), makeIssuer('EC')])
  const { plain, tell, idIn, statusFor } = await startDevice(t)
  const ids = [await idIn('KeyID', uploadCertificate(rsa.der)), await idIn('KeyID', uploadCertificate(ec.der))]
  assert.equal(await statusFor(await sign(ec)), 401, 'nobody is believed at first')
  await tell(setJwt('camera-7 all-cameras', ...ids.map(keyId)))
  for (const issuer of [rsa, ec]) {
    assert.equal(await statusFor(await sign(issuer)), 200, issuer.alg)
    // Without the name of an issuer, the key is the issuer (Security 5.5.6).
    assert.equal(await statusFor(await sign(issuer, { iss: 'anybody', aud: ['x', 'all-cameras'] }, 'any name')), 200, issuer.alg)
  }
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
  const confused = `${part({ alg: 'HS256' })}.${part(claims())}`
  for (const [what, token] of [
    ['another key', await sign(stranger)],
    ['another audience', await sign(ec, { aud: 'camera-8' })],
    ['expired', await sign(ec, { exp: seconds() - 120 })],
    ['not yet', await sign(ec, { nbf: seconds() + 120 })],
    ['no end', await sign(ec, { exp: undefined })],
    ['no issuer', await sign(ec, { iss: undefined })],
    ['no algorithm', `${part({ alg: 'none' })}.${part(claims())}.`],
    ['no signature', `${part({ alg: 'ES256' })}.${part(claims())}.AAAA`],
    // RFC 8725 2.1
    ['the public key as a secret', `${confused}.${createHmac('sha256', pem).update(confused).digest('base64url')}`],
    ['roles that do not suffice', await sign(ec, { roles: ['onvif:User'] })],
  ] as const)
    assert.equal(await statusFor(token), 401, what)

  const overHttp = await fetch(plain, {
    method: 'POST',
    body: envelope('<tds:GetUsers/>'),
    headers: { authorization: `Bearer ${await sign(ec)}` },
  })
  assert.equal(overHttp.status, 401)

  await tell(
    setJwt(
      'camera-7',
      keyId(ids[1] ?? ''),
      '<tas:CustomClaims><tas:Name>site</tas:Name><tas:SupportedValues>north south</tas:SupportedValues></tas:CustomClaims>',
    ),
  )
  assert.equal(await statusFor(await sign(rsa, { site: 'north' })), 401, 'its key is not named any more')
  assert.equal(await statusFor(await sign(ec, { site: 'north' })), 200)
  assert.equal(await statusFor(await sign(ec, { site: ['east', 'south'] })), 200)
  for (const site of [undefined, 'east', null, ['east'], 'north south', {}]) assert.equal(await statusFor(await sign(ec, { site })), 401)

  await tell(setJwt('camera-7', trusted(metadata), keyId(ids[1] ?? '')))
  assert.equal(await statusFor(await sign(ec)), 200)
  assert.equal(await statusFor(await sign(ec, { iss: 'https://id.example.org/' })), 200)
  assert.equal(await statusFor(await sign(ec, { iss: 'https://other.example.org' })), 401, 'now issuers have names')

  await tell(setJwt(''))
  assert.equal(await statusFor(await sign(ec)), 401)
})

test('an issuer of the operator stays his, whatever a client sets', async t => {
  const [operators, clients] = await Promise.all([makeIssuer('EC'), makeIssuer('EC')])
  const { tell, idIn, statusFor } = await startDevice(t, state => {
    writeFileSync(join(state, 'id.pem'), operators.publicKey.export({ type: 'spki', format: 'pem' }))
    const file = join(state, 'issuers.json')
    writeFileSync(file, JSON.stringify([{ issuer: 'https://id.example.org', audiences: ['camera-7'], keys: 'id.pem' }]))
    return file
  })
  const id = keyId(await idIn('KeyID', uploadCertificate(clients.der)))
  for (const configuration of [setJwt(''), setJwt('camera-8', id), setJwt('camera-7', trusted(metadata), id)]) {
    await tell(configuration)
    assert.equal(await statusFor(await sign(operators)), 200, configuration)
    assert.equal(await statusFor(await sign(clients)), 401, configuration)
  }
  await tell(setJwt('camera-8', id))
  assert.equal(await statusFor(await sign(clients, { iss: 'somebody else', aud: 'camera-8' })), 200)
  assert.equal(await statusFor(await sign(operators, { aud: 'camera-8' })), 401, 'nor do audiences mix')
})

test('keys that an issuer publishes are fetched when a token needs them', { skip: lacksOpenssl, timeout: 30_000 }, async t => {
  const anchor = makeRoot('id')
  issue('id-server', 'id', ['extendedKeyUsage=serverAuth', 'subjectAltName=IP:127.0.0.1'])
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = createServer({ cert: read('id-server.crt'), key: read('id-server.key') }, async ({ url }, response) => {
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'one' }]
    response.end(JSON.stringify(url === '/keys' ? { keys } : { issuer: origin, jwks_uri: `${origin}/keys` }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const address = server.address()
  const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const uri = trusted(`${origin}/.well-known/openid-configuration`)
  const { tell, idIn, statusFor } = await startDevice(t)
  const token = () => sign({ key: privateKey, alg: 'ES256' }, { iss: origin }, 'one')
  await tell(setJwt('camera-7', uri))
  assert.equal(await statusFor(await token()), 401, 'nobody vouches for its CA')
  const policyId = await idIn('CertPathValidationPolicyID', createPolicy(await idIn('CertificateID', uploadCertificate(anchor))))
  await tell(setJwt('camera-7', uri, `<tas:ValidationPolicy>${policyId}</tas:ValidationPolicy>`))
  assert.equal(await statusFor(await token()), 200)
  assert.equal(await statusFor(await sign({ key: privateKey, alg: 'ES256' }, { iss: `${origin}/` }, 'one')), 401, 'that is not his name')
  assert.match(await tell(tas('GetJWTConfiguration')), new RegExp(`ValidationPolicy>${policyId}<`))
})
