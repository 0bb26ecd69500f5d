import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

export const user = 'admin'
export const password = 'Correct-horse-7'

const namespaces =
  'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"'

export const soap = (body: string) => `<?xml version="1.0"?><s:Envelope ${namespaces}><s:Body>${body}</s:Body></s:Envelope>`

export const faultXml = (code: string, subcodes: readonly string[], reason: string) =>
  soap(
    `<s:Fault><s:Code><s:Value>s:${code}</s:Value>${subcodes.map(name => `<s:Subcode><s:Value>ter:${name}</s:Value>`).join('')}${'</s:Subcode>'.repeat(subcodes.length)}</s:Code><s:Reason><s:Text xml:lang="en">${reason}</s:Text></s:Reason></s:Fault>`,
  )

export const information = (version = '1.0.0') =>
  soap(
    `<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer><tds:Model>A1</tds:Model><tds:FirmwareVersion>${version}</tds:FirmwareVersion><tds:SerialNumber>7</tds:SerialNumber><tds:HardwareId>rev-b</tds:HardwareId></tds:GetDeviceInformationResponse>`,
  )

export const clock = (utc = new Date()) =>
  soap(
    `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time><tt:Hour>${utc.getUTCHours()}</tt:Hour><tt:Minute>${utc.getUTCMinutes()}</tt:Minute><tt:Second>${utc.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${utc.getUTCFullYear()}</tt:Year><tt:Month>${utc.getUTCMonth() + 1}</tt:Month><tt:Day>${utc.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`,
  )

export interface Asked {
  readonly request: IncomingMessage
  /** Of a SOAP message: local name of the element in the Body. */
  readonly operation: string
  readonly body: string
}

export interface StandIn {
  readonly url: string
  readonly port: number
  /** What was asked so far. */
  readonly asked: readonly Asked[]
  readonly server: ReturnType<typeof createServer>
}

export type Answerer = (asked: Asked, response: ServerResponse) => void

/** A device on loopback that answers as the test says; it ends with the test. */
export async function startStandIn(t: TestContext, answer: Answerer): Promise<StandIn> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => '')
    const operation = /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(body)?.[1] ?? ''
    const entry = { request, operation, body }
    asked.push(entry)
    answer(entry, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/onvif/device_service`, port, asked, server }
}

export function reply(response: ServerResponse, status: number, body: string, headers: Record<string, string | string[]> = {}): void {
  response.writeHead(status, { 'content-type': 'application/soap+xml; charset=utf-8', ...headers }).end(body)
}

export const refusal = faultXml('Sender', ['NotAuthorized'], 'Sender not authorized')

/** The device's side of Digest, written apart from ours: nonces with their highest count, one algorithm. */
export function createDigestGate(algorithm: 'MD5' | 'SHA-256', scheme = algorithm === 'MD5' ? 'md5' : 'sha256') {
  const counts = new Map<string, number>()
  const hash = (value: string) => createHash(scheme).update(value).digest('hex')

  function challenge(stale = false): string {
    const nonce = randomBytes(8).toString('hex')
    counts.set(nonce, 0)
    return `Digest realm="stand-in, \\"one\\"", qop="auth,auth-int", nonce="${nonce}", opaque="0p4que", algorithm=${algorithm}${stale ? ', stale=true' : ''}`
  }

  return {
    challenge,
    forget: () => counts.clear(),
    /** Whether the request carries a good answer; `stale` where only the nonce is unknown. */
    check({ request }: Asked): 'good' | 'stale' | 'bad' | 'none' {
      const header = request.headers.authorization ?? ''
      if (!header.startsWith('Digest ')) return 'none'
      const field = (name: string) => new RegExp(`[ ,]${name}="?((?:[^",\\\\]|\\\\.)*)"?`).exec(header)?.[1]?.replace(/\\(.)/g, '$1') ?? ''
      const realm = /realm="((?:[^"\\]|\\.)*)"/.exec(header)?.[1]?.replace(/\\(.)/g, '$1') ?? ''
      const [nonce, nc] = [field('nonce'), field('nc')]
      const response = hash(
        `${hash(`${field('username')}:${realm}:${password}`)}:${nonce}:${nc}:${field('cnonce')}:auth:${hash(`${request.method}:${request.url}`)}`,
      )
      if (response !== field('response') || field('username') !== user || field('opaque') !== '0p4que' || field('uri') !== request.url)
        return 'bad'
      const last = counts.get(nonce)
      const count = Number.parseInt(nc, 16)
      if (last === undefined || count <= last) return 'stale'
      counts.set(nonce, count)
      return 'good'
    },
  }
}

/** The device's side of a UsernameToken, by a clock that may be wrong. */
export function checkToken(body: string, now: () => Date): boolean {
  const field = (name: string) => new RegExp(`<wsse:${name}(?: [^>]*)?>([^<]*)<`).exec(body)?.[1] ?? ''
  const created = /<wsu:Created>([^<]*)</.exec(body)?.[1] ?? ''
  const digest = createHash('sha1')
    .update(Buffer.from(field('Nonce'), 'base64'))
    .update(created + password)
    .digest('base64')
  return digest === field('Password') && field('Username') === user && Math.abs(now().getTime() - Date.parse(created)) < 5_000
}
