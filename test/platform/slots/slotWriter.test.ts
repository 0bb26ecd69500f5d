import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../../../src/limits.ts'
import { createSlotWriter } from '../../../src/platform/slots/slotWriter.ts'
import { pieces } from '../../device/firmware/workbench.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'

const path = '/slot'
const chunks = limits.slotSyncBytes / limits.slotChunkBytes
const content = randomBytes(2 * limits.slotSyncBytes + 3 * limits.slotChunkBytes + 5)

/** A disk on which everything takes a while, and the write with this number fails. */
class SlowStorage extends SimulatedStorage {
  writes = 0
  writing = 0
  syncing = 0
  mostSyncs = 0
  most = 0
  /** Writes from the beginning that were over when each sync began. */
  readonly synced: number[] = []
  readonly failing: number

  constructor(failing = -1) {
    super()
    this.failing = failing
  }

  override async pwrite(file: string, offset: number, bytes: Uint8Array): Promise<void> {
    const number = this.writes++
    this.most = Math.max(this.most, ++this.writing)
    await sleep(2)
    this.writing -= 1
    if (number === this.failing) throw new Error(`write ${number} failed`)
    await super.pwrite(file, offset, bytes)
  }

  override async fsync(file: string): Promise<void> {
    this.synced.push(this.writes - this.writing)
    this.mostSyncs = Math.max(this.mostSyncs, ++this.syncing)
    await sleep(10)
    this.syncing -= 1
    await super.fsync(file)
  }
}

async function write(storage: SlowStorage): Promise<void> {
  await storage.create(path)
  const writer = createSlotWriter(storage, path)
  try {
    for await (const piece of pieces(content)) await writer.write(piece)
    await writer.finish()
  } finally {
    await writer.abandon()
  }
}

test('a span is synced when all of it is written, and one chunk is written at a time', async () => {
  const storage = new SlowStorage()
  await write(storage)
  assert.equal(storage.most, 1)
  assert.deepEqual(
    storage.synced.map((writes, span) => writes >= Math.min((span + 1) * chunks, storage.writes)),
    storage.synced.map(() => true),
  )
  assert.ok(storage.content(path).equals(content))
})

test('no write fails unnoticed, wherever it stands', async () => {
  const last = Math.ceil(content.length / limits.slotChunkBytes) - 1
  for (const failing of [0, 1, chunks - 1, chunks, chunks + 1, last - 1, last]) {
    const storage = new SlowStorage(failing)
    await assert.rejects(write(storage), new RegExp(`write ${failing} failed`))
    assert.equal(storage.writing, 0, 'nothing touches the slot any more')
  }
})

test('a writer that is abandoned leaves nothing under way, neither a write nor a sync', async () => {
  for (const sizeBytes of [limits.slotChunkBytes, limits.slotSyncBytes]) {
    const storage = new SlowStorage()
    await storage.create(path)
    const writer = createSlotWriter(storage, path)
    await writer.write(content.subarray(0, sizeBytes))
    assert.equal(storage.writing, 1)
    await writer.abandon()
    assert.deepEqual([storage.synced.at(-1), storage.syncing, storage.mostSyncs], [storage.writes, 0, 1], 'each waits for the one before')
    assert.equal(storage.content(path).length, sizeBytes)
  }
})
