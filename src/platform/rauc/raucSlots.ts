import { limits } from '../../limits.ts'
import { BackendError, type SlotId, type SlotInfo } from '../platform.ts'
import type { RaucSlot } from './rauc.ts'
import type { Memory } from './raucMemory.ts'

/** The two slots of the device, as RAUC and we know them together. */
export interface SlotPair {
  readonly running: RaucSlot
  readonly other: RaucSlot
  /** What the boot loader takes next, as things stand; undefined where it cannot be read. */
  readonly next: RaucSlot | undefined
  /** The last one that passed its self-check. */
  readonly confirmed: RaucSlot
}

/** The boot loader's name, as the builtin engine and everybody's boot scripts have it. */
export const idOf = ({ bootname, name }: RaucSlot): SlotId => bootname ?? name

/** Which of its installations a slot holds. Undefined where RAUC never wrote it. */
export const installationOf = ({ installedCount, installedAt }: RaucSlot): string | undefined =>
  installedAt === undefined && installedCount === undefined ? undefined : `${installedCount ?? ''} ${installedAt ?? ''}`

/** Throws BackendError `io` where this is no device with two slots to boot from. */
export function slotPair(slots: readonly RaucSlot[], primary: string | undefined, memory: Memory): SlotPair {
  const running = slots.find(({ isBooted }) => isBooted)
  const [other, ...more] = slots.filter(slot => slot.class === running?.class && slot.bootname !== undefined && slot !== running)
  if (running?.bootname === undefined || other === undefined || more.length > 0)
    throw new BackendError('io', 'RAUC does not know of exactly two slots to boot from, one of them running')
  const next = [running, other].find(({ name }) => name === primary)
  return { running, other, next, confirmed: isConfirmed(running, other, memory) ? running : other }
}

/**
 * Where the memory was lost, RAUC's own data have to do: what runs counts as confirmed unless it was installed after the other
 * slot, and that one can still be booted. Then it is on trial: to check a good image once more does no harm, to keep one that
 * was never checked does.
 */
function isConfirmed(running: RaucSlot, other: RaucSlot, { confirmed }: Memory): boolean {
  if (confirmed === undefined) {
    const isNewer = running.installedAt !== undefined && !(other.installedAt !== undefined && other.installedAt > running.installedAt)
    return !(isNewer && other.isBootable)
  }
  const installation = installationOf(running)
  // Somebody else may have had RAUC write this slot since.
  const isSame = confirmed.installation === undefined || installation === undefined || confirmed.installation === installation
  return confirmed.slot === idOf(running) && (isSame || !other.isBootable)
}

/** RAUC does not tell how many tries a slot has left: none, or as many as the boot loader gives. */
export function slotInfos({ running, other, next, confirmed }: SlotPair, { trial }: Memory): readonly SlotInfo[] {
  return [running, other]
    .map(slot => ({
      id: idOf(slot),
      running: slot === running,
      confirmed: slot === confirmed,
      next: slot === next,
      version: slot.isComplete ? slot.version : undefined,
      sha256: slot.isComplete ? slot.sha256 : undefined,
      triesLeft: slot.isBootable ? limits.bootTriesMax : 0,
      transaction: slot !== confirmed && trial?.slot === idOf(slot) ? trial.transaction : undefined,
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}
