import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createAccessPolicy } from '../../src/device/accessPolicy.ts'
import { openStore, StoreError } from '../../src/device/store.ts'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'
import { admitted } from '../../src/onvif/operations.ts'

const format = 'onvifd access policy 1'

function setUp(t: TestContext) {
  const store = openStore(':memory:')
  t.after(() => store.close())
  return { store, policy: createAccessPolicy({ store }) }
}

const fileOf = (content: unknown) => Buffer.from(JSON.stringify(content))
const policyWith = (change: Record<string, unknown>) => fileOf({ format, admitted: { ...admitted, ...change } })

test('until another one is set, the default policy of Core 5.9.4.4 holds and can be fetched', t => {
  const { policy } = setUp(t)
  assert.deepEqual(JSON.parse(String(policy.file())), { format, admitted })
  assert.equal(policy.admits('READ_MEDIA', 'User'), true)
  assert.equal(policy.admits('ACTUATE', 'User'), false)
  assert.equal(policy.admits('READ_MEDIA', 'Extended'), false, 'whose roles decide')
})

test('a policy holds from the moment it is set, and a backup carries it', t => {
  const { policy, store } = setUp(t)
  policy.setFile(policyWith({ ACTUATE: ['Administrator', 'Operator', 'User'], READ_SYSTEM: ['Administrator'], READ_MEDIA: [] }))
  assert.equal(policy.admits('ACTUATE', 'User'), true)
  assert.equal(policy.admits('READ_SYSTEM', 'Operator'), false)
  assert.equal(policy.admits('READ_MEDIA', 'Administrator'), false)
  const [file, backup] = [policy.file(), JSON.parse(JSON.stringify(store.exportDocuments()))]
  policy.setFile(policyWith({}))
  store.importDocuments(backup)
  assert.deepEqual(policy.file(), file)
  assert.throws(() => store.importDocuments({ accessPolicy: { ...admitted, ACTUATE: ['Anonymous'] } }), StoreError)
  policy.setFile(file)
  assert.deepEqual(policy.file(), file, 'what is fetched can be set')
})

const { ACTUATE: _, ...withoutOne } = admitted
const refusals: Record<string, readonly [fault: string, file: Uint8Array]> = {
  'nothing at all': ['PolicyFormat', Buffer.alloc(0)],
  'no JSON': ['PolicyFormat', Buffer.from('<policy/>')],
  'no UTF-8': ['PolicyFormat', Buffer.concat([policyWith({}).subarray(0, -1), Buffer.of(0xff)])],
  'a list': ['PolicyFormat', fileOf([])],
  'another format': ['PolicyFormat', fileOf({ format: 'onvifd access policy 2', admitted })],
  'something more': ['PolicyFormat', fileOf({ format, admitted, comment: '' })],
  'a class too few': ['PolicyFormat', fileOf({ format, admitted: withoutOne })],
  'a class too many': ['PolicyFormat', policyWith({ PRE_AUTH: [] })],
  'a class by the name of __proto__': ['PolicyFormat', Buffer.from(`{"format":"${format}","admitted":{"__proto__":[]}}`)],
  'an unknown level': ['PolicyFormat', policyWith({ READ_MEDIA: ['Anonymous'] })],
  'a level twice': ['PolicyFormat', policyWith({ READ_MEDIA: ['User', 'User'] })],
  'a level that is no text': ['PolicyFormat', policyWith({ READ_MEDIA: [null] })],
  'levels that are no list': ['PolicyFormat', policyWith({ READ_MEDIA: 'Administrator' })],
  'more than a policy can need': ['PolicyFormat', Buffer.concat([policyWith({}), Buffer.alloc(limits.accessPolicyBytesMax, ' ')])],
  'deep nesting': ['PolicyFormat', Buffer.from('['.repeat(10_000))],
  'no Administrator may write': ['OperationProhibited', policyWith({ WRITE_SYSTEM: ['Operator'] })],
  'no Administrator may see the policy': ['OperationProhibited', policyWith({ READ_SYSTEM_SECRET: [] })],
}

for (const [what, [expected, file]] of Object.entries(refusals))
  test(`refused with ${expected}: ${what}`, t => {
    const { policy } = setUp(t)
    const before = policy.file()
    assert.throws(
      () => policy.setFile(file),
      (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === expected,
    )
    assert.deepEqual(policy.file(), before)
  })
