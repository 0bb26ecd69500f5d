import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { type TestDevice, testDevice } from '../../support/device.ts'
import { createPolicy, createServer, idOf, newCertificate, serverData, tas } from '../../support/keystoreRequests.ts'

const data = (name: string, type: string, content: string, attributes = '') =>
  `<tds:${name} type="${type}"${attributes}>${content}</tds:${name}>`
const create = (type: string, content: string, attributes = '') =>
  `<tds:CreateStorageConfiguration>${data('StorageConfiguration', type, content, attributes)}</tds:CreateStorageConfiguration>`
const set = (token: string, type: string, content: string, attributes = '') =>
  `<tds:SetStorageConfiguration><tds:StorageConfiguration token="${token}">${data('Data', type, content, attributes)}</tds:StorageConfiguration></tds:SetStorageConfiguration>`
const uri = (text: string) => `<tds:StorageUri>${text}</tds:StorageUri>`
const path = (text: string) => `<tds:LocalPath>${text}</tds:LocalPath>`
const user = (name: string, secrets = '') => `<tds:User><tds:UserName>${name}</tds:UserName>${secrets}</tds:User>`
const renewal = (endpoint: string, server: string, rest = '') =>
  `<tds:ConfigurationRenewal><tds:RenewalEndpoint>${endpoint}</tds:RenewalEndpoint><tds:AuthorizationServer>${server}</tds:AuthorizationServer>${rest}</tds:ConfigurationRenewal>`
const password = (text: string) => `<tds:Password>${text}</tds:Password>`

async function created({ ask }: TestDevice, request: string): Promise<string> {
  const { xml, fault } = await ask(request)
  assert.equal(fault, undefined, xml)
  return /<tds:Token>([^<]+)</.exec(xml)?.[1] ?? assert.fail(xml)
}

const inside = (xml: string) => /<env:Body>(.*)<\/env:Body>/s.exec(xml)?.[1] ?? ''
const all = async ({ ask }: TestDevice) => inside((await ask('<tds:GetStorageConfigurations/>')).xml)
const one = async ({ ask }: TestDevice, token: string) =>
  /<tds:Data.*<\/tds:Data>/s.exec(
    (await ask(`<tds:GetStorageConfiguration><tds:Token>${token}</tds:Token></tds:GetStorageConfiguration>`)).xml,
  )?.[0]

test('places of every type are kept with all but their secrets, also over a restart', async t => {
  const device = await testDevice(t)
  const places: readonly (readonly [type: string, content: string, attributes?: string])[] = [
    ['NFS', path('/mnt/nas') + uri('nfs://nas.example.org/export/video')],
    ['CIFS', uri('//nas.example.org/video') + user('DOMAIN\\ada')],
    ['ObjectStorageS3', uri('https://s3.example.org/bucket') + user('AKIA7'), ' Region="eu-central-1"'],
    ['ObjectStorageAzure', uri('https://account.blob.core.windows.net/container') + user('ignored')],
  ]
  const tokens: string[] = []
  for (const [type, content, attributes] of places) {
    const secret = `${password('Sup3r-secret-word')}<tds:Token>Sup3r-secret-token</tds:Token>`
    tokens.push(await created(device, create(type, content.replace('</tds:User>', `${secret}</tds:User>`), attributes)))
  }
  assert.equal(new Set(tokens).size, places.length)
  const before = await all(device)
  for (const [index, [type, content, attributes]] of places.entries())
    assert.equal(await one(device, tokens[index] ?? ''), data('Data', type, content, attributes))
  assert.doesNotMatch(before, /Sup3r/)
  await device.restart()
  assert.equal(await all(device), before)
  assert.doesNotMatch((await device.ask('<tds:GetSystemSupportInformation/>')).xml, /Sup3r/)
  const files = readdirSync(device.state, { recursive: true, withFileTypes: true }).filter(file => file.isFile())
  for (const file of files) assert.ok(!readFileSync(join(file.parentPath, file.name)).includes('Sup3r'), `${file.name} shows a secret`)
})

test('the capabilities say how many and which types', async t => {
  const { ask } = await testDevice(t)
  assert.match(
    (await ask('<tds:GetServiceCapabilities/>')).xml,
    new RegExp(
      ` StorageConfiguration="true" MaxStorageConfigurations="${limits.storageConfigurationsMax}" StorageConfigurationRenewal="false" .* StorageTypesSupported="NFS CIFS ObjectStorageS3 ObjectStorageAzure"`,
    ),
  )
})

/** What no place can be, whether it is made or changed. */
const impossible: readonly (readonly [type: string, content: string, attributes?: string])[] = [
  ['FTP', uri('ftp://nas/video')],
  ['nfs', uri('nfs://nas/video')],
  ['NFS', uri('https://nas/video')],
  ['NFS', uri('nfs:///video')],
  ['NFS', uri('nfs://ada:word@nas/video')],
  ['CIFS', uri('smb://ada@nas/video')],
  ['ObjectStorageS3', uri('https://key:word@s3.example.org/bucket')],
  ['ObjectStorageAzure', uri('https://a.example.org/container?sv=2026&amp;sig=abc')],
  ['ObjectStorageAzure', uri('https://a.example.org')],
  ['NFS', uri('nfs://nas/video'), ' Region="eu-central-1"'],
  ['ObjectStorageS3', uri('https://s3.example.org/b'), ' Region="Central Europe"'],
  ['NFS', path('x'.repeat(limits.storageTextCharactersMax + 1))],
  ['NFS', uri(`nfs://nas/${'x'.repeat(limits.uriCharactersMax)}`)],
  ['NFS', uri('nfs://nas/video') + user('ada', password('x'.repeat(limits.storageSecretCharactersMax + 1)))],
  ['NFS', `${uri('nfs://nas/video')}<tds:CertPathValidationPolicyID>p</tds:CertPathValidationPolicyID>`],
  ['NFS', uri('nfs://nas/video') + renewal('https://h/', 'unknown')],
]

test('a place that cannot be is refused when it is made, and when another is changed into it', async t => {
  const device = await testDevice(t)
  const token = await created(device, create('CIFS', uri('smb://nas/video')))
  const before = await all(device)
  for (const [type, content, attributes] of [...impossible, ['NFS', ''], ['ObjectStorageS3', path('/mnt')]] as const) {
    assert.equal((await device.ask(create(type, content, attributes))).fault, 'Sender/InvalidArgVal', content)
    assert.equal((await device.ask(set(token, type, content, attributes))).fault, 'Sender/InvalidArgVal/ConfigModify', content)
  }
  assert.equal(await all(device), before)
})

test('an unknown token is NoConfig, whatever is asked of it', async t => {
  const device = await testDevice(t)
  for (const request of [
    '<tds:GetStorageConfiguration><tds:Token>x</tds:Token></tds:GetStorageConfiguration>',
    '<tds:DeleteStorageConfiguration><tds:Token>x</tds:Token></tds:DeleteStorageConfiguration>',
    set('x', 'NFS', uri('nfs://nas/video')),
  ])
    assert.equal((await device.ask(request)).fault, 'Sender/InvalidArgVal/NoConfig')
})

test('there is room for so many and not one more, until one is deleted', async t => {
  const device = await testDevice(t)
  const request = create('NFS', uri('nfs://nas/video'))
  const token = await created(device, request)
  for (let count = 1; count < limits.storageConfigurationsMax; count += 1) await created(device, request)
  const before = await all(device)
  assert.equal((await device.ask(request)).fault, 'Receiver/OperationProhibited/MaxStorageConfigurations')
  assert.equal(await all(device), before)
  const remove = `<tds:DeleteStorageConfiguration><tds:Token>${token}</tds:Token></tds:DeleteStorageConfiguration>`
  assert.equal((await device.ask(remove)).fault, undefined)
  await created(device, request)
  await device.restart()
  assert.equal((await device.ask(remove)).fault, 'Sender/InvalidArgVal/NoConfig')
})

test('what is absent stays as long as the type does', async t => {
  const device = await testDevice(t)
  const token = await created(device, create('CIFS', path('/mnt/a') + uri('smb://nas/video') + user('ada', password('word'))))
  assert.equal((await device.ask(set(token, 'CIFS', path('/mnt/b')))).fault, undefined)
  assert.equal(await one(device, token), data('Data', 'CIFS', path('/mnt/b') + uri('smb://nas/video') + user('ada')))
  assert.equal((await device.ask(set(token, 'NFS', uri('nfs://nas/video')))).fault, undefined)
  assert.equal(await one(device, token), data('Data', 'NFS', uri('nfs://nas/video')))
  await device.restart()
  assert.equal(await one(device, token), data('Data', 'NFS', uri('nfs://nas/video')))
})

const endpoint = 'https://cloud.example.org/storages/7'
const serverOf = (device: TestDevice) => idOf(device, 'Token', createServer())
const deleteServer = (token: string) => tas('DeleteAuthorizationServerConfiguration', `<tas:Token>${token}</tas:Token>`)
const deleteStorage = (token: string) => `<tds:DeleteStorageConfiguration><tds:Token>${token}</tds:Token></tds:DeleteStorageConfiguration>`
const policyIn = (id: string) => `<tds:CertPathValidationPolicyID>${id}</tds:CertPathValidationPolicyID>`
const deletePolicy = (id: string) =>
  tas('DeleteCertPathValidationPolicy', `<tas:CertPathValidationPolicyID>${id}</tas:CertPathValidationPolicyID>`)
const newPolicy = async (device: TestDevice) => idOf(device, 'CertPathValidationPolicyID', createPolicy(await newCertificate(device)))
const told = '<tds:Error>this device keeps the renewal, and does not perform it</tds:Error>'

test('a renewal is kept over a restart, says that nobody performs it, and holds what it refers to until the storage is gone', async t => {
  const device = await testDevice(t)
  const [server, policy, other] = [await serverOf(device), await newPolicy(device), await newPolicy(device)]
  const content = uri('https://s3.example.org/bucket') + policyIn(other)
  const sent = renewal(endpoint, server, `${policyIn(policy)}<tds:Error>by a client</tds:Error>`)
  const token = await created(device, create('ObjectStorageS3', content + sent))
  const expected = data('Data', 'ObjectStorageS3', content + renewal(endpoint, server, policyIn(policy) + told))
  assert.equal(await one(device, token), expected)
  await device.restart()
  assert.equal(await one(device, token), expected)
  const inUse = 'Sender/InvalidArgVal/ReferenceExists'
  for (const request of [deleteServer(server), deletePolicy(policy), deletePolicy(other)])
    assert.equal((await device.ask(request)).fault, inUse, request)
  const otherType = serverData('Data').replace('OAuthClientCredentials', 'OAuthAuthorizationCode')
  const changed = tas('SetAuthorizationServerConfiguration', `<tas:Configuration token="${server}">${otherType}</tas:Configuration>`)
  assert.equal((await device.ask(changed)).fault, 'Sender/InvalidArgVal/InvalidConfig')
  const second = await serverOf(device)
  assert.equal((await device.ask(set(token, 'ObjectStorageS3', renewal(endpoint, second)))).fault, undefined)
  assert.equal((await device.ask(deleteServer(server))).fault, undefined)
  assert.equal((await device.ask(deleteServer(second))).fault, inUse)
  assert.equal((await device.ask(deleteStorage(token))).fault, undefined)
  for (const request of [deleteServer(second), deletePolicy(policy), deletePolicy(other)])
    assert.equal((await device.ask(request)).fault, undefined, request)
})

test('a renewal from an address that shows a secret, or with a server that is for persons, is refused', async t => {
  const device = await testDevice(t)
  const server = await serverOf(device)
  const forPersons = await idOf(device, 'Token', createServer().replace('OAuthClientCredentials', 'OIDC2AuthorizationCode'))
  const token = await created(device, create('NFS', uri('nfs://nas/video')))
  const before = await all(device)
  for (const bad of [
    renewal('http://cloud.example.org/', server),
    renewal('https://ada:word@cloud.example.org/', server),
    renewal('https://@cloud.example.org/', server),
    renewal(`${endpoint}?code=secret`, server),
    renewal(`${endpoint}#part`, server),
    renewal('https:///', server),
    renewal('https://cloud.example.org:99999/', server),
    renewal('https://cloud.ex\u202eample.org/', server),
    renewal(`https://cloud.example.org/${'x'.repeat(limits.uriCharactersMax)}`, server),
    renewal(endpoint, forPersons),
    renewal(endpoint, server, policyIn('unknown')),
  ]) {
    const content = uri('nfs://nas/video') + bad
    assert.equal((await device.ask(create('NFS', content))).fault, 'Sender/InvalidArgVal', bad.slice(0, 200))
    assert.equal((await device.ask(set(token, 'NFS', content))).fault, 'Sender/InvalidArgVal/ConfigModify', bad.slice(0, 200))
  }
  assert.equal(await all(device), before)
})
