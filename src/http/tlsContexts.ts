import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { TlsIdentity, TlsSettings } from '../device/certificates/tlsServer.ts'

/** What handshakes from now on are made with. */
export interface TlsContexts {
  /** For a client that names no host, or one that nobody here has. */
  readonly options: SecureContextOptions
  /** By the host name of SNI (RFC 6066 3); undefined where the first one is meant. */
  find(hostName: string): SecureContext | undefined
  /** Whether any of the certificates has this name or address. */
  isNamed(hostName: string): boolean
  readonly client: TlsSettings['client']
}

/** Forward secrecy and authenticated encryption, and nothing else (Security Baseline, annex A). */
const modern = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
]

/** What TLS 1.0 and 1.1 know; OpenSSL has them at its lowest level of security alone, because of SHA-1 in their handshake. */
const old = ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA', 'AES128-SHA', '@SECLEVEL=0']

/** No tickets, whose key would undo forward secrecy; no renegotiation; no compression. */
const hardened = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION

const versionSwitches = {
  '1.0': constants.SSL_OP_NO_TLSv1,
  '1.1': constants.SSL_OP_NO_TLSv1_1,
  '1.2': constants.SSL_OP_NO_TLSv1_2,
  '1.3': constants.SSL_OP_NO_TLSv1_3,
} as const

/** Undefined where there is no certificate to show. Throws where OpenSSL does not take what is assigned. */
export function makeContexts({ identities, versions, client }: TlsSettings): TlsContexts | undefined {
  const [first, ...others] = identities
  if (!first) return undefined
  const isOld = versions.includes('1.0') || versions.includes('1.1')
  const switchedOff = Object.entries(versionSwitches).filter(([version]) => !versions.some(enabled => enabled === version))
  const common: SecureContextOptions = {
    ciphers: [...modern, ...(isOld ? old : [])].join(':'),
    honorCipherOrder: true,
    // The switches decide: they can say "1.1 and 1.3", too. A version that is off ends with the alert protocol_version.
    minVersion: isOld ? 'TLSv1' : 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    secureOptions: switchedOff.reduce((all, [, bit]) => all | bit, hardened),
    // The names of these go to the client, so that it finds the certificate that is meant.
    ca: [...client.anchorsPem],
  }
  const optionsOf = ({ keyPem, chainPem }: TlsIdentity): SecureContextOptions => ({ ...common, key: keyPem, cert: chainPem })
  const byName = new Map<string, SecureContext>()
  for (const identity of others) {
    const context = createSecureContext(optionsOf(identity))
    for (const name of identity.hostNames) {
      // What was assigned first is for whoever is named in both.
      if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), context)
    }
  }
  for (const name of first.hostNames) byName.delete(name.toLowerCase())
  const names = new Set(identities.flatMap(({ hostNames }) => hostNames.map(name => name.toLowerCase())))
  const options = optionsOf(first)
  createSecureContext(options)
  return {
    options,
    client,
    isNamed: hostName => names.has(hostName.replace(/^\[|\]$/g, '')) || names.has(wildcardOf(hostName)),
    find(hostName) {
      const name = hostName.toLowerCase()
      const isFirst = first.hostNames.some(each => each.toLowerCase() === name)
      return isFirst ? undefined : (byName.get(name) ?? byName.get(wildcardOf(name)))
    },
  }
}

/** RFC 6125 6.4.3: an asterisk is the whole of the leftmost label. */
const wildcardOf = (name: string): string => name.replace(/^[^.]+/, '*')
