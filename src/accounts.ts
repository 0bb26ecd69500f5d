import { digestAlgorithms } from './auth/httpDigest.ts'
import { createAccessPolicy } from './device/accessPolicy.ts'
import { createAuthFailureWarning } from './device/authFailureWarning.ts'
import { createHashingAlgorithms } from './device/hashingAlgorithms.ts'
import { createPasswordPolicy } from './device/passwordPolicy.ts'
import { createRemoteUser } from './device/remoteUser.ts'
import type { Seal } from './device/seal.ts'
import type { Store } from './device/store.ts'
import { createUserRoles } from './device/userRoles.ts'
import { createUsers } from './device/users.ts'
import type { Permits } from './onvif/handlers.ts'
import type { Clock, Log } from './platform/platform.ts'

/** Who may log in, how, and what for. */
export function createAccounts({
  store,
  seal,
  clock,
  log,
  warned,
}: {
  readonly store: Store
  readonly seal: Seal
  readonly clock: Clock
  readonly log: Log
  /** Told that log-ins fail again and again, and where the latest came from. */
  readonly warned?: (remoteAddress: string) => void
}) {
  const passwordPolicy = createPasswordPolicy({ store })
  const { weaknessOf, remembered } = passwordPolicy
  const userRoles = createUserRoles({ store, isUsed: role => users.list().some(({ roles }) => roles?.includes(role)) })
  const users = createUsers({ store, seal, weaknessOf, remembered, roleExists: userRoles.exists })
  const accessPolicy = createAccessPolicy({ store })
  /** By the access policy, or by what the roles of a user of the level Extended open. */
  const permits: Permits = ({ level, roles = [] }, access, operation) =>
    level === 'Extended' ? userRoles.permit(roles, operation, of => accessPolicy.admits(access, of)) : accessPolicy.admits(access, level)
  return {
    users,
    userRoles,
    accessPolicy,
    permits,
    passwordPolicy,
    remoteUser: createRemoteUser({ store, seal }),
    authFailureWarning: createAuthFailureWarning({ store, clock, log, ...(warned && { warned }) }),
    hashingAlgorithms: createHashingAlgorithms({ store, supported: digestAlgorithms }),
  }
}
