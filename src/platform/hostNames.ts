import { hostname, networkInterfaces } from 'node:os'

/** What clients on this network may call the machine: for a certificate that nobody else has given it. */
export function hostNames(listenAddress: string): readonly string[] {
  const isWildcard = listenAddress === '0.0.0.0' || listenAddress === '::'
  const addresses = Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    // A link-local address needs a zone, which no certificate can name.
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address)
  return [...new Set([hostname(), 'localhost', ...(isWildcard ? addresses : [listenAddress]), '127.0.0.1', '::1'])].filter(isName)
}

const isName = (text: string): boolean => /^(?=.{1,253}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text) || text.includes(':')
