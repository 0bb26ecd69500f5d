import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../platform/platform.ts'
import type { SoapAnswer, SoapRequest } from '../soap/message.ts'
import { afterReply, type Bounds, replyText, type Terms } from './reply.ts'
import { expectsContinue, mediaTypeOf, originOf, remoteAddressOf } from './request.ts'

export interface SoapDoor extends Terms {
  readonly handle: (request: SoapRequest) => Promise<SoapAnswer>
  readonly log: Log
}

/** One SOAP POST from the socket to the service and back, with nothing in between: this is the path that is measured. */
export function answerSoap(door: SoapDoor, request: IncomingMessage, response: ServerResponse): void {
  const { bounds } = door
  const refusal = refused(request, bounds)
  if (refusal) {
    replyText(door, request, response, ...refusal)
    return
  }
  if (expectsContinue(request)) response.writeContinue()

  const pieces: Buffer[] = []
  let bytes = 0
  let deadline = Number.POSITIVE_INFINITY
  const stop = (status: number, text: string) => {
    request.off('data', onData).off('end', onEnd)
    pieces.length = 0
    replyText(door, request, response, status, text)
  }
  const onData = (piece: Buffer) => {
    bytes += piece.length
    if (bytes > bounds.requestBytesMax) stop(413, 'the message is too large')
    else if (pieces.push(piece) > 1) {
      // Silence ends the connection; this is for the client that sends a byte now and then. Most messages come in one piece.
      const now = performance.now()
      if (pieces.length === 2) deadline = now + bounds.requestTimeoutMs
      if (now > deadline) stop(408, 'the message took too long')
    }
  }
  const onEnd = () => void deliver(door, request, response, pieces)
  request.on('data', onData).on('end', onEnd)
}

async function deliver(door: SoapDoor, request: IncomingMessage, response: ServerResponse, pieces: readonly Buffer[]): Promise<void> {
  const [first] = pieces
  try {
    const answer = await door.handle({
      body: first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces),
      origin: originOf(request),
      remoteAddress: remoteAddressOf(request),
      target: request.url ?? '',
      authorization: request.headers.authorization,
    })
    afterReply(response, door.log, answer.afterReply)
    if (response.destroyed) return
    if (door.stopping.aborted) response.shouldKeepAlive = false
    response.writeHead(answer.status, flat(answer.headers))
    response.end(answer.body)
  } catch (error) {
    // The service answers its errors itself, so this is a bug in one of the two.
    door.log.error({ error }, 'a SOAP request found no answer')
    replyText(door, request, response, 500, 'the device could not answer')
  }
}

/** What can be told before the body is read, Core 5.8.2.4. The type of a message is its envelope's business, not this header's. */
function refused(request: IncomingMessage, bounds: Bounds): [status: number, text: string] | undefined {
  const { headers } = request
  if (Number(headers['content-length'] ?? 0) > bounds.requestBytesMax) return [413, 'the message is too large']
  if (isEncoded(headers)) return [415, 'content codings are not taken']
  if (mediaTypeOf(request).startsWith('multipart/')) return [415, 'multipart messages are not taken']
  return undefined
}

function isEncoded({ 'content-encoding': coding }: IncomingHttpHeaders): boolean {
  return coding !== undefined && coding.trim() !== '' && coding.trim().toLowerCase() !== 'identity'
}

/** As Node writes them fastest, and spelled as the clients expect them that look for `Content-Length: ` to the letter. */
function flat(headers: SoapAnswer['headers']): string[] {
  const lines: string[] = []
  for (const name in headers) {
    const value = headers[name]
    const spelled = spelling[name] ?? name
    if (typeof value === 'string') lines.push(spelled, value)
    else for (const one of value ?? []) lines.push(spelled, one)
  }
  return lines
}

const spelling: Readonly<Record<string, string>> = {
  'content-type': 'Content-Type',
  'content-length': 'Content-Length',
  'www-authenticate': 'WWW-Authenticate',
}
