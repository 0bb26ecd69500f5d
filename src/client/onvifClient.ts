import { contract } from '../onvif/contract.generated.ts'
import { SoapFault } from '../onvif/faults.ts'
import type { OperationOf } from '../onvif/handlers.ts'
import { operations } from '../onvif/operations.ts'
import type { Operations } from '../onvif/types.generated.ts'
import { createCodec } from '../soap/codec.ts'
import type { XmlElement } from '../soap/xml.ts'
import { parseServiceUrl } from './address.ts'
import { conform } from './conform.ts'
import { ClientError } from './errors.ts'
import type { TlsOptions } from './exchange.ts'
import { writeMessage } from './message.ts'
import { createSession, type LoginKind, type Session } from './session.ts'

export interface ClientOptions extends TlsOptions {
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** How to log in; default `auto`: as the device asks for it. */
  readonly login?: LoginKind | undefined
  /** For one message and its answer, milliseconds. */
  readonly timeoutMs?: number | undefined
  readonly answerBytesMax?: number | undefined
}

type DeviceOperation = OperationOf<'tds'>

/** Typed calls to the Device service of any ONVIF device. */
export interface OnvifClient {
  /** Address of the Device service. */
  readonly url: URL
  /**
   * Calls an operation. Throws OnvifFault where the device refuses, ClientError where there is no answer or none that can be
   * read, Error where `request` does not fit the contract. What the contract does not know in an answer is left out.
   */
  call<O extends DeviceOperation>(operation: O, request: Operations[O]['request']): Promise<Operations[O]['response']>
  /** Like `call`, with the response element as the device sent it: for devices that leave out what they must send. */
  ask<O extends DeviceOperation>(operation: O, request: Operations[O]['request'], timeoutMs?: number): Promise<XmlElement>
  readonly session: Session
  /** Closes the connections that are kept open. */
  close(): void
}

const codec = createCodec(contract)

/** `address`: a host, host:port, or URL. Nothing is sent before the first call. Throws AddressError. */
export function connect(address: string, { user, password = '', ...options }: ClientOptions = {}): OnvifClient {
  const url = parseServiceUrl(address)
  const session = createSession(url, { ...options, credentials: user === undefined ? undefined : { user, password } })

  async function ask<O extends DeviceOperation>(operation: O, request: Operations[O]['request'], timeoutMs?: number): Promise<XmlElement> {
    const { action, request: element } = namesOf(operation)
    const body = codec.encode(element, request)
    const preAuth = operations[operation].access === 'PRE_AUTH'
    const write = (security: string) => writeMessage(body, security, namespacesIn(body))
    const { content } = await session.send({ url, operation, action, preAuth, write }, timeoutMs)
    return content
  }

  return {
    url,
    session,
    ask,

    async call<O extends DeviceOperation>(operation: O, request: Operations[O]['request']): Promise<Operations[O]['response']> {
      const { response } = namesOf(operation)
      const content = await ask(operation, request)
      if (content.name !== response.slice(response.indexOf(':') + 1)) {
        throw new ClientError('answer', `${url.host} answered ${operation} with <${content.name}>`)
      }
      return decodeResponse<O>(operation, response, content)
    },

    close: () => session.close(),
  }
}

function decodeResponse<O extends DeviceOperation>(operation: O, response: string, content: XmlElement): Operations[O]['response'] {
  try {
    // Claimed as in the codec: tables and types come from the same run of the generator.
    return codec.decode(response, conform(content, response)) as Operations[O]['response']
  } catch (error) {
    if (!(error instanceof SoapFault)) throw error
    throw new ClientError('answer', `the answer to ${operation} breaks the contract: ${error.message}`, { cause: error })
  }
}

function namesOf(operation: DeviceOperation) {
  const names = contract.operations[operation]
  if (!names) throw new Error(`the contract has no operation ${operation}`)
  return names
}

/** Those whose prefixes the text uses. */
function namespacesIn(body: string): Record<string, string> {
  return Object.fromEntries(Object.entries(contract.namespaces).filter(([prefix]) => body.includes(`${prefix}:`)))
}
