import { limits } from '../limits.ts'
import { contract } from '../onvif/contract.generated.ts'
import { SoapFault } from '../onvif/faults.ts'
import type { Raw, RawElement } from '../onvif/schema.ts'
import { detached, escapeText } from './characters.ts'
import { isForUs } from './headerBlocks.ts'
import { WS_ADDRESSING } from './namespaces.ts'
import { writeRaw } from './raw.ts'
import type { XmlElement } from './xml.ts'

/** WS-Addressing 1.0 SOAP Binding, 6: of a fault of its own, and of every other. */
const ADDRESSING_FAULT = `${WS_ADDRESSING}/fault`
const OTHER_FAULT = `${WS_ADDRESSING}/soap/fault`
const ANONYMOUS = `${WS_ADDRESSING}/anonymous`
/** Nobody wants the answer. It goes out all the same, because HTTP has to say something. */
const NONE = `${WS_ADDRESSING}/none`

/** By these a message is told from others and answered. Of an action nothing is read: the element in the Body says what is wanted. */
export interface Addressing {
  /** Goes back as RelatesTo. */
  readonly messageId: string | undefined
  /** Header blocks that go with the answer, and with a fault, because the sender's addresses have them as parameters. */
  readonly reply: string
  readonly fault: string
}

/** The MessageID of a message. Throws the fault for one that cannot be answered. */
export function readMessageId(header: XmlElement): string | undefined {
  const id = onlyBlock(header, 'MessageID')?.text.trim()
  if (id !== undefined && id.length > limits.messageIdCharactersMax) throw invalid(['InvalidAddressingHeader'], 'MessageID', 'is too long')
  return id === undefined || id === '' ? undefined : detached(id)
}

/** Answers go to where the question came from and nowhere else: an address that says otherwise is refused, never followed. */
export function readAnswerBlocks(header: XmlElement): Pick<Addressing, 'reply' | 'fault'> {
  const reply = blocksOf(header, 'ReplyTo')
  return { reply: reply ?? '', fault: blocksOf(header, 'FaultTo') ?? reply ?? '' }
}

function blocksOf(header: XmlElement, name: string): string | undefined {
  const endpoint = onlyBlock(header, name)
  if (!endpoint) return undefined
  const address = addressed(endpoint, 'Address')?.text.trim()
  if (address === undefined) throw invalid(['InvalidAddressingHeader', 'MissingAddressInEPR'], name, 'has no Address')
  if (address !== ANONYMOUS && address !== NONE)
    throw invalid(['InvalidAddressingHeader', 'OnlyAnonymousAddressSupported'], name, 'is an address to which no answer goes')
  const parameters = addressed(endpoint, 'ReferenceParameters')?.children ?? []
  const blocks = referenceBlocks(parameters.map(xml => ({ xml })))
  if (blocks === undefined) throw invalid(['InvalidAddressingHeader'], name, 'has too many reference parameters')
  return blocks
}

/**
 * The header blocks that the reference parameters of an address become (WS-Addressing 1.0 Core, 3.3 and SOAP Binding, 2.3); undefined
 * where they are more than anybody needs. The text keeps nothing of the message that it came from; `prefixes` are those that the message
 * declares into which it goes.
 */
export function referenceBlocks(parameters: readonly Raw[] = [], prefixes = ofTheContract): string | undefined {
  let blocks = ''
  for (const { xml } of parameters) {
    blocks += writeRaw(marked(xml), prefixes)
    if (blocks.length > limits.referenceParametersCharactersMax) return undefined
  }
  return detached(blocks)
}

const ofTheContract: ReadonlyMap<string, string> = new Map(Object.entries(contract.namespaces))

const MARK = { namespace: WS_ADDRESSING, name: 'IsReferenceParameter', value: 'true' }

const marked = (element: RawElement): RawElement => ({
  ...element,
  attributes: [...element.attributes.filter(({ namespace, name }) => namespace !== MARK.namespace || name !== MARK.name), MARK],
})

/** The header of an answer. */
export function writeReplyHeader(action: string, { messageId, reply }: Addressing): string {
  return actionBlock(action) + relation(messageId) + reply
}

/** The header of a fault. */
export function writeFaultHeader({ subcodes }: SoapFault, { messageId, fault }: Addressing): string {
  return actionBlock(subcodes[0]?.startsWith('wsa:') ? ADDRESSING_FAULT : OTHER_FAULT) + relation(messageId) + fault
}

const actionBlock = (action: string): string => `<wsa:Action>${escapeText(action)}</wsa:Action>`

const relation = (messageId: string | undefined): string =>
  messageId === undefined ? '' : `<wsa:RelatesTo>${escapeText(messageId)}</wsa:RelatesTo>`

/** WS-Addressing 1.0 Core, 3.2: there is one of each at the most, for each role. */
function onlyBlock(header: XmlElement, name: string): XmlElement | undefined {
  const [block, ...more] = header.children.filter(each => each.name === name && each.namespace === WS_ADDRESSING && isForUs(each))
  if (more.length > 0) throw invalid(['InvalidAddressingHeader', 'InvalidCardinality'], name, 'is given more than once')
  return block
}

const addressed = ({ children }: XmlElement, name: string): XmlElement | undefined =>
  children.find(child => child.name === name && child.namespace === WS_ADDRESSING)

/** SOAP Binding, 6.4. */
function invalid(subcodes: readonly string[], header: string, problem: string): SoapFault {
  const detail = { element: 'wsa:ProblemHeaderQName', value: { $value: `wsa:${header}` } }
  return new SoapFault(
    'Sender',
    subcodes.map(name => `wsa:${name}`),
    `${header} ${problem}`,
    { detail },
  )
}
