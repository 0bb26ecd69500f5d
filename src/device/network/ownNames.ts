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

/**
 * Whether clients may call the device so: by its hostname, the first label of it, and that name in mDNS (RFC 6762 3). For who cannot
 * wait: the names are those of a moment ago, and looked up again with every question that they do not answer.
 */
export async function createOwnHostName(network: Pick<Network, 'hostname'>): Promise<(hostName: string) => boolean> {
  let names: ReadonlySet<string> = new Set()
  const renew = async () => {
    const name = (await network.hostname()).name?.toLowerCase()
    const [label] = name?.split('.') ?? []
    names = new Set(name && label ? [name, label, `${label}.local`] : [])
  }
  await renew()
  return hostName => {
    if (names.has(hostName)) return true
    // A name that cannot be had is not the device's; the next question asks for it again.
    if (kindOf(hostName) === 'DNS') renew().catch(() => {})
    return false
  }
}
