import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { limits } from '../limits.ts'

/** RFC 3986 3.2.2 and 3.2.3 without what no device is reached by: a name or IPv4 address, or an IPv6 literal, and a port. */
const hostAndPort = /^(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/

/** Parsing a URL costs more than the rest of a request's journey through this room, and clients ask with few hosts. */
const origins = new Map<string, URL>()

/** Whether clients may call the device by this name; in lower case, as a URL spells it. */
export type IsOwnName = (hostName: string) => boolean

/**
 * Scheme, host and port that addresses in answers begin with. The client's own words count where they are a name that the device
 * has, with any port, because a port that is forwarded is not known here. The authority of an absolute-form target wins over the Host
 * header (RFC 9112 3.2.2). Everything else, another's name or any IP address, gives what the connection came in on: nobody makes the
 * device send clients elsewhere.
 */
export function originOf(request: IncomingMessage, isOwnName: IsOwnName): URL {
  const scheme = isSecure(request) ? 'https' : 'http'
  const named = originFrom(scheme, authorityOf(request))
  if (named && isOwnName(named.hostname)) return named
  return originFrom(scheme, localHost(request.socket)) ?? new URL(`${scheme}://localhost`)
}

/**
 * Whether a browser sends this for a page that is not the device's own, with a log-in that it remembers. It says so itself (Fetch
 * 3.2, Fetch Metadata 2): in Origin with every method but GET and HEAD, in Sec-Fetch-Site with every request. A page whose name was
 * made to lead here (DNS rebinding) calls itself by that name. Programs send neither.
 */
export function isCrossSite({ headers }: IncomingMessage, own: () => string): boolean {
  const { origin, 'sec-fetch-site': site } = headers
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  return origin !== undefined && origin !== own()
}

/** Whether the request came by TLS to this device. What a proxy says about it is hearsay. */
export function isSecure({ socket }: Pick<IncomingMessage, 'socket'>): boolean {
  return 'encrypted' in socket && socket.encrypted === true
}

/** The common names of the certificate that a connection's client has proved to be his. */
const certificateNames = new WeakMap<Socket, readonly string[]>()

export function rememberCertificate(socket: Socket, commonNames: readonly string[]): void {
  certificateNames.set(socket, commonNames)
}

/** Undefined where the client showed no certificate. */
export function certificateNamesOf({ socket }: Pick<IncomingMessage, 'socket'>): readonly string[] | undefined {
  return certificateNames.get(socket)
}

/** The path of a request target in origin-form or absolute-form, as sent; empty for any other form. */
export function pathOf(target: string): string {
  if (!target.startsWith('/')) return isAbsolute(target) ? new URL(target).pathname : ''
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

/** The target in origin-form, which is all that a router understands; undefined where it has no such form. */
export function originForm(target: string): string | undefined {
  if (target.startsWith('/')) return target
  if (!isAbsolute(target)) return undefined
  const { pathname, search } = new URL(target)
  return pathname + search
}

/** The address of the client; an IPv4 address is written as one also where the listener is IPv6. */
export function remoteAddressOf({ socket }: Pick<IncomingMessage, 'socket'>): string {
  return plainAddress(socket.remoteAddress)
}

/** The address of the device that the client connected to, written in the same way. */
export function localAddressOf({ socket }: Pick<IncomingMessage, 'socket'>): string {
  return plainAddress(socket.localAddress)
}

/** Whether a body follows the head, RFC 9112 6.3. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** RFC 9110 10.1.1: an expectation in an HTTP/1.0 request is ignored. Node has refused every other expectation before. */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === '1.1'
}

/** `multipart/form-data; boundary=x` → `multipart/form-data`. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  const type = headers['content-type'] ?? ''
  const parameters = type.indexOf(';')
  return (parameters < 0 ? type : type.slice(0, parameters)).trim().toLowerCase()
}

/** What makes the rest of a request ambiguous although Node's parser let it pass: the status to refuse it with. */
export function misframed({ headers, rawHeaders }: IncomingMessage): 400 | 501 | undefined {
  // RFC 9112 6.1: a coding that we do not undo. Chunked alone is undone by Node.
  const coding = headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return 501
  // RFC 9112 3.2: more than one Host. Node keeps the first in silence.
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1 ? 400 : undefined
}

function isAbsolute(target: string): boolean {
  return /^https?:\/\//i.test(target) && URL.canParse(target)
}

function authorityOf({ url = '', headers }: IncomingMessage): string {
  return url.startsWith('/') || !isAbsolute(url) ? (headers.host ?? '') : new URL(url).host
}

function originFrom(scheme: 'http' | 'https', authority: string): URL | undefined {
  const name = scheme === 'http' ? authority : `https://${authority}`
  const known = origins.get(name)
  if (known) return known
  if (authority.length > limits.hostCharactersMax || !hostAndPort.test(authority)) return undefined
  const origin = URL.parse(`${scheme}://${authority}`)
  if (origin === null || origin.port === '0') return undefined
  if (origins.size >= limits.originsRememberedMax) origins.clear()
  origins.set(name, origin)
  return origin
}

function localHost({ localAddress, localPort }: Socket): string {
  const address = plainAddress(localAddress)
  return `${address.includes(':') ? `[${address}]` : address}:${localPort}`
}

/** `::ffff:192.0.2.1` → `192.0.2.1`, `fe80::1%eth0` → `fe80::1`; empty once the socket is gone. */
function plainAddress(address = ''): string {
  const unmapped = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  const zone = unmapped.indexOf('%')
  return zone < 0 ? unmapped : unmapped.slice(0, zone)
}
