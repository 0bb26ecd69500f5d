import { BlockList, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { limits } from '../limits.ts'

export type Family = 'IPv4' | 'IPv6'

export interface LinkAddress {
  readonly family: Family
  /** Without a zone. */
  readonly address: string
  /** IPv6 only: it means nothing without its interface. */
  readonly isLinkLocal: boolean
  readonly prefixLength: number
  /** Whether that address is in the same network. */
  readonly isNear: (address: string) => boolean
}

/** A network interface that is up. */
export interface Link {
  readonly name: string
  readonly isLoopback: boolean
  readonly addresses: readonly LinkAddress[]
}

/** One of our addresses: the one by which we are heard and answered. */
export interface Place {
  readonly link: Link
  readonly own: LinkAddress
}

/** Those of the machine at this moment. */
export function readLinks(found = networkInterfaces()): readonly Link[] {
  return Object.entries(found)
    .slice(0, limits.discoveryLinksMax)
    .map(([name, entries = []]) => ({
      name,
      isLoopback: entries.some(({ internal }) => internal),
      addresses: entries.slice(0, limits.discoveryAddressesMax).map(linkAddress),
    }))
}

function linkAddress({ family, address, cidr }: { family: Family; address: string; cidr: string | null }): LinkAddress {
  const prefixLength = Number(cidr?.split('/')[1] ?? (family === 'IPv4' ? 32 : 128))
  const network = new BlockList()
  const kind = family === 'IPv4' ? 'ipv4' : 'ipv6'
  network.addSubnet(address, prefixLength, kind)
  return {
    family,
    address,
    isLinkLocal: family === 'IPv6' && /^fe[89ab]/i.test(address),
    prefixLength,
    isNear: other => isIPv6(other) === (kind === 'ipv6') && network.check(other, kind),
  }
}

/** `fe80::1%eth0` → `fe80::1`, `eth0`. */
export function splitZone(address: string): readonly [address: string, zone: string | undefined] {
  const [plain = '', zone] = address.split('%', 2)
  return [plain, zone]
}

/**
 * Where a message to the group came in, as its sender tells: in the network that both are in. A sender behind a router is answered by
 * the only way out, if there is but one.
 */
export function placeOf(source: string, links: readonly Link[]): Place | undefined {
  const [address, zone] = splitZone(source)
  const places = links.filter(({ name }) => zone === undefined || zone === name).flatMap(link => link.addresses.map(own => ({ link, own })))
  const near = places.filter(({ own }) => own.isNear(address)).sort((a, b) => b.own.prefixLength - a.own.prefixLength)[0]
  if (near) return near
  const family = isIPv6(address) ? 'IPv6' : 'IPv4'
  const outside = places.filter(({ link, own }) => !link.isLoopback && own.family === family && !own.isLinkLocal)
  return outside.every(({ link }) => link === outside[0]?.link) ? outside[0] : undefined
}
