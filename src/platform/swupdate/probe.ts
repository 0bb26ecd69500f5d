import { spawn } from 'node:child_process'
import { endianness } from 'node:os'
import { limits } from '../../limits.ts'
import type { Clock } from '../platform.ts'
import { createControl } from './control.ts'
import { isUsableFolder, killGroup } from './server.ts'
import type { SwupdateSettings } from './swupdateEngine.ts'

export interface Probe {
  readonly usable: boolean
  readonly version?: string
  /** Why not. */
  readonly reason?: string
}

/** Machines on which the messages of SWUpdate lie in memory as ipc.ts has them. */
const architectures = ['x64', 'arm64', 'riscv64', 'ppc64', 'mips64el', 'loong64']

/** Whether this SWUpdate can be used. Asks nothing that an installation of somebody else would miss. */
export async function swupdateProbe(settings: SwupdateSettings, clock: Clock): Promise<Probe> {
  if (endianness() !== 'LE' || !architectures.includes(process.arch))
    return {
      usable: false,
      reason: `the messages of SWUpdate are known for 64-bit little-endian machines alone, this one is ${process.arch}`,
    }
  if (!isUsableFolder(settings.folder)) return { usable: false, reason: `the name of ${settings.folder} is too long for a socket in it` }
  return settings.run === 'once' ? probeProgram(settings.command, clock) : probeDaemon(settings.folder, clock)
}

async function probeDaemon(folder: string, clock: Clock): Promise<Probe> {
  const patience = new AbortController()
  const callOff = clock.after(limits.engineProbeTimeoutMs, () => patience.abort())
  try {
    await createControl(folder).hardware(patience.signal)
    return { usable: true }
  } catch {
    return { usable: false, reason: `no SWUpdate answers on the sockets in ${folder}` }
  } finally {
    callOff()
  }
}

async function probeProgram([program = '', ...options]: readonly string[], clock: Clock): Promise<Probe> {
  const { promise, resolve } = Promise.withResolvers<Probe>()
  const child = spawn(program, [...options, '--version'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    // A process group of its own: where it is a script, what that has started holds the pipe as well.
    detached: true,
  })
  const callOff = clock.after(limits.engineProbeTimeoutMs, () => {
    resolve({ usable: false, reason: `${program} --version does not end` })
    if (child.pid !== undefined) killGroup(child.pid)
    child.stdout.destroy()
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, limits.engineOutputCharactersMax)
  })
  child.once('error', () => resolve({ usable: false, reason: `${program} cannot be run` }))
  child.once('close', () => {
    // Debian's leaves the number out.
    const version = /SWUpdate v(\S+)/.exec(said)?.[1]
    if (/SWUpdate/i.test(said)) resolve({ usable: true, ...(version !== undefined && { version }) })
    else resolve({ usable: false, reason: `${program} is not SWUpdate` })
  })
  return promise.finally(callOff)
}
