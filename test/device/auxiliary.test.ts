import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, options } from '../../src/config.ts'
import { createAuxiliary } from '../../src/device/auxiliary.ts'
import { openStore } from '../../src/device/store.ts'
import { limits } from '../../src/limits.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

test('the operator names reserved functions, and functions of his own', () => {
  assert.deepEqual(options.auxiliary.parse('tt:IRLamp, tt:Wiper,Heater,tt:Wiper,'), ['tt:IRLamp', 'tt:Wiper', 'Heater'])
  const many = Array.from({ length: limits.auxiliaryFunctionsMax + 1 }, (_, index) => `f${index}`).join()
  for (const wrong of ['tt:irlamp', 'tt:Lamp', 'a b', 'Heater|On', '7up', '__proto__', 'x'.repeat(65), many])
    assert.throws(() => options.auxiliary.parse(wrong), ConfigError, wrong)
})

test('what a function of another day did is kept beside, and a state that is none is refused', () => {
  const store = openStore(':memory:')
  const subject = createAuxiliary({ store, log, functions: ['tt:Wiper'] })
  assert.deepEqual([subject.states(), subject.commands()], [{ 'tt:Wiper': 'Off' }, ['tt:Wiper|On', 'tt:Wiper|Off']])
  subject.send('tt:Wiper|On')
  assert.deepEqual(subject.states(), { 'tt:Wiper': 'On' })
  assert.deepEqual(store.exportDocuments(), {}, 'no backup starts a wiper')
  subject.release()
  assert.deepEqual(subject.states(), { 'tt:Wiper': 'Off' })
})
