import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe as group, type TestContext, test } from 'node:test'
import { makeDevelopmentCa } from '../../../src/device/firmware/developmentCa.ts'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import { createControl } from '../../../src/platform/swupdate/control.ts'
import { swupdateProbe } from '../../../src/platform/swupdate/probe.ts'
import { startServer } from '../../../src/platform/swupdate/server.ts'
import { certificate, describe, lacksTools, leafExtensions, makeCertificate, makeRoot, makeSwu } from '../../device/firmware/openssl.ts'
import { board, ca, pieces, trusting } from '../../device/firmware/workbench.ts'
import { eventually } from '../../support/daemon.ts'
import { contextOf, imageFor, type Machine, type MachineOptions, makeMachine, realClock, shortFolder } from './bench.ts'
import { lacksSwupdate, program, startDaemon } from './debian.ts'

const payload = randomBytes(2_500_000)

/** A device with SWUpdate as a daemon, or started for every installation. */
async function device(
  t: TestContext,
  run: 'daemon' | 'once',
  { authorities = ca.caPem, ...options }: MachineOptions & { authorities?: string } = {},
) {
  const machine = await makeMachine(t, { trust: trusting(authorities), ...options })
  const folder = shortFolder(t)
  const file = join(machine.folder, 'ca.pem')
  writeFileSync(file, authorities)
  const daemon = run === 'daemon' ? await startDaemon(t, folder, file) : undefined
  const backend = machine.withSwupdate(run === 'daemon' ? { run, folder } : { run, folder, command: [program] })
  return { machine, folder, daemon, backend }
}

/** Processes of a folder's SWUpdate, by what stands in their environment. A dead one that nobody has fetched has none. */
const processesOf = (folder: string): readonly string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${folder}\0`)
      } catch {
        return false
      }
    })

/** Descriptions for this machine, in the form of the README. */
const forMachine = (machine: Machine, change: (software: Readonly<Record<string, unknown>>) => object = software => software) =>
  describe((software, image) =>
    Object.fromEntries(
      Object.entries(
        change({
          ...software,
          stable: {
            'copy-a': { images: [image(machine.slotPath('A'))] },
            'copy-b': { images: [image(machine.slotPath('B'))] },
          },
        }),
      ),
    ),
  )

for (const run of ['daemon', 'once'] as const) {
  group(`Debian’s swupdate, ${run === 'daemon' ? 'as a daemon' : 'started for one installation'}`, { skip: lacksSwupdate }, () => {
    test('is found', async t => {
      const { folder } = await device(t, run)
      const settings = run === 'daemon' ? { run, folder } : { run, folder, command: [program] }
      assert.equal((await swupdateProbe(settings, realClock)).usable, true)
    })

    test('installs what our builder builds, and tells how far it is', async t => {
      const { machine, backend, folder } = await device(t, run)
      const percents: number[] = []
      const { target } = await backend.install(
        pieces(await imageFor(machine, payload)),
        contextOf(undefined, value => percents.push(value)),
      )
      assert.equal(target, 'B')
      assert.ok(machine.content().equals(payload))
      assert.ok(percents.length >= 10, `${percents.length} reports`)
      assert.ok(percents.every(percent => percent >= 0 && percent <= 100) && percents.includes(100))
      await backend.activate('B', '01J')
      assert.deepEqual((await machine.record()).order, ['B', 'A'])
      if (run === 'once') assert.deepEqual(processesOf(folder), [])
    })

    test('unpacks what is compressed', async t => {
      const { machine, backend } = await device(t, run)
      const text = Buffer.from('a firmware that can be compressed. '.repeat(20_000))
      await backend.install(pieces(await imageFor(machine, text, { gzip: true })), contextOf())
      assert.ok(machine.content().equals(text))
      assert.equal((await machine.record()).images.B?.sizeBytes, text.length)
    })

    group('with openssl and cpio', { skip: lacksTools }, () => {
      before(() => {
        makeRoot('root')
        makeCertificate('leaf', 'root', leafExtensions, 'rsa:2048')
      })

      test('installs an image that was made with them alone', async t => {
        const { machine, backend } = await device(t, run, { authorities: certificate('root') })
        await backend.install(pieces(makeSwu({ payload, description: forMachine(machine) })), contextOf())
        assert.ok(machine.content().equals(payload))
      })

      test('installs one whose files do not stand there once for each slot', async t => {
        const { machine, backend } = await device(t, run, { authorities: certificate('root') })
        const description = describe(({ stable: _, ...software }, image) => ({ ...software, images: [image(machine.slotPath('B'))] }))
        await backend.install(pieces(makeSwu({ payload, description })), contextOf())
        assert.ok(machine.content().equals(payload))
      })

      test('never sees an image that would change the boot environment', async t => {
        const { machine, backend } = await device(t, run, { authorities: certificate('root') })
        const description = forMachine(machine, software => ({ ...software, bootenv: [{ name: 'rootpart', value: 'b' }] }))
        await assert.rejects(backend.install(pieces(makeSwu({ payload, description })), contextOf()), { reason: 'format' })
        assert.equal(machine.content().length, 0)
      })
    })

    test('case 50: a kill in the middle is lost, leaves the old firmware, and the next installation is good', async t => {
      const { machine, backend, folder, daemon } = await device(t, run)
      const image = await imageFor(machine, payload)
      async function* killing() {
        yield* pieces(image.subarray(0, 1_500_000))
        await eventually(async () => assert.ok(machine.content().length > 0))
        if (daemon) await daemon.kill()
        // The shell in front of it stays, as when the system kills SWUpdate alone.
        else for (const pid of processesOf(folder).filter(isSwupdate)) process.kill(Number(pid), 'SIGKILL')
        yield* pieces(image.subarray(1_500_000))
      }
      await assert.rejects(backend.install(killing(), contextOf()), { name: 'BackendError', reason: 'lost' })
      assert.equal((await machine.slots.slots()).find(({ next }) => next)?.id, 'A')
      assert.equal((await machine.record()).images.B, undefined)
      if (daemon) await startDaemon(t, folder, join(machine.folder, 'ca.pem'))
      await backend.install(pieces(image), contextOf())
      assert.ok(machine.content().equals(payload))
    })

    test('is told to stop in the middle, and is free again', async t => {
      const { machine, backend } = await device(t, run)
      const image = await imageFor(machine, payload)
      const stop = new AbortController()
      async function* half() {
        yield* pieces(image.subarray(0, 1_500_000))
        await eventually(async () => assert.ok(machine.content().length > 0))
        stop.abort(new Error('enough'))
        yield* pieces(image.subarray(1_500_000))
      }
      await assert.rejects(backend.install(half(), contextOf(stop.signal)), /enough/)
      const length = machine.content().length
      await new Promise(resolve => setTimeout(resolve, 50))
      assert.equal(machine.content().length, length, 'nobody writes any more')
      await backend.install(pieces(image), contextOf())
      assert.ok(machine.content().equals(payload))
    })
  })
}

const isSwupdate = (pid: string): boolean => readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(program)

group('Debian’s swupdate', { skip: lacksSwupdate }, () => {
  test('outlives whoever does not wait for its answer', async t => {
    const { folder } = await device(t, 'daemon')
    const control = createControl(folder)
    for (let asked = 0; asked < 200; asked++) {
      const patience = new AbortController()
      const answer = control.status(patience.signal)
      await new Promise(resolve => setImmediate(resolve))
      patience.abort()
      await answer.catch(() => {})
    }
    await control.hardware()
  })

  test('trap 5: is busy with somebody else', async t => {
    const { machine, backend, folder } = await device(t, 'daemon')
    const other = new AbortController()
    await createControl(folder).install({ set: 'stable', mode: 'copy-b' }, other.signal)
    await assert.rejects(backend.install(pieces(await imageFor(machine, payload)), contextOf()), { name: 'BackendError', reason: 'busy' })
    other.abort()
    await backend.recover()
    await backend.install(pieces(await imageFor(machine, payload)), contextOf())
    assert.ok(machine.content().equals(payload))
  })

  test('that trusts somebody else refuses, and what it refused is not booted', async t => {
    const { machine } = await device(t, 'daemon')
    const folder = shortFolder(t)
    const file = join(machine.folder, 'other.pem')
    writeFileSync(file, (await makeDevelopmentCa(new Date())).caPem)
    await startDaemon(t, folder, file)
    const backend = machine.withSwupdate({ run: 'daemon', folder })
    await assert.rejects(backend.install(pieces(await imageFor(machine, payload)), contextOf()), {
      name: 'ImageError',
      reason: 'signature',
    })
    assert.equal((await machine.record()).images.B, undefined)
  })

  test('trap 5: refuses what it was not told to accept', async t => {
    const { folder } = await device(t, 'daemon')
    await assert.rejects(createControl(folder).install({ set: 'stable', mode: 'copy-c' }, t.signal), { name: 'BackendError', reason: 'io' })
  })

  test('case 52: trap 6: nothing of it is left behind, however it ends', async t => {
    const folder = shortFolder(t)
    const parts = { command: [program], folder, board, trust: trusting(ca.caPem), storage: createFileStorage(), clock: realClock }
    const server = await startServer(parts)
    await eventually(async () => assert.ok(processesOf(folder).length >= 3, 'a shell, SWUpdate and its child'))
    await server.stop()
    await eventually(async () => assert.deepEqual(processesOf(folder), []))

    await assert.rejects(startServer({ ...parts, trust: trusting('no certificate') }), { name: 'BackendError', reason: 'io' })
    await eventually(async () => assert.deepEqual(processesOf(folder), []))
  })

  test('case 52: trap 6: it ends when the process that started it is gone', async t => {
    const folder = shortFolder(t)
    const script = `
      const { startServer } = await import(${JSON.stringify(new URL('../../../src/platform/swupdate/server.ts', import.meta.url).href)})
      const { createFileStorage } = await import(${JSON.stringify(new URL('../../../src/platform/fileStorage.ts', import.meta.url).href)})
      const clock = { monotonicMs: () => performance.now(), after: (ms, act) => { const timer = setTimeout(act, ms); return () => clearTimeout(timer) } }
      const trust = async () => ({ authorities: ${JSON.stringify(ca.caPem)} })
      await startServer({ command: ['${program}'], folder: '${folder}', board: { name: 'b', revision: '1' }, trust, storage: createFileStorage(), clock })
      console.log('started')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    await new Promise((resolve, reject) => child.once('exit', () => reject(new Error('it ended'))).stdout.once('data', resolve))
    assert.ok(processesOf(folder).length >= 2)
    child.kill('SIGKILL')
    await eventually(async () => assert.deepEqual(processesOf(folder), []))
  })

  test('trap 7: it syncs nothing of a slot that is a file, we do', async t => {
    const storage = createFileStorage()
    const synced: string[] = []
    const { machine, backend } = await device(t, 'daemon', {
      storage: {
        ...storage,
        async fsync(path) {
          synced.push(path)
          await storage.fsync(path)
        },
      },
    })
    synced.length = 0
    await backend.install(pieces(await imageFor(machine, payload)), contextOf())
    const slot = synced.indexOf(machine.slotPath('B'))
    assert.ok(slot !== -1 && slot < synced.length - 1, 'the slot, and behind it the record that it is complete')
    assert.match(synced.at(-1) ?? '', /env[01]\.bin$/)
  })
})
