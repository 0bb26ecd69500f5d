import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createPasswordPolicy, type PasswordComplexity } from '../../src/device/passwordPolicy.ts'
import { openStore, StoreError } from '../../src/device/store.ts'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'

function setUp(t: TestContext) {
  const store = openStore(':memory:')
  t.after(() => store.close())
  return { store, policy: createPasswordPolicy({ store }) }
}

const refused = (error: unknown) => error instanceof SoapFault && error.subcodes.join('/') === 'InvalidArgVal'
const none = { minLen: 8, uppercase: 0, number: 0, specialChars: 0, blockUsernameOccurrence: false, locked: false }

/** One rule at a time: a password that just obeys it, and one that just does not. */
const rules: readonly (readonly [rule: Partial<PasswordComplexity>, good: string, bad: string])[] = [
  [{ minLen: 12 }, 'x'.repeat(12), 'x'.repeat(11)],
  [{ minLen: 12 }, '😀'.repeat(12), '😀'.repeat(11)],
  [{ uppercase: 2 }, 'xxxxxxÄΩ', 'xxxxxxxÄ'],
  [{ number: 2 }, 'xxxxxx1٣', 'xxxxxxx1'],
  [{ specialChars: 2 }, 'xxxxxx-€', 'xxxxx 1-'],
  [{ blockUsernameOccurrence: true }, 'the-olg-a-password', 'the-OLGA-password'],
  [{ blockUsernameOccurrence: true }, 'the-olg-a-password', 'the-ｏｌｇａ-password'],
]

for (const [rule, good, bad] of rules)
  test(`${JSON.stringify(rule)} takes ${good} and not ${bad}`, t => {
    const { policy } = setUp(t)
    for (const password of [good, bad]) assert.equal(policy.weaknessOf('olga', password), undefined, 'no rule, no weakness')
    policy.setComplexity(rule)
    assert.equal(policy.weaknessOf('olga', good), undefined)
    assert.equal(typeof policy.weaknessOf('olga', bad), 'string')
  })

test('what is not given stays as it is', t => {
  const { policy } = setUp(t)
  assert.deepEqual(policy.complexity(), none)
  policy.setComplexity({ uppercase: 1, blockUsernameOccurrence: true })
  policy.setComplexity({ minLen: 20, uppercase: undefined })
  policy.setComplexity({})
  assert.deepEqual(policy.complexity(), { ...none, minLen: 20, uppercase: 1, blockUsernameOccurrence: true })
})

test('values outside of the ranges are refused, and nothing changed', t => {
  const { policy } = setUp(t)
  for (const rule of ['minLen', 'uppercase', 'number', 'specialChars'] as const)
    for (const value of [policy.ranges[rule].min - 1, policy.ranges[rule].max + 1, 1e9, -1])
      assert.throws(() => policy.setComplexity({ locked: true, [rule]: value }), refused, `${rule} ${value}`)
  assert.deepEqual(policy.complexity(), none)
  for (const length of [0, -1, limits.passwordHistoryMax + 1]) assert.throws(() => policy.setHistory({ enabled: false, length }), refused)
  assert.equal(policy.remembered(), 0)
})

test('the strictest rules that can be set have a password that obeys them', t => {
  const { policy } = setUp(t)
  const { minLen, uppercase, number, specialChars } = policy.ranges
  policy.setComplexity({ minLen: minLen.max, uppercase: uppercase.max, number: number.max, specialChars: specialChars.max })
  const password = `${'A'.repeat(uppercase.max)}${'1'.repeat(number.max)}${'-'.repeat(specialChars.max)}`.padEnd(minLen.max, 'x')
  assert.ok(password.length <= limits.passwordCharactersMax)
  assert.equal(policy.weaknessOf('olga', password), undefined)
})

test('a lock holds against everything but a factory default', t => {
  const { policy, store } = setUp(t)
  policy.setComplexity({ number: 1, locked: true })
  for (const wanted of [{ locked: false }, { number: 2 }, { locked: true }, {}]) assert.throws(() => policy.setComplexity(wanted), refused)
  assert.deepEqual(policy.complexity(), { ...none, number: 1, locked: true })
  store.clear()
  policy.setComplexity({ number: 2 })
  assert.equal(policy.complexity().number, 2)
})

test('both come back from a backup, and nothing that could not have been set', t => {
  const { policy, store } = setUp(t)
  policy.setComplexity({ number: 3 })
  policy.setHistory({ enabled: true, length: 7 })
  const backup = JSON.parse(JSON.stringify(store.exportDocuments()))
  store.clear()
  store.importDocuments(backup)
  assert.deepEqual([policy.complexity().number, policy.history(), policy.remembered()], [3, { enabled: true, length: 7 }, 7])
  assert.throws(() => store.importDocuments({ passwordComplexity: { ...none, number: -1 } }), StoreError)
  assert.throws(() => store.importDocuments({ passwordComplexity: { ...none, locked: 'no' } }), StoreError)
  assert.throws(() => store.importDocuments({ passwordHistory: { enabled: true, length: 1.5 } }), StoreError)
})
