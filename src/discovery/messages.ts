import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { limits } from '../limits.ts'
import { contract } from '../onvif/contract.generated.ts'
import { detached, escapeText } from '../soap/characters.ts'
import { SOAP_ENVELOPE, WS_ADDRESSING_2004, WS_DISCOVERY } from '../soap/namespaces.ts'
import { namespaceOf, parseXml, type XmlElement, XmlError, type XmlLimits } from '../soap/xml.ts'

/** How the scopes of a Probe are held against those of a device (WS-Discovery 5.1). */
export type MatchingRule = 'rfc3986' | 'strcmp0' | 'uuid'

/** A type that somebody looks for; `other` is one that no device of ONVIF has. */
export type DeviceType = 'Device' | 'NetworkVideoTransmitter' | 'other'

export interface Probe {
  readonly kind: 'probe'
  /** As sent: the answer repeats it byte by byte. */
  readonly messageId: string
  /** All of them are wanted; none means any. */
  readonly types: readonly DeviceType[]
  readonly scopes: readonly string[]
  readonly rule: MatchingRule | 'unsupported'
}

export interface Resolve {
  readonly kind: 'resolve'
  readonly messageId: string
  readonly endpoint: string
}

export type Question = Probe | Resolve

/** What a device says of itself. */
export interface Description {
  /** `urn:uuid:…` */
  readonly endpoint: string
  readonly scopes: readonly string[]
  readonly xaddrs: readonly string[]
  readonly metadataVersion: number
}

/** WS-Discovery 7: by it clients put messages of one device into their order. */
export interface Sequence {
  readonly instanceId: number
  readonly messageNumber: number
}

const TO_EVERYBODY = 'urn:schemas-xmlsoap-org:ws:2005:04:discovery'
const TO_THE_ASKER = `${WS_ADDRESSING_2004}/role/anonymous`

const DEVICE = contract.namespaces.tds ?? ''
/** Where dn:NetworkVideoTransmitter is at home. The contract does not have it: no message of the Device service needs it. */
const NETWORK = 'http://www.onvif.org/ver10/network/wsdl'

/** The first is what an absent MatchBy means; rfc2396 is what April 2005 called it, and ONVIF calls it rfc3986 (Core 7.3.3). */
const rules = new Map<string, MatchingRule>([
  [`${WS_DISCOVERY}/rfc3986`, 'rfc3986'],
  [`${WS_DISCOVERY}/rfc2396`, 'rfc3986'],
  [`${WS_DISCOVERY}/uuid`, 'uuid'],
  [`${WS_DISCOVERY}/strcmp0`, 'strcmp0'],
])

/** A stray prefix is no reason to be silent: a probe that has one has been copied into hundreds of programs. */
const lenient = {
  xmlDepthMax: limits.discoveryDepthMax,
  xmlElementsMax: limits.discoveryElementsMax,
  xmlAttributesMax: limits.xmlAttributesMax,
  xmlNamespacesMax: limits.discoveryNamespacesMax,
  xmlNameCharactersMax: limits.xmlNameCharactersMax,
  undeclared: 'undeclared',
}

/** Undefined for everything that is no Probe and no Resolve, whatever is wrong with it. */
export function readQuestion(packet: Uint8Array): Question | undefined {
  if (packet.length > limits.discoveryPacketBytesMax) return undefined
  const message = readMessage(packet, lenient)
  if (!message) return undefined
  const { header, body } = message
  const messageId = textOf(header, WS_ADDRESSING_2004, 'MessageID')
  const action = textOf(header, WS_ADDRESSING_2004, 'Action')
  if (!messageId || messageId.length > limits.discoveryMessageIdCharactersMax) return undefined
  if (body.namespace !== WS_DISCOVERY || action !== `${WS_DISCOVERY}/${body.name}`) return undefined
  if (body.name === 'Probe') return { kind: 'probe', messageId, ...readProbe(body) }
  if (body.name !== 'Resolve') return undefined
  const endpoint = endpointOf(body)
  return endpoint ? { kind: 'resolve', messageId, endpoint } : undefined
}

function readProbe(probe: XmlElement): Pick<Probe, 'types' | 'scopes' | 'rule'> {
  const types = childOf(probe, WS_DISCOVERY, 'Types')
  const scopes = childOf(probe, WS_DISCOVERY, 'Scopes')
  const matchBy = scopes?.attributes.find(({ name, namespace }) => name === 'MatchBy' && namespace === '')?.value.trim()
  return {
    types: types ? listOf(types.text).map(name => typeOf(name, types)) : [],
    scopes: scopes ? listOf(scopes.text) : [],
    rule: matchBy ? (rules.get(matchBy) ?? 'unsupported') : 'rfc3986',
  }
}

/**
 * Programs take ONVIF's namespaces one for the other here, or forget to declare the prefix (the copied probe comes with dn: bound to
 * the namespace of the Device service); the names alone tell the two types apart.
 */
function typeOf(qname: string, { scope }: XmlElement): DeviceType {
  const [prefix, name] = qname.includes(':') ? qname.split(':', 2) : ['', qname]
  const namespace = namespaceOf(prefix ?? '', scope) ?? ''
  const isOnvif = namespace === '' || namespace === DEVICE || namespace === NETWORK
  return isOnvif && (name === 'Device' || name === 'NetworkVideoTransmitter') ? name : 'other'
}

/** What a client reads in a ProbeMatches or Hello of any maker's device. */
export interface Sighting extends Omit<Description, 'metadataVersion'> {
  readonly kind: 'match' | 'hello'
  /** Of the question, where it is an answer. */
  readonly relatesTo: string | undefined
}

/** All devices that a ProbeMatches, ResolveMatches or Hello names; none for any other message. */
export function readSightings(packet: Uint8Array): readonly Sighting[] {
  const message = readMessage(packet, { ...lenient, xmlElementsMax: limits.searchAnswerElementsMax })
  if (message?.body.namespace !== WS_DISCOVERY) return []
  const { header, body } = message
  const relatesTo = textOf(header, WS_ADDRESSING_2004, 'RelatesTo')
  const kind = body.name === 'Hello' ? 'hello' : 'match'
  const matches = kind === 'hello' ? [body] : body.children.filter(({ name }) => name === 'ProbeMatch' || name === 'ResolveMatch')
  return matches.flatMap(match => {
    const endpoint = endpointOf(match)
    const list = (name: string) => listOf(childOf(match, WS_DISCOVERY, name)?.text ?? '').map(detached)
    return endpoint ? [{ kind, relatesTo, endpoint: detached(endpoint), scopes: list('Scopes'), xaddrs: list('XAddrs') }] : []
  })
}

/** The blocks of the Header, and the one element of the Body. A block that we have to understand and do not is the end of it. */
function readMessage(packet: Uint8Array, bounds: XmlLimits): { header: XmlElement; body: XmlElement } | undefined {
  const envelope = parse(packet, bounds)
  if (envelope?.name !== 'Envelope' || envelope.namespace !== SOAP_ENVELOPE) return undefined
  const header = childOf(envelope, SOAP_ENVELOPE, 'Header')
  const [body, ...more] = childOf(envelope, SOAP_ENVELOPE, 'Body')?.children ?? []
  if (!header || !body || more.length > 0 || header.children.some(isForeign)) return undefined
  return { header, body }
}

function parse(packet: Uint8Array, bounds: XmlLimits): XmlElement | undefined {
  if (!isUtf8(packet)) return undefined
  try {
    return parseXml(Buffer.from(packet).toString('utf8'), bounds)
  } catch (error) {
    if (error instanceof XmlError) return undefined
    throw error
  }
}

function isForeign({ namespace, attributes }: XmlElement): boolean {
  if (namespace === WS_ADDRESSING_2004 || namespace === WS_DISCOVERY) return false
  return attributes.some(
    attribute => attribute.name === 'mustUnderstand' && attribute.namespace === SOAP_ENVELOPE && /^\s*(true|1)\s*$/.test(attribute.value),
  )
}

const childOf = ({ children }: XmlElement, namespace: string, name: string): XmlElement | undefined =>
  children.find(child => child.name === name && child.namespace === namespace)

const textOf = (parent: XmlElement, namespace: string, name: string): string | undefined => childOf(parent, namespace, name)?.text.trim()

const listOf = (text: string): readonly string[] => text.split(/[ \t\r\n]+/).filter(item => item !== '')

function endpointOf(parent: XmlElement): string | undefined {
  const reference = childOf(parent, WS_ADDRESSING_2004, 'EndpointReference')
  return reference && textOf(reference, WS_ADDRESSING_2004, 'Address')
}

/** The prefixes are those that every client knows (client-quirks 16), and each is declared at the top. */
const START = `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="${SOAP_ENVELOPE}" xmlns:a="${WS_ADDRESSING_2004}" xmlns:d="${WS_DISCOVERY}"`

function message(action: string, to: string, header: string, body: string, declared = ''): string {
  const blocks = `<a:MessageID>urn:uuid:${randomUUID()}</a:MessageID><a:To>${to}</a:To><a:Action>${WS_DISCOVERY}/${action}</a:Action>${header}`
  return `${START}${declared}><s:Header>${blocks}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
}

const TYPES = ` xmlns:tds="${DEVICE}"`

const sequenceBlock = ({ instanceId, messageNumber }: Sequence): string =>
  `<d:AppSequence InstanceId="${instanceId}" MessageNumber="${messageNumber}"/>`

const relation = (messageId: string): string => `<a:RelatesTo>${escapeText(messageId)}</a:RelatesTo>`

const reference = (endpoint: string): string => `<a:EndpointReference><a:Address>${escapeText(endpoint)}</a:Address></a:EndpointReference>`

/** Core 7.3.2: nothing of it may be left out, scopes that do not fit apart. tds:Device is all that a device without media is. */
function content({ endpoint, scopes, xaddrs, metadataVersion }: Description): string {
  const list = (items: readonly string[]) => escapeText(items.join(' '))
  return `${reference(endpoint)}<d:Types>tds:Device</d:Types><d:Scopes>${list(fitting(scopes))}</d:Scopes><d:XAddrs>${list(xaddrs)}</d:XAddrs><d:MetadataVersion>${metadataVersion}</d:MetadataVersion>`
}

/** In their order, as long as there is room. */
function fitting(scopes: readonly string[]): readonly string[] {
  let room: number = limits.discoveryScopesCharactersMax
  return scopes.filter(scope => {
    if (scope.length + 1 > room) return false
    room -= scope.length + 1
    return true
  })
}

export const writeHello = (description: Description, sequence: Sequence): string =>
  message('Hello', TO_EVERYBODY, sequenceBlock(sequence), `<d:Hello>${content(description)}</d:Hello>`, TYPES)

export const writeBye = (endpoint: string, sequence: Sequence): string =>
  message('Bye', TO_EVERYBODY, sequenceBlock(sequence), `<d:Bye>${reference(endpoint)}</d:Bye>`)

/** ProbeMatches or ResolveMatches, to whoever asked. */
export function writeMatch({ kind, messageId }: Question, description: Description, sequence: Sequence): string {
  const name = kind === 'probe' ? 'ProbeMatch' : 'ResolveMatch'
  const body = `<d:${name}es><d:${name}>${content(description)}</d:${name}></d:${name}es>`
  return message(`${name}es`, TO_THE_ASKER, relation(messageId) + sequenceBlock(sequence), body, TYPES)
}

/** Core 7.3.6. Short, because it is no more than a refusal. */
export function writeUnsupportedRule({ messageId }: Probe): string {
  const code = '<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>d:MatchingRuleNotSupported</s:Value></s:Subcode></s:Code>'
  const reason = '<s:Reason><s:Text xml:lang="en">the matching rule is not supported</s:Text></s:Reason>'
  const detail = `<s:Detail><d:SupportedMatchingRules>${[...rules.keys()].join(' ')}</d:SupportedMatchingRules></s:Detail>`
  return message('fault', TO_THE_ASKER, relation(messageId), `<s:Fault>${code}${reason}${detail}</s:Fault>`)
}

/** A Probe and its MessageID. A type is `tds:Device`, `dn:NetworkVideoTransmitter` or `{namespace}name`. */
export function writeProbe(types: readonly string[], scopes: readonly string[]): { readonly text: string; readonly messageId: string } {
  const prefixes = new Map([
    [DEVICE, 'tds'],
    [NETWORK, 'dn'],
  ])
  const names = types.map(type => {
    const [, namespace, name] = /^\{(.*)\}(.*)$/.exec(type) ?? []
    if (namespace === undefined) return type
    const prefix = prefixes.get(namespace) ?? `t${prefixes.size}`
    prefixes.set(namespace, prefix)
    return `${prefix}:${name}`
  })
  const declared = [...prefixes].map(([namespace, prefix]) => ` xmlns:${prefix}="${escapeText(namespace).replaceAll('"', '&quot;')}"`)
  const wanted =
    (names.length > 0 ? `<d:Types>${escapeText(names.join(' '))}</d:Types>` : '') + (scopes.length > 0 ? scopeList(scopes) : '')
  const text = message('Probe', TO_EVERYBODY, '', `<d:Probe>${wanted}</d:Probe>`, declared.join(''))
  return { text, messageId: /<a:MessageID>([^<]*)</.exec(text)?.[1] ?? '' }
}

const scopeList = (scopes: readonly string[]): string =>
  `<d:Scopes MatchBy="${WS_DISCOVERY}/rfc3986">${escapeText(scopes.join(' '))}</d:Scopes>`
