import { linkSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { BackendError } from './platform.ts'
import type { SlotLayout } from './slots/layout.ts'

export interface Lock {
  /** Another process may have it from now on. */
  release(): void
}

/** A process, told apart from every other one, also from a later one with the same number. */
interface Holder {
  readonly pid: number
  /** A restart of the machine ends all processes. Empty where the operating system does not say it. */
  readonly bootId: string
  /** Clock ticks from the boot to the start of the process (proc(5), /proc/PID/stat field 22). */
  readonly starttime: string
}

/**
 * Takes a lock that lasts as long as this process, however that ends. The lock is the file `path.N` with the highest N; it is
 * never removed, only gone past: the holder of N being dead or done, whoever makes N + 1 first has it. So no two can both take
 * over what a dead process left. Containers do not see each other's processes, and must not share what is locked.
 * Throws BackendError `busy` where another process, or this one, has it.
 */
export function takeLock(path: string): Lock {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const own: Holder = { pid: process.pid, bootId: bootId(), starttime: starttimeOf(process.pid) ?? '' }
  for (;;) {
    const highest = generations(path).at(-1) ?? 0
    const holder = highest === 0 ? undefined : holderOf(`${path}.${highest}`)
    if (holder && isAlive(holder)) throw new BackendError('busy', `process ${holder.pid} uses ${path.replace(/\.lock$/, '')}: end it first`)
    const mine = `${path}.${highest + 1}`
    if (!makeWhole(mine, own)) continue
    const others = generations(path).filter(generation => generation !== highest + 1)
    // Gone past while this process was looking: what it made is behind the lock.
    if (others.some(generation => generation > highest)) {
      rmSync(mine, { force: true })
      continue
    }
    for (const generation of others) rmSync(`${path}.${generation}`, { force: true })
    return {
      release() {
        const released = `${mine}-${process.pid}`
        writeFileSync(released, '', { mode: 0o600 })
        renameSync(released, mine)
      },
    }
  }
}

/**
 * The lock of a slot: beside a file, and for a block device, whatever its names are, where locks of devices are (FHS 3.0 5.9).
 * A file that is still to be made has its lock already.
 */
export function lockOf(path: string, folder = '/run/lock'): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return `${join(realpathSync(dirname(path)), basename(path))}.lock`
  return found.rdev === 0 ? `${realpathSync(path)}.lock` : join(folder, `onvifd-${found.rdev}.lock`)
}

/** Two state folders may name the same slots: to be taken before anything is written to them, the boot record included. */
export const lockSlots = (layout: SlotLayout): Lock => takeLocks([...layout.values()].flatMap(({ A, B }) => [lockOf(A), lockOf(B)]))

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

/** Which there are, the highest last. */
function generations(path: string): readonly number[] {
  const prefix = `${basename(path)}.`
  return readdirSync(dirname(path))
    .filter(name => name.startsWith(prefix) && /^\d{1,15}$/.test(name.slice(prefix.length)))
    .map(name => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b)
}

/** False where somebody else was first. Nobody ever sees a half of it: the file gets its name when it is written. */
function makeWhole(path: string, holder: Holder): boolean {
  const unfinished = `${path}-${process.pid}`
  writeFileSync(unfinished, JSON.stringify(holder), { mode: 0o600 })
  try {
    linkSync(unfinished, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/** Undefined where it was released, and where only damage can explain it: a process that runs has written all of it. */
function holderOf(path: string): Holder | undefined {
  const text = contentOf(path)
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { pid, bootId, starttime } = { pid: undefined, bootId: undefined, starttime: undefined, ...value }
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined
  return typeof bootId === 'string' && typeof starttime === 'string' ? { pid, bootId, starttime } : undefined
}

function isAlive(holder: Holder): boolean {
  if (holder.bootId !== bootId()) return false
  if (holder.starttime !== '') return starttimeOf(holder.pid) === holder.starttime
  try {
    return process.kill(holder.pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The name of the program, in parentheses, may hold anything: the fields are counted from its end. */
const starttimeOf = (pid: number): string | undefined =>
  contentOf(join('/proc', String(pid), 'stat'))
    ?.replace(/^.*\) /s, '')
    .split(' ')[19]

const bootId = (): string => contentOf('/proc/sys/kernel/random/boot_id')?.trim() ?? ''

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined
    throw error
  }
}
