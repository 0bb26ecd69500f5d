import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Check, createHealth } from '../../../src/device/firmware/health.ts'
import { storageCheck } from '../../../src/device/firmware/storageCheck.ts'
import { limits } from '../../../src/limits.ts'
import type { Clock, Log } from '../../../src/platform/platform.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A clock that stands still unless it is told to pass time; timers fire in order. */
function fakeClock() {
  let nowMs = 0
  const timers = new Set<{ readonly atMs: number; readonly act: () => void }>()
  const clock: Clock = {
    now: () => new Date('2026-06-01T12:00:00Z'),
    monotonicMs: () => nowMs,
    async set() {},
    after(delayMs, act) {
      const timer = { atMs: nowMs + delayMs, act }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  return {
    clock,
    pending: () => timers.size,
    async pass(spanMs: number): Promise<void> {
      const untilMs = nowMs + spanMs
      for (;;) {
        await turn()
        const due = [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (due === undefined) break
        timers.delete(due)
        nowMs = due.atMs
        due.act()
      }
      nowMs = untilMs
      await turn()
    },
  }
}

const deadlineMs = 300_000

/** A trial of an image with these checks; `verdict` is what it came to, if it did. */
function trial(checks: readonly Check[], options: { settleMs?: number; confirm?: 'auto' | 'operator' | 'both' } = {}) {
  const time = fakeClock()
  const health = createHealth({ clock: time.clock, checks, settleMs: 0, deadlineMs, confirm: 'auto', log: silent, ...options })
  const verdicts: unknown[] = []
  health.judge().then(verdict => verdicts.push(verdict))
  return { ...time, health, verdicts }
}

/** Passes or fails as the list says, run by run; the last entry holds for ever. */
function scripted(name: string, runs: readonly (string | undefined)[]): Check & { count: number } {
  const check = {
    name,
    count: 0,
    async run() {
      const failure = runs[Math.min(check.count, runs.length - 1)]
      check.count += 1
      if (failure) throw new Error(failure)
    },
  }
  return check
}

const well = (name: string) => scripted(name, [undefined])
const good = { failure: undefined }

test('an image that is well is kept, once it has run for the time to settle', async () => {
  const checks = [well('a'), well('b')]
  const { health, verdicts, pass, pending } = trial(checks, { settleMs: 30_000 })
  await pass(18_500)
  assert.equal(health.waitingFor(), '12 s until the checks')
  assert.deepEqual([verdicts, checks.map(({ count }) => count)], [[], [0, 0]])
  await pass(11_500)
  assert.deepEqual([verdicts, checks.map(({ count }) => count)], [[good], [1, 1]])
  assert.deepEqual([health.waitingFor(), pending()], [undefined, 0])
})

test('case 43: an image that is sick is given up at the deadline, with the last failure', async () => {
  const check = scripted('storage', ['EROFS', 'EIO'])
  const { health, verdicts, pass, pending } = trial([check])
  await pass(0)
  assert.equal(health.waitingFor(), 'check storage failed: EROFS, trying again')
  await pass(deadlineMs - 1)
  assert.deepEqual(verdicts, [])
  await pass(1)
  assert.deepEqual(verdicts, [{ failure: { reason: 'selfCheck', detail: 'check storage failed: EIO' } }])
  assert.equal(check.count, deadlineMs / limits.healthRetryMs, 'it was tried again every few seconds')
  await pass(deadlineMs)
  assert.deepEqual([check.count, pending()], [deadlineMs / limits.healthRetryMs, 0], 'and never after that')
})

test('case 43: an image whose checks hang is given up at the deadline, and every hanging check is told to end', async () => {
  const signals: AbortSignal[] = []
  const hanging: Check = { name: 'own request', run: signal => new Promise(() => signals.push(signal)) }
  const { health, verdicts, pass } = trial([hanging])
  await pass(limits.healthCheckTimeoutMs - 1)
  assert.equal(health.waitingFor(), 'check own request')
  await pass(1)
  assert.equal(health.waitingFor(), 'check own request failed: no answer in 30 s, trying again')
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  )
  await pass(limits.healthRetryMs)
  assert.equal(health.waitingFor(), 'check own request; before, check own request failed: no answer in 30 s')
  await pass(deadlineMs)
  assert.deepEqual(verdicts, [{ failure: { reason: 'selfCheck', detail: 'check own request failed: no answer in 30 s' } }])
  assert.ok(signals.length > 5 && signals.every(({ aborted }) => aborted))
})

test('case 43: a check that hangs beyond the deadline at its first run is named', async () => {
  const { verdicts, pass } = trial([{ name: 'hooks', timeoutMs: 2 * deadlineMs, run: () => new Promise(() => {}) }])
  await pass(deadlineMs)
  assert.deepEqual(verdicts, [{ failure: { reason: 'selfCheck', detail: 'not well within 300 s: check hooks' } }])
})

test('case 44: an image that flaps and is well then is kept: once, by one run in which all checks pass', async () => {
  const first = scripted('first', [undefined, 'flap', undefined])
  const second = scripted('second', ['flap', undefined, undefined])
  const third = well('third')
  const { verdicts, pass } = trial([first, second, third])
  await pass(limits.healthRetryMs)
  assert.deepEqual([first.count, second.count, third.count, verdicts], [2, 1, 0, []], 'each has passed once by now, or was not asked')
  await pass(limits.healthRetryMs)
  assert.deepEqual([first.count, second.count, third.count, verdicts], [3, 2, 1, [good]])
  await pass(deadlineMs)
  assert.deepEqual([third.count, verdicts], [1, [good]])
})

test('a check that passes after the deadline does not bring the image back', async () => {
  const late = Promise.withResolvers<void>()
  const { verdicts, pass } = trial([{ name: 'late', timeoutMs: 2 * deadlineMs, run: () => late.promise }])
  await pass(deadlineMs)
  late.resolve()
  await pass(1)
  assert.equal(verdicts.length, 1)
  assert.notDeepEqual(verdicts, [good])
})

test('with --confirm operator the checks are not asked, an administrator is, until the deadline', async () => {
  const check = scripted('a', ['sick'])
  const { health, verdicts, pass } = trial([check], { confirm: 'operator' })
  await pass(100_000)
  assert.equal(health.waitingFor(), 'confirmation by an administrator, 200 s more')
  assert.equal(health.confirm(), true)
  await pass(0)
  assert.deepEqual([verdicts, check.count, health.confirm()], [[good], 0, false])

  const silence = trial([], { confirm: 'operator' })
  await silence.pass(deadlineMs)
  assert.deepEqual(silence.verdicts, [{ failure: { reason: 'timeout', detail: 'nobody confirmed the new image in time' } }])
})

test('with --confirm both it takes the checks and an administrator, who may be early', async () => {
  const check = scripted('a', ['sick', undefined])
  const { health, verdicts, pass } = trial([check], { confirm: 'both' })
  await pass(0)
  assert.equal(health.confirm(), true)
  await pass(0)
  assert.deepEqual(verdicts, [], 'his word alone does not keep a sick image')
  await pass(limits.healthRetryMs)
  assert.deepEqual(verdicts, [good])

  const later = trial([well('a')], { confirm: 'both' })
  await later.pass(60_000)
  assert.deepEqual(later.verdicts, [])
  later.health.confirm()
  await later.pass(0)
  assert.deepEqual(later.verdicts, [good])
})

test('with --confirm auto an administrator can only say no', async () => {
  const { health, verdicts, pass } = trial([scripted('a', ['sick'])])
  await pass(0)
  assert.equal(health.confirm(), false)
  health.reject('given up by admin')
  await pass(0)
  assert.deepEqual(verdicts, [{ failure: { reason: 'rejected', detail: 'given up by admin' } }])
})

test('a device that goes down says nothing about its image, and no timer stays behind', async () => {
  const { health, verdicts, pass, pending } = trial([scripted('a', ['sick'])], { settleMs: 10_000 })
  await pass(12_000)
  health.end()
  await pass(deadlineMs)
  assert.deepEqual([verdicts, pending(), health.confirm()], [[undefined], 0, false])
})

test('a check that fails when the trial is over is not repeated', async () => {
  const late = Promise.withResolvers<void>()
  let count = 0
  const check: Check = {
    name: 'late',
    run() {
      count += 1
      return late.promise
    },
  }
  const { health, pass, pending } = trial([check])
  await pass(1)
  health.end()
  late.reject(new Error('too late'))
  await pass(deadlineMs)
  assert.deepEqual([count, pending()], [1, 0])
})

test('without a trial there is nothing to confirm, to reject or to wait for', () => {
  const { clock } = fakeClock()
  const health = createHealth({ clock, checks: [], settleMs: 0, deadlineMs, confirm: 'operator', log: silent })
  health.reject('no')
  assert.deepEqual([health.confirm(), health.waitingFor()], [false, undefined])
})

test('the storage is well where a file is kept and given back, and leaves nothing behind', async () => {
  const disk = new SimulatedStorage()
  const { run } = storageCheck(disk, '/upgrade')
  const signal = new AbortController().signal
  await run(signal)
  assert.deepEqual([...new Set(disk.journal.map(([operation]) => operation))], ['create', 'pwrite', 'fsync', 'read', 'unlink'])
  assert.equal(await disk.exists('/upgrade/probe'), false)

  disk.failure = operation => (operation === 'fsync' ? Object.assign(new Error('EIO'), { code: 'EIO' }) : undefined)
  await assert.rejects(run(signal), /EIO/)
  assert.equal(await disk.exists('/upgrade/probe'), false)

  disk.failure = () => undefined
  disk.onChange = () => {
    if (disk.journal.at(-1)?.[0] === 'fsync') disk.damage('/upgrade/probe', Buffer.alloc(4_096))
  }
  await assert.rejects(run(signal), /not what is read/)
})
