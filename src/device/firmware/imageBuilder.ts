import { createHash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { Signer } from './cmsSigning.ts'
import { type CpioEntry, cpioHeader, cpioPadding, cpioTrailer } from './cpio.ts'
import { bootedRole, type Copy, parseDescription } from './description.ts'
import type { Board } from './policy.ts'
import { descriptionName, signatureName } from './swu.ts'

/** An image without its signature. */
export interface DraftOrder {
  readonly version: string
  readonly description?: string | undefined
  readonly board: Board
  readonly securityEpoch?: number | undefined
  /** The oldest running version from which it can be installed. */
  readonly minVersion?: string | undefined
  /** Devices that run a newer version may take it, if they were told to go by this. */
  readonly allowDowngrade?: boolean | undefined
  /** The root file system, unless it says that it has another role. */
  readonly payload: PayloadSource
  readonly others?: readonly PayloadSource[] | undefined
  readonly now?: Date
}

export interface ImageOrder extends DraftOrder, Signer {
  /** Who signs besides. */
  readonly cosigners?: readonly Signer[] | undefined
}

export interface PayloadSource {
  /** Name in the image. */
  readonly name: string
  /** Reads the whole content; called twice, once to hash and once to copy, because what is signed stands first. */
  read(): AsyncIterable<Uint8Array>
  /** `rootfs` unless it says something else. */
  readonly role?: string | undefined
  /** Of this file alone; the root file system has the one of the image. */
  readonly version?: string | undefined
  /** Compress it on its way into the image. */
  readonly gzip?: boolean | undefined
  /** Where SWUpdate writes it. */
  readonly devices?: Readonly<Partial<Record<Copy, string>>> | undefined
}

/** What is signed, and the files as they stand in the image. */
export interface Draft {
  readonly description: Buffer
  readonly files: readonly MeasuredFile[]
}

export interface MeasuredFile {
  readonly name: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly byteSum: number
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
  const { now = new Date(), cosigners = [] } = order
  const { signDetached } = await import('./cmsSigning.ts')
  const draft = await draftImage({ ...order, now })
  yield* packImage(draft, signDetached(draft.description, [order, ...cosigners], now))
}

/** Everything of an image that is there before anybody signs. Throws what a device would refuse. */
export async function draftImage(order: DraftOrder): Promise<Draft> {
  const sources = [order.payload, ...(order.others ?? [])]
  const files: MeasuredFile[] = []
  for (const { name, read, gzip } of sources) files.push(await measureFile(name, gzip ? () => zipped(notEmpty(name, read())) : read))
  const description = describe(order, sources, files)
  parseDescription(description, order.board.name)
  return { description, files }
}

/** The image, in pieces as they are read. */
export async function* packImage({ description, files }: Draft, signature: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  const small = (name: string, bytes: Buffer): Entry => ({ name, sizeBytes: bytes.length, byteSum: byteSum(bytes), content: [bytes] })
  let offset = 0
  for await (const bytes of archive([
    small(descriptionName, description),
    small(signatureName, signature),
    ...files.map(file => ({ ...file, content: unchanged(file) })),
    small(cpioTrailer, Buffer.alloc(0)),
  ])) {
    offset += bytes.length
    yield bytes
  }
  yield Buffer.alloc(-offset & (blockBytes - 1))
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

/** Reads a file once, to say what it is. */
export async function measureFile(name: string, read: () => AsyncIterable<Uint8Array>): Promise<MeasuredFile> {
  const hash = createHash('sha256')
  let [sizeBytes, sum] = [0, 0]
  for await (const bytes of read()) {
    hash.update(bytes)
    sizeBytes += bytes.length
    sum = (sum + byteSum(bytes)) >>> 0
  }
  if (sizeBytes === 0) throw new Error(`${name} is empty`)
  if (sizeBytes > payloadBytesMax) throw new Error(`${name} is larger than the 4 GiB that the format can hold`)
  return { name, sizeBytes, sha256: hash.digest('hex'), byteSum: sum, read }
}

async function* unchanged({ name, sha256, read }: MeasuredFile): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  for await (const bytes of read()) {
    hash.update(bytes)
    yield bytes
  }
  if (hash.digest('hex') !== sha256) throw new Error(`${name} changed while it was read`)
}

/** What gzip makes of nothing is something. */
async function* notEmpty(name: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let isEmpty = true
  for await (const bytes of source) {
    if (bytes.length > 0) isEmpty = false
    yield bytes
  }
  if (isEmpty) throw new Error(`${name} is empty`)
}

/** The same bytes give the same bytes: a gzip header of zlib has no time and no name in it. */
function zipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // An error of the source ends the reading of what comes out, which tells it.
  return pipeline(Readable.from(source), createGzip(), () => {})
}

function byteSum(bytes: Uint8Array): number {
  let sum = 0
  // By index: several times faster than by iterator, and this is every byte of the payload.
  for (let index = 0; index < bytes.length; index += 1) sum += bytes[index] ?? 0
  return sum >>> 0
}

function describe(order: DraftOrder, sources: readonly PayloadSource[], files: readonly MeasuredFile[]): Buffer {
  const { version, description = '', board, securityEpoch, minVersion, allowDowngrade, now = new Date() } = order
  const image = (copy: Copy) => (source: PayloadSource, index: number) => {
    const { name, role = bootedRole, gzip, devices } = source
    return {
      filename: name,
      device: devices?.[copy] ?? `/dev/${role === bootedRole ? 'slot' : role}${copy.slice(-2)}`,
      type: 'raw',
      'installed-directly': true,
      // The word of SWUpdate for gzip.
      ...(gzip && { compressed: 'zlib' }),
      sha256: files[index]?.sha256,
      name: role,
      version: source.version ?? (role === bootedRole ? version : undefined),
      properties: { 'x-role': role },
    }
  }
  const software = {
    version,
    ...(description !== '' && { description }),
    'hardware-compatibility': [board.revision],
    'x-onvif': {
      compatible: [board.name],
      securityEpoch,
      minVersion,
      buildTime: now.toISOString(),
      ...(allowDowngrade && { allowDowngrade }),
    },
    stable: { 'copy-a': { images: sources.map(image('copy-a')) }, 'copy-b': { images: sources.map(image('copy-b')) } },
  }
  return Buffer.from(`${JSON.stringify({ software }, null, 2)}\n`)
}
