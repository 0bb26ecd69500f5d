/** `npm run demo`: a device comes up, an image is built and signed, the device is upgraded with it; nothing is left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { limits } from '../limits.ts'
import { describeFailure } from './failure.ts'

/** As `.ts` from the sources and as `.js` from the package. */
const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url))
const payloadBytes = 24_000_000
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())

/** Never shown and never an argument: it goes to the children in their environment. */
const env = { ...process.env, ONVIFD_ADMIN_PASSWORD: randomBytes(18).toString('base64url') }

/** Starts `onvifd …`, shown as a person would type it. */
function onvifd(args: readonly string[], stdout: 'inherit' | 'pipe'): ChildProcess {
  process.stdout.write(`\n$ onvifd ${args.join(' ')}\n`)
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...env, ONVIFD_PASSWORD: env.ONVIFD_ADMIN_PASSWORD },
    stdio: ['ignore', stdout, 'inherit'],
  })
  const end = () => child.kill('SIGTERM')
  stop.signal.addEventListener('abort', end)
  child.once('exit', () => stop.signal.removeEventListener('abort', end))
  return child
}

/** Runs a command to its end. */
async function run(...args: readonly string[]): Promise<void> {
  stop.signal.throwIfAborted()
  const [code] = await once(onvifd(args, 'inherit'), 'exit')
  if (code !== 0) throw new Error(`onvifd ${args[0]} ended with ${code ?? 'a signal'}`)
}

/** Gives the address that the device prints when it answers. */
async function ready(device: ChildProcess): Promise<string> {
  if (!device.stdout) throw new Error('the device has no output')
  for await (const line of createInterface({
    input: device.stdout,
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(limits.demoStartTimeoutMs)]),
  })) {
    process.stdout.write(`${line}\n`)
    const url = /^onvifd ready (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the device ended, or did not come up in time')
}

async function demonstrate(folder: string): Promise<void> {
  const [state, payload, image] = [join(folder, 'state'), join(folder, 'rootfs.img'), join(folder, 'firmware-1.1.0.swu')]
  await writeFile(payload, randomBytes(payloadBytes))
  stop.signal.throwIfAborted()
  const device = onvifd(['serve', '--port', '0', '--state', state, '--log-level', 'warn'], 'pipe')
  const exited = once(device, 'exit')
  try {
    const url = await ready(device)
    device.stdout?.resume()
    await run('info', url, '--user', 'admin')
    await run('image', 'build', '--version', '1.1.0', '--payload', payload, '--state', state, '--out', image)
    await run('upgrade', url, image, '--user', 'admin')
  } finally {
    device.kill('SIGTERM')
    const patience = setTimeout(() => device.kill('SIGKILL'), limits.demoStopTimeoutMs)
    await exited
    clearTimeout(patience)
  }
}

const folder = await mkdtemp(join(tmpdir(), 'onvifd-demo-'))
try {
  await demonstrate(folder)
  process.stdout.write('\nDone: the device is stopped and its folder removed. `npm start` runs one that stays.\n')
} catch (error) {
  if (!stop.signal.aborted) process.stderr.write(`demo: ${describeFailure(error)}\n`)
  process.exitCode = stop.signal.aborted ? 130 : 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
