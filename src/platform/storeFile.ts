import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { openStore, type Store } from '../device/store.ts'

/**
 * Makes the file of a new device, which only its owner can read. It is made under another name and gets its own when it is complete,
 * so that an empty file always means damage: a first start that is killed leaves no such file behind. Throws StoreError.
 */
export function makeStoreFile(path: string): void {
  if (existsSync(path)) return
  const unfinished = `${path}.new`
  // A log without its database would be played into the new one.
  for (const remains of [unfinished, `${unfinished}-wal`, `${unfinished}-journal`, `${path}-wal`, `${path}-journal`])
    rmSync(remains, { force: true })
  openStore(unfinished).close()
  chmodSync(unfinished, 0o600)
  sync(unfinished)
  renameSync(unfinished, path)
  sync(dirname(path))
}

/**
 * The store in its file, which is made where there is none. SQLite takes its log away with it; an empty one goes back into its place,
 * because a disk whose inodes are used up would have none for the next start. Throws StoreError.
 */
export function openStoreFile(path: string): Store {
  makeStoreFile(path)
  chmodSync(path, 0o600)
  const store = openStore(path)
  return {
    ...store,
    close() {
      store.close()
      keepPlace(`${path}-wal`)
    },
  }
}

function keepPlace(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch {
    // Somebody took the inode in between, or nothing can be written: then the next start says so.
  }
}

/** The whole file as it is now: nothing can change it between its settling and the end of the reading. */
export function readStoreFile(store: Store, path: string): Buffer {
  store.settle()
  return readFileSync(path)
}

function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
