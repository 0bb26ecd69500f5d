import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Restraint } from '../../src/discovery/restraint.ts'
import { limits } from '../../src/limits.ts'

const from = (address: string, port = 5000) => ({ address, port })

test('a repeated question is answered once, until it may be a new one', () => {
  const restraint = new Restraint()
  assert.equal(restraint.allows(from('192.0.2.1'), 'uuid:same', 0), true)
  assert.equal(restraint.allows(from('192.0.2.1'), 'uuid:same', limits.discoveryRepeatMs - 1), false)
  assert.equal(restraint.allows(from('192.0.2.1', 5001), 'uuid:same', 1), true, 'another program that sends the same for ever')
  assert.equal(restraint.allows(from('192.0.2.2'), 'uuid:same', 1), true)
  assert.equal(restraint.allows(from('192.0.2.1'), 'uuid:other', 1), true)
  assert.equal(restraint.allows(from('192.0.2.1'), 'uuid:same', limits.discoveryRepeatMs), true, 'somebody searches again')
})

const count = (restraint: Restraint, tries: number, address: (index: number) => string, nowMs: number): number =>
  Array.from({ length: tries }, (_, index) => restraint.allows(from(address(index)), `${nowMs} ${index}`, nowMs)).filter(Boolean).length

test('one source gets so many answers, and no more', () => {
  const restraint = new Restraint()
  assert.equal(
    count(restraint, 500, () => '192.0.2.1', 0),
    limits.discoveryAnswersBurst,
  )
  assert.equal(
    count(restraint, 500, () => '192.0.2.1', 1000),
    limits.discoveryAnswersPerSecond,
  )
  assert.equal(
    count(restraint, 5, () => '192.0.2.2', 1000),
    5,
    'others are not concerned',
  )
  assert.equal(
    count(restraint, 500, () => '192.0.2.1', 3_600_000),
    limits.discoveryAnswersBurst,
    'forgiven, and not saved up',
  )
})

test('all sources together get so many, and the memory is bounded', () => {
  const restraint = new Restraint()
  const forged = (index: number) => `198.51.${Math.floor(index / 250)}.${index % 250}`
  assert.equal(count(restraint, 5_000, forged, 0), limits.discoveryAnswersBurstOfAll)
  assert.equal(count(restraint, 5_000, forged, 1000), limits.discoveryAnswersPerSecondOfAll)
})
