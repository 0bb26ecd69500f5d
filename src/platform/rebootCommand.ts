import { spawn } from 'node:child_process'
import { limits } from '../limits.ts'

/**
 * Orders the machine to restart by a program of the operator's: its path and its arguments, by blanks, without a shell. Resolves when
 * the order is accepted: the program ended with 0, or has not failed within limits.rebootCommandTimeoutMs. The program outlives
 * this process. Rejects where it cannot be started or fails.
 */
export async function orderReboot(command: string): Promise<void> {
  const [program = '', ...args] = command.split(/\s+/).filter(word => word !== '')
  if (program === '') throw new Error('the reboot command is empty')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const child = spawn(program, args, {
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    // What it complains of is for whoever keeps our own complaints; a pipe would break when this process ends.
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  })
  child.unref()
  child.once('error', cause => reject(new Error(`the reboot command cannot be started: ${program}`, { cause })))
  child.once('exit', (code, signal) =>
    code === 0 ? resolve() : reject(new Error(`the reboot command failed: ${program} ended with ${code ?? signal}`)),
  )
  const timer = setTimeout(resolve, limits.rebootCommandTimeoutMs)
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
}
