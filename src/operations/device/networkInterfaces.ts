import { setGateways } from '../../device/network/gateways.ts'
import { type InterfaceRequest, setInterface, setZeroConfiguration } from '../../device/network/interfaces.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type {
  Dot11Configuration,
  IPv4NetworkInterface,
  IPv6NetworkInterface,
  NetworkInterface,
  NetworkInterfaceConnectionSetting,
  NetworkInterfaceLink,
  NetworkInterfaceSetConfiguration,
  NetworkZeroConfiguration,
  PrefixedIPv4Address,
} from '../../onvif/types.generated.ts'
import type { Dot11Network, NetworkInterface as Interface, InterfaceAddress, Link, Network } from '../../platform/platform.ts'
import { dot11Request } from './wireless.ts'

type Interfaces = Pick<
  Chapter<'network'>,
  | 'GetNetworkInterfaces'
  | 'SetNetworkInterfaces'
  | 'GetNetworkDefaultGateway'
  | 'SetNetworkDefaultGateway'
  | 'GetZeroConfiguration'
  | 'SetZeroConfiguration'
>

/** Core 8.2.10, 8.2.11, 8.2.14 to 8.2.17. */
export function networkInterfaces(network: Network): Interfaces {
  return {
    async GetNetworkInterfaces() {
      return { NetworkInterfaces: (await network.interfaces()).map(networkInterface) }
    },

    async SetNetworkInterfaces({ InterfaceToken, NetworkInterface }) {
      const { rebootNeeded } = await setInterface(network, InterfaceToken, interfaceRequest(NetworkInterface))
      return { RebootNeeded: rebootNeeded }
    },

    async GetNetworkDefaultGateway() {
      const { ipv4, ipv6 } = await network.gateways()
      return { NetworkGateway: { IPv4Address: ipv4, IPv6Address: ipv6 } }
    },

    async SetNetworkDefaultGateway({ IPv4Address, IPv6Address }) {
      await setGateways(network, { ipv4: IPv4Address, ipv6: IPv6Address })
      return {}
    },

    async GetZeroConfiguration() {
      const [first, ...others] = (await network.interfaces()).map(zeroConfiguration)
      if (!first) throw new Error('the machine has no network interface')
      return { ZeroConfiguration: others.length > 0 ? { ...first, Extension: { Additional: others } } : first }
    },

    async SetZeroConfiguration({ InterfaceToken, Enabled }) {
      await setZeroConfiguration(network, InterfaceToken, Enabled)
      return {}
    },
  }
}

function interfaceRequest({ Enabled, MTU, Link, IPv4, IPv6, Extension }: NetworkInterfaceSetConfiguration): InterfaceRequest {
  return {
    enabled: Enabled,
    mtu: MTU,
    link: Link && { autoNegotiation: Link.AutoNegotiation, speedMbps: Link.Speed, duplex: Link.Duplex },
    ipv4: IPv4 && { enabled: IPv4.Enabled, dhcp: IPv4.DHCP, manual: IPv4.Manual?.map(interfaceAddress) },
    ipv6: IPv6 && {
      enabled: IPv6.Enabled,
      acceptRouterAdvert: IPv6.AcceptRouterAdvert,
      dhcp: IPv6.DHCP,
      manual: IPv6.Manual?.map(interfaceAddress),
    },
    dot3: Extension?.Dot3 !== undefined,
    dot11: Extension?.Dot11?.map(dot11Request),
  }
}

const interfaceAddress = ({ Address, PrefixLength }: PrefixedIPv4Address): InterfaceAddress => ({
  address: Address,
  prefixLength: PrefixLength,
})

/** IANA's numbers of interface types (RFC 2863 ifType). */
const ethernet = 6
const ieee80211 = 71

/** IPv4 is there even without an address: ODM opens the first enabled interface and takes its IPv4 for granted. */
function networkInterface({ token, name, hwAddress, mtu, enabled, link, ipv4, ipv6, dot11 }: Interface): NetworkInterface {
  return {
    token,
    Enabled: enabled,
    Info: { Name: name, HwAddress: hwAddress, MTU: mtu },
    // Core 8.2.22: an IEEE 802.11 interface has its extension in place of a link.
    ...(link && { Link: linkOf(link) }),
    IPv4: ipv4Of(ipv4),
    IPv6: ipv6Of(ipv6),
    ...(dot11 && { Extension: { InterfaceType: ieee80211, Dot11: dot11.map(dot11Configuration) } }),
  }
}

const linkOf = ({ set, operating }: NonNullable<Interface['link']>): NetworkInterfaceLink => ({
  AdminSettings: connection(set),
  OperSettings: connection(operating),
  InterfaceType: ethernet,
})

const connection = ({ autoNegotiation, speedMbps, duplex }: Link): NetworkInterfaceConnectionSetting => ({
  AutoNegotiation: autoNegotiation,
  Speed: speedMbps,
  Duplex: duplex,
})

const prefixed = ({ address, prefixLength }: InterfaceAddress) => ({ Address: address, PrefixLength: prefixLength })

const ipv4Of = ({ enabled, dhcp, manual, linkLocal, fromDHCP }: Interface['ipv4']): IPv4NetworkInterface => ({
  Enabled: enabled,
  Config: {
    Manual: manual.map(prefixed),
    LinkLocal: linkLocal && prefixed(linkLocal),
    FromDHCP: fromDHCP && prefixed(fromDHCP),
    DHCP: dhcp,
  },
})

const ipv6Of = (ipv6: Interface['ipv6']): IPv6NetworkInterface => ({
  Enabled: ipv6.enabled,
  Config: {
    AcceptRouterAdvert: ipv6.acceptRouterAdvert,
    DHCP: ipv6.dhcp,
    Manual: ipv6.manual.map(prefixed),
    LinkLocal: ipv6.linkLocal.map(prefixed),
    FromDHCP: ipv6.fromDHCP.map(prefixed),
    FromRA: ipv6.fromRouterAdvert.map(prefixed),
  },
})

/** The key is no part of it: nobody gets one back (Core 8.2.22). */
const dot11Configuration = ({ alias, ssid, priority, security }: Dot11Network): Dot11Configuration => ({
  SSID: Buffer.from(ssid, 'hex'),
  Mode: 'Infrastructure',
  Alias: alias,
  Priority: priority,
  Security: security.mode === 'PSK' ? { Mode: 'PSK', Algorithm: security.cipher } : { Mode: 'None' },
})

const zeroConfiguration = ({ token, ipv4 }: Interface): NetworkZeroConfiguration => ({
  InterfaceToken: token,
  Enabled: ipv4.zeroConfiguration,
  Addresses: ipv4.linkLocal ? [ipv4.linkLocal.address] : [],
})
