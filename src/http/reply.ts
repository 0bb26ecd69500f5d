import type { IncomingMessage, ServerResponse } from 'node:http'
import type { limits } from '../limits.ts'
import type { Log } from '../platform/platform.ts'
import { hasBody, type IsOwnName } from './request.ts'

/** The numbers of limits.ts, which a test may shorten. */
export type Bounds = { readonly [Name in keyof typeof limits]: number }

/** What every answer of this room depends on. */
export interface Terms {
  readonly bounds: Bounds
  /** Aborted when the device stops. */
  readonly stopping: AbortSignal
  /** See `originOf`. */
  readonly isOwnName: IsOwnName
}

/** Sent with everything: whatever a browser is led to here, it shows no more than it is, in no frame, and tells nobody. */
export const browserHeaders = [
  'X-Content-Type-Options',
  'nosniff',
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options',
  'DENY',
  'Referrer-Policy',
  'no-referrer',
  'Cross-Origin-Resource-Policy',
  'same-origin',
] as const

/** Sent with everything that is not a SOAP message: nothing here is to be kept. */
export const plainHeaders = [...browserHeaders, 'Cache-Control', 'no-store'] as const

type Answer<Content> = [
  terms: Terms,
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  content: Content,
  headers?: readonly string[],
]

/** Answers with a line of text; `headers` are names and values in turn. */
export function replyText(...[terms, request, response, status, text, headers]: Answer<string>): void {
  reply(terms, request, response, status, `${text}\n`, ['Content-Type', 'text/plain; charset=utf-8', ...(headers ?? [])])
}

/** Answers a program. */
export function replyJson(...[terms, request, response, status, value, headers]: Answer<object>): void {
  reply(terms, request, response, status, `${JSON.stringify(value)}\n`, ['Content-Type', 'application/json', ...(headers ?? [])])
}

/**
 * Where the client is still sending, the answer goes out at once with `Connection: close`, and the rest of the body is read and
 * forgotten within bounds before the connection ends.
 */
function reply(...[terms, request, response, status, content, headers = []]: Answer<string>): void {
  if (response.destroyed || response.headersSent) return
  const body = Buffer.from(content)
  const unread = hasBody(request) && !request.complete
  if (unread || terms.stopping.aborted) response.shouldKeepAlive = false
  response.writeHead(status, ['Content-Length', String(body.length), ...plainHeaders, ...headers])
  if (!unread) {
    response.end(body)
    return
  }
  response.write(body)
  linger(terms, request, () => response.end())
}

/** Runs what an operation or an upload left for after its answer, once, when the answer is out or the client is gone. */
export function afterReply(response: ServerResponse, log: Log, effect: () => Promise<void>): void {
  const run = () => {
    effect().catch((error: unknown) => log.error({ error }, 'what was to follow an answer failed'))
  }
  if (response.closed) run()
  else response.on('close', run)
}

/**
 * RFC 9112 9.6: a connection that is closed with unread bytes in it is reset, and a reset takes the answer with it. Clients that
 * send the whole body before they look (ODM does, twice with Digest) would never see a 401, so the body is taken to its end.
 */
export function linger({ bounds, stopping }: Terms, request: IncomingMessage, done: () => void): void {
  // What has been written of the answer leaves first.
  const giveUp = () => {
    request.off('data', onData).pause()
    request.socket.destroySoon()
  }
  stopping.addEventListener('abort', giveUp)
  const silence = setTimeout(giveUp, bounds.lingerIdleTimeoutMs)
  const patience = setTimeout(giveUp, bounds.lingerTotalTimeoutMs)
  const began = performance.now()
  let bytes = 0
  const onData = (piece: Buffer) => {
    bytes += piece.length
    const seconds = (performance.now() - began - bounds.lingerIdleTimeoutMs) / 1000
    if (bytes > bounds.lingerBytesMax || bytes < seconds * bounds.lingerBytesPerSecondMin) giveUp()
    else silence.refresh()
  }
  request.on('data', onData)
  request.once('close', () => {
    clearTimeout(silence)
    clearTimeout(patience)
    stopping.removeEventListener('abort', giveUp)
    done()
  })
  request.resume()
}
