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

  const isPackage = isMultipart(request)
  const bytesMax = isPackage ? bounds.packageBytesMax : bounds.requestBytesMax
  if (isPackage) {
    packages += 1
    response.once('close', () => {
      packages -= 1
    })
  }
  let message: Buffer = nothing
  let bytes = 0
  let deadline = 0
  const stop = (status: number, text: string) => {
    request.off('data', onData).off('end', onEnd)
    message = nothing
    replyText(door, request, response, status, text)
  }
  const onData = (piece: Buffer) => {
    const end = bytes + piece.length
    if (end > bytesMax) {
      stop(413, 'the message is too large')
      return
    }
    // Most messages come in one piece, which is taken as it is.
    if (bytes === 0) message = piece
    else {
      // Silence ends the connection; the clock is for the client that sends a byte now and then.
      const now = performance.now()
      deadline ||= now + bounds.requestTimeoutMs
      if (now > deadline) {
        stop(408, 'the message took too long')
        return
      }
      if (end > message.length) message = grown(message, bytes, Math.min(2 * end, bytesMax))
      piece.copy(message, bytes)
    }
    bytes = end
  }
  const onEnd = () => void deliver(door, request, response, bytes === message.length ? message : message.subarray(0, bytes))
  request.on('data', onData).on('end', onEnd)
}

/** MTOM messages in memory now, in the whole process: anybody can send one, and they are larger than others. */
let packages = 0

const isMultipart = (request: IncomingMessage): boolean => mediaTypeOf(request) === 'multipart/related'

const nothing = Buffer.alloc(0)

/** Pieces are copied together as they come: a client that sends single bytes must not cost an object for each of them. */
function grown(message: Buffer, bytes: number, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(size)
  message.copy(larger, 0, 0, bytes)
  return larger
}

async function deliver(door: SoapDoor, request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
  try {
    const answer = await door.handle({
      body,
      origin: originOf(request),
      remoteAddress: remoteAddressOf(request),
      target: request.url ?? '',
      contentType: request.headers['content-type'],
      authorization: request.headers.authorization,
    })
    if (answer.afterReply) afterReply(response, door.log, answer.afterReply)
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
  const isPackage = isMultipart(request)
  if (Number(headers['content-length'] ?? 0) > (isPackage ? bounds.packageBytesMax : bounds.requestBytesMax))
    return [413, 'the message is too large']
  if (isEncoded(headers)) return [415, 'content codings are not taken']
  if (!isPackage && mediaTypeOf(request).startsWith('multipart/')) return [415, 'of multipart messages, only multipart/related is taken']
  if (isPackage && packages >= bounds.packagesMax) return [503, 'too many messages with attachments at a time']
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
