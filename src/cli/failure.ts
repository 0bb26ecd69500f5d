import { oneLine } from './text.ts'

/** The command was called in a way that cannot work; the message says how it can. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const usageErrors: ReadonlySet<string> = new Set(['UsageError', 'AddressError', 'TopicError', 'ConfigError', 'StateError'])

/** By name, because most commands never load the rooms that the other errors come from. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof Error && usageErrors.has(error.name) ? 2 : 1
}

/** One line for the person: what went wrong and, as far as it can be told, what to do. `ONVIFD_DEBUG=1` adds where and why. */
export function describeFailure(error: unknown): string {
  if (process.env.ONVIFD_DEBUG && error instanceof Error)
    return `${error.stack}${error.cause === undefined ? '' : `\ncaused by ${String(error.cause)}`}`
  if (!(error instanceof Error)) return oneLine(String(error))
  const code = 'code' in error ? String(error.code) : ''
  const path = 'path' in error ? String(error.path) : 'a file'
  if (code === 'ENOENT') return oneLine(`${path} does not exist`)
  if (code === 'EACCES') return oneLine(`${path} may not be read or written by this user`)
  if (code === 'EISDIR') return oneLine(`${path} is a folder, not a file`)
  return oneLine(error.message)
}
