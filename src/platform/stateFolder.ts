import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { lockFile } from '../device/store.ts'

/** What the operator has to mend before the device can start. */
export class StateError extends Error {
  override readonly name = 'StateError'
}

/** The folder that holds everything that outlives a restart; nobody but its owner can look into it. */
export interface StateFolder {
  readonly path: string
  /** The 32 bytes that seal every secret of this device at rest. */
  readonly key: Buffer
}

/** Throws StateError where a part is missing or damaged: a device that began anew in silence would bring back a first log-in. */
export function openStateFolder(path: string): StateFolder {
  const folder = resolve(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const key = deviceKey(folder)
  // The database is made before anything that lies in a folder of its own.
  if (!existsSync(databaseFile(folder)) && existsSync(join(folder, 'slots')))
    throw new StateError(`${databaseFile(folder)} is missing: ${whatToDo}`)
  return { path: folder, key }
}

/** Before anything in the folder is changed: it belongs to one device at a time. Throws StoreError where another one has it. */
export function lockStateFolder({ path }: StateFolder): { release(): void } {
  const file = join(path, 'device.lock')
  const lock = lockFile(file)
  chmodSync(file, 0o600)
  return lock
}

export const databaseFile = (folder: string): string => join(folder, 'device.db')

const whatToDo = 'put it back, or move the state folder away to begin as a new device'

/** A folder of its own for what one room keeps as files. */
export function subfolder(state: StateFolder, name: string): string {
  const folder = join(state.path, name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

function deviceKey(folder: string): Buffer {
  const file = join(folder, 'device.key')
  if (!existsSync(file)) {
    if (existsSync(databaseFile(folder))) throw new StateError(`${file} is missing: ${whatToDo}`)
    writeDurably(file, randomBytes(32))
  }
  const key = readFileSync(file)
  if (key.length !== 32) throw new StateError(`${file} is damaged (${key.length} bytes instead of 32): ${whatToDo}`)
  return key
}

/** Readable by the owner alone, and either there as a whole or not at all, also after a power cut. */
export function writeDurably(file: string, content: string | Uint8Array): void {
  const folder = dirname(file)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${file}.new`
  const handle = openSync(temporary, 'w', 0o600)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
  const directory = openSync(folder, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
