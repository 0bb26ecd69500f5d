import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { array, assert as assertProperty, constantFrom, oneof, option, property, record } from 'fast-check'
import { createSeal } from '../../src/device/seal.ts'
import { openStore, StoreError } from '../../src/device/store.ts'
import { createUsers, type UserRequest, type Users } from '../../src/device/users.ts'
import { limits } from '../../src/limits.ts'
import { type FaultName, SoapFault } from '../../src/onvif/faults.ts'

const key = randomBytes(32)
const seal = createSeal(key)
const admin: UserRequest = { name: 'admin', password: 'Correct-horse-7', level: 'Administrator' }
const operator: UserRequest = { name: 'olga', password: 'Battery-staple-8', level: 'Operator' }

function usersWith(t: TestContext, ...requests: readonly UserRequest[]): Users {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const users = createUsers({ store, seal, weaknessOf, roleExists: role => role === 'guard' })
  users.reset(admin.name, admin.password ?? '')
  users.create(requests)
  return users
}

const weaknessOf = (_: string, password: string) => (password === 'forbidden' ? 'the policy forbids it' : undefined)

/** What of it a client would see. */
const snapshot = (users: Users) => users.list().map(({ name, level }) => ({ name, level, password: users.find(name)?.password }))

test('on first start there is nobody, and then one Administrator', t => {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const users = createUsers({ store, seal })
  assert.equal(users.isEmpty(), true)
  assert.equal(users.find('admin'), undefined)
  users.reset('admin', 'Correct-horse-7')
  assert.equal(users.isEmpty(), false)
  assert.deepEqual(snapshot(users), [admin])
})

test('users are created, changed and deleted, and that holds at once', t => {
  const users = usersWith(t, operator)
  assert.deepEqual(users.list(), [
    { name: 'admin', level: 'Administrator' },
    { name: 'olga', level: 'Operator' },
  ])
  users.set([{ name: 'olga', password: 'Another-one-9', level: 'User' }])
  assert.equal(users.find('olga')?.password, 'Another-one-9')
  assert.equal(users.find('olga')?.level, 'User')
  users.delete(['olga'])
  assert.equal(users.find('olga'), undefined)
  assert.deepEqual(snapshot(users), [admin])
})

test('everything comes back after a restart', t => {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-users-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'device.db')
  const first = openStore(path)
  const users = createUsers({ store: first, seal })
  users.reset(admin.name, admin.password ?? '')
  users.create([operator, { name: 'Jürgen 😀', password: 'Grüße aus Köln', level: 'User' }])
  const before = snapshot(users)
  first.close()
  const second = openStore(path)
  t.after(() => second.close())
  assert.deepEqual(snapshot(createUsers({ store: second, seal })), before)
})

test('passwords are neither in the file nor in anything that a log could print', t => {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-users-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const store = openStore(join(folder, 'device.db'))
  const users = createUsers({ store, seal })
  users.reset(admin.name, admin.password ?? '')
  users.create([operator])
  const files = readdirSync(folder)
  assert.ok(files.length > 1, 'the log of SQLite is looked at, too')
  for (const file of files) assertSecretFree(readFileSync(join(folder, file), 'latin1'), file)
  const account = users.find('olga')
  assert.equal(account?.password, operator.password)
  const deep = { depth: 10, showHidden: true }
  for (const thing of [account, { ...account }, users, users.list(), store.exportDocuments()])
    for (const text of [JSON.stringify(thing) ?? '', inspect(thing, deep)]) assertSecretFree(text, text)
  store.close()
  for (const file of readdirSync(folder)) assertSecretFree(readFileSync(join(folder, file), 'latin1'), file)
})

function assertSecretFree(text: string, where: string): void {
  for (const { password } of [admin, operator]) assert.ok(!text.includes(password ?? ''), where)
}

const name = (length: number) => 'n'.repeat(length)
const password = (length: number) => 'p'.repeat(length)
const create =
  (...requests: readonly Partial<UserRequest>[]) =>
  (users: Users) =>
    users.create(requests.map(request => ({ name: 'new', password: 'Good-enough-1', level: 'User' as const, ...request })))
const set =
  (...requests: readonly Partial<UserRequest>[]) =>
  (users: Users) =>
    users.set(requests.map(request => ({ ...operator, ...request })))
const remove =
  (...names: readonly string[]) =>
  (users: Users) =>
    users.delete(names)

/** Against a device with `admin` and `olga`. */
const refusals: readonly (readonly [what: string, fault: FaultName, act: (users: Users) => void])[] = [
  ['CreateUsers: a name that exists', 'UsernameClash', create({ name: 'olga' })],
  ['CreateUsers: a name twice in the list', 'UsernameClash', create({ name: 'a' }, { name: 'b' }, { name: 'a' })],
  ['CreateUsers: an empty name', 'UsernameTooShort', create({ name: '' })],
  ['CreateUsers: a long name', 'UsernameTooLong', create({ name: name(limits.userNameCharactersMax + 1) })],
  ['CreateUsers: a name that looks like one that exists', 'UsernameClash', create({ name: 'ｏlga' })],
  ['CreateUsers: two names that look alike', 'UsernameClash', create({ name: 'Jürgen' }, { name: 'Ju\u0308rgen' })],
  ...[
    'a:b',
    'a"b',
    'a\\b',
    'a\nb',
    'a\r\nb',
    'a\0b',
    ' a',
    'a ',
    '\u00a0a',
    'a\u2028b',
    'a\u200bb',
    'a\u202eb',
    'a\u200f',
    'a\ufe0f',
    '\u3164',
    '\ud800',
  ].map(bad => [`CreateUsers: the name ${JSON.stringify(bad)}`, 'InvalidArgVal', create({ name: bad })] as const),
  ['CreateUsers: no password', 'Password', create({ password: undefined })],
  ['CreateUsers: an empty password', 'Password', create({ password: '' })],
  ['CreateUsers: a short password', 'Password', create({ password: password(limits.passwordCharactersMin - 1) })],
  ['CreateUsers: the name as password', 'Password', create({ name: 'longname1', password: 'LongName1' })],
  ['CreateUsers: a long password', 'PasswordTooLong', create({ password: password(limits.passwordCharactersMax + 1) })],
  ['CreateUsers: level Anonymous', 'AnonymousNotAllowed', create({ level: 'Anonymous' })],
  ['CreateUsers: level Extended without a role', 'InvalidArgVal', create({ level: 'Extended' })],
  ['CreateUsers: a role that does not exist', 'InvalidUserRole', create({ level: 'Extended', roles: ['guard', 'guest'] })],
  ['CreateUsers: a role for another level', 'InvalidArgVal', create({ level: 'Operator', roles: ['guard'] })],
  ['CreateUsers: a password that the policy does not take', 'Password', create({ password: 'forbidden' })],
  ['CreateUsers: more than fit', 'TooManyUsers', create(...Array.from({ length: limits.usersMax - 1 }, (_, i) => ({ name: `u${i}` })))],
  ['CreateUsers: far more than fit', 'TooManyUsers', create(...Array.from({ length: 20_000 }, () => ({ name: 'x' })))],
  ['CreateUsers: the last of the list is bad', 'Password', create({ name: 'good' }, { name: 'bad', password: 'x' })],
  ['SetUser: an unknown user', 'UsernameMissing', set({ name: 'nobody' })],
  ['SetUser: a user twice in the list', 'InvalidArgVal', set({}, { level: 'User' })],
  ['SetUser: no password', 'PasswordTooWeak', set({ password: undefined })],
  ['SetUser: an empty password', 'PasswordTooWeak', set({ password: '' })],
  ['SetUser: a short password', 'PasswordTooWeak', set({ password: 'short' })],
  ['SetUser: a long password', 'PasswordTooLong', set({ password: password(limits.passwordCharactersMax + 1) })],
  ['SetUser: level Anonymous', 'AnonymousNotAllowed', set({ level: 'Anonymous' })],
  ['SetUser: level Extended without a role', 'InvalidArgVal', set({ level: 'Extended', roles: [] })],
  ['SetUser: a role that does not exist', 'InvalidUserRole', set({ level: 'Extended', roles: ['guest'] })],
  ['SetUser: a password that the policy does not take', 'PasswordTooWeak', set({ password: 'forbidden' })],
  ['own password: of nobody', 'UsernameMissing', users => users.setPassword('nobody', 'Good-enough-1')],
  ['own password: none', 'PasswordTooWeak', users => users.setPassword('olga', undefined)],
  ['own password: one that the policy does not take', 'PasswordTooWeak', users => users.setPassword('olga', 'forbidden')],
  ['SetUser: the last Administrator demoted', 'FixedUser', set({ name: 'admin', level: 'Operator' })],
  ['SetUser: the last of the list is bad', 'UsernameMissing', set({ level: 'User' }, { name: 'nobody' })],
  ['DeleteUsers: an unknown user', 'UsernameMissing', remove('nobody')],
  ['DeleteUsers: the last of the list is unknown', 'UsernameMissing', remove('olga', 'nobody')],
  ['DeleteUsers: the last Administrator', 'FixedUser', remove('admin')],
  ['DeleteUsers: everybody', 'FixedUser', remove('admin', 'olga')],
  ['DeleteUsers: a name that JavaScript knows', 'UsernameMissing', remove('constructor')],
  ['reset: a weak password', 'Password', users => users.reset('root', '1234')],
  ['reset: a bad name', 'InvalidArgVal', users => users.reset('ro:ot', 'Good-enough-1')],
]

for (const [what, expected, act] of refusals)
  test(`${what} → ${expected}, and nothing changed`, t => {
    const users = usersWith(t, operator)
    const before = snapshot(users)
    assert.throws(
      () => act(users),
      (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === expected,
    )
    assert.deepEqual(snapshot(users), before)
  })

test('the longest and the shortest that is allowed', t => {
  const users = usersWith(t)
  users.create([
    { name: name(limits.userNameCharactersMax), password: password(limits.passwordCharactersMax), level: 'User' },
    { name: '😀', password: '😀'.repeat(limits.passwordCharactersMin), level: 'User' },
    ...Array.from({ length: limits.usersMax - 3 }, (_, i) => ({ ...operator, name: `u${i}` })),
  ])
  assert.equal(users.list().length, limits.usersMax)
})

test('empty lists change nothing', t => {
  const users = usersWith(t)
  users.create([])
  users.set([])
  users.delete([])
  assert.deepEqual(snapshot(users), [admin])
})

test('an Administrator can go when another one stays or comes with the same request', t => {
  const users = usersWith(t, operator)
  users.set([
    { ...operator, level: 'Administrator' },
    { ...admin, level: 'User' },
  ])
  users.delete(['admin', 'admin'])
  assert.deepEqual(users.list(), [{ name: 'olga', level: 'Administrator' }])
})

test('names differ by case', t => {
  const users = usersWith(t)
  users.create([{ ...operator, name: 'Admin' }])
  assert.equal(users.find('Admin')?.level, 'Operator')
  assert.equal(users.find('ADMIN'), undefined)
})

test('a backup brings users and passwords back, unless another device sealed it or nobody in it is Administrator', t => {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const users = createUsers({ store, seal })
  assert.throws(() => store.importDocuments(store.exportDocuments()), StoreError, 'a backup without users')
  users.reset(admin.name, admin.password ?? '')
  users.create([operator])
  const [before, backup] = [snapshot(users), store.exportDocuments()]
  users.reset('other', 'Other-password-1')
  store.importDocuments(JSON.parse(JSON.stringify(backup)))
  assert.deepEqual(snapshot(users), before)

  const foreign = openStore(':memory:')
  t.after(() => foreign.close())
  createUsers({ store: foreign, seal: createSeal(randomBytes(32)) }).reset('admin', 'Foreign-password-1')
  assert.throws(() => store.importDocuments(foreign.exportDocuments()), StoreError)
  const swapped = JSON.parse(JSON.stringify(backup).replaceAll('olga', 'vera'))
  assert.throws(() => store.importDocuments(swapped), StoreError, 'a sealed password under another name')
  const demoted = JSON.parse(JSON.stringify(backup).replaceAll('Administrator', 'User'))
  assert.throws(() => store.importDocuments(demoted), StoreError)
  assert.deepEqual(snapshot(users), before)
})

test('no sequence of operations leaves the device without an Administrator, or half a request done', t => {
  const names = constantFrom('admin', 'a', 'b', 'c')
  const levels = constantFrom<UserRequest['level'][]>('Administrator', 'Operator', 'User', 'Anonymous', 'Extended')
  const passwords = option(constantFrom('Good-enough-1', 'Good-enough-2', 'weak'), { nil: undefined, freq: 6 })
  const requests = array(record({ name: names, password: passwords, level: levels }), { maxLength: 4 })
  const operations = array(
    oneof(
      record({ operation: constantFrom('create' as const, 'set' as const), requests }),
      record({ operation: constantFrom('delete' as const), names: array(names, { maxLength: 4 }) }),
    ),
    { maxLength: 12 },
  )
  let changes = 0
  assertProperty(
    property(operations, steps => {
      const users = usersWith(t)
      for (const step of steps) {
        const before = snapshot(users)
        try {
          if (step.operation === 'delete') users.delete(step.names)
          else users[step.operation](step.requests)
          changes++
        } catch (error) {
          assert.ok(error instanceof SoapFault, String(error))
          assert.deepEqual(snapshot(users), before)
        }
        assert.ok(users.list().some(user => user.level === 'Administrator'))
      }
    }),
    { numRuns: 150 },
  )
  assert.ok(changes > 50, `only ${changes} requests were taken`)
})

test('a user of the level Extended has his roles, also after a restart, and loses them with the level', t => {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const users = createUsers({ store, seal, roleExists: role => role.startsWith('r') })
  users.reset(admin.name, admin.password ?? '')
  users.create([{ ...operator, level: 'Extended', roles: ['r1', 'r2', 'r1'] }])
  assert.deepEqual(users.list()[1], { name: 'olga', level: 'Extended', roles: ['r1', 'r2'] })
  assert.deepEqual(users.find('olga')?.roles, ['r1', 'r2'])
  store.importDocuments(JSON.parse(JSON.stringify(store.exportDocuments())))
  assert.deepEqual(users.find('olga')?.roles, ['r1', 'r2'])
  users.set([{ ...operator, level: 'Extended', roles: ['r3'] }])
  assert.deepEqual(users.list()[1]?.roles, ['r3'])
  users.set([{ ...operator, level: 'User' }])
  assert.deepEqual(users.list()[1], { name: 'olga', level: 'User' })
  for (const change of [{ level: 'Extended' }, { roles: ['r1'] }, { level: 'Extended', roles: [] }]) {
    const documents = JSON.parse(JSON.stringify(store.exportDocuments()))
    Object.assign(documents.users[1], change)
    assert.throws(() => store.importDocuments(documents), StoreError, JSON.stringify(change))
  }
})

test('a user of the level Extended is no Administrator, whatever his roles', t => {
  const users = usersWith(t, { ...operator, level: 'Extended', roles: ['guard'] })
  assert.throws(() => users.delete(['admin']), /last Administrator/)
})

const nth = (count: number) => `Password-number-${count}`

test('a password that is remembered cannot come again, and one more than that can', t => {
  const store = openStore(':memory:')
  t.after(() => store.close())
  let remembered = 3
  const users = createUsers({ store, seal, remembered: () => remembered })
  const change = (count: number) => users.set([{ ...operator, password: nth(count) }])
  const refused = (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === 'PasswordTooWeak'
  users.reset(admin.name, admin.password ?? '')
  users.create([{ ...operator, password: nth(1) }])
  for (const count of [2, 3]) change(count)
  store.importDocuments(JSON.parse(JSON.stringify(store.exportDocuments())))
  for (const count of [3, 2, 1]) assert.throws(() => change(count), refused, nth(count))
  assert.throws(() => users.setPassword('olga', nth(2)), refused)
  users.setPassword('olga', nth(4))
  change(1)
  assert.equal(users.find('olga')?.password, nth(1))
  assert.doesNotMatch(JSON.stringify(store.exportDocuments()), /Password-number/)

  users.set([{ ...operator, level: 'User', password: nth(1) }])
  assert.equal(users.find('olga')?.level, 'User', 'the level alone changed')
  assert.throws(() => users.set([{ ...operator, level: 'User', password: nth(1) }]), refused, 'nothing changed')
  assert.throws(() => users.set([{ ...operator, level: 'Operator', password: nth(4) }]), refused)

  remembered = 0
  for (const count of [1, 4, 4]) change(count)
  remembered = 3
  change(1)
  assert.equal(users.find('olga')?.password, nth(1), 'what came while nothing was remembered is forgotten')
})

test('a list that was stored before there were roles and remembered passwords is read', t => {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const users = createUsers({ store, seal })
  store.importDocuments({ users: [{ name: 'old', level: 'Administrator', password: seal.seal('Old-password-1', 'user:old') }] })
  assert.deepEqual(snapshot(users), [{ name: 'old', level: 'Administrator', password: 'Old-password-1' }])
})

test('every name is taken as it is, or refused by the fault that fits', t => {
  const letters = constantFrom(
    ...'aZ1é٣שلяß中😀',
    'e\u0301',
    'ﬁ',
    ' ',
    '\u00a0',
    '-',
    '.',
    '@',
    '\u200b',
    '\u200f',
    '\u202e',
    ':',
    '"',
    '\u0000',
    '\ufeff',
  )
  const seen = { taken: 0, InvalidArgVal: 0, UsernameTooLong: 0, UsernameTooShort: 0 }
  assertProperty(
    property(array(letters, { maxLength: 70, size: 'max' }), pieces => {
      const wanted = pieces.slice(0, pieces.length % 3 === 0 ? 4 : 70).join('')
      const users = usersWith(t)
      try {
        users.create([{ ...operator, name: wanted }])
      } catch (error) {
        assert.ok(error instanceof SoapFault, String(error))
        const name = error.subcodes.at(-1)
        assert.ok(name === 'InvalidArgVal' || name === 'UsernameTooLong' || name === 'UsernameTooShort', name)
        seen[name]++
        assert.deepEqual(snapshot(users), [admin])
        return
      }
      seen.taken++
      assert.equal(users.list()[1]?.name, wanted)
      assert.equal(users.find(wanted)?.password, operator.password)
      for (const lookalike of [wanted.normalize('NFC'), wanted.normalize('NFD'), wanted.normalize('NFKC')])
        assert.throws(() => users.create([{ ...operator, name: lookalike }]), SoapFault)
      assert.doesNotMatch(wanted, /[\u0000-\u001f\u200b-\u200f\u202e\ufeff:"]/)
    }),
    { numRuns: 400, seed: 11 },
  )
  for (const [outcome, count] of Object.entries(seen)) assert.ok(count > 0, `never seen: ${outcome}`)
})

test('ten thousand users, and fifty thousand names, are refused at once', t => {
  const users = usersWith(t, operator)
  const before = snapshot(users)
  const many = Array.from({ length: 10_000 }, (_, index) => ({ ...operator, name: `user${index}` }))
  const names = Array.from({ length: 50_000 }, (_, index) => `user${index}`)
  const began = performance.now()
  assert.throws(() => users.create(many), /room for/)
  assert.throws(() => users.delete(names), /there is no user/)
  assert.throws(() => users.delete(names.fill('olga').with(-1, 'admin')), /last Administrator/)
  assert.ok(performance.now() - began < 1_000, `${performance.now() - began} ms`)
  assert.deepEqual(snapshot(users), before)
})
