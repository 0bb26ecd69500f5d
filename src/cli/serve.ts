import { readFileSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Config, ConfigError, options } from '../config.ts'
import { createDevice } from '../createDevice.ts'

const examples = `
Examples:
  onvifd serve                                   a device on http://127.0.0.1:8080
  onvifd serve --host 0.0.0.0 --port 80          reachable from outside
  onvifd serve --state ./cam7 --port 0           a second one on a free port
Every option can also be given by its environment variable. On first start the password of the first Administrator is taken from
ONVIFD_ADMIN_PASSWORD or --admin-password-file; without either a random one is made and printed once.`

/** `onvifd serve`: a device in the foreground until SIGTERM or Ctrl-C. */
export function serveCommand(): Command {
  const command = new Command('serve').description('Runs an ONVIF device until it is told to stop.').addHelpText('after', examples)
  for (const { flag, environment, fallback, meaning, parse } of Object.values(options)) {
    command.addOption(
      new Option(flag, meaning)
        .env(environment)
        .default(fallback)
        // What a flag such as --strict means, which has no text of its own.
        .preset('true')
        .argParser(text => orUsage(() => parse(text))),
    )
  }
  return command.action(serve)
}

function orUsage<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof ConfigError) throw new InvalidArgumentError(error.message)
    throw error
  }
}

async function serve(config: Config): Promise<void> {
  // An upload arrives in pieces of 64 KiB that only a collection of the young generation gives back. A small one is collected often:
  // that keeps a device some 40 to 60 MiB smaller during an upload (`npm run bench -- --only upload`) and the upload no slower.
  setFlagsFromString('--max-semi-space-size=1')
  setFlagsFromString('--semi-space-growth-factor=1')
  keepOutOfCores()
  const device = await createDevice({
    ...config,
    adminPassword: adminPassword(config.adminPasswordFile),
    terminal: process.stderr,
    onRestartFailed: fail,
    onFirstPassword: (name, password) =>
      process.stdout.write(`onvifd first log-in: user ${name}, password ${password} (shown only this once; change it with SetUser)\n`),
  })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    device.stop().catch(fail)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  const url = await device.start()
  if (!stopping) process.stdout.write(`onvifd ready ${url}\n`)
}

/** Something that should have worked did not: say so and let the operator's supervisor see it. */
function fail(error: unknown): void {
  process.stderr.write(`onvifd: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

/** Both kinds of digest need passwords in the clear, so the memory holds them. With this none of it is dumped (core(5)). */
function keepOutOfCores(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // Another system than Linux: its operator has to switch dumps off.
  }
}

/** The environment is read once and cleared, so that no child process and no dump of the environment carries it along. */
function adminPassword(file: string | undefined): string | undefined {
  const given = process.env.ONVIFD_ADMIN_PASSWORD
  delete process.env.ONVIFD_ADMIN_PASSWORD
  if (file === undefined) return given
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0]
  } catch (error) {
    throw new ConfigError(`--admin-password-file: ${file} cannot be read (${error instanceof Error ? error.message : error})`)
  }
}
