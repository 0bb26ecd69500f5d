import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { IPAddress, NetworkHost, NetworkInterface } from '../../onvif/types.generated.ts'
import type { NetworkInterface as Interface, Network } from '../../platform/platform.ts'
import { notImplemented } from './notImplemented.ts'

/** RFC 1123 2.1: labels of letters, digits and inner hyphens; never what could be read as an IPv4 address. */
const hostname = /^(?!\d+\.\d+\.\d+\.\d+$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/

/** Core 8.2. */
export function network({ network: port, httpPort }: { readonly network: Network; readonly httpPort: () => number }): Chapter<'network'> {
  return {
    async GetHostname() {
      const { name, fromDHCP } = await port.hostname()
      return { HostnameInformation: { FromDHCP: fromDHCP, Name: name } }
    },

    async SetHostname({ Name }) {
      // An empty name asks for the one of DHCP, where there is HostnameFromDHCP; here there is not.
      if (Name.length > limits.hostnameCharactersMax || !hostname.test(Name)) {
        throw fault('InvalidHostname', `${JSON.stringify(Name.slice(0, 100))} is not an RFC 1123 name`)
      }
      await port.setHostname(Name)
      return {}
    },

    async GetDNS() {
      const { fromDHCP, servers, searchDomains } = await port.dns()
      const addresses = servers.map(ipAddress)
      return {
        DNSInformation: {
          FromDHCP: fromDHCP,
          SearchDomain: searchDomains,
          ...(fromDHCP ? { DNSFromDHCP: addresses } : { DNSManual: addresses }),
        },
      }
    },

    async GetNTP() {
      const { fromDHCP, servers } = await port.ntp()
      const hosts = servers.map(networkHost)
      return { NTPInformation: { FromDHCP: fromDHCP, ...(fromDHCP ? { NTPFromDHCP: hosts } : { NTPManual: hosts }) } }
    },

    async GetNetworkInterfaces() {
      return { NetworkInterfaces: (await port.interfaces()).map(networkInterface) }
    },

    async GetNetworkProtocols() {
      return { NetworkProtocols: [{ Name: 'HTTP', Enabled: true, Port: [httpPort()] }] }
    },

    SetHostnameFromDHCP: notImplemented('SetHostnameFromDHCP'),
    SetDNS: notImplemented('SetDNS'),
    SetNTP: notImplemented('SetNTP'),
    GetDynamicDNS: notImplemented('GetDynamicDNS'),
    SetDynamicDNS: notImplemented('SetDynamicDNS'),
    SetNetworkInterfaces: notImplemented('SetNetworkInterfaces'),
    SetNetworkProtocols: notImplemented('SetNetworkProtocols'),
    GetNetworkDefaultGateway: notImplemented('GetNetworkDefaultGateway'),
    SetNetworkDefaultGateway: notImplemented('SetNetworkDefaultGateway'),
    GetZeroConfiguration: notImplemented('GetZeroConfiguration'),
    SetZeroConfiguration: notImplemented('SetZeroConfiguration'),
    GetIPAddressFilter: notImplemented('GetIPAddressFilter'),
    SetIPAddressFilter: notImplemented('SetIPAddressFilter'),
    AddIPAddressFilter: notImplemented('AddIPAddressFilter'),
    RemoveIPAddressFilter: notImplemented('RemoveIPAddressFilter'),
    GetDot11Capabilities: notImplemented('GetDot11Capabilities'),
    GetDot11Status: notImplemented('GetDot11Status'),
    ScanAvailableDot11Networks: notImplemented('ScanAvailableDot11Networks'),
  }
}

const isIPv6 = (address: string): boolean => address.includes(':')
const isIPv4 = (address: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(address)

const ipAddress = (address: string): IPAddress =>
  isIPv6(address) ? { Type: 'IPv6', IPv6Address: address } : { Type: 'IPv4', IPv4Address: address }

const networkHost = (host: string): NetworkHost => (isIPv6(host) || isIPv4(host) ? ipAddress(host) : { Type: 'DNS', DNSname: host })

/** IPv4 is there even without an address: ODM opens the first enabled interface and takes its IPv4 for granted. */
function networkInterface({ token, name, hwAddress, mtu, enabled, ipv4, ipv6 }: Interface): NetworkInterface {
  const addresses = (list: Interface['ipv6']['addresses']) =>
    list.map(({ address, prefixLength }) => ({ Address: address, PrefixLength: prefixLength }))
  const [first, ...others] = addresses(ipv4.addresses)
  return {
    token,
    Enabled: enabled,
    Info: { Name: name, HwAddress: hwAddress, MTU: mtu },
    IPv4: {
      Enabled: first !== undefined,
      Config: ipv4.fromDHCP ? { FromDHCP: first, Manual: others, DHCP: true } : { Manual: first ? [first, ...others] : [], DHCP: false },
    },
    ...(ipv6.addresses.length > 0 && { IPv6: { Enabled: true, Config: { DHCP: 'Off', Manual: addresses(ipv6.addresses) } } }),
  }
}
