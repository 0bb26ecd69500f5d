import type { Store } from '../../device/store.ts'
import type { DynamicDns, NameServers, Network, TimeServers } from '../platform.ts'

/** What the DHCP server of the virtual network tells beside addresses. They are made for examples (RFC 5737, RFC 2606): nobody answers there. */
const lease = { nameServers: ['192.0.2.53'], searchDomains: ['example.org'], timeServers: ['192.0.2.123'] } as const

type Services = Pick<Network, 'dns' | 'setDns' | 'ntp' | 'ntpFromDHCP' | 'setNtp' | 'dynamicDns' | 'setDynamicDns'>

const factory = {
  nameServers: { fromDHCP: false, servers: [], searchDomains: [] },
  timeServers: { fromDHCP: false, servers: [] },
  dynamicDns: { type: 'NoUpdate' },
} as const

/** The servers that the virtual machine would ask, and its entry in DNS. They are kept and shown; the virtual network has none of them. */
export function createNetworkServers(store: Store): Services & { reset(): void } {
  const nameServers = store.document<NameServers>('nameServers', parseNameServers, () => factory.nameServers)
  const timeServers = store.document<TimeServers>('timeServers', parseTimeServers, () => factory.timeServers)
  const dynamicDns = store.document<DynamicDns>('dynamicDns', parseDynamicDns, () => factory.dynamicDns)

  return {
    async dns() {
      const { fromDHCP, servers, searchDomains } = nameServers.get()
      if (!fromDHCP) return { fromDHCP, servers, searchDomains }
      return { fromDHCP, servers: lease.nameServers, searchDomains: searchDomains.length > 0 ? searchDomains : lease.searchDomains }
    },
    async setDns(wanted) {
      nameServers.set(wanted)
    },
    async ntp() {
      const { fromDHCP, servers } = timeServers.get()
      return { fromDHCP, servers: fromDHCP ? lease.timeServers : servers }
    },
    async ntpFromDHCP() {
      return lease.timeServers
    },
    async setNtp(wanted) {
      timeServers.set(wanted)
    },
    async dynamicDns() {
      return dynamicDns.get()
    },
    async setDynamicDns(wanted) {
      dynamicDns.set(wanted)
    },
    reset() {
      nameServers.set(factory.nameServers)
      timeServers.set(factory.timeServers)
      dynamicDns.set(factory.dynamicDns)
    },
  }
}

function parseNameServers(stored: unknown): NameServers {
  const { searchDomains }: { searchDomains?: unknown } = members(stored)
  return { ...parseTimeServers(stored), searchDomains: parseTexts(searchDomains) }
}

function parseTimeServers(stored: unknown): TimeServers {
  const { fromDHCP, servers }: { fromDHCP?: unknown; servers?: unknown } = members(stored)
  if (typeof fromDHCP !== 'boolean') throw new Error('no list of servers')
  return { fromDHCP, servers: parseTexts(servers) }
}

function members(stored: unknown): object {
  if (typeof stored !== 'object' || stored === null) throw new Error('no settings')
  return stored
}

function parseTexts(stored: unknown): readonly string[] {
  if (!Array.isArray(stored)) throw new Error('no list of texts')
  return stored.map(text => {
    if (typeof text !== 'string') throw new Error('no list of texts')
    return text
  })
}

function parseDynamicDns(stored: unknown): DynamicDns {
  const { type, name, ttl }: { type?: unknown; name?: unknown; ttl?: unknown } = members(stored)
  if (type !== 'NoUpdate' && type !== 'ClientUpdates' && type !== 'ServerUpdates') throw new Error('no settings of dynamic DNS')
  if (![name, ttl].every(text => text === undefined || typeof text === 'string')) throw new Error('no settings of dynamic DNS')
  return { type, name: typeof name === 'string' ? name : undefined, ttl: typeof ttl === 'string' ? ttl : undefined }
}
