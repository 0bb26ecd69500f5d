import { limits } from '../limits.ts'
import type { XmlElement } from '../soap/xml.ts'
import { createDigestLogin, type DigestLogin } from './digest.ts'
import { ClientError, isLoginRefused } from './errors.ts'
import { exchange, type HttpAnswer, openConnections, type TlsOptions } from './exchange.ts'
import { child, readMessage, text, writeMessage } from './message.ts'
import { securityHeader } from './usernameToken.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** How to log in: `digest` is HTTP's, `token` is WS-UsernameToken; `auto` takes what the device asks for. Basic is never used. */
export type LoginKind = 'auto' | 'digest' | 'token'

export interface SessionOptions extends TlsOptions {
  readonly credentials?: Credentials | undefined
  readonly login?: LoginKind | undefined
  /** For one call, where each of the messages that the log-in takes has this long. */
  readonly timeoutMs?: number | undefined
  readonly answerBytesMax?: number | undefined
}

/** One operation to be called: everything of it but the log-in. */
export interface Message {
  readonly url: URL
  readonly operation: string
  readonly action: string
  /** Whether the device has to answer without log-in (Core 5.9.4.3), so that none is offered until it insists. */
  readonly preAuth: boolean
  /** The whole message around the given Security header block, which may be ''. */
  readonly write: (security: string) => string
  /** How long the device may wait by what the message says, on top of the time that an answer takes. */
  readonly waitMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface MessageAnswer {
  /** The element in the Body. */
  readonly content: XmlElement
  readonly http: HttpAnswer
}

/** What is not a GET, and may take another time than usual. */
export interface FetchQuestion {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  readonly timeoutMs?: number | undefined
}

export interface Session {
  /** What counts as a good certificate, for connections that are opened beside those of the session. */
  readonly tls: TlsOptions
  /** Calls an operation and logs in as far as the device asks for it. Throws OnvifFault and ClientError. */
  send(message: Message, timeoutMs?: number): Promise<MessageAnswer>
  /** One request that is no SOAP message, a GET by default, with Digest where the device, and nobody else, asks for it. */
  fetch(url: URL, question?: FetchQuestion): Promise<HttpAnswer>
  /** The Digest state for requests to this address, undefined without credentials. One nonce serves a whole host. */
  digestAt(url: URL): DigestLogin | undefined
  close(): void
}

/** What one client knows of its device: open connections, how it wants the log-in, its nonces, its clock. */
export function createSession(service: URL, options: SessionOptions): Session {
  const { credentials, login: kind = 'auto', timeoutMs = limits.clientTimeoutMs, answerBytesMax = limits.clientAnswerBytesMax } = options
  const connections = openConnections(options)
  const digests = new Map<string, DigestLogin>()
  /** Which log-in the device is known to take. */
  let known: 'digest' | 'token' | undefined = kind === 'token' ? 'token' : undefined
  let clockOffsetMs: Promise<number> | undefined
  let tokenAccepted = false

  function digestAt(url: URL): DigestLogin | undefined {
    if (!credentials) return undefined
    const digest = digests.get(url.host) ?? createDigestLogin(credentials.user, credentials.password)
    digests.set(url.host, digest)
    return digest
  }

  /** One message there and back. What only asks may be asked again when a kept connection turns out to be dead. */
  async function deliver(message: Message, security: string, authorization: string | undefined, deadlineMs: number): Promise<HttpAnswer> {
    const question = {
      url: message.url,
      method: 'POST',
      headers: {
        'content-type': `application/soap+xml; charset=utf-8; action="${message.action}"`,
        accept: 'application/soap+xml',
        ...(authorization !== undefined && { authorization }),
      },
      body: Buffer.from(message.write(security)),
      connections,
      timeoutMs: deadlineMs + (message.waitMs ?? 0),
      answerBytesMax,
      signal: message.signal,
    } as const
    try {
      return await exchange(question)
    } catch (error) {
      if (!(error instanceof ClientError && error.kind === 'closed' && message.operation.startsWith('Get'))) throw error
      return exchange(question)
    }
  }

  async function send(message: Message, deadlineMs = timeoutMs): Promise<MessageAnswer> {
    let login = message.preAuth ? undefined : known
    for (let attempt = 1; ; attempt++) {
      const security = login === 'token' && credentials ? securityHeader(credentials.user, credentials.password, await deviceTime()) : ''
      const digest = kind === 'token' ? undefined : digestAt(message.url)
      const authorization = login === 'digest' ? digest?.authorization('POST', targetOf(message.url)) : undefined
      const http = await deliver(message, security, authorization, deadlineMs)
      digest?.answered(http.headers['authentication-info'] ?? [])
      try {
        const content = readMessage(http, message.url)
        if (login === 'token') tokenAccepted = true
        if (login) known = login
        return { content, http }
      } catch (error) {
        login = isLoginRefused(error) && attempt < limits.clientLoginAttemptsMax ? nextLogin(login, http, digest) : undefined
        if (!login) throw error
      }
    }
  }

  /** What to try after a refusal; undefined where nothing is left. */
  function nextLogin(
    tried: 'digest' | 'token' | undefined,
    http: HttpAnswer,
    digest: DigestLogin | undefined,
  ): 'digest' | 'token' | undefined {
    if (!credentials) return undefined
    const verdict = http.status === 401 ? (digest?.challenged(http.headers['www-authenticate'] ?? []) ?? 'unsupported') : 'unsupported'
    if (verdict === 'retry') return 'digest'
    if (verdict === 'refused' || kind === 'digest') return undefined
    if (tried !== 'token') return 'token'
    // The device's clock may have jumped, as it does over a reboot, since it took the last token.
    const again = tokenAccepted
    tokenAccepted = false
    clockOffsetMs = undefined
    return again ? 'token' : undefined
  }

  async function deviceTime(): Promise<Date> {
    clockOffsetMs ??= measureClock()
    return new Date(Date.now() + (await clockOffsetMs))
  }

  /** Device time minus ours; 0 where the device does not say. Its own message, because a log-in would ask for the time in turn. */
  async function measureClock(): Promise<number> {
    try {
      const asked = Date.now()
      const content = readMessage(await deliver(clockQuestion(service), '', undefined, timeoutMs), service)
      const time = readUtc(content)
      return time ? time.getTime() - (asked + Date.now()) / 2 : 0
    } catch {
      return 0
    }
  }

  async function fetch(url: URL, { method = 'GET', headers, body, timeoutMs: ownMs = timeoutMs }: FetchQuestion = {}): Promise<HttpAnswer> {
    const digest = url.hostname === service.hostname ? digestAt(url) : undefined
    for (let attempt = 1; ; attempt++) {
      const authorization = digest?.authorization(method, targetOf(url))
      const all = { ...headers, ...(authorization !== undefined && { authorization }) }
      const question = { url, method, headers: all, body, connections, timeoutMs: ownMs, answerBytesMax }
      const answer = await exchange(question).catch(error => {
        // A kept connection may be dead by now; what only asks may be asked again.
        if (!(error instanceof ClientError && error.kind === 'closed' && method === 'GET')) throw error
        return exchange(question)
      })
      if (
        answer.status !== 401 ||
        attempt === limits.clientLoginAttemptsMax ||
        digest?.challenged(answer.headers['www-authenticate'] ?? []) !== 'retry'
      )
        return answer
    }
  }

  return {
    tls: options,
    send,
    fetch,
    digestAt,
    close() {
      connections.http.destroy()
      connections.https.destroy()
    },
  }
}

/** The request target as it goes over the wire, which Digest covers. */
export function targetOf(url: URL): string {
  return `${url.pathname}${url.search}`
}

const DEVICE = 'http://www.onvif.org/ver10/device/wsdl'

function clockQuestion(url: URL): Message {
  const write = (security: string) => writeMessage('<tds:GetSystemDateAndTime/>', security, { tds: DEVICE })
  return { url, operation: 'GetSystemDateAndTime', action: `${DEVICE}/GetSystemDateAndTime`, preAuth: true, write }
}

/** UTC from a GetSystemDateAndTimeResponse (Core 8.3.6), whatever else is in it. */
export function readUtc(content: XmlElement): Date | undefined {
  const utc = child(child(content, 'SystemDateAndTime') ?? content, 'UTCDateTime')
  const [date, time] = [utc && child(utc, 'Date'), utc && child(utc, 'Time')]
  const fields = [
    text(date, 'Year'),
    text(date, 'Month'),
    text(date, 'Day'),
    text(time, 'Hour'),
    text(time, 'Minute'),
    text(time, 'Second'),
  ]
  if (!fields.every(field => /^\d{1,4}$/.test(field))) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.map(Number)
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second))
}
