import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { orderReboot } from '../../src/platform/rebootCommand.ts'
import { eventually, temporaryFolder } from '../support/daemon.ts'

async function program(t: TestContext, script: string) {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'reboot-now')
  await writeFile(path, `#!/bin/sh\n${script.replaceAll('FOLDER', folder)}\n`, { mode: 0o755 })
  return { path, read: (name: string) => readFile(join(folder, name), 'utf8') }
}

test('the program gets its arguments as they are, without a shell', async t => {
  const { path, read } = await program(t, 'for each; do echo "<$each>" >> FOLDER/args; done')
  await orderReboot(`  ${path}  --force $(touch x)   ;  'two words' `)
  assert.equal(await read('args'), ["<--force>\n<$(touch>\n<x)>\n<;>\n<'two>\n<words'>\n"].join(''))
})

test('an order that fails, or cannot be given, is an error that names the program', async t => {
  const { path } = await program(t, 'exit 4')
  await assert.rejects(orderReboot(path), { message: `the reboot command failed: ${path} ended with 4` })
  const killed = await program(t, 'kill -9 $$')
  await assert.rejects(orderReboot(killed.path), /ended with SIGKILL/)
  await assert.rejects(orderReboot('/nowhere/reboot now'), { message: 'the reboot command cannot be started: /nowhere/reboot' })
  await assert.rejects(orderReboot('   '), /is empty/)
})

test('an order that is still being carried out is accepted, and the program outlives the process that gave it', async t => {
  const { path, read } = await program(t, 'sleep 4; echo rebooted > FOLDER/done')
  const module = new URL('../../src/platform/rebootCommand.ts', import.meta.url).href
  const order = `import { orderReboot } from ${JSON.stringify(module)}; await orderReboot(${JSON.stringify(path)})`
  const startedMs = performance.now()
  const service = spawn(process.execPath, ['--input-type=module-typescript', '--eval', order], { stdio: 'ignore', detached: true })
  assert.deepEqual(await once(service, 'exit'), [0, null])
  const spentMs = performance.now() - startedMs
  assert.ok(spentMs >= limits.rebootCommandTimeoutMs && spentMs < 4_000, `${spentMs} ms`)
  // As a supervisor does that ends a service with all its processes.
  assert.ok(service.pid)
  try {
    process.kill(-service.pid, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
  assert.equal(await eventually(() => read('done')), 'rebooted\n')
})
