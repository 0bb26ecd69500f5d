import { spawn } from 'node:child_process'
import { endianness } from 'node:os'
import { limits } from '../../limits.ts'
import { createControl } from './control.ts'
import { isUsableFolder } from './server.ts'
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
export async function swupdateProbe(settings: SwupdateSettings): Promise<Probe> {
  if (endianness() !== 'LE' || !architectures.includes(process.arch))
    return {
      usable: false,
      reason: `the messages of SWUpdate are known for 64-bit little-endian machines alone, this one is ${process.arch}`,
    }
  if (!isUsableFolder(settings.folder)) return { usable: false, reason: `the name of ${settings.folder} is too long for a socket in it` }
  return settings.run === 'once' ? probeProgram(settings.command) : probeDaemon(settings.folder)
}

async function probeDaemon(folder: string): Promise<Probe> {
  try {
    await createControl(folder).hardware(AbortSignal.timeout(limits.engineProbeTimeoutMs))
    return { usable: true }
  } catch {
    return { usable: false, reason: `no SWUpdate answers on the sockets in ${folder}` }
  }
}

function probeProgram([program = '', ...options]: readonly string[]): Promise<Probe> {
  return new Promise(resolve => {
    const child = spawn(program, [...options, '--version'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: limits.engineProbeTimeoutMs,
      killSignal: 'SIGKILL',
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
  })
}
