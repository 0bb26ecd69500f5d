import type { Failure, InstalledImage, Outcome, Upgrade, UpgradeState } from './machine.ts'

/** The form of what is saved; another number is not read. */
const form = 1

/** An outcome with the time of the wall clock, for people. */
export interface HistoryEntry extends Outcome {
  readonly at: string
}

/**
 * What is kept of a state over a restart: an upload URI ends with it, and whether an interrupted upload was complete makes no
 * difference.
 */
export function stateToSave(state: UpgradeState): object {
  if (state.name === 'Armed') return { form, state: { name: 'Idle' } }
  if (state.name === 'Check') return { form, state: { ...state, name: 'Transfer' } }
  return { form, state }
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
      const { to, failure, at, ...upgrade } = members(value)
      return {
        ...parseUpgrade(upgrade),
        to: optionalText(to),
        failure: failure === undefined ? undefined : parseFailure(failure),
        at: text(at),
      }
    })
  } catch {
    return []
  }
}

export const historyToSave = (entries: readonly HistoryEntry[]): object => ({ form, entries })

type Members = Readonly<Record<string, unknown>>

function parseState({ name, upgrade, version, image, boots, failure }: Members): UpgradeState {
  const installed = () => ({ upgrade: parseUpgrade(upgrade), image: parseImage(image), boots: number(boots) })
  switch (name) {
    case 'Transfer':
      return { name, upgrade: parseUpgrade(upgrade), version: optionalText(version) }
    case 'Activating':
    case 'Rebooting':
    case 'Trial':
    case 'Commit':
      return { name, ...installed() }
    case 'Rollback':
      return { name, ...installed(), failure: parseFailure(failure) }
    case 'Failed':
      return { name, upgrade: parseUpgrade(upgrade), version: optionalText(version), failure: parseFailure(failure) }
    default:
      return { name: 'Idle' }
  }
}

function parseUpgrade(value: unknown): Upgrade {
  const { transaction, user, from } = members(value)
  return { transaction: text(transaction), user: text(user), from: optionalText(from) }
}

function parseImage(value: unknown): InstalledImage {
  const { slot, version, sha256 } = members(value)
  return { slot: text(slot), version: optionalText(version), sha256: optionalText(sha256) }
}

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

const optionalText = (value: unknown): string | undefined => (value === undefined ? undefined : text(value))

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('not a number')
  return value
}
