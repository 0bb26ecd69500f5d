import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import type { Storage } from '../../src/platform/platform.ts'

/**
 * What a disk may hold after a power cut, of that which had not been synced yet: nothing; everything; everything but of the last
 * write only the beginning; the names but not the bytes; the last write but none before it.
 */
export const outcomes = ['lost', 'kept', 'torn', 'renamed', 'reordered'] as const
export type Outcome = (typeof outcomes)[number]

export type Operation = 'create' | 'pwrite' | 'fsync' | 'rename' | 'fsyncDir' | 'unlink' | 'read'

/** A change of one file that waits for its sync; never altered afterwards, so that copies of the disk can share it. */
type Change = { readonly size: number } | { readonly offset: number; readonly bytes: Buffer }

interface File {
  readonly durable: Buffer
  readonly pending: readonly Change[]
}

function apply(content: Buffer, change: Change): Buffer {
  const size = 'size' in change ? change.size : Math.max(content.length, change.offset + change.bytes.length)
  const changed = Buffer.alloc(size)
  content.copy(changed)
  if ('bytes' in change) change.bytes.copy(changed, change.offset)
  return changed
}

const current = ({ durable, pending }: File): Buffer => pending.reduce(apply, durable)

/** So short that every write is hurt by it, also one that is mostly zeroes. */
const tornBytes = 40

function torn(change: Change): Change[] {
  return 'bytes' in change ? [{ offset: change.offset, bytes: change.bytes.subarray(0, tornBytes) }] : []
}

/** Most files are the same from one disk to the next, down to their buffers. */
const digests = new WeakMap<Buffer, string>()

function digestOf(content: Buffer): string {
  const digest = digests.get(content) ?? createHash('sha1').update(content).digest('base64')
  digests.set(content, digest)
  return digest
}

/** A disk with a page cache: bytes survive a power cut once their file was synced, names once their folder was. */
export class SimulatedStorage implements Storage {
  #files = new Map<number, File>()
  #names = new Map<string, number>()
  #durableNames = new Map<string, number>()
  #nextFile = 1
  /** Called after every operation that changes something: the moment for a power cut. */
  onChange: () => void = () => {}
  /** What an operation fails with, if it does. */
  failure: (operation: Operation, path: string) => Error | undefined = () => undefined
  /** Files that this disk says it has synced, and has not. */
  lie: (path: string) => boolean = () => false
  /** Operations, for a test that asks what happened. */
  readonly journal: (readonly [operation: Operation, path: string])[] = []

  #find(path: string): readonly [id: number, file: File] {
    const id = this.#names.get(path)
    const file = id === undefined ? undefined : this.#files.get(id)
    if (id === undefined || file === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return [id, file]
  }

  /** Takes its turn like a real one, and fails when it is told to. */
  async #begin(operation: Operation, path: string): Promise<void> {
    await Promise.resolve()
    this.journal.push([operation, path])
    const error = this.failure(operation, path)
    if (error) throw error
  }

  #change(path: string, change: Change): void {
    const [id, file] = this.#find(path)
    this.#files.set(id, { ...file, pending: [...file.pending, change] })
  }

  async create(path: string, sizeBytes = 0): Promise<void> {
    await this.#begin('create', path)
    if (!this.#names.has(path)) {
      this.#files.set(this.#nextFile, { durable: Buffer.alloc(0), pending: [] })
      this.#names.set(path, this.#nextFile++)
    }
    this.#change(path, { size: 0 })
    if (sizeBytes > 0) this.#change(path, { size: sizeBytes })
    this.onChange()
  }

  async pwrite(path: string, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#begin('pwrite', path)
    this.#change(path, { offset, bytes: Buffer.from(bytes) })
    this.onChange()
  }

  async fsync(path: string): Promise<void> {
    await this.#begin('fsync', path)
    const [id, file] = this.#find(path)
    if (!this.lie(path)) this.#files.set(id, { durable: current(file), pending: [] })
    this.onChange()
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#begin('rename', from)
    this.#names.set(to, this.#find(from)[0])
    this.#names.delete(from)
    this.onChange()
  }

  async fsyncDir(path: string): Promise<void> {
    await this.#begin('fsyncDir', path)
    for (const name of this.#durableNames.keys()) if (dirname(name) === path) this.#durableNames.delete(name)
    for (const [name, id] of this.#names) if (dirname(name) === path) this.#durableNames.set(name, id)
    this.onChange()
  }

  async unlink(path: string): Promise<void> {
    await this.#begin('unlink', path)
    this.#find(path)
    this.#names.delete(path)
    this.onChange()
  }

  async read(path: string, offset: number, into: Buffer): Promise<Buffer> {
    await this.#begin('read', path)
    return into.subarray(0, this.content(path).copy(into, 0, offset))
  }

  async exists(path: string): Promise<boolean> {
    await Promise.resolve()
    return this.#names.has(path)
  }

  /** The whole file, as a reader sees it. */
  content(path: string): Buffer {
    return current(this.#find(path)[1])
  }

  /** What somebody did to the disk behind everybody's back. */
  damage(path: string, content: Buffer): void {
    this.#files.set(this.#find(path)[0], { durable: content, pending: [] })
  }

  has(path: string): boolean {
    return this.#names.has(path)
  }

  list(): readonly string[] {
    return [...this.#names.keys()]
  }

  /** What somebody else than the device wrote, and synced. */
  put(path: string, content: Buffer): void {
    const id = this.#names.get(path) ?? this.#nextFile++
    this.#files.set(id, { durable: content, pending: [] })
    this.#names.set(path, id)
    this.#durableNames.set(path, id)
  }

  remove(path: string): void {
    this.#names.delete(path)
    this.#durableNames.delete(path)
  }

  /** The disk as the next start finds it when the power fails now. */
  after(outcome: Outcome): SimulatedStorage {
    const found = new SimulatedStorage()
    for (const [id, { durable, pending }] of this.#files) {
      const last = pending.at(-1)
      const landed: Readonly<Record<Outcome, readonly Change[]>> = {
        lost: [],
        kept: pending,
        torn: last ? [...pending.slice(0, -1), ...torn(last)] : [],
        renamed: [],
        reordered: last ? [last] : [],
      }
      found.#files.set(id, { durable: landed[outcome].reduce(apply, durable), pending: [] })
    }
    const names = outcome === 'lost' || outcome === 'reordered' ? this.#durableNames : this.#names
    found.#names = new Map(names)
    found.#durableNames = new Map(names)
    found.#nextFile = this.#nextFile
    return found
  }

  /** The same for disks on which the same bytes stand under the same names. */
  digest(): string {
    const hash = createHash('sha1')
    for (const name of [...this.#names.keys()].sort()) {
      hash.update(`${name}\0${digestOf(this.content(name))}\0`)
    }
    return hash.digest('base64')
  }
}
