import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Network } from '../../platform/platform.ts'
import { isLoopbackIPv4, isLoopbackIPv6, isUnicastIPv4, isUnicastIPv6, parseIPv4, parseIPv6 } from './addresses.ts'

interface Wanted {
  readonly ipv4?: readonly string[] | undefined
  readonly ipv6?: readonly string[] | undefined
}

/**
 * Core 8.2.15. A list replaces the one of its kind, and an absent one stays (Core 5.5). Whether a gateway is on one of the device's
 * networks is not asked: clients change address and gateway in either order.
 * Throws InvalidGatewayAddress, InvalidArgVal (too many), and for an address in the list of the other kind InvalidIPv4Address or
 * InvalidIPv6Address; the conformance test wants InvalidGatewayAddress for all that is no address.
 */
export async function setGateways(network: Network, wanted: Wanted): Promise<void> {
  const interfaces = await network.interfaces()
  const ownIPv4 = interfaces.flatMap(({ ipv4 }) => ipv4.manual.map(({ address }) => parseIPv4(address)))
  const ownIPv6 = interfaces.flatMap(({ ipv6 }) => ipv6.manual.map(({ address }) => parseIPv6(address)))

  for (const list of [wanted.ipv4 ?? [], wanted.ipv6 ?? []])
    if (list.length > limits.gatewaysMax) throw fault('InvalidArgVal', `there are at most ${limits.gatewaysMax} gateways of a kind`)
  for (const text of wanted.ipv4 ?? []) {
    const value = parseIPv4(text)
    if (value === undefined && parseIPv6(text) !== undefined) throw fault('InvalidIPv4Address', `${text} is an IPv6 address`)
    if (value === undefined || !isUnicastIPv4(value) || isLoopbackIPv4(value) || ownIPv4.includes(value)) throw noGateway(text)
  }
  for (const text of wanted.ipv6 ?? []) {
    const value = parseIPv6(text)
    if (value === undefined && parseIPv4(text) !== undefined) throw fault('InvalidIPv6Address', `${text} is an IPv4 address`)
    if (value === undefined || !isUnicastIPv6(value) || isLoopbackIPv6(value) || ownIPv6.includes(value)) throw noGateway(text)
  }

  const { ipv4, ipv6 } = await network.gateways()
  await network.setGateways({ ipv4: wanted.ipv4 ?? ipv4, ipv6: wanted.ipv6 ?? ipv6 })
}

const noGateway = (text: string) => fault('InvalidGatewayAddress', `${JSON.stringify(text.slice(0, 100))} is no address of a gateway`)
