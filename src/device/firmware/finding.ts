import type { RecordState, SlotInfo } from '../../platform/platform.ts'
import type { Finding, InstalledImage, Upgrade, UpgradeState } from './machine.ts'

/** What a start finds, measured against the state that was saved. `newTransaction` names an upgrade of which nothing is left. */
export function find(
  state: UpgradeState,
  { slots, record }: { readonly slots: readonly SlotInfo[]; readonly record: RecordState },
  newTransaction: () => string,
): Finding {
  const runs = runningOf(slots)
  const intended = 'upgrade' in state ? state.upgrade : undefined
  const found = (slot: SlotInfo) => {
    const transaction = slot.transaction ?? intended?.transaction ?? newTransaction()
    const unknown: Upgrade = {
      transaction,
      user: 'unknown',
      remoteAddress: undefined,
      from: slots.find(({ confirmed }) => confirmed)?.version,
    }
    const known = 'image' in state && state.image?.sha256 === slot.sha256 ? state.image : undefined
    const { signers = [], builtAt } = known ?? {}
    const image: InstalledImage = { slot: slot.id, version: slot.version, sha256: slot.sha256, signers, builtAt }
    return { upgrade: intended?.transaction === transaction ? intended : unknown, image }
  }
  if (record === 'lost') return { name: 'FoundLost' }
  if (!runs.confirmed) return { name: 'FoundTrial', ...found(runs) }
  const ahead = slots.find(({ next }) => next)
  if (ahead && !ahead.running) return { name: 'FoundActivated', ...found(ahead) }
  if (!('image' in state && state.image && 'slot' in state.image)) return { name: 'FoundUnchanged' }
  const { slot, sha256 } = state.image
  if (slot === runs.id) return { name: 'FoundCommitted' }
  const isThere = slots.some(({ id, sha256: held }) => id === slot && held !== undefined && held === sha256)
  return { name: isThere ? 'FoundInstalled' : 'FoundUnchanged' }
}

export function runningOf(slots: readonly SlotInfo[]): SlotInfo {
  const slot = slots.find(({ running }) => running)
  if (slot === undefined) throw new Error('no slot is running')
  return slot
}
