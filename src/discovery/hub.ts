import { limits } from '../limits.ts'
import type { Log } from '../platform/platform.ts'
import { type Link, type Place, readLinks, splitZone } from './links.ts'
import { type Question, readQuestion, writeUnsupportedRule } from './messages.ts'
import { Restraint } from './restraint.ts'
import { createStation, type Sender } from './station.ts'

/** A device that is to be found. */
export interface Resident {
  /** Whether it is there for whom this interface leads to. */
  wants(link: Link): boolean
  /** Whether somebody at this address is answered at all. */
  admits(address: string): boolean
  isAsked(question: Question): boolean
  /** Sends its answer, at once or later, by `send`. */
  answer(question: Question, place: Place, send: (text: string) => void): void
  /** The addresses of the machine are others now. */
  moved(): void
}

export interface Seat {
  /** Tells the group of every interface that the resident wants; resolves when it is on its way. Undefined: nothing to tell there. */
  announce(write: (place: Place) => string | undefined): Promise<void>
  /** The interfaces that the resident wants. */
  links(): readonly Link[]
  leave(): Promise<void>
}

/** By UDP port. */
const hubs = new Map<number, Hub>()

/** All devices of a process are heard by the sockets of one hub, which the first opens and the last closes. */
export async function takeSeat(port: number, resident: Resident, log: Log): Promise<Seat> {
  const hub = hubs.get(port) ?? new Hub(port, log)
  hubs.set(port, hub)
  await hub.add(resident)
  return {
    announce: write => hub.announce(resident, write),
    links: () => hub.linksOf(resident),
    async leave() {
      await hub.remove(resident)
    },
  }
}

class Hub {
  readonly #port: number
  readonly #residents = new Set<Resident>()
  readonly #station
  readonly #restraint = new Restraint()
  readonly #log: Log
  /** Sockets are opened and closed by one at a time. */
  #turn: Promise<void> = Promise.resolve()
  #poll: NodeJS.Timeout | undefined

  constructor(port: number, log: Log) {
    this.#port = port
    this.#log = log
    this.#station = createStation({ port, log, hear: (...heard) => this.#hear(...heard) })
  }

  async add(resident: Resident): Promise<void> {
    this.#residents.add(resident)
    this.#poll ??= setInterval(() => void this.#look(), limits.discoveryAddressPollMs).unref()
    await this.#look()
  }

  async remove(resident: Resident): Promise<void> {
    this.#residents.delete(resident)
    if (this.#residents.size === 0) {
      clearInterval(this.#poll)
      hubs.delete(this.#port)
    }
    await this.#look()
  }

  linksOf(resident: Resident): readonly Link[] {
    return this.#station.links().filter(link => resident.wants(link))
  }

  async announce(resident: Resident, write: (place: Place) => string | undefined): Promise<void> {
    const places = this.linksOf(resident).flatMap(link =>
      (['IPv4', 'IPv6'] as const).flatMap(family => {
        const own = link.addresses.find(address => address.family === family)
        return own ? [{ link, own }] : []
      }),
    )
    await Promise.all(
      places.map(async place => {
        const text = write(place)
        if (text !== undefined) await this.#station.shout(place, text)
      }),
    )
  }

  /** Looks at the addresses of the machine, and listens where somebody wants it. */
  #look(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const links = readLinks().filter(link => [...this.#residents].some(resident => resident.wants(link)))
      const before = JSON.stringify(this.#station.links())
      await this.#station.tend(links)
      if (JSON.stringify(this.#station.links()) !== before) for (const resident of this.#residents) resident.moved()
    })
    this.#turn = this.#turn.catch(error => this.#log.error({ error }, 'the network interfaces cannot be looked at'))
    return this.#turn
  }

  /** Silent on everything but a question for one of the residents; the answer goes to its sender and to nobody else. */
  #hear(packet: Buffer, sender: Sender, place: Place, isUnicast: boolean): void {
    const [address] = splitZone(sender.address)
    const here = [...this.#residents].filter(resident => resident.wants(place.link) && resident.admits(address))
    if (here.length === 0 || sender.port === 0) return
    const question = readQuestion(packet)
    if (!question) return
    const isUnsupported = question.kind === 'probe' && question.rule === 'unsupported'
    const asked = isUnsupported ? [] : here.filter(resident => resident.isAsked(question))
    if (asked.length === 0 && !(isUnsupported && isUnicast)) return
    if (!this.#restraint.allows({ address, port: sender.port }, question.messageId, performance.now())) return
    if (isUnsupported) this.#station.send(place, writeUnsupportedRule(question), sender)
    for (const resident of asked) resident.answer(question, place, text => this.#station.send(place, text, sender))
  }
}
