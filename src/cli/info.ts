import { Command } from 'commander'
import { ClientError, isLoginRefused, OnvifFault } from '../client/errors.ts'
import type { OnvifClient } from '../client/onvifClient.ts'
import type { OperationOf } from '../onvif/handlers.ts'
import type { DateTime, NetworkInterface, Operations } from '../onvif/types.generated.ts'
import { addConnectionOptions, type ConnectionOptions, explain, urlArgument, withClient } from './connection.ts'
import { oneLine, table } from './text.ts'

export function infoCommand(): Command {
  const command = new Command('info')
    .description(
      'Show what a device is, which services it has, how its clock goes and how it is connected. Without --user it shows what the device tells everybody, and names what needs a log-in.',
    )
    .argument('<url>', urlArgument)
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples)
  return addConnectionOptions(command).action(async (url: string, options: ConnectionOptions & { json?: boolean }) => {
    const report = await withClient(url, options, client => survey(client, options.user))
    process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : present(report))
    if (options.user !== undefined && report.needsLogin.length > 0) {
      throw new Error(`the device refuses the log-in of ${options.user}: wrong password, or no right to see this`)
    }
  })
}

interface Report {
  readonly url: string
  readonly information: Operations['GetDeviceInformation']['response'] | undefined
  readonly hostname: string | undefined
  readonly endpoint: string | undefined
  readonly clock:
    | { readonly utc: string; readonly aheadMs: number; readonly setBy: string; readonly timeZone: string | undefined }
    | undefined
  readonly services: readonly { readonly namespace: string; readonly version: string; readonly address: string }[] | undefined
  readonly network: readonly Connection[] | undefined
  /** Operations that the device only answers to somebody it knows. */
  readonly needsLogin: readonly string[]
  readonly problems: readonly { readonly operation: string; readonly problem: string }[]
}

interface Connection {
  readonly name: string
  readonly hwAddress: string
  readonly enabled: boolean
  readonly addresses: readonly string[]
  readonly fromDHCP: boolean
}

/** Asks for one thing after the other; what is refused or not there is noted. Throws where there is no ONVIF device at all. */
async function survey(client: OnvifClient, user: string | undefined): Promise<Report> {
  const needsLogin: string[] = []
  const problems: { operation: string; problem: string }[] = []
  let answered = false

  async function ask<O extends OperationOf<'tds'>, T>(
    operation: O,
    request: Operations[O]['request'],
    read: (response: Operations[O]['response']) => T,
  ) {
    try {
      const response = await client.call(operation, request)
      answered = true
      return read(response)
    } catch (error) {
      if (!(error instanceof ClientError || error instanceof OnvifFault)) throw error
      if (error instanceof ClientError && !answered && error.status !== 401) throw error
      answered = true
      if (isLoginRefused(error)) needsLogin.push(operation)
      else problems.push({ operation, problem: explain(error, user) })
      return undefined
    }
  }

  const asked = Date.now()
  const clock = await ask('GetSystemDateAndTime', {}, ({ SystemDateAndTime: { UTCDateTime, DateTimeType, TimeZone } }) => {
    const utc = UTCDateTime && inUtc(UTCDateTime)
    if (!utc) return undefined
    const aheadMs = utc.getTime() - (asked + Date.now()) / 2
    return { utc: utc.toISOString(), aheadMs: Math.round(aheadMs), setBy: DateTimeType, timeZone: TimeZone?.TZ }
  })
  const services = await ask('GetServices', { IncludeCapability: false }, ({ Service }) =>
    Service.map(({ Namespace, Version, XAddr }) => ({
      namespace: Namespace,
      version: `${Version.Major}.${String(Version.Minor).padStart(2, '0')}`,
      address: XAddr,
    })),
  )
  const hostname = await ask(
    'GetHostname',
    {},
    ({ HostnameInformation: { Name, FromDHCP } }) => `${Name ?? ''}${FromDHCP ? ' (from DHCP)' : ''}`,
  )
  const endpoint = await ask('GetEndpointReference', {}, ({ GUID }) => GUID)
  const information = await ask('GetDeviceInformation', {}, response => response)
  const network = await ask('GetNetworkInterfaces', {}, ({ NetworkInterfaces }) => NetworkInterfaces?.map(connectionOf))
  return { url: client.url.href, information, hostname, endpoint, clock, services, network, needsLogin, problems }
}

function inUtc({ Date: { Year, Month, Day }, Time: { Hour, Minute, Second } }: DateTime): Date | undefined {
  const utc = new Date(Date.UTC(Year, Month - 1, Day, Hour, Minute, Second))
  return Number.isNaN(utc.getTime()) ? undefined : utc
}

function connectionOf({ token, Enabled, Info, IPv4, IPv6 }: NetworkInterface): Connection {
  const [v4, v6] = [IPv4?.Config, IPv6?.Config]
  const addresses = [v4?.Manual, v4?.FromDHCP, v4?.LinkLocal, v6?.Manual, v6?.FromDHCP, v6?.FromRA, v6?.LinkLocal].flat()
  return {
    name: Info?.Name ?? token,
    hwAddress: Info?.HwAddress ?? '',
    enabled: Enabled,
    addresses: addresses.flatMap(address => (address ? [`${address.Address}/${address.PrefixLength}`] : [])),
    fromDHCP: v4?.DHCP ?? false,
  }
}

function present({ url, information, hostname, endpoint, clock, services, network, needsLogin, problems }: Report): string {
  const rows: [string, string][] = [['Device', url]]
  if (information) {
    rows.push(['Manufacturer', information.Manufacturer], ['Model', information.Model], ['Firmware', information.FirmwareVersion])
    rows.push(['Serial number', information.SerialNumber], ['Hardware', information.HardwareId])
  }
  if (endpoint !== undefined) rows.push(['Endpoint', endpoint])
  if (hostname !== undefined) rows.push(['Hostname', hostname])
  if (clock) rows.push(['Clock', `${clock.utc}, ${difference(clock.aheadMs)}, set by ${clock.setBy === 'NTP' ? 'NTP' : 'hand'}`])
  for (const [index, { namespace, version, address }] of (services ?? []).entries()) {
    rows.push([index === 0 ? 'Services' : '', `${namespace} ${version} ${address}`])
  }
  for (const [index, { name, hwAddress, enabled, addresses, fromDHCP }] of (network ?? []).entries()) {
    const state = enabled ? `${addresses.join(', ') || 'no address'}${fromDHCP ? ' (DHCP)' : ''}` : 'off'
    rows.push([index === 0 ? 'Network' : '', [name, hwAddress, state].filter(part => part !== '').join(' ')])
  }
  if (needsLogin.length > 0) rows.push(['Needs a log-in', needsLogin.join(', ')])
  for (const { operation, problem } of problems) rows.push(['Not answered', `${operation}: ${problem}`])
  return `${table(rows.map(([label, value]) => [label, oneLine(value)]))}\n`
}

/** The device gives whole seconds, so that a difference below one says nothing. */
function difference(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  if (Math.abs(aheadMs) < 1500) return 'as here'
  return `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine`
}

const examples = `
Examples:
  onvifd info 192.168.1.20
  onvifd info https://camera.local --insecure --user admin
  ONVIFD_PASSWORD=… onvifd info 127.0.0.1:8080 --user admin --json`
