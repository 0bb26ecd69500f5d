import { BlockList, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isHostIPv4, parseIPv4, parseIPv6 } from '../device/network/addresses.ts'

type Rule = readonly [network: string, prefixLength: number, family: 'ipv4' | 'ipv6']

/** RFC 6890 2.2.2 and 2.2.3: addresses behind which there is no host. */
const nowhere = {
  'an unspecified': list(['0.0.0.0', 8, 'ipv4'], ['::', 128, 'ipv6']),
  'a multicast': list(['224.0.0.0', 4, 'ipv4'], ['ff00::', 8, 'ipv6']),
  'a broadcast': list(['240.0.0.0', 4, 'ipv4']),
}

/** Places that trust whoever reaches them, and that only the device reaches. */
const local = {
  'a loopback': list(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6']),
  'a link-local': list(['169.254.0.0', 16, 'ipv4'], ['fe80::', 10, 'ipv6']),
}

function list(...rules: readonly Rule[]): BlockList {
  const made = new BlockList()
  for (const rule of rules) made.addSubnet(...rule)
  return made
}

/**
 * What kind of address an IP address is if no notifications go there, with its article; otherwise undefined. Without a port and a zone,
 * as a resolver gives it. The machine's own addresses are asked for anew each time, because they change.
 */
export function whyNoConsumer(address: string, isLocalAllowed: boolean): string | undefined {
  const plain = carriedIPv4(address) ?? address
  const family = isIPv6(plain) ? 'ipv6' : 'ipv4'
  const among = (kinds: Readonly<Record<string, BlockList>>) => Object.entries(kinds).find(([, rules]) => rules.check(plain, family))?.[0]
  const never = among(nowhere) ?? (isBroadcast(plain) ? 'a broadcast' : undefined)
  if (never !== undefined || isLocalAllowed) return never
  return among(local) ?? (isOwn(plain, family) ? "one of the device's own" : undefined)
}

/**
 * The IPv4 address to which an IPv6 address leads in the end: mapped or compatible (RFC 4291 2.5.5), by way of a translator (RFC 6052
 * 2.1) or of a tunnel (RFC 3056 2).
 */
function carriedIPv4(address: string): string | undefined {
  const value = parseIPv6(address)
  if (value === undefined) return undefined
  const isLast = value >> 32n === 0xffffn || (value >> 32n === 0n && value > 1n) || value >> 32n === 0x64ff9b_0000_0000_0000_0000n
  if (isLast) return dotted(value)
  return value >> 112n === 0x2002n ? dotted(value >> 80n) : undefined
}

const dotted = (value: bigint): string => [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 0xffn).join('.')

const ownAddresses = () => Object.values(networkInterfaces()).flatMap((entries = []) => entries)

function isOwn(address: string, family: 'ipv4' | 'ipv6'): boolean {
  const own = new BlockList()
  for (const each of ownAddresses()) own.addAddress(each.address, each.family === 'IPv6' ? 'ipv6' : 'ipv4')
  return own.check(address, family)
}

/** All hosts of a network of the device (RFC 919 7), or in the old way the network itself. */
function isBroadcast(address: string): boolean {
  const value = parseIPv4(address)
  if (value === undefined) return false
  return ownAddresses().some(({ family, cidr }) => {
    const [network = '', length = '32'] = cidr?.split('/') ?? []
    return family === 'IPv4' && list([network, Number(length), 'ipv4']).check(address) && !isHostIPv4(value, Number(length))
  })
}
