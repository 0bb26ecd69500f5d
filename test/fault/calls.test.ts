import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atEveryCall, effects } from './calls.ts'
import { lacksStrace } from './traced.ts'

const seed = Number(process.env.ONVIFD_TEST_SEED ?? 20_261_121)

test('killed before a system call of a write, the device has all of it or nothing', { skip: lacksStrace }, async () => {
  const { points, ends, violations } = await atEveryCall({ seed, effects: ['kill'], pointsMax: 8, pointsEach: 4, minutes: 1 })
  console.log(`${points} kills from seed ${seed} (npm run soak -- --calls tries all)`, Object.fromEntries(ends))
  assert.deepEqual(violations, [], `seed ${seed}`)
  assert.ok(points >= 2, `${points} points`)
})

test('where a system call of a write fails, there is a fault, or a success that is true after a restart', {
  skip: lacksStrace,
}, async () => {
  const failures = effects.filter(effect => effect !== 'kill')
  const { points, ends, violations } = await atEveryCall({ seed, effects: failures, pointsMax: 8, pointsEach: 4, minutes: 1 })
  console.log(`${points} failures from seed ${seed} (npm run soak -- --calls tries all)`, Object.fromEntries(ends))
  assert.deepEqual(violations, [], `seed ${seed}`)
  assert.ok(points >= 2, `${points} points`)
})
