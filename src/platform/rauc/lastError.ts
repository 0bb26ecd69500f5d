import { BackendError, ImageError, type ImageReason } from '../platform.ts'

/** RAUC explains itself in words alone; these are those of 1.8 and of its OpenSSL. The first one that fits counts. */
const imageFaults: readonly (readonly [RegExp, ImageReason])[] = [
  [/certificate has expired|certificate is not yet valid/i, 'expired'],
  [/certificate revoked/i, 'revoked'],
  [/signature size .*exceeds|failed to read signature|signature size is 0/i, 'truncated'],
  [/CMS routines::verification failure|content verify error|bundle payload is corrupted|dm-verity device failed/i, 'hash'],
  [/signature verification failed|verify error|bundle signature/i, 'signature'],
  [/compatible mismatch/i, 'compatible'],
  [/does not fit to slot size|failed updating slot .*no space left on device/is, 'nospace'],
  [
    /source image '.*' not found|no target slot for class|manifest|bundle format '.*' not (allowed|supported)|invalid bundle format/i,
    'format',
  ],
]

const deviceFaults: readonly (readonly [RegExp, ImageReason])[] = [
  [/already processing a different method/i, 'busy'],
  [/no space left on device|disk quota exceeded/i, 'nospace'],
]

/** A bundle that cannot be opened is ours: we put it there. */
const ours = /failed to open bundle for reading|exclusive bundle access|unsafe bundle/i

/** What LastError of RAUC means: the image is at fault, or the device. */
export function failureFrom(lastError: string): ImageError | BackendError {
  const message = `RAUC: ${lastError || 'the installation failed without a reason'}`
  const of = (faults: typeof imageFaults) => faults.find(([pattern]) => pattern.test(lastError))?.[1]
  const reason = ours.test(lastError) ? undefined : of(imageFaults)
  return reason ? new ImageError(reason, message) : new BackendError(of(deviceFaults) ?? 'io', message)
}
