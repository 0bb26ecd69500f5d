import { type Call, functionName, type Handlers } from '../onvif/handlers.ts'
import type { AnyElement } from '../onvif/schema.ts'
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
    services: [
      serviceOf('tev', paths.events, async call => (await events['tev:GetServiceCapabilities']({}, call)).Capabilities),
      serviceOf('tas', paths.security, async call => (await security['tas:GetServiceCapabilities']({}, call)).Capabilities),
    ],
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

function serviceOf(prefix: 'tev' | 'tas', path: string, ask: (call: Call) => Promise<AnyElement['value']>): OtherService {
  return { prefix, path, capabilities: async call => ({ element: `${prefix}:Capabilities`, value: await ask(call) }) }
}
