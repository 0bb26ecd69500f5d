import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LoadOrder, LoadResult } from './load.ts'
import type { ServerOrder } from './servers.ts'

/** What is measured, in a process of its own. */
export interface Server {
  readonly port: number
  readonly pid: number
  readonly startMs: number
  /** Both for a server that was started with `loopWatch`. */
  readonly send: (message: string) => void
  readonly answer: () => Promise<unknown>
  readonly stop: () => Promise<void>
}

export const flag = (name: string) => process.argv.includes(`--${name}`)
export const optionOf = (name: string) => (flag(name) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : undefined)
export const user = 'bench'
export const password = 'Bench-the-device-1'
export const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))
export const onvifd = beside('../../src/cli/main.ts')
export const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Everything that the bench writes is in here, and gone with it, whatever ends it: it may be gigabytes. */
export const folder = mkdtempSync(join(tmpdir(), 'onvifd-bench-'))
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

/** CPU seconds of a process so far, user and system, of all its threads, from the kernel. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

export function residentMiB(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes) / 1024)
}

function serverOf(child: ChildProcess, port: number, began: number): Server {
  return {
    port,
    pid: child.pid ?? 0,
    startMs: performance.now() - began,
    send: message => child.send(message),
    answer: async () => (await once(child, 'message'))[0],
    async stop() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
      children.delete(child)
    },
  }
}

export async function startOther(order: Omit<ServerOrder, 'user' | 'password'>): Promise<Server> {
  const began = performance.now()
  const child = fork(beside('./servers.ts'))
  children.add(child)
  child.send({ ...order, user, password })
  const [port] = await once(child, 'message')
  return serverOf(child, port, began)
}

/** As `npm start` does; the first start fills the cache. With `loopWatch`, that module is loaded before it. */
export async function startOnvifd(
  state: string,
  options: { readonly loopWatch?: boolean; readonly log?: string; readonly more?: readonly string[] } = {},
): Promise<Server> {
  const { loopWatch = false, log = 'warn', more = [] } = options
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [
      ...(loopWatch ? ['--import', beside('./loopWatch.ts')] : []),
      ...[onvifd, 'serve', '--port', '0', '--state', state, '--admin-user', user, '--log-level', log],
      ...(loopWatch ? [] : ['--boot-time', '0.1', ...more]),
    ],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled'), ONVIFD_ADMIN_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'inherit', loopWatch ? 'ipc' : 'ignore'],
    },
  )
  children.add(child)
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`onvifd ended with ${code}`)))
    if (child.stdout)
      createInterface(child.stdout).on('line', line => {
        const match = /^onvifd ready (\S+)/.exec(line)
        if (match?.[1]) resolve(match[1])
      })
  })
  return serverOf(child, Number(new URL(url).port), began)
}

/** Requests from a process of their own. */
export async function load(order: LoadOrder): Promise<LoadResult> {
  const child = fork(beside('./load.ts'))
  child.send(order)
  const [result] = await once(child, 'message')
  child.kill()
  return result
}

export const envelope = (body: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>${body}</s:Body></s:Envelope>`

/** WSS UsernameToken Profile 1.0. */
export function withToken(message: string): string {
  const nonce = randomBytes(16)
  const created = new Date().toISOString()
  const digest = createHash('sha1').update(nonce).update(created).update(password).digest('base64')
  const wss = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'
  const header = `<s:Header><Security xmlns="${wss}-wssecurity-secext-1.0.xsd"><UsernameToken><Username>${user}</Username><Password Type="${wss}-username-token-profile-1.0#PasswordDigest">${digest}</Password><Nonce>${nonce.toString('base64')}</Nonce><Created xmlns="${wss}-wssecurity-utility-1.0.xsd">${created}</Created></UsernameToken></Security></s:Header>`
  return message.replace('<s:Body>', `${header}<s:Body>`)
}
