import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcessorUsage } from '../../src/device/processorUsage.ts'
import { limits } from '../../src/limits.ts'
import { testClock } from '../auth/support.ts'

/** A processor that has been so busy between one look and the next. */
async function looks(...percents: readonly number[]) {
  const clock = testClock()
  const times = { busyMs: 5_000, totalMs: 1_000_000 }
  const told: number[] = []
  const usage = createProcessorUsage({ processor: { times: () => ({ ...times }) }, clock, changed: percent => void told.push(percent) })
  for (const [index, percent] of percents.entries()) {
    times.totalMs += 4_000
    times.busyMs += 40 * percent
    await clock.pass(index === 0 ? limits.processorFirstLookMs : limits.processorLookMs)
  }
  return { usage, clock, times, told }
}

test('what counts is what happened since the last look, not since the machine was started', async () => {
  assert.deepEqual((await looks(50)).told, [50])
  assert.deepEqual((await looks(0, 100, 12.4)).told, [0, 100, 12])
})

test('less than a step from what was told last is no news, however it adds up', async () => {
  assert.deepEqual((await looks(20, 24, 16, 24, 20)).told, [20])
  assert.deepEqual((await looks(20, 22, 24, 26, 28, 30)).told, [20, 26])
})

test('a machine whose counters stand still, or go back, is not told of', async () => {
  const { told, times, clock } = await looks(30)
  await clock.pass(limits.processorLookMs)
  times.totalMs -= 1_000
  await clock.pass(limits.processorLookMs)
  assert.deepEqual(told, [30])
})

test('nobody looks after the end', async () => {
  const { usage, clock } = await looks(30)
  assert.equal(clock.pending(), 1)
  usage.close()
  assert.equal(clock.pending(), 0)
})
