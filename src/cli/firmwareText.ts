import type { UpgradeEnd, UpgradeReport } from '../client/firmwareReport.ts'
import type { SlotInfo } from '../platform/platform.ts'
import { grid, inBytes, inSeconds, oneLine, table } from './text.ts'

const states: Readonly<Record<string, string>> = {
  Idle: 'no upgrade is under way',
  Recovery: 'the boot record is lost: an upload, or `firmware confirm` for what runs, makes a new one',
  Armed: 'an address for the upload has been handed out',
  Transfer: 'the image arrives and is written',
  Check: 'the image is all there and is read back',
  Aborting: 'the installation is being stopped',
  Installed: 'the image is installed and not activated',
  Activating: 'the new image is being activated',
  Rebooting: 'the new image is next; the device restarts',
  Trial: 'the new image runs on trial',
  Commit: 'the new image is well and is being confirmed',
  Rollback: 'the new image is given up; the device goes back',
  Failed: 'the upgrade has failed and is being cleared away',
}

/** The state of an upgrade as a sentence without its full stop. */
export function inWords({ state, version, percent, waitingFor }: UpgradeReport): string {
  const said = Object.hasOwn(states, state) ? (states[state] ?? state) : state
  const image = version === undefined ? '' : ` (image ${version})`
  const done = percent === undefined ? '' : `, ${Math.round(percent)}% done`
  const waits = waitingFor === undefined || state === 'Recovery' ? '' : `; it waits for ${waitingFor}`
  return oneLine(`${said.charAt(0).toUpperCase()}${said.slice(1)}${image}${done}${waits}`)
}

const reasons: Readonly<Record<string, string>> = {
  boot: 'it did not boot',
  selfCheck: 'the device did not find itself well with it',
  rejected: 'an administrator did not want it',
  aborted: 'it was broken off',
}

export function inReason({ reason, detail }: NonNullable<UpgradeEnd['failure']>): string {
  const why = Object.hasOwn(reasons, reason) ? reasons[reason] : reason
  return oneLine(detail === '' ? `${why}` : `${why}: ${detail}`)
}

const records: Readonly<Record<string, string>> = {
  whole: 'whole',
  half: 'one of its two copies is DAMAGED; the next change writes it anew',
  lost: 'LOST, both copies are damaged: the device booted its default slot',
}

export function presentReport(report: UpgradeReport, device: URL): string {
  const { receivedBytes, expectedBytes, version, transaction, engine, record, slots, last } = report
  const { waitingFor: _, version: __, ...state } = report
  const rows: [string, string][] = [
    ['Device', device.host],
    ['State', inWords({ ...state, waitingFor: undefined, version: undefined })],
  ]
  if (report.waitingFor !== undefined) rows.push(['Waits for', report.waitingFor])
  if (version !== undefined) rows.push(['Image', version])
  if (transaction !== undefined) rows.push(['Transaction', transaction])
  if (receivedBytes > 0)
    rows.push(['Received', inBytes(receivedBytes) + (expectedBytes === undefined ? '' : ` of ${inBytes(expectedBytes)}`)])
  rows.push(['Engine', engine], ['Boot record', records[record] ?? record])
  if (last) rows.push(['Last upgrade', `${presentEnd(last)}, ${last.at}, by ${last.user}`])
  const plain = rows.map(([label, value]) => [label, oneLine(value)] as const)
  return `${table(plain)}\n\n${presentSlots(slots)}\n`
}

function presentSlots(slots: readonly SlotInfo[]): string {
  const cells = ({ id, version, running, next, confirmed, triesLeft }: SlotInfo) => [
    id,
    version ?? 'no image',
    running ? 'runs' : '',
    next ? 'next' : '',
    confirmed ? 'yes' : 'no',
    String(triesLeft),
  ]
  return grid(
    ['Slot', 'Version', 'Now', 'Next boot', 'Confirmed', 'Tries left'],
    slots.map(slot => cells(slot).map(cell => oneLine(cell))),
  )
}

/** From where on the new image had run, or had been meant to, so that the device had to go back. */
const wentBack = new Set(['boot', 'selfCheck', 'rejected'])

function result({ failure }: UpgradeEnd): string {
  if (!failure) return 'succeeded'
  return `${wentBack.has(failure.reason) ? 'rolled back' : 'failed'}, ${inReason(failure)}`
}

export const presentEnd = (end: UpgradeEnd): string => `${end.from ?? 'unknown'} → ${end.to ?? 'unknown'} ${result(end)}`

/** The newest first. */
export function presentHistory(history: readonly UpgradeEnd[]): string {
  if (history.length === 0) return 'No upgrade has ended here yet\n'
  const rows = history
    .toReversed()
    .map(end => [
      end.at,
      end.from ?? 'unknown',
      end.to ?? 'unknown',
      result(end),
      end.remoteAddress === undefined ? end.user : `${end.user} from ${end.remoteAddress}`,
      end.seconds === undefined ? '' : inSeconds(end.seconds * 1000),
      end.transaction,
    ])
  return `${grid(
    ['Ended', 'From', 'To', 'Result', 'By', 'Took', 'Transaction'],
    rows.map(row => row.map(cell => oneLine(cell))),
  )}\n`
}
