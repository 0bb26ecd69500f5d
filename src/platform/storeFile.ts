import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { openStore, type Store } from '../device/store.ts'

/**
 * The store in a file that only its owner can read. A new one is made under another name and gets its own when it is complete, so
 * that an empty file always means damage: a first start that is killed leaves no such file behind. Throws StoreError.
 */
export function openStoreFile(path: string): Store {
  if (!existsSync(path)) {
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
  chmodSync(path, 0o600)
  return openStore(path)
}

function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
