import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Log } from '../platform/platform.ts'
import type { Bounds } from './reply.ts'
import { localAddressOf, remoteAddressOf } from './request.ts'
import type { TlsDoor } from './tlsDoor.ts'

export interface ListenerOptions {
  readonly bounds: Bounds
  /** Whether a client with this address may connect, told the address of the device that it connects to. */
  readonly admits: (remoteAddress: string, localAddress: string) => boolean
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void
  readonly log: Log
  /** Of a port that speaks TLS. */
  readonly tls?: TlsDoor | undefined
}

/** The address cannot be listened on, for a reason that the operator can change; the message says how. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  /** Node's, such as EADDRINUSE. */
  readonly code: string | undefined

  constructor(message: string, code: string | undefined, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type Listener = ReturnType<typeof createListener>

/** One TCP port and the connections that came in by it, each of which somebody may have. */
export function createListener({ bounds, admits, answer, log, tls }: ListenerOptions) {
  const connections = new Set<Socket>()
  /** With TLS, the connections by their addresses: a request knows only what is above. */
  const byAddresses = new Map<string, Socket>()
  /** Connections on which nothing was asked yet: Node does not count them as idle. */
  const fresh = new Set<Socket>()

  const options = {
    insecureHTTPParser: false,
    maxHeaderSize: bounds.headerBytesMax,
    headersTimeout: bounds.headersTimeoutMs,
    connectionsCheckingInterval: bounds.headersTimeoutMs / 10,
    // It would cut an upload of an hour. answerSoap and receive count the time of a body themselves.
    requestTimeout: 0,
    // `timeout` below covers idle connections as well, with one timer for the life of a connection instead of two for every request.
    keepAliveTimeout: 0,
  }
  const secureServer = tls && createTlsServer({ ...options, ...tls.options() })
  const server = secureServer ?? createServer(options)
  server.timeout = bounds.silenceTimeoutMs
  server.maxConnections = bounds.connectionsMax
  // A client that ends its half of the connection after its request still reads the answer.
  Object.assign(server, { httpAllowHalfOpen: true })

  // Node answers malformed requests itself: 400, 408, 413 or 431 without a word, and the end of the connection.
  server.on('request', take)
  server.on('checkContinue', take)
  server.on('connection', (socket: Socket) => {
    if (!isAdmitted(socket)) {
      log.debug({ from: remoteAddressOf({ socket }) }, 'the address filter shut out a connection')
      socket.destroy()
      return
    }
    connections.add(socket)
    fresh.add(socket)
    const addresses = addressesOf(socket)
    if (tls) byAddresses.set(addresses, socket)
    socket.once('close', () => {
      connections.delete(socket)
      fresh.delete(socket)
      if (byAddresses.get(addresses) === socket) byAddresses.delete(addresses)
    })
  })
  server.on('drop', drop => {
    // The newcomer is lost, but not its second try: idle connections are the ones that nobody misses.
    server.closeIdleConnections()
    log.debug({ from: drop?.remoteAddress }, 'too many connections')
  })

  if (tls && secureServer) tls.attend(secureServer, socket => byAddresses.get(addressesOf(socket)))

  function take(request: IncomingMessage, response: ServerResponse): void {
    if (tls?.isRefused(request.socket)) return
    const socket = tls ? byAddresses.get(addressesOf(request.socket)) : request.socket
    if (socket) fresh.delete(socket)
    if (!server.listening) response.shouldKeepAlive = false
    answer(request, response)
  }

  const isAdmitted = (socket: Socket) => admits(remoteAddressOf({ socket }), localAddressOf({ socket }))

  return {
    /** Resolves to the origin that is listened on, with the real port where `port` is 0. Rejects with a ListenError. */
    async listen(host: string, port: number): Promise<URL> {
      server.listen(port, host)
      try {
        await once(server, 'listening')
      } catch (error) {
        const code = codeOf(error)
        throw new ListenError(whyNot(code ?? String(error), host, port), code, { cause: error })
      }
      // A connection that could not be accepted is one client's loss, and without a listener it would end the process.
      server.on('error', error => log.error({ error }, 'a connection could not be accepted'))
      const { address, family, port: actual } = addressOf(server.address())
      return new URL(`${tls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${actual}`)
    },

    /** Ends the connections of addresses that are not admitted any more, whatever runs on them. */
    expel(): void {
      for (const socket of connections) if (!isAdmitted(socket)) socket.destroy()
    },

    /** Takes no more connections, ends idle ones at once, and after `patienceMs` those on which something still runs. */
    async close(patienceMs: number): Promise<void> {
      const ended = once(server, 'close')
      server.close()
      for (const socket of fresh) socket.destroy()
      // An answer that was under way may have promised that the connection stays.
      const idle = setInterval(() => server.closeIdleConnections(), bounds.idleCheckMs)
      const patience = setTimeout(() => server.closeAllConnections(), patienceMs)
      await ended
      clearInterval(idle)
      clearTimeout(patience)
    },
  }
}

const addressesOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function whyNot(code: string, host: string, port: number): string {
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
      return `cannot listen on port ${port} of ${host} (${code})`
  }
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the server listens on no TCP port')
  return address
}
