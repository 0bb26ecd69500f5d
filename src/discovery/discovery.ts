import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { limits } from '../limits.ts'
import { baseOf } from '../operations/device/addresses.ts'
import type { Clock, Log } from '../platform/platform.ts'
import { type Resident, type Seat, takeSeat } from './hub.ts'
import type { Link, Place } from './links.ts'
import { isMeant } from './matching.ts'
import { type Description, type Question, type Sequence, writeBye, writeHello, writeMatch } from './messages.ts'
import { discoveryPort } from './station.ts'

export interface DiscoveryParts {
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  /** `urn:uuid:…`, the same for good. */
  readonly endpoint: string
  /** What is never left out comes first. */
  readonly scopes: () => readonly string[]
  readonly isDiscoverable: () => boolean
  /** The address filter. */
  readonly admits: (address: string) => boolean
  readonly door: Door
  /** The interfaces that the operator names; undefined: all that lead to the door. */
  readonly interfaces: readonly string[] | undefined
  readonly sequence: {
    /** Of the next message. */
    next(): Sequence
    /** The number of this description, which grows when it is another one than before. */
    metadataVersion(description: string): number
  }
  /** For tests: another UDP port, so that nobody outside hears them. */
  readonly port?: number | undefined
}

/** Where the Device service is. */
export interface Door {
  /** The IP address that is listened on, which may be a wildcard. */
  readonly address: () => string
  readonly protocols: () => readonly { readonly name: string; readonly enabled: boolean; readonly ports: readonly number[] }[]
  /** Stands for all of them, where the operator says so. */
  readonly publicOrigin: URL | undefined
  readonly path: string
}

export type Discovery = ReturnType<typeof createDiscovery>

/**
 * WS-Discovery as a target service (April 2005; Core 7): says Hello and Bye, and answers Probe and Resolve. A device that is not
 * discoverable does nothing of this (Core 7.2).
 */
export function createDiscovery({ port = discoveryPort, ...parts }: DiscoveryParts) {
  const { clock, log, endpoint, scopes, isDiscoverable, admits, door, interfaces, sequence } = parts
  let isUp = false
  let seat: Seat | undefined
  /** Calls off what is to be sent in a moment. */
  const pending = new Set<() => void>()
  let told: string | undefined
  /** Coming and going, one after the other. */
  let turn: Promise<void> = Promise.resolve()

  const resident: Resident = {
    wants: link => isDiscoverable() && leadsToDoor(link, door.address(), interfaces),
    admits,
    isAsked: question => (question.kind === 'probe' ? isMeant(question, scopes()) : isSameEndpoint(question.endpoint, endpoint)),
    answer(question, place, send) {
      const write = () => {
        const text = writeAnswer(question, place)
        if (text !== undefined) send(text)
      }
      // All devices hear a Probe at the same time; a Resolve is for one of them.
      if (question.kind === 'probe') later(write)
      else safely(write)
    },
    moved: () => void check(),
  }

  function later(act: () => void): void {
    const callOff = clock.after(Math.random() * limits.discoveryDelayMaxMs, () => {
      pending.delete(callOff)
      if (seat && isDiscoverable()) safely(act)
    })
    pending.add(callOff)
  }

  /** What is said first is kept first, and a disk that takes nothing must not end the device. */
  function safely(act: () => void): void {
    try {
      act()
    } catch (error) {
      log.error({ error }, 'discovery could not speak')
    }
  }

  function describe(place: Place): Description | undefined {
    const xaddrs = addressesOf(door, place)
    if (xaddrs.length === 0) return undefined
    return { endpoint, scopes: scopes(), xaddrs, metadataVersion: sequence.metadataVersion(fingerprint()) }
  }

  /** Of all that clients are told, on whatever interface. */
  function fingerprint(): string {
    const places = seat?.links().map(link => {
      const xaddrs = link.addresses.flatMap(own => addressesOf(door, { link, own }))
      return [link.name, ...[...new Set(xaddrs)].sort()]
    })
    return createHash('sha256')
      .update(JSON.stringify([scopes(), places]))
      .digest('base64url')
  }

  function writeAnswer(question: Question, place: Place): string | undefined {
    const description = describe(place)
    return description && writeMatch(question, description, sequence.next())
  }

  function hello(): void {
    told = fingerprint()
    later(() => {
      const number = sequence.next()
      seat
        ?.announce(place => {
          const description = describe(place)
          return description && writeHello(description, number)
        })
        .catch(error => log.error({ error }, 'the device could not say Hello'))
    })
  }

  const farewell = (number: Sequence) => () => writeBye(endpoint, number)

  /** Brings what is heard and told into line with the settings; says Hello where something has changed, or `always`. */
  function check(always = false): Promise<void> {
    turn = turn
      .then(async () => {
        if (isUp && isDiscoverable()) {
          const isNew = seat === undefined
          seat ??= await takeSeat(port, resident, log)
          if (isNew || always || fingerprint() !== told) hello()
        } else if (seat) await withdraw(seat)
      })
      .catch(error => log.error({ error }, 'discovery does not work'))
    return turn
  }

  async function withdraw(from: Seat): Promise<void> {
    for (const callOff of pending) callOff()
    pending.clear()
    seat = undefined
    await from.leave()
  }

  return {
    /** The door is open: resolves when the device is heard; Hello follows. */
    async start(): Promise<void> {
      isUp = true
      await check()
    },

    /** Scopes or addresses may have changed: Hello, if so. */
    async changed(): Promise<void> {
      await check()
    },

    /** The discovery mode was set: Hello in any case, or silence from now on. */
    async modeSet(): Promise<void> {
      await check(true)
    },

    /** Says Bye; when it resolves, nothing more is said. */
    async stop(): Promise<void> {
      isUp = false
      turn = turn
        .then(async () => {
          if (!seat) return
          try {
            if (isDiscoverable()) await seat.announce(farewell(sequence.next()))
          } finally {
            await withdraw(seat)
          }
        })
        .catch(error => log.error({ error }, 'discovery does not end as it should'))
      await turn
    },
  }
}

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'
const isLoopback = (address: string): boolean => address === '::1' || (isIPv4(address) && address.startsWith('127.'))

/** A device that listens on loopback is not told to the outside, unless the operator names the interface. */
function leadsToDoor(link: Link, listening: string, interfaces: readonly string[] | undefined): boolean {
  if (interfaces) return interfaces.includes(link.name)
  if (isLoopback(listening)) return link.isLoopback
  return isWildcard(listening) || link.addresses.some(({ address }) => address === listening)
}

/** The copied programs write `uuid:` for `urn:uuid:`, and some write upper case. */
const isSameEndpoint = (asked: string, own: string): boolean => plain(asked) === plain(own)
const plain = (endpoint: string): string => endpoint.replace(/^urn:/i, '').toLowerCase()

/** Core 7.3.2.3: one for each protocol and address by which the device is reached from there; many clients take the first. */
function addressesOf({ address, protocols, publicOrigin, path }: Door, place: Place): readonly string[] {
  if (publicOrigin) return [baseOf(publicOrigin) + path]
  const listening = address()
  const hosts = isWildcard(listening) ? hostsAt(place, listening === '::') : [listening]
  return protocols()
    .filter(({ enabled, ports }) => enabled && ports.length > 0)
    .flatMap(({ name, ports }) => {
      // A port that clients expect is the better one.
      const port = ports.find(each => each === (name === 'HTTPS' ? 443 : 80)) ?? ports[0]
      return hosts.map(host => `${name.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`)
    })
}

/** The address by which the question came first; link-local ones of IPv6 need a zone, which a URL cannot carry: only where there is no other. */
function hostsAt({ link, own }: Place, hasIPv6: boolean): readonly string[] {
  const usable = link.addresses.filter(({ family }) => hasIPv6 || family === 'IPv4')
  const routable = usable.filter(({ isLinkLocal }) => !isLinkLocal)
  const first = routable.find(({ address }) => address === own.address) ?? routable.find(({ family }) => family === own.family)
  const second = routable.find(({ family }) => family !== own.family)
  const hosts = [first, second].flatMap(each => each?.address ?? [])
  return hosts.length > 0 ? hosts : usable.slice(0, 1).map(each => each.address)
}
