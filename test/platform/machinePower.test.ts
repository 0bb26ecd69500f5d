import assert from 'node:assert/strict'
import { access, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStore } from '../../src/device/store.ts'
import { limits } from '../../src/limits.ts'
import { createMachinePower } from '../../src/platform/machinePower.ts'
import { temporaryFolder } from '../support/daemon.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

test('the time of a restart is the longest of the last ones; what cannot be one does not count', async t => {
  const folder = await temporaryFolder(t)
  const command = join(folder, 'reboot-now')
  await writeFile(command, `#!/bin/sh\ntouch ${folder}/ordered\n`, { mode: 0o755 })
  const path = join(folder, 'device.db')
  let ms = Date.parse('2026-06-01T12:00:00Z')

  /** One start of the device: it answers, and says how long a restart takes. */
  async function start(spentMs: number, thenReboot = true): Promise<number> {
    ms += spentMs
    const store = openStore(path)
    const power = createMachinePower({ store, now: () => new Date(ms), command, bootTimeMs: 90_000, log: silent })
    power.answered()
    const { bootTimeMs } = power
    if (thenReboot) await power.reboot('a test')
    store.close()
    return bootTimeMs
  }

  assert.equal(await start(5_000), 90_000, 'nothing has been measured: this was no restart')
  await access(join(folder, 'ordered'))
  assert.equal(await start(40_000), 40_000)
  assert.equal(await start(60_000), 60_000)
  assert.equal(await start(30_000), 60_000)
  assert.equal(await start(-5_000), 60_000, 'the clock was set back')
  assert.equal(await start(limits.bootTimeMsMax + 1), 60_000, 'the machine was off')
  assert.equal(await start(50_000, false), 60_000)
  assert.equal(await start(70_000), 60_000, 'the power failed: nobody had ordered that')
  for (let count = 0; count < limits.bootTimesMax; count += 1) await start(20_000)
  assert.equal(await start(20_000), 20_000, 'what is long ago is forgotten')
})

test('an order that the machine refuses is an error', async t => {
  const store = openStore(':memory:')
  t.after(() => store.close())
  const power = createMachinePower({ store, now: () => new Date(), command: '/nowhere/reboot', bootTimeMs: 1_000, log: silent })
  await assert.rejects(power.reboot('a test'), /cannot be started/)
})
