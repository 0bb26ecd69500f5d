import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OnvifFault } from '../../src/client/errors.ts'
import { connect } from '../../src/client/onvifClient.ts'
import { UploadRefusal } from '../../src/device/upload.ts'
import { limits } from '../../src/limits.ts'
import { testClock } from '../auth/support.ts'
import { image as imageInMemory, pieces, start, uploadOf } from '../device/firmware/workbench.ts'
import { admin, buildImage, type Daemon, eventually, startDaemon } from '../support/daemon.ts'
import { openPosting, post } from '../support/posting.ts'
import { SimulatedStorage } from './simulatedStorage.ts'

/** A device in a process of its own, an image for it, and an administrator. */
async function scene(t: TestContext) {
  const device = await startDaemon(t, ['--log-format', 'json'])
  const image = await readFile(await buildImage(t, device.state, '1.1.0', 1_000_000))
  const client = connect(device.url, { user: admin.name, password: admin.password })
  t.after(() => client.close())
  const arm = async () => (await client.call('StartFirmwareUpgrade', {})).UploadUri
  return { device, image, client, arm }
}

const inTransfer = (device: Daemon) => eventually(async () => assert.match(device.output(), /"state":"Transfer"/))
const asksInVain = (call: Promise<unknown>) =>
  assert.rejects(
    call,
    (error: unknown) => error instanceof OnvifFault && error.subcodes.at(-1) === 'Action' && /Transfer/.test(error.message),
  )

test('case 24: a client that sends byte by byte holds up nobody else', async t => {
  const { device, image, client, arm } = await scene(t)
  const posting = openPosting(client, await arm(), image.length)
  await posting.write(image.subarray(0, 1))
  await inTransfer(device)
  let longestMs = 0
  for (let sent = 1; sent < 40; sent += 1) {
    await posting.write(image.subarray(sent, sent + 1))
    const asked = performance.now()
    await client.call('GetSystemDateAndTime', {})
    longestMs = Math.max(longestMs, performance.now() - asked)
  }
  assert.ok(longestMs < 2_000, `an answer took ${longestMs} ms`)
  posting.cut()
})

test('case 24: whoever stays below the lowest rate gets 408, whatever the wall clock says (in memory, on a clock of its own)', async () => {
  await withClock(async ({ firmware, clock, ticket, verdict, body, good }) => {
    for (let sent = 0; sent < 20; sent += 1) {
      body.write(good.subarray(sent, sent + 1))
      await turns()
      clock.jump(sent % 2 === 0 ? 20 * 365 * 86_400_000 : -20 * 365 * 86_400_000)
      await clock.pass(10_000)
    }
    assert.equal((await verdict).status, 408)
    firmware.upload.admit(uploadOf(ticket))
  })
})

test('case 25: a client that stops for ever is given up after its silence, and the URI may be used again (in memory, on a clock of its own)', async () => {
  await withClock(async ({ firmware, clock, ticket, verdict, body, good }) => {
    body.write(good.subarray(0, 20_000))
    await turns()
    await clock.pass(limits.uploadIdleTimeoutMs - limits.uploadCheckMs)
    assert.equal(await Promise.race([verdict, turns().then(() => 'waiting')]), 'waiting', 'not a moment too early')
    await clock.pass(2 * limits.uploadCheckMs)
    assert.equal((await verdict).status, 408)
    assert.equal(firmware.status().state, 'Armed')
    const receipt = await firmware.upload.receive(uploadOf(ticket, good.length), pieces(good))
    assert.match(receipt.message, /1\.1\.0/)
  })
})

test('case 36: of two POSTs at once to one URI one runs, and the other gets 409', async t => {
  const { device, image, client, arm } = await scene(t)
  const uri = await arm()
  const first = openPosting(client, uri, image.length)
  await first.write(image.subarray(0, 200_000))
  await inTransfer(device)
  const second = await post(client, uri, image)
  assert.deepEqual([second.status, second.reason], [409, 'busy'])
  await first.write(image.subarray(200_000))
  first.end()
  assert.equal((await first.answer).status, 200)
})

test('case 37: StartFirmwareUpgrade during a transfer is a fault, and the transfer goes on', async t => {
  const { device, image, client, arm } = await scene(t)
  const posting = openPosting(client, await arm(), image.length)
  await posting.write(image.subarray(0, 200_000))
  await inTransfer(device)
  await asksInVain(client.call('StartFirmwareUpgrade', {}))
  await posting.write(image.subarray(200_000))
  posting.end()
  assert.equal((await posting.answer).status, 200)
})

test('case 39: a URI that was replaced or used answers 410, one of a life before 404', async t => {
  const { device, image, client, arm } = await scene(t)
  const replaced = await arm()
  const used = await arm()
  assert.equal((await post(client, replaced, image)).status, 410)
  assert.equal((await post(client, used, image)).status, 200)
  await eventually(async () => assert.equal((await client.call('GetDeviceInformation', {})).FirmwareVersion, '1.1.0'))
  await eventually(async () => assert.match(device.output(), /the firmware upgrade succeeded/))
  const stale = await arm()
  assert.equal((await post(client, used, image)).status, 404, 'the reboot has forgotten it')
  await client.call('SystemReboot', {})
  await eventually(async () => assert.equal(device.output().match(/"the device is up"/g)?.length, 3))
  await arm()
  assert.equal((await post(client, stale, image)).status, 404)
})

test('case 40: guessing tells nothing, costs time, and stands in the log', async t => {
  const { device, image, client, arm } = await scene(t)
  const uri = new URL(await arm())
  const guesses = ['A'.repeat(22), uri.pathname.slice(-22).replace(/^./, first => (first === 'x' ? 'y' : 'x'))]
  const address = (ticket: string) => new URL(ticket, uri).href

  const strange: string[] = []
  for (const url of [uri.href, ...guesses.map(address)]) {
    const answer = await fetch(url, { method: 'POST', body: 'x' })
    strange.push(`${answer.status} ${await answer.text()}`)
  }
  assert.equal(new Set(strange).size, 1, 'without a log-in the right one looks like every other')
  assert.match(strange[0] ?? '', /^401 /)

  const refused = await Promise.all(guesses.map(async ticket => (await post(client, address(ticket), image)).status))
  assert.deepEqual(refused, [404, 404])
  await eventually(async () => {
    const log = (await client.call('GetSystemLog', { LogType: 'Access' })).SystemLog.String ?? ''
    assert.ok(log.split('\n').filter(line => /404/.test(line) && /upload/.test(line)).length >= 2, log)
  })

  const guesser = connect(device.url, { user: admin.name, password: 'Wrong-horse-7', login: 'token' })
  const began = performance.now()
  for (let guess = 0; guess < limits.guessesFree + 2; guess += 1) await assert.rejects(guesser.call('StartFirmwareUpgrade', {}))
  guesser.close()
  assert.ok(performance.now() - began >= limits.guessPauseMinMs, 'wrong passwords are slowed down')
  assert.equal((await post(client, uri.href, image)).status, 200, 'the URI has not suffered')
})

test('case 65: SIGTERM during a transfer answers 503 and ends the device cleanly in less than 5 s', async t => {
  const { device, image, client, arm } = await scene(t)
  const posting = openPosting(client, await arm(), image.length)
  await posting.write(image.subarray(0, 500_000))
  await inTransfer(device)
  // What the device has not read when it closes the connection would cost the answer.
  await eventually(async () => assert.ok((await stat(join(device.state, 'slots', 'slot-b.img'))).size >= 262_144))
  await sleep(200)
  const began = performance.now()
  device.process.kill('SIGTERM')
  const { status, reason } = await posting.answer
  assert.deepEqual([status, reason], [503, 'aborted'])
  const [code] = device.process.exitCode === null ? await once(device.process, 'exit') : [device.process.exitCode]
  assert.equal(code, 0, device.output())
  assert.ok(performance.now() - began < 5_000)

  const again = await startDaemon(t, [], { state: device.state })
  const next = connect(again.url, { user: admin.name, password: admin.password })
  assert.equal((await next.call('GetDeviceInformation', {})).FirmwareVersion, '1.0.0')
  assert.equal((await post(next, (await next.call('StartFirmwareUpgrade', {})).UploadUri, image)).status, 200)
  next.close()
  // Its folder goes with the first one.
  await again.stop()
})

/** Until everything that needs no time has happened. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
}

/** A device without a process, whose clock the test moves, and an upload to it that the test feeds. */
async function withClock(
  act: (scene: {
    readonly firmware: Awaited<ReturnType<typeof start>>['firmware']
    readonly clock: ReturnType<typeof testClock>
    readonly ticket: string
    readonly verdict: Promise<UploadRefusal>
    readonly body: { write(bytes: Buffer): void }
    readonly good: Buffer
  }) => Promise<void>,
): Promise<void> {
  const clock = testClock()
  const { firmware } = await start(new SimulatedStorage(), clock)
  await firmware.resume(async () => {})
  const good = await imageInMemory(Buffer.alloc(50_000, 'firmware'))
  const { ticket } = firmware.start('admin')
  const waiting: Buffer[] = []
  let ring = () => {}
  async function* body(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const piece = waiting.shift()
      if (piece) yield piece
      else await new Promise<void>(resolve => (ring = resolve))
    }
  }
  const write = (bytes: Buffer) => {
    waiting.push(bytes)
    ring()
  }
  const verdict = firmware.upload.receive(uploadOf(ticket), body()).then(
    () => assert.fail('accepted'),
    (error: unknown) => (error instanceof UploadRefusal ? error : assert.fail(String(error))),
  )
  await act({ firmware, clock, ticket, verdict, body: { write }, good })
  await firmware.close()
  await sleep(0)
}
