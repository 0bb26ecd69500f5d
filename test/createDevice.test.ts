import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDevice } from '../src/createDevice.ts'
import { admin, eventually, temporaryFolder } from './support/daemon.ts'

test('a device that could not be started holds nothing: the next one takes the same state folder', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const address = other.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  let end = async () => {}
  const options = { state: await temporaryFolder(t, () => end()), adminPassword: admin.password, discovery: 'off' } as const

  const device = await createDevice({ ...options, port })
  await assert.rejects(device.start(), /is in use/)

  const next = await createDevice({ ...options, port: 0 })
  end = () => next.stop()
  assert.match(await next.start(), /^http:/)
  // It is made behind the start, and would be made in a folder that is on its way out.
  await eventually(async () => assert.ok(existsSync(join(options.state, 'firmware-ca'))))
})
