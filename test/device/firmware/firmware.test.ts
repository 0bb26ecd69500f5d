import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { signDetached } from '../../../src/device/firmware/cmsSigning.ts'
import { inspectImage } from '../../../src/device/firmware/image.ts'
import { packImage } from '../../../src/device/firmware/imageBuilder.ts'
import { UploadRefusal } from '../../../src/device/upload.ts'
import { limits } from '../../../src/limits.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import { slotFile } from '../../../src/platform/slots/bootRecord.ts'
import type { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { device, pipe, refusedWith, settled } from './onBench.ts'
import { board, ca, factoryContent, folder, image, pieces, sha256, start, trusting, uploadOf } from './workbench.ts'

const payload = randomBytes(50_000)
const good = await image(payload)
const healthy = async () => {}

test('an upgrade from the upload URI to the confirmation', async () => {
  const { storage, clock, firmware, power } = await device()
  const { ticket, uploadDelayMs, expectedDownTimeMs } = firmware.start('admin', '192.0.2.7')
  assert.match(ticket, /^[A-Za-z0-9_-]{22}$/)
  assert.deepEqual([uploadDelayMs, expectedDownTimeMs], [0, 2400])

  const request = uploadOf(ticket, good.length)
  firmware.upload.admit(request)
  const receipt = await firmware.upload.receive(request, pieces(good))
  assert.match(receipt.transaction, /^[0-9A-HJKMNP-TV-Z]{26}$/)
  assert.match(receipt.message, /1\.1\.0/)
  assert.equal(power.reboots, 0, 'the answer leaves first')
  assert.equal(firmware.runningVersion(), '1.0.0')
  await receipt.afterReply()
  assert.equal(power.reboots, 1)
  await firmware.close()

  const next = await start(storage, clock)
  assert.equal(next.running, 'B')
  assert.equal(next.firmware.runningVersion(), '1.1.0')
  assert.deepEqual(storage.content(slotFile(folder, 'B')), payload)
  assert.throws(() => next.firmware.start('admin'), SoapFault, 'nothing begins before the resumption')
  let status: string | undefined
  await next.firmware.resume(async () => {
    status = next.firmware.status().state
    assert.throws(() => next.firmware.start('admin'), { message: new RegExp(`Trial, transaction ${receipt.transaction}, at most 300 s`) })
  })
  assert.equal(status, 'Trial')
  assert.equal(next.firmware.status().state, 'Idle')
  assert.equal((await next.backend.slots()).find(({ running }) => running)?.confirmed, true)
  const [outcome, ...more] = next.firmware.history()
  assert.deepEqual(more, [])
  const { at, seconds, builtAt, ...rest } = outcome ?? assert.fail('no outcome')
  assert.deepEqual(rest, {
    transaction: receipt.transaction,
    user: 'admin',
    remoteAddress: '192.0.2.7',
    operation: 'StartFirmwareUpgrade',
    from: '1.0.0',
    to: '1.1.0',
    sha256: sha256(payload),
    signers: ['CN=onvifd development firmware signer'],
    failure: undefined,
  })
  assert.equal(seconds, 0)
  assert.match(builtAt ?? '', /^20\d\d-/)
  assert.match(at, /^2026-01-02T/)
  assert.deepEqual((await start(storage, clock)).firmware.history(), next.firmware.history(), 'the history outlives a restart')
})

test('who may send what, and when', async () => {
  const { storage, clock, firmware } = await device()
  const { admit } = firmware.upload
  assert.throws(() => admit(uploadOf('AAAAAAAAAAAAAAAAAAAAAA')), refusedWith(404, 'ticket'))

  const first = firmware.start('admin').ticket
  const second = firmware.start('admin').ticket
  assert.throws(() => admit(uploadOf(first)), refusedWith(410, 'ticket'), 'a newer URI replaces the older')
  assert.throws(() => admit(uploadOf(second, 2 ** 40)), refusedWith(413, 'nospace'))
  admit(uploadOf(second))
  await clock.pass(limits.ticketLifetimeMs)
  assert.throws(() => admit(uploadOf(second)), refusedWith(410, 'ticket'), 'expired')
  assert.equal(firmware.status().state, 'Idle')

  const third = firmware.start('admin').ticket
  const body = pipe()
  const upload = firmware.upload.receive(uploadOf(third), body)
  assert.throws(() => admit(uploadOf(third)), refusedWith(409, 'busy'))
  await assert.rejects(firmware.upload.receive(uploadOf(third), pieces(good)), refusedWith(409, 'busy'))
  assert.throws(
    () => firmware.start('admin'),
    (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === 'Action' && /Transfer.*at most 7200 s/.test(error.message),
  )
  body.write(good)
  body.close('closed')
  await upload
  assert.throws(() => admit(uploadOf(third)), refusedWith(410, 'ticket'), 'used')

  await firmware.close()
  const next = await start(storage, clock)
  assert.throws(() => next.firmware.upload.admit(uploadOf(third)), refusedWith(404, 'ticket'), 'a restart forgets')
})

test('beyond ticketsRetiredMax a URI is one that never was', async () => {
  const { firmware } = await device()
  const [first = '', second = ''] = [firmware.start('admin').ticket, firmware.start('admin').ticket]
  for (let more = 1; more < limits.ticketsRetiredMax; more += 1) firmware.start('admin')
  assert.throws(() => firmware.upload.admit(uploadOf(first)), refusedWith(410, 'ticket'))
  firmware.start('admin')
  assert.throws(() => firmware.upload.admit(uploadOf(first)), refusedWith(404, 'ticket'))
  assert.throws(() => firmware.upload.admit(uploadOf(second)), refusedWith(410, 'ticket'))
})

test('a broken connection may come back with the same URI, but not for ever', async () => {
  const { firmware, storage } = await device()
  const { ticket } = firmware.start('admin')
  for (let attempt = 1; attempt <= limits.uploadAttemptsMax; attempt += 1) {
    const body = pipe()
    body.write(good.subarray(0, 20_000))
    const upload = assert.rejects(firmware.upload.receive(uploadOf(ticket), body), refusedWith(400, 'lost'))
    await settled()
    body.close('broken')
    await upload
    assert.equal(firmware.status().state, attempt < limits.uploadAttemptsMax ? 'Armed' : 'Idle')
  }
  assert.throws(() => firmware.upload.admit(uploadOf(ticket)), refusedWith(410, 'ticket'))
  assert.equal(firmware.history().at(-1)?.failure?.reason, 'lost')

  const again = firmware.start('admin').ticket
  const gone = { ...uploadOf(again), signal: AbortSignal.abort(new UploadRefusal(408, 'aborted', 'the client hung up')) }
  await assert.rejects(firmware.upload.receive(gone, pipe()), refusedWith(408, 'timeout'))
  await firmware.upload.receive(uploadOf(again, good.length), pieces(good))
  assert.deepEqual(storage.content(slotFile(folder, 'B')), payload)
})

test('an upload that is shorter than its Content-Length was broken off', async () => {
  const { firmware } = await device()
  const { ticket } = firmware.start('admin')
  await assert.rejects(firmware.upload.receive(uploadOf(ticket, good.length), pieces(good.subarray(0, -700))), refusedWith(400, 'lost'))
})

test('an image that is refused ends the URI', async () => {
  const { firmware, backend } = await device()
  for (const [bytes, reason] of [
    [randomBytes(5_000), 'format'],
    [good.subarray(0, 30_000), 'truncated'],
    [await image(payload, { version: '0.9.0' }), 'version'],
  ] as const) {
    const { ticket } = firmware.start('admin')
    await assert.rejects(firmware.upload.receive(uploadOf(ticket), pieces(bytes)), refusedWith(415, reason))
    assert.throws(() => firmware.upload.admit(uploadOf(ticket)), refusedWith(410, 'ticket'))
    assert.equal(firmware.history().at(-1)?.failure?.reason, reason)
  }
  assert.equal((await backend.slots()).find(({ next }) => next)?.version, '1.0.0')
})

test('an image that is too large for the slot', async () => {
  const { firmware } = await device({ slotBytesMax: payload.length - 1 })
  await assert.rejects(firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good)), refusedWith(413, 'nospace'))

  const endless = await device({ slotBytesMax: 1_000_000 })
  const huge = await image(Buffer.alloc(900_000))
  async function* body(): AsyncGenerator<Buffer, void, undefined> {
    yield huge
    for (;;) yield Buffer.alloc(65_536)
  }
  await assert.rejects(
    endless.firmware.upload.receive(uploadOf(endless.firmware.start('admin').ticket), body()),
    refusedWith(415, 'format'),
  )
})

const slow: Readonly<Record<string, (body: ReturnType<typeof pipe>, pass: (ms: number) => Promise<void>) => Promise<void>>> = {
  async 'sends nothing'(_, pass) {
    await settled()
    await pass(limits.uploadFirstByteTimeoutMs + limits.uploadCheckMs)
  },
  async 'stops for ever'(body, pass) {
    body.write(good.subarray(0, 20_000))
    await settled()
    await pass(limits.uploadIdleTimeoutMs + limits.uploadCheckMs)
  },
  async 'sends a byte every ten seconds'(body, pass) {
    for (let sent = 0; sent < 20; sent += 1) {
      body.write(good.subarray(sent, sent + 1))
      await settled()
      await pass(10_000)
    }
  },
  async 'takes more than two hours'(body, pass) {
    const large = await image(Buffer.alloc(10_000_000))
    const perPiece = 60 * limits.uploadBytesPerSecondMin
    for (let sent = 0; sent * 55_000 <= limits.uploadTotalTimeoutMs; sent += 1) {
      body.write(large.subarray(sent * perPiece, (sent + 1) * perPiece))
      await settled()
      await pass(55_000)
    }
  },
}
for (const [what, behave] of Object.entries(slow)) {
  test(`a client that ${what} gets 408`, async () => {
    const { firmware, clock } = await device({ slotBytesMax: 10_000_000 })
    const { ticket } = firmware.start('admin')
    const body = pipe()
    const verdict = firmware.upload.receive(uploadOf(ticket), body).then(
      () => assert.fail('accepted'),
      (error: unknown) => error,
    )
    await behave(body, clock.pass)
    const error = await Promise.race([verdict, settled().then(() => 'still waiting')])
    refusedWith(408, 'timeout')(error)
  })
}

test('an upload is ended for what must not wait', async () => {
  const { firmware, backend } = await device()
  const { ticket } = firmware.start('admin')
  const body = pipe()
  body.write(good.subarray(0, 30_000))
  const upload = assert.rejects(firmware.upload.receive(uploadOf(ticket), body), refusedWith(503, 'aborted'))
  await settled()
  assert.equal(firmware.status().version, '1.1.0')
  assert.ok(firmware.status().receivedBytes > 0)
  await firmware.abort('SystemReboot')
  await upload
  assert.equal(firmware.status().state, 'Idle')
  assert.throws(() => firmware.upload.admit(uploadOf(ticket)), refusedWith(410, 'ticket'))
  assert.equal((await backend.slots()).find(({ id }) => id === 'B')?.version, undefined)

  const other = firmware.start('admin').ticket
  await firmware.abort('SystemReboot')
  assert.throws(() => firmware.upload.admit(uploadOf(other)), refusedWith(410, 'ticket'))
})

test('the reboot comes even if the answer never leaves', async () => {
  const { firmware, clock, power } = await device()
  await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  await clock.pass(limits.rebootDeadlineMs - 1)
  assert.equal(power.reboots, 0)
  await clock.pass(1)
  assert.equal(power.reboots, 1)
  await clock.pass(limits.rebootDeadlineMs)
  assert.equal(power.reboots, 2, 'and is ordered again if it does not come')
  await firmware.close()
  await clock.pass(limits.rebootDeadlineMs)
  assert.equal(power.reboots, 2)
  assert.equal(clock.pending(), 0)
})

/** Upgrades a new device and starts it again; the new image runs on trial. */
async function onTrial() {
  const { storage, clock, firmware } = await device()
  const { afterReply } = await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  await afterReply()
  await firmware.close()
  return { storage, clock, ...(await start(storage, clock)) }
}

test('an image that fails its self-check is given up', async () => {
  const trial = await onTrial()
  assert.equal(trial.running, 'B')
  const resumed = trial.firmware.resume(async () => {
    throw new Error('no answer from the service')
  })
  await settled()
  assert.equal(trial.power.reboots, 0, 'it may get better')
  await trial.clock.pass(limits.resumeWaitMs)
  await resumed
  await trial.clock.pass(300_000)
  await settled()
  assert.equal(trial.power.reboots, 1)

  const { running, firmware } = await start(trial.storage, trial.clock)
  assert.equal(running, 'A')
  await firmware.resume(healthy)
  const { from, to, failure } = firmware.history().at(-1) ?? assert.fail('no outcome')
  assert.deepEqual(
    [from, to, failure],
    ['1.0.0', '1.1.0', { reason: 'selfCheck', detail: 'check own request failed: no answer from the service' }],
  )
  assert.equal(firmware.runningVersion(), '1.0.0')
  assert.deepEqual(trial.storage.content(slotFile(folder, 'A')), factoryContent)
})

/** A signed image that says for which boards it is, and has no file. */
async function imageFor(boards: readonly string[]): Promise<Buffer> {
  const software = { version: '1.1.0', 'x-onvif': { compatible: boards }, images: [{ filename: 'x', sha256: sha256(payload) }] }
  const description = Buffer.from(JSON.stringify({ software }))
  const signature = signDetached(description, [{ keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }], new Date())
  return Buffer.concat(await Array.fromAsync(packImage({ description, files: [] }, signature)))
}

test('beyond failureDetailCharactersMax what an image quotes of itself is cut off, for the client and for the history', async () => {
  const { firmware } = await device()
  const [before, between, behind] = ['the image is for ', ', ', `, this is ${board.name}`]
  for (const surplus of [0, 1, 2_000]) {
    const letters = limits.failureDetailCharactersMax + surplus - `${before}${between}${behind}`.length
    const boards = ['x'.repeat(letters % 200), ...Array.from({ length: Math.trunc(letters / 200) }, () => 'y'.repeat(200))]
    const text = `${before}${boards.join(between)}${behind}`
    const upload = firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(await imageFor(boards)))
    await assert.rejects(upload, { status: 415, reason: 'compatible', message: text.slice(0, limits.failureDetailCharactersMax) })
    assert.equal(firmware.history().at(-1)?.failure?.detail, text.slice(0, limits.failureDetailCharactersMax))
  }
})

test('what a sick image says to its own check is cut off as well, before it fills the journal', async () => {
  const trial = await onTrial()
  const said = 'x'.repeat(limits.journalBytesMax)
  const resumed = trial.firmware.resume(async () => {
    throw new Error(said)
  })
  await settled()
  await trial.clock.pass(limits.resumeWaitMs)
  await resumed
  await trial.clock.pass(300_000)
  await settled()
  const { firmware } = await start(trial.storage, trial.clock)
  await firmware.resume(healthy)
  const { reason, detail } = firmware.history().at(-1)?.failure ?? assert.fail('no failure')
  assert.equal(reason, 'selfCheck')
  assert.equal(detail, `check own request failed: ${said}`.slice(0, limits.failureDetailCharactersMax))
})

test('a clock that is behind the build of an image that ran is not doubted within clockDoubtMs, and beyond it is', async () => {
  const built = Date.parse('2026-01-20T12:00:00Z')
  const swu = await image(payload, { now: new Date(built) })
  const { firmware, storage, clock } = await device()
  const { afterReply } = await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(swu))
  await afterReply()
  const next = await start(storage, clock)
  await next.firmware.resume(healthy)
  const trust = async () => ({ ...(await trusting(ca.caPem)()), passed: next.firmware.passed() })
  const verdictAt = async (now: number) => (await inspectImage(pieces(good), { trust, now: new Date(now) })).verified
  assert.ok(Array.isArray(await verdictAt(built - limits.clockDoubtMs)))
  const doubted = await verdictAt(built - limits.clockDoubtMs - 1)
  assert.ok(doubted instanceof ImageError && doubted.reason === 'expired')
  assert.match(doubted.message, /clock of this device is wrong/)
})

test('a self-check that hangs has failed', async () => {
  const { firmware, clock, power } = await onTrial()
  const resumed = firmware.resume(() => new Promise(() => {}))
  await settled()
  await clock.pass(limits.resumeWaitMs)
  await resumed
  await clock.pass(300_000)
  await settled()
  assert.equal(power.reboots, 1)
  assert.equal(firmware.status().state, 'Rollback')
})

test('a device that goes down during the self-check asks again', async () => {
  const trial = await onTrial()
  const check = Promise.withResolvers<void>()
  const resumed = trial.firmware.resume(() => check.promise)
  await settled()
  await trial.firmware.goDown('the device goes down')
  check.reject(new Error('the listener was closed'))
  await resumed
  await trial.firmware.close()
  assert.deepEqual([trial.power.reboots, trial.firmware.status().state], [0, 'Trial'])

  const { running, firmware } = await start(trial.storage, trial.clock)
  assert.equal(running, 'B')
  await firmware.resume(healthy)
  assert.deepEqual([firmware.status().state, firmware.history().at(-1)?.failure], ['Idle', undefined])
})

test('a journal that is lost or damaged is harmless', async () => {
  for (const harm of [
    (storage: SimulatedStorage) => storage.remove(`${folder}/journal.json`),
    (storage: SimulatedStorage) => storage.damage(`${folder}/journal.json`, Buffer.from('00000000{"form":1,"state":{"name":"Transfer"}}')),
    (storage: SimulatedStorage) => storage.damage(`${folder}/journal.json`, Buffer.alloc(0)),
  ]) {
    const { storage, clock, firmware: old } = await device()
    await old.upload.receive(uploadOf(old.start('admin').ticket), pieces(good))
    const { transaction } = old.status()
    harm(storage)
    const { firmware, running } = await start(storage, clock)
    await firmware.resume(healthy)
    assert.equal(running, 'B')
    assert.equal(firmware.status().state, 'Idle')
    assert.deepEqual(
      firmware.history().map(entry => [entry.transaction, entry.to, entry.failure]),
      [[transaction, '1.1.0', undefined]],
    )
  }
})

test('a device whose boot record was lost can be upgraded', async () => {
  const { storage, clock } = await device()
  for (const name of ['env0.bin', 'env1.bin']) storage.damage(`${folder}/${name}`, Buffer.alloc(limits.bootRecordBytes, 0xff))
  const { running, firmware } = await start(storage, clock)
  await firmware.resume(healthy)
  assert.equal(running, 'A')
  assert.equal(firmware.runningVersion(), undefined)
  const { afterReply } = await firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good))
  await afterReply()
  const next = await start(storage, clock)
  await next.firmware.resume(healthy)
  assert.equal(next.firmware.runningVersion(), '1.1.0')
})

const errors = { ENOSPC: 'nospace', EIO: 'io', EDQUOT: 'nospace' } as const
for (const [code, reason] of Object.entries(errors)) {
  for (const [operation, file] of [
    ['pwrite', 'slot-b.img'],
    ['fsync', 'slot-b.img'],
    ['pwrite', 'journal.json.new'],
    ['fsync', 'env0.bin'],
  ] as const) {
    test(`${code} at ${operation} of ${file} costs the upgrade and nothing else`, async () => {
      const { storage, clock, firmware } = await device()
      storage.failure = (what, path) => (what === operation && path.endsWith(file) ? Object.assign(new Error(code), { code }) : undefined)
      // A device that cannot say what it is about to do does not begin.
      const status = file.startsWith('journal') && reason === 'nospace' ? 503 : 500
      await assert.rejects(firmware.upload.receive(uploadOf(firmware.start('admin').ticket), pieces(good)), refusedWith(status, reason))
      assert.equal(firmware.status().state, 'Idle')
      storage.failure = () => undefined
      const next = await start(storage, clock)
      await next.firmware.resume(healthy)
      assert.equal(next.firmware.runningVersion(), '1.0.0')
      await next.firmware.upload.receive(uploadOf(next.firmware.start('admin').ticket), pieces(good))
    })
  }
}

test('the history is bounded', async () => {
  const { firmware } = await device()
  for (let round = 0; round < limits.upgradeHistoryMax + 2; round += 1) {
    await assert.rejects(
      firmware.upload.receive(uploadOf(firmware.start(`user ${round}`).ticket), pieces(Buffer.alloc(200))),
      refusedWith(415, 'format'),
    )
  }
  assert.equal(firmware.history().length, limits.upgradeHistoryMax)
  assert.equal(firmware.history().at(-1)?.user, `user ${limits.upgradeHistoryMax + 1}`)
})

test('an activation that failed and stands in the boot record is taken back when the disk takes it, and no upgrade begins before', async () => {
  for (const isReadable of [true, false]) {
    const { storage, clock, firmware, backend } = await device()
    const { ticket } = firmware.start('admin')
    const isInstalled = () => firmware.status().state === 'Activating' || firmware.status().state === 'Failed'
    let writes = 0
    storage.failure = (operation, path) => {
      if (!isInstalled() || !/env[01]\.bin$/.test(path) || (operation === 'read' && isReadable)) return undefined
      // The first write of the record stands; its sync, and all that would take it back, do not get through.
      if (operation === 'pwrite' && ++writes === 1) return undefined
      return writes > 0 ? Object.assign(new Error('EIO'), { code: 'EIO' }) : undefined
    }
    await assert.rejects(firmware.upload.receive(uploadOf(ticket, good.length), pieces(good)), refusedWith(500, 'io'))
    assert.equal(firmware.status().state, 'Failed')
    await clock.pass(limits.discardRetryMs)
    await settled()
    assert.throws(() => firmware.start('admin'), { message: /an upgrade is under way: Failed, .*, its image is being taken out/ })
    storage.failure = () => undefined
    const next = async () => (await backend.slots()).find(slot => slot.next)?.id
    assert.equal(await next(), 'B')
    await clock.pass(limits.discardRetryMs)
    await settled()
    assert.deepEqual([await next(), firmware.status().state, firmware.history().at(-1)?.failure?.reason], ['A', 'Idle', 'io'])
    assert.match(firmware.start('admin').ticket, /./)
  }
})

test('what a self-check has left that its process did not survive is gone with the next start', async () => {
  const { storage, clock } = await device()
  const probe = `${folder}/probe`
  await storage.create(probe)
  await start(storage, clock)
  assert.equal(await storage.exists(probe), false)
})
