import { AsnConvert } from '@peculiar/asn1-schema'
import { limits } from '../limits.ts'

/** Parses one DER value of a stranger, within bounds; throws where it is something else than `type` or goes on after its end. */
export function parseDer<T>(bytes: Uint8Array | ArrayBuffer, type: new () => T, nodesMax: number = limits.derNodesMax): T {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
  const length = derLength(view)
  if (length !== view.length) throw new Error(`${view.length - length} bytes beyond the end of the value`)
  return AsnConvert.parse(view, type, {
    berOptions: { maxDepth: limits.derDepthMax, maxNodes: nodesMax, maxContentLength: view.length },
  })
}

/** Whole length of the value that `bytes` begin with: X.690 8.1.3, definite form only, as DER demands (10.1). */
export function derLength(bytes: Uint8Array): number {
  const [, first = 0x80] = bytes
  if (first < 0x80) return 2 + first
  const octets = first & 0x7f
  if (octets === 0 || octets > 4 || bytes.length < 2 + octets) throw new Error('no definite length')
  return 2 + octets + bytes.subarray(2, 2 + octets).reduce((sum, octet) => sum * 256 + octet, 0)
}

/** DER of the value, as Node's Buffer. */
export const toDer = (value: unknown): Buffer => Buffer.from(AsnConvert.serialize(value))
