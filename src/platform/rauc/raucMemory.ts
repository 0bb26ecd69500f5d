import { createSavedFile } from '../../device/firmware/savedFile.ts'
import { limits } from '../../limits.ts'
import type { SlotId, Storage } from '../platform.ts'

/** What RAUC does not know about its slots, and this service does. */
export interface Memory {
  /** The slot that passed its self-check last, and which installation that was. Undefined where that was lost. */
  readonly confirmed: { readonly slot: SlotId; readonly installation: string | undefined } | undefined
  /** The slot that the last upgrade was for, until it is confirmed or given up. */
  readonly trial: { readonly slot: SlotId; readonly transaction: string } | undefined
}

export interface MemoryFile {
  load(): Promise<Memory>
  save(memory: Memory): Promise<void>
}

export function createMemoryFile(storage: Storage, folder: string): MemoryFile {
  const file = createSavedFile(storage, folder, 'rauc.json', limits.journalBytesMax)
  return {
    async load() {
      const { confirmed, trial } = members(await file.load())
      const [was, tried] = [members(confirmed), members(trial)]
      return {
        confirmed:
          typeof was.slot === 'string'
            ? { slot: was.slot, installation: typeof was.installation === 'string' ? was.installation : undefined }
            : undefined,
        trial:
          typeof tried.slot === 'string' && typeof tried.transaction === 'string'
            ? { slot: tried.slot, transaction: tried.transaction }
            : undefined,
      }
    },
    save: memory => file.save(memory),
  }
}

const members = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
