import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { limits } from '../../../src/limits.ts'
import { BackendError } from '../../../src/platform/platform.ts'
import { type BootRecord, loadBootRecord, saveBootRecord, slotFile } from '../../../src/platform/slots/bootRecord.ts'
import { launch } from '../../../src/platform/slots/launcher.ts'
import { createSlotWriter } from '../../../src/platform/slots/slotWriter.ts'
import { testClock } from '../../auth/support.ts'
import { factoryContent, folder, image, pieces, service, sha256, start } from '../../device/firmware/workbench.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'

const env = (index: 0 | 1) => `${folder}/env${index}.bin`
const context = { transaction: '01J', signal: new AbortController().signal, onHead() {}, onProgress() {}, async beforeActivation() {} }
const payload = randomBytes(10_000)

/** A copy as fw_setenv writes it. */
function uboot(flag: number, lines: readonly string[]): Buffer {
  const copy = Buffer.alloc(limits.bootRecordBytes)
  copy.write(`${lines.join('\0')}\0\0`, 5, 'latin1')
  copy.writeUInt8(flag, 4)
  copy.writeUInt32LE(crc32(copy.subarray(5)), 0)
  return copy
}

async function device() {
  const storage = new SimulatedStorage()
  return { storage, ...(await start(storage, testClock())) }
}

const record = async (storage: SimulatedStorage): Promise<BootRecord> =>
  (await loadBootRecord(storage, folder)) ?? assert.fail('no boot record')

test('the boot record is a redundant environment of U-Boot under the names of RAUC', async () => {
  const { storage } = await device()
  const lines = [
    'BOOT_ORDER=B A',
    'BOOT_A_LEFT=3',
    'BOOT_B_LEFT=1',
    'CONFIRMED=A',
    `B_SHA=${sha256(payload)}`,
    'B_VERSION=2.0',
    'EPOCH=4',
    'TXID=X',
    'bootcmd=run x; y=z',
  ]
  storage.damage(env(0), uboot(255, ['CONFIRMED=B']))
  storage.damage(env(1), uboot(0, lines))
  const read = await record(storage)
  assert.deepEqual([read.order, read.left, read.confirmed, read.securityEpoch, read.transaction], [['B', 'A'], { A: 3, B: 1 }, 'A', 4, 'X'])
  assert.deepEqual(read.images, {
    A: undefined,
    B: { version: '2.0', sha256: sha256(payload), sizeBytes: 0, securityEpoch: 0, others: new Map() },
  })

  await saveBootRecord(storage, folder, { ...read, confirmed: 'B' })
  const written = storage.content(env(0))
  assert.deepEqual([written.length, written.readUInt8(4)], [limits.bootRecordBytes, 1], 'the older copy, with the next flag')
  assert.equal(crc32(written.subarray(5)), written.readUInt32LE(0))
  const text = written.toString('latin1', 5, written.indexOf('\0\0')).split('\0')
  assert.ok(text.includes('bootcmd=run x; y=z'), 'what others keep there stays')
  assert.ok(text.includes('BOOT_ORDER=B A') && text.includes('CONFIRMED=B') && text.includes('TXID=X'))
  assert.deepEqual(storage.content(env(1)), uboot(0, lines), 'the newer copy is not touched')
})

test('the newer valid copy counts, and a damaged one is written over', async () => {
  const { storage } = await device()
  const copy = (flag: number, version: string) => uboot(flag, ['CONFIRMED=A', 'A_SHA=x', `A_VERSION=${version}`])
  for (const [flags, newest] of [
    [[1, 2], 1],
    [[2, 1], 0],
    [[255, 0], 1],
    [[0, 255], 0],
    [[7, 7], 0],
  ] as const) {
    storage.damage(env(0), copy(flags[0], '0'))
    storage.damage(env(1), copy(flags[1], '1'))
    assert.equal((await record(storage)).images.A?.version, String(newest), `flags ${flags}`)
  }
  storage.damage(env(1), copy(9, '1').fill(1, 100, 101))
  assert.equal((await record(storage)).images.A?.version, '0')
  await saveBootRecord(storage, folder, { ...(await record(storage)), securityEpoch: 5 })
  assert.equal((await record(storage)).securityEpoch, 5)
  assert.deepEqual(storage.content(env(0)), copy(7, '0'))
})

test('the record takes no value that would break it', async () => {
  const { storage } = await device()
  await assert.rejects(saveBootRecord(storage, folder, { ...(await record(storage)), transaction: 'x\0CONFIRMED=B' }), /NUL/)
  await assert.rejects(saveBootRecord(storage, folder, { ...(await record(storage)), transaction: 'x'.repeat(9_000) }), /full/)
})

test('the launcher gives a new image three tries, and then takes the confirmed one', async () => {
  const { storage, backend } = await device()
  await backend.install(pieces(await image(payload)), context)
  assert.equal(await launch(storage, folder), 'A', 'installed is not activated')
  await backend.activate('B', '01J')
  const tries = [1, 2, 3, 4, 5].map(() => () => launch(storage, folder))
  const booted: string[] = []
  for (const attempt of tries) booted.push(await attempt())
  assert.deepEqual(booted, ['B', 'B', 'B', 'A', 'A'])
})

test('one write of the boot record activates, confirms or rejects', async () => {
  const { storage, backend } = await device()
  await backend.install(pieces(await image(payload, { securityEpoch: 3 })), context)
  const steps = async (act: () => Promise<void>) => {
    storage.journal.length = 0
    await act()
    return storage.journal.filter(([operation]) => operation !== 'read').map(([operation]) => operation)
  }
  assert.deepEqual(await steps(() => backend.activate('B', '01J')), ['pwrite', 'fsync'])
  assert.equal((await record(storage)).securityEpoch, 0, 'not raised before the image has proved itself')

  const running = await launch(storage, folder)
  const { backend: trial } = await service(storage, testClock(), running)
  const slots = await trial.slots()
  assert.deepEqual(
    slots.map(({ id, running, confirmed, next, version, transaction }) => ({ id, running, confirmed, next, version, transaction })),
    [
      { id: 'A', running: false, confirmed: true, next: false, version: '1.0.0', transaction: undefined },
      { id: 'B', running: true, confirmed: false, next: true, version: '1.1.0', transaction: '01J' },
    ],
  )
  await assert.rejects(trial.install(pieces(await image(payload)), context), { reason: 'busy' })
  await assert.rejects(trial.discard(), { reason: 'busy' }, 'the way back stays')
  assert.deepEqual(await steps(() => trial.confirm('01J')), ['pwrite', 'fsync'])
  assert.deepEqual([(await record(storage)).securityEpoch, (await record(storage)).confirmed], [3, 'B'])
  await trial.reject('01J')
  assert.equal(await launch(storage, folder), 'B', 'what is confirmed is not rejected')
  await assert.rejects(trial.install(pieces(await image(payload, { version: '1.2.0', securityEpoch: 2 })), context), { reason: 'epoch' })
})

test('nothing is written to the slot that runs', async () => {
  const { storage, backend } = await device()
  await backend.install(pieces(await image(payload)), context)
  await backend.discard()
  await assert.rejects(backend.activate('B', '01J'), BackendError, 'there is nothing to activate')
  assert.deepEqual(storage.content(slotFile(folder, 'A')), factoryContent)
  assert.deepEqual(storage.content(slotFile(folder, 'B')), payload)
})

test('a slot that does not keep what was written is found out', async () => {
  for (const at of [0, limits.slotSyncBytes + 17, limits.slotSyncBytes + 2 * limits.slotChunkBytes]) {
    const storage = new SimulatedStorage()
    await storage.create('/slot')
    storage.onChange = () => {
      const content = storage.content('/slot')
      if (storage.journal.at(-1)?.[0] === 'fsync' && content.length > at)
        storage.damage('/slot', content.fill(content.readUInt8(at) ^ 1, at, at + 1))
    }
    const writer = createSlotWriter(storage, '/slot')
    const write = async () => {
      for await (const piece of pieces(randomBytes(limits.slotSyncBytes + 3 * limits.slotChunkBytes), 100_000)) await writer.write(piece)
      await writer.finish()
    }
    await assert.rejects(write(), { reason: 'io' }, `at ${at}`)
    await writer.abandon()
  }
})

test('a long stream arrives whole, in pieces of any size', async () => {
  const content = randomBytes(2 * limits.slotSyncBytes + 3 * limits.slotChunkBytes + 5)
  for (const size of [65_536, 1_000_003]) {
    const storage = new SimulatedStorage()
    await storage.create('/slot')
    const writer = createSlotWriter(storage, '/slot')
    for await (const piece of pieces(content, size)) await writer.write(piece)
    assert.deepEqual(await writer.finish(), { sha256: sha256(content), sizeBytes: content.length })
    assert.ok(storage.content('/slot').equals(content))
  }
})

test('when an upload ends early, nothing touches the slot any more', async () => {
  const { storage, backend } = await device()
  const abort = new AbortController()
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    const bytes = await image(randomBytes(3_000_000))
    yield bytes.subarray(0, 2_000_000)
    abort.abort(new Error('enough'))
    yield bytes.subarray(2_000_000)
  }
  await assert.rejects(backend.install(body(), { ...context, signal: abort.signal }), /enough/)
  const length = storage.journal.length
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(storage.journal.length, length)
  assert.equal((await backend.slots()).find(({ id }) => id === 'B')?.version, undefined)
})
