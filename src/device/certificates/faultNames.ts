import { type FaultName, fault } from '../../onvif/faults.ts'
import { X509Error } from './x509/x509Error.ts'

/** What the Security service calls it; `format` has a name of its own in every operation. */
const names: Readonly<Record<Exclude<X509Error['kind'], 'format'>, FaultName>> = {
  publicKey: 'UnsupportedPublicKeyAlgorithm',
  signatureAlgorithm: 'UnsupportedSignatureAlgorithm',
  passphrase: 'DecryptionFailed',
  mismatch: 'PublicPrivateKeyMismatch',
  subject: 'InvalidSubject',
  attribute: 'InvalidAttribute',
}

function named(error: unknown, format: FaultName, others: Partial<typeof names>): unknown {
  if (!(error instanceof X509Error)) return error
  const name = error.kind === 'format' ? format : { ...names, ...others }[error.kind]
  return fault(name, error.message, { cause: error })
}

/** Does what reads the bytes of a client, and turns its complaint into the fault of the operation. */
export function reading<T>(format: FaultName, read: () => T, others: Partial<typeof names> = {}): T {
  try {
    return read()
  } catch (error) {
    throw named(error, format, others)
  }
}

export async function opening<T>(format: FaultName, open: () => Promise<T>, others: Partial<typeof names> = {}): Promise<T> {
  try {
    return await open()
  } catch (error) {
    throw named(error, format, others)
  }
}
