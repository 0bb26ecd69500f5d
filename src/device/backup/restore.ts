import { randomUUID } from 'node:crypto'
import { limits } from '../../limits.ts'
import { fault } from '../../onvif/faults.ts'
import type { Clock, Log, Power } from '../../platform/platform.ts'
import { type Store, StoreError } from '../store.ts'
import { boundedBody, createTickets, type UploadReceipt, UploadRefusal, type UploadRequest, type UploadTarget } from '../upload.ts'
import type { Backup } from './backup.ts'

interface Parts {
  readonly backup: Backup
  readonly store: Store
  readonly clock: Clock
  readonly power: Power
  readonly log: Log
  /** Ends what must not go on while everything changes: a firmware upgrade. */
  readonly interrupt: (reason: string) => Promise<void>
}

export type Restore = ReturnType<typeof createRestore>

/** Core 8.3.5: the backup comes by POST, is checked as a whole, replaces every setting in one step, and the device restarts. */
export function createRestore({ backup, store, clock, power, log, interrupt }: Parts) {
  const tickets = createTickets(clock)
  let running = false

  function admit({ ticket, lengthBytes = 0 }: UploadRequest): void {
    tickets.check(ticket)
    if (running) throw new UploadRefusal(409, 'busy', 'another upload to this address is running')
    if (lengthBytes > limits.backupBytesMax) throw new UploadRefusal(413, 'nospace', `a backup has at most ${limits.backupBytesMax} bytes`)
  }

  async function apply(file: Buffer, { user, remoteAddress }: UploadRequest): Promise<UploadReceipt> {
    const documents = backup.open(file)
    const transaction = randomUUID()
    await interrupt('a restore')
    try {
      store.importDocuments(documents)
    } catch (cause) {
      if (cause instanceof StoreError) throw new UploadRefusal(415, 'content', cause.message, { cause, transaction })
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
    } finally {
      running = false
    }
  }

  return {
    /** Hands out the last segment of the UploadUri. Throws the fault Action while an upload is running. */
    start(): { readonly ticket: string; readonly expectedDownTimeMs: number } {
      if (running) throw fault('Action', 'a restore is running')
      return { ticket: tickets.issue(), expectedDownTimeMs: Math.ceil(power.bootTimeMs * (1 + limits.downTimeMargin)) }
    },

    upload: { admit, receive } satisfies UploadTarget,
  }
}
