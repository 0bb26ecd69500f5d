import { limits } from '../../limits.ts'
import { ImageError } from '../../platform/platform.ts'

/**
 * The portable "new ASCII" cpio format, with and without checksum: a 110-byte header of hexadecimal fields, the name with its
 * NUL, the content; name and content each filled to a multiple of four bytes. The last entry is called TRAILER!!!.
 */
export interface CpioEntry {
  readonly name: string
  readonly sizeBytes: number
}

export const cpioHeaderBytes = 110
export const cpioTrailer = 'TRAILER!!!'

/** Zeroes up to the next multiple of four. */
export const cpioPadding = (offset: number): number => -offset & 3

const magics: readonly string[] = ['070701', '070702']
const fields = /^[0-9A-Fa-f]{104}$/
/** Indexes of the eight-digit fields behind the magic. */
const field = { mode: 1, links: 4, fileSize: 6, nameSize: 11, checksum: 12 } as const

/** The fixed part of a header; the name has `nameBytes`, its NUL included. */
export function parseCpioHeader(header: Buffer): { readonly sizeBytes: number; readonly nameBytes: number } {
  const digits = header.toString('latin1', 6)
  if (!magics.includes(header.toString('latin1', 0, 6)) || !fields.test(digits))
    throw new ImageError('format', 'this is no cpio archive (newc or crc)')
  const number = (index: number): number => Number.parseInt(digits.slice(index * 8, index * 8 + 8), 16)
  const nameBytes = number(field.nameSize)
  if (nameBytes < 2 || nameBytes > limits.imageNameBytesMax) throw new ImageError('format', `a file name of ${nameBytes} bytes`)
  return { sizeBytes: number(field.fileSize), nameBytes }
}

/** The name of an entry from its bytes with the NUL. It is compared with signed names and never used as a path. */
export function parseCpioName(bytes: Buffer): string {
  if (bytes.indexOf(0) !== bytes.length - 1) throw new ImageError('format', 'a file name does not end where its header says')
  return bytes.toString('utf8', 0, bytes.length - 1)
}

/** Header and name as they stand before the content. `byteSum` is the sum of all content bytes, modulo 2^32. */
export function cpioHeader({ name, sizeBytes }: CpioEntry, byteSum: number): Buffer {
  const nameBytes = Buffer.byteLength(name) + 1
  const values = new Array<number>(13).fill(0)
  values[field.mode] = name === cpioTrailer ? 0 : 0o100644
  values[field.links] = 1
  values[field.fileSize] = sizeBytes
  values[field.nameSize] = nameBytes
  values[field.checksum] = byteSum
  const digits = values.map(value => value.toString(16).toUpperCase().padStart(8, '0')).join('')
  return Buffer.from(`070702${digits}${name}\0${'\0'.repeat(cpioPadding(cpioHeaderBytes + nameBytes))}`)
}
