import type { createDiscoveryMode } from '../../device/discoveryMode.ts'
import type { Scopes } from '../../device/scopes.ts'
import type { DateTime } from '../../device/time/dateTime.ts'
import type { Users } from '../../device/users.ts'
import type { Handlers } from '../../onvif/handlers.ts'
import { capabilities } from './capabilities.ts'
import { certificates } from './certificates.ts'
import { dateTime } from './dateTime.ts'
import { discovery } from './discovery.ts'
import { firmware } from './firmware.ts'
import { geoLocation } from './geoLocation.ts'
import { io } from './io.ts'
import { network } from './network.ts'
import { isImplemented } from './notImplemented.ts'
import { remoteDiscovery } from './remoteDiscovery.ts'
import { securityPolicy } from './securityPolicy.ts'
import { storage } from './storage.ts'
import { type SystemSubjects, system } from './system.ts'
import { users } from './users.ts'

export interface DeviceSubjects extends SystemSubjects {
  readonly users: Users
  readonly scopes: Scopes
  readonly discoveryMode: ReturnType<typeof createDiscoveryMode>
  readonly dateTime: DateTime
  /** The TCP port on which the device answers. */
  readonly httpPort: () => number
  /** Algorithms of HTTP Digest in the order in which they are offered. */
  readonly hashingAlgorithms: readonly string[]
}

/** One handler for each operation of the Device service; capabilities last, because they are computed from the others. */
export function deviceHandlers(subjects: DeviceSubjects): Handlers {
  const others = {
    ...network(subjects),
    ...system(subjects),
    ...dateTime(subjects),
    ...firmware(subjects),
    ...discovery(subjects),
    ...geoLocation(),
    ...users(subjects),
    ...securityPolicy(),
    ...io(),
    ...storage(),
    ...certificates(),
    ...remoteDiscovery(),
  }
  const { hashingAlgorithms } = subjects
  return {
    ...others,
    ...capabilities({ has: operation => isImplemented(others[operation]), hashingAlgorithms, network: subjects.network }),
  }
}
