import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect } from '../../src/client/onvifClient.ts'
import { admin, eventually, onvifd, startDaemon, temporaryFolder } from '../support/daemon.ts'

test('serve prints its address when it answers, and SIGTERM ends it cleanly', async t => {
  const device = await startDaemon(t)
  const { SystemDateAndTime } = await connect(device.url).call('GetSystemDateAndTime', {})
  assert.ok(SystemDateAndTime.UTCDateTime)
  const began = performance.now()
  assert.equal(await device.stop(), 0, device.output())
  assert.ok(performance.now() - began < 5000)
})

test('a second device on the same state folder, or the same port, is told why it cannot be', async t => {
  const device = await startDaemon(t)
  const second = await onvifd(['serve', '--port', '0', '--state', device.state])
  assert.notEqual(second.code, 0)
  assert.match(second.stderr, /in use: stop the other onvifd/)

  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  const state = await temporaryFolder(t)
  const taken = await onvifd(['serve', '--port', String(port), '--state', state], { env: { ONVIFD_ADMIN_PASSWORD: admin.password } })
  assert.notEqual(taken.code, 0)
  assert.match(taken.stderr, new RegExp(`${port}`))
  assert.equal(taken.stderr.trim().split('\n').length, 1, taken.stderr)
})

test('a device that cannot come up again after a reboot ends with 1 and says why', async t => {
  const device = await startDaemon(t, ['--boot-time', '1'])
  const port = Number(new URL(device.url).port)
  const client = connect(device.url, { user: admin.name, password: admin.password })
  await client.call('SystemReboot', {})
  client.close()
  // Takes the port while the device is down.
  const thief = createServer()
  t.after(() => thief.close())
  await eventually(
    () =>
      new Promise<void>((resolve, reject) => {
        thief.once('error', reject)
        thief.listen(port, '127.0.0.1', () => resolve())
      }),
    5,
  )
  const [code] = device.process.exitCode === null ? await once(device.process, 'exit') : [device.process.exitCode]
  assert.equal(code, 1, device.output())
  assert.match(device.output(), new RegExp(`onvifd: .*${port}`))
})

test('without a password a random one is made, printed once, and works; no two are alike', async t => {
  const seen = new Set<string>()
  for (let device = 0; device < 2; device++) {
    const state = await temporaryFolder(t)
    for (const isFirst of [true, false]) {
      const started = await startDaemon(t, ['--admin-user', 'root'], { state, env: {} })
      const password = /user root, password (\S+) /.exec(started.output())?.[1]
      assert.equal(password !== undefined, isFirst, started.output())
      if (password === undefined) continue
      assert.ok(password.length >= 16)
      seen.add(password)
      const client = connect(started.url, { user: 'root', password })
      assert.equal((await client.call('GetUsers', {})).User?.length, 1)
      await started.stop()
    }
  }
  assert.equal(seen.size, 2)
})

test('bad options are usage errors that say what is wanted', async () => {
  for (const [args, wanted] of [
    [['--port', '70000'], /whole number from 0 to 65535/],
    [['--boot-time', '-1'], /seconds from 0 to 3600/],
    [['--log-format', 'xml'], /one of json, pretty/],
    [['--nonsense'], /unknown option/],
  ] as const) {
    const { code, stderr } = await onvifd(['serve', ...args])
    assert.equal(code, 2, stderr)
    assert.match(stderr, wanted)
  }
})
