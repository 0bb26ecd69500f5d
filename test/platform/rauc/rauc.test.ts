import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type FileHandle, open, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { limits } from '../../../src/limits.ts'
import type { InstallContext, UpdateBackend } from '../../../src/platform/platform.ts'
import { withRauc } from '../../../src/platform/rauc/rauc.ts'
import { raucProbe } from '../../../src/platform/rauc/raucEngine.ts'
import { testClock } from '../../auth/support.ts'
import { makePki, type Pki } from '../../conformance/pki.ts'
import { pieces } from '../../device/firmware/workbench.ts'
import { eventually } from '../../support/daemon.ts'
import { clock, context, lacksRauc, makeRaucDevice, manifestOf, type RaucDevice } from './raucDevice.ts'

const pki: Pki | undefined = lacksRauc ? undefined : makePki()
const payload = () => randomBytes(150_000)

/** A test on a device of its own. */
function onDevice(name: string, run: (device: RaucDevice) => Promise<void>, options: Parameters<typeof makeRaucDevice>[2] = {}): void {
  test(name, { skip: lacksRauc }, async t => {
    if (pki) await run(await makeRaucDevice(t, pki, options))
  })
}

const install = (backend: UpdateBackend, image: Buffer, change: Partial<InstallContext> = {}) =>
  backend.install(pieces(image), { ...context, ...change })

const brief = async (backend: UpdateBackend) =>
  (await backend.slots()).map(
    slot =>
      `${slot.id}${slot.running ? ' running' : ''}${slot.confirmed ? ' confirmed' : ''}${slot.next ? ' next' : ''} ${slot.version ?? '-'} ${slot.transaction ?? '-'}`,
  )

const isStaged = async (device: RaucDevice): Promise<boolean> => (await readdir(device.upgrade)).includes('bundle.raucb')

onDevice('a bundle is installed, activated, tried and confirmed, and every step may be repeated', async device => {
  const backend = await device.engine()
  await backend.recover()
  assert.deepEqual(await brief(backend), ['A running confirmed next 1.0.0 -', 'B - -'])
  const content = payload()
  const heads: string[] = []
  const percents: number[] = []
  const { target, head } = await install(backend, device.bundle({ payload: content }), {
    onHead: ({ version, signers }) => heads.push(`${version} ${signers}`),
    onProgress: percent => percents.push(percent),
    async beforeActivation() {
      heads.push('before activation')
      assert.equal(device.environment('BOOT_ORDER'), 'A B')
    },
  })
  assert.deepEqual([target, head.version, heads], ['B', '1.1.0', ['1.1.0 CN=signer', 'before activation']])
  assert.ok(percents.length > 3 && percents.at(-1) === 100, `progress: ${percents}`)
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
  )
  assert.ok(device.content('B').subarray(0, content.length).equals(content))
  assert.equal(await isStaged(device), false)
  assert.deepEqual(
    await brief(backend),
    ['A running confirmed next 1.0.0 -', 'B next 1.1.0 01J'].map(line => line.replace(/^(A.*) next/, '$1')),
  )
  const before = device.environment('BOOT_B_LEFT')
  await backend.activate('B', '01J')
  assert.deepEqual([before, device.environment('BOOT_ORDER')], ['3', 'B A'])

  await device.boot('B')
  const trial = await device.engine()
  await trial.recover()
  assert.deepEqual(await brief(trial), ['A confirmed 1.0.0 -', 'B running next 1.1.0 01J'])
  await assert.rejects(install(trial, device.bundle({ payload: content })), { reason: 'busy' }, 'the other slot is the way back')
  await assert.rejects(trial.discard(), { reason: 'busy' })
  device.setEnvironment('BOOT_B_LEFT', '2')
  await trial.confirm('01J')
  await trial.confirm('01J')
  assert.equal(device.environment('BOOT_B_LEFT'), '3')
  assert.deepEqual(await brief(trial), ['A 1.0.0 -', 'B running confirmed next 1.1.0 -'])
  await trial.reject('01J')
  assert.equal(device.environment('BOOT_ORDER'), 'B A', 'what is confirmed is not rejected')

  device.setEnvironment('BOOT_B_LEFT', '1')
  await (await device.engine()).recover()
  assert.equal(device.environment('BOOT_B_LEFT'), '3', 'a start of the confirmed slot is a good one')
})

onDevice('a sick image is rejected, and the other slot is next', async device => {
  const backend = await device.engine()
  await install(backend, device.bundle({ payload: payload() }))
  await device.boot('B')
  const trial = await device.engine()
  await trial.recover()
  device.setEnvironment('BOOT_B_LEFT', '2')
  // As a boot script leaves it that drops the slot it came from.
  device.setEnvironment('BOOT_ORDER', 'B')
  await trial.reject('01J')
  await trial.reject('01J')
  assert.deepEqual([device.environment('BOOT_ORDER'), device.environment('BOOT_B_LEFT')], ['A', '0'])
  await device.boot('A')
  const back = await device.engine()
  await back.recover()
  assert.deepEqual(await brief(back), ['A running confirmed next 1.0.0 -', 'B 1.1.0 01J'])
  await back.discard()
  assert.deepEqual(await brief(back), ['A running confirmed next 1.0.0 -', 'B 1.1.0 -'])
})

onDevice('what was activated and is given up is not booted', async device => {
  const backend = await device.engine()
  await install(backend, device.bundle({ payload: payload() }))
  await backend.discard()
  assert.deepEqual(await brief(backend), ['A running confirmed next 1.0.0 -', 'B 1.1.0 -'])
  await backend.activate('B', '02J')
  assert.deepEqual(await brief(backend), ['A running confirmed 1.0.0 -', 'B next 1.1.0 02J'])
})

onDevice('a way back that nothing leads away from stays when an upgrade is refused', async device => {
  await install(await device.engine(), device.bundle({ payload: payload() }))
  await device.boot('B')
  const backend = await device.engine()
  await backend.confirm('01J')
  await assert.rejects(install(backend, Buffer.from('GIF89a')), { reason: 'format' })
  await backend.discard()
  assert.equal(device.environment('BOOT_A_LEFT'), '3')
})

onDevice('refused bundles give their reasons, leave no file, and reach no slot', async device => {
  const good = device.bundle({ payload: payload() })
  const signatureAt = good.length - 8 - good.readUInt32BE(good.length - 4)
  const flipped = (at: number) => Buffer.concat([good.subarray(0, at), Buffer.from([good.readUInt8(at) ^ 1]), good.subarray(at + 1)])
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['27 a changed payload', flipped(5_000), 'hash'],
    ['27 a changed byte of the padding', flipped(signatureAt - 1), 'hash'],
    ['28 another CA', device.bundle({ payload: payload(), signer: pki?.stranger }), 'signature'],
    ['29 an expired signer', device.bundleByHand({ 'manifest.raucm': '' }, pki?.expired), 'expired'],
    ['31 a revoked signer', device.bundle({ payload: payload(), signer: pki?.revoked }), 'revoked'],
    ['32 no signature', good.subarray(0, signatureAt), 'signature'],
    ['32 SHA-1', device.bundleByHand({ 'manifest.raucm': '' }, pki?.good, 'sha1'), 'signature'],
    ['32 a changed signature', flipped(good.length - 12), 'signature'],
    ['33 an older version', device.bundle({ payload: payload(), version: '0.9.0' }), 'version'],
    ['34 another board', device.bundle({ payload: payload(), compatible: 'other-cam-9' }), 'compatible'],
    ['23 a truncated payload', good.subarray(0, 100_000), 'truncated'],
    ['23 a truncated signature', good.subarray(0, good.length - 100), 'truncated'],
    ['23 a truncated head', good.subarray(0, 50), 'truncated'],
    ['35 garbage', randomBytes(10_000), 'format'],
    ['35 a manifest that is none', device.bundleByHand({ 'manifest.raucm': 'nonsense' }), 'format'],
    ['26 larger than a slot', device.bundle({ payload: randomBytes(400_000) }), 'nospace'],
  ]
  const backend = await device.engine()
  for (const [name, image, reason] of cases) {
    await assert.rejects(install(backend, image), { name: 'ImageError', reason }, name)
    assert.equal(await isStaged(device), false, name)
  }
  assert.equal(device.environment('BOOT_ORDER'), 'A B')
  assert.ok(device.content('B').every(byte => byte === 0))
})

onDevice('what RAUC alone can find out is told by what it says', async device => {
  const manifest = manifestOf({ payload: payload() })
  const backend = await device.engine()
  for (const files of [
    { 'manifest.raucm': manifest },
    { 'manifest.raucm': manifest.replace('image.rootfs', 'image.appfs'), 'rootfs.img': payload() },
  ]) {
    await assert.rejects(install(backend, device.bundleByHand(files)), { name: 'ImageError', reason: 'format' })
    assert.equal(await isStaged(device), false)
    assert.equal((await backend.slots()).find(({ next }) => next)?.id, 'A')
  }
})

onDevice('a bundle signed with SHA-512 is taken', async device => {
  const content = payload()
  const files = { 'manifest.raucm': manifestOf({ payload: content }), 'rootfs.img': content }
  const image = device.bundleByHand(files, pki?.good, 'sha512')
  const backend = await device.engine()
  const altered = Buffer.concat([image.subarray(0, 9_000), randomBytes(9), image.subarray(9_009)])
  await assert.rejects(install(backend, altered), { reason: 'hash' })
  assert.equal((await install(backend, image)).target, 'B')
})

onDevice('a verity bundle is verified by its manifest, and needs a kernel that has it', async device => {
  const backend = await device.engine({ plain: false })
  const good = device.bundle({ payload: payload(), format: 'verity' })
  const heads: string[] = []
  const hasVerity = await stat('/dev/mapper/control').then(
    () => true,
    () => false,
  )
  const outcome = await install(backend, good, { onHead: ({ version }) => heads.push(version) }).then(
    () => 'installed',
    (error: Error) => error.message,
  )
  assert.deepEqual(heads, ['1.1.0'])
  if (!hasVerity) assert.match(outcome, /\/dev\/mapper\/control/)
  const manifestAt = good.lastIndexOf('version=1.1.0')
  const altered = Buffer.concat([good.subarray(0, manifestAt), Buffer.from('version=1.2.0'), good.subarray(manifestAt + 13)])
  await assert.rejects(install(backend, altered), { name: 'ImageError', reason: 'signature' })
  await assert.rejects(install(backend, device.bundle({ payload: payload(), format: 'verity', signer: pki?.stranger })), {
    reason: 'signature',
  })
})

onDevice('case 48: trap 1: while somebody else installs, an upload is refused as busy, whatever Operation says', async device => {
  const backend = await device.engine()
  await backend.recover()
  await backend.slots()
  const bundle = join(device.folder, 'foreign.raucb')
  await writeFile(bundle, device.bundle({ payload: payload(), version: '1.5.0' }))
  const { reached, release } = device.hold('BOOT_B_LEFT', '3')
  device.call('InstallBundle', bundle, '{}')
  await reached()
  const image = device.bundle({ payload: payload() })
  await assert.rejects(install(backend, image), { name: 'BackendError', reason: 'busy' })
  assert.throws(() => device.call('InstallBundle', bundle, '{}'), /already processing a different method/i)
  assert.match(device.property('Operation'), /idle/, 'the lie')
  await assert.rejects(install(backend, image), { name: 'BackendError', reason: 'busy' }, 'which nobody believes')
  release()
  await eventually(async () => assert.equal(device.environment('BOOT_ORDER'), 'B A'))
})

onDevice('trap 2: somebody else’s Completed does not end an installation', async device => {
  const backend = await device.engine()
  const { reached, release } = device.hold('BOOT_B_LEFT', '3')
  let isDone = false
  const installing = install(backend, device.bundle({ payload: payload() })).finally(() => {
    isDone = true
  })
  installing.catch(() => {})
  await reached()
  const completed = ['--object-path', '/', '--signal', 'de.pengutronix.rauc.Installer.Completed', '0']
  for (let times = 0; times < 3; times++) device.gdbus('emit', '--session', ...completed)
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.equal(isDone, false)
  release()
  assert.equal((await installing).target, 'B')
})

onDevice('trap 3: while RAUC installs it tells nothing about its slots, and what was known before is shown', async device => {
  const backend = await device.engine()
  const before = await brief(backend)
  const { reached, release } = device.hold('BOOT_B_LEFT', '3')
  const installing = install(backend, device.bundle({ payload: payload() }))
  await reached()
  assert.throws(() => device.call('GetSlotStatus'), /already processing a different method/i)
  assert.deepEqual(
    [before, await brief(backend)],
    [
      ['A running confirmed next 1.0.0 -', 'B - -'],
      ['A running confirmed next 1.0.0 -', 'B - 01J'],
    ],
  )
  assert.equal(await backend.record(), 'whole')
  await assert.rejects(backend.activate('B', '01J'), { reason: 'busy' })
  release()
  await installing
})

onDevice('trap 4: the bundle is closed when RAUC gets it, and one that somebody else holds open is the device’s fault', async device => {
  const backend = await device.engine()
  const image = device.bundle({ payload: payload() })
  const held: FileHandle[] = []
  const failing = install(backend, image, {
    async beforeActivation() {
      held.push(await open(device.staged, 'r+'))
    },
  })
  await assert.rejects(failing, { name: 'BackendError', reason: 'io', message: /F_SETLEASE/ })
  for (const handle of held) await handle.close()
  assert.equal(await isStaged(device), false)
  const links: string[] = []
  await install(backend, image, {
    async beforeActivation() {
      for (const fd of await readdir('/proc/self/fd')) links.push(await readlink(`/proc/self/fd/${fd}`).catch(() => ''))
    },
  })
  assert.ok(links.length > 3 && !links.some(link => link.startsWith(device.upgrade)), links.join(' '))
})

onDevice('trap 5: RAUC takes the bundle over, and it is removed all the same', async device => {
  const backend = await device.engine()
  await install(backend, device.bundle({ payload: payload() }), {
    async beforeActivation() {
      const handle = await open(device.staged)
      if (process.getuid?.() === 0) await handle.chown(65_534, 65_534)
      await handle.chmod(0o444)
      await handle.close()
    },
  })
  assert.equal(await isStaged(device), false)
})

onDevice('trap 6: a plain bundle is refused unless the device is set to take it', async device => {
  const backend = await device.engine({ plain: false })
  await assert.rejects(install(backend, device.bundle({ payload: payload() })), { name: 'ImageError', reason: 'format', message: /plain/ })
  assert.equal(await isStaged(device), false)
})

onDevice('trap 7: anybody may call RAUC; what he installs is not taken for ours, and is tried before it is kept', async device => {
  const backend = await device.engine()
  await backend.recover()
  await install(backend, device.bundle({ payload: payload() }))
  assert.equal((await stat(device.upgrade)).mode & 0o77, 0, 'nobody else can change a bundle between our check and RAUC’s')
  await device.boot('B')
  await (await device.engine()).confirm('01J')
  for (const [version, slot] of [
    ['1.5.0', 'A'],
    ['1.6.0', 'B'],
  ] as const) {
    const bundle = join(device.folder, `foreign-${version}.raucb`)
    await writeFile(bundle, device.bundle({ payload: payload(), version }))
    device.call('InstallBundle', bundle, '{}')
    await eventually(async () => assert.match(device.call('GetPrimary'), slot === 'A' ? /rootfs.0/ : /rootfs.1/))
    await device.boot(slot)
  }
  assert.deepEqual(await brief(await device.engine()), ['A confirmed 1.5.0 -', 'B running next 1.6.0 -'])
})

onDevice('case 47: RAUC is killed while it writes: lost, the old slot is next, and the next installation succeeds', async device => {
  const backend = await device.engine()
  const { reached, release } = device.hold('BOOT_B_LEFT', '3')
  const image = device.bundle({ payload: payload() })
  const installing = install(backend, image)
  installing.catch(() => {})
  await reached()
  await device.killService()
  const startMs = performance.now()
  await assert.rejects(installing, { name: 'BackendError', reason: 'lost' })
  assert.ok(performance.now() - startMs < limits.raucSilenceMs / 2, 'the bus tells, nobody waits for the silence')
  assert.equal(await isStaged(device), false)
  assert.deepEqual([device.environment('BOOT_ORDER'), device.environment('BOOT_B_LEFT')], ['A', '0'])
  await assert.rejects(backend.slots(), { name: 'BackendError', reason: 'lost' })

  release()
  await device.boot('A')
  assert.equal((await install(backend, image)).target, 'B')
  assert.equal(device.environment('BOOT_ORDER'), 'B A')
})

onDevice('beyond busAnswerTimeoutMs a RAUC that is there and says nothing is lost; within it, it may take its time', async device => {
  const time = testClock()
  await withRauc(device.bus, time, async rauc => {
    for (const ask of [() => rauc.slots(), () => rauc.compatible()]) {
      const slow = device.freezeService()
      const answered = ask()
      await time.pass(limits.busAnswerTimeoutMs - 1)
      slow.thaw()
      await answered

      const silent = device.freezeService()
      const lost = assert.rejects(ask(), { name: 'BackendError', reason: 'lost', message: /rauc does not answer/ })
      await time.pass(limits.busAnswerTimeoutMs)
      assert.equal(time.pending(), 0, 'nobody waits any more')
      await lost
      silent.thaw()
    }
  })
})

onDevice('case 49: our restart while RAUC installs: it is waited for, and its slots say what came of it', async device => {
  const bundle = join(device.folder, 'ours.raucb')
  await writeFile(bundle, device.bundle({ payload: payload() }))
  const { reached, release } = device.hold('BOOT_B_LEFT', '3')
  const script = fileURLToPath(new URL('installer.ts', import.meta.url))
  const before = spawn(process.execPath, [script, device.bus, device.upgrade, pki?.authority ?? '', bundle], { stdio: 'ignore' })
  await reached()
  const ended = once(before, 'exit')
  before.kill('SIGKILL')
  await ended
  assert.equal(await isStaged(device), true)

  const backend = await device.engine()
  let isRecovered = false
  const recovering = backend.recover().finally(() => {
    isRecovered = true
  })
  const asked = backend.slots()
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.equal(isRecovered, false)
  release()
  await Promise.all([recovering, asked])
  assert.deepEqual(await brief(backend), ['A running confirmed 1.0.0 -', 'B next 1.1.0 01J'])
  assert.equal(await isStaged(device), false)
})

onDevice('case 15: a full disk under the staged bundle is the device’s fault, and nothing stays there', async device => {
  const full: typeof device.storage = {
    ...device.storage,
    async pwrite(path, offset, bytes) {
      if (offset > 50_000) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      await device.storage.pwrite(path, offset, bytes)
    },
  }
  const backend = await device.engine({ storage: full })
  await assert.rejects(install(backend, device.bundle({ payload: payload() })), { name: 'BackendError', reason: 'nospace' })
  assert.equal(await isStaged(device), false)
})

onDevice('case 41: an upload is ended while it arrives; an installation goes on to its end', async device => {
  const backend = await device.engine()
  assert.equal(backend.canAbort, false)
  const image = device.bundle({ payload: payload() })
  const early = new AbortController()
  async function* body() {
    yield image.subarray(0, 70_000)
    early.abort(new Error('enough'))
    yield image.subarray(70_000)
  }
  await assert.rejects(backend.install(body(), { ...context, signal: early.signal }), /enough/)
  assert.equal(await isStaged(device), false)
  const late = new AbortController()
  const ended = await install(backend, image, { signal: late.signal, onProgress: () => late.abort(new Error('too late')) })
  assert.equal(ended.target, 'B')
})

onDevice('case 19: a lost boot record is told', async device => {
  const backend = await device.engine()
  assert.equal(await backend.record(), 'whole')
  device.damageEnvironment()
  assert.equal(await backend.record(), 'lost')
  assert.deepEqual(
    (await backend.slots()).map(({ next }) => next),
    [false, false],
  )
})

onDevice('without our own memory, a new image with a way back is on trial, and any other one is confirmed', async device => {
  const backend = await device.engine()
  await install(backend, device.bundle({ payload: payload() }))
  await device.boot('B')
  await writeFile(join(device.upgrade, 'rauc.json'), 'damaged')
  assert.deepEqual(
    await brief(backend),
    ['A confirmed next 1.0.0 -', 'B running next 1.1.0 -'].map(line => line.replace('confirmed next', 'confirmed')),
  )
  device.setEnvironment('BOOT_A_LEFT', '0')
  assert.deepEqual(await brief(backend), ['A 1.0.0 -', 'B running confirmed next 1.1.0 -'])
  await backend.confirm('01J')
  assert.match(await readFile(join(device.upgrade, 'rauc.json'), 'utf8'), /"slot":"B"/)
})

onDevice('the probe says whether RAUC is there, and why not', async device => {
  assert.deepEqual(await raucProbe({ bus: device.bus, clock }), { usable: true })
  await device.killService()
  assert.match((await raucProbe({ bus: device.bus, clock })).reason ?? '', /nobody offers/)
  await assert.rejects(device.engine(), { name: 'BackendError', reason: 'lost' })
  assert.match((await raucProbe({ bus: `unix:path=${device.folder}/nothing`, clock })).reason ?? '', /D-Bus cannot be reached/)
  assert.equal((await raucProbe({ bus: 'nonsense', clock })).usable, false)
})
