import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { ImageError, type ImageHead } from '../../../src/platform/platform.ts'
import { loadBootRecord, slotFile } from '../../../src/platform/slots/bootRecord.ts'
import { testClock } from '../../auth/support.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { ca, folder, image, pieces, start } from './workbench.ts'

const payload = randomBytes(200)

interface Outcome {
  readonly verdict: string
  /** What was decided and written; undefined where it was refused. */
  readonly result?: { readonly head: ImageHead; readonly slot: Buffer; readonly record: unknown }
}

/**
 * What stands in the place of a byte. The lowest bit in any case; in the signature the highest bit as well, in the heads of
 * the files the case of a letter, and all bits.
 */
function changes(swu: Buffer, offset: number, byte: number): readonly number[] {
  const signature = swu.indexOf('sw-description.sig') - 110
  const file = swu.indexOf('rootfs.img', signature) - 110
  const trailer = swu.lastIndexOf('TRAILER!!!') - 110
  const heads: readonly number[] = [0, signature, file, trailer]
  if (heads.some(start => offset >= start && offset < start + 130)) return [byte ^ 1, byte ^ 0x20, byte ^ 0xff]
  return offset > signature && offset < trailer ? [byte ^ 1, byte ^ 0x80] : [byte ^ 1]
}

/** A device that takes one image after the other, and is made anew when one of them left something. */
function createReceiver() {
  let device: { storage: SimulatedStorage; backend: Awaited<ReturnType<typeof start>>['backend'] } | undefined

  return async (bytes: Buffer): Promise<Outcome> => {
    if (device === undefined) {
      const storage = new SimulatedStorage()
      const { backend } = await start(storage, testClock(), { trust: ca.caPem })
      storage.journal.length = 0
      device = { storage, backend }
    }
    const { storage, backend } = device
    const context = { transaction: 'T', signal: new AbortController().signal, onHead() {}, onProgress() {}, async beforeActivation() {} }
    const outcome: Outcome = await backend.install(pieces(bytes, 509), context).then(
      async ({ head }) => ({
        verdict: 'accepted',
        result: { head, slot: storage.content(slotFile(folder, 'B')), record: await loadBootRecord(storage, folder) },
      }),
      async (error: unknown) => {
        // Anything else would be a fault of the device, and that is for no image to cause.
        assert.ok(error instanceof ImageError, String(error))
        const record = await loadBootRecord(storage, folder)
        assert.equal(record?.confirmed, 'A')
        assert.equal(record?.images.B, undefined, 'a refused image counts as none')
        assert.deepEqual(record?.order, ['A'])
        return { verdict: error.reason }
      },
    )
    if (storage.journal.some(([operation]) => operation !== 'read')) device = undefined
    return outcome
  }
}

describe('a small signed image', () => {
  const receive = createReceiver()
  let swu: Buffer
  let original: Outcome

  before(async () => {
    swu = await image(payload)
    original = await receive(swu)
    assert.deepEqual(original.result?.slot, payload)
  })

  /** Refused, or no other image than before. */
  async function assertHarmless(bytes: Buffer, verdicts: Map<string, number>, where: string): Promise<void> {
    const { verdict, result } = await receive(bytes)
    if (result) assert.deepEqual(result, original.result, where)
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
  }

  test('with any one byte changed is refused, or the same image', async t => {
    const verdicts = new Map<string, number>()
    const mutant = Buffer.from(swu)
    for (const [offset, byte] of swu.entries()) {
      for (const value of new Set(changes(swu, offset, byte))) {
        if (value === byte) continue
        mutant[offset] = value
        await assertHarmless(mutant, verdicts, `byte ${offset} as ${value} instead of ${byte}`)
      }
      mutant[offset] = byte
    }
    t.diagnostic(`${swu.length} bytes: ${JSON.stringify(Object.fromEntries(verdicts))}`)
    // The description, the payload and the heads of the files are each of them hit.
    for (const verdict of ['signature', 'hash', 'format', 'truncated', 'accepted']) assert.ok((verdicts.get(verdict) ?? 0) > 5, verdict)
  })

  test('cut off after any byte is refused, unless only the padding is gone', async t => {
    const verdicts = new Map<string, number>()
    // The name of the trailer with its NUL, and what fills it up to four bytes.
    const end = swu.lastIndexOf('TRAILER!!!') + 14
    for (let length = 0; length < swu.length; length += 1) {
      await assertHarmless(swu.subarray(0, length), verdicts, `the first ${length} bytes`)
      if (length < end) assert.equal(verdicts.get('accepted'), undefined, `the first ${length} bytes`)
    }
    t.diagnostic(`${swu.length} lengths: ${JSON.stringify(Object.fromEntries(verdicts))}`)
    assert.deepEqual(Object.fromEntries(verdicts), { truncated: end, accepted: swu.length - end })
  })

  test('with a byte too many anywhere in it is refused, or the same image', async t => {
    const verdicts = new Map<string, number>()
    const first = Math.trunc(Math.random() * 4)
    for (let offset = first; offset <= swu.length; offset += 4) {
      const longer = Buffer.concat([swu.subarray(0, offset), Buffer.of(0x30), swu.subarray(offset)])
      await assertHarmless(longer, verdicts, `a byte before ${offset}`)
    }
    t.diagnostic(`before every fourth byte from ${first}: ${JSON.stringify(Object.fromEntries(verdicts))}`)
  })
})
