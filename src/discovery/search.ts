import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../limits.ts'
import { type Link, readLinks } from './links.ts'
import { readSightings, writeProbe } from './messages.ts'
import { bind, discoveryPort, groups } from './station.ts'

export interface SearchOptions {
  readonly timeoutMs?: number | undefined
  /** Names of the interfaces to search on; all by default. */
  readonly interfaces?: readonly string[] | undefined
  /** `tds:Device`, `dn:NetworkVideoTransmitter`, `{namespace}name`: those with one of them; by default all devices of ONVIF. */
  readonly types?: readonly string[] | undefined
  /** Those that have all of these. */
  readonly scopes?: readonly string[] | undefined
  /** For tests: another UDP port. */
  readonly port?: number | undefined
}

export interface FoundDevice {
  /** The same for good, on every interface: `urn:uuid:…`. */
  readonly endpoint: string
  readonly xaddrs: readonly string[]
  readonly scopes: readonly string[]
  /** Who answered, with the zone where it has one. */
  readonly addresses: readonly string[]
}

/** One of the two is what every device of ONVIF has: those of today the first (Core 7.3.2.1), cameras the second. */
const anyDevice = ['tds:Device', 'dn:NetworkVideoTransmitter']

/**
 * Asks on every interface, by IPv4 and IPv6, and gives the devices that have answered when the time is over, each once. Rejects where an
 * interface that was named is not there, or none could be asked.
 */
export async function search({
  timeoutMs = limits.searchMs,
  interfaces,
  types = anyDevice,
  scopes = [],
  port = discoveryPort,
}: SearchOptions = {}): Promise<readonly FoundDevice[]> {
  const links = readLinks().filter(({ name }) => interfaces?.includes(name) ?? true)
  const missing = interfaces?.find(name => !links.some(link => link.name === name))
  if (missing !== undefined) throw new Error(`this machine has no interface ${missing}, or it is down`)
  const probes = types.map(type => writeProbe([type], scopes))
  const asked = new Set(probes.map(({ messageId }) => messageId))
  const found = new Map<string, FoundDevice>()

  function hear(packet: Buffer, address: string): void {
    for (const { endpoint, xaddrs, scopes: own, kind, relatesTo = '' } of readSightings(packet)) {
      if (kind !== 'match' || !asked.has(relatesTo)) continue
      const known = found.get(endpoint)
      if (!known && found.size >= limits.searchDevicesMax) continue
      found.set(endpoint, {
        endpoint,
        xaddrs: union(known?.xaddrs, xaddrs),
        scopes: union(known?.scopes, own),
        addresses: union(known?.addresses, [address]),
      })
    }
  }

  const askers = await Promise.all(links.flatMap(link => (['IPv4', 'IPv6'] as const).map(family => openAsker(link, family, port, hear))))
  const open = askers.flatMap(asker => asker ?? [])
  try {
    const ask = async () => {
      const sent = await Promise.all(open.flatMap(({ send }) => probes.map(({ text }) => send(text))))
      if (!sent.includes(true)) throw new Error('no interface of this machine takes a question to the group of WS-Discovery')
    }
    await ask()
    const repeatMs = Math.min(limits.searchRepeatMs, timeoutMs)
    await sleep(repeatMs)
    if (repeatMs < timeoutMs) await ask()
    await sleep(timeoutMs - repeatMs)
  } finally {
    for (const { close } of open) close()
  }
  return [...found.values()]
}

const union = (known: readonly string[] = [], more: readonly string[]): readonly string[] => [...new Set([...known, ...more])]

/** Undefined where the interface does not have this family, or does not take it. */
async function openAsker(link: Link, family: 'IPv4' | 'IPv6', port: number, hear: (packet: Buffer, address: string) => void) {
  const group = family === 'IPv4' ? groups.IPv4 : `${groups.IPv6}%${link.name}`
  for (const own of link.addresses.filter(address => address.family === family)) {
    try {
      const socket = await bind(family, own.isLinkLocal ? `${own.address}%${link.name}` : own.address, 0)
      socket.setMulticastInterface(family === 'IPv4' ? own.address : `::%${link.name}`)
      socket.on('message', (packet, { address }) => hear(packet, address)).on('error', () => {})
      return {
        /** Whether it is on its way. */
        send: (text: string) => new Promise<boolean>(resolve => socket.send(text, port, group, error => resolve(!error))),
        close: () => void socket.close(),
      }
    } catch {
      // An address that is still being claimed cannot be used yet; another may.
    }
  }
  return undefined
}
