import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHashingAlgorithms } from '../../src/device/hashingAlgorithms.ts'
import { openStore, StoreError } from '../../src/device/store.ts'
import { SoapFault } from '../../src/onvif/faults.ts'

test('some or all of the algorithms are offered, in the order that was asked for', t => {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const supported = ['MD5', 'SHA-256']
  const algorithms = createHashingAlgorithms({ store, supported })
  assert.deepEqual(algorithms.offered(), supported)
  for (const names of [['SHA-256', 'MD5'], ['MD5'], ['SHA-256']]) {
    algorithms.set(names)
    assert.deepEqual(algorithms.offered(), names)
  }
  for (const names of [[], [''], ['SHA-1'], ['md5'], ['MD5', 'SHA-512'], ['MD5', 'MD5']]) {
    assert.throws(
      () => algorithms.set(names),
      (error: unknown) => error instanceof SoapFault && error.subcodes.join('/') === 'InvalidArgVal',
    )
    assert.throws(() => store.importDocuments({ hashingAlgorithms: names }), StoreError)
  }
  assert.deepEqual(algorithms.offered(), ['SHA-256'])
  store.clear()
  assert.deepEqual(algorithms.offered(), supported)
})
