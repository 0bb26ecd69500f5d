import semver from 'semver'
import { ImageError } from '../../platform/platform.ts'
import type { Description } from './description.ts'

/** What an image has to fit to. */
export interface Board {
  readonly name: string
  readonly revision: string
}

/** What is there already. Undefined version: nobody knows, and then none is too old. */
export interface Installed {
  readonly version: string | undefined
  /** Raised when a release closes a hole through which older ones can be broken; never lowered. */
  readonly securityEpoch: number
}

/** Whether an older version may be installed: never, always, or where the signed head of the image allows it. */
export type Downgrade = 'deny' | 'allow' | 'signed'

/**
 * Throws ImageError `compatible`, `version` or `epoch` where this image is not for this device, or would be a step back. The
 * security epoch is never gone back behind, whatever the policy.
 */
export function assertWanted(image: Description, board: Board, installed: Installed, downgrade: Downgrade = 'deny'): void {
  assertCompatible(image, board)
  assertReleased(image, installed.version, downgrade === 'allow' || (downgrade === 'signed' && image.allowDowngrade))
  const epoch = image.securityEpoch ?? 0
  if (epoch < installed.securityEpoch) {
    throw new ImageError('epoch', `security epoch ${epoch} of the image is below ${installed.securityEpoch} of this device`)
  }
}

function assertCompatible({ revisions, boards }: Description, board: Board): void {
  if (revisions === undefined && boards === undefined) throw new ImageError('compatible', 'the image does not say for which hardware it is')
  if (boards && !boards.includes(board.name))
    throw new ImageError('compatible', `the image is for ${boards.join(', ')}, this is ${board.name}`)
  if (revisions && !revisions.includes(board.revision)) {
    throw new ImageError('compatible', `the image is for revision ${revisions.join(', ')}, this is ${board.revision}`)
  }
}

/** The running version may be installed again; an older one, or one that cannot be compared, only if it may be a step back. */
function assertReleased({ version, minVersion }: Description, running: string | undefined, mayStepBack: boolean): void {
  if (running === undefined || version === running) return
  if (!mayStepBack && !isAtLeast(version, running))
    throw new ImageError('version', `version ${version} is older than ${running}, which runs`)
  if (minVersion !== undefined && !isAtLeast(running, minVersion)) {
    throw new ImageError('version', `version ${version} needs ${minVersion} or newer before it, and ${running} runs`)
  }
}

function isAtLeast(version: string, other: string): boolean {
  const [a, b] = [comparable(version), comparable(other)]
  if (a === null || b === null)
    throw new ImageError('version', `versions ${version} and ${other} cannot be compared: they are not semantic versions`)
  return semver.gte(a, b)
}

/** Semantic Versioning 2.0; `v1.2.0`, and the short forms `1` and `1.2`, which are common, too. */
const comparable = (version: string): semver.SemVer | null =>
  semver.parse(version) ?? (/^\d{1,9}(\.\d{1,9})?$/.test(version) ? semver.coerce(version) : null)
