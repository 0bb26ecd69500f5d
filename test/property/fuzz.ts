import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { seeded } from '../support/random.ts'
import { fuzzDatagrams } from './datagrams.ts'
import { assertNotGrown, footprint, openFuzzBed } from './fuzzBed.ts'
import { messageNames, roundTrip } from './messages.ts'
import { codecAgreesWithLibxml2 } from './mutations.ts'
import { scannerAgreesWithLibxml2 } from './scanner.ts'
import { fuzzUploads } from './uploads.ts'
import { fuzzHttp } from './wire.ts'

// `npm run fuzz`, or `npm run fuzz -- --minutes 10 --seed 12345 --only http,udp`: until something is found. A seed repeats its round.
const parts = ['soap', 'http', 'upload', 'udp'] as const
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: 'Infinity' }, seed: { type: 'string' }, only: { type: 'string', default: parts.join() } },
})
const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const end = performance.now() + Number(values.minutes) * 60_000
const chosen = parts.filter(part => values.only.split(',').includes(part))
/** What a long run may add once: code that is compiled, strings that are kept. */
const allowedMiB = 24

const counts = { soap: 0, http: 0, upload: 0, udp: 0 }
const verdicts = new Map<string, number>()
let seed = first
let round = 0
let before: Awaited<ReturnType<typeof footprint>> | undefined
const bed = await openFuzzBed(seeded(first))

async function fuzz(part: (typeof parts)[number]): Promise<number> {
  const random = seeded(seed)
  switch (part) {
    case 'soap':
      fc.assert(scannerAgreesWithLibxml2, { seed, numRuns: 20_000 })
      for (const name of messageNames) fc.assert(roundTrip(name), { seed, numRuns: 5 })
      fc.assert(codecAgreesWithLibxml2, { seed, numRuns: 5_000 })
      return 25_000 + messageNames.length * 5
    case 'http':
      await fuzzHttp(bed, random, 1000)
      return 1000
    case 'upload':
      for (const [verdict, times] of await fuzzUploads(bed, random, 100)) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + times)
      return 100
    case 'udp':
      await fuzzDatagrams(bed, random, 20_000)
      return 20_000
  }
}

console.log(`fuzz of ${chosen.join(', ')} from seed ${first}`)
try {
  while (performance.now() < end) {
    for (const part of chosen) {
      counts[part] += await fuzz(part)
      if (performance.now() > end) break
    }
    console.log(`seed ${seed}: ${chosen.map(part => `${part} ${counts[part]}`).join(', ')}; all as they should be`)
    seed++
    round++
    // The first round loads and compiles; from then on nothing may stay.
    if (round === 1) before = await footprint()
  }
  if (before) {
    const after = await footprint()
    console.log(
      `heap ${before.heapMiB.toFixed(1)} MiB, then ${after.heapMiB.toFixed(1)} MiB; ${before.descriptors} descriptors, then ${after.descriptors}`,
    )
    assertNotGrown(before, after, allowedMiB)
  }
  if (verdicts.size > 0) console.log('uploads were answered', Object.fromEntries([...verdicts].sort(([, a], [, b]) => b - a)))
} catch (error) {
  // Before anything else can fail.
  console.error(error)
  console.error(`seed ${seed} (npm run fuzz -- --seed ${seed} --only ${chosen.join()})`)
  process.exitCode = 1
} finally {
  await bed.stop()
}
