import type { LoadTrust } from '../../device/firmware/image.ts'
import type { Board } from '../../device/firmware/policy.ts'
import { openSwu } from '../../device/firmware/swu.ts'
import { BackendError, type Clock, ImageError, type InstallContext, type Payload, type Storage, type UpdateBackend } from '../platform.ts'
import { otherSlot, type Slot } from '../slots/bootRecord.ts'
import type { SlotEngine } from '../slots/slotEngine.ts'
import type { Place } from '../slots/targetWriter.ts'
import { createControl, type ImageStream } from './control.ts'
import { assertDestination } from './destination.ts'
import { readFiles } from './files.ts'
import { awaitIdle, awaitOutcome, failureOf } from './outcome.ts'
import { createRelay } from './relay.ts'
import { type Server, startServer } from './server.ts'
import { createWatch } from './watch.ts'

/** Where SWUpdate is: a daemon whose sockets are in a folder, or a program that is started for every installation. */
export type SwupdateSettings =
  | { readonly run: 'daemon'; readonly folder: string }
  | { readonly run: 'once'; readonly command: readonly string[]; readonly folder: string }

export interface SwupdateParts {
  readonly slots: SlotEngine
  readonly settings: SwupdateSettings
  /** What the launcher booted. */
  readonly running: Slot
  readonly board: Board
  readonly trust: LoadTrust
  readonly storage: Storage
  readonly clock: Clock
}

/**
 * SWUpdate writes the slot; everything else is as with the built-in engine, which this one is made of. The head is verified
 * here, by the same rules, before SWUpdate gets a byte. The bytes that SWUpdate gets are the ones that are hashed here, and it
 * gets none before they have been found to be in order. What it wrote is synced, because it syncs no file, read back and
 * compared, and only then recorded; activating is one write of the boot record, which SWUpdate does not touch.
 */
export function createSwupdateEngine(parts: SwupdateParts): UpdateBackend {
  const { slots, settings, running, clock } = parts
  const target = otherSlot(running)
  const control = createControl(settings.folder)
  let installing = false

  const serve = (): Promise<Server> =>
    settings.run === 'once' ? startServer({ ...parts, ...settings }) : Promise.resolve({ control, stop: async () => {} })

  function placeOf({ name, role }: Payload): Place {
    const place = slots.place(role)
    if (place === undefined) throw new ImageError('compatible', `${name} is for the role ${role}, for which this device has no place`)
    return place
  }

  async function install(image: AsyncIterable<Uint8Array>, context: InstallContext) {
    const relay = createRelay(image)
    const swu = await openSwu(relay.pieces)
    const head = await slots.admit(swu)
    const selection = assertDestination(swu.description, { board: parts.board.name, slot: target, payloads: head.payloads, placeOf })
    context.onHead(head)

    const watch = createWatch(clock, context.signal)
    try {
      const server = await serve()
      const talk = new AbortController()
      let [stream, unwatch]: [ImageStream | undefined, () => void] = [undefined, () => {}]
      try {
        stream = await watch.until(server.control.install(selection, talk.signal))
        unwatch = server.control.watch(({ percent }) => {
          watch.sign()
          context.onProgress(percent)
        })
        await slots.begin(context.transaction)
        const success = awaitOutcome(server.control, clock, watch.sign, talk.signal).then(outcome => {
          if (!outcome.succeeded) throw failureOf(outcome)
        })
        const failure = success.then(() => new Promise<never>(() => {}))
        relay.connect(stream, watch)
        const files = await watch.until(Promise.race([readFiles(swu, head, placeOf), failure]))
        stream.end()
        watch.allSent()
        await watch.until(success)
        return { head, files }
      } finally {
        talk.abort()
        unwatch()
        // It may be in the middle of a write; where it installs for somebody else that is no business of ours.
        if (stream && settings.run === 'daemon') await awaitIdle(server.control, clock)
        await server.stop()
      }
    } finally {
      watch.end()
    }
  }

  return {
    name: 'swupdate',
    imageBytesMax: slots.imageBytesMax,
    canAbort: true,

    async recover() {
      await slots.recover()
      // What an earlier start was sending ended with its connection; the engine needs a moment to notice.
      await awaitIdle(control, clock)
    },

    async install(image, context) {
      if (installing) throw new BackendError('busy', 'SWUpdate is installing another image')
      installing = true
      try {
        const { head, files } = await install(image, context)
        context.signal.throwIfAborted()
        await slots.complete(head, files)
        return { target, head }
      } finally {
        installing = false
      }
    },

    slots: slots.slots,
    record: slots.record,
    activate: slots.activate,
    confirm: slots.confirm,
    reject: slots.reject,
    discard: slots.discard,
  }
}
