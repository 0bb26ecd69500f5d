import { fault } from '../../onvif/faults.ts'
import { isUnicastIPv4, isUnicastIPv6, parseIPv4, parseIPv6 } from './addresses.ts'
import { isHostName } from './hostNames.ts'

/** A server as a client names it: what the client says it is, and the text. */
export interface ServerRequest {
  readonly kind: 'IPv4' | 'IPv6' | 'DNS'
  readonly text: string
}

export const kindOf = (server: string): ServerRequest['kind'] =>
  parseIPv4(server) !== undefined ? 'IPv4' : parseIPv6(server) !== undefined ? 'IPv6' : 'DNS'

/**
 * The address or name of a server that can be asked. What the text is counts, not what it is said to be: ODM sends IPv6 addresses
 * of time servers as IPv4 ones. Throws InvalidIPv4Address, InvalidIPv6Address, InvalidDnsName by what it is said to be.
 */
export function assertServer({ kind, text }: ServerRequest): string {
  const ipv4 = parseIPv4(text)
  const ipv6 = parseIPv6(text)
  if (ipv4 !== undefined ? isUnicastIPv4(ipv4) : ipv6 !== undefined ? isUnicastIPv6(ipv6) : kind === 'DNS' && isHostName(text)) return text
  const quoted = JSON.stringify(text.slice(0, 100))
  if (kind === 'DNS') throw fault('InvalidDnsName', `${quoted} is no RFC 1123 name of a server`)
  throw fault(kind === 'IPv4' ? 'InvalidIPv4Address' : 'InvalidIPv6Address', `${quoted} is no ${kind} address of a server`)
}
