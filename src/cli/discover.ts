import { Command, InvalidArgumentError, Option } from 'commander'
import { type FoundDevice, search } from '../discovery/search.ts'
import { limits } from '../limits.ts'
import { parseSeconds } from './connection.ts'
import { grid, oneLine } from './text.ts'

interface Options {
  readonly timeout: number
  readonly interface?: readonly string[]
  readonly types?: readonly string[]
  readonly scopes?: readonly string[]
  readonly json?: boolean
  readonly port?: number
}

export function discoverCommand(): Command {
  return (
    new Command('discover')
      .description(
        'Find the ONVIF devices of the networks that this machine is in, by WS-Discovery over IPv4 and IPv6. Each has one line; its address is what the other commands take.',
      )
      .option('--timeout <seconds>', 'how long to wait for answers', parseSeconds, limits.searchMs / 1000)
      .option('--interface <names>', 'search only on these interfaces, by commas', parseList)
      .option(
        '--types <names>',
        'only devices of one of these types, by commas: tds:Device, dn:NetworkVideoTransmitter, {namespace}name',
        parseTypes,
      )
      .option('--scopes <uris>', 'only devices that have all of these scopes, by commas', parseList)
      .option('--json', 'print one JSON array')
      // Where tests search.
      .addOption(new Option('--port <number>').argParser(Number).hideHelp())
      .addHelpText('after', examples)
      .action(async ({ timeout, interface: interfaces, json, ...options }: Options) => {
        const devices = await search({ ...options, interfaces, timeoutMs: timeout * 1000 })
        if (json) process.stdout.write(`${JSON.stringify(devices.map(described), undefined, 2)}\n`)
        else if (devices.length > 0) process.stdout.write(`${present(devices)}\n`)
        if (devices.length === 0) throw new Error(`no device answered within ${timeout} s`)
      })
  )
}

interface Described extends FoundDevice {
  readonly name: string | undefined
  readonly hardware: string | undefined
}

/** Core 7.3.2.2: what the device calls itself and what it is made of stand in scopes. */
function described(device: FoundDevice): Described {
  const of = (category: string) => {
    const prefix = `onvif://www.onvif.org/${category}/`
    const scope = device.scopes.find(uri => uri.toLowerCase().startsWith(prefix.toLowerCase()))
    return scope && decoded(scope.slice(prefix.length))
  }
  return { name: of('name'), hardware: of('hardware'), ...device }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function present(devices: readonly FoundDevice[]): string {
  const rows = devices
    .map(described)
    .map(({ name, hardware, xaddrs, addresses }) => [name ?? '-', hardware ?? '-', xaddrs.join(' ') || '-', addresses.join(' ')])
    .map(row => row.map(cell => oneLine(cell)))
    .sort((a, b) => (a[0] ?? '').localeCompare(b[0] ?? '') || (a[2] ?? '').localeCompare(b[2] ?? ''))
  return grid(['Name', 'Hardware', 'Address', 'Answered from'], rows)
}

function parseList(text: string): readonly string[] {
  const items = text.split(',').filter(item => item !== '')
  if (items.length === 0 || items.some(item => /\s/.test(item)))
    throw new InvalidArgumentError('Give a list with commas and without blanks.')
  return items
}

function parseTypes(text: string): readonly string[] {
  const types = parseList(text)
  if (!types.every(type => /^(?:(?:tds|dn):|\{[^{}<>"\s]+\})[\p{L}_][\p{L}\p{N}_.-]*$/u.test(type)))
    throw new InvalidArgumentError('Give types such as tds:Device, dn:NetworkVideoTransmitter or {namespace}name.')
  return types
}

const examples = `
Examples:
  onvifd discover
  onvifd discover --interface eth0 --timeout 10
  onvifd discover --types dn:NetworkVideoTransmitter --scopes onvif://www.onvif.org/location/hall
  onvifd discover --json | jq -r '.[].xaddrs[0]'
  onvifd info http://192.168.1.20/onvif/device_service       an address that was found`
