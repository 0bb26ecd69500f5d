import type { Server, ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TlsServer } from '../device/certificates/tlsServer.ts'
import type { Log } from '../platform/platform.ts'
import type { Bounds } from './reply.ts'
import { localAddressOf, rememberCertificate, remoteAddressOf } from './request.ts'
import { type Alert, encryptedAlert, plainAlert } from './tlsAlert.ts'
import { makeContexts, type TlsContexts } from './tlsContexts.ts'

/** Where the certificates of the listener come from, and who judges those of clients. */
export type TlsSource = Pick<TlsServer, 'settings' | 'validateClient' | 'watch'>

interface Parts {
  readonly source: TlsSource
  readonly bounds: Bounds
  readonly log: Log
  /** Whether a connection is the device's own, which has no certificate to show. */
  readonly isOwn: (remoteAddress: string, localAddress: string) => boolean
}

type Judgement = { readonly names: readonly string[] } | { readonly alert: Alert; readonly detail: string }

export type TlsDoor = ReturnType<typeof createTlsDoor>

/** What is the same for all HTTPS ports: the certificates of now, and who is let in. */
export function createTlsDoor({ source, bounds, log, isOwn }: Parts) {
  const attended = new Map<Server, (line: Buffer, socket: TLSSocket) => void>()
  const judgements = new WeakMap<TLSSocket, Judgement>()
  const refused = new WeakSet<Socket>()
  let contexts = renewed()

  function renewed(): TlsContexts | undefined {
    try {
      return makeContexts(source.settings())
    } catch (error) {
      log.error({ error }, 'the certificates that are assigned to the TLS server cannot be used: it goes on with those before')
      return undefined
    }
  }

  const stopWatching = source.watch(() => {
    contexts = renewed() ?? contexts
    for (const server of attended.keys()) renew(server)
  })

  function current(): TlsContexts {
    if (!contexts) throw new Error('there is no certificate for HTTPS')
    return contexts
  }

  /** Connections that stand keep what they were made with. */
  function renew(server: Server): void {
    const { options, client } = current()
    server.setSecureContext(options)
    // Node reads it at each connection, and has no setter for it.
    Object.assign(server, { requestCert: client.asked })
    const watch = attended.get(server)
    if (!watch) return
    server.off('keylog', watch)
    if (client.asked) server.on('keylog', watch)
  }

  function judge(socket: TLSSocket): Judgement {
    const known = judgements.get(socket)
    if (known) return known
    const verdict = judgeAnew(socket)
    judgements.set(socket, verdict)
    return verdict
  }

  function judgeAnew(socket: TLSSocket): Judgement {
    const { client } = current()
    if (!client.asked) return { names: [] }
    try {
      const chain = chainOf(socket)
      if (chain.length === 0) {
        if (!client.required || isOwn(remoteAddressOf({ socket }), localAddressOf({ socket }))) return { names: [] }
        const alert = socket.getProtocol() === 'TLSv1.3' ? 'certificateRequired' : 'handshakeFailure'
        return { alert, detail: 'it showed no certificate' }
      }
      const verdict = source.validateClient(chain)
      return verdict.valid ? { names: verdict.commonNames } : { alert: verdict.why, detail: verdict.detail }
    } catch (error) {
      log.error({ error }, 'a client certificate could not be judged')
      return { alert: 'badCertificate', detail: 'it could not be judged' }
    }
  }

  /**
   * Node ignores what OpenSSL says of a client's certificate until the handshake is over, and then just closes. The key log, which
   * OpenSSL writes in the middle of the handshake, is the moment at which the certificate is known and the proper alert can still
   * be sent: in TLS 1.3 when the client has finished and nothing has been sent with the application keys, before that when the
   * client's keys have come and nothing is encrypted yet. Nothing of it is kept.
   */
  function watcherOf(rawOf: (socket: Socket) => Socket | undefined) {
    const secrets = new WeakMap<TLSSocket, Buffer>()
    return (line: Buffer, socket: TLSSocket): void => {
      const [label, , secret = ''] = line.toString('latin1').trim().split(' ')
      if (label === 'SERVER_TRAFFIC_SECRET_0') secrets.set(socket, Buffer.from(secret, 'hex'))
      if (label !== 'CLIENT_TRAFFIC_SECRET_0' && label !== 'CLIENT_RANDOM') return
      const serverSecret = secrets.get(socket)
      secrets.delete(socket)
      const verdict = judge(socket)
      if (!('alert' in verdict)) return
      const record =
        label === 'CLIENT_RANDOM'
          ? plainAlert(verdict.alert, socket.getProtocol() ?? '')
          : serverSecret && encryptedAlert(verdict.alert, socket.getCipher().standardName, serverSecret)
      if (record) rawOf(socket)?.write(record)
    }
  }

  return {
    /** For a server that is about to be made. Throws where there is no certificate to show. */
    options: (): ServerOptions => ({
      ...current().options,
      requestCert: current().client.asked,
      // The policies of the device decide, by its own clock; see `judge`.
      rejectUnauthorized: false,
      SNICallback: (hostName, done) => done(null, current().find(hostName)),
      handshakeTimeout: bounds.headersTimeoutMs,
    }),

    /** `rawOf` gives the TCP connection below. */
    attend(server: Server, rawOf: (socket: Socket) => Socket | undefined): void {
      attended.set(server, watcherOf(rawOf))
      renew(server)
      server.on('tlsClientError', (error, socket) => {
        log.debug({ from: remoteAddressOf({ socket }), reason: 'code' in error ? error.code : undefined }, 'a TLS handshake failed')
      })
      // Before that of HTTP, which reads requests from then on.
      server.prependListener('secureConnection', socket => {
        const verdict = judge(socket)
        if (!('alert' in verdict)) {
          if (verdict.names.length > 0) rememberCertificate(socket, verdict.names)
          return
        }
        refused.add(socket)
        log.info({ from: remoteAddressOf({ socket }), alert: verdict.alert, reason: verdict.detail }, 'a client certificate was refused')
        // Closed at once, with the client's request unread, the connection would be reset, and the alert with it.
        const raw = rawOf(socket)
        setTimeout(() => (raw ?? socket).destroy(), bounds.alertLingerMs).unref()
      })
      server.once('close', () => attended.delete(server))
    },

    /** Whether an assigned certificate is for this name or address; in lower case, as a URL spells it. */
    isNamed: (hostName: string): boolean => contexts?.isNamed(hostName) === true,

    /** Nothing that comes from there is answered. */
    isRefused: (socket: Socket): boolean => refused.has(socket),

    close(): void {
      stopWatching()
    },
  }
}

/** The client's certificates as far as they lead, its own first. */
function chainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = []
  const own = socket.getPeerCertificate(true)
  if (!own || own.raw === undefined) return chain
  for (let each: typeof own | undefined = own; each !== undefined; ) {
    const { raw } = each
    if (chain.some(seen => Buffer.compare(seen, raw) === 0)) break
    chain.push(raw)
    each = each.issuerCertificate
  }
  return chain
}
