import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { buildImage } from '../../src/device/firmware/imageBuilder.ts'
import { developmentCa } from '../../src/platform/developmentCa.ts'
import type { Random } from '../support/random.ts'

/** `good` passes its self-check and `sick` does not; the others are refused, for the reason that is their name. */
export const kinds = ['good', 'sick', 'hash', 'signature', 'truncated'] as const
export type Kind = (typeof kinds)[number]

export const isRefused = (kind: Kind): boolean => kind !== 'good' && kind !== 'sick'

/** An image that the device was sent at least in part, or has had from the beginning. */
export interface KnownImage {
  readonly kind: Kind
  readonly version: string
  readonly sha256: string
  readonly securityEpoch: number
  readonly bytes: Buffer
}

const board = { name: 'onvifd-virtual', revision: '1.0' }

/** Images that the device in this state folder trusts, each with a version above the one before, and an epoch that rises now and then. */
export async function createImageMaker(state: string, random: Random) {
  const ca = await developmentCa(state)
  const [keyPem, certificatePem] = [await readFile(ca.key, 'utf8'), await readFile(ca.signer, 'utf8')]
  let made = 0
  return async (kind: Kind, payloadBytes: number): Promise<KnownImage> => {
    made += 1
    const content = random.bytes(payloadBytes)
    async function* read() {
      yield content
    }
    const order = {
      version: `1.0.${made}`,
      board,
      securityEpoch: Math.floor(made / 4),
      payload: { name: 'rootfs.img', read },
      keyPem,
      certificatePem,
    }
    const whole = Buffer.concat(await Array.fromAsync(buildImage(order)))
    const sha256 = createHash('sha256').update(content).digest('hex')
    return { kind, version: order.version, sha256, securityEpoch: order.securityEpoch, bytes: spoil(kind, whole, content) }
  }
}

function spoil(kind: Kind, image: Buffer, content: Buffer): Buffer {
  const flip = (at: number) => image.fill(image.readUInt8(at) ^ 1, at, at + 1)
  if (kind === 'hash') return flip(image.indexOf(content.subarray(0, 64)) + content.length - 1)
  // Within the description, behind its header.
  if (kind === 'signature') return flip(image.indexOf('"version"') + 14)
  return kind === 'truncated' ? image.subarray(0, image.length - Math.ceil(content.length / 2)) : image
}
