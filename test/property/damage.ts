import type { Random } from '../support/random.ts'

/** What parsers trip over, of every kind that comes by the network here. */
const tokens: readonly [string, ...string[]] = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '"',
  '=',
  '/',
  '..',
  '%00',
  '%',
  '?',
  '#',
  '-1',
  '0',
  '99999999999999999999',
  '0x10',
  '1e9',
  'NaN',
  '<',
  '>',
  '&',
  ']]>',
  '<!--',
  '<![CDATA[',
  '<?',
  '<!DOCTYPE x>',
  'xmlns:',
  '\u00a0',
  '\ufeff',
  '\ud83d\ude00',
  '--',
  'chunked',
  'identity',
  'close',
  '__proto__',
  'TRAILER!!!',
  '070701',
  '070702',
]

/** A copy with one to four damages: bytes turned, cut, repeated, moved, or strange ones put in. */
export function damaged(random: Random, original: Uint8Array): Buffer {
  let bytes = Buffer.from(original)
  for (let damage = random.whole(1, 4); damage > 0; damage--) {
    const at = random.whole(0, bytes.length)
    const length = random.whole(1, random.pick([1, 4, 16, 64, 1024]))
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
    const make = random.pick([
      () => Buffer.concat([before, after.map((byte, index) => (index < length ? byte ^ random.whole(1, 255) : byte))]),
      () => Buffer.concat([before, after.subarray(length)]),
      () => Buffer.concat([before, after.subarray(0, length), after]),
      () => Buffer.concat([before, Buffer.from(random.pick(tokens)), after]),
      () => Buffer.concat([before, Buffer.from(random.pick(tokens)), after.subarray(length)]),
      () => Buffer.concat([before, random.bytes(length), after]),
      () => (random.fraction() < 0.3 ? before : Buffer.concat([after, before])),
    ])
    bytes = make()
  }
  return bytes
}
