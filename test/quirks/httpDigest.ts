import { createHash, randomBytes } from 'node:crypto'
import type { Answer } from '../http/door.ts'
import type { Login } from '../support/device.ts'

export const challengesOf = ({ head }: Answer): string[] =>
  [...head.matchAll(/^WWW-Authenticate: (.*)$/gim)].map(([, line = '']) => line.trim())

interface Manner {
  readonly login: Login
  readonly uri?: string
  readonly count?: number
  /** `algorithm="MD5"` and `qop="auth"` in quotes, as PHP, gSOAP and requests write them. */
  readonly quoted?: boolean
}

/** The Authorization line that answers one challenge, RFC 7616 3.4. */
export function answerTo(challenge: string, { login, uri = '/onvif/device_service', count = 1, quoted = false }: Manner): string {
  const field = (name: string) => new RegExp(`\\b${name}="?([^",]+)`).exec(challenge)?.[1] ?? ''
  const algorithm = field('algorithm')
  const hash = (text: string) =>
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex')
  const [realm, nonce, cnonce, nc] = [field('realm'), field('nonce'), randomBytes(8).toString('hex'), count.toString(16).padStart(8, '0')]
  const response = hash(`${hash(`${login.name}:${realm}:${login.password}`)}:${nonce}:${nc}:${cnonce}:auth:${hash(`POST:${uri}`)}`)
  const mark = quoted ? '"' : ''
  return `Authorization: Digest username="${login.name}", realm="${realm}", nonce="${nonce}", uri="${uri}", cnonce="${cnonce}", nc=${nc}, algorithm=${mark}${algorithm}${mark}, response="${response}", qop=${mark}auth${mark}`
}
