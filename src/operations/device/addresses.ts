import type { Call } from '../../onvif/handlers.ts'

/** Every path of the device that an answer names; the doors serve them. Tickets follow `upload` and `restore`. */
export const paths = {
  service: '/onvif/device_service',
  wsdl: '/onvif/wsdl/device.wsdl',
  upload: '/onvif/upload/',
  restore: '/onvif/restore/',
  systemLog: '/onvif/download/system.log',
  accessLog: '/onvif/download/access.log',
  supportInformation: '/onvif/download/support.tar',
  backup: '/onvif/download/backup',
} as const

/** Absolute, by the address that the client used, and always with the port: some clients cannot do without. */
export function addressOf(path: string, { origin: { protocol, hostname, port } }: Call): string {
  return `${protocol}//${hostname}:${port || (protocol === 'https:' ? 443 : 80)}${path}`
}

/** A span as xs:duration, in whole seconds and never too short. */
export const duration = (ms: number): string => `PT${Math.ceil(ms / 1000)}S`
