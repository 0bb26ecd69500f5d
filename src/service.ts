import type { Authenticator } from './auth/authenticate.ts'
import { UploadRefusal } from './device/upload.ts'
import { contract } from './onvif/contract.generated.ts'
import { eventFaults, fault, SoapFault } from './onvif/faults.ts'
import type { Call, Caller, Handlers } from './onvif/handlers.ts'
import { type AccessClass, operations } from './onvif/operations.ts'
import type { OperationName } from './onvif/types.generated.ts'
import type { Clock, Logs } from './platform/platform.ts'
import { type Addressing, readAnswerBlocks, readMessageId, writeFaultHeader, writeReplyHeader } from './soap/addressing.ts'
import { type Opening, openMessage } from './soap/arriving.ts'
import { createCodec } from './soap/codec.ts'
import { parseEnvelope, presentable, readUsernameToken, writeAnswer, writeFault } from './soap/envelope.ts'
import type { SoapAnswer, SoapRequest } from './soap/message.ts'
import { type Attachment, contentIdOf, detachInline, type Package, pack, unpack } from './soap/mtom.ts'
import type { XmlElement } from './soap/xml.ts'

export interface Service {
  /** One request from bytes to bytes. Never rejects: whatever goes wrong becomes the right fault. */
  handle(request: SoapRequest): Promise<SoapAnswer>
}

interface Parts {
  readonly handlers: Handlers
  readonly authenticator: Authenticator
  readonly clock: Clock
  readonly logs: Logs
  /** Refuse what Postel would take; see `--strict`. */
  readonly strict: boolean
  /** What every address in an answer begins with, instead of what the request came by; see `--public-url`. */
  readonly publicOrigin: URL | undefined
  /** Answers over TLS alone what is not for everybody; see `--require-tls`. */
  readonly requireTls?: boolean
}

/** What is known of a request so far, for the access log and for the fault. */
interface Progress {
  operation: OperationName | undefined
  caller: Caller | undefined
  /** Whether the answer has to ask for a log-in, and whether the nonce was merely old. */
  challenge: 'none' | 'fresh' | 'stale'
  /** The caller may call the operation for what is his own and no more. */
  ownOnly: boolean
  /** Of WS-Addressing. Undefined where the message has nothing of it. */
  addressing: Addressing | undefined
}

/** What an operation leaves to be done with its answer. */
interface Outgoing {
  readonly effects: (() => Promise<void>)[]
  readonly attachments: Attachment[]
}

/** The elements that hold attachments in requests of these operations, … */
const attachmentsIn: Partial<Record<OperationName, readonly string[]>> = { RestoreSystem: ['Data'], UpgradeSystemFirmware: ['Firmware'] }
/** … and those whose attachments are passed on as they arrive. */
const streamed: ReadonlySet<OperationName> = new Set(['UpgradeSystemFirmware'])

/** A message with all that came beside it, or with what is still coming. */
interface Message extends Package {
  readonly arriving?: Opening
}

export function createService({ handlers, authenticator, clock, logs, strict, publicOrigin, requireTls = false }: Parts): Service {
  const codec = createCodec(contract, { strict })

  async function answer(request: SoapRequest, progress: Progress, outgoing: Outgoing): Promise<string> {
    const isOpen = !requireTls || isSecure(request)
    const { body: bytes, contentType } = request
    const isWhole = bytes instanceof Uint8Array
    if (isWhole && bytes.length === 0 && request.authorization === undefined && isOpen) {
      // `curl --digest` asks for the challenge with an empty body before it sends the message.
      progress.challenge = 'fresh'
      throw fault('NotAuthorized', 'log in to call this service')
    }
    const message = isWhole ? unpack(bytes, contentType) : await openMessage(bytes, contentType, !strict)
    const { header, body, isAddressed } = parseEnvelope(message.envelope)
    const operation = codec.operationOf(body)
    progress.operation = operation
    if (header && isAddressed) {
      progress.addressing = { ...unaddressed, messageId: readMessageId(header) }
      progress.addressing = { ...progress.addressing, ...readAnswerBlocks(header) }
    }
    if (operation === undefined) throw fault('UnknownAction', `this service has no operation ${body.name}`)
    const { access } = operations[operation]
    // No challenge goes with it: what a client would answer is better kept from the clear.
    if (access !== 'PRE_AUTH' && !isOpen) throw fault('NotAuthorized', 'this device answers that over HTTPS only')
    if (access !== 'PRE_AUTH') progress.caller = await authorize(request, header, operation, access, progress)
    const response = await perform(operation, body, request, await complete(message, operation), progress, outgoing)
    return writeAnswer(response, replyHeader(operation, progress))
  }

  /** The Detail of a fault as the codec writes it. That of an event fault begins with time and reason (WS-BaseFaults 1.2, 2.1). */
  function detailOf({ detail, message }: SoapFault): string {
    if (!detail) return ''
    const base = { Timestamp: clock.now().toISOString(), Description: [{ lang: 'en', $value: presentable(message) }] }
    const isBaseFault = Object.values<string>(eventFaults).includes(detail.element) && !detail.element.startsWith('tev:')
    try {
      return codec.encode(detail.element, isBaseFault ? { ...base, ...detail.value } : detail.value)
    } catch (error) {
      logs.system.error({ error, element: detail.element }, 'the detail of a fault could not be written')
      return ''
    }
  }

  async function complete(message: Package | Opening, operation: OperationName): Promise<Message> {
    if ('attachments' in message) return message
    const { envelope, isMultipart } = message
    if (streamed.has(operation)) return { envelope, isMultipart, attachments: new Map(), arriving: message }
    return { envelope, isMultipart, attachments: await message.collect() }
  }

  /** Generic over the operation, so that the compiler ties request, handler and response together. */
  async function perform<O extends OperationName>(
    operation: O,
    body: XmlElement,
    request: SoapRequest,
    { attachments, isMultipart, arriving }: Message,
    { caller, ownOnly }: Progress,
    outgoing: Outgoing,
  ): Promise<string> {
    const { origin, remoteAddress, target, body: sent } = request
    const places = strict ? undefined : attachmentsIn[operation]
    const inline = places && detachInline(body, places)
    const call: Call = {
      caller,
      ownOnly,
      origin: publicOrigin ?? origin,
      remoteAddress,
      target,
      // Whoever asks for it may hold the answer back, so it is not asked for here.
      get hungUp() {
        return request.hungUp ?? never()
      },
      isMultipart,
      afterReply: effect => void outgoing.effects.push(effect),
      attachment(href) {
        const id = contentIdOf(href)
        return id === undefined ? undefined : (attachments.get(id) ?? inline?.found.get(id))
      },
      async stream(href) {
        const whole = call.attachment(href)
        if (whole) return { bytes: once(whole), lengthBytes: whole.length, signal: never() }
        const bytes = await arriving?.find(contentIdOf(href) ?? '')
        if (bytes === undefined || sent instanceof Uint8Array) return undefined
        sent.admit()
        return { bytes, lengthBytes: undefined, signal: sent.signal }
      },
      attach(content, contentType) {
        const id = `${outgoing.attachments.length + 1}@onvifd`
        outgoing.attachments.push({ id, contentType, content })
        return { contentType, Include: { href: `cid:${id}` } }
      },
    }
    return codec.encodeResponse(operation, await handlers[operation](codec.decodeRequest(operation, inline?.body ?? body), call))
  }

  /** Core 5.9.1: 401 and a challenge where credentials are missing or HTTP's are wrong, 400 where the message's are wrong. */
  async function authorize(
    request: SoapRequest,
    header: XmlElement | undefined,
    operation: OperationName,
    access: Exclude<AccessClass, 'PRE_AUTH'>,
    progress: Progress,
  ): Promise<Caller> {
    const { target, authorization, remoteAddress, certificateNames } = request
    const verdict = await authenticator.authenticate({
      method: 'POST',
      target,
      authorization,
      token: readUsernameToken(header),
      remoteAddress,
      isSecure: isSecure(request),
      certificateNames,
    })
    if (verdict.kind === 'anonymous') {
      progress.challenge = 'fresh'
      throw fault('NotAuthorized', 'this operation needs a log-in')
    }
    if (verdict.kind === 'refused') {
      if (verdict.by === 'http') progress.challenge = verdict.stale ? 'stale' : 'fresh'
      throw fault('NotAuthorized', 'sender not authorized', { cause: verdict.reason })
    }
    if (!authenticator.permits(verdict.caller, access, operation)) {
      progress.ownOnly = 'own' in operations[operation]
      if (!progress.ownOnly) {
        progress.caller = verdict.caller
        progress.challenge = 'fresh'
        throw fault('NotAuthorized', `the level ${verdict.caller.level} may not call this operation`)
      }
    }
    return verdict.caller
  }

  return {
    async handle(request) {
      const began = clock.monotonicMs()
      const progress: Progress = { operation: undefined, caller: undefined, challenge: 'none', ownOnly: false, addressing: undefined }
      const outgoing: Outgoing = { effects: [], attachments: [] }
      let contentType = 'application/soap+xml; charset=utf-8'
      let status: SoapAnswer['status'] = 200
      let body: string | Buffer
      let refused: SoapFault | undefined
      try {
        body = await answer(request, progress, outgoing)
        if (outgoing.attachments.length > 0) ({ contentType, body } = pack(Buffer.from(body), outgoing.attachments))
      } catch (error) {
        refused = asFault(error)
        // It was another user's after all: the level does not admit the caller.
        if (progress.ownOnly && refused.subcodes.includes('NotAuthorized')) progress.challenge = 'fresh'
        outgoing.effects.length = 0
        status = progress.challenge !== 'none' ? 401 : refused.code === 'Sender' ? 400 : 500
        body = writeFault(
          refused,
          isAnsweredByAddressing(progress) ? writeFaultHeader(refused, progress.addressing ?? unaddressed) : '',
          detailOf(refused),
        )
        if (status === 500 && !(error instanceof SoapFault || error instanceof UploadRefusal))
          logs.system.error({ operation: progress.operation, error }, 'an operation failed')
      }
      logs.access.info(
        {
          operation: progress.operation,
          user: progress.caller?.name,
          from: request.remoteAddress,
          status,
          fault: refused && [refused.code, ...refused.subcodes].join('/'),
          ms: Math.round((clock.monotonicMs() - began) * 10) / 10,
        },
        refused ? refused.message : 'answered',
      )
      const headers: Record<string, string | readonly string[]> = {
        'content-type': contentType,
        'content-length': String(Buffer.byteLength(body)),
      }
      if (status === 401) headers['www-authenticate'] = authenticator.challenges(progress.challenge === 'stale', isSecure(request))
      return { status, headers, body, afterReply: outgoing.effects.length > 0 ? () => runInOrder(outgoing.effects) : undefined }
    },
  }
}

const unaddressed: Addressing = { messageId: undefined, reply: '', fault: '' }

/** Answers of the Event service always carry an action (Core 9); those of others, where the client would look for the relation. */
const isAnsweredByAddressing = ({ operation, addressing }: Progress): boolean =>
  addressing?.messageId !== undefined || operation?.startsWith('tev:') === true

function replyHeader(operation: OperationName, progress: Progress): string {
  if (!isAnsweredByAddressing(progress)) return ''
  return writeReplyHeader(contract.operations[operation]?.reply ?? '', progress.addressing ?? unaddressed)
}

const isSecure = ({ origin }: SoapRequest): boolean => origin.protocol === 'https:'

/** A fault is passed on, and says why a message broke off; anything else is a bug or a failing port, of which the client learns nothing but that (Core 5.8.2.4). */
function asFault(error: unknown): SoapFault {
  if (error instanceof SoapFault) return error
  return fault('Action', error instanceof UploadRefusal ? error.message : 'the device could not perform the operation', { cause: error })
}

/** Of a request that did not come over a connection. Made when asked for, for hardly an operation does. */
const never = (): AbortSignal => new AbortController().signal

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

async function runInOrder(effects: readonly (() => Promise<void>)[]): Promise<void> {
  for (const effect of effects) await effect()
}
