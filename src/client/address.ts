import { isIPv6 } from 'node:net'

/** An address that nothing can be reached by; the message says what one looks like. */
export class AddressError extends Error {
  override readonly name = 'AddressError'
}

/** Core 5.1.1: where the Device service is, unless somebody says otherwise. */
const SERVICE_PATH = '/onvif/device_service'

/** Takes `host`, `host:port`, `http://host:port` and a full service URL, each also with an IPv6 address. Throws AddressError. */
export function parseServiceUrl(text: string): URL {
  const written = text.trim()
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${isIPv6(written) ? `[${written}]` : written}`
  if (!URL.canParse(whole)) throw new AddressError(`${JSON.stringify(text)} is no address: give a host, host:port or http://host:port/path`)
  const url = new URL(whole)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AddressError(`${url.protocol}// is not spoken by ONVIF devices: use http:// or https://`)
  if (url.username !== '' || url.password !== '') throw new AddressError('leave user and password out of the address: others can read it')
  if (url.pathname === '/') url.pathname = SERVICE_PATH
  url.hash = ''
  return url
}

/**
 * The addresses to try for a URI that the device at `service` gave, in this order: the URI as given; its port at the host that
 * answered us; the port, too, that answered us. Devices behind address translation, or with an outdated idea of their own
 * address, give a host that only they can reach. A loopback or unspecified address means the asking machine itself unless the
 * service was reached that way, so it is never tried as given.
 */
export function reachableAddresses(given: string, service: URL): readonly URL[] {
  const uri = URL.canParse(given, service.href) ? new URL(given, service.href) : undefined
  if (!uri || !/^https?:$/.test(uri.protocol))
    throw new AddressError(`the device gave ${JSON.stringify(given.slice(0, 200))}, which is no HTTP address`)
  const sameHost = withHost(uri, service.hostname, uri.port)
  const samePort = withHost(uri, service.hostname, uri.protocol === service.protocol ? service.port : uri.port)
  const candidates = isOwnMachine(uri.hostname) && !isOwnMachine(service.hostname) ? [sameHost, samePort] : [uri, sameHost, samePort]
  return candidates.filter((candidate, index) => candidates.findIndex(other => other.href === candidate.href) === index)
}

function withHost(uri: URL, hostname: string, port: string): URL {
  const moved = new URL(uri)
  moved.hostname = hostname
  moved.port = port
  return moved
}

function isOwnMachine(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/.test(hostname)
}
