import { limits } from '../../limits.ts'
import type { ImageReason, SlotId } from '../../platform/platform.ts'

/** The life of one firmware upgrade. What a restart has to know is saved before the effect of a step begins. */
export type UpgradeState =
  | { readonly name: 'Idle' }
  /** An upload URI has been handed out. Not kept over a restart. */
  | { readonly name: 'Armed'; readonly upgrade: Upgrade }
  /** The image arrives, is verified and written; its version is known once the head has been. */
  | { readonly name: 'Transfer'; readonly upgrade: Upgrade; readonly version?: string | undefined }
  /** All of it is there; the slot is being synced and read back. After a restart this is the same as Transfer. */
  | { readonly name: 'Check'; readonly upgrade: Upgrade; readonly version?: string | undefined }
  | ({ readonly name: 'Activating' } & Installed)
  /** The new slot is next. The reboot waits for the answer to leave. */
  | ({ readonly name: 'Rebooting' } & Installed)
  /** The new slot runs, and has to say that it is well. */
  | ({ readonly name: 'Trial' } & Installed)
  | ({ readonly name: 'Commit' } & Installed)
  | ({ readonly name: 'Rollback'; readonly failure: Failure } & Installed)
  | { readonly name: 'Failed'; readonly upgrade: Upgrade; readonly version?: string | undefined; readonly failure: Failure }

/** Who began it, and from where. */
export interface Upgrade {
  /** A ULID: in the log, in the answer to the upload, in the boot record, in the history. */
  readonly transaction: string
  readonly user: string
  readonly from: string | undefined
}

interface Installed {
  readonly upgrade: Upgrade
  readonly image: InstalledImage
  /** Starts since the activation. */
  readonly boots: number
}

export interface InstalledImage {
  readonly slot: SlotId
  readonly version: string | undefined
  readonly sha256: string | undefined
}

export interface Failure {
  readonly reason: ImageReason | 'boot' | 'selfCheck'
  readonly detail: string
}

export type UpgradeEvent =
  | { readonly name: 'Started'; readonly upgrade: Upgrade }
  | { readonly name: 'TicketExpired' }
  | { readonly name: 'UploadBegun' }
  | { readonly name: 'HeadVerified'; readonly version: string }
  | { readonly name: 'BodyReceived' }
  | { readonly name: 'ImageInstalled'; readonly image: InstalledImage }
  | { readonly name: 'ConnectionLost'; readonly again: boolean; readonly failure: Failure }
  | { readonly name: 'ImageRefused'; readonly failure: Failure }
  | { readonly name: 'DeviceFailed'; readonly failure: Failure }
  | { readonly name: 'Aborted'; readonly failure: Failure }
  | { readonly name: 'Discarded' }
  | { readonly name: 'Activated' }
  /** The answer has left, or an ordered reboot did not come. */
  | { readonly name: 'RebootDue' }
  | { readonly name: 'SelfCheckPassed' }
  | { readonly name: 'SelfCheckFailed'; readonly detail: string }
  | { readonly name: 'Confirmed' }
  | { readonly name: 'Rejected' }
  | Finding

/** What a start finds: the boot record and the running slot are the truth, the state is only what was intended. */
export type Finding =
  /** The confirmed slot runs and is next; the other one does not hold the image of this upgrade. */
  | { readonly name: 'FoundUnchanged' }
  /** The same, and the other slot holds the image: it was not activated yet, or it was and has been given up. */
  | { readonly name: 'FoundInstalled' }
  /** The confirmed slot runs, but the other one is next: the reboot was lost. */
  | ({ readonly name: 'FoundActivated' } & Found)
  /** The slot that runs is not confirmed. */
  | ({ readonly name: 'FoundTrial' } & Found)
  /** The slot of this upgrade runs and is confirmed. */
  | { readonly name: 'FoundCommitted' }

/** As much as is known where the saved state was lost. */
interface Found {
  readonly upgrade: Upgrade
  readonly image: InstalledImage
}

export type Effect = 'install' | 'discard' | 'activate' | 'reboot' | 'selfCheck' | 'confirm' | 'reject'

/** How an upgrade ended. */
export interface Outcome {
  readonly transaction: string
  readonly user: string
  readonly from: string | undefined
  readonly to: string | undefined
  /** Undefined: it succeeded. */
  readonly failure: Failure | undefined
}

export interface Step {
  readonly state: UpgradeState
  readonly effect?: Effect
  readonly outcome?: Outcome
}

/** The next step, or undefined where the event has no meaning in the state. Pure: it reads no clock and touches no disk. */
export function next(state: UpgradeState, event: UpgradeEvent): Step | undefined {
  switch (state.name) {
    case 'Idle':
      if (event.name === 'Started') return { state: { name: 'Armed', upgrade: event.upgrade } }
      // The saved state was lost: the boot record alone tells what is to be done.
      if (event.name === 'FoundActivated') return rebootAgain(state, event)
      if (event.name === 'FoundTrial') return tryOut(state, event)
      return undefined

    case 'Armed':
      if (event.name === 'Started') return { state: { name: 'Armed', upgrade: event.upgrade } }
      if (event.name === 'UploadBegun') return { state: { ...state, name: 'Transfer' }, effect: 'install' }
      if (event.name === 'TicketExpired' || event.name === 'Aborted') return { state: { name: 'Idle' } }
      return undefined

    case 'Transfer':
      if (event.name === 'HeadVerified') return { state: { ...state, version: event.version } }
      if (event.name === 'BodyReceived') return { state: { ...state, name: 'Check' } }
      return whileInstalling(state, event)

    case 'Check':
      return whileInstalling(state, event)

    case 'Activating':
      if (event.name === 'Activated') return { state: { ...state, name: 'Rebooting' } }
      if (event.name === 'DeviceFailed') return giveUp(state, event.failure)
      if (event.name === 'FoundInstalled') return { state, effect: 'activate' }
      return afterStart(state, event, { reason: 'lost', detail: 'the slot does not hold the image any more' })

    case 'Rebooting':
      if (event.name === 'RebootDue') return { state, effect: 'reboot' }
      return afterStart(state, event, { reason: 'boot', detail: 'the new image never came up' })

    case 'Trial':
      if (event.name === 'SelfCheckPassed') return { state: { ...state, name: 'Commit' }, effect: 'confirm' }
      if (event.name === 'SelfCheckFailed') return rollBack(state, { reason: 'selfCheck', detail: event.detail })
      return afterStart(state, event, { reason: 'boot', detail: 'the new image came up, but did not last' })

    case 'Commit':
      if (event.name === 'Confirmed') return succeed(state)
      // The image is well, only the record was not written: the next start tries again.
      if (event.name === 'DeviceFailed') return { state: { ...state, name: 'Trial' } }
      return afterStart(state, event, { reason: 'boot', detail: 'the new image could not be confirmed' })

    case 'Rollback':
      if (event.name === 'Rejected' || event.name === 'RebootDue') return { state, effect: 'reboot' }
      if (event.name === 'DeviceFailed') return { state }
      if (event.name === 'FoundTrial') return { state, effect: 'reject' }
      if (event.name === 'FoundActivated') return giveUp(state, state.failure)
      return afterStart(state, event, state.failure)

    case 'Failed':
      // What cannot be declared void again is void already, or is a complete image.
      if (event.name === 'Discarded' || event.name === 'DeviceFailed')
        return { state: { name: 'Idle' }, outcome: outcomeOf(state, state.version, state.failure) }
      if (event.name === 'FoundTrial') return tryOut(state, event)
      if (event.name === 'FoundUnchanged' || event.name === 'FoundInstalled' || event.name === 'FoundActivated')
        return { state, effect: 'discard' }
      return undefined
  }
}

type Named<N extends UpgradeState['name']> = Extract<UpgradeState, { readonly name: N }>
type Uploading = Named<'Transfer' | 'Check'>
type Written = Named<'Activating' | 'Rebooting' | 'Trial' | 'Commit' | 'Rollback'>

/** Before the image is complete the target is void, and a start has nothing to go on with. */
function whileInstalling(state: Uploading, event: UpgradeEvent): Step | undefined {
  switch (event.name) {
    case 'ImageInstalled':
      return { state: { name: 'Activating', upgrade: state.upgrade, image: event.image, boots: 0 }, effect: 'activate' }
    case 'ConnectionLost':
      return event.again ? { state: { name: 'Armed', upgrade: state.upgrade } } : giveUp(state, event.failure)
    case 'ImageRefused':
    case 'DeviceFailed':
    case 'Aborted':
      return giveUp(state, event.failure)
    case 'FoundUnchanged':
      return giveUp(state, { reason: 'aborted', detail: 'the device restarted during the upload' })
    case 'FoundActivated':
      return rebootAgain(state, event)
    case 'FoundTrial':
      return tryOut(state, event)
    default:
      return undefined
  }
}

/** What a start means where there is a complete image; `failure` says what it means that the old one runs. */
function afterStart(state: Written, event: UpgradeEvent, failure: Failure): Step | undefined {
  switch (event.name) {
    case 'FoundUnchanged':
    case 'FoundInstalled':
      return giveUp(state, failure)
    case 'FoundActivated':
      return rebootAgain(state, event)
    case 'FoundTrial':
      return tryOut(state, event)
    case 'FoundCommitted':
      return succeed(state)
    default:
      return undefined
  }
}

const bootsOf = (state: UpgradeState): number => ('boots' in state ? state.boots : 0) + 1

function rebootAgain(state: UpgradeState, { upgrade, image }: Found): Step {
  const boots = bootsOf(state)
  if (boots > limits.upgradeBootsMax)
    return giveUp({ upgrade, image }, { reason: 'boot', detail: `no way into the new image in ${limits.upgradeBootsMax} starts` })
  return { state: { name: 'Rebooting', upgrade, image, boots }, effect: 'reboot' }
}

function tryOut(state: UpgradeState, { upgrade, image }: Found): Step {
  const trial = { name: 'Trial', upgrade, image, boots: bootsOf(state) } as const
  if (trial.boots > limits.upgradeBootsMax)
    return rollBack(trial, { reason: 'boot', detail: `not confirmed in ${limits.upgradeBootsMax} starts` })
  return { state: trial, effect: 'selfCheck' }
}

const rollBack = (state: Named<'Trial'>, failure: Failure): Step => ({ state: { ...state, name: 'Rollback', failure }, effect: 'reject' })

function giveUp(state: Uploading | Found, failure: Failure): Step {
  const version = 'image' in state ? state.image.version : state.version
  return { state: { name: 'Failed', upgrade: state.upgrade, version, failure }, effect: 'discard' }
}

const succeed = (state: Written): Step => ({ state: { name: 'Idle' }, outcome: outcomeOf(state, state.image.version, undefined) })

const outcomeOf = ({ upgrade }: { readonly upgrade: Upgrade }, to: string | undefined, failure: Failure | undefined): Outcome => ({
  ...upgrade,
  to,
  failure,
})
