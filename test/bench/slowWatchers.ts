/** Clients that do not take what they asked for, and good ones beside them, in a process of their own, which may be stopped. */
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { envelope, withToken } from './bed.ts'

/** `vanished` does nothing more as soon as all of them wait, because its process is stopped then. */
export type Kind = 'good' | 'never reads' | 'reads a byte a second' | 'vanished'

export interface SlowOrder {
  readonly port: number
  readonly count: number
  readonly kind: Kind
  /** By `delivery` the device connects to them. */
  readonly by: 'pull point' | 'delivery'
}

const prefixes = 'xmlns:n="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics"'
const filter = `<n:TopicExpression ${prefixes} Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:Device/Trigger/Relay</n:TopicExpression>`
const create = `<CreatePullPointSubscription xmlns="http://www.onvif.org/ver10/events/wsdl"><Filter>${filter}</Filter></CreatePullPointSubscription>`
const pull = (timeout: string) =>
  `<PullMessages xmlns="http://www.onvif.org/ver10/events/wsdl"><Timeout>${timeout}</Timeout><MessageLimit>100</MessageLimit></PullMessages>`
const subscribe = (port: number) =>
  `<n:Subscribe ${prefixes}><n:ConsumerReference><Address xmlns="http://www.w3.org/2005/08/addressing">http://127.0.0.1:${port}/</Address></n:ConsumerReference><n:Filter>${filter}</n:Filter></n:Subscribe>`

async function post(url: string, body: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: withToken(envelope(body)), headers: { connection: 'close' } })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`)
  return text
}

async function goOn(point: string): Promise<never> {
  for (;;) await post(point, pull('PT1M'))
}

/** Sends its pull, and reads the answer as its kind does. */
function hold(point: string, kind: Kind, sent: () => void): void {
  const { port, pathname } = new URL(point)
  const onread = { buffer: new Uint8Array(1), callback: () => false }
  const socket = connect({ port: Number(port), host: '127.0.0.1', ...(kind === 'reads a byte a second' && { onread }) })
  const message = withToken(envelope(pull('PT5M')))
  socket.on('error', () => {}).write(`POST ${pathname} HTTP/1.1\r\nHost: d\r\nContent-Length: ${message.length}\r\n\r\n${message}`, sent)
  if (kind === 'reads a byte a second') setInterval(() => socket.resume(), 1_000)
  else socket.pause()
}

/** The consumer of all deliveries; resolves to its port. */
function consume(kind: Kind): Promise<number> {
  const treat = (socket: Socket) => {
    socket.on('error', () => {})
    if (kind !== 'reads a byte a second') return void socket.pause()
    const answer = 'HTTP/1.1 200 OK\r\n'
    let at = 0
    const drops = setInterval(() => socket.write(answer.charAt(at++ % answer.length)), 1_000)
    return socket.resume().once('close', () => clearInterval(drops))
  }
  const server =
    kind === 'good' ? createHttpServer((request, response) => request.resume().once('end', () => response.end())) : createServer(treat)
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve(portOf(server.address())))
  })
}

const portOf = (address: AddressInfo | string | null): number => (typeof address === 'object' && address ? address.port : 0)

// The end of the device is not news.
process.once('disconnect', () => process.exit())
process.once('message', async ({ port, count, kind, by }: SlowOrder) => {
  const service = `http://127.0.0.1:${port}/onvif/event_service`
  if (by === 'delivery') {
    const own = await consume(kind)
    for (let index = 0; index < count; index++) await post(service, subscribe(own))
  } else {
    const points: string[] = []
    for (let index = 0; index < count; index++) {
      const point = /Address>([^<]+)</.exec(await post(service, create))?.[1] ?? ''
      // The state that it is told first.
      await post(point, pull('PT0S'))
      points.push(point)
    }
    if (kind === 'good') for (const point of points) goOn(point).catch(() => {})
    else await Promise.all(points.map(point => new Promise<void>(sent => hold(point, kind, sent))))
  }
  setTimeout(() => process.send?.('held'), 1_000)
})
