import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soakWrites } from './writes.ts'

test('killed at random moments of writes and restores, a device has all that it acknowledged, and nothing by half', async () => {
  const seed = Number(process.env.ONVIFD_TEST_SEED ?? 20_261_121)
  console.log(`kills during writes from seed ${seed}: npm run soak -- --writes --seed ${seed} repeats them`)
  const { kills, acknowledged, seconds, struck } = await soakWrites({ seed, kills: 20, minutes: 1 })
  console.log(`${kills} kills in ${seconds.toFixed(1)} s, ${acknowledged} changes acknowledged; struck`, Object.fromEntries(struck))
  assert.ok(kills >= 5 && acknowledged >= 1, `${kills} kills, ${acknowledged} acknowledged`)
})
