import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { parseIPv4, parseIPv6 } from '../../device/network/addresses.ts'
import type { Seal } from '../../device/seal.ts'
import type { Store } from '../../device/store.ts'
import { limits } from '../../limits.ts'
import type { Gateways, Hostname, InterfaceAddress, Network } from '../platform.ts'
import { createInterfaces, isWireless } from './interfaces.ts'
import { createNetworkServers } from './networkServers.ts'
import { createWifi } from './wifi.ts'

interface Parts {
  readonly store: Store
  /** For the keys of wireless networks. */
  readonly seal: Seal
  readonly defaultHostname: string
  readonly hwAddress: string
  /** Names of the interfaces; the first is the one by which the device is reached. */
  readonly interfaces: readonly string[]
  /** The address that the device listens on, as the socket gives it: an IP address, `0.0.0.0` or `::` for all of the host's. */
  readonly listenAddress: () => string
}

/** What DHCP gives is what the factory gave: the default hostname, and the address by which the device is reached. */
export function createNetwork({ store, seal, defaultHostname, hwAddress, interfaces: names, listenAddress }: Parts): Network {
  const factoryName: Hostname = { name: defaultHostname, fromDHCP: false }
  const hostname = store.document<Hostname>('hostname', parseHostname, () => factoryName)
  const gateways = store.document<Gateways>('gateways', parseGateways, () => noGateways)
  const interfaces = createInterfaces({ store, seal, names, hwAddress, reachedAt: () => reachable(listenAddress()) })
  const servers = createNetworkServers(store)
  return {
    wifi: names.some(isWireless) ? createWifi(interfaces.list) : undefined,
    async hostname() {
      const { name, fromDHCP } = hostname.get()
      return { name: fromDHCP ? defaultHostname : name, fromDHCP }
    },
    async setHostname(name) {
      hostname.set({ name, fromDHCP: false })
    },
    async setHostnameFromDHCP(fromDHCP) {
      hostname.set({ name: hostname.get().name, fromDHCP })
      return { rebootNeeded: false }
    },
    async interfaces() {
      return interfaces.list()
    },
    async setInterface(token, change) {
      interfaces.set(token, change)
      return { rebootNeeded: false }
    },
    async gateways() {
      return gateways.get()
    },
    async setGateways(wanted) {
      gateways.set(wanted)
    },
    ...servers,
    async reset() {
      store.transaction(() => {
        hostname.set(factoryName)
        gateways.set(noGateways)
        interfaces.reset()
        servers.reset()
      })
    },
  }
}

/** A wildcard stands for the addresses of the host that others can reach, and for loopback where there are none. */
function reachable(listening: string): readonly InterfaceAddress[] {
  const ofHost = Object.values(networkInterfaces()).flatMap(entries => entries ?? [])
  const named = (entry: { address: string; cidr: string | null }) => ({
    address: entry.address,
    prefixLength: prefixLength(entry.cidr, entry.address),
  })
  if (listening !== '0.0.0.0' && listening !== '::') {
    const known = ofHost.find(entry => entry.address === listening)
    return [named(known ?? { address: listening, cidr: null })]
  }
  // Link-local IPv6 addresses need a zone, which an ONVIF address cannot carry.
  const outside = ofHost.filter(
    entry => !entry.internal && !entry.address.startsWith('fe80:') && (listening === '::' || entry.family === 'IPv4'),
  )
  return outside.length > 0 ? outside.slice(0, limits.interfaceAddressesMax).map(named) : [{ address: '127.0.0.1', prefixLength: 8 }]
}

function prefixLength(cidr: string | null, address: string): number {
  const length = Number(cidr?.split('/')[1])
  if (Number.isInteger(length)) return length
  return isIPv4(address) ? 24 : 64
}

/** Up to version 0.1 a name alone was kept. */
function parseHostname(stored: unknown): Hostname {
  if (typeof stored === 'string') return { name: stored, fromDHCP: false }
  const { name, fromDHCP }: { name?: unknown; fromDHCP?: unknown } = typeof stored === 'object' && stored !== null ? stored : {}
  if (typeof name === 'string' && typeof fromDHCP === 'boolean') return { name, fromDHCP }
  throw new Error('no hostname')
}

const noGateways: Gateways = { ipv4: [], ipv6: [] }

function parseGateways(stored: unknown): Gateways {
  const { ipv4, ipv6 }: { ipv4?: unknown; ipv6?: unknown } = typeof stored === 'object' && stored !== null ? stored : {}
  return { ipv4: addresses(ipv4, parseIPv4), ipv6: addresses(ipv6, parseIPv6) }
}

function addresses(stored: unknown, parse: (text: string) => unknown): readonly string[] {
  if (!Array.isArray(stored) || stored.length > limits.gatewaysMax) throw new Error('no list of gateways')
  return stored.map(text => {
    if (typeof text === 'string' && parse(text) !== undefined) return text
    throw new Error('no list of gateways')
  })
}
