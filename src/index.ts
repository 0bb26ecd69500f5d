/** onvifd as a library: a device in your process, and a client for every device. */
export type { DeviceEvent, EventValue } from './client/deviceEvent.ts'
export { type WatchOptions, watchEvents } from './client/events.ts'
export { connect, type OnvifClient } from './client/onvifClient.ts'
export { ConfigError } from './config.ts'
export { createDevice, type Device, type DeviceOptions } from './createDevice.ts'
export type { OperationName, Operations } from './onvif/types.generated.ts'
export type { AntiRollbackStore } from './platform/platform.ts'
export type { SoapAnswer, SoapRequest } from './soap/message.ts'
