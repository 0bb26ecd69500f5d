import type { createDiscoveryMode } from '../../device/discoveryMode.ts'
import type { Firmware } from '../../device/firmware/firmware.ts'
import type { GeoLocations } from '../../device/geoLocations.ts'
import type { RemoteDiscovery } from '../../device/remoteDiscovery.ts'
import type { Scopes } from '../../device/scopes.ts'
import type { StorageConfigurations } from '../../device/storageConfigurations.ts'
import type { HandlersOf } from '../../onvif/handlers.ts'
import { isImplemented } from '../notImplemented.ts'
import { capabilities, type Features } from './capabilities.ts'
import { type CertificateSubjects, certificates } from './certificates.ts'
import { dateTime } from './dateTime.ts'
import { discovery } from './discovery.ts'
import { firmware } from './firmware.ts'
import { geoLocation } from './geoLocation.ts'
import { io } from './io.ts'
import { network } from './network.ts'
import type { NetworkServiceSubjects } from './networkServices.ts'
import { remoteDiscovery } from './remoteDiscovery.ts'
import { type SecurityPolicySubjects, securityPolicy } from './securityPolicy.ts'
import { storage } from './storage.ts'
import { type SystemSubjects, system } from './system.ts'
import { type UserSubjects, users } from './users.ts'

export interface DeviceSubjects extends SystemSubjects, NetworkServiceSubjects, UserSubjects, SecurityPolicySubjects, CertificateSubjects {
  readonly firmware: Firmware
  readonly scopes: Scopes
  readonly discoveryMode: ReturnType<typeof createDiscoveryMode>
  readonly geoLocations: GeoLocations
  readonly storageConfigurations: StorageConfigurations
  /** TLS before 1.2, for peers that know nothing else. */
  readonly allowLegacy: boolean
  /** Only where the operator wants what ONVIF has withdrawn. */
  readonly remoteDiscovery: RemoteDiscovery | undefined
  /** Whether WS-Discovery runs. */
  readonly discovers: boolean
}

/** What the Device service tells of the rest of the house. */
type Surroundings = Pick<Features, 'services' | 'eventService' | 'isFunction'>

/** One handler for each operation of the Device service; capabilities last, because they are computed from the others. */
export function deviceHandlers(subjects: DeviceSubjects, surroundings: Surroundings): HandlersOf<'tds'> {
  const others = {
    ...network(subjects),
    ...system(subjects),
    ...dateTime(subjects),
    ...firmware(subjects),
    ...discovery(subjects),
    ...geoLocation(subjects),
    ...users(subjects, surroundings.isFunction),
    ...securityPolicy(subjects),
    ...io(subjects),
    ...storage(subjects),
    ...certificates(subjects),
    ...remoteDiscovery(subjects),
  }
  return { ...others, ...capabilities({ ...subjects, ...surroundings, has: operation => isImplemented(others[operation]) }) }
}
