import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Keeps secrets unreadable at rest (AES-256-GCM, NIST SP 800-38D). */
export interface Seal {
  /** Text for the store; twice the same secret gives two texts. `context` says whose secret it is, such as `user:admin`. */
  seal(plain: string, context: string): string
  /** Throws where the text was changed, was sealed with another key, or belongs to another context. */
  open(sealed: string, context: string): string
}

const version = 1
const ivBytes = 12
const tagBytes = 16

/** What a device seals with: enough to open its secrets, and not to know its key. */
export const sealingKeyOf = (key: Uint8Array): Buffer => deriveKey(key, 'seal')

/**
 * `key`: the 32 bytes of the device. The caller reads them; nothing here touches a file. `foreign`: sealing keys of other devices,
 * whose secrets are opened as well.
 */
export function createSeal(key: Uint8Array, foreign: () => readonly Uint8Array[] = () => []): Seal {
  const sealing = sealingKeyOf(key)
  return {
    seal(plain, context) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(Buffer.from(context))
      const body = [cipher.update(plain, 'utf8'), cipher.final()]
      return Buffer.concat([Buffer.of(version), iv, cipher.getAuthTag(), ...body]).toString('base64url')
    },

    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url')
      const start = 1 + ivBytes + tagBytes
      if (bytes[0] !== version || bytes.length < start) throw new Error('this is no sealed secret')
      for (const each of [sealing, ...foreign()]) {
        const decipher = createDecipheriv('aes-256-gcm', each, bytes.subarray(1, 1 + ivBytes), { authTagLength: tagBytes })
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(1 + ivBytes, start))
        try {
          return Buffer.concat([decipher.update(bytes.subarray(start)), decipher.final()]).toString('utf8')
        } catch {
          // The next one may be the right one.
        }
      }
      throw new Error('a secret was changed, or sealed with the key of another device')
    },
  }
}

/** A 32-byte key for one purpose, from which nobody gets back to the device's key or to another purpose's (RFC 5869). */
export function deriveKey(key: Uint8Array, purpose: string): Buffer {
  if (key.length !== 32) throw new RangeError(`a device key has 32 bytes, not ${key.length}`)
  return Buffer.from(hkdfSync('sha256', key, '', `onvifd ${purpose}`, 32))
}
