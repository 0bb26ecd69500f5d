import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { UpgradeState } from '../../src/device/firmware/machine.ts'
import { createSavedFile } from '../../src/device/firmware/savedFile.ts'
import { type HistoryEntry, historyFromSaved, stateFromSaved } from '../../src/device/firmware/savedState.ts'
import { limits } from '../../src/limits.ts'
import { createFileStorage } from '../../src/platform/fileStorage.ts'
import { type BootRecord, loadBootRecord, type Slot, slotFile, slotIds } from '../../src/platform/slots/bootRecord.ts'
import { nextSlot } from '../../src/platform/slots/launcher.ts'
import type { PostingAnswer } from '../support/posting.ts'
import { isRefused, type KnownImage } from './images.ts'

/** Something that must never be. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Violation(otherwise)
}

/** What stands in the state folder, as the next start finds it. */
export interface Found {
  readonly record: BootRecord
  readonly journal: UpgradeState
  readonly history: readonly HistoryEntry[]
  /** SHA-256 of what the slots hold, as much of it as the record says. */
  readonly content: Readonly<Record<Slot, string | undefined>>
}

export async function readState(state: string): Promise<Found> {
  const storage = createFileStorage()
  const [slots, upgrade] = [join(state, 'slots'), join(state, 'upgrade')]
  const record = await loadBootRecord(storage, slots)
  demand(record !== undefined, 'neither copy of the boot record can be read')
  const digest = async (slot: Slot): Promise<string | undefined> => {
    const image = record.images[slot]
    if (image === undefined) return undefined
    const bytes = await readFile(slotFile(slots, slot))
    return createHash('sha256').update(bytes.subarray(0, image.sizeBytes)).digest('hex')
  }
  return {
    record,
    journal: stateFromSaved(await createSavedFile(storage, upgrade, 'journal.json', limits.journalBytesMax).load()),
    history: historyFromSaved(await createSavedFile(storage, upgrade, 'history.json', limits.historyBytesMax).load()),
    content: { A: await digest('A'), B: await digest('B') },
  }
}

/** One upgrade as its client saw it. */
export interface Attempt {
  readonly image: KnownImage
  /** Version that ran when it began. */
  readonly from: string
  answer: PostingAnswer | undefined
  /** How often the device was killed since it began. */
  kills: number
}

/** What is known to be so, whatever happens to the process. */
export interface Ledger {
  readonly images: Map<string, KnownImage>
  attempt: Attempt | undefined
  /** Version that was confirmed when the device was last seen idle. */
  confirmed: string
  securityEpoch: number
  /** How the last upgrades with an answer ended: whether they succeeded, by their transaction. */
  readonly ended: Map<string, boolean>
}

/** What has to hold at any moment, for whoever looks at the files. */
export function judgeFiles({ record, content }: Found, { images, attempt, confirmed, securityEpoch }: Ledger): void {
  const runs = nextSlot(record)
  for (const slot of slotIds) {
    const image = record.images[slot]
    const sha256 = content[slot]
    const mustBeWhole = slot === record.confirmed || slot === runs
    demand(image !== undefined || !mustBeWhole, `slot ${slot} is to be booted and holds no complete image`)
    if (image === undefined || sha256 === undefined) continue
    const known = images.get(sha256)
    demand(known !== undefined, `slot ${slot} holds ${sha256}, which is none of the images`)
    demand(image.sha256 === sha256 && image.version === known.version, `slot ${slot} holds ${known.version}, recorded is ${image.version}`)
    demand(!isRefused(known.kind), `slot ${slot} holds ${known.version}, which is to be refused for its ${known.kind}`)
    demand(record.left[slot] >= 0 && record.left[slot] <= limits.bootTriesMax, `slot ${slot} has ${record.left[slot]} tries left`)
  }
  const kept = record.images[record.confirmed]
  const isNew = kept?.version === attempt?.image.version
  demand(isNew || kept?.version === confirmed, `${kept?.version} is confirmed, after ${confirmed}`)
  demand(!isNew || attempt?.image.kind === 'good', `${kept?.version} is confirmed, and is ${attempt?.image.kind}`)
  demand(record.securityEpoch >= securityEpoch, `the epoch was lowered from ${securityEpoch} to ${record.securityEpoch}`)
  demand(
    record.securityEpoch <= (kept?.securityEpoch ?? 0),
    `the epoch is ${record.securityEpoch}, that of the confirmed image ${kept?.securityEpoch}`,
  )
}

/** Nothing is under way. An upload that broke off is kept as a failed one as long as it may come again. */
export const isIdle = ({ journal }: Found, { attempt }: Ledger): boolean =>
  journal.name === 'Idle' || (journal.name === 'Failed' && attempt !== undefined && attempt.answer === undefined)

/** What has to hold besides when nothing is under way; the attempt, if there was one, has ended. */
export function judgeIdle(found: Found, ledger: Ledger): void {
  const { record, history } = found
  const { attempt } = ledger
  const runs = record.images[record.confirmed]?.version ?? ''
  demand(nextSlot(record) === record.confirmed, 'the device is idle, and its next boot takes a slot that is not confirmed')
  for (const [transaction, succeeded] of ledger.ended) {
    const entry = history.find(each => each.transaction === transaction)
    demand(entry !== undefined, `${transaction} was in the history and is not any more`)
    demand((entry.failure === undefined) === succeeded, `${transaction} ended otherwise when it was last read`)
  }
  if (attempt !== undefined) judgeAttempt(attempt, runs, history)
  if (attempt?.answer?.transaction !== undefined) remember(ledger.ended, attempt.answer.transaction, runs === attempt.image.version)
  Object.assign(ledger, { attempt: undefined, confirmed: runs, securityEpoch: record.securityEpoch })
}

function judgeAttempt({ image, from, answer, kills }: Attempt, runs: string, history: readonly HistoryEntry[]): void {
  const { version, kind } = image
  const isKept = runs === version
  const name = `the upgrade from ${from} to ${version} (${kind}), answered ${answer?.status ?? 'nothing'}, killed ${kills} times,`
  const entry =
    answer?.transaction === undefined
      ? history.find(({ to, failure }) => to === version && failure === undefined)
      : history.find(({ transaction }) => transaction === answer.transaction)
  if (isKept) demand(entry !== undefined && entry.failure === undefined, `${name} succeeded, and the history does not say so`)
  else demand(runs === from, `${name} ended with ${runs}`)
  if (answer === undefined) {
    demand(isKept || entry === undefined, `${name} did not succeed, and the history says it did`)
    return
  }
  demand(entry !== undefined, `${name} is not in the history`)
  const reason = entry.failure?.reason
  if (answer.status === 200) {
    demand(!isRefused(kind), `${name} should have been refused`)
    demand(entry.from === from && entry.to === version, `${name} stands in the history as from ${entry.from} to ${entry.to}`)
    // Three starts that were killed are three boots of an image that did not confirm itself.
    const mayBeGivenUp = kills >= limits.bootTriesMax
    if (!isKept) demand(reason === 'boot' ? mayBeGivenUp : reason === 'selfCheck' && kind === 'sick', `${name} failed for ${reason}`)
  } else {
    demand(!isKept && reason === answer.reason, `${name} ended with ${reason}, and its answer said ${answer.reason}`)
    demand(isRefused(kind) && answer.status === 415 && reason === kind, `${name} was refused for ${answer.reason}`)
  }
}

/** Attempts without an answer stand in the history too, hence less than it keeps. */
const endedMax = 10

function remember(ended: Map<string, boolean>, transaction: string, succeeded: boolean): void {
  ended.set(transaction, succeeded)
  const [oldest] = ended.keys()
  if (ended.size > endedMax && oldest !== undefined) ended.delete(oldest)
}
