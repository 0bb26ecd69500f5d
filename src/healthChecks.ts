import type { Config } from './config.ts'
import type { Check } from './device/firmware/health.ts'
import { storageCheck } from './device/firmware/storageCheck.ts'
import type { Store } from './device/store.ts'
import { limits } from './limits.ts'
import { runHealthHooks } from './platform/healthHooks.ts'
import type { Log, Storage } from './platform/platform.ts'

/** What a new image has to be able to do before it is kept. */
export function healthChecks(
  { healthHooks }: Config,
  {
    store,
    storage,
    folder,
    log,
    ownRequest,
  }: {
    readonly store: Store
    readonly storage: Storage
    readonly folder: string
    readonly log: Log
    readonly ownRequest: () => Promise<void>
  },
): readonly Check[] {
  const own: readonly Check[] = [
    { name: 'own request', run: ownRequest },
    // A restart would read them again.
    { name: 'settings', run: async () => store.verify() },
    storageCheck(storage, folder),
  ]
  if (healthHooks === undefined) return own
  return [
    ...own,
    {
      name: 'hooks',
      timeoutMs: limits.healthHooksMax * limits.healthHookTimeoutMs,
      run: signal => runHealthHooks(healthHooks, log, signal),
    },
  ]
}
