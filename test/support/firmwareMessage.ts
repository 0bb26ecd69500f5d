import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { buildImage } from '../../src/device/firmware/imageBuilder.ts'
import { developmentCa } from '../../src/platform/developmentCa.ts'
import { envelope, type Login } from './device.ts'

type Bytes = AsyncIterable<Uint8Array>

const pattern = createHash('sha256').update('payload').digest()

/** A root file system of this size, made as it is read. */
async function* payloadOf(sizeBytes: number): AsyncGenerator<Buffer, void, undefined> {
  const block = Buffer.alloc(65_536, pattern)
  for (let at = 0; at < sizeBytes; at += block.length) {
    block.writeUInt32LE(at >>> 16, 0)
    yield Buffer.from(block.subarray(0, Math.min(block.length, sizeBytes - at)))
  }
}

/** An image that the device in `state` takes, made anew each time it is read. */
export async function imageFor(state: string, version: string, payloadBytes: number): Promise<() => Bytes> {
  const { signer, key } = await developmentCa(state)
  const [certificatePem, keyPem] = await Promise.all([readFile(signer, 'utf8'), readFile(key, 'utf8')])
  const order = { version, board: { name: 'onvifd-virtual', revision: '1.0' }, keyPem, certificatePem, now: new Date() }
  return () => buildImage({ ...order, payload: { name: 'rootfs.img', read: () => payloadOf(payloadBytes) } })
}

const upgrade = (content: string) =>
  `<tds:UpgradeSystemFirmware><tds:Firmware xmime:contentType="application/octet-stream">${content}</tds:Firmware></tds:UpgradeSystemFirmware>`

/** Around the image in a message with base64 in the place of the reference. */
export function inlineAround(login: Login | undefined): readonly [before: string, after: string] {
  const [before = '', after = ''] = envelope(upgrade('|'), login).split('|')
  return [before, after]
}

export async function* inlineMessage(image: Bytes, login: Login | undefined, lineBreaks = false): AsyncGenerator<Buffer, void, undefined> {
  const [before, after] = inlineAround(login)
  yield Buffer.from(before)
  let kept: Buffer = Buffer.alloc(0)
  const written = (bytes: Buffer) =>
    Buffer.from(lineBreaks ? bytes.toString('base64').replace(/.{76}/g, '$&\r\n') : bytes.toString('base64'))
  for await (const piece of image) {
    const bytes = Buffer.concat([kept, piece])
    const whole = bytes.length - (bytes.length % 57)
    kept = bytes.subarray(whole)
    yield written(bytes.subarray(0, whole))
  }
  yield written(kept)
  yield Buffer.from(after)
}

export const boundary = 'a-boundary'
export const packageType = `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<envelope>"; start-info="application/soap+xml"`

export const partHead = (id: string, ...headers: readonly string[]) =>
  `\r\n--${boundary}\r\nContent-ID: <${id}>\r\n${headers.map(line => `${line}\r\n`).join('')}\r\n`

export const rootPart = (login: Login | undefined, href = 'cid:image') =>
  partHead('envelope', 'Content-Type: application/xop+xml; type="application/soap+xml"') +
  envelope(upgrade(`<xop:Include href="${href}"/>`), login)

export const packageEnd = `\r\n--${boundary}--\r\n`

export async function* packageMessage(image: Bytes, login: Login | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(rootPart(login) + partHead('image', 'Content-Transfer-Encoding: binary'))
  yield* image
  yield Buffer.from(packageEnd)
}

export async function sizeOf(bytes: Bytes): Promise<number> {
  let size = 0
  for await (const piece of bytes) size += piece.length
  return size
}
