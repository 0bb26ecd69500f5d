import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { createByteReader } from '../../device/firmware/byteReader.ts'
import { signedContent, verifyDigests } from '../../device/firmware/cms.ts'
import type { Trust } from '../../device/firmware/image.ts'
import type { Digest } from '../../device/firmware/signatureAlgorithms.ts'
import { limits } from '../../limits.ts'
import { ImageError, type Storage } from '../platform.ts'

/** A bundle of RAUC in a file: a squashfs, its CMS signature, and the length of that in eight bytes, big-endian. */
export interface Bundle {
  readonly path: string
  /** What comes before the signature. */
  readonly contentBytes: number
  readonly signature: Buffer
}

/** Name of a squashfs, and where its superblock says its length (kernel, Documentation/filesystems/squashfs). */
const squashfs = { magic: 'hsqs', bytesUsedAt: 40, superblockBytes: 96 } as const
const lengthBytes = 8

/**
 * Writes a bundle into `path`; when it returns, the file is durable and nobody holds it open any more. Throws ImageError
 * `format`, `truncated`, `nospace`; whatever it throws, the file may be there.
 */
export async function stageBundle(
  image: AsyncIterable<Uint8Array>,
  storage: Storage,
  { path, bytesMax, signal }: { readonly path: string; readonly bytesMax: number; readonly signal: AbortSignal },
): Promise<number> {
  const reader = createByteReader(image)
  const magic = await reader.take(squashfs.magic.length)
  if (magic.toString('latin1') !== squashfs.magic) throw new ImageError('format', 'this is no bundle of RAUC: it is no squashfs')
  const head = Buffer.concat([magic, await reader.take(squashfs.superblockBytes - magic.length)])
  assertFits(bytesUsed(head), bytesMax)

  await storage.create(path)
  await storage.pwrite(path, 0, head)
  let written = head.length
  for (let piece = await reader.rest(); piece; piece = await reader.rest()) {
    signal.throwIfAborted()
    assertFits(written + piece.length, bytesMax)
    await storage.pwrite(path, written, piece)
    written += piece.length
  }
  await storage.fsync(path)
  await storage.fsyncDir(dirname(path))
  return written
}

function assertFits(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw new ImageError('nospace', `the bundle has ${bytes} bytes or more, this device takes ${bytesMax}`)
}

const bytesUsed = (superblock: Buffer): number => Number(superblock.readBigUInt64LE(squashfs.bytesUsedAt))

/** Finds the signature of a bundle. Throws ImageError `truncated`, or `signature` where there is none. */
export async function readBundle(storage: Storage, path: string, sizeBytes: number): Promise<Bundle> {
  const squashfsBytes = bytesUsed(await storage.read(path, 0, Buffer.alloc(squashfs.superblockBytes)))
  // mksquashfs fills its last block of 4 KiB unless it is told not to.
  const paddedBytes = Math.ceil(squashfsBytes / 4096) * 4096
  if (sizeBytes === squashfsBytes || sizeBytes === paddedBytes) throw new ImageError('signature', 'the bundle is not signed')
  const tail = await storage.read(path, Math.max(0, sizeBytes - lengthBytes), Buffer.alloc(lengthBytes))
  const signatureBytes = Number(tail.readBigUInt64BE())
  const contentBytes = sizeBytes - lengthBytes - signatureBytes
  if (signatureBytes === 0 || signatureBytes > limits.imageSignatureBytesMax || contentBytes < squashfsBytes)
    throw new ImageError('truncated', `the bundle ends at byte ${sizeBytes}, before its signature does`)
  return { path, contentBytes, signature: await storage.read(path, contentBytes, Buffer.alloc(signatureBytes)) }
}

/**
 * Verifies as much of a bundle as can be without mounting it: of a plain one everything, of a verity one the manifest, which
 * holds the root of the hashes that the kernel checks with every read. Returns the signers' names. Throws ImageError
 * `signature`, `expired`, `revoked`, `hash`, and `format` for a plain bundle where there must be none.
 */
export async function verifyBundle(
  storage: Storage,
  bundle: Bundle,
  { trust, now, plain }: { readonly trust: Trust; readonly now: Date; readonly plain: boolean },
): Promise<readonly string[]> {
  const { signature } = bundle
  const { digests, carried } = signedContent(signature)
  if (carried) {
    const found = Object.fromEntries(digests.map(digest => [digest, createHash(digest).update(carried).digest()]))
    return verifyDigests(signature, found, new ImageError('signature', 'the signature is over another manifest'), trust, now)
  }
  assertPlain(bundle, plain)
  const found = await digestsOf(storage, bundle, digests)
  return verifyDigests(signature, found, new ImageError('hash', 'the bundle is not what was signed'), trust, now)
}

/** CVE-2026-34155: before 1.15.2, RAUC verifies of a plain bundle only what remains of its length beyond each 2 GiB. */
function assertPlain({ contentBytes }: Bundle, plain: boolean): void {
  if (!plain) throw new ImageError('format', 'this device takes no bundle of the format plain; verity is the one to use')
  if (contentBytes >= limits.raucPlainBytesMax)
    throw new ImageError('format', `a bundle of the format plain has less than ${limits.raucPlainBytesMax} bytes, this one ${contentBytes}`)
}

/** Reads the content once, for all of them. */
async function digestsOf(storage: Storage, { path, contentBytes }: Bundle, names: readonly Digest[]) {
  const hashes = [...new Set(names)].map(name => [name, createHash(name)] as const)
  const buffer = Buffer.allocUnsafeSlow(limits.slotChunkBytes)
  for (let offset = 0; offset < contentBytes; ) {
    const read = await storage.read(path, offset, buffer.subarray(0, Math.min(buffer.length, contentBytes - offset)))
    if (read.length === 0) break
    for (const [, hash] of hashes) hash.update(read)
    offset += read.length
  }
  return Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest()]))
}
