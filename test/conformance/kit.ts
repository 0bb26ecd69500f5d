import type { TestContext } from 'node:test'
import type { ImageReason, UpdateBackend } from '../../src/platform/platform.ts'

/** What is wrong with an image, and what every engine has to say about it, whatever the format of the image. */
export const defects = {
  'signed by a stranger': 'signature',
  'not signed': 'signature',
  'altered after it was signed': 'signature',
  'signed with an expired certificate': 'expired',
  'signed with a revoked certificate': 'revoked',
  'no image at all': 'format',
  'without the file that it names': 'format',
  'for another board': 'compatible',
  'older than what runs': 'version',
  'of a lower security epoch': 'epoch',
  'larger than a slot': 'nospace',
  'with a damaged payload': 'hash',
  'cut off in its payload': 'truncated',
} as const satisfies Readonly<Record<string, ImageReason>>

export type Defect = keyof typeof defects

export const isDefect = (text: string): text is Defect => Object.hasOwn(defects, text)

/** What every device of the kit is like: slot A runs and is confirmed, slot B is to be written. */
export const device = {
  board: { name: 'onvifd-virtual', revision: '1.0' },
  version: '1.0.0',
  securityEpoch: 2,
  slotBytes: 262_144,
} as const

/** What a good image is like; one with a defect differs from it in that defect alone. */
export const goodImage = { version: '1.1.0', securityEpoch: 2, payloadBytes: 150_000 } as const

export interface EngineUnderTest {
  readonly name: string
  /** Why it cannot run on this machine, as `skip` of a test takes it. */
  readonly skip: string | false
  /** Defects that the format of its images cannot have, each with the reason why. */
  readonly cannotBe: Readonly<Partial<Record<Defect, string>>>
  /** A new device as `device` says; everything that it starts ends with the test. */
  make(t: TestContext): Promise<DeviceUnderTest>
}

export interface DeviceUnderTest {
  readonly backend: UpdateBackend
  /** An image with this defect, or a good one with a payload of its own. */
  image(defect?: Defect): Promise<{ readonly bytes: Buffer; readonly payload: Buffer }>
  /** What slot B holds from its beginning on. */
  slot(): Promise<Buffer>
}
