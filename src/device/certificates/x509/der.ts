import { derLength } from '../../der.ts'
import { X509Error } from './x509Error.ts'

/** One value and nothing behind it. */
export function assertOneDerValue(bytes: Uint8Array): void {
  if (derLength(bytes) !== bytes.length) throw new Error('bytes beyond the end of the value, or too few')
}

export function assertSize(bytes: Uint8Array, bytesMax: number, what: string): void {
  if (bytes.length === 0) throw new X509Error('format', `the ${what} is empty`)
  if (bytes.length > bytesMax) throw new X509Error('format', `a ${what} has at most ${bytesMax} bytes`)
}
