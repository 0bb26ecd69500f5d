import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { LoadTrust } from '../../device/firmware/image.ts'
import type { Board } from '../../device/firmware/policy.ts'
import { limits } from '../../limits.ts'
import { BackendError, type Clock, type Storage } from '../platform.ts'
import { type Control, createControl } from './control.ts'
import { selections } from './destination.ts'
import { pause } from './watch.ts'

/** An SWUpdate to talk to. */
export interface Server {
  readonly control: Control
  /** When it returns, nothing that this one has started is left. */
  stop(): Promise<void>
}

export interface OneShotParts {
  /** The program, and options for it before ours. */
  readonly command: readonly string[]
  /** For this alone: SWUpdate makes its sockets and temporary files there. */
  readonly folder: string
  readonly board: Board
  readonly trust: LoadTrust
  readonly storage: Storage
  readonly clock: Clock
}

/** The longest name of a Unix socket, with its NUL (unix(7)); SWUpdate cuts a longer one off in silence. */
const socketNameBytesMax = 108
export const isUsableFolder = (folder: string): boolean => Buffer.byteLength(join(folder, 'sockinstctrl')) < socketNameBytesMax

/**
 * Runs SWUpdate, and ends with a signal for the whole process group: SWUpdate leaves a child behind that outlives it. The shell
 * does the same when its input ends, which happens when this process is gone.
 */
const lease = '{ "$@"; kill -KILL 0; } </dev/null & read -r _; kill -KILL 0'

/**
 * SWUpdate for one installation. `swupdate -i FILE` opens the same sockets and sends the file to itself, and it wants a file
 * that it can open by name, which the input that Node gives to a child is not; so the image goes to the socket directly, and
 * never lies on a disk. No boot loader is touched: not the transaction marker (-M), not the state marker (-m).
 */
export async function startServer({ command, folder, board, trust, storage, clock }: OneShotParts): Promise<Server> {
  const authorities = join(folder, 'authorities.pem')
  const { authorities: pem } = await trust()
  await storage.create(authorities)
  await storage.pwrite(authorities, 0, Buffer.from(pem))
  await storage.fsync(authorities)

  const accepted = (['A', 'B'] as const).flatMap(selections).flatMap(({ set, mode }) => ['-q', `${set},${mode}`])
  const args = [
    '-k',
    authorities,
    '--cert-purpose',
    'codeSigning',
    '-H',
    `${board.name}:${board.revision}`,
    '-M',
    '-m',
    '-l',
    '3',
    ...accepted,
  ]
  const child = spawn('/bin/sh', ['-c', lease, 'sh', ...command, ...args], {
    // SWUpdate loads Lua from where it stands.
    cwd: folder,
    detached: true,
    env: { PATH: process.env.PATH, TMPDIR: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-limits.engineOutputCharactersMax)
    })
  }
  let ended = false
  // Not before the last process of the group has let go of the output.
  const closed = new Promise<void>(resolve => {
    const end = () => {
      ended = true
      resolve()
    }
    child.once('error', end).once('close', end)
  })
  child.stdin.on('error', () => {})

  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && !ended) killGroup(child.pid)
    await closed
  }

  const control = createControl(folder)
  const patience = new AbortController()
  const callOff = clock.after(limits.engineStartTimeoutMs, () => patience.abort())
  while (!ended && !patience.signal.aborted) {
    const answered = await control.hardware(patience.signal).then(
      () => true,
      () => false,
    )
    if (answered) {
      callOff()
      return { control, stop }
    }
    await pause(clock, limits.engineStartPollMs)
  }
  callOff()
  await stop()
  throw new BackendError('io', 'SWUpdate does not start', { cause: new Error(said) })
}

export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended in this moment.
  }
}
