import type { createDiscoveryMode } from '../../device/discoveryMode.ts'
import type { Firmware } from '../../device/firmware/firmware.ts'
import type { GeoLocations } from '../../device/geoLocations.ts'
import type { RemoteDiscovery } from '../../device/remoteDiscovery.ts'
import type { Scopes } from '../../device/scopes.ts'
import type { StorageConfigurations } from '../../device/storageConfigurations.ts'
import type { Handlers } from '../../onvif/handlers.ts'
import { capabilities } from './capabilities.ts'
import { certificates } from './certificates.ts'
import { dateTime } from './dateTime.ts'
import { discovery } from './discovery.ts'
import { firmware } from './firmware.ts'
import { geoLocation } from './geoLocation.ts'
import { io } from './io.ts'
import { network } from './network.ts'
import type { NetworkServiceSubjects } from './networkServices.ts'
import { isImplemented } from './notImplemented.ts'
import { remoteDiscovery } from './remoteDiscovery.ts'
import { type SecurityPolicySubjects, securityPolicy } from './securityPolicy.ts'
import { storage } from './storage.ts'
import { type SystemSubjects, system } from './system.ts'
import { type UserSubjects, users } from './users.ts'

export interface DeviceSubjects extends SystemSubjects, NetworkServiceSubjects, UserSubjects, SecurityPolicySubjects {
  readonly firmware: Firmware
  readonly scopes: Scopes
  readonly discoveryMode: ReturnType<typeof createDiscoveryMode>
  readonly geoLocations: GeoLocations
  readonly storageConfigurations: StorageConfigurations
  /** Only where the operator wants what ONVIF has withdrawn. */
  readonly remoteDiscovery: RemoteDiscovery | undefined
}

/** One handler for each operation of the Device service; capabilities last, because they are computed from the others. */
export function deviceHandlers(subjects: DeviceSubjects): Handlers {
  const others = {
    ...network(subjects),
    ...system(subjects),
    ...dateTime(subjects),
    ...firmware(subjects),
    ...discovery(subjects),
    ...geoLocation(subjects),
    ...users(subjects, isFunction),
    ...securityPolicy(subjects),
    ...io(subjects),
    ...storage(subjects),
    ...certificates(),
    ...remoteDiscovery(subjects),
  }
  const handlers = {
    ...others,
    ...capabilities({ ...subjects, has: operation => isImplemented(others[operation]) }),
  }
  return handlers

  /** Asked by a handler, when all of them are there. */
  function isFunction(name: string): boolean {
    const handler = Object.entries(handlers).find(([operation]) => `tds:${operation}` === name)
    return handler !== undefined && isImplemented(handler[1])
  }
}
