import type { Call } from '../../onvif/handlers.ts'

/** Every path of the device; the doors serve them. Tickets follow `upload` and `restore`, the ID of a subscription `subscription`. */
export const paths = {
  service: '/onvif/device_service',
  security: '/onvif/security_service',
  events: '/onvif/event_service',
  subscription: '/onvif/subscription/',
  wsdl: '/onvif/wsdl/device.wsdl',
  upload: '/onvif/upload/',
  restore: '/onvif/restore/',
  systemLog: '/onvif/download/system.log',
  accessLog: '/onvif/download/access.log',
  supportInformation: '/onvif/download/support.tar',
  backup: '/onvif/download/backup',
  /** How an upgrade stands; an order to it is a path below. Not ONVIF's: `onvifd firmware` asks here. */
  firmware: '/onvif/firmware',
  firmwareHistory: '/onvif/firmware/history',
} as const

/** Scheme, host and port as text, always with the port: some clients cannot do without, even if it is 80. */
export const baseOf = ({ protocol, hostname, port }: URL): string =>
  `${protocol}//${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`

/** Absolute, by the name or address of the device that the call came to. */
export const addressOf = (path: string, { origin }: Call): string => baseOf(origin) + path
