import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { limits } from '../limits.ts'

/** The state of the device cannot be used as it is; the message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** What one subject keeps. Values are JSON and are never changed in place. */
export interface Document<T> {
  get(): T
  /** Survives a power cut when it returns, or, inside of a transaction, when that returns. */
  set(value: T): void
}

/**
 * Documents by name in one file. Those under `machine/` belong to the machine, as a type plate does: no backup carries them and
 * no factory default resets them.
 */
export interface Store {
  /** `parse` throws on what is no such value: it guards what is read, restored and written. `initial` holds until the first set. */
  document<T>(name: string, parse: (stored: unknown) => T, initial: () => T): Document<T>
  /** All that `work` sets, or nothing of it if it throws; a transaction inside of another one is part of it. `work` cannot wait. */
  transaction<T>(work: () => T): T
  /** What a backup carries: the value of every document but the machine's. */
  exportDocuments(): Readonly<Record<string, unknown>>
  /** Puts back what exportDocuments gave; a document that is missing becomes its initial value. Throws StoreError before it changes anything. */
  importDocuments(documents: Readonly<Record<string, unknown>>): void
  /** Factory default: every document but the machine's and those named becomes its initial value. */
  clear(keep?: readonly string[]): void
  /** Reads everything again as a start would. Throws StoreError where a start would. */
  verify(): void
  /** When it returns, the file alone holds everything, until the next change. Not inside of a transaction. */
  settle(): void
  /** No call is allowed after it. */
  close(): void
}

/** A document without its type, for what concerns all of them. */
interface Entry {
  value(): unknown
  /** Throws where what is stored cannot be read. */
  verify(): void
  /** Checks now; the returned function writes. */
  prepare(stored: unknown): () => void
  reset(): void
}

/** "onvd": tells this file from every other SQLite database. */
const applicationId = 0x6f6e7664
const schemaVersion = 1

/** Opens the file, or makes it where there is none. It is locked until `close` or the end of the process. Throws StoreError. */
export function openStore(path: string): Store {
  const database = openDatabase(path)
  const select = database.prepare('SELECT value FROM documents WHERE name = ?')
  const upsert = database.prepare('INSERT INTO documents VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
  const remove = database.prepare('DELETE FROM documents WHERE name = ?')
  const entries = new Map<string, Entry>()
  /** What takes the values in memory back to where they were before the transaction. */
  const undo: (() => void)[] = []
  let depth = 0
  /** Whether the log may hold a change that was answered by an error. */
  let isDoubtful = false

  /**
   * A commit that fails where its log is synced has left its frames there, complete with the mark of the commit, and the next start
   * would play them into the file. They count for nothing once a commit that changes nothing stands in their place: it begins where
   * they began, and a frame holds only on top of those before it. A checkpoint that truncates the log would take them away too, but
   * nothing syncs that. Throws where the disk does not take this either.
   */
  function settleDoubt(): void {
    if (!isDoubtful) return
    database.exec(`PRAGMA user_version = ${schemaVersion}`)
    isDoubtful = false
  }

  /**
   * For a statement outside of a transaction, and for what ends one: where it throws, the file holds what memory holds. Only where
   * the disk has gone for good it stays in doubt what the next start finds, until the next write or the end, which try again first.
   */
  function commit(act: () => unknown): void {
    try {
      act()
    } catch (error) {
      isDoubtful = true
      try {
        if (database.isTransaction) database.exec('ROLLBACK')
        settleDoubt()
      } catch {
        // The first error says what is wrong.
      }
      throw error
    }
  }

  function selected(name: string) {
    try {
      return select.get(name)?.value
    } catch (error) {
      throw explained(path, error)
    }
  }

  function document<T>(name: string, parse: (stored: unknown) => T, initial: () => T): Document<T> {
    if (entries.has(name)) throw new Error(`the document ${name} has two owners`)
    const stored = selected(name)
    let value = stored === undefined ? initial() : readStored(path, name, stored, parse)

    function put(next: T): void {
      const before = value
      if (depth > 0)
        undo.push(() => {
          value = before
        })
      value = next
    }

    function set(next: T): void {
      const json = JSON.stringify(next)
      // Read back before it is written: what could not be read after a restart is refused while somebody can still be told.
      const checked = parse(JSON.parse(json))
      if (depth === 0) {
        settleDoubt()
        commit(() => upsert.run(name, json))
      } else upsert.run(name, json)
      put(checked)
    }

    entries.set(name, {
      value: () => value,
      verify() {
        const now = selected(name)
        if (now !== undefined) readStored(path, name, now, parse)
      },
      prepare(imported) {
        const checked = parse(imported)
        return () => set(checked)
      },
      reset() {
        remove.run(name)
        put(initial())
      },
    })
    return { get: () => value, set }
  }

  function transaction<T>(work: () => T): T {
    const outermost = depth === 0
    const mark = undo.length
    if (outermost) settleDoubt()
    database.exec(outermost ? 'BEGIN IMMEDIATE' : `SAVEPOINT level${depth}`)
    depth++
    try {
      const result = work()
      if (result instanceof Promise) throw new TypeError('a transaction cannot wait')
      if (outermost) commit(() => database.exec('COMMIT'))
      else database.exec(`RELEASE level${depth - 1}`)
      return result
    } catch (error) {
      for (const step of undo.splice(mark).reverse()) step()
      // A failing COMMIT may have rolled back by itself.
      if (database.isTransaction) database.exec(outermost ? 'ROLLBACK' : `ROLLBACK TO level${depth - 1}; RELEASE level${depth - 1}`)
      throw error
    } finally {
      depth--
      if (outermost) undo.length = 0
    }
  }

  const settings = () => [...entries].filter(([name]) => !name.startsWith('machine/'))

  function clear(keep: readonly string[] = []): void {
    transaction(() => {
      for (const [name, entry] of settings()) if (!keep.includes(name)) entry.reset()
    })
  }

  return {
    document,
    transaction,
    clear,

    exportDocuments: () => Object.fromEntries(settings().map(([name, entry]) => [name, entry.value()])),

    importDocuments(documents) {
      const known = new Map(settings())
      const writes = Object.entries(documents).map(([name, stored]) => {
        const entry = known.get(name)
        if (!entry) throw new StoreError(`the backup holds ${JSON.stringify(name.slice(0, 100))}, which this version does not know`)
        try {
          return entry.prepare(stored)
        } catch (cause) {
          throw new StoreError(`the ${name} in the backup cannot be used on this device`, { cause })
        }
      })
      transaction(() => {
        clear(Object.keys(documents))
        for (const write of writes) write()
      })
    },

    verify() {
      try {
        // Otherwise it would be the pages in memory.
        database.exec('PRAGMA shrink_memory')
        assertOurs(path, database)
        for (const entry of entries.values()) entry.verify()
      } catch (error) {
        throw error instanceof StoreError ? error : explained(path, error)
      }
    },

    settle() {
      const left = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
      if (left?.busy !== 0) throw new StoreError(`${path} is being written`)
    },

    close() {
      try {
        settleDoubt()
      } catch {
        // Closing takes the log away, if anything still can.
      }
      database.close()
    },
  }
}

/**
 * Writes these documents of the file `from` over those of the file `to`, which nobody has open; one that is not in `from`, or that
 * its function throws on, stays as it is in `to`. Throws StoreError where a file cannot be read or written: `to` may be anything then.
 */
export function carryDocuments(from: string, to: string, documents: Readonly<Record<string, (stored: unknown) => unknown>>): void {
  const found = withDatabase(from, database => {
    const select = database.prepare('SELECT value FROM documents WHERE name = ?')
    return Object.entries(documents).flatMap(([name, parse]) => {
      const value = select.get(name)?.value
      return typeof value === 'string' && isReadable(value, parse) ? [{ name, value }] : []
    })
  })
  withDatabase(to, database => {
    const write = database.prepare('INSERT INTO documents VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
    for (const { name, value } of found) write.run(name, value)
  })
}

function isReadable(value: string, parse: (stored: unknown) => unknown): boolean {
  try {
    parse(JSON.parse(value))
    return true
  } catch {
    return false
  }
}

/** When it returns, the file alone holds everything. */
function withDatabase<T>(path: string, act: (database: DatabaseSync) => T): T {
  try {
    const database = openFile(path, 'rw')
    if (database === undefined) throw new StoreError(`${path} cannot be opened`)
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; BEGIN IMMEDIATE')
      const result = act(database)
      database.exec('COMMIT')
      return result
    } finally {
      database.close()
    }
  } catch (error) {
    throw error instanceof StoreError ? error : explained(path, error)
  }
}

/**
 * Keeps other processes, and other devices of this one, from what the file stands for until `release` or the end of the process: a
 * lock of the kernel's that cannot be left behind. Throws StoreError where somebody has it.
 */
export function lockFile(path: string): { release(): void } {
  const database = new DatabaseSync(path, { timeout: limits.storeLockTimeoutMs })
  try {
    // Nothing is ever written into it, and a journal would need room that a full disk does not have.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return { release: () => database.close() }
  } catch (error) {
    database.close()
    throw explained(path, error)
  }
}

function readStored<T>(path: string, name: string, stored: unknown, parse: (stored: unknown) => T): T {
  try {
    return parse(JSON.parse(String(stored)))
  } catch (cause) {
    throw new StoreError(`${path} is damaged: its ${name} cannot be read. ${whatToDo}`, { cause })
  }
}

/** Never mended in silence: starting over would bring back a first log-in that nobody expects. */
const whatToDo = 'Put back a copy of the state folder, or move it away to begin as a new device.'

function openDatabase(path: string): DatabaseSync {
  try {
    const found = openFile(path, 'rw')
    const database = found ?? openFile(path, 'rwc')
    if (!database) throw new StoreError(`${path} cannot be opened or made: see that it and its folder can be written`)
    try {
      prepare(path, database, found === undefined)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw error instanceof StoreError ? error : explained(path, error)
  }
}

/** Undefined where the file is not there, or cannot be made. */
function openFile(path: string, mode: 'rw' | 'rwc'): DatabaseSync | undefined {
  const memory = path === ':memory:'
  if (memory && mode === 'rw') return undefined
  const url = memory ? path : pathToFileURL(path)
  if (url instanceof URL) url.searchParams.set('mode', mode)
  try {
    return new DatabaseSync(url, { timeout: limits.storeLockTimeoutMs })
  } catch (error) {
    if (resultCode(error) === SQLITE_CANTOPEN) return undefined
    throw error
  }
}

function prepare(path: string, database: DatabaseSync, fresh: boolean): void {
  // One process at a time: the documents live in its memory. A first transaction takes the lock, and nothing gives it back.
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  if (!fresh) assertOurs(path, database)
  database.exec('BEGIN IMMEDIATE; COMMIT')
  // Changes are few, so each goes on into the file itself: a log that gets lost or damaged takes nothing with it.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 1; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON')
  if (!fresh) return
  database.exec(`
    BEGIN;
    CREATE TABLE documents (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${schemaVersion};
    COMMIT`)
}

function assertOurs(path: string, database: DatabaseSync): void {
  const pragma = (name: string) => database.prepare(`PRAGMA ${name}`).get()?.[name]
  if (pragma('quick_check') !== 'ok') throw new StoreError(`${path} is damaged. ${whatToDo}`)
  if (pragma('application_id') !== applicationId) throw new StoreError(`${path} is empty, or no state of onvifd. ${whatToDo}`)
  const version = pragma('user_version')
  if (version !== schemaVersion)
    throw new StoreError(`${path} has format ${version} and this onvifd reads ${schemaVersion}: start the version that wrote it`)
}

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26
/** The file ends where a page should be. */
const SQLITE_IOERR_SHORT_READ = 522

function extendedCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}

/** The primary result code, without what SQLite adds in the upper bytes. */
const resultCode = (error: unknown): number => (extendedCode(error) ?? 0) & 0xff

function explained(path: string, cause: unknown): StoreError {
  const code = resultCode(cause)
  if (code === SQLITE_BUSY)
    return new StoreError(`${path} is in use: stop the other onvifd first, or choose another state folder`, { cause })
  const isDamaged = code === SQLITE_CORRUPT || code === SQLITE_NOTADB || extendedCode(cause) === SQLITE_IOERR_SHORT_READ
  if (isDamaged) return new StoreError(`${path} is damaged. ${whatToDo}`, { cause })
  return new StoreError(`${path} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
