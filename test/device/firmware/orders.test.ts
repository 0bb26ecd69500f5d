import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { UploadRefusal } from '../../../src/device/upload.ts'
import { limits } from '../../../src/limits.ts'
import { slotFile } from '../../../src/platform/slots/bootRecord.ts'
import { launch } from '../../../src/platform/slots/launcher.ts'
import { device, pipe, refusedWith, settled } from './onBench.ts'
import { folder, image, pieces, sha256, start, uploadOf } from './workbench.ts'

const payload = randomBytes(90_000)
const good = await image(payload)
const healthy = async () => {}
const by = { user: 'boss', remoteAddress: '192.0.2.8' }
const rangeOf = (firstByte: number, totalBytes = good.length) => ({ firstByte, totalBytes })

/** A device whose upload broke off after this many bytes. */
async function brokenOff(sentBytes: number) {
  const bench = await device()
  const { ticket } = bench.firmware.start('admin')
  const body = pipe()
  body.write(good.subarray(0, sentBytes))
  const upload = assert.rejects(bench.firmware.upload.receive(uploadOf(ticket, good.length), body), refusedWith(400, 'lost'))
  await settled()
  body.close('broken')
  await upload
  return { ...bench, ticket }
}

test('case 22: an upload that broke off goes on where it was', async () => {
  const { firmware, storage, ticket } = await brokenOff(70_000)
  assert.equal(firmware.status().state, 'Armed')
  assert.equal(firmware.upload.offset(ticket), 70_000)
  assert.match((await firmware.report()).waitingFor ?? '', /from byte 70000 on/)
  const writes = storage.journal.filter(([operation, path]) => operation === 'create' && path === slotFile(folder, 'B')).length

  const rest = { ...uploadOf(ticket, good.length - 70_000), range: rangeOf(70_000) }
  firmware.upload.admit(rest)
  const receipt = await firmware.upload.receive(rest, pieces(good.subarray(70_000)))
  assert.match(receipt.message, /1\.1\.0 is installed/)
  assert.deepEqual(storage.content(slotFile(folder, 'B')), payload)
  assert.equal(
    storage.journal.filter(([operation, path]) => operation === 'create' && path === slotFile(folder, 'B')).length,
    writes,
    'the slot was not begun anew',
  )
  assert.equal(firmware.history().length, 0, 'a pause is no failure')
})

test('what does not go on exactly where an upload broke off is refused, and changes nothing', async () => {
  const { firmware, ticket } = await brokenOff(70_000)
  for (const [range, status] of [
    [rangeOf(69_999), 416],
    [rangeOf(70_001), 416],
    [rangeOf(70_000, good.length + 1), 416],
    [rangeOf(70_000, 1e12), 413],
  ] as const) {
    const upload = { ...uploadOf(ticket), range }
    assert.throws(() => firmware.upload.admit(upload), refusedWith(status, status === 416 ? 'range' : 'nospace'))
    await assert.rejects(firmware.upload.receive(upload, pieces(good)), refusedWith(status, status === 416 ? 'range' : 'nospace'))
  }
  assert.equal(firmware.upload.offset(ticket), 70_000)
  assert.throws(() => firmware.upload.offset('x'.repeat(22)), refusedWith(404, 'ticket'))
})

test('an upload that broke off can begin anew, and nothing of it is left', async () => {
  const { firmware, storage, ticket } = await brokenOff(70_000)
  const other = randomBytes(1_000)
  await firmware.upload.receive(uploadOf(ticket), pieces(await image(other, { version: '1.2.0' })))
  assert.deepEqual(storage.content(slotFile(folder, 'B')).subarray(0, other.length), other)
  assert.equal((await firmware.report()).slots.find(({ next }) => next)?.sha256, sha256(other))
})

test('as long as the device has not noticed that an upload broke, it does not say that nothing came', async () => {
  const { firmware } = await device()
  const { ticket } = firmware.start('admin')
  const body = pipe()
  body.write(good.subarray(0, 70_000))
  const upload = assert.rejects(firmware.upload.receive(uploadOf(ticket, good.length), body), refusedWith(400, 'lost'))
  await settled()
  assert.throws(() => firmware.upload.offset(ticket), refusedWith(409, 'busy'))
  body.close('broken')
  await upload
  assert.equal(firmware.upload.offset(ticket), 70_000)
})

test('a range without anything before it is refused', async () => {
  const { firmware } = await device()
  const { ticket } = firmware.start('admin')
  assert.equal(firmware.upload.offset(ticket), 0)
  assert.throws(() => firmware.upload.admit({ ...uploadOf(ticket), range: rangeOf(5) }), refusedWith(416, 'range'))
  await firmware.upload.receive({ ...uploadOf(ticket), range: rangeOf(0) }, pieces(good))
})

test('an upload that never goes on ends with its URI, and the history says why', async () => {
  const { firmware, clock, ticket } = await brokenOff(70_000)
  await clock.pass(limits.ticketLifetimeMs)
  await settled()
  assert.equal(firmware.status().state, 'Idle')
  assert.equal(firmware.history().at(-1)?.failure?.reason, 'lost')
  assert.throws(() => firmware.upload.offset(ticket), refusedWith(410, 'ticket'))
  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
})

test('case 38: a new URI lets go of an upload that broke off', async () => {
  const { firmware, ticket } = await brokenOff(70_000)
  const next = firmware.start('admin').ticket
  await settled()
  assert.throws(() => firmware.upload.admit(uploadOf(ticket)), refusedWith(410, 'ticket'))
  assert.equal(firmware.upload.offset(next), 0)
  assert.equal(firmware.history().at(-1)?.failure?.reason, 'lost')
  await firmware.upload.receive(uploadOf(next), pieces(good))
})

test('an image within a message is taken in one, and not again', async () => {
  const { firmware } = await device()
  const { ticket: _, ...request } = uploadOf('', good.length)
  await assert.rejects(firmware.take(request, pieces(good.subarray(0, 50_000))), refusedWith(400, 'lost'))
  assert.equal(firmware.status().state, 'Idle')
  assert.match((await firmware.take(request, pieces(good))).message, /installed/)
})

test('case 41: what can be aborted is, in every state that allows it', async () => {
  const armed = await device()
  await assert.rejects(armed.firmware.command('abort', by), refusedWith(409, 'state'))
  armed.firmware.start('admin')
  await armed.firmware.command('abort', by)
  assert.equal(armed.firmware.status().state, 'Idle')

  const broken = await brokenOff(70_000)
  await broken.firmware.command('abort', by)
  assert.deepEqual([broken.firmware.status().state, broken.firmware.history().at(-1)?.failure?.reason], ['Idle', 'aborted'])

  const transfer = await device()
  const body = pipe()
  body.write(good.subarray(0, 70_000))
  const upload = assert.rejects(
    transfer.firmware.upload.receive(uploadOf(transfer.firmware.start('admin').ticket), body),
    refusedWith(503, 'aborted'),
  )
  await settled()
  await transfer.firmware.command('abort', by)
  await upload
  assert.deepEqual([transfer.firmware.status().state, transfer.firmware.history().at(-1)?.failure?.reason], ['Idle', 'aborted'])
  assert.equal((await transfer.backend.slots()).find(({ next }) => next)?.version, '1.0.0')

  const held = await device({ hold: true })
  await held.firmware.upload.receive(uploadOf(held.firmware.start('admin').ticket), pieces(good))
  await held.firmware.command('abort', by)
  assert.equal(held.firmware.status().state, 'Idle')
  assert.equal((await held.backend.slots()).find(({ running }) => !running)?.version, undefined, 'the slot is void')

  const rebooting = await device()
  await rebooting.firmware.upload.receive(uploadOf(rebooting.firmware.start('admin').ticket), pieces(good))
  await assert.rejects(rebooting.firmware.command('abort', by), refusedWith(409, 'state'))
})

test('an engine that cannot be stopped says so', async () => {
  const bench = await device()
  Object.assign(bench.backend, { canAbort: false })
  const body = pipe()
  const upload = bench.firmware.upload.receive(uploadOf(bench.firmware.start('admin').ticket), body)
  body.write(good.subarray(0, 70_000))
  await settled()
  await assert.rejects(bench.firmware.command('abort', by), refusedWith(409, 'state'))
  body.write(good.subarray(70_000))
  body.close('closed')
  assert.match((await upload).message, /installed/)
})

test('an image can wait for an administrator, over restarts', async () => {
  const { firmware, storage, clock, power, asked } = await device({ hold: true })
  const { ticket } = firmware.start('admin')
  const receipt = await firmware.upload.receive(uploadOf(ticket), pieces(good))
  assert.match(receipt.message, /waits to be activated/)
  await receipt.afterReply()
  assert.deepEqual([power.reboots, firmware.status().state], [0, 'Installed'])
  assert.throws(() => firmware.start('admin'), /it waits to be activated/)
  await assert.rejects(firmware.command('confirm', by), refusedWith(409, 'state'))
  assert.deepEqual(asked, [], 'the settings are kept at the activation')
  await firmware.close()

  const next = await start(storage, clock, { hold: true })
  await next.firmware.resume(healthy)
  assert.deepEqual([next.running, next.firmware.status().state], ['A', 'Installed'])
  const activated = await next.firmware.command('activate', by)
  assert.deepEqual(next.asked, [`keep A ${receipt.transaction}`])
  assert.equal(next.power.reboots, 0, 'the answer leaves first')
  await activated.afterReply()
  assert.equal(next.power.reboots, 1)

  const trial = await start(storage, clock, { hold: true })
  await trial.firmware.resume(healthy)
  assert.deepEqual([trial.running, trial.firmware.status().state], ['B', 'Idle'])
  assert.deepEqual(trial.asked, ['drop'])
})

for (const confirm of ['operator', 'both'] as const) {
  test(`--confirm ${confirm}: an administrator keeps the image, or nobody does`, async () => {
    const { firmware, storage, clock } = await device()
    await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
    const trial = await start(storage, clock, { trial: { confirm } })
    const resumed = trial.firmware.resume(healthy)
    await clock.pass(0)
    await resumed
    await settled()
    assert.equal(trial.firmware.status().state, 'Trial')
    assert.match((await trial.firmware.report()).waitingFor ?? '', /administrator/)
    await trial.firmware.command('confirm', by)
    await settled()
    assert.deepEqual([trial.firmware.status().state, trial.firmware.history().at(-1)?.failure], ['Idle', undefined])
  })
}

test('--confirm operator: silence brings the old image back', async () => {
  const { firmware, storage, clock } = await device()
  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  const trial = await start(storage, clock, { trial: { confirm: 'operator' } })
  const resumed = trial.firmware.resume(healthy)
  await clock.pass(300_000)
  await resumed
  await settled()
  assert.equal(trial.power.reboots, 1)
  const back = await start(storage, clock)
  await back.firmware.resume(healthy)
  assert.deepEqual([back.running, back.firmware.history().at(-1)?.failure?.reason], ['A', 'timeout'])
})

test('an administrator gives an image up', async () => {
  const { firmware, storage, clock } = await device()
  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  const trial = await start(storage, clock, { trial: { settleMs: 30_000 } })
  const resumed = trial.firmware.resume(healthy)
  await clock.pass(0)
  await resumed
  await assert.rejects(trial.firmware.command('confirm', by), refusedWith(409, 'state'), 'the checks decide')
  const { afterReply } = await trial.firmware.command('rollback', by)
  assert.equal(trial.power.reboots, 0, 'the answer leaves first')
  await afterReply()
  await settled()
  assert.equal(trial.power.reboots, 1)
  const back = await start(storage, clock)
  await back.firmware.resume(healthy)
  assert.deepEqual(back.firmware.history().at(-1)?.failure, { reason: 'rejected', detail: 'given up by boss' })
})

test('case 19: a device whose boot record is lost says so, and an administrator makes a new one', async () => {
  const { storage, clock } = await device()
  for (const copy of ['env0.bin', 'env1.bin']) storage.damage(`${folder}/${copy}`, randomBytes(limits.bootRecordBytes))
  const { running, firmware } = await start(storage, clock)
  await firmware.resume(healthy)
  const report = await firmware.report()
  assert.deepEqual([running, report.state, report.record], ['A', 'Recovery', 'lost'])
  await firmware.command('confirm', by)
  const after = await firmware.report()
  assert.deepEqual([after.state, after.record === 'lost'], ['Idle', false])
  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
})

test('case 16: where the journal finds no room, what was kept for it is given up, and the upgrade goes on', async () => {
  const { firmware, storage } = await device()
  const reserve = `${folder}/reserve`
  const full = () => Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
  // The disk is full from the first byte of the slot on, but for what the reserve holds.
  let isFull = false
  storage.failure = (operation, path) => {
    isFull ||= operation === 'pwrite' && path === slotFile(folder, 'B')
    return isFull && operation === 'pwrite' && path.includes('journal') && held ? full() : undefined
  }
  let held = true
  const { unlink } = storage
  storage.unlink = path => {
    held &&= path !== reserve
    return unlink.call(storage, path)
  }
  const { message } = await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  assert.match(message, /installed/)
  assert.deepEqual([isFull, held, await storage.exists(reserve)], [true, false, false])
})

test('case 23: an image that ends too early is told apart from a connection that broke', async () => {
  const { firmware, backend } = await device()
  const { ticket } = firmware.start('admin')
  const short = good.subarray(0, 50_000)
  await assert.rejects(firmware.upload.receive(uploadOf(ticket, short.length), pieces(short)), refusedWith(415, 'truncated'))
  assert.equal((await backend.slots()).find(({ next }) => next)?.version, '1.0.0')
})

test('case 26: a body without a length ends where a slot does', async () => {
  const { firmware, backend } = await device({ slotBytesMax: 100_000 })
  let sentBytes = 0
  async function* endless() {
    for (const piece of [good.subarray(0, 4_096)]) yield piece
    for (; sentBytes < 100_000_000; sentBytes += 65_536) yield Buffer.alloc(65_536)
  }
  const { ticket } = firmware.start('admin')
  await assert.rejects(firmware.upload.receive(uploadOf(ticket), endless()), error => {
    assert.ok(error instanceof UploadRefusal && [413, 415].includes(error.status), String(error))
    return true
  })
  assert.ok(sentBytes < 1_000_000, `${sentBytes} bytes were taken`)
  assert.equal((await backend.slots()).find(({ next }) => next)?.version, '1.0.0')
})

test('case 30: jumps of the wall clock neither end an upload nor begin anything', async () => {
  const { firmware, clock } = await device()
  const body = pipe()
  const upload = firmware.upload.receive(uploadOf(firmware.start('admin').ticket, good.length), body)
  body.write(good.subarray(0, 50_000))
  await settled()
  for (const jumpMs of [20 * 365 * 86_400_000, -40 * 365 * 86_400_000, 20 * 365 * 86_400_000, -3_600_000]) {
    clock.jump(jumpMs)
    await clock.pass(limits.uploadCheckMs)
    assert.equal(firmware.status().state, 'Transfer')
  }
  body.write(good.subarray(50_000))
  body.close('closed')
  assert.match((await upload).message, /installed/)
})

test('case 42: an image that never comes up gets its tries, and the old one says what happened', async () => {
  const { firmware, storage, clock } = await device()
  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  await firmware.close()
  for (let tries = 0; tries < limits.bootTriesMax; tries += 1) assert.equal(await launch(storage, folder), 'B')
  const back = await start(storage, clock)
  await back.firmware.resume(healthy)
  assert.equal(back.running, 'A')
  assert.deepEqual(back.firmware.history().at(-1)?.failure, { reason: 'boot', detail: 'the new image never came up' })
})

test('case 45: where the way back leads to an image that is bad as well, nobody goes to and fro', async () => {
  const { firmware, storage, clock } = await device()
  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  const trial = await start(storage, clock, { trial: { settleMs: 30_000 } })
  const resumed = trial.firmware.resume(healthy)
  await clock.pass(0)
  await resumed
  await (await trial.firmware.command('rollback', by)).afterReply()
  await settled()
  storage.damage(slotFile(folder, 'A'), randomBytes(100))
  for (let boots = 0; boots < 2 * limits.upgradeBootsMax; boots += 1) assert.equal(await launch(storage, folder), 'A')
})

test('case 46: a reboot that does not come is ordered again, and the state stays', async () => {
  const { firmware, clock, power } = await device()
  const { afterReply } = await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  await afterReply()
  assert.equal(power.reboots, 1)
  for (let times = 2; times < 5; times += 1) {
    await clock.pass(limits.rebootDeadlineMs)
    assert.deepEqual([power.reboots, firmware.status().state], [times, 'Rebooting'])
  }
})

test('an upload does not wait for ever for its installation', async () => {
  const { firmware, backend, clock } = await device()
  const held = Promise.withResolvers<void>()
  const { install } = backend
  Object.assign(backend, {
    async install(...order: Parameters<typeof install>) {
      const installed = await install(...order)
      await held.promise
      return installed
    },
  })
  const upload = firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  await settled()
  await clock.pass(limits.uploadAnswerHoldMs)
  assert.match((await upload).message, /is being installed/)
  held.resolve()
  await settled()
  assert.equal(firmware.status().state, 'Rebooting')
})
