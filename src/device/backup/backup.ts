import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { limits } from '../../limits.ts'
import type { Clock, Identity } from '../../platform/platform.ts'
import { deriveKey } from '../seal.ts'
import type { Store } from '../store.ts'
import type { ForeignKeys } from './foreignKeys.ts'
import { type Documents, migrate, schemaVersion } from './migrations.ts'

/** The file is no backup that this device can read; nothing has been changed. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
  /** `format`: it is something else; `signature`: changed, cut off, or made with another key; `content`: not for this device. */
  readonly reason: 'format' | 'signature' | 'content'

  constructor(reason: BackupError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

export interface BackupContent {
  /** In the present schema. */
  readonly documents: Documents
  /** What the secrets in the documents were sealed with. */
  readonly keys: readonly Buffer[]
}

interface Parts {
  readonly store: Store
  /** The 32 bytes of the device. */
  readonly key: Uint8Array
  /** What the operator gave: with it a backup opens on every device that has the same, without it on the one that made it. */
  readonly passphrase: string | undefined
  readonly foreignKeys: ForeignKeys
  readonly clock: Clock
  readonly identity: Identity
  /** Told of every backup that somebody has got. */
  readonly fetched?: () => void
}

export type Backup = ReturnType<typeof createBackup>

/**
 * The first line says what the file is, in which version, and what opens it: `onvifd backup 2 device`. Version 1 had no salt, and
 * its line ended with the number.
 */
const firstLine = /^onvifd backup (?<version>[0-9]{1,4})(?: (?<opener>device|passphrase))?\n/
const saltBytes = 16
const ivBytes = 12
const tagBytes = 16

/**
 * Everything that clients set, in one encrypted and authenticated file (Core 8.3.3): first line, salt, IV, AES-256-GCM over JSON,
 * tag. All that stands before the IV is authenticated with the rest. What belongs to the machine itself, its identity, clock
 * and firmware, is not in it.
 */
export function createBackup({ store, key, passphrase, foreignKeys, clock, identity, fetched = () => {} }: Parts) {
  async function keyFor(opener: string, salt: Uint8Array): Promise<Buffer> {
    if (opener === 'device') return deriveKey(key, 'backup')
    if (passphrase === undefined) throw new BackupError('signature', 'the backup needs the passphrase that it was made with')
    return stretch(passphrase, salt)
  }

  /** Version and opener by the first line; what is authenticated; and the rest of the file. */
  function read(file: Buffer) {
    const { 0: line = '', groups = {} } = firstLine.exec(file.toString('latin1', 0, 64)) ?? {}
    const version = Number(groups.version)
    const opener = version === 1 ? 'device' : (groups.opener ?? '')
    const start = line.length + (version === 1 ? 0 : saltBytes)
    const isKnown = (version === 1 && groups.opener === undefined) || (version === 2 && opener !== '')
    if (!isKnown || file.length < start + ivBytes + tagBytes)
      throw new BackupError('format', 'this is no backup of onvifd in a version that this device reads')
    return { version, opener, header: file.subarray(0, start), salt: file.subarray(line.length, start), rest: file.subarray(start) }
  }

  return {
    async make(): Promise<Buffer> {
      const opener = passphrase === undefined ? 'device' : 'passphrase'
      const salt = randomBytes(saltBytes)
      const header = Buffer.concat([Buffer.from(`onvifd backup 2 ${opener}\n`), salt])
      const fileKey = await keyFor(opener, salt)
      const content = {
        schema: schemaVersion,
        created: clock.now().toISOString(),
        serialNumber: identity.serialNumber,
        keys: foreignKeys.all().map(each => each.toString('base64')),
        documents: store.exportDocuments(),
      }
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', fileKey, iv).setAAD(header)
      return Buffer.concat([header, iv, cipher.update(JSON.stringify(content), 'utf8'), cipher.final(), cipher.getAuthTag()])
    },

    /** To be called when what `make` made has gone to a client. */
    fetched,

    /** Throws BackupError. */
    async open(file: Buffer): Promise<BackupContent> {
      const { version, opener, header, salt, rest } = read(file)
      const fileKey = await keyFor(opener, salt)
      const end = rest.length - tagBytes
      const decipher = createDecipheriv('aes-256-gcm', fileKey, rest.subarray(0, ivBytes), { authTagLength: tagBytes })
      decipher.setAAD(header).setAuthTag(rest.subarray(end))
      let text: string
      try {
        text = Buffer.concat([decipher.update(rest.subarray(ivBytes, end)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new BackupError('signature', 'the backup was changed or cut off, or made with another key', { cause })
      }
      try {
        return contentOf(JSON.parse(text), version)
      } catch (cause) {
        throw new BackupError('content', 'what the backup holds is not known to this device', { cause })
      }
    },
  }
}

function contentOf(content: unknown, version: number): BackupContent {
  if (typeof content !== 'object' || content === null) throw new Error('no content')
  const { documents, schema = version, keys = [] }: { documents?: unknown; schema?: unknown; keys?: unknown } = content
  if (typeof documents !== 'object' || documents === null || typeof schema !== 'number') throw new Error('no documents')
  if (!Array.isArray(keys) || keys.length > limits.foreignKeysMax + 1) throw new Error('no list of keys')
  return { documents: migrate({ ...documents }, schema), keys: keys.map(each => Buffer.from(String(each), 'base64')) }
}

/** RFC 7914: a tenth of a second, so that passphrases are guessed slowly. */
function stretch(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const cost = { N: limits.backupScryptCost, r: 8, p: 1, maxmem: 256 * limits.backupScryptCost * 8 }
  // As a person sees it: the same text may be typed as different code points.
  scrypt(passphrase.normalize('NFC'), salt, 32, cost, (error, derived) => (error ? reject(error) : resolve(derived)))
  return promise
}
