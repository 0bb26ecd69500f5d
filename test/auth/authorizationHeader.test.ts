import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as assertProperty, constantFrom, property, record, string } from 'fast-check'
import { parseAuthorization } from '../../src/auth/authorizationHeader.ts'

const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`

test('whatever stands in quotes comes out as it went in', () => {
  const text = string({ unit: 'grapheme-ascii', maxLength: 40 })
  const separators = constantFrom(',', ', ', ' ,\t', ',, ')
  assertProperty(
    property(record({ username: text, realm: text, nonce: text, uri: text, cnonce: text }), separators, (fields, separator) => {
      const parts = [...Object.entries(fields).map(([name, value]) => `${name}=${quoted(value)}`), 'qop=auth', 'nc=0000000a', 'response=AB']
      const parsed = parseAuthorization(`Digest ${parts.join(separator)}`)
      assert.deepEqual(parsed, { ...fields, qop: 'auth', nc: '0000000a', response: 'ab', algorithm: undefined })
    }),
    { numRuns: 200 },
  )
})

test('any other text is refused with a reason that quotes none of it', () => {
  const piece = constantFrom(
    'Digest ',
    'username',
    '="',
    '"',
    '\\',
    ',',
    ' ',
    'nc=00000001',
    '*=UTF-8',
    "''",
    '%e4',
    'response=',
    'a',
    '\u00e4',
    '\t',
    '=',
  )
  assertProperty(
    property(string({ unit: piece, maxLength: 40 }), string({ unit: 'binary', maxLength: 40 }), (made, any) => {
      for (const header of [made, any, `Digest ${made}`, `Digest ${any}`])
        assert.match(String(parseAuthorization(header)), /^(the|user|qop|nc) [\w ,]+$/)
    }),
    { numRuns: 300 },
  )
})
