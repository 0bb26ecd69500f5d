import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

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

export function openStateFolder(path: string): StateFolder {
  const folder = resolve(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return { path: folder, key: deviceKey(folder) }
}

/** A folder of its own for what one room keeps as files. */
export function subfolder(state: StateFolder, name: string): string {
  const folder = join(state.path, name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

/** Never made anew beside an existing database: what that holds would be lost without a word. */
function deviceKey(folder: string): Buffer {
  const file = join(folder, 'device.key')
  if (!existsSync(file)) {
    if (existsSync(join(folder, 'device.db'))) throw new StateError(`${file} is missing: restore it, or start with an empty state folder`)
    writeDurably(file, randomBytes(32))
  }
  const key = readFileSync(file)
  if (key.length !== 32)
    throw new StateError(`${file} is damaged (${key.length} bytes instead of 32): restore it, or start with an empty state folder`)
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
