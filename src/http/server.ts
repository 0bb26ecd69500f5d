import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { limits } from '../limits.ts'
import type { AppOptions } from './app.ts'
import { type Bounds, replyText, type Terms } from './reply.ts'
import { misframed, originForm, pathOf, remoteAddressOf } from './request.ts'
import { answerSoap, type SoapDoor } from './soap.ts'

export interface HttpOptions extends Pick<SoapDoor, 'handle'>, Pick<AppOptions, 'authenticator' | 'uploads' | 'downloads' | 'logs'> {
  /** For tests: what else than limits.ts says. */
  readonly bounds?: Partial<Bounds>
}

export interface HttpServer {
  /** Resolves to the origin that is listened on, with the real port where `port` is 0. Rejects with a ListenError. */
  listen(host: string, port: number): Promise<URL>
  /**
   * Stops accepting, ends idle connections at once, aborts uploads, lets other running requests end within
   * `limits.drainTimeoutMs`, and destroys the rest.
   */
  close(): Promise<void>
}

/** The address cannot be listened on, for a reason that the operator can change; the message says how. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

export function createHttpServer(options: HttpOptions): HttpServer {
  const { logs, uploads } = options
  const bounds: Bounds = { ...limits, ...options.bounds }
  const uploadFolders = [...uploads.keys()]
  const stopping = new AbortController()
  const terms: Terms = { bounds, stopping: stopping.signal }
  const soap: SoapDoor = { ...terms, handle: options.handle, log: logs.system }
  /** Connections on which nothing was asked yet: Node does not count them as idle. */
  const fresh = new Set<Socket>()
  let app: Promise<RequestListener> | undefined
  let closed: Promise<void> | undefined

  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: bounds.headersTimeoutMs,
    connectionsCheckingInterval: bounds.headersTimeoutMs / 10,
    // It would cut an upload of an hour. answerSoap and receive count the time of a body themselves.
    requestTimeout: 0,
    // `timeout` below covers idle connections as well, with one timer for the life of a connection instead of two for every request.
    keepAliveTimeout: 0,
  })
  server.timeout = bounds.silenceTimeoutMs
  server.maxConnections = bounds.connectionsMax
  // A client that ends its half of the connection after its request still reads the answer.
  Object.assign(server, { httpAllowHalfOpen: true })

  // Node answers malformed requests itself: 400, 408, 413 or 431 without a word, and the end of the connection.
  server.on('request', dispatch)
  server.on('checkContinue', dispatch)
  server.on('connection', socket => {
    fresh.add(socket)
    socket.once('close', () => fresh.delete(socket))
  })
  server.on('drop', drop => {
    // The newcomer is lost, but not its second try: idle connections are the ones that nobody misses.
    server.closeIdleConnections()
    logs.system.debug({ from: drop?.remoteAddress }, 'too many connections')
  })

  function dispatch(request: IncomingMessage, response: ServerResponse): void {
    fresh.delete(request.socket)
    const wrong = misframed(request)
    if (wrong === undefined && request.method === 'POST' && isSoap(request.url ?? '')) {
      answerSoap(soap, request, response)
      return
    }
    response.once('close', () => {
      if (stopping.signal.aborted) request.socket.destroySoon()
    })
    if (wrong) replyText(terms, request, response, wrong, 'the request is ambiguous')
    else void passOn(request, response)
  }

  /** Device operations are answered on every path of /onvif/: clients post to whichever service address they have read. */
  function isSoap(target: string): boolean {
    const path = target.startsWith('/onvif/') ? target : pathOf(target)
    return path.startsWith('/onvif/') && !uploadFolders.some(folder => path.startsWith(folder))
  }

  /** Everything else is Express's, which is loaded when the first of it comes: it takes longer than the first SOAP answer may. */
  async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? ''
    const url = originForm(target)
    if (url === undefined) {
      replyText(terms, request, response, 400, 'the request target is no path')
      return
    }
    try {
      app ??= import('./app.ts').then(({ createApp }) => createApp({ ...options, ...terms }))
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
    const ended = once(server, 'close')
    server.close()
    for (const socket of fresh) socket.destroy()
    const patience = setTimeout(() => server.closeAllConnections(), bounds.drainTimeoutMs)
    await ended
    clearTimeout(patience)
  }

  return {
    async listen(host, port) {
      server.listen(port, host)
      try {
        await once(server, 'listening')
      } catch (error) {
        throw new ListenError(whyNot(error, host, port), { cause: error })
      }
      // A connection that could not be accepted is one client's loss, and without a listener it would end the process.
      server.on('error', error => logs.system.error({ error }, 'a connection could not be accepted'))
      const { address, family, port: actual } = addressOf(server.address())
      return new URL(`http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`)
    },

    async close() {
      if (server.listening) closed = drain()
      await closed
    },
  }
}

function whyNot(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use: end the other program, or choose another port (0 picks a free one)`
    case 'EACCES':
      return `port ${port} of ${host} needs more rights: choose a port from 1024 on`
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${host}: choose one of its own, 127.0.0.1, or 0.0.0.0 for all of them`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name ${host} has no address: give an IP address of this machine`
    default:
      return `cannot listen on port ${port} of ${host} (${String(code ?? error)})`
  }
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the server listens on no TCP port')
  return address
}
