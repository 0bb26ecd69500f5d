import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { factoryDefault } from '../../src/device/factoryDefault.ts'
import { createOperatingTimes, operatingTimesDocument, parseOperatingTimes } from '../../src/device/operatingTimes.ts'
import { carryDocuments, openStore } from '../../src/device/store.ts'
import { testClock } from '../auth/support.ts'
import { temporaryFolder } from '../support/daemon.ts'

const never = new Date('1970-01-01T00:00:00Z')

test('what has never happened was in 1970, and a start is now', () => {
  const clock = testClock()
  const times = createOperatingTimes({ store: openStore(':memory:'), clock })
  assert.deepEqual(times.get(), { lastReboot: clock.now(), lastReset: never, lastClockSynchronization: never, lastBackup: never })
})

test('every kind is noted for itself, with the time of the device, and told', async () => {
  const clock = testClock()
  let told = 0
  const times = createOperatingTimes({ store: openStore(':memory:'), clock, changed: () => void told++ })
  const expected = { ...times.get() }
  for (const kind of ['lastReset', 'lastClockSynchronization', 'lastBackup'] as const) {
    await clock.pass(60_000)
    times.note(kind)
    expected[kind] = clock.now()
    assert.deepEqual(times.get(), expected)
  }
  assert.equal(told, 3)
})

test('a start does not move with the time that passes, and moves with a clock that is put right', async () => {
  const clock = testClock(0)
  const times = createOperatingTimes({ store: openStore(':memory:'), clock })
  await clock.pass(60_000)
  assert.deepEqual(times.get().lastReboot, never)
  await clock.set(new Date('2026-05-01T12:00:00Z'))
  assert.deepEqual(times.get().lastReboot, never)
  times.note('lastClockSynchronization')
  assert.deepEqual(times.get().lastReboot, new Date('2026-05-01T11:59:00Z'))
})

test('neither a restart, a hard factory default nor a restore forgets, and no backup carries them', async t => {
  const path = join(await temporaryFolder(t), 'device.db')
  const clock = testClock()
  const first = openStore(path)
  const times = createOperatingTimes({ store: first, clock })
  times.note('lastBackup')
  const before = first.exportDocuments()
  assert.deepEqual(before, {})
  first.transaction(() => {
    factoryDefault(first, 'Hard')
    times.note('lastReset')
  })
  first.importDocuments(before)
  first.close()
  await clock.pass(5_000)
  const second = openStore(path)
  t.after(() => second.close())
  const { lastReboot, lastReset, lastBackup } = createOperatingTimes({ store: second, clock }).get()
  assert.deepEqual([lastReboot, lastReset, lastBackup], [clock.now(), new Date(clock.now().getTime() - 5_000), lastReset])
})

test('a reset that fails has not happened', () => {
  const store = openStore(':memory:')
  const times = createOperatingTimes({ store, clock: testClock() })
  assert.throws(() =>
    store.transaction(() => {
      times.note('lastReset')
      throw new Error('the disk is full')
    }),
  )
  assert.deepEqual(times.get().lastReset, never)
})

test('they stay where an upgrade is given up and the settings go back', async t => {
  const folder = await temporaryFolder(t)
  const clock = testClock()
  const [present, restored] = [join(folder, 'present.db'), join(folder, 'restored.db')]
  for (const path of [restored, present]) {
    const store = openStore(path)
    if (path === present) createOperatingTimes({ store, clock }).note('lastBackup')
    store.close()
  }
  carryDocuments(present, restored, { [operatingTimesDocument]: parseOperatingTimes })
  const store = openStore(restored)
  t.after(() => store.close())
  assert.deepEqual(createOperatingTimes({ store, clock }).get().lastBackup, clock.now())
})

test('what is no such document is not read', () => {
  for (const bad of [null, 7, { lastReset: 'yesterday' }, { lastReset: null }, { lastBackup: 9e15 }])
    assert.throws(() => parseOperatingTimes(bad), { message: 'no operating times' })
  assert.deepEqual(parseOperatingTimes({ lastReset: 1, lastFlood: 2 }), { lastReset: 1 })
})
