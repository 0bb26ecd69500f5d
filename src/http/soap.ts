import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Log } from '../platform/platform.ts'
import { Gathered } from '../soap/gathered.ts'
import type { SoapAnswer, SoapRequest } from '../soap/message.ts'
import { Arrival } from './arrival.ts'
import type { Bodies, Room } from './bodies.ts'
import { hold, release } from './held.ts'
import { afterReply, type Bounds, browserHeaders, linger, replyText, type Terms } from './reply.ts'
import { certificateNamesOf, expectsContinue, mediaTypeOf, originOf, remoteAddressOf } from './request.ts'

export interface SoapDoor extends Terms {
  readonly handle: (request: SoapRequest) => Promise<SoapAnswer>
  readonly log: Log
  readonly bodies: Bodies
}

/** One SOAP POST from the socket to the service and back, with nothing in between: this is the path that is measured. */
export function answerSoap(door: SoapDoor, request: IncomingMessage, response: ServerResponse): void {
  const { bounds } = door
  const refusal = refused(request, bounds)
  if (refusal) {
    const [status, text] = refusal
    replyText(door, request, response, status, text, retryAfter(status, bounds))
    return
  }
  if (expectsContinue(request)) response.writeContinue()

  const bytesMax = isMultipart(request) ? bounds.packageBytesMax : bounds.requestBytesMax
  const leave = isMultipart(request) ? count(response) : () => {}
  let room: Room | undefined
  const message = new Gathered()
  let deadline: NodeJS.Timeout | undefined
  const enter = (): Room => {
    const entered = door.bodies.enter(request.socket)
    response.once('close', entered.leave)
    return entered
  }
  const arrive = () => {
    room ??= enter()
    void deliver(door, request, response, new Arrival(door, request, message.bytes(), bytesMax, room, leave))
  }
  if (lengthOf(request) > bounds.requestBytesMax) {
    arrive()
    return
  }
  const stopReading = () => {
    clearTimeout(deadline)
    return request.off('data', onData).off('end', onEnd)
  }
  const refuse = (status: 408 | 503, text: string) => {
    stopReading()
    room?.leave()
    replyText(door, request, response, status, text, retryAfter(status, bounds))
  }
  const onData = (piece: Buffer) => {
    // Most messages are here with their first piece, and have neither clock nor room of their own.
    if (message.length === 0 && piece.length !== lengthOf(request)) {
      // Silence ends the connection; the clock is for the client that sends a byte now and then.
      deadline = setTimeout(refuse, bounds.requestTimeoutMs, 408, 'the message took too long')
      room = enter()
      response.once('close', stopReading)
    }
    message.add(piece)
    if (room?.fits(message.allocated) === false) {
      refuse(503, 'too many large messages at a time')
      return
    }
    if (message.length <= bounds.requestBytesMax) return
    stopReading().pause()
    arrive()
  }
  const onEnd = () => {
    stopReading()
    void deliver(door, request, response, message.bytes())
  }
  request.on('data', onData).on('end', onEnd)
}

/** MTOM messages in memory now, in the whole process: anybody can send one, and they are larger than others. */
let packages = 0

const isMultipart = (request: IncomingMessage): boolean => mediaTypeOf(request) === 'multipart/related'

/** Counts a message with attachments until its answer is out, or until its sender is known. */
function count(response: ServerResponse): () => void {
  packages += 1
  let isCounted = true
  const leave = () => {
    if (isCounted) packages -= 1
    isCounted = false
  }
  response.once('close', leave)
  return leave
}

const lengthOf = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0)

async function deliver(door: SoapDoor, request: IncomingMessage, response: ServerResponse, body: Buffer | Arrival): Promise<void> {
  const arrival = body instanceof Arrival ? body : undefined
  const question = new Question(door, request, response, body)
  try {
    const answer = await door.handle(question)
    question.end()
    arrival?.end()
    if (answer.afterReply) afterReply(response, door.log, answer.afterReply)
    const refusal = arrival?.refusal
    if (refusal) replyText(door, request, response, refusal.status, refusal.message, retryAfter(refusal.status, door.bounds))
    else send(door, request, response, answer)
  } catch (error) {
    question.end()
    arrival?.end()
    // The service answers its errors itself, so this is a bug in one of the two.
    door.log.error({ error }, 'a SOAP request found no answer')
    replyText(door, request, response, 500, 'the device could not answer')
  }
}

/** A class, because its getter costs nothing before somebody asks. */
class Question implements SoapRequest {
  readonly body: Buffer | Arrival
  readonly origin: URL
  readonly remoteAddress: string
  readonly target: string
  readonly contentType: string | undefined
  readonly authorization: string | undefined
  readonly certificateNames: readonly string[] | undefined
  readonly #socket: Socket
  readonly #response: ServerResponse
  readonly #bounds: Bounds
  #held: AbortSignal | undefined
  #isOver = false

  constructor({ bounds, isOwnName }: SoapDoor, request: IncomingMessage, response: ServerResponse, body: Buffer | Arrival) {
    this.body = body
    this.origin = originOf(request, isOwnName)
    this.remoteAddress = remoteAddressOf(request)
    this.target = request.url ?? ''
    this.contentType = request.headers['content-type']
    this.authorization = request.headers.authorization
    this.certificateNames = certificateNamesOf(request)
    this.#socket = request.socket
    this.#response = response
    this.#bounds = bounds
  }

  /** Whoever asks for it may hold the answer back. */
  get hungUp(): AbortSignal {
    this.#held ??= this.#isOver ? AbortSignal.abort() : hold(this.#socket, this.#response, this.#bounds)
    return this.#held
  }

  /** The answer is there. */
  end(): void {
    if (this.#held && !this.#isOver) release(this.#socket, this.#bounds)
    this.#isOver = true
  }
}

/** Where the client is still sending, the answer goes out at once, and the rest is read and forgotten as for any other answer. */
function send(door: SoapDoor, request: IncomingMessage, response: ServerResponse, { status, headers, body }: SoapAnswer): void {
  if (response.destroyed) return
  const isUnread = !request.complete
  if (isUnread || door.stopping.aborted) response.shouldKeepAlive = false
  response.writeHead(status, flat(headers))
  if (!isUnread) {
    response.end(body)
    return
  }
  response.write(body)
  linger(door, request, () => response.end())
}

/** What can be told before the body is read, Core 5.8.2.4. The type of a message is its envelope's business, not this header's. */
function refused(request: IncomingMessage, bounds: Bounds): [status: number, text: string] | undefined {
  const { headers } = request
  const isPackage = isMultipart(request)
  if (lengthOf(request) > bounds.arrivingBytesMax) return [413, 'the message is too large']
  if (isEncoded(headers)) return [415, 'content codings are not taken']
  if (!isPackage && mediaTypeOf(request).startsWith('multipart/')) return [415, 'of multipart messages, only multipart/related is taken']
  if (isPackage && packages >= bounds.packagesMax) return [503, 'too many messages with attachments at a time']
  return undefined
}

function isEncoded({ 'content-encoding': coding }: IncomingHttpHeaders): boolean {
  return coding !== undefined && coding.trim() !== '' && coding.trim().toLowerCase() !== 'identity'
}

/** For a 503: when to come again. */
const retryAfter = (status: number, { bodyRetryAfterSeconds }: Bounds): string[] =>
  status === 503 ? ['Retry-After', String(bodyRetryAfterSeconds)] : []

/** As Node writes them fastest, and spelled as the clients expect them that look for `Content-Length: ` to the letter. */
function flat(headers: SoapAnswer['headers']): string[] {
  const lines: string[] = [...browserHeaders]
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
