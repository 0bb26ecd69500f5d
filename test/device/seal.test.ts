import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assert as assertProperty, property, string } from 'fast-check'
import { createSeal, deriveKey } from '../../src/device/seal.ts'

const key = randomBytes(32)

test('any text comes back under its context', () => {
  const seal = createSeal(key)
  assertProperty(
    property(string({ unit: 'binary' }), string({ unit: 'binary' }), (plain, context) => {
      const wellFormed = plain.toWellFormed()
      assert.equal(seal.open(seal.seal(wellFormed, context), context), wellFormed)
    }),
    { numRuns: 100 },
  )
})

test('the text shows neither the secret nor that two are the same', () => {
  const seal = createSeal(key)
  const [one, other] = [seal.seal('Correct-horse-7', 'user:a'), seal.seal('Correct-horse-7', 'user:a')]
  assert.notEqual(one, other)
  assert.ok(!Buffer.from(one, 'base64url').toString('latin1').includes('horse'))
})

test('it opens for no other context and no other key', () => {
  const sealed = createSeal(key).seal('secret', 'user:a')
  assert.throws(() => createSeal(key).open(sealed, 'user:b'), /changed, or sealed with the key of another device/)
  assert.throws(() => createSeal(randomBytes(32)).open(sealed, 'user:a'), /changed, or sealed with the key of another device/)
})

test('every changed byte and every cut is noticed', () => {
  const seal = createSeal(key)
  const sealed = Buffer.from(seal.seal('secret', 'c'), 'base64url')
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed)
    changed[i] = (changed[i] ?? 0) ^ 0x10
    assert.throws(() => seal.open(changed.toString('base64url'), 'c'), Error, `byte ${i}`)
    assert.throws(() => seal.open(sealed.subarray(0, i).toString('base64url'), 'c'), Error, `cut at ${i}`)
  }
})

test('keys for different purposes differ from each other and from the key of the device', () => {
  const [backup, other] = [deriveKey(key, 'backup'), deriveKey(key, 'other')]
  assert.equal(backup.length, 32)
  assert.deepEqual(backup, deriveKey(key, 'backup'))
  for (const different of [other, key, deriveKey(randomBytes(32), 'backup')]) assert.notDeepEqual(backup, different)
})

test('a key of the wrong length is refused', () => {
  for (const length of [0, 16, 31, 33]) assert.throws(() => createSeal(randomBytes(length)), /32 bytes/)
})
