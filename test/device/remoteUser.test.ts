import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { createRemoteUser } from '../../src/device/remoteUser.ts'
import { createSeal } from '../../src/device/seal.ts'
import { openStore, StoreError } from '../../src/device/store.ts'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'

const key = randomBytes(32)

function setUp(t: TestContext, seal = createSeal(key)) {
  const store = openStore(':memory:')
  t.after(() => store.close())
  return { store, remoteUser: createRemoteUser({ store, seal }) }
}

const somebody = { name: 'recorder', password: 'Spoken-on-the-wire-1', useDerivedPassword: true }

test('there is none, then the one that was set, then none again', t => {
  const { remoteUser } = setUp(t)
  assert.deepEqual([remoteUser.get(), remoteUser.password()], [undefined, undefined])
  remoteUser.set(somebody)
  assert.deepEqual(remoteUser.get(), { name: 'recorder', useDerivedPassword: true })
  assert.equal(remoteUser.password(), somebody.password, 'the original one, whatever is derived from it')
  remoteUser.remove()
  assert.deepEqual([remoteUser.get(), remoteUser.password()], [undefined, undefined])
})

test('without a password the same user keeps his, and another one has none', t => {
  const { remoteUser } = setUp(t)
  remoteUser.set(somebody)
  remoteUser.set({ name: 'recorder', password: undefined, useDerivedPassword: false })
  assert.deepEqual([remoteUser.get()?.useDerivedPassword, remoteUser.password()], [false, somebody.password])
  remoteUser.set({ name: 'other', password: undefined, useDerivedPassword: false })
  assert.equal(remoteUser.password(), undefined)
})

test('the password is nowhere to be read', t => {
  const { store, remoteUser } = setUp(t)
  remoteUser.set(somebody)
  for (const thing of [store.exportDocuments(), remoteUser.get()])
    assert.ok(!inspect(thing, { depth: 10 }).includes(somebody.password) && !JSON.stringify(thing).includes(somebody.password))
})

test('what no device could take is refused, and nothing changed', t => {
  const { remoteUser } = setUp(t)
  remoteUser.set(somebody)
  const long = 'x'.repeat(limits.remoteUserCharactersMax + 1)
  for (const bad of [{ name: '' }, { name: long }, { name: 'a\nb' }, { password: '' }, { password: long }, { password: 'a\0' }])
    assert.throws(
      () => remoteUser.set({ ...somebody, ...bad }),
      (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === 'InvalidArgVal',
    )
  assert.deepEqual([remoteUser.get()?.name, remoteUser.password()], ['recorder', somebody.password])
})

test('a backup brings him back, unless another device sealed the password', t => {
  const { store, remoteUser } = setUp(t)
  remoteUser.set(somebody)
  const backup = JSON.parse(JSON.stringify(store.exportDocuments()))
  remoteUser.remove()
  store.importDocuments(backup)
  assert.equal(remoteUser.password(), somebody.password)
  const foreign = setUp(t, createSeal(randomBytes(32)))
  foreign.remoteUser.set(somebody)
  assert.throws(() => store.importDocuments(foreign.store.exportDocuments()), StoreError)
})
