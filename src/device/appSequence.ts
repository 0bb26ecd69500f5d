import type { Store } from './store.ts'

/** The document that it is kept in. It is no setting: neither number goes back with the settings. */
export const appSequenceDocument = 'machine/discovery'

interface Kept {
  readonly instanceId: number
  readonly metadataVersion: number
  /** What it is the version of. */
  readonly metadata: string
}

/**
 * By which clients put the messages of this device into their order (WS-Discovery 7): InstanceId grows with every start, MessageNumber
 * with every message, and MetadataVersion with everything else that the device says of itself.
 */
export function createAppSequence(store: Store) {
  const kept = store.document<Kept>(appSequenceDocument, parseAppSequence, () => ({ instanceId: 0, metadataVersion: 0, metadata: '' }))
  let instanceId: number | undefined
  let messageNumber = 0

  return {
    /** For one message. The first one of a start is kept before it is sent. */
    next() {
      if (instanceId === undefined) {
        instanceId = kept.get().instanceId + 1
        kept.set({ ...kept.get(), instanceId })
      }
      return { instanceId, messageNumber: ++messageNumber }
    },

    /** The number of this description: a new one where it is another than the last. */
    metadataVersion(metadata: string): number {
      if (kept.get().metadata !== metadata) kept.set({ ...kept.get(), metadata, metadataVersion: kept.get().metadataVersion + 1 })
      return kept.get().metadataVersion
    },
  }
}

export function parseAppSequence(stored: unknown): Kept {
  if (typeof stored !== 'object' || stored === null) throw new Error('no sequence of discovery')
  const { instanceId, metadataVersion, metadata }: { [K in keyof Kept]?: unknown } = stored
  if (!isCount(instanceId) || !isCount(metadataVersion) || typeof metadata !== 'string') throw new Error('no sequence of discovery')
  return { instanceId, metadataVersion, metadata }
}

/** xs:unsignedInt. */
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 0xffff_ffff
