import { randomUUID } from 'node:crypto'
import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Clock, Log, Power } from '../../platform/platform.ts'
import { type Store, StoreError } from '../store.ts'
import { boundedBody, createTickets, type UploadReceipt, UploadRefusal, type UploadRequest, type UploadTarget } from '../upload.ts'
import { type Backup, BackupError } from './backup.ts'
import type { ForeignKeys } from './foreignKeys.ts'

interface Parts {
  readonly backup: Backup
  readonly store: Store
  readonly foreignKeys: ForeignKeys
  readonly clock: Clock
  readonly power: Power
  readonly log: Log
  /** Ends what must not go on while everything changes: a firmware upgrade. */
  readonly interrupt: (reason: string) => Promise<void>
}

/** Who restores, for the log. */
type Author = Pick<UploadRequest, 'user' | 'remoteAddress'>

export type Restore = ReturnType<typeof createRestore>

/**
 * A backup is checked as a whole, replaces every setting in one step, and the device restarts. It comes by POST after
 * StartSystemRestore (Core 8.3.5), or in the message RestoreSystem (8.3.4); from there on both take the same path.
 */
export function createRestore({ backup, store, foreignKeys, clock, power, log, interrupt }: Parts) {
  const tickets = createTickets(clock)
  let running = false

  function admit({ ticket, lengthBytes = 0 }: UploadRequest): void {
    tickets.check(ticket)
    if (running) throw new UploadRefusal(409, 'busy', 'another upload to this address is running')
    if (lengthBytes > limits.backupBytesMax) throw new UploadRefusal(413, 'nospace', `a backup has at most ${limits.backupBytesMax} bytes`)
  }

  /** Throws BackupError. */
  async function apply(file: Buffer, { user, remoteAddress }: Author): Promise<UploadReceipt> {
    const { documents, keys } = await backup.open(file)
    const transaction = randomUUID()
    await interrupt('a restore')
    try {
      store.transaction(() => {
        // First: documents are checked as they come, and those that hold secrets are opened.
        foreignKeys.adopt(keys)
        store.importDocuments(documents)
      })
    } catch (cause) {
      if (cause instanceof StoreError) throw new BackupError('content', cause.message, { cause })
      throw cause
    }
    log.warn({ user, from: remoteAddress, transaction }, 'the settings of a backup were restored')
    return { transaction, message: 'restored, the device restarts', afterReply: () => power.reboot('a restore') }
  }

  async function collect({ signal, lengthBytes }: UploadRequest, body: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const pieces: Uint8Array[] = []
    try {
      for await (const piece of boundedBody(body, { clock, signal, lengthBytes, bytesMax: limits.backupBytesMax })) pieces.push(piece)
    } catch (error) {
      // What is too large stays too large; a connection that broke may come back.
      if (error instanceof UploadRefusal && error.status === 413) tickets.retire()
      else tickets.broke()
      throw error
    }
    return Buffer.concat(pieces)
  }

  async function receive(request: UploadRequest, body: AsyncIterable<Uint8Array>): Promise<UploadReceipt> {
    // Two clients may have been admitted before the first of them began.
    admit(request)
    running = true
    try {
      const file = await collect(request, body)
      tickets.retire()
      return await apply(file, request)
    } catch (cause) {
      throw cause instanceof BackupError ? new UploadRefusal(415, cause.reason, cause.message, { cause }) : cause
    } finally {
      running = false
    }
  }

  function assertIdle(): void {
    if (running) throw fault('Action', 'a restore is running')
  }

  return {
    /** Hands out the last segment of the UploadUri. Throws the fault Action while a restore is running. */
    start(): { readonly ticket: string; readonly expectedDownTimeMs: number } {
      assertIdle()
      return { ticket: tickets.issue(), expectedDownTimeMs: Math.ceil(power.bootTimeMs * (1 + limits.downTimeMargin)) }
    },

    upload: { admit, receive } satisfies UploadTarget,

    /** What came in a message. Gives what is to follow the answer. Throws InvalidBackupFile, and Action while a restore is running. */
    async restore(file: Uint8Array, author: Author): Promise<() => Promise<void>> {
      assertIdle()
      running = true
      try {
        return (await apply(Buffer.from(file), author)).afterReply
      } catch (cause) {
        throw cause instanceof BackupError ? fault('InvalidBackupFile', cause.message, { cause }) : cause
      } finally {
        running = false
      }
    },
  }
}
