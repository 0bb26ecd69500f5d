import { chmodSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { lockFile } from '../device/store.ts'
import { BackendError } from './platform.ts'
import type { SlotLayout } from './slots/layout.ts'

export interface Lock {
  /** Another process may have it from now on. */
  release(): void
}

/**
 * Two state folders may name the same slots: to be taken before anything is written to them, the boot record included. The kernel
 * lets go of a lock when its process ends, however that ends. Throws BackendError `busy` where somebody has one of the slots.
 */
export const lockSlots = (layout: SlotLayout): Lock => takeLocks([...layout.values()].flatMap(({ A, B }) => [lockOf(A), lockOf(B)]))

/**
 * The lock of a slot: beside a file, and for a block device, whatever its names are, where locks of devices are (FHS 3.0 5.9).
 * A file that is still to be made has its lock already.
 */
export function lockOf(path: string, folder = '/run/lock'): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return `${join(realpathSync(dirname(path)), basename(path))}.lock`
  return found.rdev === 0 ? `${realpathSync(path)}.lock` : join(folder, `onvifd-${found.rdev}.lock`)
}

/** Takes several or none. In one order everywhere, so that of two processes one gets all. */
export function takeLocks(paths: readonly string[]): Lock {
  const taken: Lock[] = []
  const release = () => {
    for (const lock of taken.splice(0)) lock.release()
  }
  try {
    for (const path of [...new Set(paths)].sort()) taken.push(takeLock(path))
  } catch (error) {
    release()
    throw error
  }
  return { release }
}

function takeLock(path: string): Lock {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    const lock = lockFile(path)
    chmodSync(path, 0o600)
    return lock
  } catch (cause) {
    throw new BackendError('busy', `another process uses ${path.replace(/\.lock$/, '')}: end it first`, { cause })
  }
}
