import type { Store } from './store.ts'

export type DiscoveryMode = 'Discoverable' | 'NonDiscoverable'

/** Whether the device answers probes and announces itself (Core 7.2); kept over restarts. */
export const createDiscoveryMode = (store: Store) => store.document<DiscoveryMode>('discoveryMode', parseMode, () => 'Discoverable')

function parseMode(stored: unknown): DiscoveryMode {
  if (stored === 'Discoverable' || stored === 'NonDiscoverable') return stored
  throw new Error('no discovery mode')
}
