import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { openStore, StoreError } from '../../src/device/store.ts'
import { createUserRoles } from '../../src/device/userRoles.ts'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'

function setUp(t: TestContext, used: readonly string[] = []) {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const roles = createUserRoles({ store, isUsed: name => used.includes(name) })
  const set = (name: string, ...functions: readonly string[]) => roles.set({ name, functions }, called => called.startsWith('tds:Get'))
  return { store, roles, set }
}

const raises = (name: string) => (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === name
const nobody = () => false

test('there are the roles of ONVIF, without functions, and those that clients make', t => {
  const { roles, set } = setUp(t)
  const own = ['onvif:Administrator', 'onvif:Operator', 'onvif:User'].map(name => ({ name, functions: [] }))
  assert.deepEqual(roles.list(), own)
  set('guard', 'tds:GetUsers', 'tds:GetDNS', 'tds:GetUsers')
  set('guest')
  assert.deepEqual(roles.list(), [...own, { name: 'guard', functions: ['tds:GetUsers', 'tds:GetDNS'] }, { name: 'guest', functions: [] }])
  set('guard', 'tds:GetNTP')
  assert.deepEqual(roles.find('guard'), { name: 'guard', functions: ['tds:GetNTP'] })
  assert.equal(roles.exists('onvif:User') && roles.exists('guest'), true)
  roles.delete('guest')
  assert.equal(roles.exists('guest'), false)
})

test('a role opens its functions and nothing else, and a role of ONVIF what its level may do', t => {
  const { roles, set } = setUp(t)
  set('guard', 'tds:GetUsers')
  assert.equal(roles.permit(['guard'], 'GetUsers', nobody), true)
  assert.equal(
    roles.permit(['guard'], 'GetDNS', () => true),
    false,
  )
  assert.equal(
    roles.permit(['guard'], undefined, () => true),
    false,
  )
  assert.equal(
    roles.permit(['guest'], 'GetUsers', () => true),
    false,
    'a role that is gone',
  )
  assert.equal(roles.permit(['guest', 'guard'], 'GetUsers', nobody), true)
  assert.equal(
    roles.permit([], 'GetUsers', () => true),
    false,
  )
  for (const level of ['Administrator', 'Operator', 'User'] as const) {
    assert.equal(
      roles.permit([`onvif:${level}`], 'GetDNS', of => of === level),
      true,
    )
    assert.equal(
      roles.permit([`onvif:${level}`], 'GetDNS', of => of !== level),
      false,
    )
  }
})

test('names and functions that cannot be are refused, and nothing changed', t => {
  const { roles, set } = setUp(t, ['guard'])
  set('guard', 'tds:GetUsers')
  const before = roles.list()
  for (const name of ['', 'two words', 'a\nb', 'a\u200bb', 'e\u0301', 'x'.repeat(limits.userRoleCharactersMax + 1)])
    assert.throws(() => set(name), raises('InvalidArgVal'), JSON.stringify(name))
  for (const name of ['onvif:Administrator', 'onvif:guard', 'ONVIF:User']) {
    assert.throws(() => set(name), raises('OnvifPrefix'))
    assert.throws(() => roles.delete(name), raises('OnvifPrefix'))
  }
  assert.throws(() => set('new', 'tds:GetUsers', 'tds:Nothing'), raises('FunctionNotImplemented'))
  assert.throws(() => set('guard', 'GetUsers'), raises('FunctionNotImplemented'))
  assert.throws(() => roles.find('new'), raises('InvalidUserRole'))
  assert.throws(() => roles.delete('new'), raises('InvalidUserRole'))
  assert.throws(() => roles.delete('guard'), raises('OperationProhibited'), 'somebody has it')
  assert.deepEqual(roles.list(), before)
})

test('there are as many roles as MaxUserRoles says, and the last of them can still be changed', t => {
  const { roles, set } = setUp(t)
  for (let made = 3; made < limits.userRolesMax; made++) set(`role${made}`)
  assert.equal(roles.list().length, limits.userRolesMax)
  assert.throws(() => set('surplus'), raises('TooManyUserRoles'))
  set('role3', 'tds:GetUsers')
  assert.deepEqual(roles.find('role3').functions, ['tds:GetUsers'])
})

test('a backup brings the roles back, and none that nobody could have made', t => {
  const { store, roles, set } = setUp(t)
  set('guard', 'tds:GetUsers')
  const backup = JSON.parse(JSON.stringify(store.exportDocuments()))
  set('guard')
  store.importDocuments(backup)
  assert.deepEqual(roles.find('guard').functions, ['tds:GetUsers'])
  for (const bad of [[{ name: 'onvif:User', functions: [] }], [{ name: 'a' }], [{ name: 'a', functions: [1] }], {}, [null]])
    assert.throws(() => store.importDocuments({ userRoles: bad }), StoreError)
})
