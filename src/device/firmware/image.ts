import { createHash } from 'node:crypto'
import { ImageError, type ImageHead } from '../../platform/platform.ts'
import { verifyDetached } from './cms.ts'
import { type Copy, type Description, parseDescription } from './description.ts'
import { assertWanted, type Board, type Downgrade, type Installed } from './policy.ts'
import { openSwu, type Swu } from './swu.ts'

/** Whom to believe, and when. */
export interface Trust {
  /** One or more certificates as PEM. */
  readonly authorities: string
  /** CRLs of the authorities, and of CAs below them, as PEM. A CA without one has revoked nobody. */
  readonly revocations: string | undefined
  /** How many signers an image has to have, each with a key of its own; whoever signed besides has to be right as well. */
  readonly signersMin: number
  /** What holds where the clock is known to be wrong: nothing is taken, or the signers' own word for when they signed. */
  readonly time: 'clock' | 'signing-time'
  /** A moment that has passed for certain. A clock that is before it is wrong. */
  readonly passed: Date
}

/** Asked with every image, so that a new CRL counts at once. */
export type LoadTrust = () => Promise<Trust>

/** A head whose signature has been verified. */
export interface VerifiedHead {
  readonly description: Description
  readonly signers: readonly string[]
}

/** Believes the description only after its signature; reads it as it is for `board`. Throws ImageError `signature`, `revoked`, `expired`, `format`. */
export async function verifyHead(swu: Swu, trust: LoadTrust, now: Date, board?: string): Promise<VerifiedHead> {
  const signers = verifyDetached(swu.signature, swu.description, await trust(), now)
  return { description: parseDescription(swu.description, board), signers }
}

/** The head as the port shows it, for the slot that takes `copy`. Throws ImageError `format` where it has nothing for it. */
export function imageHead({ description, signers }: VerifiedHead, copy: Copy): ImageHead {
  const payloads = description.payloads[copy]
  if (payloads === undefined) throw new ImageError('format', `the image has nothing for ${copy}`)
  const { version, description: text, securityEpoch, buildTime } = description
  return { version, description: text, securityEpoch, buildTime, signers, payloads }
}

/** Everything that is decided before the first byte of a payload is written. Throws ImageError. */
export async function admitHead(
  swu: Swu,
  device: { trust: LoadTrust; now: Date; board: Board; installed: Installed; copy: Copy; downgrade?: Downgrade },
): Promise<ImageHead> {
  const verified = await verifyHead(swu, device.trust, device.now, device.board.name)
  assertWanted(verified.description, device.board, device.installed, device.downgrade)
  return imageHead(verified, device.copy)
}

/** What `onvifd image inspect` shows: the head, and every file with its size. */
export interface Inspection {
  readonly head: ImageHead
  readonly description: Description
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[]
  /** Names of the signers, or why the signature is not believed; undefined where nobody asked. */
  readonly verified: readonly string[] | ImageError | undefined
}

/**
 * Reads the whole image. With `trust`, the signature is checked and the verdict is part of the answer; the digests of the
 * files are compared in any case. Throws ImageError `format`, `truncated`, `hash`.
 */
export async function inspectImage(
  source: AsyncIterable<Uint8Array>,
  options: { readonly trust?: LoadTrust; readonly now?: Date; readonly board?: string } = {},
): Promise<Inspection> {
  const swu = await openSwu(source)
  const { trust, now = new Date(), board } = options
  const verified = trust && (await verifyHead(swu, trust, now, board).then(head => head.signers, asImageError))
  const description = parseDescription(swu.description, board)
  const copy = description.payloads['copy-a'] ? 'copy-a' : 'copy-b'
  const head = imageHead({ description, signers: Array.isArray(verified) ? verified : [] }, copy)
  const files: { name: string; sizeBytes: number }[] = []
  const missing = new Map(head.payloads.map(({ name, sha256 }) => [name, sha256]))
  for (let entry = await swu.next(); entry; entry = await swu.next()) {
    const hash = createHash('sha256')
    for await (const piece of entry.content()) hash.update(piece)
    const expected = missing.get(entry.name)
    if (expected !== undefined && expected !== hash.digest('hex'))
      throw new ImageError('hash', `${entry.name} is not what the description says`)
    missing.delete(entry.name)
    files.push({ name: entry.name, sizeBytes: entry.sizeBytes })
  }
  if (missing.size > 0) throw new ImageError('format', `the image lacks ${[...missing.keys()].join(', ')}`)
  return { head, description, files, verified }
}

function asImageError(error: unknown): ImageError {
  if (error instanceof ImageError) return error
  throw error
}
