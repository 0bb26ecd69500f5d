import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type ReplayJournal, recordBytes } from '../auth/tokenMemory.ts'
import { writeDurably } from './stateFolder.ts'

export interface ReplayFile extends ReplayJournal {
  /** Everything is on the disk, and the next start will know that, or that it is not. No call is allowed after it. Never throws. */
  close(): void
}

/**
 * Used log-in tokens, in two files of the state folder. An append is one write into the page cache: it takes microseconds and
 * survives the end of the process, but not that of the machine. The next start notices: `tokens.mark` then holds another boot id
 * and not the word of a clean end with the length of both files. `bootId` is empty where the operating system tells none.
 */
export function openReplayFile(folder: string, bootId = bootIdOfLinux()): ReplayFile {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const [previousFile, currentFile, nextFile, markFile, unmarkedFile, forgottenFile] = [
    join(folder, 'tokens.previous'),
    join(folder, 'tokens.current'),
    join(folder, 'tokens.next'),
    join(folder, 'tokens.mark'),
    join(folder, 'tokens.unmarked'),
    join(folder, 'tokens.forgotten'),
  ]
  const [previous, current, mark] = [contentOf(previousFile), contentOf(currentFile), contentOf(markFile)?.toString()]
  const running = `open ${bootId}`
  const nothingYet = previous === undefined && current === undefined
  let previousBytes = previous?.length ?? 0
  const clean = () => `clean ${previousBytes} ${size}`
  let file = openSync(currentFile, constants.O_RDWR | constants.O_CREAT, 0o600)
  // A record that was cut off is written over by the next one.
  let size = Math.floor((current?.length ?? 0) / recordBytes) * recordBytes
  const complete = mark === undefined ? nothingYet : mark === clean() || (bootId !== '' && mark === running)
  let gap: 'record' | 'mark' | undefined
  let hasRotated = false
  /** What may be missing is not noted yet: until it is, every start has to find the journal incomplete, however this one goes on. */
  let isOwed = !complete
  if (complete) setMark(running)
  sync(folder)

  function setMark(text: string): void {
    writeFileSync(markFile, text, { mode: 0o600, flush: true })
  }

  return {
    previous: previous ?? Buffer.alloc(0),
    current: current ?? Buffer.alloc(0),
    forgotten: contentOf(forgottenFile) ?? Buffer.alloc(0),
    complete,
    lacksMark: existsSync(unmarkedFile),

    append(record) {
      let written = 0
      while (written < record.length) written += writeSync(file, record, written, record.length - written, size + written)
      size += record.length
    },

    sync() {
      fsyncSync(file)
      if (hasRotated) sync(folder)
      hasRotated = false
    },

    admitGap(missing) {
      if (gap === 'mark' || gap === missing) return
      if (missing === 'record') rmSync(markFile, { force: true })
      // A new name costs less than a new file.
      else if (existsSync(markFile)) renameSync(markFile, unmarkedFile)
      else writeFileSync(unmarkedFile, '', { mode: 0o600 })
      sync(folder)
      gap = missing
    },

    keepForgotten(spans) {
      writeDurably(forgottenFile, spans)
      if (isOwed && gap === undefined) {
        setMark(running)
        rmSync(unmarkedFile, { force: true })
      }
      isOwed = false
    },

    rotate() {
      const next = openSync(nextFile, 'w+', 0o600)
      renameSync(currentFile, previousFile)
      renameSync(nextFile, currentFile)
      closeSync(file)
      file = next
      hasRotated = true
      previousBytes = size
      size = 0
    },

    close() {
      const last = file
      // The number may soon be another file's: a late append has to fail.
      file = -1
      try {
        fsyncSync(last)
        sync(previousFile)
        sync(folder)
        if (gap === undefined && !isOwed) setMark(clean())
      } catch {
        // A disk that takes nothing: the next start finds that this was no clean end, which is the truth.
      } finally {
        closeSync(last)
      }
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
