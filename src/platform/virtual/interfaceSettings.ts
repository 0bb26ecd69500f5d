import { isUnicastIPv4, isUnicastIPv6, parseIPv4, parseIPv6 } from '../../device/network/addresses.ts'
import type { Seal } from '../../device/seal.ts'
import { limits } from '../../limits.ts'
import type { Dot11Network, InterfaceAddress, InterfaceChange, Link } from '../platform.ts'

/** What clients have set, by token; what nobody has set is not in it. */
export type StoredInterfaces = Readonly<Record<string, StoredInterface>>

export interface StoredInterface extends Omit<InterfaceChange, 'dot11'> {
  readonly dot11?: readonly StoredDot11[] | undefined
}

/** With its key, sealed in the context that `keyContext` gives. */
export interface StoredDot11 extends Dot11Network {
  readonly key?: string | undefined
}

export const keyContext = (token: string, alias: string): string => `psk:${token}:${alias}`

/** Every key is opened once, so that settings sealed with another key are refused before they replace good ones. */
export function parseInterfaces(stored: unknown, seal: Seal): StoredInterfaces {
  const interfaces = Object.entries(fields(stored))
  if (interfaces.length > limits.interfacesStoredMax) throw new Error('too many interfaces')
  return Object.fromEntries(interfaces.map(([token, settings]) => [token, parseInterface(settings, token, seal)]))
}

function parseInterface(stored: unknown, token: string, seal: Seal): StoredInterface {
  const { enabled, mtu, link, ipv4, ipv6, dot11 } = fields(stored)
  return {
    enabled: optional(enabled, isBoolean),
    mtu: optional(mtu, isCount),
    link: link === undefined ? undefined : parseLink(link),
    ipv4: ipv4 === undefined ? undefined : parseIPv4Settings(ipv4),
    ipv6: ipv6 === undefined ? undefined : parseIPv6Settings(ipv6),
    dot11: dot11 === undefined ? undefined : list(dot11).map(network => parseDot11(network, token, seal)),
  }
}

function parseLink(stored: unknown): Link {
  const { autoNegotiation, speedMbps, duplex } = fields(stored)
  if (!isBoolean(autoNegotiation) || !isCount(speedMbps) || (duplex !== 'Full' && duplex !== 'Half')) throw new Error('no link')
  return { autoNegotiation, speedMbps, duplex }
}

function parseIPv4Settings(stored: unknown): StoredInterface['ipv4'] {
  const { enabled, dhcp, manual, zeroConfiguration } = fields(stored)
  return {
    enabled: optional(enabled, isBoolean),
    dhcp: optional(dhcp, isBoolean),
    manual: manual === undefined ? undefined : list(manual).map(entry => parseAddress(entry, 32)),
    zeroConfiguration: optional(zeroConfiguration, isBoolean),
  }
}

function parseIPv6Settings(stored: unknown): StoredInterface['ipv6'] {
  const { enabled, acceptRouterAdvert, dhcp, manual } = fields(stored)
  return {
    enabled: optional(enabled, isBoolean),
    acceptRouterAdvert: optional(acceptRouterAdvert, isBoolean),
    dhcp: optional(dhcp, isMode),
    manual: manual === undefined ? undefined : list(manual).map(entry => parseAddress(entry, 128)),
  }
}

function parseAddress(stored: unknown, bits: 32 | 128): InterfaceAddress {
  const { address, prefixLength } = fields(stored)
  if (typeof address !== 'string' || !isCount(prefixLength) || prefixLength > bits) throw new Error('no address of an interface')
  const ipv4 = parseIPv4(address)
  const ipv6 = parseIPv6(address)
  const isRight = bits === 32 ? ipv4 !== undefined && isUnicastIPv4(ipv4) : ipv6 !== undefined && isUnicastIPv6(ipv6)
  if (!isRight) throw new Error('no address of an interface')
  return { address, prefixLength }
}

function parseDot11(stored: unknown, token: string, seal: Seal): StoredDot11 {
  const { alias, ssid, priority, security, key } = fields(stored)
  const { mode, cipher } = fields(security)
  if (typeof alias !== 'string' || typeof ssid !== 'string' || !/^([0-9a-f]{2}){1,32}$/.test(ssid)) throw new Error('no wireless network')
  if (typeof priority !== 'number') throw new Error('no wireless network')
  if (mode === 'None') return { alias, ssid, priority, security: { mode } }
  if (mode !== 'PSK' || (cipher !== 'CCMP' && cipher !== 'Any') || typeof key !== 'string') throw new Error('no wireless network')
  seal.open(key, keyContext(token, alias))
  return { alias, ssid, priority, security: { mode, cipher }, key }
}

function fields(stored: unknown): Readonly<Record<string, unknown>> {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) throw new Error('no settings of an interface')
  return { ...stored }
}

function list(stored: unknown): readonly unknown[] {
  if (!Array.isArray(stored) || stored.length > limits.interfaceAddressesMax) throw new Error('no list of an interface')
  return stored
}

function optional<T>(value: unknown, is: (value: unknown) => value is T): T | undefined {
  if (value === undefined || is(value)) return value
  throw new Error('no setting of an interface')
}

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0
const isMode = (value: unknown): value is 'Auto' | 'Stateless' | 'Off' => value === 'Auto' || value === 'Stateless' || value === 'Off'
