import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Log } from '../platform/platform.ts'
import { type Family, type Link, type LinkAddress, type Place, placeOf } from './links.ts'

/** WS-Discovery 2.4. */
export const groups = { IPv4: '239.255.255.250', IPv6: 'ff02::c' } as const
export const discoveryPort = 3702

export interface Sender {
  /** With its zone, where it has one. */
  readonly address: string
  readonly port: number
}

/** A datagram, where it came in, and whether it was meant for us alone. */
export type Hear = (packet: Buffer, sender: Sender, place: Place, isUnicast: boolean) => void

/**
 * The sockets of one UDP port. Node does not tell to which address a datagram was sent, so each address has a socket of its own, and
 * so has the group: the one that gets it knows. IPv6 has a group on each interface. Whatever cannot be opened is tried again with the
 * next `tend`.
 */
export function createStation({ port, hear, log }: { readonly port: number; readonly hear: Hear; readonly log: Log }) {
  const sockets = new Map<string, Socket>()
  const memberships = new Set<string>()
  /** What was complained about already. */
  const failing = new Set<string>()
  let links: readonly Link[] = []

  async function attempt(what: string, act: () => void | Promise<void>): Promise<boolean> {
    try {
      await act()
      if (failing.delete(what)) log.info({ address: what, port }, 'discovery is heard again')
      return true
    } catch (error) {
      if (!failing.has(what)) log.warn({ error, address: what, port }, 'discovery cannot be heard here; it is tried again')
      failing.add(what)
      return false
    }
  }

  async function open(key: string, family: Family, address: string, prepare: (socket: Socket) => void, placed: Placed): Promise<void> {
    if (sockets.has(key)) return
    await attempt(key, async () => {
      const socket = await bind(family, address, port)
      try {
        prepare(socket)
      } catch (error) {
        socket.close()
        throw error
      }
      socket.on('error', error => log.debug({ error, address }, 'a datagram was lost'))
      socket.on('message', (packet, sender) => {
        const place = placed(sender.address)
        if (place) hear(packet, sender, place, key !== `group ${address}`)
      })
      sockets.set(key, socket)
    })
  }

  /** With the addresses that have a socket: one that is still being claimed (RFC 4862 5.4) cannot have one. */
  const heardOn = (): readonly Link[] =>
    links.map(link => ({ ...link, addresses: link.addresses.filter(own => sockets.has(keyOf(link, own))) }))

  /** An interface keeps its name while its addresses change: looked up when something comes. */
  const placeAt = (name: string, { address }: LinkAddress): Place | undefined => {
    const link = heardOn().find(each => each.name === name)
    const own = link?.addresses.find(each => each.address === address)
    return link && own && { link, own }
  }

  async function openLink(link: Link): Promise<void> {
    for (const own of link.addresses) {
      const outgoing = own.family === 'IPv4' ? own.address : `::%${link.name}`
      await open(
        keyOf(link, own),
        own.family,
        own.isLinkLocal ? `${own.address}%${link.name}` : own.address,
        socket => socket.setMulticastInterface(outgoing),
        () => placeAt(link.name, own),
      )
    }
    if (!link.addresses.some(({ family }) => family === 'IPv6')) return
    const group = `${groups.IPv6}%${link.name}`
    const join = (socket: Socket) => socket.addMembership(groups.IPv6, `::%${link.name}`)
    await open(`group ${group}`, 'IPv6', group, join, sender =>
      placeOf(
        sender,
        links.filter(({ name }) => name === link.name),
      ),
    )
  }

  /** One socket for all interfaces: bound to the group, it hears all that any program of the machine has joined. */
  async function openGroup(): Promise<void> {
    const firsts = links.flatMap(({ addresses }) => addresses.find(({ family }) => family === 'IPv4')?.address ?? [])
    if (firsts.length === 0) return
    await open(
      `group ${groups.IPv4}`,
      'IPv4',
      groups.IPv4,
      () => {},
      sender => placeOf(sender, heardOn()),
    )
    const socket = sockets.get(`group ${groups.IPv4}`)
    for (const address of memberships) if (!firsts.includes(address)) leaveGroup(socket, address)
    for (const address of firsts)
      if (
        socket &&
        !memberships.has(address) &&
        (await attempt(`${groups.IPv4} on ${address}`, () => socket.addMembership(groups.IPv4, address)))
      )
        memberships.add(address)
  }

  function leaveGroup(socket: Socket | undefined, address: string): void {
    memberships.delete(address)
    try {
      socket?.dropMembership(groups.IPv4, address)
    } catch {
      // The address is gone, and its membership with it.
    }
  }

  function closeAllBut(wanted: ReadonlySet<string>): void {
    for (const [key, socket] of sockets) {
      if (wanted.has(key)) continue
      sockets.delete(key)
      if (key === `group ${groups.IPv4}`) memberships.clear()
      socket.close()
    }
  }

  return {
    /** Where it is heard, by the addresses by which it can answer. */
    links: heardOn,

    /** Is heard on these interfaces from now on, and on no others. */
    async tend(wanted: readonly Link[]): Promise<void> {
      links = wanted
      const keys = links.flatMap(link => [...link.addresses.map(own => keyOf(link, own)), `group ${groups.IPv6}%${link.name}`])
      const hasIPv4 = links.some(({ addresses }) => addresses.some(({ family }) => family === 'IPv4'))
      closeAllBut(new Set(hasIPv4 ? [...keys, `group ${groups.IPv4}`] : keys))
      for (const link of links) await openLink(link)
      await openGroup()
    },

    /** From this address of ours. What cannot be sent is lost, as anything may be that goes by UDP. */
    send({ link, own }: Place, text: string, { address, port: toPort }: Sender): void {
      sockets.get(keyOf(link, own))?.send(text, toPort, address, error => {
        if (error) log.debug({ error, address }, 'an answer to a question of discovery was lost')
      })
    },

    /** Resolves when it is on its way, or lost. */
    async shout({ link, own }: Place, text: string): Promise<void> {
      const socket = sockets.get(keyOf(link, own))
      const group = own.family === 'IPv4' ? groups.IPv4 : `${groups.IPv6}%${link.name}`
      if (!socket) return
      await new Promise<void>(resolve =>
        socket.send(text, port, group, error => {
          // A loopback interface has no route to groups of IPv6 unless somebody made one.
          if (error) log.debug({ error, group, interface: link.name }, 'an announcement was lost')
          resolve()
        }),
      )
    },

    close: (): void => closeAllBut(new Set()),
  }
}

type Placed = (sender: string) => Place | undefined

const keyOf = ({ name }: Link, { address }: LinkAddress): string => `${address}%${name}`

/** Other programs listen on the same port, so it is shared. */
export async function bind(family: Family, address: string, port: number): Promise<Socket> {
  const socket = createSocket(family === 'IPv4' ? { type: 'udp4', reuseAddr: true } : { type: 'udp6', reuseAddr: true, ipv6Only: true })
  try {
    socket.bind({ address, port, exclusive: true })
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}
