import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticator } from '../auth/authenticate.ts'
import type { Caller } from '../onvif/handlers.ts'
import type { AccessClass } from '../onvif/operations.ts'
import type { OperationName } from '../onvif/types.generated.ts'
import { replyText, type Terms } from './reply.ts'
import { certificateNamesOf, isSecure, remoteAddressOf } from './request.ts'

/** A request as the app has it: `url` may be shortened by a router, `originalUrl` is the target as the client sent it. */
export interface AppRequest extends IncomingMessage {
  readonly originalUrl: string
}

/**
 * Who wants to send or fetch a file: what HTTP and TLS have for it (Core 5.9.1); a ticket in the URI is no
 * log-in. `operation` is the one that the file goes with. Answers 401 with challenges, and gives undefined, where nobody is logged
 * in or the caller may not do this.
 */
export async function logIn(
  door: Terms & { readonly authenticator: Authenticator },
  request: AppRequest,
  response: ServerResponse,
  access: Exclude<AccessClass, 'PRE_AUTH'>,
  operation: OperationName | undefined,
): Promise<Caller | undefined> {
  const verdict = await door.authenticator.authenticate({
    method: request.method ?? '',
    target: request.originalUrl,
    authorization: request.headers.authorization,
    token: undefined,
    remoteAddress: remoteAddressOf(request),
    isSecure: isSecure(request),
    certificateNames: certificateNamesOf(request),
  })
  if (verdict.kind === 'known' && door.authenticator.permits(verdict.caller, access, operation)) return verdict.caller
  const stale = verdict.kind === 'refused' && verdict.by === 'http' && verdict.stale
  const text = verdict.kind === 'known' ? `the level ${verdict.caller.level} may not do this` : 'log in with HTTP Digest'
  replyText(
    door,
    request,
    response,
    401,
    text,
    door.authenticator.challenges(stale, isSecure(request)).flatMap(challenge => ['WWW-Authenticate', challenge]),
  )
  return undefined
}
