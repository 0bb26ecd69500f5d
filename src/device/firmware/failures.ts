import { limits } from '../../limits.ts'
import { BackendError, ImageError } from '../../platform/platform.ts'
import { UploadRefusal } from '../upload.ts'
import type { Failure, UpgradeEvent } from './machine.ts'

/** What an error means for the upgrade. `again`: the rest of the upload may come over another connection. */
export function failureEvent(error: unknown, again = false): Extract<UpgradeEvent, { readonly failure: Failure }> {
  const failure = failureOf(error)
  if (error instanceof ImageError) return { name: 'ImageRefused', failure }
  if (!(error instanceof UploadRefusal)) return { name: 'DeviceFailed', failure }
  switch (error.status) {
    case 413:
    case 415:
      return { name: 'ImageRefused', failure }
    case 503:
      return { name: 'Aborted', failure }
    default:
      return { name: 'ConnectionLost', again, failure }
  }
}

/** The answer to an upload that failed, with the status that firmware uploads give to its reason. */
export function refusal(error: unknown, transaction: string): UploadRefusal {
  const { reason, detail } = failureOf(error)
  return new UploadRefusal(statusOf(error, reason), reason, detail, { cause: error, transaction })
}

function statusOf(error: unknown, reason: Failure['reason']): UploadRefusal['status'] {
  if (error instanceof UploadRefusal) return error.status
  if (error instanceof ImageError) return reason === 'nospace' ? 413 : 415
  return reason === 'busy' ? 503 : 500
}

function failureOf(error: unknown): Failure {
  if (error instanceof ImageError || error instanceof BackendError) return { reason: error.reason, detail: printable(error.message) }
  if (error instanceof UploadRefusal) return { reason: reasonOf(error), detail: printable(error.message) }
  return isDiskFull(error) ? { reason: 'nospace', detail: 'the disk is full' } : { reason: 'io', detail: 'the device failed' }
}

export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

/** File names and certificates of strangers may be quoted in it, and what a sick image answers to itself. */
export const printable = (message: string): string =>
  message.replace(/[^\x20-\x7e\xa0-\uffff]/g, '?').slice(0, limits.failureDetailCharactersMax)

function reasonOf({ status, reason }: UploadRefusal): Failure['reason'] {
  if (reason === 'nospace') return reason
  if (status === 408) return 'timeout'
  if (status === 415) return 'format'
  return status === 503 ? 'aborted' : 'lost'
}
