import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createProgressReader,
  hardwareRequest,
  installRequest,
  messageBytes,
  parseAnswer,
  parseHardware,
  parseStatus,
  statusRequest,
} from '../../../src/platform/swupdate/ipc.ts'

/**
 * Buffers as a C compiler for x86-64 lays out the structures of SWUpdate's network_ipc.h and progress_ipc.h: `offset=bytes`,
 * everything else is zero.
 */
function golden(bytes: number, ...spans: readonly string[]): Buffer {
  const buffer = Buffer.alloc(bytes)
  for (const span of spans) {
    const [offset = '', hex = ''] = span.split('=')
    buffer.write(hex, Number(offset), 'hex')
  }
  return buffer
}

const message = (...spans: readonly string[]) => golden(messageBytes, '0=01200514', ...spans)

test('requests are laid out as SWUpdate reads them', () => {
  assert.deepEqual(statusRequest(), message('4=03'))
  assert.deepEqual(hardwareRequest(), message('4=0c'))
  assert.deepEqual(
    installRequest({ set: 'stable', mode: 'copy-b' }),
    message('8=01', '12=04', '544=737461626c65', '800=636f70792d62'),
    'API version 1, from a local source',
  )
  assert.throws(() => installRequest({ set: 'x'.repeat(256), mode: 'copy-b' }), /does not fit/)
  assert.throws(() => installRequest({ set: 'stable\0', mode: 'copy-b' }), /does not fit/)
})

test('answers are understood, and what is no answer is not', () => {
  assert.deepEqual(parseAnswer(message('4=01')), { acknowledged: true })
  const busy = 'Installation in progress'
  assert.deepEqual(parseAnswer(message('4=02', `8=${Buffer.from(busy).toString('hex')}`)), { acknowledged: false, why: busy })
  assert.deepEqual(parseAnswer(message('4=02', `8=${'61'.repeat(200)}`)), { acknowledged: false, why: 'a'.repeat(128) }, 'without a NUL')
  assert.deepEqual(parseHardware(message('4=01', '8=63616d', '264=312e30')), { name: 'cam', revision: '1.0' })
  assert.equal(parseHardware(message('4=02')), undefined)
  assert.deepEqual(parseStatus(message('4=01', '8=02', '12=04', '16=01', '20=6869')), { state: 'RUN', last: 'FAILURE', text: 'hi' })
  for (const strange of [message('4=01').fill(0, 0, 1), message('4=01').subarray(1), message('4=07'), Buffer.alloc(0)]) {
    assert.equal(parseAnswer(strange), undefined)
  }
  assert.equal(parseStatus(message('4=01', '8=63')), undefined, 'a state that nobody knows')
})

const aligned = golden(
  2_416,
  ...['0=0120051402', '8=32', '16=87d612', '24=04', '28=03', '32=28', '36=726f6f7466732e696d67', '292=726177', '356=04', '360=04'],
  '364=696e666f',
)
const introduction = golden(8, '2=02', '4=41434b')
const packed = golden(
  2_408,
  ...['2=02', '4=02', '8=32', '12=87d612', '20=04', '24=03', '28=28', '32=726f6f7466732e696d67', '288=726177', '352=04', '356=04'],
  '360=696e666f',
)

/** Two of four steps are done, and 40 % of the third. */
const expected = [{ state: 'RUN', percent: 60 }]

for (const [layout, bytes] of [
  ['2022.12', aligned],
  ['API 2.0', packed],
] as const) {
  const stream = Buffer.concat([layout === 'API 2.0' ? introduction : Buffer.alloc(0), bytes, bytes])
  test(`progress in the layout of ${layout} is read in pieces of any size`, () => {
    for (const size of [1, 7, 8, 9, 2_408, 2_416, 2_417, stream.length]) {
      const read = createProgressReader()
      const found = []
      for (let offset = 0; offset < stream.length; offset += size) found.push(...read(stream.subarray(offset, offset + size)))
      assert.deepEqual(found, [...expected, ...expected], `pieces of ${size} bytes`)
    }
  })
}

test('progress stays between 0 and 100, whatever the engine counts', () => {
  const percent = (steps: number, step: number, of: number) => {
    const bytes = Buffer.from(aligned)
    bytes.writeUInt32LE(steps, 24)
    bytes.writeUInt32LE(step, 28)
    bytes.writeUInt32LE(of, 32)
    return createProgressReader()(bytes)[0]?.percent
  }
  // 2022.12 ends with step 2 of 1.
  assert.deepEqual(
    [percent(0, 0, 0), percent(1, 0, 0), percent(1, 1, 101), percent(1, 2, 0), percent(3, 4_000_000_000, 9)],
    [0, 0, 100, 100, 100],
  )
  const unknown = Buffer.from(aligned).fill(99, 4, 5)
  assert.deepEqual(createProgressReader()(unknown), [])
})
