import { once } from 'node:events'
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { limits } from '../limits.ts'
import { ClientError } from './errors.ts'

/** Connections to devices: kept open between calls, and for `https:` with what counts as a good certificate. */
export interface Connections {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

export interface TlsOptions {
  /** Take any certificate. The connection is then encrypted, but nobody knows to whom. */
  readonly insecure?: boolean | undefined
  /** PEM text of the CAs to trust instead of the well-known ones. */
  readonly ca?: string | undefined
}

export function openConnections({ insecure = false, ca }: TlsOptions, keepAlive = true): Connections {
  return {
    http: new HttpAgent({ keepAlive }),
    https: new HttpsAgent({ keepAlive, rejectUnauthorized: !insecure, ...(ca !== undefined && { ca }) }),
  }
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case, one entry per header line. */
  readonly headers: NodeJS.Dict<string[]>
  readonly body: Buffer
}

export interface HttpQuestion {
  readonly url: URL
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | undefined
  readonly connections: Connections
  /** From connecting to the last byte of the answer. */
  readonly timeoutMs: number
  readonly answerBytesMax: number
  readonly signal?: AbortSignal | undefined
}

/** One HTTP request and its answer, bounded in time and size. Redirects are answers. Throws ClientError. */
export async function exchange(question: HttpQuestion): Promise<HttpAnswer> {
  const { url, body, timeoutMs, answerBytesMax, signal } = question
  const deadline = AbortSignal.timeout(Math.ceil(timeoutMs))
  const request = startRequest(question, signal ? AbortSignal.any([signal, deadline]) : deadline)
  try {
    const response = new Promise<IncomingMessage>((resolve, reject) => request.once('response', resolve).once('error', reject))
    await Promise.race([connected(request, url), response])
    request.end(body)
    return await readAnswer(await response, answerBytesMax)
  } catch (error) {
    if (deadline.aborted) throw new ClientError('timeout', `${url.host} did not answer within ${timeoutMs / 1000} s`, { cause: error })
    throw asClientError(error, url, request.reusedSocket)
  }
}

/** Opens the request without sending its body. */
export function startRequest(
  { url, method, headers, connections }: Omit<HttpQuestion, 'timeoutMs' | 'answerBytesMax'>,
  signal?: AbortSignal,
): ClientRequest {
  const options = { method, headers: { ...headers }, ...(signal && { signal }) }
  return url.protocol === 'https:'
    ? httpsRequest(url, { ...options, agent: connections.https })
    : httpRequest(url, { ...options, agent: connections.http })
}

/** Waits for the connection, within a bound of its own: an address that swallows packets is the wrong one. */
export async function connected(request: ClientRequest, url: URL): Promise<void> {
  const timer = setTimeout(
    () =>
      request.destroy(
        new ClientError('unreachable', `${url.host} did not take the connection within ${limits.clientConnectTimeoutMs / 1000} s`),
      ),
    limits.clientConnectTimeoutMs,
  )
  try {
    const socket = await new Promise<Socket>((resolve, reject) => request.once('socket', resolve).once('error', reject))
    if (socket.connecting) await once(socket, url.protocol === 'https:' ? 'secureConnect' : 'connect')
  } finally {
    clearTimeout(timer)
  }
}

/** Reads an answer to its end. Throws ClientError where it is too large, Node's error where it breaks off. */
export async function readAnswer(response: IncomingMessage, answerBytesMax: number): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new Error('an encoding was set on the response')
    bytes += chunk.length
    if (bytes > answerBytesMax) {
      response.destroy()
      throw new ClientError('answer', `the answer is larger than ${answerBytesMax} bytes`)
    }
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, headers: response.headersDistinct, body: Buffer.concat(chunks) }
}

/** What Node says of a broken connection, in words for a person. `reused`: the connection had served before. */
export function asClientError(error: unknown, url: URL, reused = false): unknown {
  if (!(error instanceof Error) || error instanceof ClientError || error.name === 'AbortError') return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const wrapped = (kind: ConstructorParameters<typeof ClientError>[0], message: string) => new ClientError(kind, message, { cause: error })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return wrapped('unreachable', `no host is called ${url.hostname}`)
  if (code === 'ECONNREFUSED') return wrapped('unreachable', `nothing listens at ${url.host}`)
  if (/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ETIMEDOUT|EADDRNOTAVAIL|EINVAL)$/.test(code))
    return wrapped('unreachable', `${url.host} cannot be reached (${code})`)
  if (/CERT|SIGNATURE|ALTNAME|ISSUER|SELF_SIGNED/.test(code))
    return wrapped('untrusted', `the certificate of ${url.host} is not trusted (${code})`)
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return wrapped('untrusted', `${url.host} does not speak TLS as we do (${code})`)
  if (code.startsWith('HPE_')) return wrapped('answer', `${url.host} does not answer in HTTP (${code})`)
  if (!/^(ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_PREMATURE_CLOSE|ERR_STREAM_DESTROYED)$/.test(code)) return error
  const when = reused ? 'between two calls' : 'before the answer was complete'
  return wrapped('closed', `${url.host} closed the connection ${when}`)
}
