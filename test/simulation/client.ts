import { SOAP_ENVELOPE } from '../../src/soap/namespaces.ts'
import { parseXml } from '../../src/soap/xml.ts'
import { authorizationOf, type DigestAnswer, nonceIn } from '../auth/support.ts'
import { child, type Login, token } from '../support/device.ts'
import type { Random } from '../support/random.ts'
import type { Life } from './life.ts'

export interface Answer {
  readonly status: number
  /** `NotAuthorized/…`, the first word of an upload's refusal, or nothing. */
  readonly reason: string
  readonly text: string
  readonly afterReply: () => Promise<void>
}

const origin = new URL('http://192.0.2.7:8080')
const target = '/onvif/device_service'
const namespaces =
  'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tas="http://www.onvif.org/ver10/advancedsecurity/wsdl"'

const envelope = (body: string, header: string): string =>
  `<s:Envelope xmlns:s="${SOAP_ENVELOPE}" ${namespaces}>${header && `<s:Header>${header}</s:Header>`}<s:Body>${body}</s:Body></s:Envelope>`

/** What somebody who listened on the network has of a request, and can send again. */
export type Credentials = { readonly header: string; readonly createdMs: number } | { readonly authorization: string }

/** Sends a message with these credentials, or with none. Every sender has an address of his own unless it is given. */
export async function send(life: Life, body: string, credentials: Credentials | undefined, remoteAddress: string): Promise<Answer> {
  const header = credentials && 'header' in credentials ? credentials.header : ''
  const authorization = credentials && 'authorization' in credentials ? credentials.authorization : undefined
  const {
    status,
    headers,
    body: sent,
    afterReply = async () => {},
  } = await life.service.handle({
    body: Buffer.from(envelope(body, header)),
    origin,
    remoteAddress,
    target,
    authorization,
  })
  const text = String(sent)
  const challenge = headers['www-authenticate']
  return {
    status,
    reason: status === 200 ? '' : faultOf(text),
    text: typeof challenge === 'object' ? (challenge[0] ?? '') : text,
    afterReply,
  }
}

function faultOf(text: string): string {
  const fault = parseXml(text).children.find(({ name }) => name === 'Body')?.children[0]
  const codes: string[] = []
  for (let code = fault && child(fault, 'Code'); code; code = child(code, 'Subcode'))
    codes.push(child(code, 'Value')?.text.replace(/^.*:/, '') ?? '')
  return codes.join('/')
}

/** A token of this moment by the clock of the device, `skewMs` beside it. */
export function tokenOf(life: Life, login: Login, random: Random, skewMs: number): Credentials {
  const createdMs = life.now().getTime() + skewMs
  return { header: token(login, new Date(createdMs).toISOString(), Buffer.from(random.bytes(16))), createdMs }
}

/** The answer to a challenge, which the device is asked for first. */
export async function digestOf(
  life: Life,
  { name, password }: Login,
  random: Random,
  use: Partial<DigestAnswer> = {},
): Promise<Credentials> {
  const { text } = await send(life, '<tds:GetUsers/>', undefined, addressOf(random))
  const cnonce = random.bytes(8).toString('hex')
  const header = authorizationOf({ user: name, password, nonce: nonceIn(text), cnonce, ...use })
  // As Node gives a header: a character for each byte.
  return { authorization: Buffer.from(header).toString('latin1') }
}

/** So many that nobody's wrong passwords slow down somebody else. */
export const addressOf = (random: Random): string => `10.${random.whole(0, 255)}.${random.whole(0, 255)}.${random.whole(1, 254)}`

export const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
