import type { RecordState, SlotInfo, UpdateBackend } from '../../platform/platform.ts'
import type { Health } from './health.ts'
import type { UpgradeState } from './machine.ts'
import type { HistoryEntry } from './savedState.ts'
import type { UploadFeed } from './uploadFeed.ts'

export interface FirmwareStatus {
  readonly state: UpgradeState['name']
  readonly transaction: string | undefined
  /** Of the image under way, once it is known. */
  readonly version: string | undefined
  readonly receivedBytes: number
}

/** What a person asks who looks after an upgrade: FirmwareStatus, and what the engine knows. */
export interface FirmwareReport extends FirmwareStatus {
  /** Of the whole image, where the client said it. */
  readonly expectedBytes: number | undefined
  /** 0 to 100, where the engine says it. */
  readonly percent: number | undefined
  /** What the device waits for, in words. */
  readonly waitingFor: string | undefined
  readonly engine: UpdateBackend['name']
  readonly record: RecordState
  readonly slots: readonly SlotInfo[]
  /** How the last upgrade ended. */
  readonly last: HistoryEntry | undefined
}

/** What an administrator can tell an upgrade. */
export type FirmwareOrder = 'activate' | 'confirm' | 'rollback' | 'abort'

/** What is waited for, in words; undefined where it is nothing that a person could wonder about. */
export function waitingFor({ name }: UpgradeState, feed: UploadFeed | undefined, health: Health): string | undefined {
  switch (name) {
    case 'Recovery':
      return 'an upload, or an administrator who confirms what runs: the boot record is lost'
    case 'Armed':
      return feed?.isWaiting ? `the rest of the upload, from byte ${feed.receivedBytes} on` : 'the upload'
    case 'Installed':
      return 'an administrator who activates it'
    case 'Rebooting':
    case 'Rollback':
      return 'the restart'
    case 'Trial':
      return health.waitingFor()
    default:
      return undefined
  }
}
