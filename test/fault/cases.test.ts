import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The faults that an upgrade has to survive are numbered; the tests that bring them about carry their numbers. */
const faults = 65

/** What these need does not exist yet: fetching images and copying files. */
const later = new Map([
  ...[54, 55, 56, 57, 58, 59].map(number => [number, 'upgrade by pull'] as const),
  ...[60, 61, 63].map(number => [number, 'copying files'] as const),
])

const root = fileURLToPath(new URL('..', import.meta.url))

/** Titles of tests that begin with `case 7:`. */
function numbersIn(file: string): readonly number[] {
  return [...readFileSync(`${root}${file}`, 'utf8').matchAll(/['"`]case (\d+): /g)].map(([, number]) => Number(number))
}

test('every fault has a test, or a reason why it has none', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.test.ts'))
  const byNumber = new Map<number, Set<string>>()
  for (const file of files) for (const number of numbersIn(file)) byNumber.set(number, (byNumber.get(number) ?? new Set()).add(file))
  const numbers = Array.from({ length: faults }, (_, index) => index + 1)
  for (const number of numbers)
    console.log(`${number}: ${[...(byNumber.get(number) ?? [])].join(', ') || `not yet: ${later.get(number) ?? '?'}`}`)
  assert.deepEqual(
    numbers.filter(number => byNumber.has(number) === later.has(number)),
    [],
    'these have neither, or both',
  )
})
