import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Storage } from '../../src/platform/platform.ts'
import { type Outcome, outcomes } from '../fault/simulatedStorage.ts'
import { type Random, seeded } from '../support/random.ts'

/** What goes wrong, and when: at the `at`-th operation on the disk, or the `at`-th write of the settings, from now on. */
export type Fault =
  | {
      readonly kind: 'power cut' | 'kill'
      readonly where: 'disk' | 'settings'
      readonly at: number
      readonly behind: boolean
      readonly outcome: Outcome
    }
  | { readonly kind: 'EIO' | 'ENOSPC'; readonly where: 'disk' | 'settings'; readonly at: number; readonly lasts: boolean }

export function drawFault(random: Random): Fault {
  const where = random.fraction() < 0.7 ? 'disk' : 'settings'
  // Most changes are one write, a restore is dozens; most things take fewer than 40 operations on the disk, an upgrade some 90.
  const at = where === 'settings' ? Math.ceil(random.fraction() ** 3 * 40) : Math.ceil(random.fraction() ** 2 * 100)
  const kind = random.pick(['power cut', 'power cut', 'kill', 'EIO', 'ENOSPC'] as const)
  if (kind === 'EIO' || kind === 'ENOSPC') return { kind, where, at, lasts: kind === 'ENOSPC' && random.fraction() < 0.5 }
  return { kind, where, at, behind: random.fraction() < 0.5, outcome: kind === 'kill' ? 'kept' : random.pick(outcomes) }
}

export const nameOf = (fault: Fault): string => {
  const what =
    'outcome' in fault
      ? `${fault.behind ? 'behind' : 'before'}${fault.kind === 'kill' ? '' : `, ${fault.outcome}`}`
      : fault.lasts
        ? 'lasting'
        : 'once'
  return `${fault.kind} at ${fault.where} ${fault.at} (${what})`
}

/** The process is gone: this reaches nobody that still counts. */
class Gone extends Error {}

/** Of what is never answered any more. */
export const never = (): Promise<never> => new Promise(() => {})

/** Counts what one start does to the disk and to its settings, and lets it meet the fault that is set. */
export class Nemesis {
  readonly #end: (outcome: Outcome, kind: 'power cut' | 'kill') => void
  #fault: Fault | undefined
  #count = 0
  /** Operations on the disk since the start. */
  operations = 0
  isGone = false
  /** Whether something failed that may have been the reason of a refusal. */
  hasStruck = false

  /** `end` is told when the process ends. What has not come yet of the life `before` comes in this one. */
  constructor(end: (outcome: Outcome, kind: 'power cut' | 'kill') => void, before?: Nemesis) {
    this.#end = end
    if (before === undefined || before.hasStruck) return
    this.#fault = before.#fault
    this.#count = before.#count
  }

  set(fault: Fault | undefined): void {
    this.#fault = fault
    this.#count = 0
    this.hasStruck = false
  }

  kill(outcome: Outcome, kind: 'power cut' | 'kill'): void {
    if (this.isGone) return
    this.isGone = true
    this.#end(outcome, kind)
  }

  /** Undefined, or the error that the operation ends with. `behind` is called when it is done. */
  meet(where: Fault['where']): { readonly error: Error | undefined; readonly behind: () => void } {
    const fault = this.#fault
    if (where === 'disk') this.operations += 1
    if (fault === undefined || fault.where !== where) return { error: undefined, behind() {} }
    this.#count += 1
    const isDue = 'lasts' in fault && fault.lasts ? this.#count >= fault.at : this.#count === fault.at
    if (!isDue) return { error: undefined, behind() {} }
    this.hasStruck = true
    if (!('outcome' in fault)) return { error: failure(fault.kind, where), behind() {} }
    const { outcome, kind } = fault
    if (fault.behind) return { error: undefined, behind: () => this.kill(outcome, kind) }
    this.kill(outcome, kind)
    return { error: undefined, behind() {} }
  }
}

/** As Node reports it, and as SQLite does (SQLITE_FULL, SQLITE_IOERR). */
function failure(code: 'EIO' | 'ENOSPC', where: Fault['where']): Error {
  if (where === 'disk') return Object.assign(new Error(`${code}: simulated`), { code })
  return Object.assign(new Error(code === 'EIO' ? 'disk I/O error' : 'database or disk is full'), {
    code: 'ERR_SQLITE_ERROR',
    errcode: code === 'EIO' ? 10 : 13,
  })
}

/** The disk as one start sees it: what is asked of it after the end is never answered. */
export function faultyStorage(disk: Storage, nemesis: Nemesis): Storage {
  async function through<T>(act: () => Promise<T>): Promise<T> {
    if (nemesis.isGone) return never()
    const { error, behind } = nemesis.meet('disk')
    if (nemesis.isGone) return never()
    if (error) throw error
    const result = await act()
    behind()
    return nemesis.isGone ? never() : result
  }
  return {
    create: (path, sizeBytes) => through(() => disk.create(path, sizeBytes)),
    pwrite: (path, offset, bytes) => through(() => disk.pwrite(path, offset, bytes)),
    fsync: path => through(() => disk.fsync(path)),
    rename: (from, to) => through(() => disk.rename(from, to)),
    fsyncDir: path => through(() => disk.fsyncDir(path)),
    unlink: path => through(() => disk.unlink(path)),
    read: (path, offset, into) => through(() => disk.read(path, offset, into)),
    exists: path => disk.exists(path),
  }
}

/** Who is told of the writes of the settings; one device runs at a time. */
let present: Nemesis | undefined
let chance: Random = seeded(0)

/** From now on what the process calls chance comes from this seed. */
export function seedChance(seed: number): void {
  chance = seeded(seed)
}

export function watchSettings(nemesis: Nemesis | undefined): void {
  present = nemesis
}

function draw(count: number): Buffer {
  return chance.bytes(Math.ceil(count / 4) * 4).subarray(0, count)
}

function aroundWrite<T>(write: () => T): T {
  if (present === undefined) return write()
  if (present.isGone) throw new Gone()
  const { error, behind } = present.meet('settings')
  if (present.isGone) throw new Gone()
  if (error) throw error
  const result = write()
  behind()
  if (present.isGone) throw new Gone()
  return result
}

/**
 * Chance and SQLite are no ports of the subjects, and need not be: in this process node:crypto gives the bytes of a seed, and a
 * statement that writes, or what commits, may fail or be the last that the process does. Call it once.
 */
export function takeOver(): void {
  const randomUUID = () => {
    const hex = draw(16).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  // Every life derives the same keys from that of its device.
  const { hkdfSync } = crypto
  const derived = new Map<string, ArrayBuffer>()
  const derive = (digest: string, key: Uint8Array, salt: string, info: string, bytes: number) => {
    const name = [digest, Buffer.from(key).toString('hex'), salt, info, bytes].join()
    const found = derived.get(name) ?? hkdfSync(digest, key, salt, info, bytes)
    derived.set(name, found)
    return found.slice(0)
  }
  // By hand: the mocks of node:test keep a record of every call.
  Object.assign(crypto, { randomBytes: draw, randomUUID, hkdfSync: derive })
  syncBuiltinESMExports()
  const { run } = StatementSync.prototype
  const { exec } = DatabaseSync.prototype
  Object.assign(StatementSync.prototype, {
    run(this: StatementSync, ...values: Parameters<typeof run>) {
      return aroundWrite(() => Reflect.apply(run, this, values))
    },
  })
  Object.assign(DatabaseSync.prototype, {
    exec(this: DatabaseSync, sql: string) {
      const act = () => Reflect.apply(exec, this, [sql])
      return /^(?:COMMIT$|PRAGMA user_version = )/.test(sql) ? aroundWrite(act) : act()
    },
  })
}
