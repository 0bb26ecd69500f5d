import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type JwtIssuer, parseJwtIssuers } from '../auth/jwtIssuers.ts'
import { limits } from '../limits.ts'
import { StateError } from './stateFolder.ts'

/** The issuers of the operator's file; files that it names are seen from its folder. Throws StateError. */
export function readJwtIssuers(file: string): readonly JwtIssuer[] {
  try {
    return parseJwtIssuers(readBounded(file), name => readBounded(resolve(dirname(file), name)))
  } catch (error) {
    throw new StateError(`--jwt-issuers: ${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readBounded(file: string): string {
  if (statSync(file).size > limits.jwtFileBytesMax) throw new Error(`${file} is larger than ${limits.jwtFileBytesMax} bytes`)
  return readFileSync(file, 'utf8')
}
