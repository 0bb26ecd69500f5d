/**
 * Clients that wait for events, in a process of their own: each has a pull point, and a connection on which its pull is held open. Raw
 * sockets, so that a thousand of them see an answer about when it is there.
 */
import { connect, type Socket } from 'node:net'
import { envelope, withToken } from './bed.ts'

export interface WatchOrder {
  readonly port: number
  readonly watchers: number
}

/** `held`: all of them wait. `told`: all have the event; for each, when it came, in milliseconds since 1970. */
export type WatchReport = { readonly kind: 'held' } | { readonly kind: 'told'; readonly atMs: readonly number[] }

const create = `<CreatePullPointSubscription xmlns="http://www.onvif.org/ver10/events/wsdl"><Filter><n:TopicExpression xmlns:n="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics" Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:Device/Trigger/Relay</n:TopicExpression></Filter><InitialTerminationTime>PT10M</InitialTerminationTime></CreatePullPointSubscription>`
const pull =
  '<PullMessages xmlns="http://www.onvif.org/ver10/events/wsdl"><Timeout>PT5M</Timeout><MessageLimit>100</MessageLimit></PullMessages>'

const now = () => performance.timeOrigin + performance.now()

class Watcher {
  readonly #socket: Socket
  #path = '/onvif/event_service'

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
  }

  async begin(): Promise<void> {
    const { text } = await this.#ask(create)
    this.#path = /Address>http:\/\/[^/]+([^<]+)</.exec(text)?.[1] ?? ''
    // The state that it is told first.
    await this.pull()
  }

  async pull(): Promise<number> {
    return (await this.#ask(pull)).atMs
  }

  #ask(body: string): Promise<{ text: string; atMs: number }> {
    const message = withToken(envelope(body))
    const head = `POST ${this.#path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n`
    this.#socket.write(head + message)
    return new Promise((resolve, reject) => {
      let text = ''
      let atMs = 0
      const onData = (piece: Buffer) => {
        atMs ||= now()
        text += piece.toString('latin1')
        if (!text.endsWith('</env:Envelope>')) return
        this.#socket.off('data', onData)
        if (text.startsWith('HTTP/1.1 200 ')) resolve({ text, atMs })
        else reject(new Error(text))
      }
      this.#socket.on('data', onData).once('error', reject)
    })
  }
}

const report = (message: WatchReport) => process.send?.(message)

// The end of the device is not news.
process.once('disconnect', () => process.exit())
process.once('message', async ({ port, watchers: count }: WatchOrder) => {
  const watchers: Watcher[] = []
  for (let index = 0; index < count; index++) {
    const watcher = new Watcher(port)
    await watcher.begin()
    watchers.push(watcher)
  }
  for (;;) {
    const told = watchers.map(watcher => watcher.pull())
    setTimeout(() => report({ kind: 'held' }), 2_000)
    report({ kind: 'told', atMs: await Promise.all(told) })
    // So that what the next pulls cost is not taken for what the event costs.
    await new Promise(resolve => setTimeout(resolve, 500))
  }
})
