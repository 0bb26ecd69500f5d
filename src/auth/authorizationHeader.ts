import { limits } from '../limits.ts'

/** The fields of `Authorization: Digest …` that a server has to look at, RFC 7616 3.4, unquoted. */
export interface DigestFields {
  readonly username: string
  readonly realm: string
  readonly nonce: string
  readonly uri: string
  /** As sent, in the case that the client likes; undefined means MD5. */
  readonly algorithm: string | undefined
  readonly qop: string
  /** Eight hexadecimal digits. */
  readonly nc: string
  readonly cnonce: string
  /** Hexadecimal, in lower case. */
  readonly response: string
}

/** One `name=value` or `name="value"`, with the commas before it (RFC 9110 5.6.1: empty elements are allowed). No two parts begin alike. */
const field = /[ \t,]*([!#$%&'*+.^`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^`|~\w-]+))[ \t]*(?=,|$)/y

/**
 * Fields as a client wrote them, in any order, quoted or not (PHP and gSOAP quote `algorithm` and `qop`). A header that a second
 * reader could understand differently is refused: the returned text says why.
 */
export function parseAuthorization(header: string): DigestFields | string {
  if (header.length > limits.authorizationCharactersMax) return 'the Authorization header is too long'
  const scheme = /^[ \t]*([!#$%&'*+.^`|~\w-]+)/.exec(header)
  if (scheme?.[1]?.toLowerCase() !== 'digest') return 'the Authorization header is not of the Digest scheme'
  const fields = fieldsOf(toUtf8(header), scheme[0].length)
  if (!fields) return 'the Authorization header is malformed'

  if (fields.get('userhash')?.toLowerCase() === 'true') return 'user names are not taken as hashes'
  const username = usernameOf(fields.get('username'), fields.get('username*'))
  const [realm, nonce, uri, response] = [fields.get('realm'), fields.get('nonce'), fields.get('uri'), fields.get('response')]
  if (username === undefined || realm === undefined || nonce === undefined || uri === undefined || response === undefined)
    return 'the Authorization header lacks a field'
  // RFC 2617 let both be absent: without a count there is nothing to tell a replay by.
  const [qop, nc, cnonce] = [fields.get('qop'), fields.get('nc'), fields.get('cnonce')]
  if (qop === undefined || nc === undefined || cnonce === undefined) return 'qop, nc and cnonce are required'
  if (!/^[0-9A-Fa-f]{8}$/.test(nc)) return 'nc has not 8 hexadecimal digits'
  if (!/^[0-9A-Fa-f]+$/.test(response)) return 'the response is not hexadecimal'
  return { username, realm, nonce, uri, algorithm: fields.get('algorithm'), qop, nc, cnonce, response: response.toLowerCase() }
}

/** Names in lower case; undefined for anything but a list of fields, each there once. */
function fieldsOf(header: string, start: number): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>()
  let end = start
  for (field.lastIndex = start; ; end = field.lastIndex) {
    const match = field.exec(header)
    if (!match) break
    const name = match[1]?.toLowerCase() ?? ''
    const quoted = match[2]
    if (fields.has(name)) return undefined
    fields.set(name, quoted === undefined ? (match[3] ?? '') : quoted.includes('\\') ? quoted.replace(/\\(.)/g, '$1') : quoted)
  }
  return /^[ \t,]*$/.test(header.slice(end)) ? fields : undefined
}

/** RFC 7616 3.4: one of the two, and the second as RFC 5987 has it, in UTF-8. */
function usernameOf(plain: string | undefined, extended: string | undefined): string | undefined {
  if (extended === undefined) return plain
  const value = /^utf-8'[A-Za-z0-9-]*'((?:[!#$&+.^`|~\w-]|%[0-9A-Fa-f]{2})*)$/i.exec(extended)?.[1]
  if (plain !== undefined || value === undefined) return undefined
  return Buffer.from(
    value.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8')
}

/** Node gives a header as Latin-1; clients write names beyond ASCII in UTF-8 (RFC 7616 4). */
function toUtf8(header: string): string {
  return /[\x80-\xff]/.test(header) && !/[^\x00-\xff]/.test(header) ? Buffer.from(header, 'latin1').toString('utf8') : header
}
