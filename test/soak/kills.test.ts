import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soak } from './soak.ts'

test('killed at random moments of upgrades, a device loses nothing and never runs half an image', async () => {
  const seed = Number(process.env.ONVIFD_TEST_SEED ?? Date.now() % 2 ** 31)
  console.log(`soak from seed ${seed}: npm run soak -- --seed ${seed} repeats it`)
  const { kills, confirmed, seconds, struck } = await soak({ seed, kills: 100, minutes: 25 / 60 })
  console.log(`${kills} kills in ${seconds.toFixed(1)} s, ${confirmed} images confirmed; struck in`, Object.fromEntries(struck))
  assert.ok(kills >= 10 && confirmed >= 1, `${kills} kills, ${confirmed} images confirmed`)
})
