import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { createAuthenticator } from '../../src/auth/authenticate.ts'
import { createTokenMemory, type ReplayJournal, recordBytes } from '../../src/auth/tokenMemory.ts'
import { limits } from '../../src/limits.ts'
import { accountsOf, admin, authorizationOf, memoryJournal, nonceIn, type TestClock, target, testClock, tokenOf } from './support.ts'

const now = Date.UTC(2026, 0, 2, 3, 4, 5)
const { tokenWindowMs: window } = limits
const [hour, year] = [3_600_000, 365 * 86_400_000]

/** The memory of one life. `remember` gives the verdict on the token with this name, made `agoMs` before now. */
function setUp(clock: TestClock = testClock(), before: Partial<ReplayJournal> = {}) {
  const { journal, asked } = memoryJournal(before)
  const memory = createTokenMemory(clock, journal)
  return {
    clock,
    asked,
    before,
    remember: (name: string, agoMs = 0) => memory.remember('admin', Buffer.from(name), clock.now().getTime() - agoMs),
    /** The token as it was sent before. */
    again: (name: string, createdMs: number) => memory.remember('admin', Buffer.from(name), createdMs),
  }
}

const fail = () => {
  throw new Error('ENOSPC')
}

/** As many tokens as make one generation, used within a minute. */
async function fill({ clock, remember }: ReturnType<typeof setUp>, prefix: string): Promise<void> {
  for (let i = 0; i < limits.tokensKept; i++) {
    if (i % 1000 === 0) await clock.pass(1000)
    assert.equal(remember(`${prefix} ${i}`), 'new')
  }
}

/** Fills the memory until the tokens of before are dropped. */
async function forget(device: ReturnType<typeof setUp>): Promise<void> {
  for (const prefix of ['one', 'two']) {
    await fill(device, prefix)
    await device.clock.pass(2 * window)
  }
  assert.equal(device.remember('what drops them'), 'new')
  assert.ok(device.asked.forgotten.length > 0)
}

test('a token is remembered for as long as the window would take it, whatever comes meanwhile', async () => {
  const device = setUp()
  const createdMs = now + window
  assert.equal(device.again('early', createdMs), 'new')
  for (let part = 0; part < 14; part++) {
    await device.clock.pass(window / 7)
    for (let i = 0; i < limits.tokensKept / 4; i++) device.remember(`${part} ${i}`)
    assert.notEqual(device.again('early', createdMs), 'new')
  }
  assert.ok(device.asked.rotations > 0, 'and old ones make room')
})

test('what is remembered stays bounded over a long time', async () => {
  const device = setUp()
  for (let turn = 0; turn < 4; turn++) {
    await fill(device, `turn ${turn}`)
    await device.clock.pass(2 * window)
  }
  assert.ok(device.asked.rotations >= 3, `${device.asked.rotations} rotations`)
})

for (const [jump, ms] of Object.entries({ 'an hour': hour, 'a year': year, 'twenty years': 20 * year }))
  test(`a clock that jumps by ${jump}, to either side and back, brings no token back and keeps nobody out`, async () => {
    for (const direction of [1, -1]) {
      const device = setUp()
      assert.equal(device.again('used', now), 'new')
      device.clock.jump(direction * ms)
      for (let i = 0; i < 3; i++) {
        await device.clock.pass(2 * window)
        assert.equal(device.remember(`there ${i}`), 'new')
      }
      device.clock.jump(-direction * ms - 6 * window)
      assert.equal(device.again('used', now), 'known')
      assert.equal(device.remember('back'), 'new')
    }
  })

test('a clock that is set back to where tokens were forgotten takes none from there; elsewhere everybody can log in', async () => {
  const device = setUp()
  assert.equal(device.again('used', now), 'new')
  await forget(device)
  const endMs = device.clock.now().getTime()
  device.clock.jump(now - endMs)
  assert.equal(device.again('used', now), 'forgotten')
  assert.equal(device.remember('new, but who can tell'), 'forgotten')
  for (const ms of [-year, -hour, 10 * year]) {
    device.clock.jump(ms)
    assert.equal(device.remember(`elsewhere ${ms}`), 'new')
    device.clock.jump(-ms)
  }
  device.clock.jump(endMs - now)
  assert.equal(device.remember('at the right time'), 'new')
})

test('what was forgotten stays known over restarts, and where that file is damaged, the whole past is doubtful', async () => {
  const device = setUp()
  assert.equal(device.again('used', now), 'new')
  await forget(device)
  const { forgotten } = device.asked
  const back = testClock(now)
  assert.equal(setUp(back, { forgotten }).again('used', now), 'forgotten')
  assert.equal(setUp(back, { forgotten: Buffer.alloc(0) }).again('used', now), 'new', 'it is the file that tells')
  const flipped = Uint8Array.from(forgotten)
  flipped[10] = (flipped[10] ?? 0) ^ 1
  for (const damaged of [flipped, forgotten.subarray(0, 3), forgotten.subarray(0, -1), Buffer.alloc(forgotten.length)]) {
    const { remember, asked } = setUp(testClock(now), { forgotten: damaged })
    assert.equal(remember('an hour old', hour), 'forgotten')
    assert.equal(remember('of now'), 'new')
    assert.ok(asked.forgotten.length > 0, 'and it is written anew')
  }
})

test('spans stay few, and still hold all that was forgotten', async () => {
  const device = setUp()
  const used: number[] = []
  // Once an hour, as a device is asked that nobody looks after; the generations are filled from elsewhere in time.
  for (let i = 0; i < 300; i++) {
    await device.clock.pass(hour + i * 1000)
    used.push(device.clock.now().getTime())
    assert.equal(device.remember(`hourly ${i}`), 'new')
  }
  device.clock.jump(year)
  await forget(device)
  assert.ok(device.asked.forgotten.length <= 4 + 16 * limits.tokenSpansMax)
  for (const [i, ms] of used.entries()) {
    device.clock.jump(ms - device.clock.now().getTime())
    assert.equal(device.again(`hourly ${i}`, ms), 'forgotten')
  }
})

test('when the memory is full, a new token is refused rather than an old one forgotten', () => {
  // The table is filled from the journal, which is faster than logging in.
  const records = Buffer.alloc((limits.tokensRememberedMax - 1) * recordBytes)
  for (let start = 0; start < records.length; start += recordBytes) {
    records.writeDoubleBE(now, start)
    records.writeUInt32BE(start + 1, start + 8)
    records.writeUInt32BE(crc32(records.subarray(start, start + 20)), start + 20)
  }
  const almost = setUp(testClock(), { current: records })
  assert.equal(almost.remember('last'), 'new')
  assert.equal(almost.remember('one more'), 'full')
  assert.equal(almost.remember('last'), 'known')
})

test('after a restart the tokens of both generations are known, however old they are', async () => {
  const first = setUp()
  for (const name of ['older', 'newer']) assert.equal(first.again(name, now), 'new')
  const [previous = Buffer.alloc(0), current = Buffer.alloc(0)] = first.asked.appended
  await first.clock.pass(hour)
  const second = setUp(first.clock, { previous, current })
  first.clock.jump(-hour)
  for (const name of ['older', 'newer']) assert.equal(second.again(name, now), 'known')
})

test('what is left of a record that was cut off does no harm', () => {
  const first = setUp()
  first.again('used', now)
  const record = Buffer.concat(first.asked.appended)
  const second = setUp(first.clock, { current: Buffer.concat([record, record.subarray(0, recordBytes - 1)]) })
  assert.equal(second.again('used', now), 'known')
  assert.equal(second.remember('other', 1000), 'new')
})

test('a record that was garbled or zeroed may have been any token of before', () => {
  const first = setUp()
  first.again('used', now)
  const record = Buffer.concat(first.asked.appended)
  for (let at = 0; at < recordBytes; at++) {
    const garbled = Buffer.from(record)
    garbled[at] = (garbled[at] ?? 0) ^ 0x10
    for (const generation of ['previous', 'current'])
      assert.equal(setUp(testClock(now + 1), { [generation]: garbled }).again('used', now), 'forgotten', `${generation}, byte ${at}`)
  }
  assert.equal(setUp(testClock(now + 1), { current: Buffer.alloc(recordBytes) }).again('used', now), 'forgotten')
})

test('after a power cut nothing from before the start is taken, not even after a clean restart', async () => {
  const { clock, remember, asked } = setUp(testClock(), { complete: false })
  assert.equal(remember('before', 1), 'forgotten')
  assert.equal(remember('after'), 'new')
  await clock.pass(1000)
  const next = setUp(clock, { current: Buffer.concat(asked.appended), forgotten: asked.forgotten })
  assert.equal(next.again('lost', now - 1), 'forgotten')
  assert.equal(next.remember('later'), 'new')
})

test('after a power cut nobody is kept out, however late the last one came before it', () => {
  const first = setUp()
  first.again('written', now - 1000)
  const second = setUp(testClock(now), { current: Buffer.concat(first.asked.appended), complete: false })
  assert.equal(second.remember('after'), 'new')
})

test('what a power cut took stays dead, although nobody logged in before the next clean restart', () => {
  const { clock, asked } = setUp(testClock(), { complete: false })
  assert.equal(setUp(clock, { forgotten: asked.forgotten }).again('lost', now - 1), 'forgotten')
  const failing = setUp(clock, { complete: false, keepForgotten: fail })
  assert.equal(failing.asked.gaps, 1, 'or the next start finds the journal incomplete as well')
})

test('where the clock goes back with the power, what was used shortly before stays dead when it is right again', () => {
  const first = setUp()
  first.again('written', now - 1000)
  const clock = testClock(0)
  const second = setUp(clock, { current: Buffer.concat(first.asked.appended), complete: false })
  assert.equal(second.remember('as if it were 1970'), 'new')
  clock.jump(now + 60_000)
  assert.equal(second.again('lost', now), 'forgotten')
  clock.jump(hour)
  assert.equal(second.remember('of now'), 'new')
})

test('where the clock goes ahead with the power, what was used shortly before stays dead when it is right again', () => {
  const first = setUp()
  first.again('written', now - 1000)
  const clock = testClock(now + year)
  const second = setUp(clock, { current: Buffer.concat(first.asked.appended), complete: false })
  assert.equal(second.remember('as if it were next year'), 'new')
  clock.jump(-year)
  assert.equal(second.again('lost', now), 'forgotten')
})

/** The next life, after a power cut that took all that was not synced. */
function powerCut({ asked, before: { current = Buffer.alloc(0) } }: ReturnType<typeof setUp>, clock: TestClock) {
  const { appended, synced, forgotten } = asked
  return setUp(clock, { current: Buffer.concat([current, ...appended.slice(0, synced)]), forgotten, complete: false })
}

test('a token that is ahead of the clock stays dead, although a power cut took its record', async () => {
  const { tokenAheadMs, tokenMarkStepMs } = limits
  for (const aheadMs of [1, tokenAheadMs, tokenAheadMs + 1, tokenMarkStepMs, window / 2, window]) {
    const device = setUp()
    assert.equal(device.again('used', now + aheadMs), 'new')
    // No start is faster.
    const second = powerCut(device, testClock(now + tokenAheadMs + 1))
    assert.equal(second.again('used', now + aheadMs), 'forgotten', `${aheadMs} ms ahead`)
    // Up to there, and not for ever.
    await second.clock.pass(aheadMs + tokenMarkStepMs + 1)
    assert.equal(second.remember('of then'), 'new')
    const third = powerCut(second, testClock(now + tokenAheadMs + 2))
    assert.equal(third.again('used', now + aheadMs), 'forgotten', 'nor does a second power cut bring it back')
  }
})

test('whoever is ahead of the clock costs one sync in every step, and whoever is not costs none', async () => {
  const device = setUp()
  const steps = 8
  for (let passedMs = 0; passedMs < steps * limits.tokenMarkStepMs; passedMs += 500) {
    assert.equal(device.remember(`of now ${passedMs}`), 'new')
    assert.equal(device.remember(`a little ahead ${passedMs}`, -limits.tokenAheadMs), 'new')
    await device.clock.pass(500)
  }
  assert.equal(device.asked.syncs, 0)
  for (let passedMs = 0; passedMs < steps * limits.tokenMarkStepMs; passedMs += 500) {
    assert.equal(device.remember(`ahead ${passedMs}`, -60_000), 'new')
    await device.clock.pass(500)
  }
  assert.equal(device.asked.syncs, steps)
})

test('after a restart that lost nothing, marks keep nobody out', () => {
  const device = setUp()
  assert.equal(device.again('used', now + window), 'new')
  const next = setUp(testClock(now + 2), { current: Buffer.concat(device.asked.appended) })
  assert.equal(next.again('used', now + window), 'known')
  assert.equal(next.remember('ahead', -60_000), 'new')
  assert.equal(next.remember('of now'), 'new')
})

test('a mark of a clock that was far ahead does not count when it is set right', () => {
  const device = setUp(testClock(now + year))
  assert.equal(device.remember('then', -window), 'new')
  device.clock.jump(-year)
  assert.equal(device.remember('now', -60_000), 'new')
  const next = powerCut(device, testClock(now + 2))
  assert.equal(next.again('now', now + 60_000), 'forgotten')
  assert.equal(next.remember('beyond the mark', -window), 'new')
  // The clock went back with the power: the mark says where it was.
  const first = setUp(testClock(now + year))
  assert.equal(first.remember('then', -window), 'new')
  const back = powerCut(first, testClock(now))
  assert.equal(back.remember('of now'), 'new')
  back.clock.jump(year)
  assert.equal(back.again('then', now + year + window), 'forgotten')
})

test('where the clock goes back, what was used before is made safe first', () => {
  const device = setUp()
  assert.equal(device.again('used', now), 'new')
  device.clock.jump(-60_000)
  assert.equal(device.remember('after'), 'new')
  assert.equal(device.asked.synced, 1)
  assert.equal(powerCut(device, testClock(now - 59_000)).again('used', now), 'known')
})

test('a mark is good beyond the generation that it is in, which is safe before another one begins', async () => {
  const device = setUp()
  assert.equal(device.remember('far ahead', -window), 'new')
  await fill(device, 'one')
  const { asked } = device
  assert.deepEqual([asked.rotations, asked.syncs], [1, 2])
  assert.equal(asked.synced, limits.tokensKept + 1, 'with the mark, and without the token that came then')
  assert.equal(device.remember('ahead', -60_000), 'new')
  assert.equal(asked.syncs, 2)
  const previous = Buffer.concat(asked.appended.slice(0, asked.synced))
  const nowMs = device.clock.now().getTime()
  const next = setUp(testClock(nowMs + 2), { previous, complete: false })
  assert.equal(next.again('ahead', nowMs + 60_000), 'forgotten')
})

test('where the disk cannot keep the mark of a token that is ahead, the next start doubts every token that may have been', async () => {
  for (const failing of [{ sync: fail }, { append: fail }]) {
    const { remember, asked } = setUp(testClock(), failing)
    assert.equal(remember('ahead', -window), 'new')
    assert.equal(remember('ahead', -window), 'known')
    assert.ok(asked.gaps > 0)
    const next = setUp(testClock(now + 1), { complete: false, lacksMark: true })
    assert.equal(next.again('ahead', now + window), 'forgotten')
    assert.equal(next.remember('of now'), 'forgotten')
    await next.clock.pass(window + 1)
    assert.equal(next.remember('of then'), 'new')
    const dead = setUp(testClock(), { ...failing, admitGap: fail })
    assert.equal(dead.remember('ahead', -60_000), 'unwritten')
  }
})

test('a token that is ahead stays dead where its mark was written and its record was not', () => {
  let space = 1
  const written: Uint8Array[] = []
  const { remember, asked } = setUp(testClock(), {
    append(record) {
      if (space-- <= 0) fail()
      written.push(Uint8Array.from(record))
    },
  })
  assert.equal(remember('ahead', -60_000), 'new')
  assert.equal(asked.gaps, 1)
  assert.equal(setUp(testClock(now + 1), { current: Buffer.concat(written), complete: false }).again('ahead', now + 60_000), 'forgotten')
})

test('a clock that was far ahead when the power went keeps nobody out when it is set right', () => {
  const clock = testClock(now + 10 * year)
  const device = setUp(clock, { complete: false })
  clock.jump(-10 * year)
  assert.equal(device.remember('of now'), 'new')
})

test('after a jump of the clock the journal is made safe, so that a power cut takes only what lies behind it', () => {
  const { clock, remember, asked } = setUp()
  remember('before')
  assert.equal(asked.syncs, 0)
  clock.jump(year)
  remember('after')
  assert.equal(asked.syncs, 1)
  remember('and so on')
  assert.equal(asked.syncs, 1)
})

test('while the disk takes nothing, tokens are known to this process and the next one is warned', () => {
  const { remember, asked } = setUp(testClock(), { append: fail, keepForgotten: fail, rotate: fail, sync: fail })
  assert.equal(remember('used'), 'new')
  assert.equal(remember('used'), 'known')
  assert.ok(asked.gaps > 0)
})

test('a disk that can be neither written nor warned takes no token: HTTP Digest goes on', async () => {
  const clock = testClock()
  const { journal } = memoryJournal({ append: fail, admitGap: fail })
  const authenticator = createAuthenticator({ accounts: accountsOf(admin), clock, journal })
  const authorization = authorizationOf({ nonce: nonceIn(authenticator.challenges(false)[0]) })
  const attempt = { method: 'POST', target, remoteAddress: '192.0.2.1' }
  const token = tokenOf(admin, clock.now().toISOString())
  const refused = await authenticator.authenticate({ ...attempt, token, authorization: undefined })
  assert.ok(refused.kind === 'refused' && refused.by === 'http', 'it is told to log in by HTTP')
  assert.equal((await authenticator.authenticate({ ...attempt, token, authorization })).kind, 'known')
})

test('a token that may have been used before is challenged, and taken beside HTTP Digest', async () => {
  const clock = testClock()
  const { journal } = memoryJournal({ complete: false })
  const authenticator = createAuthenticator({ accounts: accountsOf(admin), clock, journal })
  const attempt = { method: 'POST', target, remoteAddress: '192.0.2.1' }
  const doubtful = tokenOf(admin, new Date(now - 1000).toISOString())
  const refused = await authenticator.authenticate({ ...attempt, token: doubtful, authorization: undefined })
  assert.ok(refused.kind === 'refused' && refused.by === 'http' && /forgotten/.test(refused.reason))
  const authorization = authorizationOf({ nonce: nonceIn(authenticator.challenges(false)[0]) })
  assert.equal((await authenticator.authenticate({ ...attempt, token: doubtful, authorization })).kind, 'known')
})
