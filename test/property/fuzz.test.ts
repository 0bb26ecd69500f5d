import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seeded } from '../support/random.ts'
import { fuzzDatagrams } from './datagrams.ts'
import { assertNotGrown, footprint, openFuzzBed } from './fuzzBed.ts'
import { fuzzUploads } from './uploads.ts'
import { fuzzHttp } from './wire.ts'

/** The same in every run: what others find is the business of `npm run fuzz`. */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_121)

test(`whatever comes by HTTP, as an upload or by UDP (seed ${seed}), the device goes on and keeps nothing of it`, async t => {
  console.log(`seed ${seed}: npm run fuzz -- --only http,upload,udp --seed ${seed} goes on from there`)
  const random = seeded(seed)
  const bed = await openFuzzBed(random)
  t.after(() => bed.stop())
  await fuzzHttp(bed, random, 200)
  await fuzzUploads(bed, random, 10)
  await fuzzDatagrams(bed, random, 1000)
  const before = await footprint()
  await fuzzHttp(bed, random, 200)
  const verdicts = await fuzzUploads(bed, random, 10)
  const questions = await fuzzDatagrams(bed, random, 3000)
  assertNotGrown(before, await footprint(), 16)
  // Otherwise it would be noise that nobody reads.
  assert.ok(questions > 0 && [...verdicts.keys()].some(verdict => verdict.startsWith('415')), `${questions}, ${[...verdicts.keys()]}`)
})
