import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { createAuthenticator } from '../../src/auth/authenticate.ts'
import { recordBytes } from '../../src/auth/tokenMemory.ts'
import type { UsernameToken } from '../../src/auth/usernameToken.ts'
import { openReplayFile, type ReplayFile } from '../../src/platform/replayFile.ts'
import { accountsOf, admin, target, testClock, tokenOf } from '../auth/support.ts'

const bootId = 'f9b0d6f4-0000-4000-8000-000000000001'
const otherBootId = 'f9b0d6f4-0000-4000-8000-000000000002'

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-replay-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const record = (byte: number) => Buffer.alloc(recordBytes, byte)

const contentOf = ({ previous, current }: ReplayFile) => [Buffer.from(previous), Buffer.from(current)]

/** One run of the device: what the verdict on each token was. */
function logIn(journal: ReplayFile, tokens: readonly UsernameToken[], clock = testClock()): string[] {
  const authenticator = createAuthenticator({ accounts: accountsOf(admin), clock, journal })
  return tokens.map(token => {
    const verdict = authenticator.authenticate({ method: 'POST', target, authorization: undefined, token, remoteAddress: '192.0.2.1' })
    if (verdict instanceof Promise) throw new Error('nobody should wait')
    return verdict.kind === 'refused' ? verdict.reason : verdict.kind
  })
}

test('records come back in their generations, and the older one goes', t => {
  const folder = temporaryFolder(t)
  const first = openReplayFile(folder, bootId)
  assert.equal(first.complete, true, 'of a new device nothing is missing')
  assert.deepEqual(contentOf(first), [Buffer.alloc(0), Buffer.alloc(0)])
  first.append(record(1))
  first.append(record(2))
  first.rotate()
  first.append(record(3))
  first.close()
  const second = openReplayFile(folder, bootId)
  assert.deepEqual(contentOf(second), [Buffer.concat([record(1), record(2)]), record(3)])
  second.append(record(4))
  second.rotate()
  second.close()
  const third = openReplayFile(folder, bootId)
  assert.deepEqual(contentOf(third), [Buffer.concat([record(3), record(4)]), Buffer.alloc(0)])
  third.close()
})

test('a record that was cut off is written over', t => {
  const folder = temporaryFolder(t)
  const first = openReplayFile(folder, bootId)
  first.append(record(1))
  first.append(record(2))
  first.close()
  truncateSync(join(folder, 'tokens.current'), 2 * recordBytes - 1)
  const second = openReplayFile(folder, bootId)
  second.append(record(3))
  second.close()
  const third = openReplayFile(folder, bootId)
  assert.deepEqual(contentOf(third)[1], Buffer.concat([record(1), record(3)]))
  third.close()
})

/** How a run ended, and what the next one can know. */
const ends: readonly (readonly [end: string, closed: boolean, nextBootId: string, complete: boolean])[] = [
  ['cleanly', true, bootId, true],
  ['cleanly, and the machine restarted', true, otherBootId, true],
  ['by being killed', false, bootId, true],
  ['with the power', false, otherBootId, false],
  ['unknown how, without a boot id to tell,', false, '', false],
]

for (const [end, closed, nextBootId, complete] of ends)
  test(`after a run that ended ${end}, the journal is ${complete ? '' : 'not '}complete`, t => {
    const folder = temporaryFolder(t)
    const first = openReplayFile(folder, bootId)
    first.append(record(1))
    if (closed) first.close()
    const second = openReplayFile(folder, nextBootId)
    assert.equal(second.complete, complete)
    second.close()
    // As where a start fails before anybody has noted what may be missing.
    const third = openReplayFile(folder, otherBootId)
    assert.equal(third.complete, complete)
    third.keepForgotten(Buffer.alloc(0))
    third.close()
    const fourth = openReplayFile(folder, otherBootId)
    assert.equal(fourth.complete, true, 'noted, and ended cleanly')
    fourth.close()
  })

test('where the operating system tells no boot id, only a clean end is trusted', t => {
  const folder = temporaryFolder(t)
  openReplayFile(folder, '')
  const killed = openReplayFile(folder, '')
  assert.equal(killed.complete, false)
  killed.keepForgotten(Buffer.alloc(0))
  killed.close()
  const closed = openReplayFile(folder, '')
  assert.equal(closed.complete, true)
  closed.close()
})

test('a mark that is damaged or gone is not taken for a clean end', t => {
  const folder = temporaryFolder(t)
  const mark = join(folder, 'tokens.mark')
  openReplayFile(folder, bootId).close()
  for (const damage of [
    () => writeFileSync(mark, ''),
    () => writeFileSync(mark, 'clea'),
    () => writeFileSync(mark, 'clean'),
    () => writeFileSync(mark, `open ${bootId}`.slice(0, -1)),
    () => rmSync(mark),
  ]) {
    damage()
    const journal = openReplayFile(folder, bootId)
    assert.equal(journal.complete, false)
    journal.close()
  }
})

for (const file of ['tokens.current', 'tokens.previous'])
  test(`after a clean end, ${file} is missed where it is shorter than it was, or gone`, t => {
    const folder = temporaryFolder(t)
    for (const damage of [
      () => truncateSync(join(folder, file), 0),
      () => truncateSync(join(folder, file), recordBytes),
      () => rmSync(join(folder, file)),
    ]) {
      const journal = openReplayFile(folder, bootId)
      for (const byte of [1, 2]) journal.append(record(byte))
      journal.rotate()
      for (const byte of [3, 4]) journal.append(record(byte))
      journal.close()
      damage()
      const next = openReplayFile(folder, bootId)
      assert.equal(next.complete, false)
      next.close()
    }
  })

test('a gap that was admitted is known at the next start, however this one ends, and not at the one after it', t => {
  for (const missing of [
    ['record', 'record'],
    ['mark', 'record'],
    ['record', 'mark'],
  ] as const) {
    for (const closed of [true, false]) {
      const folder = temporaryFolder(t)
      const journal = openReplayFile(folder, bootId)
      journal.append(record(1))
      for (const each of missing) journal.admitGap(each)
      journal.append(record(2))
      if (closed) journal.close()
      const next = openReplayFile(folder, bootId)
      assert.deepEqual([next.complete, next.lacksMark], [false, missing.some(each => each === 'mark')])
      next.keepForgotten(Buffer.alloc(0))
      next.close()
      const third = openReplayFile(folder, bootId)
      assert.deepEqual([third.complete, third.lacksMark], [true, false])
      third.close()
    }
  }
})

test('what is kept of the forgotten comes back as it was', t => {
  const folder = temporaryFolder(t)
  const journal = openReplayFile(folder, bootId)
  assert.equal(journal.forgotten.length, 0)
  for (const text of ['longer than the other', 'short']) journal.keepForgotten(Buffer.from(text))
  journal.close()
  const next = openReplayFile(folder, bootId)
  assert.equal(String(next.forgotten), 'short')
  next.close()
})

test('nothing can be appended to a journal that is closed, and no other file gets it', t => {
  const folder = temporaryFolder(t)
  const journal = openReplayFile(folder, bootId)
  journal.close()
  const other = join(folder, 'other')
  const handles = Array.from({ length: 5 }, () => openSync(other, 'w'))
  assert.throws(() => journal.append(record(1)))
  assert.equal(statSync(other).size, 0)
  for (const handle of handles) closeSync(handle)
})

test('nobody but the owner can read the files', t => {
  const folder = temporaryFolder(t)
  const journal = openReplayFile(folder, bootId)
  journal.append(record(1))
  journal.rotate()
  journal.close()
  const files = readdirSync(folder)
  assert.deepEqual(files.sort(), ['tokens.current', 'tokens.mark', 'tokens.previous'])
  for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file)
})

test('a token is refused after a restart, after a crash and after a power cut', t => {
  const folder = temporaryFolder(t)
  const clock = testClock()
  const tokenAt = (ms: number) => tokenOf(admin, new Date(clock.now().getTime() + ms).toISOString())
  const [first, second, late] = [tokenAt(0), tokenAt(0), tokenAt(-1000)]
  const again = 'the token was used before'

  const run1 = openReplayFile(folder, bootId)
  assert.deepEqual(logIn(run1, [first], clock), ['known'])
  run1.close()
  const run2 = openReplayFile(folder, bootId)
  assert.deepEqual(logIn(run2, [first, second], clock), [again, 'known'])
  // Killed: not closed.
  const run3 = openReplayFile(folder, bootId)
  assert.deepEqual(logIn(run3, [first, second], clock), [again, again])
  // The power went, and with it what was only in the page cache.
  truncateSync(join(folder, 'tokens.current'), 0)
  clock.jump(1)
  const run4 = openReplayFile(folder, otherBootId)
  for (const reason of logIn(run4, [first, second, late], clock)) assert.match(reason, /has forgotten what it took/)
  assert.deepEqual(logIn(run4, [tokenAt(0)], clock), ['known'])
  run4.close()
})

const kill = `
  import { createAuthenticator } from ${JSON.stringify(new URL('../../src/auth/authenticate.ts', import.meta.url).href)}
  import { openReplayFile } from ${JSON.stringify(new URL('../../src/platform/replayFile.ts', import.meta.url).href)}
  import { accountsOf, admin, testClock } from ${JSON.stringify(new URL('../auth/support.ts', import.meta.url).href)}
  const [folder, token] = JSON.parse(process.env.ONVIFD_TEST ?? '')
  const authenticator = createAuthenticator({ accounts: accountsOf(admin), clock: testClock(), journal: openReplayFile(folder) })
  const verdict = await authenticator.authenticate({ method: 'POST', target: '/', authorization: undefined, token, remoteAddress: '192.0.2.1' })
  console.log(verdict.kind)
  setInterval(() => {}, 1000)`

test('a token is refused although the process that took it was killed', async t => {
  const folder = temporaryFolder(t)
  const token = tokenOf(admin, testClock().now().toISOString())
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', kill], {
    env: { ...process.env, ONVIFD_TEST: JSON.stringify([folder, token]) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const [line] = await once(createInterface(child.stdout), 'line')
  assert.equal(line, 'known')
  child.kill('SIGKILL')
  await exited
  const journal = openReplayFile(folder)
  assert.equal(journal.complete, true)
  assert.deepEqual(logIn(journal, [token]), ['the token was used before'])
  journal.close()
})
