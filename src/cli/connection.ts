import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ClientError, isLoginRefused, OnvifFault } from '../client/errors.ts'
import { connect, type OnvifClient } from '../client/onvifClient.ts'
import type { LoginKind } from '../client/session.ts'
import { limits } from '../limits.ts'
import { obtainPassword } from './password.ts'

/** What every command that talks to a device takes. */
export interface ConnectionOptions {
  readonly user?: string
  readonly passwordFile?: string
  readonly login: LoginKind
  readonly timeout: number
  readonly insecure?: boolean
  readonly ca?: string
}

export const urlArgument = 'address of the device: HOST, HOST:PORT, http://HOST:PORT or the URL of its service'

export function addConnectionOptions(command: Command): Command {
  return command
    .option('-u, --user <name>', 'user to log in as; the password comes from ONVIFD_PASSWORD or is asked for')
    .option('--password-file <file>', 'file with the password in its first line')
    .addOption(
      new Option('--login <kind>', 'HTTP Digest, WS-UsernameToken, or what the device asks for')
        .choices(['auto', 'digest', 'token'])
        .default('auto'),
    )
    .option('--timeout <seconds>', 'for each answer', parseSeconds, limits.clientTimeoutMs / 1000)
    .option('--insecure', 'https: take any certificate, such as a self-signed one')
    .option('--ca <file>', 'https: PEM file of the CAs to trust')
}

/** For an option of commander. */
export function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (!(seconds > 0 && seconds <= limits.commandWaitSecondsMax)) throw new InvalidArgumentError('Give seconds, such as 5 or 0.5.')
  return seconds
}

/** Runs `work` with a client for the device, and closes its connections after. Refusals are told in words for the person. */
export async function withClient<T>(address: string, options: ConnectionOptions, work: (client: OnvifClient) => Promise<T>): Promise<T> {
  const { user, passwordFile, login, timeout, insecure, ca } = options
  const client = connect(address, {
    user,
    password: user === undefined ? undefined : await obtainPassword(user, passwordFile),
    login,
    timeoutMs: timeout * 1000,
    insecure,
    ca: ca === undefined ? undefined : await readFile(ca, 'utf8'),
  })
  try {
    return await work(client)
  } catch (error) {
    throw error instanceof ClientError || error instanceof OnvifFault ? new Error(explain(error, user), { cause: error }) : error
  } finally {
    client.close()
  }
}

/** A failure, and what to do about it. */
export function explain(error: ClientError | OnvifFault, user: string | undefined): string {
  if (isLoginRefused(error)) {
    if (user === undefined) return 'the device wants a log-in: add --user NAME'
    return `the device refuses this: the password of ${user} is wrong, or ${user} may not do it`
  }
  if (error instanceof OnvifFault) return `the device refuses this: ${error.message} (${[error.code, ...error.subcodes].join('/')})`
  if (error.kind === 'untrusted') return `${error.message}: name its CA with --ca, or add --insecure`
  if (error.kind === 'unreachable') return `${error.message}: is the device on, and the address right?`
  return error.message
}
