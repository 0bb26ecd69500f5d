import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { admin, main } from './daemon.ts'

/** A device that is going to be killed: `onvifd serve` as a process of its own, watched from its first moment on. */
export interface Victim {
  readonly process: ChildProcess
  /** Address of the device service, when it answers for the first time; rejects where the process ends before. */
  readonly ready: Promise<string>
  readonly exited: Promise<void>
  isReady(): boolean
  isDead(): boolean
  /** What its log says. */
  output(): string
  /** The password that it has made for its first Administrator; undefined where it has not printed one. */
  madePassword(): string | undefined
  /** How often it has come up, the restarts within the process included. */
  ups(): number
  /** How often it has gone down to start again. */
  reboots(): number
  /** Resolves as soon as the log says that an upgrade has entered this state. */
  entered(state: string): Promise<void>
  letGo(): void
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

export interface VictimOptions {
  readonly state: string
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** It waits for `letGo` before it does anything, under the process id that it is going to have. */
  readonly isHeld?: boolean
}

/** A start takes a third of a second; on a machine that is busy with other things, several. */
const readySecondsMax = 30

export function startVictim({ state, args = [], env = {}, isHeld = false }: VictimOptions): Victim {
  const command = [process.execPath, main, 'serve', '--port', '0', '--state', state, '--log-format', 'json', ...args]
  const [program = '', ...rest] = isHeld ? ['/bin/sh', '-c', 'read -r _ && exec "$@"', 'sh', ...command] : command
  const child = spawn(program, rest, {
    env: { ...process.env, ONVIFD_BOOT_TIME: '0', ONVIFD_ADMIN_PASSWORD: admin.password, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const letGo = () => void child.stdin.on('error', () => {}).end('\n')
  if (!isHeld) letGo()
  const lines: string[] = []
  let [madePassword, ups]: [string | undefined, number] = [undefined, 0]
  const waiting: { readonly state: string; readonly resolve: () => void }[] = []
  let [reboots, url] = [0, '']
  createInterface(child.stderr).on('line', line => {
    lines.push(line)
    if (line.includes('"msg":"restarting"')) reboots += 1
    if (line.includes('"msg":"the device is up"')) ups += 1
    const state = /"state":"([A-Z][a-zA-Z]+)"/.exec(line)?.[1]
    for (const waiter of waiting) if (waiter.state === state) waiter.resolve()
  })
  const exited = new Promise<void>(resolve => child.once('close', () => resolve()))
  const ready = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', line => {
      madePassword ??= /^onvifd first log-in: user \S+, password (\S+) /.exec(line)?.[1]
      const address = /^onvifd ready (\S+)$/.exec(line)?.[1]
      if (address === undefined) return
      url = address
      clearTimeout(late)
      resolve(address)
    })
    const late = setTimeout(() => {
      reject(new Error(`onvifd is not ready after ${readySecondsMax} s:\n${lines.join('\n')}`))
      child.kill('SIGKILL')
    }, readySecondsMax * 1000)
    void exited.then(() => {
      clearTimeout(late)
      reject(new Error(`onvifd ended before it was ready:\n${lines.join('\n')}`))
    })
  })
  // Whoever kills it does not want to know.
  ready.catch(() => {})
  const isDead = () => child.exitCode !== null || child.signalCode !== null
  return {
    process: child,
    ready,
    exited,
    isDead,
    isReady: () => url !== '',
    output: () => lines.join('\n'),
    madePassword: () => madePassword,
    ups: () => ups,
    reboots: () => reboots,
    entered: wanted => new Promise(resolve => waiting.push({ state: wanted, resolve })),
    letGo,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
