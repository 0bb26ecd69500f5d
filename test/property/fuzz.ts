import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { messageNames, roundTrip } from './messages.ts'
import { codecAgreesWithLibxml2 } from './mutations.ts'
import { scannerAgreesWithLibxml2 } from './scanner.ts'

// `npm run fuzz`, or `npm run fuzz -- --minutes 10 --seed 12345`: the properties of properties.test.ts, until something is found.
const { values } = parseArgs({ options: { minutes: { type: 'string', default: 'Infinity' }, seed: { type: 'string' } } })
const first = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const end = Date.now() + Number(values.minutes) * 60_000

let instances = 0
let seed = first
for (; Date.now() < end; seed++) {
  fc.assert(scannerAgreesWithLibxml2, { seed, numRuns: 50_000 })
  for (const name of messageNames) fc.assert(roundTrip(name), { seed, numRuns: 20 })
  fc.assert(codecAgreesWithLibxml2, { seed, numRuns: 20_000 })
  instances += 70_000 + messageNames.length * 20
  console.log(`seed ${seed}: ${instances} instances, all as they should be`)
}
