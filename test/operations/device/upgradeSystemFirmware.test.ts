import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundedBody, UploadRefusal, type UploadRequest } from '../../../src/device/upload.ts'
import { limits } from '../../../src/limits.ts'
import { fault, SoapFault } from '../../../src/onvif/faults.ts'
import type { AttachmentStream, Call } from '../../../src/onvif/handlers.ts'
import { firmware } from '../../../src/operations/device/firmware.ts'
import { testClock } from '../../auth/support.ts'

const bytesMax = 1_000

/** The handler before a subject that takes any image within the bounds of an upload, on a clock that the test owns. */
function bench(bytes: AsyncIterable<Uint8Array>) {
  const clock = testClock()
  const leaving = new AbortController()
  const effects: unknown[] = []
  let taken: Omit<UploadRequest, 'ticket'> | undefined
  const subject: Parameters<typeof firmware>[0]['firmware'] = {
    start: () => assert.fail('nobody asked for a ticket'),
    async take(request, body) {
      taken = request
      for await (const _ of boundedBody(body, { clock, bytesMax, ...request }));
      return { transaction: '01HX', message: 'firmware 2.0.0 is installed', async afterReply() {} }
    },
  }
  const stream: AttachmentStream = { bytes, lengthBytes: undefined, signal: leaving.signal }
  const call: Call = {
    caller: { name: 'admin', level: 'Administrator' },
    origin: new URL('http://192.0.2.7'),
    remoteAddress: '192.0.2.99',
    target: '/onvif/device_service',
    hungUp: new AbortController().signal,
    isMultipart: true,
    afterReply: effect => void effects.push(effect),
    attachment: () => undefined,
    stream: async href => (href === 'cid:image' ? stream : undefined),
    attach: () => assert.fail('the answer has no attachment'),
  }
  const send = (href = 'cid:image') => firmware({ firmware: subject }).UpgradeSystemFirmware({ Firmware: { Include: { href } } }, call)
  return { clock, leaving, effects, send, taken: () => taken }
}

const raises = (codes: string, reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SoapFault, String(error))
  assert.equal([error.code, ...error.subcodes].join('/'), codes)
  assert.match(error.message, reason)
  return true
}

async function* pieces(...lengths: readonly number[]): AsyncGenerator<Buffer, void, undefined> {
  for (const length of lengths) yield Buffer.alloc(length)
}

async function* silence(): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.alloc(1)
  await new Promise(() => {})
}

/** Until everything that needs no time has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
}

test('the image goes the way of an upload, and the restart follows the answer', async () => {
  const { send, effects, taken } = bench(pieces(400, 600))
  assert.deepEqual(await send(), { Message: 'firmware 2.0.0 is installed (transaction 01HX)' })
  assert.equal(effects.length, 1)
  const { signal, ...request } = taken() ?? assert.fail('nothing was taken')
  assert.deepEqual(request, { lengthBytes: undefined, user: 'admin', remoteAddress: '192.0.2.99' })
})

const failed = 'Receiver/Action/FirmwareUpgradeFailed'
const invalid = 'Sender/InvalidArgs/InvalidFirmware'

test('a sender who falls silent, or who leaves, is given up', async () => {
  const silent = bench(silence())
  const answer = assert.rejects(silent.send(), raises(failed, /^timeout: .*nothing came any more/))
  await settled()
  await silent.clock.pass(limits.uploadIdleTimeoutMs + limits.uploadCheckMs)
  await answer

  const left = bench(silence())
  const gone = assert.rejects(left.send(), raises(failed, /^lost: the connection broke/))
  await settled()
  left.leaving.abort(new UploadRefusal(400, 'lost', 'the connection broke'))
  await gone
})

test('what is wrong with the image is the sender’s fault, and its reason names the transaction', async () => {
  await assert.rejects(bench(pieces(600, 600)).send(), raises(invalid, /^nospace: more than 1000 bytes/))
  await assert.rejects(bench(pieces(1)).send('cid:other'), raises(invalid, /did not come with the message/))
  async function* refused(): AsyncGenerator<Buffer, void, undefined> {
    yield* pieces(1)
    throw new UploadRefusal(415, 'hash', 'the payload is damaged', { transaction: '01HX' })
  }
  const { send, effects } = bench(refused())
  await assert.rejects(send(), raises(invalid, /^hash: the payload is damaged \(transaction 01HX\)$/))
  assert.deepEqual(effects, [], 'nothing restarts')
})

test('a message that is not sound to its end is no image, and keeps its own fault', async () => {
  async function* unsound(): AsyncGenerator<Buffer, void, undefined> {
    yield* pieces(1)
    throw fault('WellFormed', 'something follows')
  }
  await assert.rejects(bench(unsound()).send(), raises('Sender/WellFormed', /^format: something follows/))
})
