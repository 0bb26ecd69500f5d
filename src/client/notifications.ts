import { type LookupAddress, lookup as resolve } from 'node:dns'
import { Agent as HttpAgent, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { limits } from '../limits.ts'
import { writeAnswer } from '../soap/envelope.ts'
import { addressingHeader } from './addressing.ts'
import { ClientError } from './errors.ts'
import { asClientError, type Connections, startRequest } from './exchange.ts'
import { statusText } from './message.ts'
import { whyNoConsumer } from './notifyAddress.ts'

/** The endpoint reference of a subscription with delivery. */
export interface Consumer {
  readonly address: string
  /** Its reference parameters as header blocks, as `referenceBlocks` makes them. */
  readonly parameters: string
}

/** The device sends nothing there, now or later; the message says why. */
export class ConsumerRefusal extends Error {
  override readonly name = 'ConsumerRefusal'
}

/** WS-BaseNotification 1.3, 3.1. */
const ACTION = 'http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify'

const headers = { 'content-type': `application/soap+xml; charset=utf-8; action="${ACTION}"` }

/**
 * Messages to the consumers of WS-BaseNotification, to wherever an administrator has said. The device is not to become a way into
 * places that he cannot reach himself, so a consumer is HTTP alone, is looked up once, and it is the address so found that is
 * judged and connected to; it gets no credentials, is not followed elsewhere, and nothing that it answers is passed on.
 * `isLocalAllowed` is `--notify-local`.
 */
export function createNotifications({ isLocalAllowed }: { readonly isLocalAllowed: boolean }) {
  const refusalOf = (address: string): ConsumerRefusal | undefined => {
    const why = whyNoConsumer(address, isLocalAllowed)
    return why === undefined ? undefined : new ConsumerRefusal(`the consumer has ${why} address, where this device does not send`)
  }

  /** Stands between a name and the connection, so that what was judged is what is connected to. */
  const lookup: LookupFunction = (hostname, options, done) => {
    resolve(hostname, { all: true }, (error, found: LookupAddress[] = []) => {
      const allowed = found.filter(({ address }) => refusalOf(address) === undefined)
      const [first] = allowed
      if (error || !first) done(error ?? refusalOf(found[0]?.address ?? '') ?? new Error('the name has no address'), [])
      else if (options.all) done(null, allowed)
      else done(null, first.address, first.family)
    })
  }

  // A connection for each message: consumers are few, and what they hold open is ours, too.
  const options = { keepAlive: false, maxTotalSockets: limits.eventConsumersMax, lookup }
  const connections: Connections = { http: new HttpAgent(options), https: new HttpsAgent({ ...options, rejectUnauthorized: true }) }

  /** What is written in the address can be judged without asking anybody. A URL has one spelling for an address, however it is put. */
  function urlOf(address: string): URL {
    const url = address.length <= limits.uriCharactersMax ? URL.parse(address) : null
    if (url === null || !/^https?:$/.test(url.protocol)) throw new ConsumerRefusal('the consumer has no http: or https: address')
    if (url.username !== '' || url.password !== '') throw new ConsumerRefusal('the address of the consumer has a user in it')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const refusal = isIP(host) === 0 ? undefined : refusalOf(host)
    if (refusal) throw refusal
    return url
  }

  return {
    /**
     * For Subscribe: rejects with a ConsumerRefusal where nothing is ever sent to. A name that cannot be looked up now may be there
     * by the time that there is something to send.
     */
    async assertConsumer(address: string): Promise<void> {
      const { hostname } = urlOf(address)
      if (hostname.startsWith('[')) return
      await new Promise<void>((pass, refuse) => {
        lookup(hostname, { all: true }, error => (error instanceof ConsumerRefusal ? refuse(error) : pass()))
      })
    },

    /**
     * One message: a `wsnt:Notify` as the codec writes it. Resolves when the consumer has answered with a status of success, and rejects with a ConsumerRefusal or a
     * ClientError. It takes as long as `signal` lets it.
     */
    async send({ address, parameters }: Consumer, notify: string, signal: AbortSignal): Promise<void> {
      const url = urlOf(address)
      const message = writeAnswer(notify, addressingHeader(address, ACTION, parameters))
      const request = startRequest({ url, method: 'POST', headers, connections }, signal)
      try {
        const response = await new Promise<IncomingMessage>((resolve, reject) => {
          // Node ends a request without a word where the answer is a change of protocols.
          request.once('close', () => reject(new ClientError('answer', `${url.host} does not answer in HTTP`)))
          request.once('response', resolve).once('error', reject).end(message)
        })
        await forget(response)
        const status = response.statusCode ?? 0
        if (status < 200 || status > 299) throw new ClientError('status', `${url.host} answered HTTP ${statusText(status)}`, { status })
      } catch (error) {
        if (signal.aborted) throw new ClientError('timeout', `${url.host} did not answer in time`, { cause: error })
        throw asClientError(error, url)
      }
    },

    /** Ends what is under way. */
    close(): void {
      connections.http.destroy()
      connections.https.destroy()
    },
  }
}

/** The status has said it. What follows is read as far as it is short: a connection that is closed before is reset. */
async function forget(response: IncomingMessage): Promise<void> {
  let bytes = 0
  try {
    for await (const piece of response) {
      bytes += Buffer.isBuffer(piece) ? piece.length : 0
      if (bytes > limits.notifyAnswerBytesMax) break
    }
  } catch {
    // It broke off, or took too long.
  }
}
