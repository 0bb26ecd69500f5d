import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '../src/client/onvifClient.ts'
import { admin, buildImage, type Daemon, eventually, main, onvifd, run, startDaemon, temporaryFolder } from './support/daemon.ts'

/** What a board has: two slots in files of its own, a boot record of U-Boot, a launcher, and a program that restarts it. */
async function board(t: TestContext, engines: object = {}) {
  const folder = await temporaryFolder(t)
  const at = (name: string): string => join(folder, name)
  for (const name of ['rootfs-a', 'rootfs-b']) await writeFile(at(name), `factory ${name}`)
  for (const name of ['env0', 'env1']) {
    await writeFile(at(name), '')
    await truncate(at(name), 16_384)
  }
  await writeFile(at('fw_env.config'), `${at('env0')} 0x0 0x2000\n${at('env1')} 0x2000 0x2000\n`)
  await writeFile(at('reboot'), `#!/bin/sh\necho "$1" >> ${at('reboots')}\n`)
  await chmod(at('reboot'), 0o700)
  return {
    at,
    /** As the boot loader leaves it: `running` is what it has booted. */
    async describe(running: 'A' | 'B'): Promise<void> {
      const machine = {
        board: { name: 'acme-cam', revision: '2' },
        slots: { rootfs: { A: at('rootfs-a'), B: at('rootfs-b'), bytesMax: 4_194_304 } },
        bootRecord: [
          { path: at('env0'), offset: 0, bytes: 8_192 },
          { path: at('env1'), offset: 8_192, bytes: 8_192 },
        ],
        running,
        ...engines,
      }
      await writeFile(at('machine.json'), JSON.stringify(machine))
    },
    reboots: async (): Promise<number> => (await readFile(at('reboots'), 'utf8').catch(() => '')).split('\n').length - 1,
  }
}

const launcher = fileURLToPath(new URL('../docker/boot-launcher.sh', import.meta.url))
const login = { env: { ONVIFD_PASSWORD: admin.password } }
const firmware = async (order: string, { url }: Daemon) => {
  const ran = await onvifd(['firmware', order, url, '--user', admin.name], login)
  assert.equal(ran.code, 0, ran.stderr)
  return ran.stdout
}

async function hasTools(): Promise<boolean> {
  return promisify(execFile)('fw_printenv', ['--help']).then(
    () => true,
    error => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
  )
}

const skip = !(await hasTools()) && 'needs fw_printenv (libubootenv-tool)'

test('a board with slots of its own is upgraded, restarted by its program and booted by its launcher', {
  skip,
  timeout: 120_000,
}, async t => {
  const { at, describe, reboots } = await board(t)
  const options = ['--machine', at('machine.json'), '--reboot-command', `${at('reboot')} now`]
  await describe('A')
  const first = await startDaemon(t, options)
  assert.match(await firmware('status', first), /^Boot record +LOST/m)
  await firmware('confirm', first)
  assert.match(await firmware('status', first), /^A .* runs +next +yes/m)

  const folder = await temporaryFolder(t)
  const payload = join(folder, 'rootfs.img')
  await writeFile(payload, Buffer.alloc(300_000, 'release 2'))
  const image = join(folder, 'acme.swu')
  const order = ['--version', '2.0.0', '--payload', payload, '--state', first.state, '--out', image, '--epoch', '3']
  const wrong = await buildImage(t, first.state, '2.0.0')
  assert.equal((await onvifd(['image', 'build', ...order, '--compatible', 'acme-cam', '--hardware', '2'])).code, 0)
  const refused = await onvifd(['upgrade', first.url, wrong, '--user', admin.name], login)
  assert.match(refused.stderr, /compatible/, 'an image for another board')

  const client = connect(first.url, { user: admin.name, password: admin.password })
  const { UploadUri } = await client.call('StartFirmwareUpgrade', {})
  client.close()
  const sent = await run('curl', ['-sS', '--digest', '-K', '-', '--data-binary', `@${image}`, UploadUri], {
    input: `user = "${admin.name}:${admin.password}"\n`,
  })
  assert.match(sent.stdout, /^ok firmware 2\.0\.0 is installed/, sent.stderr)
  await eventually(async () => assert.equal(await reboots(), 1, first.output()))
  assert.equal(first.process.exitCode, null, 'the machine ends it, not it itself')
  first.process.kill('SIGKILL')
  await once(first.process, 'exit')

  const booted = await run('sh', [launcher, at('fw_env.config')])
  assert.equal(booted.stdout.trim(), 'B', booted.stderr)
  assert.equal((await run('fw_printenv', ['-c', at('fw_env.config'), '-n', 'BOOT_B_LEFT'])).stdout.trim(), '2')
  await describe('B')
  const second = await startDaemon(t, options, { state: first.state })
  assert.match(await firmware('status', second), /^B +2\.0\.0 +runs +next +yes/m)
  assert.equal((await run('fw_printenv', ['-c', at('fw_env.config'), '-n', 'EPOCH'])).stdout.trim(), '3')
  assert.deepEqual((await readFile(at('rootfs-b'))).subarray(0, 300_000), await readFile(payload))
  assert.equal((await run('sh', [launcher, at('fw_env.config')])).stdout.trim(), 'B')

  // Two state folders, one pair of slots.
  const other = await temporaryFolder(t)
  const rival = await run(process.execPath, [main, 'serve', '--port', '0', '--state', other, ...options], {
    env: { ONVIFD_ADMIN_PASSWORD: admin.password },
  })
  assert.deepEqual([rival.code, /another process uses .*rootfs-a/.test(rival.stderr)], [1, true], rival.stderr)
  await second.stop()
})

test('an engine that was chosen and is not there ends the start with a reason; auto goes on to the next', { timeout: 60_000 }, async t => {
  const { at, describe } = await board(t, {
    swupdate: { sockets: '/nonexistent' },
    rauc: { bus: 'unix:path=/nonexistent/bus', staging: '/nonexistent', bundleBytesMax: 1_000_000 },
  })
  await describe('A')
  const state = await temporaryFolder(t)
  const serve = (engine: string) =>
    run(process.execPath, [main, 'serve', '--port', '0', '--state', state, '--machine', at('machine.json'), '--engine', engine], {
      env: { ONVIFD_ADMIN_PASSWORD: admin.password },
    })
  const swupdate = await serve('swupdate')
  assert.deepEqual([swupdate.code, /no SWUpdate answers on the sockets in \/nonexistent/.test(swupdate.stderr)], [2, true], swupdate.stderr)
  const rauc = await serve('rauc')
  assert.notEqual(rauc.code, 0)
  assert.match(rauc.stderr, /D-Bus|rauc/i)
  const auto = await startDaemon(t, ['--machine', at('machine.json'), '--engine', 'auto'])
  assert.match(await firmware('status', auto), /^Engine +builtin$/m)
  assert.match(auto.output(), /RAUC cannot be used here[\s\S]*SWUpdate cannot be used here/)
  const without = await run(process.execPath, [main, 'serve', '--port', '0', '--state', state, '--engine', 'rauc'])
  assert.match(without.stderr, /--engine rauc: the file of --machine has to say "rauc"/)
})
