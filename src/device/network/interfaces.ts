import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { InterfaceAddress, InterfaceChange, Link, Network, NetworkInterface } from '../../platform/platform.ts'
import { isHostIPv4, isUnicastIPv4, isUnicastIPv6, parseIPv4, parseIPv6 } from './addresses.ts'
import { type Dot11Request, wirelessNetworks } from './wireless.ts'

/** What a request wants of an interface, before anybody has looked at it. What is absent stays (Core 5.5). */
export interface InterfaceRequest extends Omit<InterfaceChange, 'ipv6' | 'dot11'> {
  readonly ipv6?:
    | (Omit<NonNullable<InterfaceChange['ipv6']>, 'dhcp'> & { readonly dhcp?: 'Auto' | 'Stateful' | 'Stateless' | 'Off' | undefined })
    | undefined
  /** The settings of IEEE 802.3, of which there are none: that they are there says what the client takes the interface for. */
  readonly dot3: boolean
  readonly dot11?: readonly Dot11Request[] | undefined
}

/**
 * Core 8.2.11. All of the request or nothing of it.
 * Throws InvalidNetworkInterface, InvalidMtuValue, InvalidInterfaceSpeed, InvalidInterfaceType, InvalidIPv4Address,
 * InvalidIPv6Address, InvalidDHCPv6, InvalidArgVal (more addresses than `limits.interfaceAddressesMax`) and what `wirelessNetworks` throws.
 */
export async function setInterface(
  network: Network,
  token: string,
  request: InterfaceRequest,
): Promise<{ readonly rebootNeeded: boolean }> {
  const interfaces = await network.interfaces()
  const nic = interfaces.find(candidate => candidate.token === token)
  if (!nic) throw noSuchInterface(token)
  const others = interfaces.filter(candidate => candidate !== nic)

  const { enabled, link, mtu, ipv4, ipv6, dot3, dot11 } = request
  assertMtu(nic, request)
  if (link) assertLink(nic, link)
  if (ipv4?.manual) assertIPv4(ipv4.manual, others)
  if (ipv6?.manual) assertIPv6(ipv6.manual, others)
  const dhcp = ipv6?.dhcp
  if (dhcp === 'Stateful') throw fault('InvalidDHCPv6', 'addresses cannot be had by DHCPv6 here: Auto, Stateless and Off are supported')
  if (nic.dot11 && dot3) throw fault('InvalidInterfaceType', `${token} is an IEEE 802.11 interface, not an IEEE 802.3 one`)

  return network.setInterface(token, {
    enabled,
    mtu,
    // Core 8.2.22: an IEEE 802.11 interface has no link, and what a client says about it means nothing.
    link: nic.dot11 ? undefined : link,
    ipv4,
    ipv6: ipv6 && { ...ipv6, dhcp },
    dot11: wirelessNetworks(nic, { wifi: network.wifi !== undefined, enabled, dot11 }),
  })
}

/** Core 8.2.17. Throws InvalidNetworkInterface. */
export async function setZeroConfiguration(network: Network, token: string, zeroConfiguration: boolean): Promise<void> {
  if (!(await network.interfaces()).some(nic => nic.token === token)) throw noSuchInterface(token)
  await network.setInterface(token, { ipv4: { zeroConfiguration } })
}

export const noSuchInterface = (token: string) => fault('InvalidNetworkInterface', `there is no interface ${quote(token)}`)

/** A packet of 1280 bytes has to pass where there is IPv6 (RFC 8200 5), also where only IPv6 or only the MTU is set now. */
function assertMtu(nic: NetworkInterface, { mtu = nic.mtu, ipv6 }: InterfaceRequest): void {
  const hasIPv6 = ipv6?.enabled ?? nic.ipv6.enabled
  const min = hasIPv6 ? limits.mtuBytesMinIPv6 : limits.mtuBytesMin
  const max = nic.dot11 ? limits.mtuBytesMaxDot11 : limits.mtuBytesMax
  if (mtu < min || mtu > max)
    throw fault('InvalidMtuValue', `an MTU of ${nic.name} is from ${min} to ${max} bytes${hasIPv6 ? ' with IPv6' : ''}`)
}

/** With auto-negotiation the speed is no wish, but still one that exists. Nobody builds Gigabit Ethernet in half duplex (IEEE 802.3 41). */
function assertLink(nic: NetworkInterface, { speedMbps, duplex }: Link): void {
  if (!nic.link) return
  if (!nic.link.speedsMbps.includes(speedMbps) || (speedMbps >= 1000 && duplex === 'Half'))
    throw fault('InvalidInterfaceSpeed', `${nic.name} has no ${speedMbps} Mbit/s in ${duplex.toLowerCase()} duplex`)
}

/** Loopback is taken: a virtual device may be reached by nothing else, and clients send back what they have read. */
function assertIPv4(wanted: readonly InterfaceAddress[], others: readonly NetworkInterface[]): void {
  assertCount(wanted)
  const taken = new Set(others.flatMap(({ ipv4 }) => ipv4.manual.map(({ address }) => parseIPv4(address))))
  for (const { address, prefixLength } of wanted) {
    const value = parseIPv4(address)
    if (value === undefined || !isUnicastIPv4(value))
      throw fault('InvalidIPv4Address', `${quote(address)} is no IPv4 address of an interface`)
    if (prefixLength < 1 || prefixLength > 32) throw fault('InvalidIPv4Address', `${prefixLength} is no length of an IPv4 prefix`)
    if (!isHostIPv4(value, prefixLength)) throw fault('InvalidIPv4Address', `${address}/${prefixLength} is a network, or all of its hosts`)
    if (taken.has(value)) throw fault('InvalidIPv4Address', `${address} is there already`)
    taken.add(value)
  }
}

function assertIPv6(wanted: readonly InterfaceAddress[], others: readonly NetworkInterface[]): void {
  assertCount(wanted)
  const taken = new Set(others.flatMap(({ ipv6 }) => ipv6.manual.map(({ address }) => parseIPv6(address))))
  for (const { address, prefixLength } of wanted) {
    const value = parseIPv6(address)
    if (value === undefined || !isUnicastIPv6(value))
      throw fault('InvalidIPv6Address', `${quote(address)} is no IPv6 address of an interface`)
    if (prefixLength < 1 || prefixLength > 128) throw fault('InvalidIPv6Address', `${prefixLength} is no length of an IPv6 prefix`)
    if (taken.has(value)) throw fault('InvalidIPv6Address', `${address} is there already`)
    taken.add(value)
  }
}

function assertCount(wanted: readonly InterfaceAddress[]): void {
  const max = limits.interfaceAddressesMax
  if (wanted.length > max) throw fault('InvalidArgVal', `an interface has at most ${max} addresses of a kind`)
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 100))
