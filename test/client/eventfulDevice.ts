import type { ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { type Answerer, type Asked, faultXml, reply, soap, startStandIn } from './standIn.ts'

const namespaces =
  'xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:acme="urn:acme:topics"'

/** What goes into a Body, with the prefixes of the event service. */
export const inEvents = (name: string, content: string) => soap(`<tev:${name} ${namespaces}>${content}</tev:${name}>`)

const item = ([name, value]: readonly [string, string]) => `<tt:SimpleItem Name="${name}" Value="${value}"/>`

/** A NotificationMessage as most devices write it. */
export function notification(topic: string, data: Readonly<Record<string, string>>, operation = ''): string {
  const items = Object.entries(data).map(item).join('')
  const attribute = operation === '' ? '' : ` PropertyOperation="${operation}"`
  return (
    `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${topic}</wsnt:Topic>` +
    `<wsnt:Message><tt:Message UtcTime="2026-03-04T05:06:07.5Z"${attribute}><tt:Source>${item(['Token', 'one'])}</tt:Source>` +
    `<tt:Data>${items}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  )
}

export interface Plan {
  /** Where the device says that its event service is. */
  readonly eventService?: (port: number) => string
  /** Where it says that a subscription is. */
  readonly subscription?: (port: number, id: number) => string
  /** ReferenceParameters of a subscription, as XML. */
  readonly parameters?: string
  /** How long a subscription lives after it was created or renewed. */
  readonly lifeMs?: number
  /** How long it lives after a pull at least; 0 for devices where a pull adds nothing. */
  readonly pullLifeMs?: number
  /** Answers in the place of the device; true if it did. */
  readonly instead?: (asked: Asked, response: ServerResponse) => boolean
}

export interface EventfulDevice {
  readonly url: string
  readonly port: number
  readonly asked: readonly Asked[]
  /** Of everything that was asked: local names of the elements in the Body. */
  operations(): readonly string[]
  last(operation: string): Asked
  /** Tells those who pull. Until then it is kept. */
  publish(...notifications: readonly string[]): void
  /** As a reboot does: forgets the subscriptions, breaks the connections, and answers again after somebody has asked in vain, more than once. */
  reboot(): void
  /** Closes the connections that wait for nothing, and those that do. */
  hangUp(): void
}

/** A camera of node:http alone with one pull point after the other; nothing in it is ours. */
export async function startEventfulDevice(t: TestContext, plan: Plan = {}): Promise<EventfulDevice> {
  const { lifeMs = 120_000, pullLifeMs = 0 } = plan
  const kept: string[] = []
  let waiting: ServerResponse | undefined
  let id = 0
  let isSubscribed = false
  let endsAt = 0

  const times = () => {
    const now = Date.now()
    const [current, end] = [now, endsAt].map(time => new Date(time).toISOString())
    return { current, end }
  }
  const flush = () => {
    if (!waiting || kept.length === 0) return
    endsAt = Math.max(endsAt, Date.now() + pullLifeMs)
    const { current, end } = times()
    const content = `<tev:CurrentTime>${current}</tev:CurrentTime><tev:TerminationTime>${end}</tev:TerminationTime>${kept.join('')}`
    kept.length = 0
    reply(waiting, 200, inEvents('PullMessagesResponse', content))
    waiting = undefined
  }
  const eventService = () => plan.eventService?.(device.port) ?? `http://127.0.0.1:${device.port}/events`

  const answers: Readonly<Record<string, Answerer>> = {
    GetServices: (_, response) =>
      reply(
        response,
        200,
        soap(
          `<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver10/events/wsdl</tds:Namespace><tds:XAddr>${eventService()}</tds:XAddr></tds:Service></tds:GetServicesResponse>`,
        ),
      ),
    GetCapabilities: (_, response) =>
      reply(
        response,
        200,
        soap(
          `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>${eventService()}</tt:XAddr></tt:Events></tds:Capabilities></tds:GetCapabilitiesResponse>`,
        ),
      ),
    GetServiceCapabilities: (_, response) =>
      reply(response, 200, inEvents('GetServiceCapabilitiesResponse', '<tev:Capabilities MaxNotificationProducers="5"/>')),
    GetEventProperties: (_, response) =>
      reply(
        response,
        200,
        inEvents('GetEventPropertiesResponse', '<x:TopicSet xmlns:x="urn:t"><v:IO xmlns:v="urn:acme:topics"/></x:TopicSet>'),
      ),
    CreatePullPointSubscription: (_, response) => {
      id++
      isSubscribed = true
      endsAt = Date.now() + lifeMs
      const address = plan.subscription?.(device.port, id) ?? `http://127.0.0.1:${device.port}/subscription/${id}`
      const parameters = plan.parameters === undefined ? '' : `<wsa:ReferenceParameters>${plan.parameters}</wsa:ReferenceParameters>`
      const { current, end } = times()
      const reference = `<tev:SubscriptionReference><wsa:Address>${address}</wsa:Address>${parameters}</tev:SubscriptionReference>`
      const life = `<wsnt:CurrentTime>${current}</wsnt:CurrentTime><wsnt:TerminationTime>${end}</wsnt:TerminationTime>`
      reply(response, 200, inEvents('CreatePullPointSubscriptionResponse', reference + life))
    },
    PullMessages: (_, response) => {
      if (!isSubscribed) return reply(response, 500, faultXml('Receiver', ['ResourceUnknown'], 'no such subscription'))
      waiting = response
      flush()
    },
    Renew: (_, response) => {
      endsAt = Date.now() + lifeMs
      const { current, end } = times()
      reply(
        response,
        200,
        inEvents('RenewResponse', `<wsnt:TerminationTime>${end}</wsnt:TerminationTime><wsnt:CurrentTime>${current}</wsnt:CurrentTime>`),
      )
    },
    Unsubscribe: (_, response) => {
      isSubscribed = false
      reply(response, 200, inEvents('UnsubscribeResponse', ''))
    },
  }

  const { url, port, asked, server } = await startStandIn(t, (question, response) => {
    if (plan.instead?.(question, response)) return
    const answer = answers[question.operation]
    if (answer) answer(question, response)
    else reply(response, 500, faultXml('Receiver', ['ActionNotSupported'], 'not implemented'))
  })
  const device: EventfulDevice = {
    url,
    port,
    asked,
    operations: () => asked.map(({ operation }) => operation),
    last(operation) {
      const found = asked.findLast(entry => entry.operation === operation)
      if (!found) throw new Error(`nobody asked for ${operation}`)
      return found
    },
    publish(...notifications) {
      kept.push(...notifications)
      flush()
    },
    reboot() {
      isSubscribed = false
      kept.length = 0
      waiting = undefined
      let inVain = 0
      const refuse = (socket: { destroy(): void }) => {
        if (++inVain === 6) server.off('connection', refuse)
        socket.destroy()
      }
      server.on('connection', refuse)
      server.closeAllConnections()
    },
    hangUp: () => server.closeAllConnections(),
  }
  return device
}
