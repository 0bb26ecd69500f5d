import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { SwuEntry } from '../../../src/device/firmware/swu.ts'
import type { Payload } from '../../../src/platform/platform.ts'
import { passOver, writePayload } from '../../../src/platform/slots/targetWriter.ts'
import { sha256 } from '../../device/firmware/workbench.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'

const path = '/slots/B'
const { signal } = new AbortController()

/** A file as it arrives: two pieces with memory of their own, and between them two that lie in the same. */
function arriving() {
  const content = randomBytes(200_000)
  const own = (from: number, to: number) => {
    const bytes = Buffer.allocUnsafeSlow(to - from)
    content.copy(bytes, 0, from, to)
    return bytes
  }
  const [first, both, last] = [own(0, 65_536), own(65_536, 131_072), own(131_072, 200_000)]
  const shared = [both.subarray(0, 1_000), both.subarray(1_000)]
  const entry: SwuEntry = {
    name: 'rootfs.img',
    sizeBytes: content.length,
    async *content() {
      yield* [first, ...shared, last]
    },
  }
  const payload: Payload = { name: entry.name, role: 'rootfs', sha256: sha256(content), version: undefined, compression: 'none' }
  return { content, entry, payload, first, both, last }
}

type Arriving = ReturnType<typeof arriving>

const ways: readonly (readonly [name: string, take: (file: Arriving) => Promise<void>])[] = [
  [
    'written',
    async ({ content, entry, payload }) => {
      const storage = new SimulatedStorage()
      await storage.create(path)
      const written = await writePayload(storage, { path, bytesMax: content.length }, entry, payload, signal)
      assert.deepEqual(written, { sha256: sha256(content), sizeBytes: content.length })
      assert.deepEqual(storage.content(path), content)
    },
  ],
  ['passed over', ({ entry, payload }) => passOver(entry, payload, signal)],
]

for (const [name, take] of ways) {
  test(`a piece that was ${name} gives its memory back at once, unless others lie in it`, async () => {
    const file = arriving()
    await take(file)
    assert.deepEqual(
      [file.first, file.both, file.last].map(({ length }) => length),
      [0, 65_536, 0],
    )
    assert.deepEqual(file.both, file.content.subarray(65_536, 131_072))
  })
}
