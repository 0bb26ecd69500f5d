import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import busboy from 'busboy'
import type { Authenticator } from '../auth/authenticate.ts'
import { UploadRefusal, type UploadRequest, type UploadTarget } from '../device/upload.ts'
import type { Logs } from '../platform/platform.ts'
import { occupy, vacate } from './held.ts'
import { Intake, type Source, wholeBody } from './intake.ts'
import { type AppRequest, logIn } from './login.ts'
import { afterReply, replyText, type Terms } from './reply.ts'
import { expectsContinue, mediaTypeOf, pathOf, remoteAddressOf } from './request.ts'

export interface UploadDoor extends Terms {
  /** What stands before the ticket, as the log names it. */
  readonly path: string
  readonly target: UploadTarget
  readonly authenticator: Authenticator
  readonly logs: Pick<Logs, 'system' | 'access'>
}

/** How an upload ends, as the client reads it: the reason is the first word of the answer's text. */
interface Outcome {
  readonly status: 200 | UploadRefusal['status']
  readonly reason: string
  readonly message: string
  readonly transaction: string | undefined
}

const ticketForm = /^\/([A-Za-z0-9_-]{1,64})$/

/**
 * One file by POST, and where it is to go on by HEAD; `request.url` is what follows the path. The order is the point: log in, be
 * admitted, only then ask for the body, pass it on, answer, and act when the answer is out.
 */
export async function answerUpload(door: UploadDoor, request: AppRequest, response: ServerResponse): Promise<void> {
  const { path, logs, target } = door
  if (request.method === 'HEAD' && target.offset) return answerOffset(door, request, response)
  if (request.method !== 'POST') {
    replyText(door, request, response, 405, 'POST the file', ['Allow', target.offset ? 'HEAD, POST' : 'POST'])
    return
  }
  const caller = await logIn(door, request, response, 'UNRECOVERABLE', door.target.operation)
  if (caller === undefined || response.destroyed) return

  const intake = new Intake(request, door.stopping)
  const entry = { upload: path, user: caller.name, from: remoteAddressOf(request) }
  let outcome: Outcome
  try {
    const receipt = await take(door, request, response, caller.name, intake)
    outcome = { status: 200, reason: 'ok', ...receipt }
    afterReply(response, logs.system, receipt.afterReply)
  } catch (error) {
    outcome = outcomeOf(error, intake.signal)
    if (outcome.status === 500) logs.system.error({ ...entry, error, transaction: outcome.transaction }, 'an upload failed')
  } finally {
    intake.end()
    vacate(request.socket, door.bounds)
  }
  const { status, reason, message, transaction } = outcome
  logs.access.info({ ...entry, status, reason, transaction }, message)
  replyOutcome(door, request, response, outcome)
}

function replyOutcome(
  door: UploadDoor,
  request: AppRequest,
  response: ServerResponse,
  { status, reason, message, transaction }: Outcome,
): void {
  const headers = transaction === undefined ? [] : ['X-Onvifd-Transaction', transaction]
  if (status === 503) headers.push('Retry-After', String(door.bounds.uploadRetryAfterSeconds))
  const suffix = transaction === undefined ? '' : ` (transaction ${transaction})`
  replyText(door, request, response, status, `${reason} ${message}${suffix}`, headers)
}

/** How many bytes of a broken upload the device has, to go on from there with Content-Range. */
async function answerOffset(door: UploadDoor, request: AppRequest, response: ServerResponse): Promise<void> {
  const caller = await logIn(door, request, response, 'UNRECOVERABLE', door.target.operation)
  if (caller === undefined) return
  try {
    const offset = door.target.offset?.(ticketOf(request)) ?? 0
    replyText(door, request, response, 200, '', ['Upload-Offset', String(offset)])
  } catch (error) {
    if (!(error instanceof UploadRefusal)) throw error
    replyOutcome(door, request, response, error)
  }
}

function ticketOf({ url = '' }: AppRequest): string {
  const ticket = ticketForm.exec(pathOf(url))?.[1]
  if (ticket === undefined) throw new UploadRefusal(404, 'ticket', 'there is no upload at this address')
  return ticket
}

async function take({ target }: UploadDoor, request: AppRequest, response: ServerResponse, user: string, intake: Intake) {
  const ticket = ticketOf(request)
  const type = mediaTypeOf(request)
  if (type.startsWith('multipart/') && type !== 'multipart/form-data') {
    throw new UploadRefusal(415, 'format', `${type} is not taken: send the file as it is, or as the file of a form`)
  }
  const isForm = type === 'multipart/form-data'
  const length = request.headers['content-length']
  const lengthBytes = length === undefined ? undefined : Number(length)
  const written = request.headers['content-range']
  if (written !== undefined && (isForm || !target.offset))
    throw new UploadRefusal(400, 'range', isForm ? 'a form cannot go on: send the rest of the file as it is' : 'send the whole file')
  const upload: UploadRequest = {
    ticket,
    // That of a form is not that of its file.
    lengthBytes: isForm ? undefined : lengthBytes,
    ...(written !== undefined && { range: parseRange(written, lengthBytes) }),
    user,
    remoteAddress: remoteAddressOf(request),
    signal: intake.signal,
  }
  const source = isForm ? formFile(request) : wholeBody(request)
  target.admit(upload)
  // From here on the device may be busy for minutes with nothing to be read or written.
  occupy(request.socket)
  if (expectsContinue(request)) response.writeContinue()
  source.attach(intake.ring)
  try {
    return await target.receive(upload, intake.pieces(source.poll))
  } finally {
    source.detach()
  }
}

/**
 * `bytes 4-9/10` (RFC 9110 14.4): the rest of the file, from its byte 4 on. A part from its middle is refused: the device needs the
 * bytes in their order, and one connection is enough for what is left.
 */
function parseRange(written: string, lengthBytes: number | undefined): NonNullable<UploadRequest['range']> {
  const [first, last, total] = (/^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(written)?.slice(1) ?? []).map(Number)
  if (first === undefined || last === undefined || total === undefined)
    throw new UploadRefusal(400, 'range', 'Content-Range has to be bytes FIRST-LAST/TOTAL')
  if (first > last || last >= total) throw new UploadRefusal(400, 'range', 'the Content-Range contradicts itself')
  if (lengthBytes !== last - first + 1) throw new UploadRefusal(400, 'range', 'Content-Length and Content-Range do not agree')
  if (last !== total - 1) throw new UploadRefusal(416, 'range', 'send all that is left, up to the end of the file')
  return { firstByte: first, totalBytes: total }
}

/**
 * The one file of a browser's form (RFC 7578). The end of the file is told only at the end of the form, because a second file
 * spoils the first. busboy has no limit on the file: the target counts what it takes. Other fields are skipped, not kept.
 */
function formFile(request: IncomingMessage): Source {
  const form = createForm(request)
  const onEnd = () => ring()
  let file: Readable | undefined
  let failure: UploadRefusal | undefined
  let closed = false
  let ring = () => {}
  const fail = (message: string, cause?: Error) => {
    failure ??= new UploadRefusal(400, 'form', message, { cause })
    ring()
  }
  /** busboy begins a file behind the end of a form, too, and never ends that one. All that a good form still does is done by then. */
  const failUnlessClosed = () => {
    if (!closed) fail('the form is broken')
  }
  form.on('file', (_name, stream) => {
    // A form that breaks off tells it here as well as below.
    stream.on('error', () => {})
    if (file) fail('the form has more than one file')
    else file = stream.on('readable', () => ring()).on('end', () => ring())
    ring()
  })
  form.on('error', cause => fail('the form is broken', cause instanceof Error ? cause : undefined))
  form.on('close', () => {
    closed = true
    ring()
  })
  return {
    poll() {
      if (failure) throw failure
      const piece: unknown = file?.read()
      if (Buffer.isBuffer(piece)) return piece
      if (!closed) {
        if (request.readableEnded && form.writableLength === 0) setImmediate(failUnlessClosed)
        return 'later'
      }
      if (!file) throw new UploadRefusal(400, 'form', 'the form has no file')
      return 'end'
    },
    attach(bell) {
      ring = bell
      request.on('end', onEnd).pipe(form)
    },
    detach() {
      request.off('end', onEnd).unpipe(form)
    },
  }
}

function createForm(request: IncomingMessage): busboy.Busboy {
  try {
    return busboy({ headers: { 'content-type': request.headers['content-type'] ?? '' } })
  } catch (cause) {
    throw new UploadRefusal(400, 'form', 'the form has no boundary', { cause })
  }
}

/** Why an upload broke off is known best here, what a refusal says by its target; all else is the device's own failure. */
function outcomeOf(error: unknown, { reason }: AbortSignal): Outcome {
  const transaction = error instanceof UploadRefusal ? error.transaction : undefined
  const refusal = reason instanceof UploadRefusal ? reason : error
  if (!(refusal instanceof UploadRefusal)) return { status: 500, reason: 'io', message: 'the device failed', transaction }
  return { status: refusal.status, reason: refusal.reason, message: refusal.message, transaction }
}
