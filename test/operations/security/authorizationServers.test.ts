import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import type { AuthorizationServerConfigurationData } from '../../../src/onvif/types.generated.ts'
import { people, testDevice } from '../../support/device.ts'
import { makeIdentity } from '../../support/identities.ts'
import { createServer, idOf, metadata, serverData, tas } from '../../support/keystoreRequests.ts'
import { createTestDevice, raises } from '../device/testDevice.ts'

const cloud: AuthorizationServerConfigurationData = {
  Type: 'OAuthClientCredentials',
  ServerUri: metadata,
  ClientID: 'camera-7',
  ClientSecret: 'Sup3r-secret-word-of-32-characters',
}
const portal = { ...cloud, Type: 'OIDC2AuthorizationCode' }

async function device(t: TestContext) {
  const made = await createTestDevice(t)
  const { perform } = made
  const list = async () => (await perform('tas:GetAuthorizationServerConfigurations', {})).Configuration ?? []
  return {
    ...made,
    list,
    one: async (Token: string) => (await perform('tas:GetAuthorizationServerConfigurations', { Token })).Configuration?.[0]?.Data,
    create: async (data: AuthorizationServerConfigurationData) =>
      (await perform('tas:CreateAuthorizationServerConfiguration', { Configuration: data })).Token,
    set: (token: string, Data: AuthorizationServerConfigurationData) =>
      perform('tas:SetAuthorizationServerConfiguration', { Configuration: { token, Data } }),
    remove: (Token: string) => perform('tas:DeleteAuthorizationServerConfiguration', { Token }),
    /** A key with its certificate, and a policy that believes in it. */
    async ownKey(options?: Parameters<typeof makeIdentity>[1]) {
      const { der, pkcs8 } = await makeIdentity('camera', options)
      const { KeyID } = await perform('tas:UploadKeyPairInPKCS8', { KeyPair: pkcs8 })
      const { CertificateID } = await perform('tas:UploadCertificate', { Certificate: der })
      const request = { Parameters: {}, TrustAnchor: [{ CertificateID }] }
      return { KeyID, CertificateID, ...(await perform('tas:CreateCertPathValidationPolicy', request)) }
    },
  }
}

const empty = { ClientAuth: undefined, Scope: undefined, KeyID: undefined, CertificateID: undefined, CertPathValidationPolicyID: undefined }
const shown = ({ ClientSecret, ...data }: AuthorizationServerConfigurationData) => ({ ...empty, ...data })

test('configurations of every type and with every method are kept with all but their secrets', async t => {
  const { create, one, list, ownKey, perform } = await device(t)
  const { KeyID, CertificateID, CertPathValidationPolicyID } = await ownKey()
  const made = new Map<string, AuthorizationServerConfigurationData>()
  for (const data of [
    cloud,
    { ...cloud, ClientAuth: 'client_secret_post', Scope: 'api://video/.default offline_access' },
    { ...cloud, ClientAuth: 'client_secret_jwt', CertPathValidationPolicyID },
    { ...cloud, ClientAuth: 'private_key_jwt', ClientSecret: undefined, KeyID },
    { ...cloud, ClientAuth: 'tls_client_auth', ClientSecret: undefined, CertificateID },
    { ...cloud, ClientAuth: 'self_signed_tls_client_auth', ClientSecret: undefined, CertificateID },
    { ...portal, ClientAuth: 'client_secret_basic', Scope: 'profile openid', ServerUri: `${metadata}?p=cameras` },
    { Type: 'OAuthAuthorizationCode', ServerUri: 'HTTPS://[2001:db8::7]:8443', ClientID: 'anybody' },
  ])
    made.set(await create(data), data)
  assert.equal(made.size, limits.authorizationServersMax)
  for (const [token, data] of made) assert.deepEqual(await one(token), shown(data))
  assert.deepEqual(
    (await list()).map(({ token }) => token),
    [...made.keys()],
  )
  const { Capabilities } = await perform('tas:GetServiceCapabilities', {})
  assert.deepEqual(Capabilities.AuthorizationServer, {
    MaxConfigurations: limits.authorizationServersMax,
    ConfigurationTypesSupported: ['OAuthAuthorizationCode', 'OAuthClientCredentials', 'OIDC2AuthorizationCode'],
    ClientAuthenticationMethodsSupported: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
  })
})

test('what is absent stays as it is', async t => {
  const { create, set, one, ownKey } = await device(t)
  const { KeyID, CertPathValidationPolicyID } = await ownKey()
  const full = { ...cloud, ClientAuth: 'private_key_jwt', Scope: 'video', KeyID, CertPathValidationPolicyID }
  const token = await create(full)
  await set(token, { Type: cloud.Type, ServerUri: cloud.ServerUri })
  assert.deepEqual(await one(token), shown(full))
  await set(token, { Type: cloud.Type, ServerUri: 'https://other.example.org/', Scope: 'audio' })
  assert.deepEqual(await one(token), shown({ ...full, ServerUri: 'https://other.example.org/', Scope: 'audio' }))
})

test('what it refers to stays in the keystore as long as it does, also by the Device service', async t => {
  const { create, set, remove, ownKey, perform } = await device(t)
  const [first, second] = [await ownKey(), await ownKey({ kind: 'RSA' })]
  const references = { ...cloud, ClientAuth: 'private_key_jwt' }
  const token = await create({ ...references, ...first })
  const inUse = raises('Sender/InvalidArgVal/ReferenceExists')
  const held = async ({ KeyID, CertificateID, CertPathValidationPolicyID }: typeof first) => {
    await assert.rejects(perform('tas:DeleteCertPathValidationPolicy', { CertPathValidationPolicyID }), inUse)
    await assert.rejects(perform('tas:DeleteCertificate', { CertificateID }), inUse)
    await assert.rejects(perform('tas:DeleteKey', { KeyID }), inUse)
    await assert.rejects(perform('DeleteCertificates', { CertificateID: [CertificateID] }), raises('Receiver/Action/ReferencedCertificate'))
  }
  const gone = async ({ KeyID, CertificateID, CertPathValidationPolicyID }: typeof first) => {
    await perform('tas:DeleteCertPathValidationPolicy', { CertPathValidationPolicyID })
    await perform('tas:DeleteCertificate', { CertificateID })
    await perform('tas:DeleteKey', { KeyID })
  }
  await held(first)
  await set(token, { ...references, ...second })
  await gone(first)
  await held(second)
  await remove(token)
  await gone(second)
})

test('a key or a certificate alone is held, and a policy that the device made for an IEEE 802.1X configuration outlives that', async t => {
  const { create, remove, ownKey, perform, keystore } = await device(t)
  const { KeyID, CertificateID, CertPathValidationPolicyID } = await ownKey()
  await perform('tas:DeleteCertPathValidationPolicy', { CertPathValidationPolicyID })
  const mutual = await create({ ...cloud, ClientAuth: 'tls_client_auth', CertificateID })
  await assert.rejects(perform('tas:DeleteCertificate', { CertificateID }), raises('Sender/InvalidArgVal/ReferenceExists'))
  await remove(mutual)
  await create({ ...cloud, ClientAuth: 'private_key_jwt', KeyID })
  await perform('DeleteCertificates', { CertificateID: [CertificateID] })
  assert.equal((await perform('tas:GetKeyStatus', { KeyID })).KeyStatus, 'ok')

  const { der } = await makeIdentity('authority', { isAuthority: true })
  await perform('LoadCACertificates', { CACertificate: [{ CertificateID: 'ca', Certificate: { Data: der } }] })
  const network = {
    Dot1XConfigurationToken: 'office',
    Identity: 'camera',
    EAPMethod: 25,
    CACertificateID: ['ca'],
    EAPMethodConfiguration: { Password: 'word' },
  }
  await perform('CreateDot1XConfiguration', { Dot1XConfiguration: network })
  const [made] = keystore.policies.list()
  assert.ok(made)
  const token = await create({ ...cloud, CertPathValidationPolicyID: made.id })
  await perform('DeleteDot1XConfiguration', { Dot1XConfigurationToken: ['office'] })
  assert.deepEqual(keystore.policies.list(), [made])
  await remove(token)
  await perform('tas:DeleteCertPathValidationPolicy', { CertPathValidationPolicyID: made.id })
})

test('what cannot be used is refused whether it is made or changed, and nothing changes', async t => {
  const { create, set, list, ownKey, perform } = await device(t)
  const { KeyID } = await ownKey()
  const foreign = await perform('tas:UploadCertificate', { Certificate: (await makeIdentity('somebody')).der })
  const token = await create(cloud)
  const before = await list()
  const { KeyID: wide } = await perform('tas:CreateECCKeyPair', { EllipticCurve: 'secp384r1' })
  while ((await perform('tas:GetKeyStatus', { KeyID: wide })).KeyStatus === 'generating') await new Promise(setImmediate)
  const generating = await perform('tas:CreateRSAKeyPair', { KeyLength: 4096 })
  const surplus = 'x'.repeat(limits.authorizationTextCharactersMax + 1)
  const byKey = { ...cloud, ClientAuth: 'private_key_jwt' }
  const byCertificate = { ...cloud, ClientAuth: 'tls_client_auth' }
  const bad: readonly AuthorizationServerConfigurationData[] = [
    // While it is being made.
    { ...byKey, KeyID: generating.KeyID },
    { ...cloud, Type: 'OAuthImplicit' },
    { ...cloud, Type: 'oauthclientcredentials' },
    { ...cloud, Type: '' },
    { ...cloud, ClientAuth: 'none' },
    { ...cloud, ClientAuth: 'constructor' },
    { ...cloud, ClientAuth: '' },
    { ...cloud, ServerUri: '' },
    { ...cloud, ServerUri: 'id.example.org' },
    { ...cloud, ServerUri: 'http://id.example.org/' },
    { ...cloud, ServerUri: 'file:///etc/passwd' },
    { ...cloud, ServerUri: 'https:/id.example.org/' },
    { ...cloud, ServerUri: 'https://me:too@id.example.org/' },
    { ...cloud, ServerUri: 'https://@id.example.org/' },
    { ...cloud, ServerUri: 'https://id.example.org\\@mallory.example.org/' },
    { ...cloud, ServerUri: 'https://id.example.org/#part' },
    { ...cloud, ServerUri: 'https://id.example.org/ space' },
    { ...cloud, ServerUri: 'https://id.example.org/\u0000' },
    { ...cloud, ServerUri: 'https://id.\u202eexample.org/' },
    { ...cloud, ServerUri: 'https://id.example.org:port/' },
    { ...cloud, ServerUri: 'https://[::1/' },
    { ...cloud, ServerUri: `https://id.example.org/${'x'.repeat(limits.uriCharactersMax)}` },
    { ...cloud, ClientID: '' },
    { ...cloud, ClientID: 'camera\n7' },
    { ...cloud, ClientID: 'камера' },
    { ...cloud, ClientID: surplus },
    { ...cloud, ClientSecret: '' },
    { ...cloud, ClientSecret: 'tab\there' },
    { ...cloud, ClientSecret: surplus },
    { ...cloud, ClientAuth: 'client_secret_jwt', ClientSecret: 'x'.repeat(limits.hmacSecretBytesMin - 1) },
    { ...cloud, Scope: '' },
    { ...cloud, Scope: 'two  spaces' },
    { ...cloud, Scope: '"quoted"' },
    { ...cloud, Scope: surplus },
    { ...portal, Scope: 'profile' },
    { ...byKey, KeyID: 'none' },
    { ...byKey, KeyID: surplus },
    { ...byKey, KeyID: wide },
    { ...byKey, KeyID: foreign.KeyID },
    { ...cloud, KeyID: 'none' },
    byKey,
    { ...byCertificate, CertificateID: 'none' },
    { ...byCertificate, ClientAuth: 'self_signed_tls_client_auth', CertificateID: foreign.CertificateID },
    { ...cloud, CertificateID: 'none' },
    { ...byCertificate, KeyID },
    { ...cloud, CertPathValidationPolicyID: 'none' },
  ]
  const invalid = raises('Sender/InvalidArgVal/InvalidConfig')
  for (const data of bad) {
    const what = JSON.stringify(data).slice(0, 300)
    await assert.rejects(create(data), invalid, what)
    await assert.rejects(set(token, data), invalid, what)
  }
  // What a present configuration would lend to a change.
  for (const data of [
    { ...cloud, ClientID: undefined },
    { ...cloud, ClientSecret: undefined },
    { ...portal, ClientSecret: undefined, ClientAuth: 'client_secret_post' },
  ])
    await assert.rejects(create(data), invalid, JSON.stringify(data))
  assert.deepEqual(await list(), before)
})

test('there is room for so many and not one more, until one is deleted', async t => {
  const { create, remove, list } = await device(t)
  const token = await create(cloud)
  for (let made = 1; made < limits.authorizationServersMax; made += 1) await create(cloud)
  const before = await list()
  await assert.rejects(create(cloud), raises('Receiver/Action/MaxAuthorizationServers'))
  assert.deepEqual(await list(), before)
  await remove(token)
  assert.notEqual(await create(cloud), token)
})

test('an unknown token is NoConfig, whatever is asked of it', async t => {
  const { create, set, one, remove } = await device(t)
  const token = await create(cloud)
  await remove(token)
  const none = raises('Sender/InvalidArgVal/NoConfig')
  for (const unknown of [token, '', 'x'.repeat(100_000)]) {
    await assert.rejects(one(unknown), none)
    await assert.rejects(set(unknown, cloud), none)
    await assert.rejects(remove(unknown), none)
  }
})

test('either factory default forgets them together with the storages that refer to them, and a backup brings both back', async t => {
  const { create, list, remove, ownKey, perform, store, keystore } = await device(t)
  const { CertPathValidationPolicyID } = await ownKey()
  const token = await create({ ...cloud, CertPathValidationPolicyID })
  const renewal = { RenewalEndpoint: 'https://cloud.example.org/7', AuthorizationServer: token }
  const storage = { type: 'NFS', StorageUri: 'nfs://nas/video', ConfigurationRenewal: renewal }
  await perform('CreateStorageConfiguration', { StorageConfiguration: storage })
  const documents = store.exportDocuments()
  const before = await list()
  const inUse = raises('Sender/InvalidArgVal/ReferenceExists')
  for (const FactoryDefault of ['Soft', 'Hard'] as const) {
    await perform('SetSystemFactoryDefault', { FactoryDefault })
    assert.deepEqual(await list(), [])
    assert.deepEqual((await perform('GetStorageConfigurations', {})).StorageConfigurations, [])
    assert.equal(keystore.keys.list().length, FactoryDefault === 'Soft' ? 1 : 0)
    if (FactoryDefault === 'Soft') await perform('tas:DeleteCertPathValidationPolicy', { CertPathValidationPolicyID })
    store.importDocuments(documents)
    assert.deepEqual(await list(), before)
    await assert.rejects(remove(token), inUse)
    await assert.rejects(perform('tas:DeleteCertPathValidationPolicy', { CertPathValidationPolicyID }), inUse)
  }
})

const readAll = tas('GetAuthorizationServerConfigurations')
const inside = (xml: string) => /<env:Body>(.*)<\/env:Body>/s.exec(xml)?.[1] ?? ''

test('no answer, support information, log or file shows a secret, and a restart forgets nothing', async t => {
  const made = await testDevice(t, { logLevel: 'debug', logFormat: 'json' })
  const token = await idOf(made, 'Token', createServer())
  const changed = tas(
    'SetAuthorizationServerConfiguration',
    `<tas:Configuration token="${token}">${serverData('Data')}</tas:Configuration>`,
  )
  assert.equal((await made.ask(changed)).fault, undefined)
  const refused = await made.ask(createServer('camera-7', 'http://id.example.org/'))
  const before = inside((await made.ask(readAll)).xml)
  assert.match(before, new RegExp(`token="${token}"`))
  await made.restart()
  assert.equal(inside((await made.ask(readAll)).xml), before)
  const support = (await made.ask('<tds:GetSystemSupportInformation/>')).xml
  assert.match(support, /authorizationServers[\s\S]*id\.example\.org/)
  const log = (await made.ask('<tds:GetSystemLog><tds:LogType>System</tds:LogType></tds:GetSystemLog>')).xml
  for (const answer of [before, refused.xml, support, log]) assert.doesNotMatch(answer, /Sup3r/)
  const files = readdirSync(made.state, { recursive: true, withFileTypes: true }).filter(file => file.isFile())
  for (const file of files) assert.ok(!readFileSync(join(file.parentPath, file.name)).includes('Sup3r'), `${file.name} shows a secret`)
})

test('an Administrator alone reads and writes them', async t => {
  const made = await testDevice(t)
  await made.createEveryLevel()
  const token = await idOf(made, 'Token', createServer())
  const requests = [
    readAll,
    createServer(),
    tas('SetAuthorizationServerConfiguration', `<tas:Configuration token="${token}">${serverData('Data')}</tas:Configuration>`),
    tas('DeleteAuthorizationServerConfiguration', `<tas:Token>${token}</tas:Token>`),
  ]
  for (const request of requests) {
    for (const login of [people.Operator, people.User, undefined])
      assert.equal((await made.ask(request, login)).fault, 'Sender/NotAuthorized', request)
    assert.equal((await made.ask(request)).status, 200)
  }
})

test('the capabilities are the same in GetServices', async t => {
  const { ask } = await testDevice(t)
  const expected = /<tas:AuthorizationServer MaxConfigurations="8" ConfigurationTypesSupported="OAuthAuthorizationCode [^"]*" Cl[^>]*>/
  const [own] = expected.exec((await ask('<tas:GetServiceCapabilities/>')).xml) ?? []
  const services = await ask('<tds:GetServices><tds:IncludeCapability>true</tds:IncludeCapability></tds:GetServices>')
  assert.ok(own && services.xml.includes(own), services.xml)
})
