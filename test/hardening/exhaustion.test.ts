import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { admin, startDaemon, temporaryFolder } from '../support/daemon.ts'
import { type Disk, makeDisk } from './disk.ts'
import { ask } from './door.ts'

const read = '<tds:GetDeviceInformation/>'
const scopes = (name: string, count = 1) =>
  `<tds:SetScopes>${Array.from({ length: count }, (_, i) => `<tds:Scopes>onvif://www.onvif.org/${name}/${'x'.repeat(400)}/${i}</tds:Scopes>`).join('')}</tds:SetScopes>`

interface Way {
  readonly exhaust: (disk: Disk) => void
  /** Whether a log-in by token is asked for HTTP Digest as well: nothing can be written down, not even that something is missing. */
  readonly challenges: boolean
  /** Whether the settings can still be written. */
  readonly writes: boolean
  /** Whether it takes a restart to mend. */
  readonly isFinal: boolean
}

const ways: Readonly<Record<string, Way>> = {
  'that is full': { exhaust: disk => disk.fill(), challenges: false, writes: false, isFinal: false },
  'without inodes': { exhaust: disk => disk.useUpInodes(), challenges: false, writes: true, isFinal: false },
  'that the kernel made read-only': { exhaust: disk => disk.breakDown(), challenges: true, writes: false, isFinal: true },
}

/** A device with scopes of its own, and all of its state on a disk that can be filled; or the reason why there is none. */
async function onSmallDisk(t: TestContext) {
  let end = async () => {}
  const disk = makeDisk(await temporaryFolder(t, () => end()), 8_388_608)
  if (typeof disk === 'string') return disk
  end = async () => disk.remove()
  const state = `${disk.folder}/state`
  const device = await startDaemon(t, [], { state })
  assert.equal((await ask(device.url, scopes('before'))).status, 200)
  return { disk, state, device }
}

for (const [way, { exhaust, challenges, writes, isFinal }] of Object.entries(ways))
  test(`a disk ${way}: reads and log-ins go on, writers answer what is true, and when it is free again all is well`, async t => {
    const started = await onSmallDisk(t)
    if (typeof started === 'string') return t.skip(started)
    const { disk, state, device } = started
    exhaust(disk)
    for (let round = 0; round < 5; round++) {
      assert.equal((await ask(device.url, read)).status, 200, 'HTTP Digest')
      const token = await ask(device.url, read, 'token')
      assert.deepEqual([token.status, token.challenges.length > 0], challenges ? [401, true] : [200, false], 'by token')
      // Larger than what there was, so that it needs room.
      const written = await ask(device.url, scopes('during', 50))
      assert.equal(written.status, writes ? 200 : 500, written.text)
      if (!writes) assert.match(written.text, /Receiver[\s\S]*the device could not perform the operation/)
      const { text } = await ask(device.url, '<tds:GetScopes/>')
      assert.deepEqual([text.includes('/before/'), text.includes('/during/')], [!writes, writes], 'what was answered is what is')
      for (const other of [
        '<tds:GetSystemLog><tds:LogType>System</tds:LogType></tds:GetSystemLog>',
        '<tds:GetSystemSupportInformation/>',
        '<tds:GetSystemBackup/>',
        '<tds:GetUsers/>',
      ])
        assert.equal((await ask(device.url, other)).status, 200, other)
    }
    // Hello waits for half a second at the most.
    await new Promise(resolve => setTimeout(resolve, 600))
    assert.equal(device.process.exitCode, null, device.output())

    if (isFinal) assert.equal(await device.stop(), 0, 'it ends as it is told')
    disk.mend()
    if (!isFinal) {
      assert.equal((await ask(device.url, scopes('after'))).status, 200)
      assert.equal((await ask(device.url, read, 'token')).status, 200)
      assert.equal(await device.stop(), 0)
    }
    const again = await startDaemon(t, [], { state })
    const { text } = await ask(again.url, '<tds:GetScopes/>')
    assert.match(text, isFinal ? /\/before\// : /\/after\//)
    assert.equal((await ask(again.url, read, 'token')).status, 200)
    assert.equal(await again.stop(), 0)
    assert.deepEqual(
      readdirSync(state).filter(name => /\.new$|^firmware-ca\./.test(name)),
      [],
      'no leftovers',
    )
  })

test('a device that loses its power while its disk is full comes up again, and people can log in', async t => {
  const started = await onSmallDisk(t)
  if (typeof started === 'string') return t.skip(started)
  const { disk, state, device } = started
  disk.fill()
  device.process.kill('SIGKILL')
  await once(device.process, 'exit')
  const again = await startDaemon(t, [], { state })
  for (const by of ['HTTP Digest', 'token'] as const) assert.equal((await ask(again.url, read, by)).status, 200, by)
  assert.match((await ask(again.url, '<tds:GetScopes/>')).text, /\/before\//)
  assert.equal((await ask(again.url, scopes('during', 50))).status, 500)
  disk.mend()
  assert.equal((await ask(again.url, scopes('after'))).status, 200)
  assert.equal(await again.stop(), 0)
})

test('a device whose disk lost its inodes while it was off comes up again', async t => {
  const started = await onSmallDisk(t)
  if (typeof started === 'string') return t.skip(started)
  const { disk, state, device } = started
  assert.equal(await device.stop(), 0)
  disk.useUpInodes()
  const again = await startDaemon(t, [], { state })
  for (const by of ['HTTP Digest', 'token'] as const) assert.equal((await ask(again.url, read, by)).status, 200, by)
  assert.equal((await ask(again.url, scopes('after'))).status, 200)
  assert.match((await ask(again.url, '<tds:GetScopes/>')).text, /\/after\//)
  assert.equal(await again.stop(), 0)
  disk.mend()
})

for (const [what, descriptors, options] of [
  ['64 file descriptors', '64', ''],
  ['a heap of 64 MB', '', '--max-old-space-size=64'],
] as const)
  test(`with ${what} the device is degraded, never dead`, { timeout: 120_000 }, async t => {
    const device = await startDaemon(t, ['--log-level', 'error'], { env: { ONVIFD_ADMIN_PASSWORD: admin.password, NODE_OPTIONS: options } })
    if (descriptors) {
      const limited = spawnSync('prlimit', ['--pid', String(device.process.pid), `--nofile=${descriptors}:${descriptors}`])
      if (limited.status !== 0) return t.skip('needs prlimit')
    }
    const { hostname, port } = new URL(device.url)
    const sockets = Array.from({ length: 200 }, () => connect(Number(port), hostname).on('error', () => {}))
    t.after(() => {
      for (const socket of sockets) socket.destroy()
    })
    await new Promise(resolve => setTimeout(resolve, 300))
    // As large as a request may be, and as deep, many at a time, and none of them answered before the last is sent.
    const large = `<tds:SetScopes>${'<tds:Scopes>x</tds:Scopes>'.repeat(18_000)}</tds:SetScopes>`
    const burst = await Promise.allSettled(Array.from({ length: 60 }, () => ask(device.url, large, 'token')))
    assert.ok(burst.length === 60)
    assert.equal(device.process.exitCode, null, device.output())
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => setTimeout(resolve, 300))
    for (let round = 0; round < 5; round++) {
      assert.equal((await ask(device.url, read)).status, 200)
      assert.equal((await ask(device.url, scopes(`round-${round}`))).status, 200)
    }
    assert.equal(await device.stop(), 0, device.output())
  })
