import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, type X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { exportJWK, SignJWT } from 'jose'
import { Cam, type DeviceInformation } from 'onvif'
import { connect } from '../src/client/onvifClient.ts'
import { createDevice, type DeviceOptions } from '../src/createDevice.ts'
import { at, clientExtensions, issue, lacksOpenssl, makeKey, makeRoot, read } from './device/certificates/lab.ts'
import { admin, buildImage, curlUpload, eventually, run, temporaryFolder } from './support/daemon.ts'
import { envelope } from './support/device.ts'
import { freePort } from './support/freePort.ts'

const skip = lacksOpenssl

/** A device that has started; `ask` goes over HTTPS, logged in by WS-UsernameToken unless told otherwise. */
async function startDevice(t: TestContext, options: DeviceOptions = {}) {
  let device: Awaited<ReturnType<typeof createDevice>> | undefined
  const state = await temporaryFolder(t, async () => device?.stop())
  const httpsPort = await freePort()
  const make = async () => {
    device = await createDevice({
      state,
      port: 0,
      httpsPort,
      tls: 'self-signed',
      bootTime: 0,
      logLevel: 'silent',
      adminPassword: admin.password,
      ...options,
    })
    return device.start()
  }
  const url = await make()
  return {
    url,
    state,
    httpsPort,
    secure: `https://127.0.0.1:${httpsPort}/onvif/device_service`,
    async restart(): Promise<string> {
      await device?.stop()
      return make()
    },
    ask: (body: string, { headers = {}, login = admin, ...tls }: Asking = {}) =>
      post(httpsPort, envelope(body, login === 'nobody' ? undefined : login), headers, tls),
  }
}

interface Asking {
  readonly login?: typeof admin | 'nobody'
  readonly headers?: Record<string, string>
  readonly cert?: Buffer
  readonly key?: Buffer
}

interface Heard {
  readonly status: number | undefined
  readonly headers: Record<string, readonly string[] | undefined>
  readonly text: string
}

function post(port: number, body: string, headers: Record<string, string>, tls: Pick<Asking, 'cert' | 'key'>): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const options = {
      port,
      host: '127.0.0.1',
      path: '/onvif/device_service',
      method: 'POST',
      agent: false,
      rejectUnauthorized: false,
      headers,
      ...tls,
    }
    const asking = request(options, response => {
      let text = ''
      response.on('data', piece => (text += String(piece)))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headersDistinct, text }))
    })
    asking.on('error', reject).end(body)
  })
}

const certificateOf = (port: number) =>
  new Promise<X509Certificate>((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate()
      socket.destroy()
      if (certificate) resolve(certificate)
      else reject(new Error('no certificate'))
    })
    socket.on('error', reject)
  })

test('self-signed: HTTPS works from the first minute, by the names and addresses of the host, and the certificate stays', async t => {
  const device = await startDevice(t)
  const certificate = await certificateOf(device.httpsPort)
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  // Verified for the address that is asked: the client of this project, as anybody would use it.
  const client = connect(device.secure, { user: admin.name, password: admin.password, ca: certificate.toString() })
  t.after(() => client.close())
  const { Service } = await client.call('GetServices', { IncludeCapability: false })
  assert.equal(Service[0]?.XAddr, device.secure)
  assert.equal((await client.call('GetDeviceInformation', {})).Manufacturer, 'onvifd')
  await device.restart()
  assert.equal((await certificateOf(device.httpsPort)).fingerprint256, certificate.fingerprint256)
})

test('curl --digest uploads firmware over https, and the device comes back with it', { timeout: 60_000 }, async t => {
  const device = await startDevice(t)
  const ca = join(device.state, 'https.pem')
  writeFileSync(ca, (await certificateOf(device.httpsPort)).toString())
  const client = connect(device.secure, { user: admin.name, password: admin.password, insecure: true })
  t.after(() => client.close())
  const { UploadUri } = await client.call('StartFirmwareUpgrade', {})
  assert.match(UploadUri, new RegExp(`^https://127.0.0.1:${device.httpsPort}/onvif/upload/`))
  const image = await buildImage(t, device.state, '1.1.0')
  const { body } = await curlUpload(UploadUri, image, ['--cacert', ca])
  assert.match(body, /^ok /)
  await eventually(async () => {
    assert.equal((await client.call('GetDeviceInformation', {})).FirmwareVersion, '1.1.0')
  })
})

test('npm onvif connects by https', async t => {
  const device = await startDevice(t)
  const cam = new Cam({
    hostname: '127.0.0.1',
    port: device.httpsPort,
    username: admin.name,
    password: admin.password,
    autoconnect: false,
    useSecure: true,
    secureOpts: { ca: (await certificateOf(device.httpsPort)).toString() },
  })
  await new Promise<void>((resolve, reject) => cam.connect((error: Error | null | false) => (error ? reject(error) : resolve())))
  const information = await new Promise<DeviceInformation | undefined>((resolve, reject) =>
    cam.getDeviceInformation((error, value) => (error ? reject(error) : resolve(value))),
  )
  assert.equal(information?.manufacturer, 'onvifd')
})

test('without HTTP the device asks itself over HTTPS, also where clients need certificates, and confirms its firmware', {
  skip,
  timeout: 60_000,
}, async t => {
  const device = await startDevice(t)
  makeRoot('visitors')
  issue('vera', 'visitors', clientExtensions)
  await trust(device, 'visitors')
  const vera = { cert: read('vera.crt'), key: read('vera.key') }
  const client = connect(device.url, { user: admin.name, password: admin.password })
  t.after(() => client.close())
  const { UploadUri } = await client.call('StartFirmwareUpgrade', {})
  const required =
    '<tas:SetClientAuthenticationRequired><tas:clientAuthenticationRequired>true</tas:clientAuthenticationRequired></tas:SetClientAuthenticationRequired>'
  assert.equal((await device.ask(required)).status, 200)
  const off = `<tds:SetNetworkProtocols><tds:NetworkProtocols><tt:Name>HTTP</tt:Name><tt:Enabled>false</tt:Enabled><tt:Port>8080</tt:Port></tds:NetworkProtocols></tds:SetNetworkProtocols>`
  const image = await buildImage(t, device.state, '1.1.0')
  await assert.rejects(device.ask('<tds:GetDeviceInformation/>'))
  assert.equal((await device.ask(off, vera)).status, 200)
  const url = new URL(UploadUri)
  const tls = ['--insecure', '--cert', at('vera.crt'), '--key', at('vera.key')]
  const { body } = await curlUpload(`https://127.0.0.1:${device.httpsPort}${url.pathname}`, image, tls)
  assert.match(body, /^ok /)
  await eventually(async () => {
    assert.match((await device.ask('<tds:GetDeviceInformation/>', vera)).text, /FirmwareVersion>1\.1\.0</)
  })
  // An image that is on trial has three boots.
  for (let boot = 0; boot < 4; boot++) assert.equal(new URL(await device.restart()).protocol, 'https:')
  assert.match((await device.ask('<tds:GetDeviceInformation/>', vera)).text, /FirmwareVersion>1\.1\.0</)
})

/** Through the operations: this root is believed. */
async function trust(device: Awaited<ReturnType<typeof startDevice>>, root: string): Promise<void> {
  const certificate = read(`${root}.der`).toString('base64')
  const tell = async (body: string) => {
    const { status, text } = await device.ask(body)
    assert.equal(status, 200, text)
    return text
  }
  const uploaded = await tell(
    `<tas:UploadCertificate><tas:Certificate>${certificate}</tas:Certificate><tas:Alias>${root}</tas:Alias><tas:PrivateKeyRequired>false</tas:PrivateKeyRequired></tas:UploadCertificate>`,
  )
  const id = /CertificateID>([^<]+)</.exec(uploaded)?.[1]
  const made = await tell(
    `<tas:CreateCertPathValidationPolicy><tas:Alias>${root}</tas:Alias><tas:Parameters/><tas:TrustAnchor><tas:CertificateID>${id}</tas:CertificateID></tas:TrustAnchor></tas:CreateCertPathValidationPolicy>`,
  )
  const policy = /CertPathValidationPolicyID>([^<]+)</.exec(made)?.[1]
  await tell(
    `<tas:AddCertPathValidationPolicyAssignment><tas:CertPathValidationPolicyID>${policy}</tas:CertPathValidationPolicyID></tas:AddCertPathValidationPolicyAssignment>`,
  )
}

test('keystore: HTTPS is switched on when a path is assigned, moves, and shows the replacement', { timeout: 30_000 }, async t => {
  const device = await startDevice(t, { tls: 'keystore' })
  const tell = async (body: string): Promise<string> => (await fetch(device.url, { method: 'POST', body: envelope(body, admin) })).text()
  const idIn = (text: string, name: string) => new RegExp(`${name}>([^<]+)<`).exec(text)?.[1] ?? assert.fail(text)
  const https = (enabled: boolean, port: number) =>
    tell(
      `<tds:SetNetworkProtocols><tds:NetworkProtocols><tt:Name>HTTPS</tt:Name><tt:Enabled>${enabled}</tt:Enabled><tt:Port>${port}</tt:Port></tds:NetworkProtocols></tds:SetNetworkProtocols>`,
    )
  const newPath = async (name: string) => {
    const key = idIn(await tell('<tas:CreateECCKeyPair><tas:EllipticCurve>secp256r1</tas:EllipticCurve></tas:CreateECCKeyPair>'), 'KeyID')
    await eventually(async () => assert.match(await tell(`<tas:GetKeyStatus><tas:KeyID>${key}</tas:KeyID></tas:GetKeyStatus>`), />ok</))
    const certificate = idIn(
      await tell(
        `<tas:CreateSelfSignedCertificate><tas:Subject><tas:CommonName>${name}</tas:CommonName></tas:Subject><tas:KeyID>${key}</tas:KeyID><tas:SignatureAlgorithm><tas:algorithm>1.2.840.10045.4.3.2</tas:algorithm></tas:SignatureAlgorithm></tas:CreateSelfSignedCertificate>`,
      ),
      'CertificateID',
    )
    return idIn(
      await tell(
        `<tas:CreateCertificationPath><tas:CertificateIDs><tas:CertificateID>${certificate}</tas:CertificateID></tas:CertificateIDs></tas:CreateCertificationPath>`,
      ),
      'CertificationPathID',
    )
  }
  const [first, second] = [await freePort(), await freePort()]
  assert.match(await https(true, first), /EnablingTlsFailed/)
  await assert.rejects(certificateOf(first))
  const path = await newPath('one')
  const assigned = await tell(
    `<tas:AddServerCertificateAssignment><tas:CertificationPathID>${path}</tas:CertificationPathID></tas:AddServerCertificateAssignment>`,
  )
  assert.match(assigned, /AddServerCertificateAssignmentResponse/)
  assert.match(await https(true, first), /SetNetworkProtocolsResponse/)
  assert.equal((await certificateOf(first)).subject, 'CN=one')
  assert.match(await https(true, second), /SetNetworkProtocolsResponse/)
  assert.equal((await certificateOf(second)).subject, 'CN=one')
  await eventually(() => assert.rejects(certificateOf(first)))
  const remove = `<tas:RemoveServerCertificateAssignment><tas:CertificationPathID>${path}</tas:CertificationPathID></tas:RemoveServerCertificateAssignment>`
  assert.match(await tell(remove), /ReferenceExists/)
  const replacement = await newPath('two')
  await tell(
    `<tas:ReplaceServerCertificateAssignment><tas:OldCertificationPathID>${path}</tas:OldCertificationPathID><tas:NewCertificationPathID>${replacement}</tas:NewCertificationPathID></tas:ReplaceServerCertificateAssignment>`,
  )
  assert.equal((await certificateOf(second)).subject, 'CN=two')
  await device.restart()
  assert.equal((await certificateOf(second)).subject, 'CN=two')
})

test('CnMapsToUser: whoever proves to have the key of a certificate for a user is that user', { skip, timeout: 30_000 }, async t => {
  const device = await startDevice(t)
  makeRoot('people')
  issue('admin', 'people', clientExtensions)
  issue('nobody', 'people', clientExtensions)
  await trust(device, 'people')
  const shown = (name: string) => ({ cert: read(`${name}.crt`), key: read(`${name}.key`) })
  const users = '<tds:GetUsers/>'
  assert.equal((await device.ask(users, { login: 'nobody', ...shown('admin') })).status, 401, 'not before it is enabled')
  const maps = '<tas:SetCnMapsToUser><tas:cnMapsToUser>true</tas:cnMapsToUser></tas:SetCnMapsToUser>'
  assert.equal((await device.ask(maps)).status, 200)
  assert.equal((await device.ask(users, { login: 'nobody', ...shown('admin') })).status, 200)
  assert.equal((await device.ask(users, { login: 'nobody', ...shown('nobody') })).status, 401, 'there is no such user')
  assert.equal((await device.ask(users, { ...shown('nobody') })).status, 200, 'who may still log in')
  const olga = { name: 'olga', password: 'Nightshift-42' }
  const create = `<tds:CreateUsers><tds:User><tt:Username>olga</tt:Username><tt:Password>${olga.password}</tt:Password><tt:UserLevel>Operator</tt:UserLevel></tds:User></tds:CreateUsers>`
  assert.equal((await device.ask(create)).status, 200)
  const both = await device.ask('<tds:GetScopes/>', { login: olga, ...shown('admin') })
  assert.equal(both.status, 400, 'two users at once')
  assert.match(both.text, /NotAuthorized/)
})

test('--require-tls: over HTTP there is what is for everybody, a fault without a challenge, and a way to files', async t => {
  const device = await startDevice(t, { requireTls: true })
  const plain = async (path: string, body?: string) => {
    const answer = await fetch(new URL(path, device.url), { redirect: 'manual', ...(body !== undefined && { method: 'POST', body }) })
    return {
      status: answer.status,
      location: answer.headers.get('location'),
      challenge: answer.headers.get('www-authenticate'),
      text: await answer.text(),
    }
  }
  assert.equal((await plain('/onvif/device_service', envelope('<tds:GetSystemDateAndTime/>'))).status, 200)
  for (const body of [envelope('<tds:GetDeviceInformation/>', admin), envelope('<tds:GetDeviceInformation/>'), '']) {
    const refused = await plain('/onvif/device_service', body)
    assert.equal(refused.status, 400)
    assert.equal(refused.challenge, null)
  }
  assert.match((await plain('/onvif/device_service', envelope('<tds:GetUsers/>', admin))).text, /NotAuthorized.*over HTTPS only/)
  for (const [path, body] of [
    ['/onvif/download/backup', undefined],
    ['/onvif/upload/ticket?x=1', 'image'],
  ] as const) {
    const { status, location, challenge } = await plain(path, body)
    assert.deepEqual([status, location, challenge], [308, `https://127.0.0.1:${device.httpsPort}${path}`, null])
  }
  assert.equal((await plain('/onvif/wsdl/device.wsdl')).status, 200)
  assert.equal((await device.ask('<tds:GetDeviceInformation/>')).status, 200)
  const off =
    '<tds:SetNetworkProtocols><tds:NetworkProtocols><tt:Name>HTTPS</tt:Name><tt:Enabled>false</tt:Enabled><tt:Port>1</tt:Port></tds:NetworkProtocols></tds:SetNetworkProtocols>'
  assert.match((await device.ask(off)).text, /OperationProhibited/)
  await assert.rejects(createDevice({ state: device.state, requireTls: true, tls: 'keystore' }), /--require-tls needs --tls self-signed/)
})

test('a bearer token of a known issuer logs in over HTTPS, as its roles say, and not over HTTP', { skip, timeout: 30_000 }, async t => {
  makeKey('issuer')
  const key = createPrivateKey(read('issuer.key'))
  const jwk = { ...(await exportJWK(createPublicKey(key))), kid: 'one', use: 'sig' }
  writeFileSync(at('issuer.jwks.json'), JSON.stringify({ keys: [jwk] }))
  const issuers = [{ issuer: 'https://id.example.org', audiences: ['camera-7'], keys: 'issuer.jwks.json' }]
  writeFileSync(at('issuers.json'), JSON.stringify(issuers))
  const device = await startDevice(t, { jwtIssuers: at('issuers.json') })
  const bearer = async (...roles: readonly string[]) => {
    const token = await new SignJWT({ roles })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer('https://id.example.org')
      .setAudience('camera-7')
      .setSubject('vms')
      .setNotBefore('0s')
      .setExpirationTime('5m')
      .sign(key)
    return { authorization: `Bearer ${token}` }
  }
  const ask = async (operation: string, headers: Record<string, string>) => device.ask(`<tds:${operation}/>`, { login: 'nobody', headers })
  assert.equal((await ask('GetUsers', await bearer('onvif:Administrator'))).status, 200)
  assert.equal((await ask('GetScopes', await bearer('onvif:User'))).status, 200)
  const refused = await ask('GetUsers', await bearer('onvif:User'))
  assert.equal(refused.status, 401)
  assert.deepEqual(
    refused.headers['www-authenticate']?.map(line => line.split(' ')[0]),
    ['Digest', 'Digest', 'Bearer'],
  )
  const headers = await bearer('onvif:Administrator')
  const download = await run('curl', [
    '-sk',
    '-H',
    `Authorization: ${headers.authorization}`,
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    `https://127.0.0.1:${device.httpsPort}/onvif/download/system.log`,
  ])
  assert.equal(download.stdout, '200')
  const plain = await fetch(device.url, { method: 'POST', headers, body: envelope('<tds:GetUsers/>') })
  assert.equal(plain.status, 401)
  assert.doesNotMatch(plain.headers.get('www-authenticate') ?? '', /Bearer/)
})
