import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Log } from '../platform/platform.ts'
import type { Guests } from './guests.ts'
import { heldConnections } from './held.ts'
import type { Bounds } from './reply.ts'
import { localAddressOf, remoteAddressOf } from './request.ts'
import type { TlsDoor } from './tlsDoor.ts'

export interface ListenerOptions {
  readonly bounds: Bounds
  /** Whether a client with this address may connect, told the address of the device that it connects to. */
  readonly admits: (remoteAddress: string, localAddress: string) => boolean
  readonly guests: Guests
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
export function createListener({ bounds, admits, guests, answer, log, tls }: ListenerOptions) {
  const connections = new Set<Socket>()
  /** With TLS, the connections by their addresses: a request knows only what is above. */
  const byAddresses = new Map<string, Socket>()
  /** Connections on which nothing was asked yet: Node does not count them as idle. */
  const fresh = new Set<Socket>()
  /** How many answers wait on a connection for an earlier one to go out; nearly always none. */
  const pipelined = new WeakMap<Socket, number>()

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
    if (!guests.admit(socket)) {
      log.debug({ from: remoteAddressOf({ socket }) }, 'too many connections')
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
  if (tls && secureServer) tls.attend(secureServer, socket => byAddresses.get(addressesOf(socket)))

  function take(request: IncomingMessage, response: ServerResponse): void {
    if (tls?.isRefused(request.socket)) return
    const socket = tls ? byAddresses.get(addressesOf(request.socket)) : request.socket
    if (socket && fresh.delete(socket)) guests.hasAsked(socket)
    if (!server.listening) response.shouldKeepAlive = false
    if (request.headers.upgrade !== undefined) endWithItsClient(request)
    if (mayWait(request, response)) answer(request, response)
  }

  /** Node waits for the rest of a message with an Upgrade, also where its client has closed his half of the connection. */
  function endWithItsClient(request: IncomingMessage): void {
    const { socket } = request
    const end = () => {
      if (!request.complete) socket.destroy()
    }
    socket.once('end', end)
    request.once('close', () => socket.off('end', end))
  }

  /** Whoever asks on and on and reads nothing has us keep all the answers: he loses his connection. */
  function mayWait({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (response.socket !== null) return true
    const before = pipelined.get(socket) ?? 0
    if (before >= bounds.pipelinedMax) {
      socket.destroy()
      return false
    }
    pipelined.set(socket, before + 1)
    response.once('close', () => pipelined.set(socket, (pipelined.get(socket) ?? 1) - 1))
    return true
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

    /** Ends the connections on which nothing runs. */
    closeIdle: (): void => server.closeIdleConnections(),

    /**
     * Takes no more connections, ends idle ones at once, and after `patienceMs` those on which something still runs; if `sparesHeld`,
     * not those on which an answer is held back, which is of our own choice and has its own end.
     */
    async close(patienceMs: number, sparesHeld = false): Promise<void> {
      const ended = once(server, 'close')
      server.close()
      for (const socket of fresh) socket.destroy()
      // An answer that was under way may have promised that the connection stays.
      const idle = setInterval(() => server.closeIdleConnections(), bounds.idleCheckMs)
      const patience = setTimeout(() => {
        const spared = new Set(sparesHeld ? [...heldConnections()].map(addressesOf) : [])
        for (const socket of connections) if (!spared.has(addressesOf(socket))) socket.destroy()
      }, patienceMs)
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
