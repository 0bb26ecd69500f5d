import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Store } from './store.ts'

/** A host by its address or its name. */
export interface ProxyHost {
  readonly type: 'IPv4' | 'IPv6' | 'DNS'
  readonly address: string
}

export type RemoteDiscoveryMode = 'Discoverable' | 'NonDiscoverable'

export type RemoteDiscovery = ReturnType<typeof createRemoteDiscovery>

/**
 * What Core 2.4 asked for and Core 2.6.1 dropped (Annex D): whether the device would announce itself to discovery proxies, and
 * which. For clients that insist; there is no such proxy to be met any more.
 */
export function createRemoteDiscovery({ store }: { readonly store: Store }) {
  const mode = store.document<RemoteDiscoveryMode>('remoteDiscoveryMode', parseMode, () => 'NonDiscoverable')
  const proxies = store.document<readonly ProxyHost[]>('discoveryProxies', parseProxies, () => [])
  return {
    mode,

    proxies: (): readonly ProxyHost[] => proxies.get(),

    /** Replaces all of them. Throws InvalidArgVal. */
    setProxies(hosts: readonly ProxyHost[]): void {
      // The document checks them as it does when it is read.
      proxies.set(hosts)
    },
  }
}

function assertProxies(hosts: readonly ProxyHost[]): void {
  if (hosts.length > limits.discoveryProxiesMax)
    throw fault('InvalidArgVal', `the device keeps ${limits.discoveryProxiesMax} discovery proxies`)
  for (const { type, address } of hosts)
    if (!isAddress[type](address)) throw fault('InvalidArgVal', `${JSON.stringify(address.slice(0, 100))} is no ${names[type]}`)
}

const names = { IPv4: 'IPv4 address', IPv6: 'IPv6 address', DNS: 'name of a host' } as const

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)
/** RFC 1123 2.1; a name that looks like an address is none. */
const hostName =
  /^(?!.*\.\d+$)(?!\d+$)(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/

const isAddress = {
  IPv4: (text: string) => ipv4.test(text),
  // The parser of URLs knows RFC 4291 to the letter.
  IPv6: (text: string) => /^[0-9A-Fa-f:.]{2,45}$/.test(text) && URL.canParse(`http://[${text}]/`),
  DNS: (text: string) => hostName.test(text),
} as const

function parseMode(stored: unknown): RemoteDiscoveryMode {
  if (stored === 'Discoverable' || stored === 'NonDiscoverable') return stored
  throw new Error('no discovery mode')
}

function parseProxies(stored: unknown): readonly ProxyHost[] {
  if (!Array.isArray(stored)) throw new Error('no list of hosts')
  const hosts = stored.map(parseHost)
  assertProxies(hosts)
  return hosts
}

function parseHost(stored: unknown): ProxyHost {
  if (typeof stored !== 'object' || stored === null) throw new Error('no host')
  const { type, address }: { type?: unknown; address?: unknown } = stored
  if ((type !== 'IPv4' && type !== 'IPv6' && type !== 'DNS') || typeof address !== 'string') throw new Error('no host')
  return { type, address }
}
