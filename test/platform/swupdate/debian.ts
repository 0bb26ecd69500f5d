import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createControl } from '../../../src/platform/swupdate/control.ts'
import { eventually } from '../../support/daemon.ts'

/** Debian's SWUpdate, as it is installed. */
export const program = '/usr/bin/swupdate'

const missing = spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined
/** For `skip` of a test. */
export const lacksSwupdate = missing && 'swupdate not found: apt-get install swupdate'

export interface Daemon {
  readonly process: ChildProcess
  output(): string
  kill(): Promise<void>
}

/** A daemon with a configuration file, as a product has it; its sockets are in `folder`, and it ends with the test. */
export async function startDaemon(t: TestContext, folder: string, authorities: string): Promise<Daemon> {
  const configuration = join(folder, 'swupdate.cfg')
  writeFileSync(configuration, `globals : { public-key-file = "${authorities}"; cert-purpose = "codeSigning"; };\n`)
  const accepted = ['-q', 'stable,copy-a', '-q', 'stable,copy-b']
  const args = ['-f', configuration, '-H', 'onvifd-virtual:1.0', '-M', '-m', '-l', '4', ...accepted]
  // A group of its own, because SWUpdate leaves a child behind.
  const child = spawn(program, args, {
    cwd: folder,
    detached: true,
    env: { PATH: process.env.PATH, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  const kill = async (): Promise<void> => {
    try {
      process.kill(-(child.pid ?? assert.fail('it was not started')), 'SIGKILL')
    } catch {
      // It has ended by itself, with all that it started.
    }
    await closed
  }
  t.after(kill)
  const control = createControl(folder)
  await eventually(() => control.hardware())
  return { process: child, output: () => output, kill }
}
