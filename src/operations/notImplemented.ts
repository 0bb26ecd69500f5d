import { fault } from '../onvif/faults.ts'
import type { OperationName } from '../onvif/types.generated.ts'

const stubs = new WeakSet<object>()

/** The handler of an operation that this device does not have: no capability claims it. Clients look for "not implemented". */
export function notImplemented(name: OperationName) {
  const handler = async (): Promise<never> => {
    throw fault('ActionNotSupported', `${name} is not implemented`)
  }
  stubs.add(handler)
  return handler
}

/** The same where not the service but this one device lacks what the operation is about. */
export function absent(reason: string) {
  const handler = async (): Promise<never> => {
    throw fault('ActionNotSupported', reason)
  }
  stubs.add(handler)
  return handler
}

export const isImplemented = (handler: object): boolean => !stubs.has(handler)
