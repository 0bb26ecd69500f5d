import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Network } from '../../platform/platform.ts'
import { isHostName } from './hostNames.ts'
import { assertServer, type ServerRequest } from './servers.ts'

interface Wanted {
  readonly fromDHCP: boolean
  readonly servers: readonly ServerRequest[]
  readonly searchDomains?: readonly string[] | undefined
}

/**
 * Core 8.2.5. The servers are those of the request, none if it names none: there is no other way to take them back. Search domains
 * that are not given stay (Core 5.5). With DHCP, servers of the request have to be right, and mean nothing.
 * Throws InvalidIPv4Address, InvalidIPv6Address, InvalidArgVal (search domains; too many of either), and then nothing has changed.
 */
export async function setNameServers(network: Network, { fromDHCP, servers, searchDomains }: Wanted): Promise<void> {
  const addresses = servers.map(assertServer)
  if (addresses.length > limits.nameServersMax) throw fault('InvalidArgVal', `there are at most ${limits.nameServersMax} name servers`)
  if ((searchDomains?.length ?? 0) > limits.searchDomainsMax)
    throw fault('InvalidArgVal', `there are at most ${limits.searchDomainsMax} search domains`)
  for (const domain of searchDomains ?? [])
    if (!isHostName(domain)) throw fault('InvalidArgVal', `${JSON.stringify(domain.slice(0, 100))} is no domain`)
  const before = await network.dns()
  // Domains that DHCP gave are not to outlive it.
  const kept = before.fromDHCP ? [] : before.searchDomains
  await network.setDns({ fromDHCP, servers: fromDHCP ? [] : addresses, searchDomains: searchDomains ?? kept })
}
