import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { type AuthorizationServerRequest, createAuthorizationServers } from '../../src/device/authorizationServers.ts'
import { createBackup } from '../../src/device/backup/backup.ts'
import { createForeignKeys } from '../../src/device/backup/foreignKeys.ts'
import { createRestore } from '../../src/device/backup/restore.ts'
import { createSeal } from '../../src/device/seal.ts'
import { openStore } from '../../src/device/store.ts'
import { testClock } from '../auth/support.ts'

/** A device with nothing but authorization servers; its keystore is a list of names. */
function setUp(passphrase?: string) {
  const key = randomBytes(32)
  const store = openStore(':memory:')
  const foreignKeys = createForeignKeys({ store, key })
  const seal = createSeal(key, foreignKeys.list)
  const subject = createAuthorizationServers({
    store,
    seal,
    keys: { list: () => [{ id: 'key', algorithm: 'EC-P-256', status: 'ok', hasPrivateKey: true }] },
    certificates: { list: () => [{ id: 'certificate', hasPrivateKey: true }] },
    policies: { list: () => [{ id: 'policy' }] },
  })
  const documents = () => JSON.parse(JSON.stringify(store.exportDocuments().authorizationServers))
  /** What is kept, opened. */
  const secretOf = (token: string): string | undefined => {
    const { secret } = documents().find((one: { token: string }) => one.token === token)
    return secret && seal.open(secret, `authorizationServer:${token}`)
  }
  const clock = testClock()
  const identity = { manufacturer: 'm', model: 'm', serialNumber: '1', hardwareId: 'h', uuid: 'u' }
  const backup = createBackup({ store, key, passphrase, foreignKeys, clock, identity })
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const power = { bootTimeMs: 0, async reboot() {} }
  const restore = createRestore({ backup, store, foreignKeys, clock, power, log, interrupt: async () => {} })
  return { store, seal, subject, documents, secretOf, backup, restore }
}

const cloud = {
  type: 'OAuthClientCredentials',
  serverUri: 'https://id.example.org/.well-known/openid-configuration',
  clientId: 'camera-7',
  secret: 'Sup3r-secret-word',
} satisfies AuthorizationServerRequest
const { secret: _, ...silent } = cloud
/** Without a secret it is a client that proves nothing, so that one sees what became of it. */
const portal = { ...cloud, type: 'OAuthAuthorizationCode' }
const silentPortal = { ...silent, type: 'OAuthAuthorizationCode' }

test('a secret is kept for the server and the client that it was sent for, and for no other', () => {
  const { subject, secretOf } = setUp()
  const token = subject.create(portal)
  assert.equal(secretOf(token), cloud.secret)
  for (const seen of [subject.get(token), ...subject.list()]) assert.ok(!('secret' in seen), 'nobody sees it, not even sealed')
  subject.set(token, silentPortal)
  assert.equal(secretOf(token), cloud.secret)
  subject.set(token, { type: portal.type, serverUri: portal.serverUri, scope: 'video' })
  assert.equal(secretOf(token), cloud.secret, 'an absent ClientID is the same one')
  subject.set(token, { ...silentPortal, secret: 'another' })
  assert.equal(secretOf(token), 'another')
  for (const change of [{ serverUri: 'https://mallory.example.org/' }, { clientId: 'camera-8' }]) {
    subject.set(token, portal)
    subject.set(token, { ...silentPortal, ...change })
    assert.equal(secretOf(token), undefined)
    subject.set(token, silentPortal)
    assert.equal(secretOf(token), undefined, 'nor does it come back')
  }
})

test('where the method needs the secret, another server without one is refused, and everything stays', () => {
  const { subject, secretOf, documents } = setUp()
  const token = subject.create(cloud)
  const before = documents()
  for (const change of [{ serverUri: 'https://mallory.example.org/' }, { clientId: 'camera-8' }])
    assert.throws(() => subject.set(token, { ...silent, ...change }), /client_secret_basic needs a ClientSecret/)
  assert.deepEqual(documents(), before)
  subject.set(token, { ...cloud, serverUri: 'https://other.example.org/', secret: 'new' })
  assert.equal(secretOf(token), 'new')
})

test('the same secret is sealed in another way for every configuration, and opens in no other', () => {
  const { store, subject, documents } = setUp()
  subject.create(cloud)
  subject.create(cloud)
  const [one, other] = documents()
  assert.notEqual(one.secret, other.secret)
  assert.throws(() => store.importDocuments({ authorizationServers: [one, { ...other, secret: one.secret }] }))
})

test('what was sealed with another key, or is no authorization server, does not replace what is there', () => {
  const { store, subject, documents } = setUp()
  const token = subject.create({ ...cloud, clientAuth: 'client_secret_post' })
  const before = documents()
  const [good] = before
  const foreign = createSeal(randomBytes(32)).seal('word', `authorizationServer:${token}`)
  for (const bad of [
    { ...good, secret: foreign },
    { ...good, secret: undefined },
    { ...good, secret: 7 },
    { ...good, type: 'OAuthImplicit' },
    { ...good, clientAuth: 'toString' },
    { ...good, serverUri: 'x' },
    { ...good, token: 7 },
    null,
  ])
    assert.throws(() => store.importDocuments({ authorizationServers: [bad] }))
  for (const bad of [[good, good], Array(9).fill(good), {}, null]) assert.throws(() => store.importDocuments({ authorizationServers: bad }))
  assert.deepEqual(documents(), before)
})

test('a backup opens on another device with the same passphrase, secret and all, and that device’s own backup has it too', async () => {
  const devices = [setUp('a passphrase for tests'), setUp('a passphrase for tests'), setUp('a passphrase for tests')] as const
  const [first, second, third] = devices
  const token = first.subject.create(cloud)
  const author = { user: 'admin', remoteAddress: '127.0.0.1' }
  await second.restore.restore(await first.backup.make(), author)
  assert.equal(second.secretOf(token), cloud.secret)
  await third.restore.restore(await second.backup.make(), author)
  assert.equal(third.secretOf(token), cloud.secret)
  third.subject.set(token, { ...silent, scope: 'video' })
  assert.equal(third.secretOf(token), cloud.secret, 'sealed anew, with its own key')
  await assert.rejects(setUp('another passphrase').restore.restore(await first.backup.make(), author))
})
