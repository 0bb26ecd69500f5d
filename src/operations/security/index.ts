import type { AuthorizationServers } from '../../device/authorizationServers.ts'
import type { Keystore } from '../../device/certificates/keystore.ts'
import type { Jwt } from '../../device/jwt.ts'
import type { HandlersOf } from '../../onvif/handlers.ts'
import type { Network } from '../../platform/platform.ts'
import { isImplemented } from '../notImplemented.ts'
import { authorizationServers } from './authorizationServers.ts'
import { certificatesAndPaths } from './certificatesAndPaths.ts'
import { dot1x } from './dot1x.ts'
import { jwt, withoutJwt } from './jwt.ts'
import { keys } from './keys.ts'
import { mediaSigning } from './mediaSigning.ts'
import { revocationAndPolicies } from './revocationAndPolicies.ts'
import { securityCapabilities } from './securityCapabilities.ts'
import { tlsServer } from './tlsServer.ts'
import { withoutTlsServer } from './withoutTlsServer.ts'

export interface SecuritySubjects {
  readonly keystore: Keystore
  readonly jwt: Jwt
  readonly authorizationServers: AuthorizationServers
  readonly network: Network
  /** Whether there is an HTTPS listener that follows `keystore.tls`. */
  readonly servesTls: boolean
  /** SHA-1, 3DES and TLS before 1.2, for peers that know nothing else. */
  readonly allowLegacy: boolean
}

/** One handler for each operation of the Security Configuration service; capabilities last, because they are computed from the others. */
export function securityHandlers(subjects: SecuritySubjects): HandlersOf<'tas'> {
  const { keystore, network, servesTls, allowLegacy } = subjects
  const others = {
    ...keys(keystore),
    ...certificatesAndPaths(keystore),
    ...revocationAndPolicies(keystore),
    ...(servesTls ? tlsServer(keystore) : withoutTlsServer),
    ...dot1x(keystore, network),
    ...authorizationServers(subjects.authorizationServers),
    ...(servesTls ? jwt(subjects.jwt) : withoutJwt),
    ...mediaSigning(),
  }
  return { ...others, ...securityCapabilities({ allowLegacy, has: operation => isImplemented(others[operation]) }) }
}
