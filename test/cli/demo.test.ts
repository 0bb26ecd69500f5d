import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run, temporaryFolder } from '../support/daemon.ts'

const demo = fileURLToPath(new URL('../../src/cli/demo.ts', import.meta.url))

test('the demo upgrades a device from image to new version and leaves nothing behind', async t => {
  const folder = await temporaryFolder(t)
  const { code, stdout, stderr } = await run(process.execPath, [demo], { env: { TMPDIR: folder } })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^onvifd ready http:\/\//m)
  assert.match(stdout, /^Upload 100%/m)
  assert.match(stdout, /^Firmware 1\.0\.0 → 1\.1\.0$/m)
  assert.deepEqual(await readdir(folder), [])
})

test('the demo cleans up when it is interrupted', async t => {
  const folder = await temporaryFolder(t)
  const child = spawn(process.execPath, [demo], { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let url = ''
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^onvifd ready (\S+)$/.exec(line)?.[1] ?? ''
    if (url !== '') break
  }
  child.kill('SIGINT')
  assert.deepEqual(await exited, [130, null])
  assert.deepEqual(await readdir(folder), [])
  await assert.rejects(fetch(url), 'the device is gone, too')
})
