import { isUtf8 } from 'node:buffer'
import { limits } from '../limits.ts'
import { contract } from '../onvif/contract.generated.ts'
import { fault, SoapFault } from '../onvif/faults.ts'
import { detached, escapeAttribute, escapeText, isBlank, replaceIllegal } from './characters.ts'
import { isForUs, soapAttribute } from './headerBlocks.ts'
import {
  NO_ENCODING,
  ONVIF_ERROR,
  SOAP_ENVELOPE,
  SOAP_ENVELOPE_1_1,
  WS_ADDRESSING,
  WS_SECURITY,
  WS_SECURITY_UTILITY,
} from './namespaces.ts'
import { parseXml, type XmlElement, XmlError } from './xml.ts'

export interface Envelope {
  readonly header: XmlElement | undefined
  /** The one element inside Body. */
  readonly body: XmlElement
  /** Whether a header block is one of WS-Addressing. */
  readonly isAddressed: boolean
}

/** A mandatory header block that we do not know: its name goes back in the header of the answer (SOAP 1.2 Part 1, 5.4.8). */
class NotUnderstood extends SoapFault {
  readonly block: XmlElement

  constructor(block: XmlElement) {
    super('MustUnderstand', [], `the header block ${block.name} is not understood`)
    this.block = block
  }
}

/** SOAP 1.2 Part 1, 5. Throws the fault that says what is wrong with the message as such; nothing of the operation is looked at. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const envelope = parseMessage(bytes)
  requireVersion(envelope)
  const { header, body } = partsOf(envelope)
  let isAddressed = false
  for (const block of header?.children ?? []) {
    isAddressed ||= block.namespace === WS_ADDRESSING
    if (mustUnderstand(block) && !isUnderstood(block)) throw new NotUnderstood(block)
  }
  const request = onlyChildOf(body)
  for (const element of [envelope, body, request]) refuseEncoding(element)
  return { header, body: request, isAddressed }
}

function parseMessage(bytes: Uint8Array): XmlElement {
  if (!isUtf8(bytes)) throw fault('WellFormed', 'the message is not UTF-8')
  try {
    return parseXml(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch (error) {
    // The scanner serves readers of answers, too, and knows no faults.
    if (!(error instanceof XmlError)) throw error
    throw fault(error.kind === 'namespace' ? 'Namespace' : 'WellFormed', error.message)
  }
}

function requireVersion({ name, namespace }: XmlElement): void {
  if (name === 'Envelope' && namespace === SOAP_ENVELOPE) return
  const found = name === 'Envelope' && namespace === SOAP_ENVELOPE_1_1 ? 'this is SOAP 1.1' : 'this is no SOAP envelope'
  throw new SoapFault('VersionMismatch', [], `${found}, the service speaks SOAP 1.2`)
}

function partsOf(envelope: XmlElement): { header: XmlElement | undefined; body: XmlElement } {
  const parts = [...envelope.children]
  const header = parts[0]?.name === 'Header' ? parts.shift() : undefined
  const body = parts.shift()
  if (body?.name !== 'Body') throw fault('Tag', 'the Envelope has no Body')
  if (parts.length > 0) throw fault('Tag', 'the Envelope has more than a Header and a Body')
  for (const part of header ? [header, body] : [body]) {
    if (part.namespace !== SOAP_ENVELOPE) throw fault('Namespace', `${part.name} is not in the namespace of the Envelope`)
  }
  for (const part of header ? [envelope, header, body] : [envelope, body]) {
    if (!isBlank(part.text)) throw fault('Tag', `${part.name} has text where only elements may be`)
  }
  return { header, body }
}

function onlyChildOf(body: XmlElement): XmlElement {
  const [request, ...others] = body.children
  if (!request) throw fault('Tag', 'the Body is empty')
  if (others.length > 0) throw fault('Tag', 'the Body has more than one element')
  return request
}

/** SOAP 1.2 Part 1, 5.2.3. */
function mustUnderstand(block: XmlElement): boolean {
  if (!isForUs(block)) return false
  const value = soapAttribute(block, 'mustUnderstand') ?? 'false'
  if (!/^(?:true|false|1|0)$/.test(value)) throw fault('InvalidArgVal', `mustUnderstand of ${block.name} is not xs:boolean`)
  return value === 'true' || value === '1'
}

function isUnderstood(block: XmlElement): boolean {
  return block.namespace === WS_ADDRESSING || isSecurity(block)
}

function refuseEncoding(element: XmlElement): void {
  const style = soapAttribute(element, 'encodingStyle')
  if (style !== undefined && style !== NO_ENCODING)
    throw new SoapFault('DataEncodingUnknown', [], `the encoding of ${element.name} is not known`)
}

/** The prefixes that any client finds on the Envelope (client-quirks 16); others are declared where a message needs them. */
const ALWAYS = ['tds', 'tt']
/**
 * What else there may be in an answer of the other services than that of events: looking for every prefix takes longer than all the rest.
 * Only GetServices has anything in its wildcard, the capabilities of each service.
 */
const WITHOUT_EVENTS = ['tas', 'xmime', 'xop']
const isWithoutEvents = (response: string): boolean => /^<(?:tds|tas):(?!GetServicesResponse)/.test(response)
/** xml is declared by XML itself, and wsntw names no element. */
const onDemand = Object.keys(contract.namespaces).filter(prefix => ![...ALWAYS, 'xml', 'wsntw'].includes(prefix))
const START = `<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="${SOAP_ENVELOPE}"${ALWAYS.map(declaration).join('')}`
const FAULT_START = `${START} xmlns:ter="${ONVIF_ERROR}"`
const END = '</env:Envelope>'

function declaration(prefix: string): string {
  return ` xmlns:${prefix}="${contract.namespaces[prefix]}"`
}

/** Of the prefixes that a text uses; in the values of qualified names and topics, too. One that only looks used does no harm. */
function declarationsFor(text: string, prefixes = onDemand): string {
  let declarations = ''
  for (const prefix of prefixes) if (text.includes(`${prefix}:`)) declarations += declaration(prefix)
  return declarations
}

/** The answer that carries a response as the codec wrote it, and the blocks of its header, if it has any. */
export function writeAnswer(response: string, header = ''): string {
  if (header === '' && isWithoutEvents(response))
    return `${START}${declarationsFor(response, WITHOUT_EVENTS)}><env:Body>${response}</env:Body>${END}`
  const content = `${headerElement(header)}<env:Body>${response}</env:Body>`
  return `${START}${declarationsFor(content)}>${content}${END}`
}

const headerElement = (blocks: string): string => (blocks === '' ? '' : `<env:Header>${blocks}</env:Header>`)

/**
 * The answer that carries a fault: SOAP 1.2 Part 1, 5.4, with nested subcodes as Core 5.8.2.1 shows them. The cause stays here. `detail` is
 * the element of the fault's Detail, as the codec wrote it.
 */
export function writeFault(fault: SoapFault, header = '', detail = ''): string {
  const subcodes = fault.subcodes.reduceRight(
    (inner, name) => `<env:Subcode><env:Value>${name.includes(':') ? name : `ter:${name}`}</env:Value>${inner}</env:Subcode>`,
    '',
  )
  const code = `<env:Code><env:Value>env:${fault.code}</env:Value>${subcodes}</env:Code>`
  const reason = `<env:Reason><env:Text xml:lang="en">${escapeText(presentable(fault.message))}</env:Text></env:Reason>`
  const details = detail === '' ? '' : `<env:Detail>${detail}</env:Detail>`
  const body = `<env:Body><env:Fault>${code}${reason}${details}</env:Fault></env:Body>`
  return `${FAULT_START}${declarationsFor(header + subcodes + detail)}>${headerElement(headerOf(fault) + header)}${body}${END}`
}

/** The header blocks that two faults of SOAP itself have. */
function headerOf(fault: SoapFault): string {
  if (fault.code === 'VersionMismatch') return '<env:Upgrade><env:SupportedEnvelope qname="env:Envelope"/></env:Upgrade>'
  if (!(fault instanceof NotUnderstood)) return ''
  const { name, namespace } = fault.block
  if (namespace.length > limits.faultReasonCharactersMax) return ''
  const qname = namespace === '' ? `qname="${name}"` : `qname="b:${name}" xmlns:b="${escapeAttribute(namespace)}"`
  return `<env:NotUnderstood ${qname}/>`
}

/** A reason may quote the message: bounded, and without characters that XML cannot carry. */
export function presentable(reason: string): string {
  const max = limits.faultReasonCharactersMax
  return replaceIllegal(reason.length > max ? `${reason.slice(0, max - 1)}…` : reason)
}

/** WSS UsernameToken Profile 1.0. Nothing is checked here but that it is unambiguous. */
export interface UsernameToken {
  /** '' where it is missing: nobody has that name. */
  readonly username: string
  /** As sent: the digest, or the password itself if the type says so. '' where it is missing. */
  readonly password: string
  /** The part of the Type after the #: `PasswordDigest` or `PasswordText`, which is what a missing Type means. */
  readonly passwordType: string
  /** In base64, as sent. */
  readonly nonce: string | undefined
  /** As sent, for the digest is over the text. */
  readonly created: string | undefined
}

/** The token of a message, in whatever order and company its parts come (client-quirks 9 to 11); undefined if there is none. */
export function readUsernameToken(header: XmlElement | undefined): UsernameToken | undefined {
  const blocks = header?.children.filter(block => isSecurity(block) && isForUs(block)) ?? []
  const token = onlyOne(
    'UsernameToken',
    blocks.flatMap(block => childrenOf(block, 'UsernameToken')),
  )
  if (!token) return undefined
  const part = (name: string) => onlyOne(name, childrenOf(token, name))
  const password = part('Password')
  const type = password?.attributes.find(({ name, namespace }) => name === 'Type' && namespace === '')?.value
  return {
    username: textOf(part('Username')) ?? '',
    password: textOf(password) ?? '',
    passwordType: type === undefined ? 'PasswordText' : detached(type.slice(type.indexOf('#') + 1)),
    nonce: textOf(part('Nonce'))?.trim(),
    created: textOf(part('Created'))?.trim(),
  }
}

function isSecurity(block: XmlElement): boolean {
  return block.name === 'Security' && block.namespace === WS_SECURITY
}

function childrenOf(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter(
    child => child.name === name && (child.namespace === WS_SECURITY || child.namespace === WS_SECURITY_UTILITY),
  )
}

/** Two of a kind would let one reader check the first and another believe the second. */
function onlyOne(name: string, elements: readonly XmlElement[]): XmlElement | undefined {
  if (elements.length > 1) throw fault('NotAuthorized', `sender not authorized: more than one ${name}`)
  return elements[0]
}

function textOf(element: XmlElement | undefined): string | undefined {
  if (element && element.text.length > limits.tokenTextCharactersMax)
    throw fault('NotAuthorized', `sender not authorized: ${element.name} is too long`)
  return element && detached(element.text)
}
