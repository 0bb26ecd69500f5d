import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Checked } from '../../src/auth/account.ts'
import { createTokenCheck, passwordDigest, type UsernameToken } from '../../src/auth/usernameToken.ts'
import { limits } from '../../src/limits.ts'
import { accountsOf, admin, memoryJournal, type TestClock, testClock, tokenOf, viewer } from './support.ts'

function setUp(clock: TestClock = testClock()) {
  const { journal, asked } = memoryJournal()
  const tokens = createTokenCheck(clock, journal, { name: '', level: 'User', password: 'nobody-knows' })
  const accounts = accountsOf(admin, viewer, { ...viewer, name: 'twin' })
  return { clock, asked, check: (token: UsernameToken): Checked => tokens.check(token, accounts) }
}

const now = '2026-01-02T03:04:05Z'
const right = { kind: 'right', account: admin }
const repeated = { kind: 'repeated', account: admin }

test('the digest is over the decoded nonce, the text of Created and the password', () => {
  // Computed with: printf 'abcd2026-01-02T03:04:05Zsecret' | openssl dgst -sha1 -binary | base64
  assert.equal(passwordDigest(Buffer.from('abcd').toString('base64'), now, 'secret').toString('base64'), 'JEqmnmB+yjI2vBB5Th1WIn86VbQ=')
})

/** All the same moment, or within a second of it, as real clients write it (client-quirks 9). */
for (const created of [
  now,
  '2026-01-02T03:04:05.123Z',
  '2026-01-02T03:04:05+00:00',
  '2026-01-02T03:04:05.123456789Z',
  '2026-01-02T03:04:05.1234567Z',
  '2026-01-02T03:04:05.123456+00:00',
  '2026-01-02T05:04:05+02:00',
  '2026-01-01T21:34:05-05:30',
  '2026-01-02T03:04:05',
])
  test(`Created as ${created} is understood, and kept as text`, () => {
    const { check } = setUp()
    assert.deepEqual(check(tokenOf(admin, created)), right)
  })

test('Created without a zone is UTC wherever the device stands', t => {
  const before = process.env.TZ
  t.after(() => {
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
  process.env.TZ = 'America/New_York'
  assert.deepEqual(setUp().check(tokenOf(admin, '2026-01-02T03:04:05')), right)
})

const spoilt: Record<string, Partial<UsernameToken>> = {
  'with the password as text': { passwordType: 'PasswordText', password: admin.password },
  'with a digest called text': { passwordType: 'PasswordText' },
  'without a type': { passwordType: undefined },
  'with an unknown type': { passwordType: 'passworddigest' },
  'without Nonce': { nonce: undefined },
  'with an empty Nonce': { nonce: '' },
  'without Created': { created: undefined },
  'with an empty Created': { created: '' },
  'with Created that is no time': { created: 'yesterday' },
  'with a date alone': { created: '2026-01-02' },
  'with a year of five digits': { created: '12026-01-02T03:04:05Z' },
  'with month 13': { created: '2026-13-02T03:04:05Z' },
  'with a time and something': { created: `${now} ` },
}

for (const [what, change] of Object.entries(spoilt))
  test(`a token ${what} is refused, and counts as no guess`, () => {
    const { check, asked } = setUp()
    const digest = { ...tokenOf(admin, change.created ?? now, change.nonce === undefined ? {} : { nonce: change.nonce }), ...change }
    assert.equal(check(digest).kind, 'unusable')
    assert.equal(asked.appended.length, 0)
  })

test('a wrong password, an unknown user and a malformed digest are wrong answers that nobody remembers', () => {
  const { check, asked } = setUp()
  assert.deepEqual(check(tokenOf({ ...admin, password: 'wrong' }, now)), { kind: 'wrong', name: 'admin' })
  assert.deepEqual(check(tokenOf({ ...admin, name: 'stranger' }, now)), { kind: 'wrong', name: 'stranger' })
  assert.deepEqual(check(tokenOf({ name: '', password: 'nobody-knows' }, now)), { kind: 'wrong', name: '' })
  for (const password of ['', 'x', '====', admin.password, Buffer.alloc(20).toString('base64')])
    assert.deepEqual(check(tokenOf(admin, now, { password })), { kind: 'wrong', name: 'admin' })
  const token = tokenOf(admin, now)
  assert.equal(check({ ...token, created: '2026-01-02T03:04:06Z' }).kind, 'wrong', 'another Created with the same digest')
  assert.equal(asked.appended.length, 0)
  assert.deepEqual(check(token), right)
  assert.equal(asked.appended.length, 1)
})

test('the window is closed at both ends', () => {
  const at = (ms: number) => new Date(Date.parse(now) + ms).toISOString()
  const edge = limits.tokenWindowMs
  for (const ms of [-edge, 0, edge]) assert.deepEqual(setUp().check(tokenOf(admin, at(ms))), right, `${ms} ms`)
  for (const ms of [-edge - 1, edge + 1]) assert.equal(setUp().check(tokenOf(admin, at(ms))).kind, 'unusable', `${ms} ms`)
})

test('the same token is known again, however its nonce is written', () => {
  const { check } = setUp()
  const token = tokenOf(admin, now, { nonce: 'YWJjZA==' })
  assert.deepEqual(check(token), right)
  assert.deepEqual(check(token), repeated)
  for (const nonce of ['YWJjZA', 'YWJj\nZA==', ' YWJjZA==', 'YWJjZB=='.replace('B', 'A')])
    assert.deepEqual(check({ ...token, nonce }), repeated, nonce)
  assert.deepEqual(check({ ...token, password: ` ${token.password}` }), repeated)
})

test('bytes that move from the nonce into Created make no second token', () => {
  const { check } = setUp()
  const token = tokenOf(admin, now, { nonce: Buffer.from('x').toString('base64') })
  assert.deepEqual(check(token), right)
  assert.notEqual(check({ ...token, nonce: Buffer.from('').toString('base64'), created: `x${now}` }).kind, 'right')
  assert.notEqual(check({ ...token, nonce: Buffer.from('x2').toString('base64'), created: now.slice(1) }).kind, 'right')
})

test('a nonce may come again with another Created, or from another user (client-quirks 10)', () => {
  const { check } = setUp()
  const nonce = 'AAAA'
  for (const created of [now, '2026-01-02T03:04:05.001Z', '2026-01-02T03:04:05.002Z'])
    assert.deepEqual(check(tokenOf(admin, created, { nonce })), right)
  for (const name of ['viewer', 'twin'])
    assert.equal(check(tokenOf({ ...viewer, name }, now, { nonce })).kind, 'right', 'same password, other user')
  assert.deepEqual(check(tokenOf(admin, now, { nonce })), repeated)
})
