import { limits } from '../limits.ts'
import { duration } from '../onvif/times.ts'
import { WS_ADDRESSING } from '../soap/namespaces.ts'
import type { XmlElement } from '../soap/xml.ts'
import { AddressError, reachableAddresses } from './address.ts'
import { addressingHeader, readEndpoint } from './addressing.ts'
import { type DeviceEvent, lifeLeftMs, readEvents } from './deviceEvent.ts'
import { ClientError, isLoginRefused, OnvifFault } from './errors.ts'
import { child, text, writeMessage } from './message.ts'
import type { OnvifClient } from './onvifClient.ts'
import { writeFilter } from './topicExpression.ts'

/** A subscription to the events of a device (Core 9.2), which keeps them until they are pulled. */
export interface PullPoint {
  /** Waits for events, and gives none where the time is over. Throws OnvifFault and ClientError. */
  pull(): Promise<readonly DeviceEvent[]>
  /** Tells the device that nobody pulls any more. One that does not hear it forgets the subscription by itself. */
  unsubscribe(): Promise<void>
}

export interface Subscription {
  readonly topics: readonly string[]
  /** Ends what is waited for; `unsubscribe` still works. */
  readonly signal: AbortSignal | undefined
  /** Hosts in addresses of the device that took no connection while others did. Added to here, so that none is waited for twice. */
  readonly silentHosts: Set<string>
}

const namespaces = {
  tds: 'http://www.onvif.org/ver10/device/wsdl',
  tev: 'http://www.onvif.org/ver10/events/wsdl',
  wsnt: 'http://docs.oasis-open.org/wsn/b-2',
  wsa: WS_ADDRESSING,
} as const

/** By port types of event.wsdl, and of WS-BaseNotification, which it takes over. */
const actions = {
  events: `${namespaces.tev}/EventPortType`,
  pullPoint: `${namespaces.tev}/PullPointSubscription`,
  manager: 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager',
}

/** Where a message goes: what the device calls itself there, and the URLs that this may mean, best first. */
interface Destination {
  readonly to: string
  readonly parameters: string
  readonly urls: readonly URL[]
}

/** Creates a pull point on any device with an event service. Throws TopicError, OnvifFault and ClientError. */
export async function createPullPoint(client: OnvifClient, subscription: Subscription): Promise<PullPoint> {
  const { topics, signal, silentHosts } = subscription
  const tell = teller(client, silentHosts)
  const service = await findEventService(client, signal)
  const askService = (operation: string, content = '') =>
    tell(service, { operation, action: `${actions.events}/${operation}Request`, body: element('tev', operation, content), signal })

  const filter = topics.length > 0 ? await writeFilter(topics, async () => (await askService('GetEventProperties')).content) : ''
  const life = element('tev', 'InitialTerminationTime', duration(limits.clientSubscriptionMs))
  const { content: created, url: serviceUrl } = await askService('CreatePullPointSubscription', filter + life)
  const reference = child(created, 'SubscriptionReference')
  if (!reference) throw new ClientError('answer', `${client.url.host} gave no reference to the subscription`)
  const { address, parameters } = readEndpoint(reference)
  let destination: Destination = { to: address, parameters, urls: addressesOf(address, serviceUrl) }

  /** When the device forgets the subscription, by our clock; undefined where it does not say. */
  let endsAt: number | undefined
  let isRenewable: boolean | undefined
  noteLife(created)

  function noteLife(answer: XmlElement): void {
    const leftMs = lifeLeftMs(answer)
    endsAt = leftMs === undefined ? undefined : performance.now() + leftMs
  }

  /** Core 9.1: a device that keeps alive what is pulled may have no Renew; it then says that it has no notification producers. */
  async function renew(): Promise<void> {
    isRenewable ??= await askService('GetServiceCapabilities').then(offersRenew, orFault(true))
    const body = element('wsnt', 'Renew', element('wsnt', 'TerminationTime', duration(limits.clientSubscriptionMs)))
    const renewed =
      isRenewable &&
      (await tell(destination, { operation: 'Renew', action: `${actions.manager}/RenewRequest`, body, signal }).catch(orFault(undefined)))
    isRenewable = Boolean(renewed)
    if (renewed) noteLife(renewed.content)
  }

  return {
    async pull() {
      if (endsAt !== undefined && endsAt - performance.now() < limits.clientPullMs + limits.clientRenewMarginMs) await renew()
      const content =
        element('tev', 'Timeout', duration(limits.clientPullMs)) + element('tev', 'MessageLimit', limits.clientPullMessagesMax)
      const { content: pulled, url } = await tell(destination, {
        operation: 'PullMessages',
        action: `${actions.pullPoint}/PullMessagesRequest`,
        body: element('tev', 'PullMessages', content),
        signal,
        waitMs: limits.clientPullMs,
      })
      destination = { ...destination, urls: [url] }
      noteLife(pulled)
      return readEvents(pulled)
    },

    async unsubscribe() {
      const body = element('wsnt', 'Unsubscribe', '')
      const question = { operation: 'Unsubscribe', action: `${actions.manager}/UnsubscribeRequest`, body }
      try {
        await tell(destination, { ...question, signal: AbortSignal.timeout(limits.clientPollTimeoutMs) })
      } catch (error) {
        if (!isFailure(error) && !(error instanceof Error && error.name === 'AbortError')) throw error
      }
    },
  }
}

interface Question {
  readonly operation: string
  readonly action: string
  readonly body: string
  readonly signal: AbortSignal | undefined
  readonly waitMs?: number
}

/** Sends messages with WS-Addressing, and says which of the URLs took them. */
function teller({ session }: OnvifClient, silentHosts: Set<string>) {
  return async ({ to, parameters, urls }: Destination, { action, body, ...question }: Question) => {
    const write = (security: string) => writeMessage(body, addressingHeader(to, action, parameters) + security, namespaces)
    const inTurn = urls.toSorted((a, b) => Number(silentHosts.has(a.host)) - Number(silentHosts.has(b.host)))
    let unreachable: unknown
    for (const [index, url] of inTurn.entries()) {
      try {
        const { content } = await session.send({ ...question, action, url, preAuth: false, write })
        for (const { host } of inTurn.slice(0, index)) if (host !== url.host) silentHosts.add(host)
        return { content, url }
      } catch (error) {
        if (!(error instanceof ClientError && error.kind === 'unreachable')) throw error
        unreachable ??= error
      }
    }
    throw unreachable
  }
}

/** By GetServices; by GetCapabilities where a device is older than that, or leaves the events out. */
async function findEventService({ url: device, session }: OnvifClient, signal: AbortSignal | undefined): Promise<Destination> {
  const ask = async (operation: string, content: string) => {
    const write = (security: string) => writeMessage(element('tds', operation, content), security, { tds: namespaces.tds })
    const message = { url: device, operation, action: `${namespaces.tds}/${operation}`, preAuth: true, write, signal }
    return (await session.send(message)).content
  }
  const services = await ask('GetServices', element('tds', 'IncludeCapability', 'false')).catch(orFault(undefined))
  const service = services?.children.find(entry => text(entry, 'Namespace') === namespaces.tev)
  const told = text(service, 'XAddr') || (await ask('GetCapabilities', element('tds', 'Category', 'All')).then(eventsIn, orFault('')))
  if (told === '') throw new ClientError('answer', `${device.host} has no event service`)
  return { to: told, parameters: '', urls: addressesOf(told, device) }
}

function eventsIn(answer: XmlElement): string {
  const capabilities = child(answer, 'Capabilities')
  return text(capabilities && child(capabilities, 'Events'), 'XAddr')
}

function offersRenew({ content }: { readonly content: XmlElement }): boolean {
  const producers = child(content, 'Capabilities')?.attributes.find(({ name }) => name === 'MaxNotificationProducers')
  return producers?.value.trim() !== '0'
}

function addressesOf(told: string, from: URL): readonly URL[] {
  try {
    return reachableAddresses(told, from)
  } catch (cause) {
    if (!(cause instanceof AddressError)) throw cause
    throw new ClientError('answer', cause.message, { cause })
  }
}

/** What to go on with where the device does not know an operation, or answers nonsense. */
function orFault<T>(instead: T): (error: unknown) => T {
  return error => {
    if (isLoginRefused(error)) throw error
    if (error instanceof OnvifFault || (error instanceof ClientError && (error.kind === 'status' || error.kind === 'answer')))
      return instead
    throw error
  }
}

export function isFailure(error: unknown): error is OnvifFault | ClientError {
  return error instanceof OnvifFault || error instanceof ClientError
}

function element(prefix: keyof typeof namespaces, name: string, content: string | number): string {
  return `<${prefix}:${name}>${content}</${prefix}:${name}>`
}
