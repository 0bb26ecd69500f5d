import { contract } from '../../src/onvif/contract.generated.ts'
import { SOAP_ENVELOPE, WS_SECURITY, WS_SECURITY_UTILITY } from '../../src/soap/namespaces.ts'

const digest = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest'

/** A SOAP 1.2 message with the usual prefixes. */
export function message(body: string, header = ''): Uint8Array {
  const { tds, tt } = contract.namespaces
  return Buffer.from(
    `<s:Envelope xmlns:s="${SOAP_ENVELOPE}" xmlns:tds="${tds}" xmlns:tt="${tt}" xmlns:wsse="${WS_SECURITY}" xmlns:wsu="${WS_SECURITY_UTILITY}">` +
      `${header && `<s:Header>${header}</s:Header>`}<s:Body>${body}</s:Body></s:Envelope>`,
  )
}

/** One with a UsernameToken such as most clients send; its parts may be replaced. */
export function tokenMessage({
  body = '<tds:GetUsers/>',
  username = 'admin',
  nonce = 'bm9uY2Ugb2YgbWluZQ==',
  created = '2026-11-21T11:00:00.000Z',
}): Uint8Array {
  return message(
    body,
    `<wsse:Security s:mustUnderstand="1"><wsse:UsernameToken><wsse:Username>${username}</wsse:Username>` +
      `<wsse:Password Type="${digest}">tuOSpGlFlIXsozq4HFNeeGeFLEI=</wsse:Password>` +
      `<wsse:Nonce>${nonce}</wsse:Nonce><wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security>`,
  )
}
