import { limits } from '../../limits.ts'
import type { ImageReason, SlotId } from '../../platform/platform.ts'

/** The life of one firmware upgrade. What a restart has to know is saved before the effect of a step begins. */
export type UpgradeState =
  | { readonly name: 'Idle' }
  /** Both copies of the boot record are lost. An upload, or an administrator who confirms what runs, makes a new one. */
  | { readonly name: 'Recovery' }
  /** An upload URI has been handed out; an upload that broke may go on. Not kept over a restart. */
  | { readonly name: 'Armed'; readonly upgrade: Upgrade; readonly broken?: Broken | undefined }
  /** The image arrives, is verified and written; what it is, is known once its head has been verified. */
  | { readonly name: 'Transfer'; readonly upgrade: Upgrade; readonly image?: KnownImage | undefined }
  /** All of it is there; the slot is being synced and read back. After a restart this is the same as Transfer. */
  | { readonly name: 'Check'; readonly upgrade: Upgrade; readonly image?: KnownImage | undefined }
  /** Told to stop; the engine is still at it. */
  | { readonly name: 'Aborting'; readonly upgrade: Upgrade; readonly image?: KnownImage | undefined; readonly failure: Failure }
  /** The slot is complete, and waits for an administrator to activate it. */
  | ({ readonly name: 'Installed' } & Installed)
  | ({ readonly name: 'Activating' } & Installed)
  /** The new slot is next. The reboot waits for the answer to leave. */
  | ({ readonly name: 'Rebooting' } & Installed)
  /** The new slot runs, and has to say that it is well. */
  | ({ readonly name: 'Trial' } & Installed)
  | ({ readonly name: 'Commit' } & Installed)
  | ({ readonly name: 'Rollback'; readonly failure: Failure } & Installed)
  | { readonly name: 'Failed'; readonly upgrade: Upgrade; readonly image?: KnownImage | undefined; readonly failure: Failure }

/** Who began it, how, and from where. */
export interface Upgrade {
  /** A ULID: in the log, in the answer to the upload, in the boot record, in the history. */
  readonly transaction: string
  readonly user: string
  readonly remoteAddress: string | undefined
  /** Undefined where nothing but the boot record is left of it. */
  readonly operation?: UpgradeOperation | undefined
  readonly from: string | undefined
}

export type UpgradeOperation = 'StartFirmwareUpgrade' | 'UpgradeSystemFirmware'

/** An upload that broke off, as long as it may go on. */
interface Broken {
  readonly image: KnownImage | undefined
  readonly failure: Failure
}

interface Installed {
  readonly upgrade: Upgrade
  readonly image: InstalledImage
  /** Starts since the activation. */
  readonly boots: number
}

/** What its signed head says of an image. */
export interface KnownImage {
  readonly version: string | undefined
  readonly sha256: string | undefined
  readonly signers: readonly string[]
  /** By the signed head: a moment that had passed when it was built. */
  readonly builtAt: string | undefined
}

export interface InstalledImage extends KnownImage {
  readonly slot: SlotId
}

export interface Failure {
  readonly reason: ImageReason | 'boot' | 'selfCheck' | 'rejected'
  readonly detail: string
}

export type UpgradeEvent =
  | { readonly name: 'Started'; readonly upgrade: Upgrade }
  | { readonly name: 'TicketExpired' }
  | { readonly name: 'UploadBegun' }
  /** The rest of an upload that broke off arrives; its installation has been waiting. */
  | { readonly name: 'UploadResumed' }
  | { readonly name: 'HeadVerified'; readonly image: KnownImage }
  | { readonly name: 'BodyReceived' }
  | { readonly name: 'ImageInstalled'; readonly image: InstalledImage; readonly hold: boolean }
  | { readonly name: 'ConnectionLost'; readonly again: boolean; readonly failure: Failure }
  | { readonly name: 'ImageRefused'; readonly failure: Failure }
  | { readonly name: 'DeviceFailed'; readonly failure: Failure }
  | { readonly name: 'AbortOrdered'; readonly failure: Failure }
  | { readonly name: 'Aborted'; readonly failure: Failure }
  | { readonly name: 'ActivateOrdered' }
  | { readonly name: 'ConfirmOrdered' }
  | { readonly name: 'Discarded' }
  | { readonly name: 'Activated' }
  /** The answer has left, or an ordered reboot did not come. */
  | { readonly name: 'RebootDue' }
  /** An activation could not be taken back, and is to be once more. */
  | { readonly name: 'DiscardDue' }
  | { readonly name: 'SelfCheckPassed' }
  | { readonly name: 'SelfCheckFailed'; readonly failure: Failure }
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
  /** No copy of the boot record can be read. */
  | { readonly name: 'FoundLost' }

/** As much as is known where the saved state was lost. */
interface Found {
  readonly upgrade: Upgrade
  readonly image: InstalledImage
}

export type Effect = 'install' | 'discard' | 'activate' | 'reboot' | 'selfCheck' | 'confirm' | 'reject'

/** How an upgrade ended. */
export interface Outcome extends Upgrade {
  readonly to: string | undefined
  readonly sha256: string | undefined
  readonly signers: readonly string[]
  readonly builtAt: string | undefined
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
      if (event.name === 'FoundLost') return { state: { name: 'Recovery' } }
      return undefined

    case 'Recovery':
      if (event.name === 'Started') return { state: { name: 'Armed', upgrade: event.upgrade } }
      if (event.name === 'ConfirmOrdered') return { state, effect: 'confirm' }
      if (event.name === 'Confirmed') return { state: { name: 'Idle' } }
      return undefined

    case 'Armed':
      return whileArmed(state, event)

    case 'Transfer':
      if (event.name === 'HeadVerified') return { state: { ...state, image: event.image } }
      if (event.name === 'BodyReceived') return { state: { ...state, name: 'Check' } }
      return whileInstalling(state, event)

    case 'Check':
      return whileInstalling(state, event)

    case 'Aborting':
      if (isEndOfInstallation(event)) return giveUp(state, state.failure)
      return undefined

    case 'Installed':
      if (event.name === 'ActivateOrdered') return { state: { ...state, name: 'Activating' }, effect: 'activate' }
      if (event.name === 'AbortOrdered' || event.name === 'DeviceFailed') return giveUp(state, event.failure)
      if (event.name === 'FoundInstalled') return { state }
      return afterStart(state, event, { reason: 'lost', detail: 'the slot does not hold the image any more' })

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
      if (event.name === 'SelfCheckFailed') return rollBack(state, event.failure)
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
        return { state: { name: 'Idle' }, outcome: outcomeOf(state, state.failure) }
      if (event.name === 'FoundTrial') return tryOut(state, event)
      if (event.name === 'DiscardDue' || event.name.startsWith('Found')) return { state, effect: 'discard' }
      return undefined
  }
}

type Named<N extends UpgradeState['name']> = Extract<UpgradeState, { readonly name: N }>
type Written = Named<'Installed' | 'Activating' | 'Rebooting' | 'Trial' | 'Commit' | 'Rollback'>

/** A lost answer must not lock the device: a second URI takes the place of the first, whatever came of that. */
function whileArmed(state: Named<'Armed'>, event: UpgradeEvent): Step | undefined {
  const { upgrade, broken } = state
  switch (event.name) {
    case 'Started':
      return {
        state: { name: 'Armed', upgrade: event.upgrade },
        ...(broken && { outcome: outcomeOf({ upgrade, image: broken.image }, broken.failure) }),
      }
    case 'UploadBegun':
      return { state: { name: 'Transfer', upgrade }, effect: 'install' }
    case 'UploadResumed':
      return broken && { state: { name: 'Transfer', upgrade, image: broken.image } }
    case 'TicketExpired':
      return broken ? giveUp({ upgrade, image: broken.image }, broken.failure) : { state: { name: 'Idle' } }
    // The engine did not wait for the rest.
    case 'ImageRefused':
    case 'DeviceFailed':
      return broken && giveUp({ upgrade, image: broken.image }, event.failure)
    case 'AbortOrdered':
      return broken ? giveUp({ upgrade, image: broken.image }, event.failure) : { state: { name: 'Idle' } }
    default:
      return undefined
  }
}

type EndOfInstallation = Extract<
  UpgradeEvent,
  { readonly name: 'ImageInstalled' | 'ImageRefused' | 'DeviceFailed' | 'Aborted' | 'ConnectionLost' }
>

const isEndOfInstallation = (event: UpgradeEvent): event is EndOfInstallation =>
  ['ImageInstalled', 'ImageRefused', 'DeviceFailed', 'Aborted', 'ConnectionLost'].includes(event.name)

/** Before the image is complete the target is void, and a start has nothing to go on with. */
function whileInstalling(state: Named<'Transfer' | 'Check'>, event: UpgradeEvent): Step | undefined {
  const { upgrade, image } = state
  switch (event.name) {
    case 'ImageInstalled': {
      const installed = { upgrade, image: event.image, boots: 0 }
      return event.hold
        ? { state: { name: 'Installed', ...installed } }
        : { state: { name: 'Activating', ...installed }, effect: 'activate' }
    }
    case 'ConnectionLost':
      if (event.again) return { state: { name: 'Armed', upgrade, broken: { image, failure: event.failure } } }
      return giveUp(state, event.failure)
    case 'AbortOrdered':
      return { state: { name: 'Aborting', upgrade, image, failure: event.failure } }
    case 'ImageRefused':
    case 'DeviceFailed':
    case 'Aborted':
      return giveUp(state, event.failure)
    case 'FoundUnchanged':
    case 'FoundLost':
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
    case 'FoundLost':
      return giveUp(state, { reason: 'boot', detail: 'the boot record was lost, and the default slot was booted' })
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

interface Tried {
  readonly upgrade: Upgrade
  readonly image?: KnownImage | undefined
}

const giveUp = ({ upgrade, image }: Tried, failure: Failure): Step => ({
  state: { name: 'Failed', upgrade, image, failure },
  effect: 'discard',
})

const succeed = (state: Written): Step => ({ state: { name: 'Idle' }, outcome: outcomeOf(state, undefined) })

const outcomeOf = ({ upgrade, image }: Tried, failure: Failure | undefined): Outcome => ({
  ...upgrade,
  to: image?.version,
  sha256: image?.sha256,
  signers: image?.signers ?? [],
  builtAt: image?.builtAt,
  failure,
})

export const transactionOf = (state: UpgradeState): string | undefined => ('upgrade' in state ? state.upgrade.transaction : undefined)

/** Of the image under way. */
export const versionOf = (state: UpgradeState): string | undefined => ('image' in state ? state.image?.version : undefined)
