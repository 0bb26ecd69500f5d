import type { AddressFilter, AddressRanges, Filter } from '../../device/network/addressFilter.ts'
import { setDynamicDns } from '../../device/network/dynamicDns.ts'
import { setNameServers } from '../../device/network/nameServers.ts'
import type { Protocols } from '../../device/network/protocols.ts'
import { kindOf, type ServerRequest } from '../../device/network/servers.ts'
import { setTimeServers } from '../../device/network/timeServers.ts'
import type { DateTime } from '../../device/time/dateTime.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { IPAddress, IPAddressFilter, NetworkHost, PrefixedIPv4Address } from '../../onvif/types.generated.ts'
import type { InterfaceAddress, Network } from '../../platform/platform.ts'

export interface NetworkServiceSubjects {
  readonly network: Network
  readonly dateTime: DateTime
  readonly protocols: Protocols
  readonly addressFilter: AddressFilter
  /** Ends the connections that the address filter does not admit any more. */
  readonly expel: () => void
}

type Operations = Pick<
  Chapter<'network'>,
  | 'GetDNS'
  | 'SetDNS'
  | 'GetNTP'
  | 'SetNTP'
  | 'GetDynamicDNS'
  | 'SetDynamicDNS'
  | 'GetNetworkProtocols'
  | 'SetNetworkProtocols'
  | 'GetIPAddressFilter'
  | 'SetIPAddressFilter'
  | 'AddIPAddressFilter'
  | 'RemoveIPAddressFilter'
>

/** Core 8.2.4 to 8.2.9, 8.2.12, 8.2.13, 8.2.18 to 8.2.21: whom the device asks, and by which ways and by whom it can be reached. */
export function networkServices({ network, dateTime, protocols, addressFilter, expel }: NetworkServiceSubjects): Operations {
  return {
    async GetDNS() {
      const { fromDHCP, servers, searchDomains } = await network.dns()
      const addresses = servers.map(ipAddress)
      return {
        DNSInformation: {
          FromDHCP: fromDHCP,
          SearchDomain: searchDomains,
          ...(fromDHCP ? { DNSFromDHCP: addresses } : { DNSManual: addresses }),
        },
      }
    },

    async SetDNS({ FromDHCP, SearchDomain, DNSManual = [] }) {
      await setNameServers(network, { fromDHCP: FromDHCP, servers: DNSManual.map(serverRequest), searchDomains: SearchDomain })
      return {}
    },

    async GetNTP() {
      const { fromDHCP, servers } = await network.ntp()
      const hosts = servers.map(networkHost)
      return { NTPInformation: { FromDHCP: fromDHCP, ...(fromDHCP ? { NTPFromDHCP: hosts } : { NTPManual: hosts }) } }
    },

    async SetNTP({ FromDHCP, NTPManual = [] }) {
      const clockFollowsNtp = () => dateTime.read().source === 'NTP'
      await setTimeServers(network, clockFollowsNtp, { fromDHCP: FromDHCP, servers: NTPManual.map(serverRequest) })
      return {}
    },

    async GetDynamicDNS() {
      const { type, name, ttl } = await network.dynamicDns()
      return { DynamicDNSInformation: { Type: type, Name: name, TTL: ttl } }
    },

    async SetDynamicDNS({ Type, Name, TTL }) {
      await setDynamicDns(network, { type: Type, name: Name, ttl: TTL })
      return {}
    },

    async GetNetworkProtocols() {
      return { NetworkProtocols: protocols.list().map(({ name, enabled, ports }) => ({ Name: name, Enabled: enabled, Port: ports })) }
    },

    async SetNetworkProtocols({ NetworkProtocols }, call) {
      const wanted = NetworkProtocols.map(({ Name, Enabled, Port }) => ({ name: Name, enabled: Enabled, ports: Port }))
      call.afterReply(await protocols.set(wanted))
      return {}
    },

    async GetIPAddressFilter() {
      return { IPAddressFilter: filterToWire(addressFilter.get()) }
    },

    async SetIPAddressFilter({ IPAddressFilter: wanted }, call) {
      addressFilter.set({ type: wanted.Type, ...rangesFromWire(wanted) }, call.remoteAddress)
      call.afterReply(async () => expel())
      return {}
    },

    // Core 8.2.20: the Type of the request means nothing here and in the next one.
    async AddIPAddressFilter({ IPAddressFilter: more }, call) {
      addressFilter.add(rangesFromWire(more), call.remoteAddress)
      call.afterReply(async () => expel())
      return {}
    },

    async RemoveIPAddressFilter({ IPAddressFilter: less }, call) {
      addressFilter.remove(rangesFromWire(less), call.remoteAddress)
      call.afterReply(async () => expel())
      return {}
    },
  }
}

const ipAddress = (address: string): IPAddress =>
  kindOf(address) === 'IPv6' ? { Type: 'IPv6', IPv6Address: address } : { Type: 'IPv4', IPv4Address: address }

const networkHost = (host: string): NetworkHost => (kindOf(host) === 'DNS' ? { Type: 'DNS', DNSname: host } : ipAddress(host))

/** Type says which member counts; where only another one is given, as ODM does with IPv6 addresses, it is taken. */
function serverRequest({ Type, IPv4Address, IPv6Address, DNSname }: NetworkHost): ServerRequest {
  const named = { IPv4: IPv4Address, IPv6: IPv6Address, DNS: DNSname }[Type]
  return { kind: Type, text: named ?? IPv4Address ?? IPv6Address ?? DNSname ?? '' }
}

function filterToWire({ type, ipv4, ipv6 }: Filter): IPAddressFilter {
  const prefixed = ({ address, prefixLength }: InterfaceAddress) => ({ Address: address, PrefixLength: prefixLength })
  return { Type: type, IPv4Address: ipv4.map(prefixed), IPv6Address: ipv6.map(prefixed) }
}

function rangesFromWire({ IPv4Address = [], IPv6Address = [] }: IPAddressFilter): AddressRanges {
  const range = ({ Address, PrefixLength }: PrefixedIPv4Address) => ({ address: Address, prefixLength: PrefixLength })
  return { ipv4: IPv4Address.map(range), ipv6: IPv6Address.map(range) }
}
