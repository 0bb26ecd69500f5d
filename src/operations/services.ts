import { functionName, type Handlers, type HandlersOf } from '../onvif/handlers.ts'
import { paths } from './device/addresses.ts'
import type { OtherService } from './device/capabilities.ts'
import { type DeviceSubjects, deviceHandlers } from './device/index.ts'
import { legacyCapabilities } from './events/eventProperties.ts'
import { type EventSubjects, eventHandlers } from './events/index.ts'
import { isImplemented } from './notImplemented.ts'
import { type SecuritySubjects, securityHandlers } from './security/index.ts'

export interface Subjects extends DeviceSubjects, SecuritySubjects, EventSubjects {}

/** One handler for each operation of every service. */
export function createHandlers(subjects: Subjects): Handlers {
  const security = securityHandlers(subjects)
  const events = eventHandlers(subjects)
  const device = deviceHandlers(subjects, {
    services: [eventService(events), securityService(security)],
    eventService: legacyCapabilities,
    isFunction,
  })
  const handlers: Handlers = { ...device, ...events, ...security }
  return handlers

  /** Whether the device has what a role calls `tds:GetUsers`. Asked by a handler, when all of them are there. */
  function isFunction(name: string): boolean {
    const found = Object.entries(handlers).find(([operation]) => functionName(operation) === name)
    return found !== undefined && isImplemented(found[1])
  }
}

const eventService = (handlers: HandlersOf<'tev'>): OtherService => ({
  prefix: 'tev',
  path: paths.events,
  async capabilities(call) {
    const { Capabilities } = await handlers['tev:GetServiceCapabilities']({}, call)
    return { element: 'tev:Capabilities', value: Capabilities }
  },
})

const securityService = (handlers: HandlersOf<'tas'>): OtherService => ({
  prefix: 'tas',
  path: paths.security,
  async capabilities(call) {
    const { Capabilities } = await handlers['tas:GetServiceCapabilities']({}, call)
    return { element: 'tas:Capabilities', value: Capabilities }
  },
})
