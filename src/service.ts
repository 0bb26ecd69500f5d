import type { Authenticator } from './auth/authenticate.ts'
import { contract } from './onvif/contract.generated.ts'
import { fault, SoapFault } from './onvif/faults.ts'
import type { Caller, Handlers } from './onvif/handlers.ts'
import { type AccessClass, admitted, operations } from './onvif/operations.ts'
import type { OperationName } from './onvif/types.generated.ts'
import type { Clock, Logs } from './platform/platform.ts'
import { createCodec } from './soap/codec.ts'
import { parseEnvelope, readUsernameToken, writeAnswer, writeFault } from './soap/envelope.ts'
import type { SoapAnswer, SoapRequest } from './soap/message.ts'
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
}

/** What is known of a request so far, for the access log and for the fault. */
interface Progress {
  operation: OperationName | undefined
  caller: Caller | undefined
  /** Whether the answer has to ask for a log-in, and whether the nonce was merely old. */
  challenge: 'none' | 'fresh' | 'stale'
}

export function createService({ handlers, authenticator, clock, logs, strict }: Parts): Service {
  const codec = createCodec(contract, { strict })

  async function answer(request: SoapRequest, progress: Progress, effects: (() => Promise<void>)[]): Promise<string> {
    if (request.body.length === 0 && request.authorization === undefined) {
      // `curl --digest` asks for the challenge with an empty body before it sends the message.
      progress.challenge = 'fresh'
      throw fault('NotAuthorized', 'log in to call this service')
    }
    const { header, body } = parseEnvelope(request.body)
    const operation = codec.operationOf(body)
    if (operation === undefined) throw fault('UnknownAction', `this service has no operation ${body.name}`)
    progress.operation = operation
    const { access } = operations[operation]
    if (access !== 'PRE_AUTH') progress.caller = await authorize(request, header, access, progress)
    return writeAnswer(await perform(operation, body, request, progress.caller, effects))
  }

  /** Generic over the operation, so that the compiler ties request, handler and response together. */
  async function perform<O extends OperationName>(
    operation: O,
    body: XmlElement,
    { origin, remoteAddress }: SoapRequest,
    caller: Caller | undefined,
    effects: (() => Promise<void>)[],
  ): Promise<string> {
    const call = { caller, origin, remoteAddress, afterReply: (effect: () => Promise<void>) => void effects.push(effect) }
    return codec.encodeResponse(operation, await handlers[operation](codec.decodeRequest(operation, body), call))
  }

  /** Core 5.9.1: 401 and a challenge where credentials are missing or HTTP's are wrong, 400 where the message's are wrong. */
  async function authorize(
    { target, authorization, remoteAddress }: SoapRequest,
    header: XmlElement | undefined,
    access: Exclude<AccessClass, 'PRE_AUTH'>,
    progress: Progress,
  ): Promise<Caller> {
    const verdict = await authenticator.authenticate({
      method: 'POST',
      target,
      authorization,
      token: readUsernameToken(header),
      remoteAddress,
    })
    if (verdict.kind === 'anonymous') {
      progress.challenge = 'fresh'
      throw fault('NotAuthorized', 'this operation needs a log-in')
    }
    if (verdict.kind === 'refused') {
      if (verdict.by === 'http') progress.challenge = verdict.stale ? 'stale' : 'fresh'
      throw fault('NotAuthorized', 'sender not authorized', { cause: verdict.reason })
    }
    if (!admitted[access].includes(verdict.caller.level)) {
      progress.caller = verdict.caller
      progress.challenge = 'fresh'
      throw fault('NotAuthorized', `the level ${verdict.caller.level} may not call this operation`)
    }
    return verdict.caller
  }

  return {
    async handle(request) {
      const began = clock.monotonicMs()
      const progress: Progress = { operation: undefined, caller: undefined, challenge: 'none' }
      const effects: (() => Promise<void>)[] = []
      let status: SoapAnswer['status'] = 200
      let body: string
      let refused: SoapFault | undefined
      try {
        body = await answer(request, progress, effects)
      } catch (error) {
        refused = asFault(error)
        effects.length = 0
        status = progress.challenge !== 'none' ? 401 : refused.code === 'Sender' ? 400 : 500
        body = writeFault(refused)
        if (status === 500 && !(error instanceof SoapFault))
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
        'content-type': 'application/soap+xml; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
      }
      if (status === 401) headers['www-authenticate'] = authenticator.challenges(progress.challenge === 'stale')
      return { status, headers, body, afterReply: () => runInOrder(effects) }
    },
  }
}

/** A fault is passed on; anything else is a bug or a failing port, of which the client learns nothing but that (Core 5.8.2.4). */
function asFault(error: unknown): SoapFault {
  return error instanceof SoapFault ? error : fault('Action', 'the device could not perform the operation', { cause: error })
}

async function runInOrder(effects: readonly (() => Promise<void>)[]): Promise<void> {
  for (const effect of effects) await effect()
}
