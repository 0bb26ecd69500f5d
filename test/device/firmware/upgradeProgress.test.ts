import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createTelling, type UpgradeProgress, upgradeProgress } from '../../../src/device/firmware/upgradeProgress.ts'
import { limits } from '../../../src/limits.ts'
import { testClock } from '../../auth/support.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { pipe, refusedWith, settled } from './onBench.ts'
import { image, pieces, start, uploadOf } from './workbench.ts'

const good = await image(randomBytes(90_000))
const healthy = async () => {}
const upgrade = { transaction: 'tx', user: 'admin', remoteAddress: undefined, operation: 'StartFirmwareUpgrade', from: '1.0.0' } as const
const installed = { slot: 'B', version: '1.1.0', sha256: 'b', signers: [], builtAt: undefined }

/** Starts of one device. What it tells is noted: states with what has been uploaded of the image. */
async function watched() {
  const storage = new SimulatedStorage()
  const clock = testClock()
  const told: (UpgradeProgress | undefined)[] = []
  const boot = async (options: Parameters<typeof start>[2] = {}) => {
    const bench = await start(storage, clock, { ...options, changed: () => void told.push(bench.firmware.progress()) })
    return bench
  }
  const states = () => told.map(progress => progress?.state)
  return { storage, clock, told, states, boot }
}

test('a whole upgrade is told state by state, the end after the restart, and once more by whoever starts later', async () => {
  const { told, states, boot } = await watched()
  const { firmware } = await boot()
  assert.equal(firmware.progress(), undefined)
  await firmware.resume(healthy)
  const { ticket } = firmware.start('admin')
  const { transaction } = await firmware.upload.receive(uploadOf(ticket, good.length), pieces(good))
  assert.deepEqual([...new Set(states())], [undefined, 'Transfer', 'Check', 'Activating', 'Rebooting'])
  assert.deepEqual([told.at(-1)?.version, told.at(-1)?.uploadPercent], ['1.1.0', 100])
  const shares = told.map(progress => progress?.progress ?? 0)
  assert.deepEqual(
    shares.toSorted((a, b) => a - b),
    shares,
    'it never goes back',
  )

  told.length = 0
  const next = await boot()
  await next.firmware.resume(healthy)
  assert.deepEqual(states(), ['Trial', 'Commit', 'Succeeded'])
  const end = {
    transaction,
    operation: 'StartFirmwareUpgrade',
    state: 'Succeeded',
    progress: 1,
    version: '1.1.0',
    failure: undefined,
    uploadPercent: undefined,
  } as const
  assert.deepEqual(told.at(-1), end)
  assert.deepEqual((await boot()).firmware.progress(), end, 'from the disk')
})

test('an image within a message names its operation, also after the restart', async () => {
  const { told, boot } = await watched()
  const { firmware } = await boot()
  await firmware.resume(healthy)
  const { ticket, ...request } = uploadOf('', undefined)
  await firmware.take(request, pieces(good))
  const next = await boot()
  await next.firmware.resume(healthy)
  assert.deepEqual([...new Set(told.filter(each => each !== undefined).map(({ operation }) => operation))], ['UpgradeSystemFirmware'])
  assert.deepEqual(told.at(-1)?.state, 'Succeeded')
})

test('a failure is told with its reason, and so is a way back after the restart', async () => {
  const { clock, told, states, boot } = await watched()
  const { firmware } = await boot()
  await firmware.resume(healthy)
  const broken = Buffer.from(good)
  broken[broken.length - 40_000] = (broken[broken.length - 40_000] ?? 0) ^ 1
  await assert.rejects(firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(broken)), refusedWith(415, 'hash'))
  const { state, progress, failure, uploadPercent } = told.at(-1) ?? assert.fail('nothing was told')
  assert.deepEqual([state, progress, failure?.reason, uploadPercent], ['Failed', 1, 'hash', undefined])

  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  const next = await boot({ trial: { deadlineMs: 10_000 } })
  const going = next.firmware.resume(async () => assert.fail('not well'))
  await settled()
  await clock.pass(10_000)
  await going
  assert.deepEqual([...new Set(states())].slice(-2), ['Trial', 'Rollback'])
  const back = await boot()
  await back.firmware.resume(healthy)
  assert.deepEqual([told.at(-1)?.state, told.at(-1)?.failure?.reason], ['Failed', 'selfCheck'])
})

test('bytes that arrive are told once a second, and an upload URI to which nothing came is no upgrade', async () => {
  const { clock, told, boot } = await watched()
  const { firmware } = await boot()
  await firmware.resume(healthy)
  const { ticket } = firmware.start('admin')
  const body = pipe()
  const upload = firmware.upload.receive(uploadOf(ticket, good.length), body)
  await settled()
  assert.deepEqual([told.at(-1)?.state, told.at(-1)?.uploadPercent], ['Transfer', 0])
  const quarter = Math.floor(good.length / 4)
  body.write(good.subarray(0, quarter))
  await settled()
  await clock.pass(limits.progressTellingMs)
  assert.deepEqual([told.at(-1)?.uploadPercent, told.at(-1)?.progress], [25, 0.12])
  const before = told.length
  for (let sent = quarter; sent < 3 * quarter; sent += 100) body.write(good.subarray(sent, Math.min(sent + 100, 3 * quarter)))
  await settled()
  assert.ok(told.length <= before + 1, `${told.length - before} messages for ${Math.ceil((2 * quarter) / 100)} pieces`)
  await clock.pass(limits.progressTellingMs)
  assert.equal(told.at(-1)?.uploadPercent, 75, 'the last is not lost')
  body.write(good.subarray(3 * quarter))
  body.close('closed')
  await upload
  assert.equal(told.at(-1)?.uploadPercent, 100)
})

test('an upload that waits for its rest is under way; one that has ended is not', () => {
  const arrival = { receivedBytes: 50, expectedBytes: 200, percent: undefined }
  const failure = { reason: 'lost', detail: 'the connection broke' } as const
  const armed = upgradeProgress({ name: 'Armed', upgrade, broken: { image: installed, failure } }, arrival, undefined)
  assert.deepEqual([armed?.state, armed?.uploadPercent, armed?.version, armed?.failure], ['Armed', 25, '1.1.0', undefined])
  assert.equal(upgradeProgress({ name: 'Armed', upgrade }, undefined, undefined), undefined)
})

test('without a length nobody knows how much has come; an engine that installs tells how far it is', () => {
  const arrival = { receivedBytes: 50, expectedBytes: undefined, percent: undefined }
  assert.equal(upgradeProgress({ name: 'Transfer', upgrade }, arrival, undefined)?.uploadPercent, 0)
  assert.equal(upgradeProgress({ name: 'Check', upgrade }, arrival, undefined)?.progress, 0.5)
  assert.equal(upgradeProgress({ name: 'Check', upgrade }, { ...arrival, percent: 50 }, undefined)?.progress, 0.65)
  const tooMuch = { receivedBytes: 500, expectedBytes: 200, percent: undefined }
  const more = upgradeProgress({ name: 'Transfer', upgrade }, tooMuch, undefined)
  assert.deepEqual([more?.uploadPercent, more?.progress], [99, 0.5])
})

test('within a state at most once a second, a state at once, and nothing after the end', async () => {
  const clock = testClock()
  const told: number[] = []
  const telling = createTelling(clock, () => void told.push(clock.monotonicMs() - 1_000_000))
  for (let turn = 0; turn < 25; turn += 1) {
    telling.progressed()
    await clock.pass(100)
  }
  assert.deepEqual(told, [0, 1_000, 2_000])
  telling.entered()
  assert.equal(told.at(-1), 2_500)
  await clock.pass(10_000)
  assert.equal(told.length, 4, 'what was waiting has been told with the state')
  telling.progressed()
  telling.progressed()
  telling.close()
  await clock.pass(10_000)
  assert.equal(told.length, 5)
  assert.equal(clock.pending(), 0)
})
