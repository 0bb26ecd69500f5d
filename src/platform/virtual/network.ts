import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Store } from '../../device/store.ts'
import type { InterfaceAddress, Network } from '../platform.ts'

interface Parts {
  readonly store: Store
  readonly defaultHostname: string
  readonly hwAddress: string
  /** The address that the device listens on, as the socket gives it: an IP address, `0.0.0.0` or `::` for all of the host's. */
  readonly listenAddress: () => string
}

/** One interface, `eth0`, with the address by which the device is reached. What can be set is the hostname. */
export function createNetwork({ store, defaultHostname, hwAddress, listenAddress }: Parts): Network {
  const hostname = store.document<string>('hostname', parseHostname, () => defaultHostname)
  return {
    async hostname() {
      return { name: hostname.get(), fromDHCP: false }
    },
    async setHostname(name) {
      hostname.set(name)
    },
    async interfaces() {
      const addresses = reachable(listenAddress())
      const ipv4 = { fromDHCP: false, addresses: addresses.filter(({ address }) => isIPv4(address)) }
      const ipv6 = { addresses: addresses.filter(({ address }) => isIPv6(address)) }
      return [{ token: 'eth0', name: 'eth0', hwAddress, mtu: 1500, enabled: true, ipv4, ipv6 }]
    },
    async dns() {
      return { fromDHCP: false, servers: [], searchDomains: [] }
    },
    async ntp() {
      return { fromDHCP: false, servers: [] }
    },
    async reset() {
      hostname.set(defaultHostname)
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
  return outside.length > 0 ? outside.map(named) : [{ address: '127.0.0.1', prefixLength: 8 }]
}

function prefixLength(cidr: string | null, address: string): number {
  const length = Number(cidr?.split('/')[1])
  if (Number.isInteger(length)) return length
  return isIPv4(address) ? 24 : 64
}

function parseHostname(stored: unknown): string {
  if (typeof stored === 'string') return stored
  throw new Error('no hostname')
}
