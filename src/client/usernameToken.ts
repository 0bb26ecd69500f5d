import { createHash, randomBytes } from 'node:crypto'
import { escapeText } from '../soap/characters.ts'

const profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss'

/**
 * The Security header with a PasswordDigest token (WSS UsernameToken Profile 1.0, Core 5.9.5). `created` is the time by the
 * device's clock: a token too old or too new for it is refused.
 */
export function securityHeader(user: string, password: string, created: Date, nonce: Uint8Array = randomBytes(16)): string {
  const time = created.toISOString()
  return (
    `<wsse:Security xmlns:wsse="${profile}-wssecurity-secext-1.0.xsd" xmlns:wsu="${profile}-wssecurity-utility-1.0.xsd">` +
    `<wsse:UsernameToken><wsse:Username>${escapeText(user)}</wsse:Username>` +
    `<wsse:Password Type="${profile}-username-token-profile-1.0#PasswordDigest">${passwordDigest(nonce, time, password)}</wsse:Password>` +
    `<wsse:Nonce EncodingType="${profile}-soap-message-security-1.0#Base64Binary">${Buffer.from(nonce).toString('base64')}</wsse:Nonce>` +
    `<wsu:Created>${time}</wsu:Created></wsse:UsernameToken></wsse:Security>`
  )
}

/** Over the text of Created as sent, not the time that it means. */
export function passwordDigest(nonce: Uint8Array, created: string, password: string): string {
  return createHash('sha1').update(nonce).update(created).update(password).digest('base64')
}
