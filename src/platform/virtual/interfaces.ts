import { createHash } from 'node:crypto'
import { parseIPv4, parseIPv6 } from '../../device/network/addresses.ts'
import type { Seal } from '../../device/seal.ts'
import type { Document, Store } from '../../device/store.ts'
import type { Dot11Change, InterfaceAddress, InterfaceChange, Link, NetworkInterface } from '../platform.ts'
import { keyContext, parseInterfaces, type StoredDot11, type StoredInterface, type StoredInterfaces } from './interfaceSettings.ts'

interface Parts {
  readonly store: Store
  readonly seal: Seal
  /** The wired one by which the device is reached comes first; wlan… is an IEEE 802.11 one. */
  readonly names: readonly string[]
  /** Of the first one. */
  readonly hwAddress: string
  /** The addresses by which the device is reached. */
  readonly reachedAt: () => readonly InterfaceAddress[]
}

export const isWireless = (name: string): boolean => name.startsWith('wlan')

/**
 * The interfaces of a machine that has none of its own: every setting is kept and shown in every later read, and none of them moves
 * the host. The first interface stands for the host's. As long as nobody sets an address it has the one by which the device is
 * really reached, and DHCP gives it that one again; an address that a client sets is shown, while the device goes on being reached,
 * and naming itself in answers, by the address of its socket. Nothing is ever in force only after a reboot. The other interfaces
 * lead into networks where no DHCP server and no router answers.
 */
export function createInterfaces({ store, seal, names, hwAddress, reachedAt }: Parts) {
  const document: Document<StoredInterfaces> = store.document(
    'interfaces',
    stored => parseInterfaces(stored, seal),
    () => ({}),
  )

  return {
    list: (): readonly NetworkInterface[] =>
      names.map((name, index) =>
        view(name, document.get()[name] ?? {}, { hwAddress: nth(hwAddress, index), reachedAt: index === 0 ? reachedAt() : [] }),
      ),

    set(token: string, change: InterfaceChange): void {
      if (!names.includes(token)) throw new RangeError(`there is no interface ${token}`)
      const stored = document.get()
      document.set({ ...stored, [token]: merge(token, stored[token] ?? {}, change, seal) })
    },

    reset: (): void => document.set({}),
  }
}

function merge(token: string, before: StoredInterface, change: InterfaceChange, seal: Seal): StoredInterface {
  const { ipv4, ipv6, dot11 } = change
  return {
    enabled: change.enabled ?? before.enabled,
    mtu: change.mtu ?? before.mtu,
    link: change.link ?? before.link,
    ipv4: {
      enabled: ipv4?.enabled ?? before.ipv4?.enabled,
      dhcp: ipv4?.dhcp ?? before.ipv4?.dhcp,
      manual: ipv4?.manual ?? before.ipv4?.manual,
      zeroConfiguration: ipv4?.zeroConfiguration ?? before.ipv4?.zeroConfiguration,
    },
    ipv6: {
      enabled: ipv6?.enabled ?? before.ipv6?.enabled,
      acceptRouterAdvert: ipv6?.acceptRouterAdvert ?? before.ipv6?.acceptRouterAdvert,
      dhcp: ipv6?.dhcp ?? before.ipv6?.dhcp,
      manual: ipv6?.manual ?? before.ipv6?.manual,
    },
    dot11: dot11?.map(network => sealed(token, network, before.dot11 ?? [], seal)) ?? before.dot11,
  }
}

function sealed(token: string, { key, ...network }: Dot11Change, before: readonly StoredDot11[], seal: Seal): StoredDot11 {
  if (network.security.mode === 'None') return network
  if (key !== undefined) return { ...network, key: seal.seal(key, keyContext(token, network.alias)) }
  return { ...network, key: before.find(({ alias }) => alias === network.alias)?.key }
}

interface Wire {
  readonly hwAddress: string
  readonly reachedAt: readonly InterfaceAddress[]
}

const gigabit: Link = { autoNegotiation: true, speedMbps: 1000, duplex: 'Full' }

function view(name: string, settings: StoredInterface, { hwAddress, reachedAt }: Wire): NetworkInterface {
  const { mtu = 1500, link = gigabit, dot11 = [] } = settings
  const wireless = isWireless(name)
  return {
    token: name,
    name,
    hwAddress,
    mtu,
    // A radio that was told no network has nothing to do; clients take the first interface that is enabled for the device's own.
    enabled: settings.enabled ?? !wireless,
    link: wireless ? undefined : { set: link, operating: link.autoNegotiation ? gigabit : link, speedsMbps: [10, 100, 1000] },
    ipv4: viewIPv4(
      settings.ipv4 ?? {},
      hwAddress,
      reachedAt.filter(({ address }) => parseIPv4(address) !== undefined),
    ),
    ipv6: viewIPv6(
      settings.ipv6 ?? {},
      hwAddress,
      reachedAt.filter(({ address }) => parseIPv6(address) !== undefined),
    ),
    dot11: wireless ? dot11.map(({ key, ...network }) => network) : undefined,
  }
}

/** A link-local address is not claimed before somebody wants it, because nobody can reach the device by it. */
function viewIPv4(
  settings: NonNullable<StoredInterface['ipv4']>,
  hwAddress: string,
  reachedAt: readonly InterfaceAddress[],
): NetworkInterface['ipv4'] {
  const { dhcp = false, manual = dhcp ? [] : reachedAt, enabled = reachedAt.length > 0, zeroConfiguration = false } = settings
  return {
    enabled,
    dhcp,
    manual,
    fromDHCP: enabled && dhcp ? reachedAt[0] : undefined,
    zeroConfiguration,
    linkLocal: enabled && zeroConfiguration ? linkLocalIPv4(hwAddress) : undefined,
  }
}

function viewIPv6(
  settings: NonNullable<StoredInterface['ipv6']>,
  hwAddress: string,
  reachedAt: readonly InterfaceAddress[],
): NetworkInterface['ipv6'] {
  const { enabled = reachedAt.length > 0, manual = reachedAt, dhcp = 'Off', acceptRouterAdvert = false } = settings
  return {
    enabled,
    acceptRouterAdvert,
    dhcp,
    manual,
    linkLocal: enabled ? [linkLocalIPv6(hwAddress)] : [],
    fromDHCP: [],
    fromRouterAdvert: [],
  }
}

/** The addresses of a machine's interfaces follow each other. */
function nth(hwAddress: string, index: number): string {
  const bytes = hwAddress.split(':')
  const last = (Number.parseInt(bytes.pop() ?? '0', 16) + index) % 256
  return [...bytes, last.toString(16).padStart(2, '0')].join(':')
}

/** RFC 3927 2.1: from 169.254.1.0 to 169.254.254.255, always the same for the same machine. */
function linkLocalIPv4(hwAddress: string): InterfaceAddress {
  const hash = createHash('sha256').update(hwAddress).digest()
  return { address: `169.254.${1 + ((hash[0] ?? 0) % 254)}.${hash[1] ?? 0}`, prefixLength: 16 }
}

/** RFC 4291 2.5.6 and Appendix A; written as RFC 5952 4 wants it. */
function linkLocalIPv6(hwAddress: string): InterfaceAddress {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = hwAddress.split(':').map(byte => Number.parseInt(byte, 16))
  const groups = [(a ^ 2) * 256 + b, c * 256 + 0xff, 0xfe00 + d, e * 256 + f]
  const written = groups.slice(groups[0] === 0 ? 1 : 0).map(group => group.toString(16))
  return { address: `fe80::${written.join(':')}`, prefixLength: 64 }
}
