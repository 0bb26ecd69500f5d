import type { Network } from '../../platform/platform.ts'
import { isHostName } from './hostNames.ts'
import { kindOf } from './servers.ts'

/**
 * By what clients can reach this device, its hostname first: what a certificate of it has to say (RFC 6125 2.3). `used` is what a
 * client has reached it by, in the spelling of a URL.
 */
export async function ownNames(network: Network, used?: string): Promise<readonly string[]> {
  const [{ name }, interfaces] = await Promise.all([network.hostname(), network.interfaces()])
  const addresses = interfaces
    .filter(({ enabled }) => enabled)
    .flatMap(({ ipv4, ipv6 }) => [
      ...(ipv4.enabled ? [...ipv4.manual, ipv4.fromDHCP, ipv4.linkLocal] : []),
      ...(ipv6.enabled ? [...ipv6.manual, ...ipv6.fromDHCP, ...ipv6.fromRouterAdvert, ...ipv6.linkLocal] : []),
    ])
    .flatMap(each => each?.address ?? [])
  const all = [name ?? '', ...(used === undefined ? [] : [used.replace(/^\[|\]$/g, '')]), ...addresses]
  return [...new Set(all)].filter(each => kindOf(each) !== 'DNS' || isHostName(each))
}
