import { createHash, randomBytes } from 'node:crypto'
import type { Login } from '../support/device.ts'

/** The manner in which one client program writes its requests. */
export interface Dialect {
  /** Header lines besides Host and Content-Length. */
  readonly headers: (action: string) => readonly string[]
  /** The text of Created; the digest is over it. */
  readonly created: (now: Date) => string
  /** The Security block. */
  readonly security: (token: Token) => string
  /** The message around a Security block, which is '' for a bare request, and the element of the operation. */
  readonly envelope: (security: string, body: string, action: string) => string
  /** The element of the operation around its children. */
  readonly body: (operation: string, content: string) => string
}

export interface Token {
  readonly name: string
  readonly digest: string
  /** In base64. */
  readonly nonce: string
  readonly created: string
}

export interface Wishes {
  readonly host?: string
  readonly path?: string
  /** Undefined for a bare request. */
  readonly login?: Login | undefined
  /** What stands inside of the operation's element, in the prefixes of the client. */
  readonly content?: string
  readonly nonce?: Uint8Array
  readonly created?: string
  /** More header lines, an Authorization for one. */
  readonly headers?: readonly string[]
}

export const DEVICE = 'http://www.onvif.org/ver10/device/wsdl'
export const SCHEMA = 'http://www.onvif.org/ver10/schema'
export const SOAP = 'http://www.w3.org/2003/05/soap-envelope'
const SOAP_1_1 = 'http://schemas.xmlsoap.org/soap/envelope/'
const ADDRESSING = 'http://www.w3.org/2005/08/addressing'
const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'
const WSSE = `${WSS}-wssecurity-secext-1.0.xsd`
const WSU = `${WSS}-wssecurity-utility-1.0.xsd`
const DIGEST = `Type="${WSS}-username-token-profile-1.0#PasswordDigest"`
const BASE64 = `EncodingType="${WSS}-soap-message-security-1.0#Base64Binary"`

export function messageOf(dialect: Dialect, operation: string, { login, content = '', nonce = randomBytes(16), created }: Wishes): string {
  const action = `${DEVICE}/${operation}`
  const body = dialect.body(operation, content)
  if (!login) return dialect.envelope('', body, action)
  const at = created ?? dialect.created(new Date())
  const digest = createHash('sha1').update(nonce).update(at).update(login.password).digest('base64')
  const token = { name: login.name, digest, nonce: Buffer.from(nonce).toString('base64'), created: at }
  return dialect.envelope(dialect.security(token), body, action)
}

export function requestOf(dialect: Dialect, operation: string, wishes: Wishes): string {
  const message = messageOf(dialect, operation, wishes)
  const { host = 'device', path = '/onvif/device_service', headers = [] } = wishes
  return http(`POST ${path} HTTP/1.1`, [`Host: ${host}`, ...dialect.headers(`${DEVICE}/${operation}`), ...headers], message)
}

/** A whole request with its length, in the order of its lines. */
export const http = (requestLine: string, headers: readonly string[], body: string): string =>
  `${[requestLine, ...headers, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`

const milliseconds = (now: Date) => now.toISOString()
const seconds = (now: Date) => `${now.toISOString().slice(0, 19)}Z`
const offset = (now: Date) => `${now.toISOString().slice(0, 19)}+00:00`

const element =
  (prefix: string, declaration = '') =>
  (operation: string, content: string) =>
    content === '' ? `<${prefix}${operation}${declaration}/>` : `<${prefix}${operation}${declaration}>${content}</${prefix}${operation}>`

/** The usual order and namespaces of a token, which most clients have with one prefix or another. */
const usual =
  (more = '', attributes = '') =>
  ({ name, digest, nonce, created }: Token): string =>
    `<wsse:Security xmlns:wsse="${WSSE}" xmlns:wsu="${WSU}"${attributes}>${more}<wsse:UsernameToken><wsse:Username>${name}</wsse:Username><wsse:Password ${DIGEST}>${digest}</wsse:Password><wsse:Nonce ${BASE64}>${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security>`

const timestamp = (lifeMs: number): string =>
  `<wsu:Timestamp wsu:Id="Time"><wsu:Created>${seconds(new Date())}</wsu:Created><wsu:Expires>${seconds(new Date(Date.now() + lifeMs))}</wsu:Expires></wsu:Timestamp>`

/** npm onvif, and UniFi Protect, which has it inside. */
export const agsh: Dialect = {
  headers: action => [`Content-Type: application/soap+xml;charset=utf-8;action="${action}"`, 'charset: utf-8', 'Connection: close'],
  created: milliseconds,
  security: ({ name, digest, nonce, created }) =>
    `<Security s:mustUnderstand="1" xmlns="${WSSE}"><UsernameToken><Username>${name}</Username><Password ${DIGEST}>${digest}</Password><Nonce ${BASE64}>${nonce}</Nonce><Created xmlns="${WSU}">${created}</Created></UsernameToken></Security>`,
  envelope: (security, body) =>
    `<s:Envelope xmlns:s="${SOAP}" xmlns:a="${ADDRESSING}"><s:Header>${security}</s:Header><s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">${body}</s:Body></s:Envelope>`,
  body: element('', ` xmlns="${DEVICE}"`),
}

export const nodeOnvif: Dialect = {
  headers: () => ['Content-Type: application/soap+xml; charset=utf-8;', 'Connection: keep-alive'],
  created: milliseconds,
  security: usual('', ' s:mustUnderstand="1"'),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${SOAP}" xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><s:Header>${security}</s:Header><s:Body>${body}</s:Body></s:Envelope>`,
  body: element('tds:'),
}

export const nvt: Dialect = {
  ...nodeOnvif,
  security: token => usual(timestamp(10_000), ' s:mustUnderstand="1"')(token),
  envelope: (security, body, action) =>
    nodeOnvif.envelope(
      `<wsa5:Action xmlns:wsa5="${ADDRESSING}" s:mustUnderstand="1">${action}</wsa5:Action><wsa5:ReplyTo xmlns:wsa5="${ADDRESSING}"><wsa5:Address>${ADDRESSING}/anonymous</wsa5:Address></wsa5:ReplyTo>${security}`,
      body,
      action,
    ),
}

/** Declares two dozen namespaces, and indents even where nothing is. */
export const rx: Dialect = {
  headers: () => ['Content-Type: application/soap+xml; charset=utf-8;', 'Connection: keep-alive'],
  created: milliseconds,
  security: usual(),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n      <S11:Envelope xmlns:S11="${SOAP}" xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"${Array.from({ length: 22 }, (_, index) => ` xmlns:n${index}="urn:service:${index}"`).join('')}>\n        <S11:Header>${security}</S11:Header>\n        <S11:Body>\n          \n          ${body}\n        </S11:Body>\n      </S11:Envelope>`,
  body: element('tds:'),
}

export const nodeSoap: Dialect = {
  headers: action => [
    'User-Agent: node-soap/1.13.0',
    'Accept: text/html,application/xhtml+xml,application/xml,text/xml;q=0.9,*/*;q=0.8',
    'Accept-Encoding: none',
    'Accept-Charset: utf-8',
    'Connection: close',
    `Content-Type: application/soap+xml; charset=utf-8; action="${action}"`,
  ],
  created: seconds,
  security: ({ created, ...token }) =>
    usual(
      timestamp(600_000),
      ' soap:mustUnderstand="1"',
    )({ created, ...token }).replace('<wsse:UsernameToken>', `<wsse:UsernameToken wsu:Id="SecurityToken-${created}">`),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${SOAP}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><soap:Header>${security}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`,
  body: element('tds:'),
}

export const zeep: Dialect = {
  headers: action => [
    'User-Agent: Zeep/4.2.1 (www.python-zeep.org)',
    'Accept-Encoding: gzip, deflate',
    'Accept: */*',
    'Connection: keep-alive',
    `SOAPAction: "${action}"`,
    `Content-Type: application/soap+xml; charset=utf-8; action="${action}"`,
  ],
  created: offset,
  security: usual(),
  envelope: (security, body) =>
    `<?xml version='1.0' encoding='utf-8'?>\n<soap-env:Envelope xmlns:soap-env="${SOAP}"><soap-env:Header>${security}</soap-env:Header><soap-env:Body>${body}</soap-env:Body></soap-env:Envelope>`,
  body: element('ns0:', ` xmlns:ns0="${DEVICE}"`),
}

/** What Home Assistant and Frigate have inside. */
export const zeepAsync: Dialect = {
  ...zeep,
  envelope: (security, body, action) =>
    zeep.envelope(
      `<wsa:Action xmlns:wsa="${ADDRESSING}">${action}</wsa:Action><wsa:MessageID xmlns:wsa="${ADDRESSING}">urn:uuid:6e2f4c8e-0000-4000-8000-000000000000</wsa:MessageID><wsa:To xmlns:wsa="${ADDRESSING}">http://device/onvif/device_service</wsa:To>${security}`,
      body,
      action,
    ),
}

export const php: Dialect = {
  headers: action => [
    'Connection: Keep-Alive',
    'User-Agent: PHP-SOAP/8.2',
    'Accept-Encoding: gzip, deflate',
    `Content-Type: application/soap+xml; charset=utf-8; action="${action}"`,
  ],
  created: seconds,
  security: usual(),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="${SOAP}" xmlns:ns1="${DEVICE}">${security && `<env:Header>${security}</env:Header>`}<env:Body>${body}</env:Body></env:Envelope>\n`,
  body: element('ns1:'),
}

export const gsoap: Dialect = {
  headers: action => [
    'User-Agent: gSOAP/2.8',
    `Content-Type: application/soap+xml; charset=utf-8; action="${action}"`,
    'Accept-Encoding: gzip, deflate',
    'Connection: keep-alive',
    `SOAPAction: "${action}"`,
  ],
  created: seconds,
  security: token => usual(timestamp(10_000), ' SOAP-ENV:mustUnderstand="true"')(token),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV="${SOAP}" xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><SOAP-ENV:Header>${security}</SOAP-ENV:Header><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`,
  body: (operation, content) => `<tds:${operation}>${content}</tds:${operation}>`,
}

export const kdsoap: Dialect = {
  headers: action => [
    `Content-Type: application/soap+xml;charset=utf-8;action=${action}`,
    'Accept-Encoding: compress',
    'Connection: Keep-Alive',
    'User-Agent: Mozilla/5.0',
  ],
  created: seconds,
  security: ({ name, digest, nonce, created }) =>
    `<wsse:Security xmlns:wsse="${WSSE}" xmlns:wsu="${WSU}"><wsse:UsernameToken><wsse:Password ${DIGEST}>${digest}</wsse:Password><wsse:Nonce>${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created><wsse:Username>${name}</wsse:Username></wsse:UsernameToken></wsse:Security>`,
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="${SOAP}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:n1="${DEVICE}"><soap:Header>${security}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`,
  body: element('n1:'),
}

export const libonvif: Dialect = {
  headers: () => ['User-Agent: Generic', 'Connection: Close', 'Content-Type: application/soap+xml; charset=utf-8;'],
  created: milliseconds,
  security: usual('', ' SOAP-ENV:mustUnderstand="1"'),
  envelope: (security, body) =>
    `<SOAP-ENV:Envelope xmlns:SOAP-ENV="${SOAP}" xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}"><SOAP-ENV:Header>${security}</SOAP-ENV:Header><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`,
  body: element('tds:'),
}

export const zoneMinder: Dialect = {
  headers: action => [
    'TE: deflate,gzip;q=0.3',
    'Connection: TE, close',
    'Accept: text/xml, multipart/*, application/soap',
    'User-Agent: SOAP::WSDL 3.003',
    'Content-Type: text/xml; charset=utf-8',
    `SOAPAction: "${action}"`,
  ],
  created: seconds,
  security: ({ name, digest, nonce, created }) =>
    `<wsse:Security xmlns:wsse="${WSSE}" xmlns:wsu="${WSU}"><wsse:UsernameToken><wsse:Username>${name}</wsse:Username><wsse:Password ${DIGEST}>${digest}</wsse:Password><wsse:Nonce>${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security>`,
  envelope: (security, body) =>
    `<SOAP-ENV:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP-ENV="${SOAP}" ><SOAP-ENV:Header>${security}</SOAP-ENV:Header><SOAP-ENV:Body>${body}</SOAP-ENV:Body></SOAP-ENV:Envelope>`,
  body: element('', ` xmlns="${DEVICE}"`),
}

/** ZoneMinder's own default. */
export const zoneMinder11: Dialect = {
  ...zoneMinder,
  envelope: (security, body, action) => zoneMinder.envelope(security, body, action).replaceAll(SOAP, SOAP_1_1),
}

/** ONVIF Device Manager and iSpy on Mono: a byte-order mark before the message. */
export const wcf: Dialect = {
  headers: action => [
    'Content-Type: application/soap+xml; charset=utf-8',
    `SOAPAction: "${action}"`,
    'Expect: 100-continue',
    'Connection: close',
  ],
  created: milliseconds,
  security: usual('', ' s:mustUnderstand="1"'),
  envelope: (security, body) =>
    `\ufeff<s:Envelope xmlns:s="${SOAP}">${security && `<s:Header>${security}</s:Header>`}<s:Body xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${body}</s:Body></s:Envelope>`,
  body: element('', ` xmlns="${DEVICE}"`),
}

export const useGo: Dialect = {
  headers: () => ['User-Agent: Go-http-client/1.1', 'Content-Type: application/soap+xml; charset=utf-8', 'Accept-Encoding: gzip'],
  created: now => now.toISOString().replace('Z', '123456Z'),
  security: usual(),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="UTF-8"?><soap-env:Envelope xmlns:soap-env="${SOAP}" xmlns:soap-enc="http://www.w3.org/2003/05/soap-encoding" xmlns:tds="${DEVICE}" xmlns:onvif="${SCHEMA}"><soap-env:Header>${security}</soap-env:Header><soap-env:Body>${body}</soap-env:Body></soap-env:Envelope>`,
  body: (operation, content) => `<tds:${operation}>${content}</tds:${operation}>`,
}

/** Everything in the default namespace, which it declares on the Body and once more on what is in it. */
export const onvifGo: Dialect = {
  headers: () => ['User-Agent: Go-http-client/1.1', 'Content-Type: application/soap+xml; charset=utf-8', 'Accept-Encoding: gzip'],
  created: seconds,
  security: usual('', ` xmlns:s="${SOAP}" s:mustUnderstand="1"`),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<Envelope xmlns="${SOAP}">\n  <Header xmlns="${SOAP}">\n    ${security}\n  </Header>\n  <Body xmlns="${SOAP}">\n    ${body}\n  </Body>\n</Envelope>`,
  body: (operation, content) => `<tds:${operation} xmlns:tds="${DEVICE}" xmlns:tt="${SCHEMA}">\n      ${content}\n    </tds:${operation}>`,
}

export const onvifRs: Dialect = {
  headers: () => ['Content-Type: application/soap+xml; charset=utf-8;', 'Accept: */*'],
  created: milliseconds,
  security: usual(),
  envelope: (security, body) =>
    `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="${SOAP}">${security && `<s:Header>${security}</s:Header>`}<s:Body>${body}</s:Body></s:Envelope>`,
  body: element('tds:', ` xmlns:tds="${DEVICE}"`),
}

/** A message written by hand and sent by curl. */
export const curl: Dialect = {
  headers: () => ['User-Agent: curl/8.5.0', 'Accept: */*', 'Content-Type: application/x-www-form-urlencoded'],
  created: milliseconds,
  security: usual(),
  envelope: onvifRs.envelope,
  body: onvifRs.body,
}
