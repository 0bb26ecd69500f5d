import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export const admin = { name: 'admin', password: 'Correct-horse-7' }

export interface Daemon {
  /** As the device printed it: `http://127.0.0.1:PORT/onvif/device_service`. */
  readonly url: string
  readonly origin: string
  readonly state: string
  readonly process: ChildProcess
  /** Everything that it wrote so far. */
  output(): string
  /** Ends it with SIGTERM and gives its exit code. */
  stop(): Promise<number | null>
}

/** A folder that goes away with the test, when `before` has ended what uses it. */
export async function temporaryFolder(t: TestContext, before = async () => {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onvifd-'))
  t.after(async () => {
    await before()
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}

/** `onvifd serve` as a process of its own on a free port; it ends with the test. */
export async function startDaemon(
  t: TestContext,
  extra: readonly string[] = [],
  {
    state,
    env = { ONVIFD_ADMIN_PASSWORD: admin.password },
    program = main,
  }: { readonly state?: string; readonly env?: NodeJS.ProcessEnv; readonly program?: string } = {},
): Promise<Daemon> {
  let end = async () => {}
  const folder = state ?? (await temporaryFolder(t, () => end()))
  const child = spawn(process.execPath, [program, 'serve', '--port', '0', '--state', folder, '--boot-time', '0.2', ...extra], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    output += text
  })
  const exited = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
  end = async () => {
    child.kill('SIGKILL')
    await exited
  }
  t.after(() => end())
  const url = await new Promise<string>((resolve, reject) => {
    void exited.then(code => reject(new Error(`onvifd ended with ${code}:\n${output}`)))
    createInterface(child.stdout).on('line', line => {
      output += `${line}\n`
      const ready = /^onvifd ready (\S+)$/.exec(line)
      if (ready?.[1]) resolve(ready[1])
    })
  })
  return {
    url,
    origin: new URL(url).origin,
    state: folder,
    process: child,
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      return exited
    },
  }
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; it is killed after a minute. */
export function run(
  command: string,
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string; onOutput?: () => void } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text
      options.onOutput?.()
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    child.once('error', reject)
    child.once('close', code => resolve({ code, stdout, stderr }))
    // A program that ends without reading is no error of ours.
    child.stdin.on('error', () => {}).end(options.input ?? '')
  })
}

/** `onvifd …` as a person runs it. */
export const onvifd = (args: readonly string[], options?: Parameters<typeof run>[2]) => run(process.execPath, [main, ...args], options)

/** A firmware image signed by the development CA of the device in `state`. */
export async function buildImage(t: TestContext, state: string, version: string, payloadBytes = 300_000): Promise<string> {
  const folder = await temporaryFolder(t)
  const payload = join(folder, 'rootfs.img')
  await writeFile(payload, Buffer.alloc(payloadBytes, version))
  const image = join(folder, `firmware-${version}.swu`)
  const built = await onvifd(['image', 'build', '--version', version, '--payload', payload, '--state', state, '--out', image])
  assert.equal(built.code, 0, built.stderr)
  return image
}

/** The upload as a person does it with curl; gives the HTTP status and the body. */
export async function curlUpload(uri: string, image: string, tls: readonly string[] = []): Promise<{ status: string; body: string }> {
  const config = `user = "${admin.name}:${admin.password}"\n`
  const { stdout, stderr } = await run(
    'curl',
    [
      '--silent',
      '--show-error',
      '--config',
      '-',
      '--digest',
      ...tls,
      '-H',
      'Content-Type: application/octet-stream',
      '--data-binary',
      `@${image}`,
      '-w',
      '\n%{http_code}',
      uri,
    ],
    { input: config },
  )
  const lines = stdout.trimEnd().split('\n')
  return { status: lines.at(-1) ?? '', body: `${lines.slice(0, -1).join('\n')}${stderr}` }
}

/** Repeats `attempt` until it gives a value; after `seconds` it throws the last error. */
export async function eventually<T>(attempt: () => Promise<T>, seconds = 20): Promise<T> {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}
