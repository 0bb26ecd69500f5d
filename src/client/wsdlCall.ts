import { fileURLToPath } from 'node:url'
import type soap from 'soap'
import { contract } from '../onvif/contract.generated.ts'
import { ClientError } from './errors.ts'
import type { OnvifClient } from './onvifClient.ts'
import type { Session } from './session.ts'

/** There is no WSDL that knows the operation, or nothing to read it with; the message says what to do. */
export class WsdlError extends Error {
  override readonly name = 'WsdlError'
}

/** The contract that comes with this package, beside `src` as beside `dist`. */
const ownWsdl = fileURLToPath(new URL('../../wsdl/device.wsdl', import.meta.url))

export interface WsdlCall {
  readonly operation: string
  /** Children by name, attributes under `attributes`. */
  readonly request: unknown
  /** URL or file; without it the device's own, then ours. */
  readonly wsdl?: string | undefined
}

/**
 * Any operation of any WSDL, with the `soap` package between JSON and XML and our log-in around it. Throws WsdlError, OnvifFault
 * and ClientError.
 */
export async function callByWsdl(client: OnvifClient, { operation, request, wsdl }: WsdlCall): Promise<unknown> {
  const library = await loadLibrary()
  const failures: string[] = []
  for (const location of wsdl === undefined ? await wsdlLocations(client) : [wsdl]) {
    const device = await load(library, location, client, failures)
    if (!device) continue
    if (!operationsOf(device).includes(operation)) {
      failures.push(`${location} has no operation ${operation}${similar(operation, operationsOf(device))}`)
      continue
    }
    const answer: unknown = await device[`${operation}Async`](request)
    return (Array.isArray(answer) ? answer[0] : undefined) ?? {}
  }
  const hint = wsdl === undefined ? '; give the one of the service with --wsdl' : ''
  throw new WsdlError(`${failures.at(-1) ?? 'there is no WSDL'}${hint}`)
}

/** The package is no part of an installation: it is thirty packages, of which a device needs none. */
async function loadLibrary(): Promise<typeof soap> {
  try {
    return (await import('soap')).default
  } catch (cause) {
    throw new WsdlError('the package that reads a WSDL is missing: npm install soap', { cause })
  }
}

/** Where the WSDL of a service may be, best first. GetWsdlUrl mostly names a page of ONVIF's, which is not the device's own. */
async function wsdlLocations({ url, ask }: OnvifClient): Promise<readonly string[]> {
  const beside = new URL(url)
  beside.search = '?wsdl'
  const told = await ask('GetWsdlUrl', {}).then(
    answer => answer.children[0]?.text.trim() ?? '',
    error => {
      if (error instanceof ClientError && error.kind !== 'status' && error.kind !== 'answer') throw error
      return ''
    },
  )
  const isOwn = URL.canParse(told) && new URL(told).hostname === url.hostname
  return [...(isOwn && told !== beside.href ? [told] : []), beside.href, ownWsdl]
}

async function load(
  library: typeof soap,
  location: string,
  { url, session }: OnvifClient,
  failures: string[],
): Promise<soap.Client | undefined> {
  const options = {
    httpClient: httpClient(session),
    endpoint: url.href,
    forceSoap12Headers: true,
    // Without it, `soap` knows prefixes from the WSDL's root alone, and takes every value of an imported type for text.
    forceUseSchemaXmlns: true,
    disableCache: true,
  }
  try {
    return await library.createClientAsync(location, options)
  } catch (error) {
    if (error instanceof ClientError && ['unreachable', 'untrusted', 'timeout'].includes(error.kind)) throw error
    failures.push(
      `${location} cannot be read as a WSDL: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'no reason given'}`,
    )
    return undefined
  }
}

/** What `soap` sends goes through our session, which knows the log-in. It only uses the callback; the promise is axios'. */
function httpClient(session: Session): soap.IHttpClient {
  return {
    request(location, message: unknown, callback, headers) {
      const url = new URL(location)
      const answer = typeof message === 'string' ? post(session, url, message, String(headers?.['Content-Type'] ?? '')) : get(session, url)
      answer.then(
        ({ status, body }) => callback(null, { status }, body),
        error => callback(error),
      )
      return new Promise<never>(() => {})
    },
  }
}

async function get(session: Session, url: URL) {
  const { status, body } = await session.fetch(url)
  return { status, body: body.toString('utf8') }
}

async function post(session: Session, url: URL, message: string, contentType: string) {
  const action = /action="([^"]*)"/.exec(contentType)?.[1] ?? ''
  const operation = action.slice(action.lastIndexOf('/') + 1)
  const write = (security: string) =>
    security === '' ? message : message.replace('<soap:Body', body => `<soap:Header>${security}</soap:Header>${body}`)
  const { http } = await session.send({ url, operation, action, preAuth: false, write })
  return { status: http.status, body: http.body.toString('utf8') }
}

function operationsOf(device: soap.Client): readonly string[] {
  const services: unknown = device.describe()
  return entriesOf(services).flatMap(([, ports]) =>
    entriesOf(ports).flatMap(([, operations]) => entriesOf(operations).map(([name]) => name)),
  )
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function similar(operation: string, names: readonly string[]): string {
  const plain = operation.toLowerCase()
  const near = names.filter(name => name.toLowerCase().includes(plain) || plain.includes(name.toLowerCase()))
  const known = Object.hasOwn(contract.operations, operation) ? ', though the Device service does' : ''
  return near.length > 0 ? ` (${near.slice(0, 5).join(', ')}?)` : known
}
