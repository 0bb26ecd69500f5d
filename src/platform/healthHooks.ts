import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '../limits.ts'
import type { Log } from './platform.ts'

/**
 * Runs every program of the folder, by name, one after the other. Resolves when all of them ended with 0; throws at the first that did
 * not, with its name and reason, and kills the running one where the signal is aborted. What is no program is passed over.
 */
export async function runHealthHooks(
  folder: string,
  log: Log,
  signal: AbortSignal,
  timeoutMs: number = limits.healthHookTimeoutMs,
): Promise<void> {
  for (const name of await hooksIn(folder, log)) {
    signal.throwIfAborted()
    const { failure, output } = await runHook(join(folder, name), signal, timeoutMs)
    if (failure === undefined) {
      log.debug({ hook: name }, 'a health hook is content')
      continue
    }
    log.warn({ hook: name, failure, output: output.slice(-limits.healthHookLoggedCharactersMax) }, 'a health hook is not content')
    throw new Error(`${name} ${failure}`)
  }
}

async function hooksIn(folder: string, log: Log): Promise<readonly string[]> {
  const names = await readdir(folder).catch(cause => {
    throw new Error(`the folder of the health hooks cannot be read (${codeOf(cause)})`, { cause })
  })
  const hooks: string[] = []
  for (const name of names.sort()) {
    if (await isProgram(join(folder, name))) hooks.push(name)
    else log.info({ hook: name }, 'passed over: no program')
  }
  if (hooks.length > limits.healthHooksMax) throw new Error(`there are ${hooks.length} health hooks, and ${limits.healthHooksMax} may be`)
  return hooks
}

async function isProgram(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false
    await access(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error)

/** `failure` completes a sentence that begins with its name. */
async function runHook(
  path: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<{ readonly failure: string | undefined; readonly output: string }> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const child = spawn(path, [], {
    cwd: '/',
    // What this process was given, passwords maybe, concerns nobody else.
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that its children end with it.
    detached: true,
  })
  let output = ''
  const take = (text: string) => {
    output += text
    if (output.length > limits.healthHookOutputBytesMax) resolve(`wrote more than ${limits.healthHookOutputBytesMax} bytes`)
  }
  child.stdout.setEncoding('latin1').on('data', take)
  child.stderr.setEncoding('latin1').on('data', take)
  child.once('error', error => resolve(`cannot be started (${codeOf(error)})`))
  const timers = [setTimeout(() => resolve(`did not end within ${timeoutMs / 1000} s`), timeoutMs)]
  const ended = (code: number | null, by: string | null) => resolve(code === 0 ? undefined : `ended with ${code ?? by}`)
  child.once('close', ended)
  // Its last words may still be on their way, or somebody whom it left behind holds their pipe.
  child.once('exit', (code, by) => void timers.push(setTimeout(() => ended(code, by), limits.healthHookLastWordsMs)))
  const abort = () => resolve('was broken off')
  signal.addEventListener('abort', abort)
  try {
    const failure = await promise
    return { failure, output: Buffer.from(output, 'latin1').toString() }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    end(child)
  }
}

/** With all that it has started. */
function end(child: ChildProcess): void {
  child.stdout?.destroy()
  child.stderr?.destroy()
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}
