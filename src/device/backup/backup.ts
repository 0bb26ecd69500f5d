import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Clock, Identity } from '../../platform/platform.ts'
import { deriveKey } from '../seal.ts'
import type { Store } from '../store.ts'
import { UploadRefusal } from '../upload.ts'

export type Documents = ReturnType<Store['exportDocuments']>

/** What the file is, and in which version: checked before anything else, and authenticated with all the rest. */
const header = Buffer.from('onvifd backup 1\n')
const ivBytes = 12
const tagBytes = 16

interface Parts {
  readonly store: Store
  /** The 32 bytes of the device: its backups open on this device alone. */
  readonly key: Uint8Array
  readonly clock: Clock
  readonly identity: Identity
}

export type Backup = ReturnType<typeof createBackup>

/**
 * Everything that clients set, in one encrypted and authenticated file (Core 8.3.3): header, IV, AES-256-GCM over JSON, tag.
 * What belongs to the machine itself, its identity, clock and firmware, is not in it.
 */
export function createBackup({ store, key, clock, identity }: Parts) {
  const backupKey = deriveKey(key, 'backup')
  return {
    make(): Buffer {
      const content = { created: clock.now().toISOString(), serialNumber: identity.serialNumber, documents: store.exportDocuments() }
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', backupKey, iv).setAAD(header)
      return Buffer.concat([header, iv, cipher.update(JSON.stringify(content), 'utf8'), cipher.final(), cipher.getAuthTag()])
    },

    /** The documents in a backup that this device made. Throws UploadRefusal 415 for everything else. */
    open(file: Buffer): Documents {
      if (file.length < header.length + ivBytes + tagBytes || !file.subarray(0, header.length).equals(header)) {
        throw new UploadRefusal(415, 'format', 'this is no backup of onvifd in the version that this device reads')
      }
      const [start, end] = [header.length + ivBytes, file.length - tagBytes]
      const decipher = createDecipheriv('aes-256-gcm', backupKey, file.subarray(header.length, start), { authTagLength: tagBytes })
      decipher.setAAD(header).setAuthTag(file.subarray(end))
      try {
        const text = Buffer.concat([decipher.update(file.subarray(start, end)), decipher.final()]).toString('utf8')
        return documentsOf(JSON.parse(text))
      } catch (cause) {
        throw new UploadRefusal(415, 'signature', 'the backup was changed or cut off, or another device made it', { cause })
      }
    },
  }
}

function documentsOf(content: unknown): Documents {
  if (typeof content !== 'object' || content === null) throw new Error('no content')
  const { documents }: { documents?: unknown } = content
  if (typeof documents !== 'object' || documents === null) throw new Error('no documents')
  return { ...documents }
}
