import { closeSync, constants, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type ReplayJournal, recordBytes } from '../auth/tokenMemory.ts'

export interface ReplayFile extends ReplayJournal {
  /** Everything is on the disk, and the next start will know that. No call is allowed after it. */
  close(): void
}

/**
 * Used log-in tokens, in two files of the state folder. An append is one write into the page cache: it takes microseconds and
 * survives the end of the process, but not that of the machine. The next start notices: `tokens.mark` then holds another boot id
 * and not the word of a clean end. `bootId` is empty where the operating system tells none.
 */
export function openReplayFile(folder: string, bootId = bootIdOfLinux()): ReplayFile {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const [previousFile, currentFile, nextFile, markFile] = [
    join(folder, 'tokens.previous'),
    join(folder, 'tokens.current'),
    join(folder, 'tokens.next'),
    join(folder, 'tokens.mark'),
  ]
  const [previous, current, mark] = [contentOf(previousFile), contentOf(currentFile), contentOf(markFile)?.toString()]
  const running = `open ${bootId}`
  const nothingYet = previous === undefined && current === undefined
  const complete = mark === undefined ? nothingYet : mark === 'clean' || (bootId !== '' && mark === running)

  let file = openSync(currentFile, constants.O_RDWR | constants.O_CREAT, 0o600)
  // A record that was cut off is written over by the next one.
  let size = Math.floor((current?.length ?? 0) / recordBytes) * recordBytes
  setMark(running)
  sync(folder)

  function setMark(text: string): void {
    writeFileSync(markFile, text, { mode: 0o600, flush: true })
  }

  return {
    previous: previous ?? Buffer.alloc(0),
    current: current ?? Buffer.alloc(0),
    complete,

    append(record) {
      let written = 0
      while (written < record.length) written += writeSync(file, record, written, record.length - written, size + written)
      size += record.length
    },

    rotate() {
      const next = openSync(nextFile, 'w+', 0o600)
      renameSync(currentFile, previousFile)
      renameSync(nextFile, currentFile)
      closeSync(file)
      file = next
      size = 0
    },

    close() {
      fsyncSync(file)
      closeSync(file)
      // The number may soon be another file's: a late append has to fail.
      file = -1
      sync(previousFile)
      sync(folder)
      setMark('clean')
    },
  }
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Makes a file, or the names in a folder, survive a power cut; there is nothing to do where it does not exist. */
function sync(path: string): void {
  let handle: number
  try {
    handle = openSync(path, 'r')
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function bootIdOfLinux(): string {
  return contentOf('/proc/sys/kernel/random/boot_id')?.toString().trim() ?? ''
}
