import { limits } from '../limits.ts'

/**
 * Whether a client may set this as the address of a server that will be shown a secret or a token: HTTPS (RFC 6749 3.2, RFC 6750 5.3),
 * in the characters of RFC 3986, so that it is what it looks like, and without a log-in, which has a place of its own.
 */
export function isHttpsAddress(text: string): boolean {
  if (text.length > limits.uriCharactersMax || !/^[\x21-\x7e]+$/.test(text)) return false
  return /^https:\/\/[^/?#@\\]+(?:[/?][^#\\]*)?$/i.test(text) && URL.canParse(text)
}
