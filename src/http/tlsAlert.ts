import { createCipheriv, createHmac } from 'node:crypto'

/** RFC 8446 6, RFC 5246 7.2. */
export const alerts = {
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  revoked: 44,
  expired: 45,
  unknownCa: 48,
  certificateRequired: 116,
} as const

export type Alert = keyof typeof alerts

const fatal = 2
const alertType = 21
const applicationDataType = 23
const tagBytes = 16

/** The record with which a server ends a handshake before the keys are in use, for TLS before 1.3 (RFC 5246 6.2.1). */
export function plainAlert(alert: Alert, protocol: string): Buffer {
  const minor = { TLSv1: 1, 'TLSv1.1': 2 }[protocol] ?? 3
  return Buffer.from([alertType, 3, minor, 0, 2, fatal, alerts[alert]])
}

/** The suites of TLS 1.3 that the device offers, by their standard names. */
const suites: Readonly<Record<string, { readonly cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'; readonly digest: string }>> =
  {
    TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', digest: 'sha256' },
    TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', digest: 'sha384' },
    TLS_CHACHA20_POLY1305_SHA256: { cipher: 'chacha20-poly1305', digest: 'sha256' },
  }

/**
 * The same for TLS 1.3, where an alert after the server's Finished is encrypted with the server's application keys (RFC 8446 5.2):
 * the first record under them, so its sequence number is zero. `secret` is server_application_traffic_secret_0.
 */
export function encryptedAlert(alert: Alert, suite: string, secret: Uint8Array): Buffer | undefined {
  const known = suites[suite]
  if (!known) return undefined
  const { cipher, digest } = known
  const key = expandLabel(digest, secret, 'key', cipher === 'aes-128-gcm' ? 16 : 32)
  // Sequence number zero leaves the static IV as it is (RFC 8446 5.3).
  const iv = expandLabel(digest, secret, 'iv', 12)
  const inner = Buffer.from([fatal, alerts[alert], alertType])
  const head = Buffer.from([applicationDataType, 3, 3, 0, inner.length + tagBytes])
  // Node types the two kinds of cipher apart.
  const sealing =
    cipher === 'chacha20-poly1305'
      ? createCipheriv(cipher, key, iv, { authTagLength: tagBytes })
      : createCipheriv(cipher, key, iv, { authTagLength: tagBytes })
  sealing.setAAD(head, { plaintextLength: inner.length })
  return Buffer.concat([head, sealing.update(inner), sealing.final(), sealing.getAuthTag()])
}

/** HKDF-Expand-Label with an empty context (RFC 8446 7.1); what is asked for here fits into one block of the hash. */
function expandLabel(digest: string, secret: Uint8Array, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`)
  const info = Buffer.concat([Buffer.from([0, bytes, name.length]), name, Buffer.from([0, 1])])
  return createHmac(digest, secret).update(info).digest().subarray(0, bytes)
}
