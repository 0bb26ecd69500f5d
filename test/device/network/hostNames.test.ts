import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isHostName } from '../../../src/device/network/hostNames.ts'

test('domain names are names', () => {
  fc.assert(fc.property(fc.domain(), name => isHostName(name)))
  for (const name of ['a', '7gate', 'gate-7', 'x'.repeat(63), `${'a.'.repeat(126)}a`, '1.2.3.a', 'A.EXAMPLE'])
    assert.ok(isHostName(name), name)
})

test('whatever is taken for a name, URLs take for that name, too', () => {
  const pieces = fc.array(fc.constantFrom('a', 'Z', '1', '0', '-', '.', '_', ' ', 'ä', '\u200b', '\u202e', '%', 'x'.repeat(63)), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(
      pieces.map(each => each.join('')),
      text => {
        if (isHostName(text)) assert.equal(URL.parse(`http://${text}/`)?.hostname, text.toLowerCase())
      },
    ),
    { numRuns: 2_000 },
  )
})

test('and what is none is none', () => {
  const none = [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '-a',
    'a-',
    'a.-b',
    'a_b',
    'a b',
    'a\n',
    '\u00e4',
    '1',
    '1.2.3.4',
    '256.1.1.1',
    'a.1',
    'x'.repeat(64),
    `${'a.'.repeat(127)}a`,
  ]
  for (const text of none) assert.equal(isHostName(text), false, JSON.stringify(text))
})
