import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { limits } from '../limits.ts'
import type { AppOptions } from './app.ts'
import { createBodies } from './bodies.ts'
import { orders } from './firmware.ts'
import { createGuests } from './guests.ts'
import { createListener, type Listener, type ListenerOptions } from './listener.ts'
import { loadApp } from './loadApp.ts'
import { type Bounds, replyText, type Terms } from './reply.ts'
import { type IsOwnName, isCrossSite, misframed, originForm, originOf, pathOf, remoteAddressOf } from './request.ts'
import { answerSoap, type SoapDoor } from './soap.ts'
import { createTlsDoor, type TlsDoor, type TlsSource } from './tlsDoor.ts'

export interface HttpOptions
  extends Pick<SoapDoor, 'handle'>,
    Pick<AppOptions, 'authenticator' | 'uploads' | 'downloads' | 'firmware' | 'logs' | 'publicOrigin' | 'insteadPort'> {
  /** Who may connect; everybody where it is left out. */
  readonly admits?: ListenerOptions['admits']
  /** What a port needs that speaks TLS. */
  readonly tls?: TlsSource | undefined
  /** Whether a connection is the device's own, of which no certificate is asked. */
  readonly isOwn?: (remoteAddress: string, localAddress: string) => boolean
  /** Names of the device beside those in its certificates and those of the loopback. */
  readonly isOwnName?: IsOwnName
  /** For tests: what else than limits.ts says. */
  readonly bounds?: Partial<Bounds>
}

export interface HttpServer {
  /**
   * Answers on this port as well. Resolves to the origin that is listened on, with the real port where `port` is 0. Rejects with
   * a ListenError, whose `code` is Node's; for `https` also where there is no certificate to show.
   */
  listen(host: string, port: number, scheme?: 'http' | 'https'): Promise<URL>
  /** Stops accepting on this port; what runs there may end within `limits.requestTimeoutMs`, and who waits there for events waits on. */
  release(port: number): Promise<void>
  /** Ends the connections of addresses that `admits` does not admit any more. */
  expel(): void
  /**
   * Stops accepting, ends idle connections at once, aborts uploads, lets other running requests end within
   * `limits.drainTimeoutMs`, and destroys the rest.
   */
  close(): Promise<void>
}

/** What whoever says it reaches on his own machine alone, and so may have back: a forwarded port of a container, for one. */
const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

export function createHttpServer({
  admits = () => true,
  isOwn = () => false,
  isOwnName = () => false,
  tls,
  ...options
}: HttpOptions): HttpServer {
  const { logs, uploads, publicOrigin } = options
  const bounds: Bounds = { ...limits, ...options.bounds }
  const uploadFolders = [...uploads.keys()]
  const stopping = new AbortController()
  const terms: Terms = {
    bounds,
    stopping: stopping.signal,
    isOwnName: name => loopback.has(name) || isOwnName(name) || tlsDoor?.isNamed(name) === true,
  }
  const soap: SoapDoor = { ...terms, handle: options.handle, log: logs.system, bodies: createBodies(bounds) }
  const listeners = new Map<number, Listener>()
  /** Listeners of released ports, as long as something runs there. */
  const leaving = new Set<Listener>()
  const all = () => [...listeners.values(), ...leaving]
  // Idle connections are the ones that nobody misses.
  const guests = createGuests(bounds, () => {
    for (const listener of all()) listener.closeIdle()
  })
  let tlsDoor: TlsDoor | undefined
  let app: Promise<RequestListener> | undefined
  let closed: Promise<void> | undefined

  function dispatch(request: IncomingMessage, response: ServerResponse): void {
    const wrong = misframed(request)
    if (wrong === undefined && request.method === 'POST' && isSoap(request.url ?? '') && !isForeign(request)) {
      answerSoap(soap, request, response)
      return
    }
    response.once('close', () => {
      if (stopping.signal.aborted) request.socket.destroySoon()
    })
    if (wrong) replyText(terms, request, response, wrong, 'the request is ambiguous')
    else if (isForeign(request)) replyText(terms, request, response, 403, 'pages of other sites change nothing here')
    else void passOn(request, response)
  }

  /** What only reads, a page of another site may send: it does not get to see the answer. */
  const isForeign = (request: IncomingMessage) =>
    request.method !== 'GET' &&
    request.method !== 'HEAD' &&
    isCrossSite(request, () => (publicOrigin ?? originOf(request, terms.isOwnName)).origin)

  /** Device operations are answered on every path of /onvif/: clients post to whichever service address they have read. */
  function isSoap(target: string): boolean {
    const path = target.startsWith('/onvif/') ? target : pathOf(target)
    return path.startsWith('/onvif/') && !orders.has(path) && !uploadFolders.some(folder => path.startsWith(folder))
  }

  /** Everything else is Express's. */
  async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? ''
    const url = originForm(target)
    if (url === undefined) {
      replyText(terms, request, response, 400, 'the request target is no path')
      return
    }
    try {
      app ??= loadApp().then(({ createApp }) => createApp({ ...options, ...terms }))
      const answer = await app
      // `originalUrl` is where Express keeps the target as sent, which HTTP Digest signs.
      answer(Object.assign(request, { originalUrl: target, url }), response)
    } catch (error) {
      app = undefined
      logs.system.error({ error, from: remoteAddressOf(request) }, 'the pages could not be loaded')
      replyText(terms, request, response, 500, 'the device could not answer')
    }
  }

  async function drain(): Promise<void> {
    stopping.abort()
    await Promise.all(all().map(listener => listener.close(bounds.drainTimeoutMs)))
  }

  function openTls(): TlsDoor {
    if (!tls) throw new Error('this server has no certificates')
    tlsDoor ??= createTlsDoor({ source: tls, bounds, log: logs.system, isOwn })
    return tlsDoor
  }

  return {
    async listen(host, port, scheme = 'http') {
      const secure = scheme === 'https' ? openTls() : undefined
      const listener = createListener({ bounds, admits, guests, answer: dispatch, log: logs.system, tls: secure })
      const origin = await listener.listen(host, port)
      listeners.set(portOf(origin), listener)
      return origin
    },

    async release(port) {
      const listener = listeners.get(port)
      if (!listener) return
      listeners.delete(port)
      leaving.add(listener)
      await listener.close(bounds.requestTimeoutMs, true)
      leaving.delete(listener)
    },

    expel() {
      for (const listener of all()) listener.expel()
    },

    async close() {
      if (listeners.size + leaving.size > 0) closed ??= drain()
      await closed
      tlsDoor?.close()
    },
  }
}

/** A URL leaves out the port that its scheme has anyway. */
export const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80))
