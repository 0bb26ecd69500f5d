import { readFileSync } from 'node:fs'
import { limits } from '../limits.ts'
import { StateError } from './stateFolder.ts'

/** The first line of the operator's file. Throws StateError where it cannot be read or is too short to keep anybody out. */
export function readPassphrase(file: string): string {
  const passphrase = firstLine(file)
  if (passphrase.length < limits.backupPassphraseCharactersMin)
    throw new StateError(
      `--backup-passphrase-file: the first line of ${file} needs ${limits.backupPassphraseCharactersMin} characters or more`,
    )
  return passphrase
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0] ?? ''
  } catch (error) {
    throw new StateError(`--backup-passphrase-file: ${file} cannot be read (${error instanceof Error ? error.message : error})`)
  }
}
