import { crc32 } from 'node:zlib'
import { limits } from '../limits.ts'

/** A stretch of time, both ends part of it. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

const checksumBytes = 4
const spanBytes = 16

/** No more than `limits.tokenSpansMax` that hold all of these: what lies close together becomes one. */
export function spansOf(spans: readonly Span[]): readonly Span[] {
  const joined = join(
    spans.toSorted((a, b) => a.fromMs - b.fromMs),
    limits.tokenWindowMs,
  )
  if (joined.length <= limits.tokenSpansMax) return joined
  const gaps = joined.map(({ fromMs }, index) => fromMs - (joined[index - 1]?.toMs ?? fromMs)).toSorted((a, b) => b - a)
  return join(joined, gaps[limits.tokenSpansMax - 1] ?? 0)
}

/** In their order. */
function join(spans: readonly Span[], gapMaxMs: number): readonly Span[] {
  const joined: Span[] = []
  for (const { fromMs, toMs } of spans) {
    const last = joined.at(-1)
    if (last && fromMs - last.toMs <= gapMaxMs) joined[joined.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) }
    else joined.push({ fromMs, toMs })
  }
  return joined
}

export const isInSpans = (spans: readonly Span[], timeMs: number): boolean =>
  spans.some(({ fromMs, toMs }) => fromMs <= timeMs && timeMs <= toMs)

/** CRC-32 (4), then both ends of each as floats (8 and 8). */
export function writeSpans(spans: readonly Span[]): Buffer {
  const bytes = Buffer.alloc(checksumBytes + spans.length * spanBytes)
  for (const [index, { fromMs, toMs }] of spans.entries()) {
    bytes.writeDoubleBE(fromMs, checksumBytes + index * spanBytes)
    bytes.writeDoubleBE(toMs, checksumBytes + index * spanBytes + 8)
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(checksumBytes)))
  return bytes
}

/** None where there are no bytes; undefined where they were not written by `writeSpans`. */
export function readSpans(bytes: Uint8Array): readonly Span[] | undefined {
  if (bytes.length === 0) return []
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < checksumBytes || crc32(buffer.subarray(checksumBytes)) !== buffer.readUInt32BE(0)) return undefined
  const spans: Span[] = []
  for (let start = checksumBytes; start + spanBytes <= buffer.length; start += spanBytes)
    spans.push({ fromMs: buffer.readDoubleBE(start), toMs: buffer.readDoubleBE(start + 8) })
  return spans
}
