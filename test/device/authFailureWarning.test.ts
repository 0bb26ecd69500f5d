import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type AuthFailureSettings, createAuthFailureWarning } from '../../src/device/authFailureWarning.ts'
import { openStore, StoreError } from '../../src/device/store.ts'
import { SoapFault } from '../../src/onvif/faults.ts'

function setUp(t: TestContext, settings?: AuthFailureSettings) {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const warned: object[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warned.push(fields) }
  let nowMs = 5_000
  const told: string[] = []
  const warning = createAuthFailureWarning({ store, clock: { monotonicMs: () => nowMs }, log, warned: from => void told.push(from) })
  if (settings) warning.set(settings)
  const fail = (times: number, from = '192.0.2.1') => {
    for (let time = 0; time < times; time++) warning.failed(from)
    return warned.length
  }
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { store, warning, warned, told, fail, pass }
}

const three = { enabled: true, monitorPeriodSeconds: 10, maxAuthFailures: 3 }

test('one failure more than allowed is one warning, however many follow in the period', t => {
  const { fail, warned, told } = setUp(t, three)
  assert.equal(fail(3), 0)
  assert.deepEqual(told, [])
  assert.equal(fail(1, '192.0.2.9'), 1)
  assert.equal(fail(100), 1)
  assert.deepEqual(told, ['192.0.2.9'])
  assert.deepEqual(warned, [{ failures: 4, monitorPeriodSeconds: 10, latestFrom: '192.0.2.9' }])
})

test('the period begins with the first failure: what lies before it does not count', t => {
  const { fail, pass } = setUp(t, three)
  fail(1)
  pass(10_000)
  assert.equal(fail(3), 1, 'the end still belongs to it')
  pass(1)
  assert.equal(fail(3), 1, 'a new period')
  pass(10_001)
  assert.equal(fail(1), 1, 'which is over, too')
  assert.equal(fail(3), 2)
})

test('nothing is said where it is switched off, and new settings count from the beginning', t => {
  const { fail, warning } = setUp(t, { ...three, enabled: false })
  assert.equal(fail(100), 0)
  warning.set(three)
  assert.equal(fail(3), 0)
  warning.set({ ...three, maxAuthFailures: 1 })
  assert.equal(fail(1), 0)
  assert.equal(fail(1), 1)
})

test('values outside of the ranges are refused, and nothing changed', t => {
  const { warning, store } = setUp(t, three)
  const { monitorPeriodSeconds, maxAuthFailures } = warning.ranges
  for (const bad of [
    { monitorPeriodSeconds: monitorPeriodSeconds.min - 1 },
    { monitorPeriodSeconds: monitorPeriodSeconds.max + 1 },
    { maxAuthFailures: maxAuthFailures.min - 1 },
    { maxAuthFailures: maxAuthFailures.max + 1 },
  ]) {
    assert.throws(
      () => warning.set({ ...three, ...bad }),
      (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === 'InvalidArgVal',
    )
    assert.throws(() => store.importDocuments({ authFailureWarning: { ...three, ...bad } }), StoreError)
  }
  assert.deepEqual(warning.get(), three)
  store.importDocuments({ authFailureWarning: { ...three, enabled: false } })
  assert.equal(warning.get().enabled, false)
})
