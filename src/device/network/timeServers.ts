import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Network } from '../../platform/platform.ts'
import { assertServer, type ServerRequest } from './servers.ts'

interface Wanted {
  readonly fromDHCP: boolean
  readonly servers: readonly ServerRequest[]
}

/**
 * Core 8.2.7. The servers are those of the request, none if it names none; with DHCP they have to be right, and mean nothing.
 * Throws InvalidIPv4Address, InvalidIPv6Address, InvalidDnsName, InvalidArgVal (more than `limits.timeServersMax`), and
 * TimeSyncedToNtp where the clock follows NTP and would have nobody to follow. Then nothing has changed.
 */
export async function setTimeServers(network: Network, clockFollowsNtp: () => boolean, { fromDHCP, servers }: Wanted): Promise<void> {
  const hosts = servers.map(assertServer)
  if (hosts.length > limits.timeServersMax) throw fault('InvalidArgVal', `there are at most ${limits.timeServersMax} time servers`)
  const left = fromDHCP ? await network.ntpFromDHCP() : hosts
  if (left.length === 0 && clockFollowsNtp()) throw fault('TimeSyncedToNtp', 'the clock follows NTP and would have no time server')
  await network.setNtp({ fromDHCP, servers: fromDHCP ? [] : hosts })
}
