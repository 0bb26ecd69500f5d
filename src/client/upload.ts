import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { limits } from '../limits.ts'
import type { DigestLogin } from './digest.ts'
import { ClientError } from './errors.ts'
import { asClientError, type Connections, connected, type HttpAnswer, readAnswer, startRequest } from './exchange.ts'
import { targetOf } from './session.ts'

/** A file that can be read as often as needed, from any byte on. */
export interface UploadSource {
  readonly sizeBytes: number
  open(firstByte: number): AsyncIterable<Uint8Array>
}

export interface UploadOptions {
  /** Opened fresh for each try: a refused try leaves its connection with a body that nobody reads. */
  readonly connections: Connections
  readonly digest: DigestLogin | undefined
  /** Bytes of the file that have left for the device; it starts again at 0 when the device lets us begin again. */
  readonly onSent: (bytes: number) => void
  /** Where to go on, for a device that has what is before it; default 0. */
  readonly firstByte?: number | undefined
  readonly signal: AbortSignal | undefined
  /** How long to wait for `100 Continue`. */
  readonly continueTimeoutMs?: number | undefined
}

export interface UploadAnswer {
  /** Undefined where the connection broke after the last byte: some devices reboot without an answer. */
  readonly http: HttpAnswer | undefined
  /** Whether it was found to be away after that. */
  readonly wasAway?: boolean
}

/**
 * POSTs a file as raw bytes (Core 8.3.9). `Expect: 100-continue` asks first, so that a 401 or 413 costs no transfer. Throws
 * ClientError; kind `unreachable` means that not a byte has been sent.
 */
export async function upload(url: URL, source: UploadSource, options: UploadOptions): Promise<UploadAnswer> {
  const { digest } = options
  for (let attempt = 1; ; attempt++) {
    const answer = await uploadOnce(url, source, digest?.authorization('POST', targetOf(url)), options)
    if (answer.http?.status !== 401 || attempt === limits.clientLoginAttemptsMax) return answer
    if (digest?.challenged(answer.http.headers['www-authenticate'] ?? []) !== 'retry') return answer
  }
}

async function uploadOnce(
  url: URL,
  source: UploadSource,
  authorization: string | undefined,
  options: UploadOptions,
): Promise<UploadAnswer> {
  const { firstByte = 0 } = options
  const { sizeBytes } = source
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(sizeBytes - firstByte),
    // RFC 9110 14.4: all that is left.
    ...(firstByte > 0 && { 'content-range': `bytes ${firstByte}-${sizeBytes - 1}/${sizeBytes}` }),
    expect: '100-continue',
    ...(authorization !== undefined && { authorization }),
  }
  const request = startRequest({ url, method: 'POST', headers, connections: options.connections }, options.signal)
  const exchange = watch(request)
  let sent = false
  request.once('timeout', () => {
    const where = sent ? `${url.host} took the file, but has said nothing since` : 'the upload stands still: nothing is taken any more'
    request.destroy(new ClientError('timeout', where))
  })
  try {
    request.flushHeaders()
    await connected(request, url)
    if (await mayContinue(exchange, options.continueTimeoutMs ?? limits.clientContinueTimeoutMs)) {
      request.setTimeout(limits.uploadIdleTimeoutMs)
      sent = await sendBody(request, source, exchange, options)
      request.setTimeout(limits.clientInstallTimeoutMs)
    }
    return { http: await readAnswer(await exchange.response, limits.clientAnswerBytesMax) }
  } catch (error) {
    const failure = asClientError(error, url)
    if (sent && failure instanceof ClientError && failure.kind === 'closed') return { http: undefined }
    throw failure
  } finally {
    request.destroy()
  }
}

interface Exchange {
  readonly response: Promise<IncomingMessage>
  readonly continued: Promise<true>
  /** Whether the device has answered or the connection is gone: nobody reads the body any more. */
  readonly settled: () => boolean
}

function watch(request: ClientRequest): Exchange {
  let settled = false
  const continued = new Promise<true>(resolve => request.once('continue', () => resolve(true)))
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    // Errors may follow an answer that came before the body was read: the answer counts.
    request.on('error', reject)
  })
  const settle = () => {
    settled = true
  }
  response.then(settle, settle)
  return { response, continued, settled: () => settled }
}

/** Whether to send the body: on `100 Continue`, or when the device says nothing for a while, as those do that do not know of it. */
async function mayContinue({ response, continued }: Exchange, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<boolean>(resolve => {
    timer = setTimeout(resolve, timeoutMs, true)
  })
  try {
    return await Promise.race([continued, silence, response.then(() => false)])
  } finally {
    clearTimeout(timer)
  }
}

/** Sends the file, or what is left of it; false where the device answered before its end. */
async function sendBody(
  request: ClientRequest,
  source: UploadSource,
  { response, settled }: Exchange,
  { firstByte = 0, onSent }: UploadOptions,
): Promise<boolean> {
  let bytes = firstByte
  onSent(bytes)
  for await (const chunk of source.open(firstByte)) {
    if (settled()) return false
    bytes += chunk.length
    if (bytes > source.sizeBytes) throw new Error('the file has grown since the upload began')
    if (!request.write(chunk)) await Promise.race([once(request, 'drain'), response])
    onSent(bytes)
  }
  if (bytes < source.sizeBytes) throw new Error('the file has shrunk since the upload began')
  await Promise.race([new Promise<void>(resolve => request.end(resolve)), response])
  return true
}
