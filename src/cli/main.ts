#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { describeFailure, exitCodeOf } from './failure.ts'

/** Each command and where it lives. Only the one that is asked for is loaded, so that `serve` answers soon after its start. */
const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  serve: { summary: 'run an ONVIF device', load: async () => (await import('./serve.ts')).serveCommand() },
  discover: { summary: 'find the devices of the network', load: async () => (await import('./discover.ts')).discoverCommand() },
  info: { summary: 'show what a device is and offers', load: async () => (await import('./info.ts')).infoCommand() },
  upgrade: {
    summary: 'send a firmware image to a device and wait until it runs',
    load: async () => (await import('./upgrade.ts')).upgradeCommand(),
  },
  events: { summary: 'print the events of a device as they come', load: async () => (await import('./events.ts')).eventsCommand() },
  firmware: {
    summary: 'look after an upgrade of an onvifd device',
    load: async () => (await import('./firmware.ts')).firmwareCommand(),
  },
  image: { summary: 'build and inspect firmware images', load: async () => (await import('./image.ts')).imageCommand() },
  call: { summary: 'call any operation of a device', load: async () => (await import('./call.ts')).callCommand() },
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest && 'version' in manifest ? String(manifest.version) : 'unknown'
}

async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('onvifd')
    .description('ONVIF device management: a device, and a client for every device.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help, or that of a command')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage. `onvifd COMMAND --help` has examples.')
    .configureOutput({ outputError: (message, write) => write(message.replace(/^error: /, 'onvifd: ')) })
    // `image build --version` is not ours.
    .enablePositionalOptions()
    .exitOverride()
  const asked = args.find(arg => !arg.startsWith('-') && arg !== 'help')
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = name === asked ? await load() : new Command(name)
    inherit(command, program)
    program.addCommand(command.summary(summary))
  }
  return program
}

/** `addCommand` leaves a command as it is; how to end on an error comes from the program. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inherit(child, command)
}

try {
  const args = process.argv.slice(2)
  const program = await createProgram(args)
  if (args.length === 0) program.help({ error: true })
  await program.parseAsync(args, { from: 'user' })
} catch (error) {
  // Commander has said what is wrong already.
  if (!(error instanceof CommanderError)) process.stderr.write(`onvifd: ${describeFailure(error)}\n`)
  process.exitCode = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : exitCodeOf(error)
}
