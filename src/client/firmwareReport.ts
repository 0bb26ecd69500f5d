import type { FirmwareReport } from '../device/firmware/report.ts'
import type { HistoryEntry } from '../device/firmware/savedState.ts'
import type { SlotInfo } from '../platform/platform.ts'
import { ClientError } from './errors.ts'

/** FirmwareReport as another onvifd tells it, which may have states, engines and reasons that this one does not know. */
export interface UpgradeReport extends Omit<FirmwareReport, 'state' | 'engine' | 'record' | 'last'> {
  readonly state: string
  readonly engine: string
  readonly record: string
  readonly last: UpgradeEnd | undefined
}

/** HistoryEntry as another onvifd tells it. */
export interface UpgradeEnd extends Pick<HistoryEntry, 'transaction' | 'user' | 'at'> {
  readonly remoteAddress: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly sha256: string | undefined
  readonly signers: readonly string[]
  readonly seconds: number | undefined
  /** Undefined: it succeeded. */
  readonly failure: { readonly reason: string; readonly detail: string } | undefined
}

/** Throws ClientError, as all of these do. */
export function readReport(value: unknown): UpgradeReport {
  const { slots, last, ...rest } = members(value)
  return {
    state: text(rest.state),
    transaction: optional(rest.transaction, text),
    version: optional(rest.version, text),
    receivedBytes: number(rest.receivedBytes),
    expectedBytes: optional(rest.expectedBytes, number),
    percent: optional(rest.percent, number),
    waitingFor: optional(rest.waitingFor, text),
    engine: text(rest.engine),
    record: text(rest.record),
    slots: list(slots, readSlot),
    last: optional(last, readEnd),
  }
}

export const readHistory = (value: unknown): readonly UpgradeEnd[] => list(value, readEnd)

/** What an order is answered with; a refusal may do without a transaction. */
export function readReceipt(value: unknown): { readonly transaction: string; readonly message: string } {
  const { transaction = '', message } = members(value)
  return { transaction: text(transaction), message: text(message) }
}

function readSlot(value: unknown): SlotInfo {
  const slot = members(value)
  return {
    id: text(slot.id),
    running: flag(slot.running),
    confirmed: flag(slot.confirmed),
    next: flag(slot.next),
    version: optional(slot.version, text),
    sha256: optional(slot.sha256, text),
    triesLeft: number(slot.triesLeft),
    transaction: optional(slot.transaction, text),
  }
}

function readEnd(value: unknown): UpgradeEnd {
  const { failure, signers, ...rest } = members(value)
  return {
    transaction: text(rest.transaction),
    user: text(rest.user),
    remoteAddress: optional(rest.remoteAddress, text),
    from: optional(rest.from, text),
    to: optional(rest.to, text),
    sha256: optional(rest.sha256, text),
    signers: list(signers ?? [], text),
    at: text(rest.at),
    seconds: optional(rest.seconds, number),
    failure: optional(failure, told => {
      const { reason, detail } = members(told)
      return { reason: text(reason), detail: text(detail) }
    }),
  }
}

type Members = Readonly<Record<string, unknown>>

const refuse = (wanted: string) =>
  new ClientError('answer', `the device tells of its firmware in a form that is not known: ${wanted} is missing`)

function members(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('an object')
  return Object.fromEntries(Object.entries(value))
}

function list<T>(value: unknown, read: (item: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw refuse('a list')
  return value.map(item => read(item))
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw refuse('a text')
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw refuse('a number')
  return value
}

function flag(value: unknown): boolean {
  if (typeof value !== 'boolean') throw refuse('a yes or no')
  return value
}

const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === undefined || value === null ? undefined : read(value)
