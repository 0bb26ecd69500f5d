import type { Failure, InstalledImage, KnownImage, Outcome, Upgrade, UpgradeOperation, UpgradeState } from './machine.ts'

/** The form of what is saved; another number is not read. */
const form = 2

/** An outcome with times of the wall clock, for people. */
export interface HistoryEntry extends Outcome {
  readonly at: string
  /** From the upload URI to the end. */
  readonly seconds: number
}

/**
 * What is kept of a state over a restart: an upload URI ends with it, whether an interrupted upload was complete makes no
 * difference, and whether the boot record is lost is looked up.
 */
export function stateToSave(state: UpgradeState): object {
  switch (state.name) {
    case 'Recovery':
      return { form, state: { name: 'Idle' } }
    case 'Armed':
      return { form, state: state.broken ? { name: 'Failed', upgrade: state.upgrade, ...state.broken } : { name: 'Idle' } }
    case 'Check':
      return { form, state: { ...state, name: 'Transfer' } }
    case 'Aborting':
      return { form, state: { ...state, name: 'Failed' } }
    default:
      return { form, state }
  }
}

/** Idle where nothing, or nothing that makes sense, was saved: the boot record then says what is to be done. */
export function stateFromSaved(saved: unknown): UpgradeState {
  try {
    const { form: found, state } = members(saved)
    return found === form ? parseState(members(state)) : { name: 'Idle' }
  } catch {
    return { name: 'Idle' }
  }
}

export function historyFromSaved(saved: unknown): readonly HistoryEntry[] {
  try {
    const { form: found, entries } = members(saved)
    if (found !== form || !Array.isArray(entries)) return []
    return entries.map(value => {
      const { to, sha256, signers, builtAt, failure, at, seconds, ...upgrade } = members(value)
      return {
        ...parseUpgrade(upgrade),
        to: optionalText(to),
        sha256: optionalText(sha256),
        signers: texts(signers),
        builtAt: optionalText(builtAt),
        failure: failure === undefined ? undefined : parseFailure(failure),
        at: text(at),
        seconds: number(seconds),
      }
    })
  } catch {
    return []
  }
}

export const historyToSave = (entries: readonly HistoryEntry[]): object => ({ form, entries })

type Members = Readonly<Record<string, unknown>>

function parseState({ name, upgrade, image, boots, failure }: Members): UpgradeState {
  const installed = () => ({ upgrade: parseUpgrade(upgrade), image: parseInstalled(image), boots: number(boots) })
  const tried = () => ({ upgrade: parseUpgrade(upgrade), image: image === undefined ? undefined : parseImage(members(image)) })
  switch (name) {
    case 'Transfer':
      return { name, ...tried() }
    case 'Installed':
    case 'Activating':
    case 'Rebooting':
    case 'Trial':
    case 'Commit':
      return { name, ...installed() }
    case 'Rollback':
      return { name, ...installed(), failure: parseFailure(failure) }
    case 'Failed':
      return { name, ...tried(), failure: parseFailure(failure) }
    default:
      return { name: 'Idle' }
  }
}

function parseUpgrade(value: unknown): Upgrade {
  const { transaction, user, remoteAddress, operation, from } = members(value)
  return {
    transaction: text(transaction),
    user: text(user),
    remoteAddress: optionalText(remoteAddress),
    operation: operations.find(known => known === operation),
    from: optionalText(from),
  }
}

const parseImage = ({ version, sha256, signers, builtAt }: Members): KnownImage => ({
  version: optionalText(version),
  sha256: optionalText(sha256),
  signers: texts(signers),
  builtAt: optionalText(builtAt),
})

function parseInstalled(value: unknown): InstalledImage {
  const image = members(value)
  return { slot: text(image.slot), ...parseImage(image) }
}

const operations: readonly UpgradeOperation[] = ['StartFirmwareUpgrade', 'UpgradeSystemFirmware']

const reasons: readonly Failure['reason'][] = [
  'format',
  'signature',
  'expired',
  'revoked',
  'hash',
  'compatible',
  'version',
  'epoch',
  'truncated',
  'nospace',
  'io',
  'busy',
  'lost',
  'timeout',
  'aborted',
  'boot',
  'selfCheck',
  'rejected',
]

function parseFailure(value: unknown): Failure {
  const { reason, detail } = members(value)
  return { reason: reasons.find(known => known === reason) ?? 'lost', detail: text(detail) }
}

function members(value: unknown): Members {
  if (typeof value !== 'object' || value === null) throw new Error('not an object')
  return Object.fromEntries(Object.entries(value))
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('not a text')
  return value
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new Error('not a list')
  return value.map(text)
}

const optionalText = (value: unknown): string | undefined => (value === undefined ? undefined : text(value))

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('not a number')
  return value
}
