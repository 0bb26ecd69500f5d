import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { UsageError } from './failure.ts'

/** From the file, from ONVIFD_PASSWORD, or typed in: never from the command line, which every user of the machine can read. */
export async function obtainPassword(user: string, file: string | undefined): Promise<string> {
  if (file !== undefined) {
    const [first = ''] = (await readFile(file, 'utf8')).split(/\r?\n/, 1)
    if (first === '') throw new UsageError(`${file} has no password in its first line`)
    return first
  }
  const fromEnvironment = process.env.ONVIFD_PASSWORD
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment
  if (!process.stdin.isTTY) throw new UsageError('no password: set ONVIFD_PASSWORD, or name a file with --password-file')
  return askWithoutEcho(`Password of ${user}: `)
}

async function askWithoutEcho(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      terminal.once('SIGINT', () => reject(new UsageError('no password given')))
      terminal.once('close', () => reject(new UsageError('no password given')))
      terminal.question('', resolve)
    })
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}
