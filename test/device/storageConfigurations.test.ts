import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSeal } from '../../src/device/seal.ts'
import { createStorageConfigurations, type StorageRequest } from '../../src/device/storageConfigurations.ts'
import { openStore } from '../../src/device/store.ts'

const seal = createSeal(randomBytes(32))

/** What is kept of a log-in, opened. */
function setUp() {
  const store = openStore(':memory:')
  const known = {
    policies: { list: () => [{ id: 'policy' }] },
    authorizationServers: { isForDevices: (token: string) => token === 'server' },
  }
  const subject = createStorageConfigurations({ store, seal, ...known })
  const secrets = (token: string) => {
    const stored = JSON.parse(JSON.stringify(store.exportDocuments().storageConfigurations))
    const user = stored.find((one: { token: string }) => one.token === token)?.user
    const open = (text: string | undefined) => text && seal.open(text, `storage:${token}`)
    return user && [user.name, open(user.password), open(user.token)]
  }
  return { store, subject, secrets }
}

const place = { type: 'NFS', uri: 'nfs://nas/video' } satisfies StorageRequest
const ada = { name: 'ada', password: 'word', token: 'jwt' }
const silent = { name: 'ada', password: undefined, token: undefined }

test('secrets are kept for the address and the user that they were sent with, and for no other', () => {
  const { subject, secrets } = setUp()
  const token = subject.create({ ...place, user: ada })
  assert.deepEqual(secrets(token), ['ada', 'word', 'jwt'])
  subject.set(token, { ...place, localPath: '/mnt' })
  assert.deepEqual(secrets(token), ['ada', 'word', 'jwt'])
  subject.set(token, { ...place, user: silent })
  assert.deepEqual(secrets(token), ['ada', 'word', 'jwt'])
  subject.set(token, { ...place, user: { ...silent, password: 'other' } })
  assert.deepEqual(secrets(token), ['ada', 'other', undefined])

  subject.set(token, { ...place, user: { ...silent, name: 'bob' } })
  assert.deepEqual(secrets(token), ['bob', undefined, undefined])
  for (const user of [silent, undefined]) {
    subject.set(token, { ...place, user: ada })
    subject.set(token, { ...place, uri: 'nfs://mallory/video', user })
    assert.deepEqual(secrets(token), user && ['ada', undefined, undefined])
  }
})

test('what was sealed with another key, or is no storage configuration, does not replace what is there', () => {
  const { store, subject } = setUp()
  const token = subject.create({ ...place, user: ada })
  const [good] = JSON.parse(JSON.stringify(store.exportDocuments().storageConfigurations))
  const foreign = createSeal(randomBytes(32)).seal('word', `storage:${token}`)
  for (const bad of [
    { ...good, user: { ...good.user, password: foreign } },
    { ...good, uri: 'x' },
    { ...good, token: 7 },
    { ...good, renewal: { endpoint: 'https://cloud.example.org/renew' } },
    { ...good, renewal: { endpoint: 'http://cloud.example.org/renew', authorizationServer: 'server' } },
    null,
  ])
    assert.throws(() => store.importDocuments({ storageConfigurations: [bad] }))
  assert.throws(() => store.importDocuments({ storageConfigurations: [good, good] }))
  const nothing = { region: undefined, localPath: undefined, policyId: undefined, renewal: undefined }
  assert.deepEqual(subject.list(), [{ ...nothing, token, type: 'NFS', uri: 'nfs://nas/video', userName: 'ada' }])
})

test('a renewal stays with its policy until another is sent, and what it refers to is told', () => {
  const { subject } = setUp()
  const renewal = { endpoint: 'https://cloud.example.org/renew', authorizationServer: 'server', policyId: 'policy' }
  const token = subject.create({ ...place, policyId: 'policy', renewal })
  subject.set(token, place)
  assert.deepEqual([subject.get(token).policyId, subject.get(token).renewal], ['policy', renewal])
  const other = { endpoint: 'https://cloud.example.org/other', authorizationServer: 'server' }
  subject.set(token, { ...place, renewal: other })
  assert.deepEqual(subject.get(token).renewal, { ...other, policyId: 'policy' })
  assert.deepEqual([subject.references(), subject.authorizationServers()], [{ policies: ['policy', 'policy'] }, ['server']])
  subject.set(token, { type: 'CIFS', uri: 'smb://nas/video' })
  assert.deepEqual([subject.references(), subject.authorizationServers()], [{ policies: [] }, []])
})
