import type { Store } from './store.ts'

export type DiscoveryMode = 'Discoverable' | 'NonDiscoverable'

/** Whether the device answers probes and announces itself (Core 7.2); kept over restarts. `changed` is told of every set. */
export function createDiscoveryMode(store: Store, changed: () => void = () => {}) {
  const mode = store.document<DiscoveryMode>('discoveryMode', parseMode, () => 'Discoverable')
  return {
    get: (): DiscoveryMode => mode.get(),
    set(wanted: DiscoveryMode): void {
      mode.set(wanted)
      changed()
    },
  }
}

function parseMode(stored: unknown): DiscoveryMode {
  if (stored === 'Discoverable' || stored === 'NonDiscoverable') return stored
  throw new Error('no discovery mode')
}
