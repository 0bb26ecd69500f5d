import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcessor } from '../../src/platform/processor.ts'

test('the time of the cores goes on, and a busy one is seen', async t => {
  const processor = createProcessor()
  if (processor === undefined) return t.skip('this host does not show its processor')
  const before = processor.times()
  assert.ok(before.busyMs > 0 && before.totalMs > before.busyMs)
  const end = performance.now() + 300
  while (performance.now() < end);
  const after = processor.times()
  const [spent, busy] = [after.totalMs - before.totalMs, after.busyMs - before.busyMs]
  assert.ok(busy >= 200, `${busy} ms busy of one core that was busy for 300 ms`)
  assert.ok(spent >= busy, `${busy} ms of ${spent} ms`)
})
