import { test } from 'node:test'
import fc from 'fast-check'
import { messageNames, roundTrip } from './messages.ts'
import { codecAgreesWithLibxml2 } from './mutations.ts'
import { scannerAgreesWithLibxml2 } from './scanner.ts'

// The bounded form of fuzz.ts. FUZZ_SEED=… repeats a run.
/** The same in every run: what others find is the business of `npm run fuzz`. */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_121)
console.log(`seed ${seed}`)

test('the scanner accepts and sees what libxml2 accepts and sees', () => {
  fc.assert(scannerAgreesWithLibxml2, { seed, numRuns: 20_000 })
})

test('random instances of all messages are valid for libxml2 and come back as they were', () => {
  for (const name of messageNames) fc.assert(roundTrip(name), { seed, numRuns: 15 })
})

test('the strict codec judges mutated messages as libxml2 does', () => {
  fc.assert(codecAgreesWithLibxml2, { seed, numRuns: 8_000 })
})
