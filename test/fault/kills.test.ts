import assert from 'node:assert/strict'
import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type OnvifClient } from '../../src/client/onvifClient.ts'
import { nextSlot } from '../../src/platform/slots/launcher.ts'
import { createImageMaker, type KnownImage } from '../soak/images.ts'
import { type Found, judgeFiles, judgeIdle, type Ledger, readState } from '../soak/oracle.ts'
import { admin, eventually } from '../support/daemon.ts'
import { openPosting, post } from '../support/posting.ts'
import { seeded } from '../support/random.ts'
import { startVictim, type Victim } from '../support/victim.ts'

const root = await mkdtemp(join(tmpdir(), 'onvifd-kills-'))
/** A device that was started once and left in peace, to be copied. */
const template = join(root, 'template')
const hooks = join(root, 'hooks')
/** As long as it is there, the health hook waits; what stands in it when it goes is how the hook ends. */
const gate = join(root, 'gate')
const sickness = join(root, 'sick')
const random = seeded(14)
const login = { user: admin.name, password: admin.password }
let image: KnownImage
let factory: KnownImage

before(async () => {
  await mkdir(template, { recursive: true })
  await mkdir(hooks)
  // It ends with the device, too.
  const hook = `while test -e '${gate}' && kill -0 $PPID; do sleep 0.05; done\ntest ! -e '${sickness}'`
  await writeFile(join(hooks, 'well'), `#!/bin/sh\n${hook}\n`, { mode: 0o755 })
  const makeImage = await createImageMaker(template, random)
  const device = startVictim({ state: template })
  await device.ready
  device.process.kill('SIGTERM')
  await device.exited
  const { sha256 = '' } = (await readState(template)).record.images.A ?? {}
  factory = { kind: 'good', version: '1.0.0', sha256, securityEpoch: 0, bytes: Buffer.alloc(0) }
  image = await makeImage('good', 6_000_000)
})
after(() => rm(root, { recursive: true, force: true }))

/** A device under way to the moment of a case. */
interface Scene {
  readonly state: string
  readonly device: Victim
  readonly client: OnvifClient
  /** The address that StartFirmwareUpgrade gave. */
  readonly uri: string
}

interface Case {
  readonly name: string
  readonly args?: readonly string[]
  readonly isSick?: boolean
  /** Goes to the moment, and kills at once. */
  readonly strike: (scene: Scene) => Promise<void>
  /** Whether the files are those of that moment. */
  readonly isHit: (found: Found, scene: Scene) => boolean
  /** What runs in the end, and what is under way then. */
  readonly ends: { readonly runs: 'old' | 'new'; readonly state?: 'Idle' | 'Installed' }
}

const kill = ({ device }: Scene): void => void device.process.kill('SIGKILL')

/** Kills as soon as a file under `folder` shows the moment. */
async function killWhen(scene: Scene, folder: 'upgrade' | 'slots', shows: (text: string) => boolean): Promise<void> {
  const path = join(scene.state, folder)
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(path, (_, name) => {
      if (name === null || name.endsWith('.new') || name.endsWith('.img')) return
      try {
        if (shows(readFileSync(join(path, name), 'latin1'))) kill(scene)
      } catch {
        // It has another name by now.
      }
    })
    await upload(scene)
    await Promise.race([scene.device.exited, sleep(20_000, undefined, { ref: false })])
  } finally {
    watcher?.close()
  }
}

/** Whether the device still answers does not matter. */
const upload = ({ client, uri }: Scene): Promise<unknown> => post(client, uri, image.bytes).catch(() => {})
const journalSays = (state: string) => (text: string) => text.includes(`"name":"${state}"`)
const is = (state: Found['journal']['name']) => (found: Found) => found.journal.name === state

const bodyBroken = (part: number): Case => ({
  name: `case 3: TRANSFER, after ${part * 100} % of the body`,
  async strike(scene) {
    const posting = openPosting(scene.client, scene.uri, image.bytes.length)
    const sent = Math.floor(part * image.bytes.length)
    await posting.write(image.bytes.subarray(0, sent))
    // Everything but what is not worth a write yet.
    await eventually(async () => assert.ok(writtenBytes(scene.state) >= sent - 600_000))
    await eventually(async () => assert.equal((await readState(scene.state)).journal.name, 'Transfer'))
    kill(scene)
  },
  isHit: (found, { state }) => found.journal.name === 'Transfer' && writtenBytes(state) < image.bytes.length,
  ends: { runs: 'old' },
})

const writtenBytes = (state: string): number => statSync(join(state, 'slots', 'slot-b.img')).size

const cases: readonly Case[] = [
  { name: 'case 1: ARMED', strike: async scene => kill(scene), isHit: is('Idle'), ends: { runs: 'old' } },
  {
    name: 'case 2: TRANSFER, in the head of the image',
    async strike(scene) {
      const transfer = scene.device.entered('Transfer')
      await openPosting(scene.client, scene.uri, image.bytes.length).write(image.bytes.subarray(0, 300))
      await transfer
      await eventually(async () => assert.equal((await readState(scene.state)).journal.name, 'Transfer'))
      kill(scene)
    },
    isHit: (found, { state }) => found.journal.name === 'Transfer' && writtenBytes(state) === 0,
    ends: { runs: 'old' },
  },
  bodyBroken(0.01),
  bodyBroken(0.5),
  bodyBroken(0.99),
  {
    name: 'case 4: CHECK',
    async strike(scene) {
      void scene.device.entered('Check').then(() => kill(scene))
      await upload(scene)
    },
    isHit: (found, { device }) => found.journal.name === 'Transfer' && device.output().includes('"state":"Check"'),
    ends: { runs: 'old' },
  },
  {
    name: 'case 5: INSTALLED, not activated yet',
    args: ['--activate', 'manual'],
    async strike(scene) {
      await upload(scene)
      kill(scene)
    },
    isHit: is('Installed'),
    ends: { runs: 'old', state: 'Installed' },
  },
  {
    name: 'case 6: ACTIVATING, before the boot record is written',
    strike: scene => killWhen(scene, 'upgrade', journalSays('Activating')),
    isHit: ({ journal, record }) => journal.name === 'Activating' && nextSlot(record) === 'A',
    ends: { runs: 'new' },
  },
  {
    name: 'case 7: ACTIVATING, after the boot record is written',
    strike: scene => killWhen(scene, 'slots', text => text.includes('BOOT_ORDER=B')),
    isHit: ({ journal, record }) => journal.name === 'Activating' && nextSlot(record) === 'B',
    ends: { runs: 'new' },
  },
  {
    name: 'case 8: REBOOT',
    args: ['--boot-time', '30'],
    async strike(scene) {
      await upload(scene)
      await eventually(async () => assert.equal(scene.device.reboots(), 1))
      kill(scene)
    },
    isHit: is('Rebooting'),
    ends: { runs: 'new' },
  },
  {
    name: 'case 9: TRIAL',
    async strike(scene) {
      await writeFile(gate, '')
      await upload(scene)
      await eventually(async () => assert.equal((await readState(scene.state)).journal.name, 'Trial'))
      kill(scene)
    },
    isHit: is('Trial'),
    ends: { runs: 'new' },
  },
  {
    name: 'case 10: COMMIT',
    strike: scene => killWhen(scene, 'upgrade', journalSays('Commit')),
    isHit: is('Commit'),
    ends: { runs: 'new' },
  },
  {
    name: 'case 11: ROLLBACK, before the boot record is written',
    isSick: true,
    args: ['--health-deadline', '1'],
    strike: scene => killWhen(scene, 'upgrade', journalSays('Rollback')),
    isHit: ({ journal, record }) => journal.name === 'Rollback' && nextSlot(record) === 'B',
    ends: { runs: 'old' },
  },
  {
    name: 'case 12: ROLLBACK, after the boot record is written',
    isSick: true,
    args: ['--health-deadline', '1', '--boot-time', '1'],
    async strike(scene) {
      await upload(scene)
      await eventually(async () => assert.equal(scene.device.reboots(), 2))
      kill(scene)
    },
    isHit: ({ journal, record }) => journal.name === 'Rollback' && nextSlot(record) === 'A',
    ends: { runs: 'old' },
  },
]

/** The moment is a matter of milliseconds: it is tried until the files show that it was hit. */
const attemptsMax = 12
const struck = new Map<string, { readonly state: string; readonly uri: string }>()

async function strike({ name, args = [], isSick = false, strike: hit, isHit }: Case): Promise<{ state: string; uri: string }> {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const state = join(root, `${cases.findIndex(each => each.name === name)}-${attempt}`)
    await cp(template, state, { recursive: true })
    await rm(gate, { force: true })
    await (isSick ? writeFile(sickness, '') : rm(sickness, { force: true }))
    const device = startVictim({ state, args: ['--health-hooks', hooks, ...args] })
    try {
      const client = connect(await device.ready, login)
      const uri = (await client.call('StartFirmwareUpgrade', {})).UploadUri
      const scene = { state, device, client, uri }
      await hit(scene)
      await device.kill()
      client.close()
      if (isHit(await readState(state), scene)) return { state, uri }
    } finally {
      await device.kill()
    }
  }
  throw new Error(`${name} was missed ${attemptsMax} times`)
}

const newLedger = (kills: number): Ledger => ({
  images: new Map([factory, image].map(known => [known.sha256, known])),
  attempt: { image, from: '1.0.0', answer: undefined, kills },
  confirmed: '1.0.0',
  securityEpoch: 0,
  ended: new Map(),
})

/** The next start, and all that has to be so then. */
async function assertRecovers({ ends, isSick = false }: Case, state: string, oldUri: string, kills: number): Promise<void> {
  await rm(gate, { force: true })
  await (isSick ? writeFile(sickness, '') : rm(sickness, { force: true }))
  const ledger = newLedger(kills)
  // A sick image must not be kept; which one is, the hook says.
  if (isSick) ledger.images.set(image.sha256, { ...image, kind: 'sick' })
  judgeFiles(await readState(state), ledger)
  const again = ends.state === 'Installed' ? ['--activate', 'manual'] : ['--health-deadline', isSick ? '1' : '60']
  const device = startVictim({ state, args: ['--health-hooks', hooks, ...again] })
  try {
    const client = connect(await device.ready, login)
    const version = ends.runs === 'new' ? image.version : '1.0.0'
    const found = await eventually(async () => {
      const now = await readState(state)
      assert.equal(now.journal.name, ends.state ?? 'Idle')
      assert.equal((await client.call('GetDeviceInformation', {})).FirmwareVersion, version)
      return now
    })
    judgeFiles(found, ledger)
    judgeIdle(found, ledger)
    assert.deepEqual(
      (await client.call('GetUsers', {})).User?.map(({ Username }) => Username),
      [admin.name],
    )
    const uri = new URL(new URL(oldUri).pathname, await device.ready).href
    assert.equal((await post(client, uri, image.bytes)).status, 404, 'the address of the last life is worth nothing')
    if (ends.state === undefined) await client.call('StartFirmwareUpgrade', {})
    else await assert.rejects(client.call('StartFirmwareUpgrade', {}), /Installed/)
    client.close()
  } finally {
    await device.kill()
  }
}

for (const each of cases) {
  test(`${each.name}: killed there, the ${each.ends.runs} image runs, whole`, { timeout: 120_000 }, async () => {
    const { state, uri } = await strike(each)
    await cp(state, `${state}-struck`, { recursive: true })
    struck.set(each.name, { state: `${state}-struck`, uri })
    await assertRecovers(each, state, uri, 1)
  })
}

test('case 14: killed again while it recovers from that', { timeout: 240_000 }, async (t: TestContext) => {
  for (const each of cases) {
    const { state, uri } = struck.get(each.name) ?? assert.fail(`${each.name} left nothing`)
    await t.test(each.name, async () => {
      const device = startVictim({ state, args: ['--health-hooks', hooks] })
      await sleep(random.whole(50, 500))
      await device.kill()
      await assertRecovers(each, state, uri, 2)
    })
  }
})
