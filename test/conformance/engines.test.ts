import assert from 'node:assert/strict'
import { describe as group, test } from 'node:test'
import type { InstallContext } from '../../src/platform/platform.ts'
import { lacksTools } from '../device/firmware/openssl.ts'
import { pieces } from '../device/firmware/workbench.ts'
import { builtin } from './builtin.ts'
import { type DeviceUnderTest, defects, type EngineUnderTest, goodImage, isDefect } from './kit.ts'
import { makePki } from './pki.ts'
import { rauc } from './rauc.ts'
import { swupdate } from './swupdate.ts'

let transactions = 0

function context(heads: string[] = []): InstallContext {
  transactions += 1
  return {
    transaction: `T${transactions}`,
    signal: new AbortController().signal,
    onHead: ({ version }) => void heads.push(version),
    onProgress() {},
    async beforeActivation() {},
  }
}

const holds = async ({ slot }: DeviceUnderTest, payload: Buffer): Promise<boolean> =>
  (await slot()).subarray(0, payload.length).equals(payload)

async function installs(device: DeviceUnderTest): Promise<Buffer> {
  const { backend, image } = device
  const { bytes, payload } = await image()
  const heads: string[] = []
  const { target, head } = await backend.install(pieces(bytes), context(heads))
  assert.deepEqual([target, head.version, heads], ['B', goodImage.version, [goodImage.version]])
  assert.ok(await holds(device, payload), 'the slot begins with the payload')
  const info = (await backend.slots()).find(({ id }) => id === 'B')
  assert.equal(info?.version, goodImage.version)
  return payload
}

/** What was refused is not booted, and nobody can have it booted. */
async function isVoid({ backend }: DeviceUnderTest): Promise<void> {
  const slots = await backend.slots()
  assert.equal(slots.find(({ next }) => next)?.id, 'A')
  assert.equal(slots.find(({ id }) => id === 'B')?.version, undefined)
  await assert.rejects(backend.activate('B', 'T'), { name: 'BackendError' })
  assert.equal((await backend.slots()).find(({ next }) => next)?.id, 'A')
}

function conforms(engine: EngineUnderTest): void {
  test(engine.name, { skip: engine.skip }, async t => {
    const device = await engine.make(t)
    await isVoid(device)

    for (const [defect, reason] of Object.entries(defects)) {
      assert.ok(isDefect(defect))
      await t.test(`an image ${defect}: ${reason}`, { skip: engine.cannotBe[defect] ?? false }, async () => {
        const { bytes } = await device.image(defect)
        await assert.rejects(device.backend.install(pieces(bytes), context()), { name: 'ImageError', reason })
        await isVoid(device)
      })
    }

    await t.test('a good image, behind all the bad ones and behind each of them that was written in part', async () => {
      let payload = await installs(device)
      await device.backend.activate('B', `T${transactions}`)
      assert.equal((await device.backend.slots()).find(({ next }) => next)?.id, 'B')
      for (const defect of ['with a damaged payload', 'cut off in its payload'] as const) {
        const { bytes } = await device.image(defect)
        await assert.rejects(device.backend.install(pieces(bytes), context()), { reason: defects[defect] })
        // An engine that reads the whole image before it writes has not touched the slot.
        if ((await device.backend.slots()).some(({ id, version }) => id === 'B' && version !== undefined)) {
          assert.ok(await holds(device, payload))
        } else await isVoid(device)
        payload = await installs(device)
      }
      await device.backend.discard()
      assert.equal((await device.backend.slots()).find(({ next }) => next)?.id, 'A')
    })
  })
}

group('every engine says the same of every image', { skip: lacksTools, concurrency: false }, () => {
  if (lacksTools !== false) return
  const pki = makePki()
  for (const engine of [builtin(pki), swupdate(pki, 'daemon'), swupdate(pki, 'once'), rauc]) conforms(engine)
})
