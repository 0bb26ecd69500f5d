import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import { BackendError, type Clock } from '../../../src/platform/platform.ts'
import { createControl } from '../../../src/platform/swupdate/control.ts'
import { awaitOutcome } from '../../../src/platform/swupdate/outcome.ts'
import { swupdateProbe } from '../../../src/platform/swupdate/probe.ts'
import { startServer } from '../../../src/platform/swupdate/server.ts'
import { testClock } from '../../auth/support.ts'
import { board, ca, pieces, trusting } from '../../device/firmware/workbench.ts'
import { eventually } from '../../support/daemon.ts'
import { contextOf, imageFor, type Machine, makeMachine, realClock, shortFolder } from './bench.ts'
import { engineStates, type FakeDaemon, startFakeDaemon } from './fakeDaemon.ts'

const payload = randomBytes(300_000)

/** A device with a daemon that a test scripts. By itself that daemon writes the slot and is content. */
async function scripted(t: TestContext, clock: Clock = realClock) {
  const machine = await makeMachine(t, { clock })
  const sockets = shortFolder(t)
  const daemon = await startFakeDaemon(t, sockets)
  const backend = machine.withSwupdate({ run: 'daemon', folder: sockets })
  daemon.onImage = (_, whole) => {
    daemon.state = engineStates.run
    if (whole) finish(machine, daemon)
  }
  return { machine, daemon, backend, sockets, image: await imageFor(machine, payload) }
}

function finish(machine: Machine, daemon: FakeDaemon, content = payload): void {
  writeFileSync(machine.slotPath('B'), content)
  daemon.last = engineStates.success
  daemon.queue.push({ state: engineStates.success, text: 'SWUPDATE successful !' }, { state: engineStates.idle, text: 'Waiting' })
  daemon.state = engineStates.idle
}

const fail = (daemon: FakeDaemon, ...complaints: readonly string[]): void => {
  daemon.last = engineStates.failure
  for (const text of complaints) daemon.queue.push({ state: engineStates.failure, text })
  daemon.state = engineStates.idle
}

const nothingIsBooted = async ({ slots, record }: Machine) => {
  assert.equal((await slots.slots()).find(({ next }) => next)?.id, 'A')
  assert.equal((await record()).images.B, undefined, 'the slot counts as void')
}

test('what SWUpdate wrote is recorded when it has been read back, and activated by the boot record', async t => {
  const { machine, backend, daemon, image } = await scripted(t)
  const { target, head } = await backend.install(pieces(image), contextOf())
  assert.deepEqual([target, head.version, daemon.installs], ['B', '1.1.0', 1])
  assert.equal((await machine.record()).images.B?.version, '1.1.0')
  assert.deepEqual((await machine.record()).order, ['A'], 'not yet')
  await backend.activate('B', '01J')
  assert.deepEqual((await machine.record()).order, ['B', 'A'])
})

test('SWUpdate gets the image byte by byte, and nothing of it before the head has been found good', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  let received: Buffer = Buffer.alloc(0)
  daemon.onImage = (bytes, whole) => {
    received = bytes
    if (whole) finish(machine, daemon)
    else daemon.state = engineStates.run
  }
  await backend.install(pieces(image, 1_000), contextOf())
  assert.ok(received.equals(image))

  const altered = Buffer.from(image)
  altered.write('2.1.0', altered.indexOf('1.1.0'))
  await assert.rejects(backend.install(pieces(altered), contextOf()), { name: 'ImageError', reason: 'signature' })
  assert.equal(daemon.installs, 1, 'it was not even asked')
})

test('SWUpdate never gets a piece that is not in order', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  let received = 0
  daemon.onImage = bytes => {
    daemon.state = engineStates.run
    received = bytes.length
  }
  const damaged = Buffer.from(image)
  damaged.writeUInt8(damaged.readUInt8(200_000) ^ 1, 200_000)
  await assert.rejects(backend.install(pieces(damaged, 10_000), contextOf()), { reason: 'hash' })
  assert.ok(received > 0 && received <= 300_000, `the last piece of the file was kept back; it got ${received} bytes`)
  await nothingIsBooted(machine)
})

for (const [title, image, reason] of [
  ['another device', (machine: Machine) => imageFor({ ...machine, slotPath: () => '/dev/sda' }, payload), 'compatible'],
  ['the slot that runs', (machine: Machine) => imageFor({ ...machine, slotPath: () => machine.slotPath('A') }, payload), 'compatible'],
] as const) {
  test(`an image that writes to ${title} is refused`, async t => {
    const { backend, daemon, machine } = await scripted(t)
    await assert.rejects(backend.install(pieces(await image(machine)), contextOf()), { name: 'ImageError', reason })
    assert.equal(daemon.installs, 0)
  })
}

test('case 51: trap 1: a connection that breaks at the end of a good image is a success', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  const trailer = image.lastIndexOf('TRAILER!!!')
  daemon.onImage = (bytes, _, socket) => {
    if (bytes.length < trailer || daemon.state === engineStates.idle) {
      daemon.state = engineStates.run
      return
    }
    finish(machine, daemon)
    socket.destroy()
  }
  // The engine has what it needs, and the padding of the archive comes much later.
  async function* slowEnd() {
    yield* pieces(image.subarray(0, trailer + 16), 30_000)
    await new Promise(resolve => setTimeout(resolve, 20))
    yield image.subarray(trailer + 16)
  }
  const { target } = await backend.install(slowEnd(), contextOf())
  assert.equal(target, 'B')
  assert.equal((await machine.record()).images.B?.version, '1.1.0')
})

test('trap 1: a connection that breaks in the middle is what the status says it is', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  daemon.onImage = (bytes, _, socket) => {
    daemon.state = engineStates.run
    if (bytes.length < 100_000) return
    fail(daemon, 'cannot write 16384 bytes: No space left on device', 'Error streaming rootfs.img')
    socket.destroy()
  }
  await assert.rejects(backend.install(pieces(image, 30_000), contextOf()), { name: 'BackendError', reason: 'nospace' })
  await nothingIsBooted(machine)
})

test('trap 2: nobody but one asks for the status, and no message of another installation is taken before ours has begun', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  daemon.onImage = (_, whole) => {
    daemon.state = engineStates.run
    for (let index = 0; index < 20; index += 1) daemon.queue.push({ state: engineStates.run, text: `line ${index}` })
    if (whole) finish(machine, daemon)
  }
  await backend.install(pieces(image, 50_000), contextOf())
  assert.equal(daemon.asked.atOnce, 1)
  assert.ok(daemon.asked.times > 20)

  daemon.asked.times = 0
  daemon.refusal = 'Installation in progress'
  await assert.rejects(backend.install(pieces(image), contextOf()), { reason: 'busy' })
  assert.equal(daemon.asked.times, 0)
})

test('trap 3: the result of an installation before this one is not ours', async t => {
  const sockets = shortFolder(t)
  const daemon = await startFakeDaemon(t, sockets)
  daemon.last = engineStates.success
  const control = createControl(sockets)
  const over = awaitOutcome(control, realClock, () => {}, new AbortController().signal)
  let known = false
  void over.then(() => {
    known = true
  })
  // The installer has not begun: idle, and an old success.
  while (daemon.asked.times < 3 && !known) await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal(known, false)
  daemon.queue.push({ state: engineStates.start, text: 'Software Update started !' })
  fail(daemon, 'ERROR : HASH mismatch', 'Image invalid or corrupted. Not installing ...')
  assert.deepEqual(await over, {
    succeeded: false,
    complaints: ['ERROR : HASH mismatch', 'Image invalid or corrupted. Not installing ...'],
  })
})

/** Lets time pass on a test clock until the work is over, a step whenever `may` allows it. */
async function passing<T>(clock: ReturnType<typeof testClock>, stepMs: number, work: Promise<T>, may = () => true): Promise<T> {
  let over = false
  const end = () => {
    over = true
  }
  work.then(end, end)
  while (!over) {
    await new Promise(resolve => setTimeout(resolve, 5))
    if (!over && may()) await clock.pass(stepMs)
  }
  return work
}

test('trap 4: an engine that hangs is given up after ten minutes, and does not keep the connection', async t => {
  const clock = testClock(Date.now())
  const { backend, daemon, image } = await scripted(t, clock)
  daemon.onImage = () => {
    daemon.state = engineStates.run
    daemon.hangs = true
  }
  const begin = clock.monotonicMs()
  await assert.rejects(passing(clock, 10_000, backend.install(pieces(image), contextOf())), { name: 'BackendError', reason: 'timeout' })
  const took = clock.monotonicMs() - begin
  assert.ok(took >= limits.engineSilentTimeoutMs && took < limits.engineSilentTimeoutMs + 60_000, `${took} ms`)
  await daemon.left
  assert.equal(clock.pending(), 0, 'no timer is left')
})

test('trap 4: an engine that does not even answer is given up', async t => {
  const clock = testClock(Date.now())
  const { backend, daemon, image, machine } = await scripted(t, clock)
  daemon.hangs = true
  await assert.rejects(passing(clock, 10_000, backend.install(pieces(image), contextOf())), { name: 'BackendError', reason: 'timeout' })
  await nothingIsBooted(machine)
  assert.equal(clock.pending(), 0)
})

test('trap 4: a sender that stalls does not block the engine for ever', async t => {
  const clock = testClock(Date.now())
  const { backend, daemon, image } = await scripted(t, clock)
  daemon.onImage = () => {
    daemon.state = engineStates.run
  }
  async function* stalled() {
    yield image.subarray(0, 100_000)
    await new Promise(() => {})
  }
  await assert.rejects(passing(clock, 10_000, backend.install(stalled(), contextOf())), { reason: 'timeout' })
  await daemon.left
})

test('trap 4: an engine that talks without end has an hour for it', async t => {
  const clock = testClock(Date.now())
  const { backend, daemon, image } = await scripted(t, clock)
  daemon.onImage = () => {
    daemon.state = engineStates.run
    daemon.chatter = 'still erasing'
  }
  const begin = clock.monotonicMs()
  let heard = 0
  const wasHeard = () => {
    if (daemon.asked.times < heard + 2) return false
    heard = daemon.asked.times
    return true
  }
  await assert.rejects(passing(clock, 30_000, backend.install(pieces(image), contextOf()), wasHeard), { reason: 'timeout' })
  const took = clock.monotonicMs() - begin
  assert.ok(took >= limits.engineTotalTimeoutMs && took < limits.engineTotalTimeoutMs + 120_000, `${took} ms`)
})

test('trap 5: an engine that is busy answers busy, and what the slot holds stays', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  await backend.install(pieces(image), contextOf())
  daemon.refusal = 'Installation in progress'
  await assert.rejects(backend.install(pieces(image), contextOf()), { name: 'BackendError', reason: 'busy' })
  assert.equal((await machine.record()).images.B?.version, '1.1.0')
  daemon.refusal = 'Selection is not allowed'
  await assert.rejects(backend.install(pieces(image), contextOf()), { name: 'BackendError', reason: 'io' })
})

test('trap 5: a second installation while one runs is busy', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  const { promise: go, resolve } = Promise.withResolvers<void>()
  async function* held() {
    yield image.subarray(0, 100_000)
    await go
    yield image.subarray(100_000)
  }
  const first = backend.install(held(), contextOf())
  await assert.rejects(backend.install(pieces(image), contextOf()), { reason: 'busy' })
  resolve()
  assert.equal((await first).target, 'B')
  assert.equal(daemon.installs, 1)
  assert.ok(machine.content().equals(payload))
})

test('case 53: trap 7: a slot that SWUpdate calls written and that is not is found out before it can be booted (fault 53)', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  for (const content of [Buffer.alloc(0), payload.subarray(1), Buffer.from(payload).fill(0, 299_999)]) {
    daemon.onImage = (_, whole) => {
      daemon.state = engineStates.run
      if (whole) finish(machine, daemon, content)
    }
    await assert.rejects(backend.install(pieces(image), contextOf()), { name: 'BackendError', reason: 'io' })
    await nothingIsBooted(machine)
    await assert.rejects(backend.activate('B', '01J'), { reason: 'io' })
  }
})

test('trap 8: a file that would make its slot grow is refused before SWUpdate gets it', async t => {
  const { backend, daemon, machine } = await scripted(t)
  let received = 0
  daemon.onImage = bytes => {
    daemon.state = engineStates.run
    received = bytes.length
  }
  const large = Buffer.alloc(4_194_305, 1)
  await assert.rejects(backend.install(pieces(await imageFor(machine, large)), contextOf()), { name: 'ImageError', reason: 'nospace' })
  assert.equal(received, 0)
  const bomb = await imageFor(machine, large, { gzip: true })
  assert.ok(bomb.length < 20_000)
  await assert.rejects(backend.install(pieces(bomb, 512), contextOf()), { name: 'ImageError', reason: 'nospace' })
  assert.ok(received < bomb.length)
  await nothingIsBooted(machine)
})

test('case 50: a socket behind which nobody is, and a folder without one', async t => {
  const { backend, daemon, image, sockets, machine } = await scripted(t)
  await backend.install(pieces(image), contextOf())
  daemon.die()
  // What a daemon leaves behind that was killed.
  writeFileSync(join(sockets, 'sockinstctrl'), '')
  for (const folder of [sockets, join(sockets, 'none')]) {
    const stale = machine.withSwupdate({ run: 'daemon', folder })
    await assert.rejects(stale.install(pieces(image), contextOf()), { name: 'BackendError', reason: 'lost' })
    assert.equal((await swupdateProbe({ run: 'daemon', folder }, realClock)).usable, false)
    await stale.recover()
  }
  assert.equal((await machine.record()).images.B?.version, '1.1.0', 'nothing has changed')
})

test('case 50: an engine that goes away in the middle is lost', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  daemon.onImage = bytes => {
    daemon.state = engineStates.run
    if (bytes.length > 100_000) daemon.die()
  }
  await assert.rejects(backend.install(pieces(image, 30_000), contextOf()), { name: 'BackendError', reason: 'lost' })
  await nothingIsBooted(machine)
})

test('an installation that is told to stop is over when it says so', async t => {
  const { backend, daemon, image, machine } = await scripted(t)
  daemon.onImage = () => {
    daemon.state = engineStates.run
  }
  const stop = new AbortController()
  async function* half() {
    yield image.subarray(0, 100_000)
    stop.abort(new Error('enough'))
    await new Promise(() => {})
  }
  await assert.rejects(backend.install(half(), contextOf(stop.signal)), /enough/)
  await daemon.left
  assert.equal(daemon.state, engineStates.idle)
  await nothingIsBooted(machine)
})

test('a start waits for what the daemon has not finished yet', async t => {
  const { backend, daemon } = await scripted(t)
  daemon.state = engineStates.run
  let recovered = false
  const recovering = backend.recover().then(() => {
    recovered = true
  })
  while (daemon.asked.times < 2) await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal(recovered, false)
  daemon.state = engineStates.idle
  await recovering
})

test('beyond engineStopTimeoutMs a start waits no longer for what the daemon does not finish', { timeout: 60_000 }, async t => {
  for (const hangs of [false, true]) {
    const clock = testClock()
    const { backend, daemon } = await scripted(t, clock)
    Object.assign(daemon, { state: engineStates.run, hangs })
    const begin = clock.monotonicMs()
    await passing(clock, 500, backend.recover(), () => clock.pending() > 0)
    const took = clock.monotonicMs() - begin
    assert.ok(took >= limits.engineStopTimeoutMs && took < limits.engineStopTimeoutMs + 2_000, `${took} ms`)
    assert.equal(clock.pending(), 0)
  }
})

test('beyond engineComplaintsMax further complaints about one installation are let go', async t => {
  const sockets = shortFolder(t)
  const daemon = await startFakeDaemon(t, sockets)
  const complaints = Array.from({ length: limits.engineComplaintsMax + 1 }, (_, index) => `complaint ${index}`)
  for (const told of [complaints.slice(0, -1), complaints]) {
    daemon.queue.push({ state: engineStates.start, text: 'Software Update started !' })
    fail(daemon, ...told)
    const outcome = await awaitOutcome(createControl(sockets), realClock, () => {}, new AbortController().signal)
    assert.deepEqual(outcome, { succeeded: false, complaints: complaints.slice(0, limits.engineComplaintsMax) })
    assert.equal(daemon.queue.length, 0, 'all of them have been read')
  }
})

/** SWUpdate for one installation, which this script stands in for. */
const startScript = (folder: string, script: string, clock: Clock = realClock) =>
  startServer({ command: ['/bin/sh', '-c', script], folder, board, trust: trusting(ca.caPem), storage: createFileStorage(), clock })

/** The process that the script has left its number of. */
async function assertGone(file: string): Promise<void> {
  const pid = readFileSync(file, 'utf8').trim()
  await eventually(async () => {
    // One that has ended and whom nobody has waited for yet is gone as well.
    const stat = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : 'gone Z'
    assert.match(stat, / Z/)
  })
}

test('beyond engineStartTimeoutMs an SWUpdate that has no sockets is given up, and nothing of it is left', { timeout: 60_000 }, async t => {
  const folder = shortFolder(t)
  const clock = testClock()
  const begin = clock.monotonicMs()
  const starting = startScript(folder, 'echo still loading; sleep 60 & echo $! > sleeping; wait', clock)
  starting.catch(() => {})
  while (!existsSync(join(folder, 'sleeping'))) await new Promise(resolve => setTimeout(resolve, 5))
  await assert.rejects(
    passing(clock, 500, starting, () => clock.pending() > 0),
    (error: unknown) => {
      assert.ok(error instanceof BackendError && error.reason === 'io' && error.cause instanceof Error)
      assert.equal(error.cause.message, 'still loading\n')
      return true
    },
  )
  const took = clock.monotonicMs() - begin
  assert.ok(took >= limits.engineStartTimeoutMs && took < limits.engineStartTimeoutMs + 2_000, `${took} ms`)
  await assertGone(join(folder, 'sleeping'))
  assert.equal(clock.pending(), 0)
})

test('within engineStartTimeoutMs an SWUpdate that is late is taken', { timeout: 60_000 }, async t => {
  const folder = shortFolder(t)
  const clock = testClock()
  const starting = startScript(folder, 'sleep 60', clock)
  let isOver = false
  const over = () => {
    isOver = true
  }
  starting.then(over, over)
  // Every look at the sockets ends with the pause before the next one.
  const looked = async () => {
    while (clock.pending() < 2 && !isOver) await new Promise(resolve => setTimeout(resolve, 5))
  }
  await looked()
  await clock.pass(limits.engineStartTimeoutMs - 1_000)
  await looked()
  assert.equal(isOver, false)
  await startFakeDaemon(t, folder)
  await clock.pass(500)
  const server = await starting
  await server.stop()
})

test('beyond engineOutputCharactersMax the last words are kept of an SWUpdate that does not start', async t => {
  for (const [characters, kept] of [
    [limits.engineOutputCharactersMax - 8, limits.engineOutputCharactersMax - 1],
    [limits.engineOutputCharactersMax, limits.engineOutputCharactersMax],
    [100_000, limits.engineOutputCharactersMax],
  ] as const) {
    await assert.rejects(startScript(shortFolder(t), `printf '%0${characters}d' 0; printf 'the end'`), (error: unknown) => {
      assert.ok(error instanceof BackendError && error.reason === 'io' && error.cause instanceof Error)
      assert.equal(error.cause.message, `${'0'.repeat(kept - 7)}the end`)
      return true
    })
  }
})

test('beyond engineOutputCharactersMax nobody is SWUpdate who says so', async t => {
  const folder = shortFolder(t)
  const saying = (zeroes: number) => ['/bin/sh', '-c', `printf '%0${zeroes}d' 0; printf 'SWUpdate v2022.12'`]
  const within = limits.engineOutputCharactersMax - 'SWUpdate v2022.12'.length
  assert.deepEqual(await swupdateProbe({ run: 'once', command: saying(within), folder }, realClock), { usable: true, version: '2022.12' })
  const late = await swupdateProbe({ run: 'once', command: saying(limits.engineOutputCharactersMax - 7), folder }, realClock)
  assert.match(late.reason ?? '', /is not SWUpdate/)
})

test('beyond engineProbeTimeoutMs nobody is asked any more whether he is SWUpdate, and nothing of him is left', {
  timeout: 60_000,
}, async t => {
  const { daemon, sockets } = await scripted(t)
  daemon.hangs = true
  const sleeping = join(sockets, 'sleeping')
  const script = `echo SWUpdate v2022.12; sleep 60 & echo $! > ${sleeping}; wait`
  for (const settings of [
    { run: 'daemon', folder: sockets },
    { run: 'once', folder: sockets, command: ['/bin/sh', '-c', script] },
  ] as const) {
    const clock = testClock()
    let isOver = false
    const probing = swupdateProbe(settings, clock).finally(() => {
      isOver = true
    })
    while (settings.run === 'once' && !existsSync(sleeping)) await new Promise(resolve => setTimeout(resolve, 5))
    await clock.pass(limits.engineProbeTimeoutMs - 1)
    await new Promise(resolve => setTimeout(resolve, 50))
    assert.equal(isOver, false)
    await clock.pass(1)
    assert.equal(clock.pending(), 0, 'nobody waits any more')
    assert.match((await probing).reason ?? '', /no SWUpdate answers|does not end/)
  }
  await assertGone(sleeping)
})

test('what SWUpdate refuses has the reason that it gives', async t => {
  const { backend, daemon, image } = await scripted(t)
  for (const [complaint, name, reason] of [
    ['Authentication of all signatures failed', 'ImageError', 'signature'],
    ['SW not compatible with hardware', 'ImageError', 'compatible'],
    ['No downgrading allowed: new version 1.1.0 <= installed 1.5.0', 'ImageError', 'version'],
    ['CPIO Format not recognized: magic not found', 'ImageError', 'format'],
    ['cannot write 16384 bytes: No space left on device', 'BackendError', 'nospace'],
    ['something new', 'BackendError', 'io'],
  ] as const) {
    daemon.onImage = (_, whole) => {
      daemon.state = engineStates.run
      if (whole) fail(daemon, complaint, 'Image invalid or corrupted. Not installing ...')
    }
    await assert.rejects(backend.install(pieces(image), contextOf()), { name, reason }, complaint)
  }
})

test('an SWUpdate that cannot be started is no engine', async t => {
  const folder = shortFolder(t)
  assert.deepEqual((await swupdateProbe({ run: 'once', command: [join(folder, 'none')], folder }, realClock)).usable, false)
  assert.match((await swupdateProbe({ run: 'once', command: ['/bin/true'], folder }, realClock)).reason ?? '', /is not SWUpdate/)
  assert.match((await swupdateProbe({ run: 'daemon', folder: join(folder, 'x'.repeat(100)) }, realClock)).reason ?? '', /too long/)
  const machine = await makeMachine(t)
  const backend = machine.withSwupdate({ run: 'once', command: ['/bin/false'], folder })
  await assert.rejects(backend.install(pieces(await imageFor(machine, payload)), contextOf()), { name: 'BackendError', reason: 'io' })
  assert.ok(!existsSync(join(folder, 'sockinstctrl')))
})
