import { createHash } from 'node:crypto'
import { type CpioEntry, cpioHeader, cpioPadding, cpioTrailer } from './cpio.ts'
import { parseDescription } from './description.ts'
import type { Board } from './policy.ts'
import { descriptionName, signatureName } from './swu.ts'

export interface ImageOrder {
  readonly version: string
  readonly description?: string | undefined
  readonly board: Board
  readonly securityEpoch?: number | undefined
  readonly payload: PayloadSource
  /** PEM of an RSA or EC key. */
  readonly keyPem: string
  /** PEM of its certificate, then of any intermediate ones. */
  readonly certificatePem: string
  readonly now?: Date
}

export interface PayloadSource {
  /** Name in the image. */
  readonly name: string
  /** Reads the whole content; called twice, once to hash and once to copy, because what is signed stands first. */
  read(): AsyncIterable<Uint8Array>
}

/** Blocks of cpio: the archive is filled up to a multiple. */
const blockBytes = 512
/** Sizes are eight hexadecimal digits. */
const payloadBytesMax = 0xffff_ffff

/**
 * A signed SWU image for both slots, in pieces as they are read: it installs here and with SWUpdate. Throws where key and
 * certificate do not fit, where the version is none, or where the payload changes between its two readings.
 */
export async function* buildImage(order: ImageOrder): AsyncGenerator<Uint8Array, void, undefined> {
  const { payload, keyPem, certificatePem, now = new Date() } = order
  const { signDetached } = await import('./cmsSigning.ts')
  const measured = await measure(payload)
  const description = describe(order, measured.sha256)
  // What the device would refuse is refused here.
  parseDescription(description)
  const signature = signDetached(description, keyPem, certificatePem, now)

  let offset = 0
  for await (const bytes of archive([
    { name: descriptionName, sizeBytes: description.length, byteSum: byteSum(description), content: [description] },
    { name: signatureName, sizeBytes: signature.length, byteSum: byteSum(signature), content: [signature] },
    { name: payload.name, ...measured, content: unchanged(payload, measured.sha256) },
    { name: cpioTrailer, sizeBytes: 0, byteSum: 0, content: [] },
  ])) {
    offset += bytes.length
    yield bytes
  }
  yield Buffer.alloc(-offset & (blockBytes - 1))
}

interface Measured {
  readonly sizeBytes: number
  readonly sha256: string
  readonly byteSum: number
}

interface Entry extends CpioEntry {
  readonly byteSum: number
  readonly content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

async function* archive(entries: readonly Entry[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const entry of entries) {
    yield cpioHeader(entry, entry.byteSum)
    yield* entry.content
    yield Buffer.alloc(cpioPadding(entry.sizeBytes))
  }
}

async function measure({ name, read }: PayloadSource): Promise<Measured> {
  const hash = createHash('sha256')
  let [sizeBytes, sum] = [0, 0]
  for await (const bytes of read()) {
    hash.update(bytes)
    sizeBytes += bytes.length
    sum = (sum + byteSum(bytes)) >>> 0
  }
  if (sizeBytes === 0) throw new Error(`${name} is empty`)
  if (sizeBytes > payloadBytesMax) throw new Error(`${name} is larger than the 4 GiB that the format can hold`)
  return { sizeBytes, sha256: hash.digest('hex'), byteSum: sum }
}

async function* unchanged({ name, read }: PayloadSource, sha256: string): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  for await (const bytes of read()) {
    hash.update(bytes)
    yield bytes
  }
  if (hash.digest('hex') !== sha256) throw new Error(`${name} changed while it was read`)
}

function byteSum(bytes: Uint8Array): number {
  let sum = 0
  // By index: several times faster than by iterator, and this is every byte of the payload.
  for (let index = 0; index < bytes.length; index += 1) sum += bytes[index] ?? 0
  return sum >>> 0
}

function describe({ version, description = '', board, securityEpoch, payload }: ImageOrder, sha256: string): Buffer {
  const image = (device: string) => ({
    filename: payload.name,
    device,
    type: 'raw',
    'installed-directly': true,
    sha256,
    name: 'rootfs',
    version,
    properties: { 'x-role': 'rootfs' },
  })
  const software = {
    version,
    ...(description !== '' && { description }),
    'hardware-compatibility': [board.revision],
    'x-onvif': { compatible: [board.name], ...(securityEpoch !== undefined && { securityEpoch }) },
    stable: { 'copy-a': { images: [image('/dev/slot-a')] }, 'copy-b': { images: [image('/dev/slot-b')] } },
  }
  return Buffer.from(`${JSON.stringify({ software }, null, 2)}\n`)
}
