import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { limits } from '../../limits.ts'
import { BackendError, type Log, type RecordState, type SlotId, type SlotInfo, type Storage } from '../../platform/platform.ts'
import { createReserve } from './reserve.ts'

interface Parts {
  readonly storage: Storage
  /** Where the journal of upgrades is. */
  readonly folder: string
  /** The file that holds the settings; nobody may have it open while `reconcile` runs. */
  readonly databaseFile: string
  /** Takes over from the present file, the first, into the one that is put back what belongs to the machine and never goes back. */
  readonly carry: (present: string, restored: string) => void
  readonly log: Log
}

/** Whose settings these are, of which upgrade, and what the rest of the file has to be. */
interface Head {
  readonly slot: SlotId
  readonly transaction: string
  readonly sha256: string
}

/**
 * The settings as they were before a new image was activated. A slot always runs on settings that its own software wrote: once the
 * new image has started, what it made of them is worth nothing to the old one, which gets its own back. Where the new image is
 * kept, its settings are, too.
 *
 * The file has two names. As `settings.kept` nothing has happened to the settings since; it is renamed to `settings.used`, for good,
 * before a new image opens them. Only a used one is ever put back. It holds a line (CRC-32 and JSON) and the database.
 */
export function createSettingsSnapshot({ storage, folder, databaseFile, carry, log }: Parts) {
  const kept = join(folder, 'settings.kept')
  const used = join(folder, 'settings.used')
  const unfinished = `${kept}.new`
  const restored = `${databaseFile}.restored`
  const reserve = createReserve(storage, folder)

  /** Tells whether there was one; its absence is durable only after the next sync of the folder. */
  async function remove(path: string): Promise<boolean> {
    if (!(await storage.exists(path))) return false
    await storage.unlink(path)
    return true
  }

  async function removeForGood(...paths: readonly string[]): Promise<void> {
    let any = false
    for (const path of paths) any = (await remove(path)) || any
    if (any) await storage.fsyncDir(folder)
  }

  /** Undefined where there is none. One that cannot be read is taken away: what it was made for is over, sooner or later. */
  async function headOf(path: string): Promise<Head | undefined> {
    if (!(await storage.exists(path))) return undefined
    try {
      return (await readHead(storage, path)).head
    } catch (error) {
      log.error({ error, path }, 'the snapshot of the settings is damaged: the present settings stay')
      await removeForGood(path)
      return undefined
    }
  }

  /** False where the snapshot does not hold what it should; nothing has changed then. */
  async function putBack(): Promise<boolean> {
    for (const path of withLogs(restored)) await remove(path)
    try {
      // A full disk must not keep the old slot from its settings: without them it may not start at all.
      await reserve.spend(() => copyContent(storage, used, restored))
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error
      log.error({ error, path: used }, 'the snapshot of the settings is damaged: the present settings stay')
      await remove(restored)
      return false
    }
    try {
      carry(databaseFile, restored)
    } catch (error) {
      log.warn({ error }, 'what belongs to the machine goes back with its settings: the present ones cannot be read')
      for (const path of withLogs(restored)) await remove(path)
      await copyContent(storage, used, restored)
    }
    await storage.fsync(restored)
    // A log that outlived its database would be played into the one that takes its place.
    for (const path of withLogs(databaseFile).slice(1)) await remove(path)
    await storage.fsyncDir(dirname(databaseFile))
    await storage.rename(restored, databaseFile)
    await storage.fsyncDir(dirname(databaseFile))
    return true
  }

  return {
    /**
     * Before the activation, with what the settings are now. It may be repeated: the last one counts. When it returns, the snapshot
     * survives a power cut and has been read back.
     */
    async keep(slot: SlotId, transaction: string, content: Uint8Array): Promise<void> {
      if (content.length > limits.settingsBytesMax)
        throw new BackendError('nospace', `the settings take more than ${limits.settingsBytesMax} bytes`)
      const sha256 = createHash('sha256').update(content).digest('hex')
      const line = Buffer.from(serialize({ slot, transaction, sha256 }))
      await storage.create(unfinished)
      await storage.pwrite(unfinished, 0, line)
      for (let offset = 0; offset < content.length; offset += limits.slotChunkBytes)
        await storage.pwrite(unfinished, line.length + offset, content.subarray(offset, offset + limits.slotChunkBytes))
      await storage.fsync(unfinished)
      if ((await digestOf(storage, unfinished)) !== sha256) throw new BackendError('io', 'the snapshot of the settings cannot be read back')
      // What is left of an upgrade that ended well, and must not be taken for this one's.
      await removeForGood(used)
      await storage.rename(unfinished, kept)
      await storage.fsyncDir(folder)
    },

    /**
     * At every start, before the settings are opened, with what the engine says. `kept`: there is a way back for the settings.
     * `restored`: this slot has its own back. It may be cut off anywhere and begun again. Throws where the disk fails: the settings
     * must not be opened then.
     */
    async reconcile(slots: readonly SlotInfo[], record: RecordState): Promise<'none' | 'kept' | 'restored'> {
      const running = slots.find(slot => slot.running)
      if (running === undefined) throw new Error('no slot is running')
      const isCommitted = running.confirmed && record !== 'lost'
      const isOtherNext = record === 'lost' || slots.some(({ next, running: runs }) => next && !runs)
      await remove(unfinished)

      const after = await headOf(used)
      if (after && after.slot !== running.id && !isCommitted) return 'kept'
      if (after?.slot === running.id) {
        const { transaction } = after
        const isBack = await putBack()
        if (isBack) log.warn({ transaction, slot: running.id }, 'the settings are again those from before the upgrade')
        if (isBack && isOtherNext) await storage.rename(used, kept)
        else await remove(used)
        await storage.fsyncDir(folder)
        return isBack ? 'restored' : 'none'
      }
      if (after) await removeForGood(used)

      const before = await headOf(kept)
      if (before === undefined) return 'none'
      if (before.slot === running.id && isOtherNext) return 'kept'
      const isOfThisTrial = running.transaction === undefined || running.transaction === before.transaction
      if (before.slot === running.id || isCommitted || !isOfThisTrial) {
        await removeForGood(kept)
        return 'none'
      }
      await storage.rename(kept, used)
      await storage.fsyncDir(folder)
      return 'kept'
    },

    /** The upgrade ended on the slot that runs: there is nothing to go back to. */
    drop: (): Promise<void> => removeForGood(unfinished, kept, used),
  }
}

class DamagedError extends Error {
  override readonly name = 'DamagedError'
}

/** A database of SQLite, and the files beside it that are played into it when it is opened. */
const withLogs = (path: string): readonly string[] => [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]

function serialize(head: Head): string {
  const json = JSON.stringify({ form: 1, ...head })
  return `${checksum(json)}${json}\n`
}

const checksum = (json: string): string => crc32(json).toString(16).padStart(8, '0')

/** Throws DamagedError. */
async function readHead(storage: Storage, path: string): Promise<{ readonly head: Head; readonly contentOffset: number }> {
  const bytes = await storage.read(path, 0, Buffer.alloc(limits.settingsHeadBytesMax))
  const end = bytes.indexOf('\n')
  const json = bytes.toString('utf8', 8, Math.max(8, end))
  if (checksum(json) !== bytes.toString('latin1', 0, 8)) throw new DamagedError('its first line is damaged')
  const found: unknown = JSON.parse(json)
  if (typeof found !== 'object' || found === null) throw new DamagedError('its first line is no object')
  const { form, slot, transaction, sha256 }: { readonly [K in keyof Head | 'form']?: unknown } = found
  if (form !== 1 || typeof slot !== 'string' || typeof transaction !== 'string' || typeof sha256 !== 'string')
    throw new DamagedError('it is of another form')
  return { head: { slot, transaction, sha256 }, contentOffset: end + 1 }
}

async function* contentOf(storage: Storage, path: string, from: number): AsyncGenerator<readonly [offset: number, bytes: Buffer]> {
  const buffer = Buffer.alloc(limits.slotChunkBytes)
  for (let offset = 0; ; ) {
    const bytes = await storage.read(path, from + offset, buffer)
    if (bytes.length === 0) return
    yield [offset, bytes]
    offset += bytes.length
  }
}

/** SHA-256 of what follows the first line. */
async function digestOf(storage: Storage, path: string): Promise<string> {
  const { contentOffset } = await readHead(storage, path)
  const hash = createHash('sha256')
  for await (const [, bytes] of contentOf(storage, path, contentOffset)) hash.update(bytes)
  return hash.digest('hex')
}

/** Proved before the first byte is written; not synced. Throws DamagedError. */
async function copyContent(storage: Storage, from: string, to: string): Promise<void> {
  const { head, contentOffset } = await readHead(storage, from)
  if ((await digestOf(storage, from)) !== head.sha256) throw new DamagedError('it does not hold what was written')
  await storage.create(to)
  for await (const [offset, bytes] of contentOf(storage, from, contentOffset)) await storage.pwrite(to, offset, bytes)
}
