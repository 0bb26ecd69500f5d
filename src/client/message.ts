import { STATUS_CODES } from 'node:http'
import { limits } from '../limits.ts'
import { parseXml, type XmlElement, XmlError } from '../soap/xml.ts'
import { ClientError, OnvifFault } from './errors.ts'
import type { HttpAnswer } from './exchange.ts'

const SOAP = 'http://www.w3.org/2003/05/soap-envelope'
/** Not the version of ONVIF, but what some devices answer in when they refuse. */
const SOAP_1_1 = 'http://schemas.xmlsoap.org/soap/envelope/'

/** A SOAP 1.2 message. `security` is a header block or ''; `namespaces` are those that `body` uses, by prefix. */
export function writeMessage(body: string, security: string, namespaces: Readonly<Record<string, string>>): string {
  const declarations = Object.entries(namespaces).map(([prefix, namespace]) => ` xmlns:${prefix}="${namespace}"`)
  const header = security === '' ? '' : `<s:Header>${security}</s:Header>`
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${SOAP}"${declarations.join('')}>${header}<s:Body>${body}</s:Body></s:Envelope>`
}

/** The element in the Body of an answer. Throws OnvifFault where it is a fault, ClientError where there is no SOAP answer. */
export function readMessage({ status, headers, body }: HttpAnswer, url: URL): XmlElement {
  const envelope = parseAnswer(body)
  if (envelope instanceof XmlError || !isSoap(envelope, 'Envelope')) throw noMessage(status, headers, url, envelope)
  const content = envelope.children.find(child => isSoap(child, 'Body'))?.children[0]
  if (!content) throw new ClientError('answer', `${url.host} answered with an empty SOAP message`)
  if (isSoap(content, 'Fault')) throw readFault(content, status)
  if (status !== 200) throw new ClientError('status', `${url.host} answered HTTP ${statusText(status)}`, { status })
  return content
}

function parseAnswer(body: Buffer): XmlElement | XmlError {
  try {
    return parseXml(body.toString('utf8').trim())
  } catch (error) {
    if (error instanceof XmlError) return error
    throw error
  }
}

function isSoap({ namespace, name }: XmlElement, wanted: string): boolean {
  return name === wanted && (namespace === SOAP || namespace === SOAP_1_1)
}

function noMessage(status: number, headers: HttpAnswer['headers'], url: URL, envelope: XmlElement | XmlError): ClientError {
  if (status === 200) {
    const why = envelope instanceof XmlError ? envelope.message : `the answer is a <${envelope.name}>`
    return new ClientError('answer', `${url.href} does not answer in SOAP (${why}): is it an ONVIF service?`, { cause: envelope })
  }
  if (status === 401) return new ClientError('status', `${url.host} wants a log-in`, { status })
  const location = headers.location?.[0]
  const moved = status >= 300 && status < 400 && location !== undefined ? `, to ${location.slice(0, 200)}` : ''
  return new ClientError('status', `${url.href} answered HTTP ${statusText(status)}${moved}: is it an ONVIF service?`, { status })
}

export function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim()
}

/** One line without control characters: it goes to a terminal. */
export function printable(said: string): string {
  return said
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, limits.faultReasonCharactersMax)
}

/** SOAP 1.2 Part 1, 5.4; and the flat form of SOAP 1.1, 4.4. */
function readFault(fault: XmlElement, status: number): OnvifFault {
  const code = child(fault, 'Code')
  if (!code) return new OnvifFault(localName(text(fault, 'faultcode')), [], text(fault, 'faultstring') || 'no reason given', status)
  const subcodes: string[] = []
  for (let at = child(code, 'Subcode'); at; at = child(at, 'Subcode')) subcodes.push(localName(text(at, 'Value')))
  const reasons = child(fault, 'Reason')?.children ?? []
  const reason =
    reasons.find(({ attributes }) => attributes.some(({ name, value }) => name === 'lang' && /^en\b/i.test(value))) ?? reasons[0]
  return new OnvifFault(localName(text(code, 'Value')), subcodes, reason?.text.trim() || subcodes.at(-1) || 'no reason given', status)
}

export function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find(candidate => candidate.name === name)
}

/** The text of a child by its local name; '' where there is none. */
export function text(element: XmlElement | undefined, name: string): string {
  return (element && child(element, name)?.text.trim()) ?? ''
}

function localName(qualified: string): string {
  return qualified.slice(qualified.indexOf(':') + 1)
}
