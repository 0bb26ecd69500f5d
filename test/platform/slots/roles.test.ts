import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { defaults } from '../../../src/config.ts'
import { signDetached } from '../../../src/device/firmware/cmsSigning.ts'
import { cpioHeaderBytes } from '../../../src/device/firmware/cpio.ts'
import { draftImage, packImage } from '../../../src/device/firmware/imageBuilder.ts'
import { createEngine } from '../../../src/engine.ts'
import { limits } from '../../../src/limits.ts'
import { BackendError } from '../../../src/platform/platform.ts'
import { loadBootRecord, slotFile } from '../../../src/platform/slots/bootRecord.ts'
import { launch } from '../../../src/platform/slots/launcher.ts'
import { testClock } from '../../auth/support.ts'
import {
  appBytesMax,
  board,
  ca,
  factoryContent,
  folder,
  image,
  pieces,
  service,
  sha256,
  silent,
  start,
  trusting,
} from '../../device/firmware/workbench.ts'
import { outcomes, SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { temporaryFolder } from '../../support/daemon.ts'

const rootfs = randomBytes(40_000)
const app = randomBytes(30_000)
const context = { transaction: '01J', signal: new AbortController().signal, onHead() {}, onProgress() {}, async beforeActivation() {} }

interface Part {
  readonly role: string
  readonly content: Buffer
  readonly gzip?: boolean
  readonly version?: string
}

/** A signed image of several files, without those with a role in `left`. */
async function imageOf(parts: readonly Part[], options: { version?: string; left?: readonly string[] } = {}): Promise<Buffer> {
  const { version = '1.1.0', left = [] } = options
  const [payload, ...others] = parts.map(({ role, content, gzip, version: own }) => ({
    name: `${role}.img`,
    role,
    gzip,
    version: own,
    read: () => pieces(content),
  }))
  if (payload === undefined) throw new Error('an image of nothing')
  const now = new Date()
  const draft = await draftImage({ version, board, payload, others, now })
  const signature = signDetached(draft.description, [{ keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }], now)
  const files = draft.files.filter(({ name }) => !left.includes(name.replace('.img', '')))
  return Buffer.concat(await Array.fromAsync(packImage({ ...draft, files }, signature)))
}

const both: readonly Part[] = [
  { role: 'rootfs', content: rootfs },
  { role: 'app', content: app, version: '7' },
]

async function device(options: { slotBytesMax?: number } = {}) {
  const storage = new SimulatedStorage()
  const logged: object[] = []
  const log = { debug() {}, info: (fields: object) => void logged.push(fields), warn() {}, error() {} }
  const started = await start(storage, testClock(), { log, ...options })
  return {
    storage,
    logged,
    ...started,
    install: async (bytes: Buffer, backend = started.backend) => backend.install(pieces(bytes), context),
    /** Activates slot B, boots it and confirms it: from now on A is the slot to write. */
    async change() {
      await started.backend.activate('B', '01J')
      const { backend } = await service(storage, testClock(), await launch(storage, folder), { log, ...options })
      await backend.confirm('01J')
      return backend
    },
  }
}

const writesTo = (storage: SimulatedStorage, path: string) =>
  storage.journal.filter(([operation, of]) => operation === 'pwrite' && of === path).length
const imageIn = async (storage: SimulatedStorage, slot: 'A' | 'B') => (await loadBootRecord(storage, folder))?.images[slot]
const holdsB = async (storage: SimulatedStorage) => (await imageIn(storage, 'B')) !== undefined

test('every role goes to its place, and the record knows them', async () => {
  const { storage, install, logged } = await device()
  await install(await imageOf(both))
  assert.deepEqual(storage.content(slotFile(folder, 'B')), rootfs)
  assert.deepEqual(storage.content('/slots/slot-b-app.img'), app)
  assert.deepEqual(await imageIn(storage, 'B'), {
    version: '1.1.0',
    sha256: sha256(rootfs),
    sizeBytes: rootfs.length,
    securityEpoch: 0,
    others: new Map([['app', { sha256: sha256(app), sizeBytes: app.length, version: '7' }]]),
  })
  assert.deepEqual(logged.at(-1), { transaction: '01J', slot: 'B', written: ['rootfs', 'app'], copied: [], skipped: [] })
  assert.ok(['env0.bin', 'env1.bin'].some(name => storage.content(`${folder}/${name}`).includes(`B_APP_SHA=${sha256(app)}\0`)))
})

test('what an image leaves out is copied from the slot that runs, synced and read back', async () => {
  const { storage, install, change, logged } = await device()
  await install(await imageOf(both))
  const backend = await change()
  const newer = randomBytes(20_000)
  storage.journal.length = 0
  await install(await imageOf([{ role: 'rootfs', content: newer }, ...both.slice(1)], { version: '1.2.0', left: ['app'] }), backend)
  assert.deepEqual(storage.content('/slots/slot-a-app.img'), app)
  const touched = storage.journal.filter(([, path]) => path === '/slots/slot-a-app.img').map(([operation]) => operation)
  assert.deepEqual(touched, ['pwrite', 'fsync', 'read'])
  assert.deepEqual((await imageIn(storage, 'A'))?.others.get('app'), { sha256: sha256(app), sizeBytes: app.length, version: '7' })
  assert.deepEqual(logged.at(-1), { transaction: '01J', slot: 'A', written: ['rootfs'], copied: ['app'], skipped: [] })
})

test('a slot that holds something else than its record says is no source', async () => {
  const { storage, install, change } = await device()
  await install(await imageOf(both))
  const backend = await change()
  storage.damage('/slots/slot-b-app.img', Buffer.from(app).fill(0, 9, 10))
  await assert.rejects(install(await imageOf(both, { left: ['app'] }), backend), { name: 'ImageError', reason: 'format' })
  assert.equal(await imageIn(storage, 'A'), undefined, 'void')
  await install(await imageOf(both), backend)
  assert.deepEqual(storage.content('/slots/slot-a-app.img'), app, 'the whole image mends it')
})

test('what no slot holds has to be in the image', async () => {
  const { storage, install } = await device()
  await assert.rejects(install(await imageOf(both, { left: ['app'] })), { reason: 'format', message: /lacks app\.img/ })
  await assert.rejects(install(await imageOf(both, { left: ['rootfs'] })), { reason: 'format', message: /lacks rootfs\.img/ })
  assert.equal(await holdsB(storage), false)
})

test('what the slot holds already is not written again, if reading it proves that', async () => {
  const { storage, install, logged } = await device()
  await install(await imageOf(both))
  storage.journal.length = 0
  await install(await imageOf(both))
  assert.equal(writesTo(storage, slotFile(folder, 'B')) + writesTo(storage, '/slots/slot-b-app.img'), 0)
  assert.deepEqual(logged.at(-1), { transaction: '01J', slot: 'B', written: [], copied: [], skipped: ['rootfs', 'app'] })
  assert.ok(await holdsB(storage))

  await install(await imageOf(both, { left: ['app'] }))
  assert.deepEqual(logged.at(-1), { transaction: '01J', slot: 'B', written: [], copied: [], skipped: ['rootfs', 'app'] })

  storage.damage('/slots/slot-b-app.img', Buffer.from(app).fill(0, 9, 10))
  await install(await imageOf(both))
  assert.deepEqual(logged.at(-1), { transaction: '01J', slot: 'B', written: ['app'], copied: [], skipped: ['rootfs'] })
  assert.deepEqual(storage.content('/slots/slot-b-app.img'), app)
})

test('a file that is not written is checked all the same', async () => {
  const { install } = await device()
  await install(await imageOf(both))
  const bytes = await imageOf(both)
  const at = bytes.indexOf(app) + 5
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  await assert.rejects(install(bytes), { reason: 'hash' })
})

test('the slot is void from the first write until every file is complete', async () => {
  const { storage, install } = await device()
  await install(await imageOf(both))
  const newer = await imageOf([
    { role: 'rootfs', content: randomBytes(20_000) },
    { role: 'app', content: randomBytes(20_000) },
  ])
  const seen: Promise<boolean>[] = []
  storage.onChange = () => {
    if (/slot-b/.test(storage.journal.at(-1)?.[1] ?? '') && storage.journal.at(-1)?.[0] === 'pwrite')
      seen.push(holdsB(storage.after('kept')))
  }
  await install(newer)
  assert.deepEqual(await Promise.all(seen), [false, false])
  assert.ok(await holdsB(storage))
})

test('a power cut at any operation leaves a slot that is void or complete, whether its files are written, copied or left', async () => {
  const { storage, install, change } = await device()
  await install(await imageOf(both))
  const backend = await change()
  const held = { role: 'app', content: randomBytes(limits.slotChunkBytes / 8) }
  await install(await imageOf([{ role: 'rootfs', content: randomBytes(9_000) }, held]), backend)
  let cuts = 0
  const found: Promise<void>[] = []
  async function look(disk: SimulatedStorage): Promise<void> {
    cuts += 1
    const record = await loadBootRecord(disk, folder)
    assert.equal(record?.confirmed, 'B')
    const image = record?.images.A
    if (image === undefined) return
    for (const [role, { sha256: digest, sizeBytes }] of [['rootfs', image] as const, ...image.others])
      assert.equal(sha256(disk.content(slotFile(folder, 'A', role)).subarray(0, sizeBytes)), digest, role)
  }
  storage.onChange = () => {
    for (const outcome of outcomes) found.push(look(storage.after(outcome)))
  }
  const rootfsOf = (content: Buffer): Part => ({ role: 'rootfs', content })
  const kept = rootfsOf(randomBytes(20_000))
  await install(await imageOf([rootfsOf(randomBytes(20_000)), held], { left: ['app'] }), backend)
  await install(await imageOf([rootfsOf(randomBytes(20_000)), ...both.slice(1)], { left: ['app'] }), backend)
  await install(await imageOf([rootfsOf(randomBytes(20_000)), ...both.slice(1)]), backend)
  // Nothing but a copy: one rootfs is there, and the app comes from the slot that runs.
  await install(await imageOf([kept, held]), backend)
  await install(await imageOf([kept, ...both.slice(1)], { left: ['app'] }), backend)
  await Promise.all(found)
  assert.ok(cuts > 100, `${cuts} cuts`)
})

test('a role for which the device has no place is refused before anything is written', async () => {
  const { storage, install } = await device()
  const before = storage.digest()
  await assert.rejects(install(await imageOf([...both, { role: 'data', content: app }])), { reason: 'compatible', message: /role data/ })
  assert.equal(storage.digest(), before)
})

test('a file that is larger than its place is refused before its first byte', async () => {
  const { storage, install } = await device()
  const before = storage.digest()
  const large = randomBytes(appBytesMax + 1)
  await assert.rejects(
    install(
      await imageOf([
        { role: 'app', content: large },
        { role: 'rootfs', content: rootfs },
      ]),
    ),
    { reason: 'nospace' },
  )
  assert.equal(storage.digest(), before)
})

/** The same image, with a header that says so many bytes of its first file. */
function announcing(swu: Buffer, { role }: Part, sizeBytes: number): Buffer {
  const sizeAt = swu.indexOf(`${role}.img\0`) - cpioHeaderBytes + 54
  const announced = Buffer.from(swu)
  announced.write(sizeBytes.toString(16).padStart(8, '0'), sizeAt, 'latin1')
  return announced
}

test('beyond virtualSlotBytesMax and virtualAppBytesMax a virtual device takes no file, and not a byte of it is asked for', async t => {
  const storage = new SimulatedStorage()
  const state = { path: await temporaryFolder(t), key: randomBytes(32) }
  const trust = trusting(ca.caPem)
  const { backend } = await createEngine({
    config: defaults,
    state,
    storage,
    clock: testClock(),
    log: silent,
    trust,
    antiRollback: undefined,
  })
  for (const [parts, bytesMax] of [
    [both, limits.virtualSlotBytesMax],
    [both.toReversed(), limits.virtualAppBytesMax],
  ] as const) {
    const [first = assert.fail()] = parts
    const swu = await imageOf(parts)
    const before = storage.digest()
    let taken = 0
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const piece of pieces(announcing(swu, first, bytesMax + 1), 512)) {
        taken += piece.length
        yield piece
      }
    }
    const message = `${first.role}.img has ${bytesMax + 1} bytes, a slot takes ${bytesMax}`
    await assert.rejects(backend.install(body(), context), { name: 'ImageError', reason: 'nospace', message })
    assert.equal(storage.digest(), before)
    assert.ok(taken < swu.indexOf(first.content) + 512, `${taken}`)
    // It is read, and ends sooner than it said.
    await assert.rejects(backend.install(pieces(announcing(swu, first, bytesMax)), context), { name: 'ImageError', reason: 'truncated' })
    await backend.discard()
  }
})

test('what is compressed is unpacked, and its content is what counts from then on', async () => {
  const { storage, install, change, logged } = await device()
  const content = Buffer.concat([Buffer.alloc(300_000, 'onvif'), rootfs])
  await install(await imageOf([{ role: 'rootfs', content, gzip: true }, ...both.slice(1)]))
  assert.deepEqual(storage.content(slotFile(folder, 'B')), content)
  assert.equal((await imageIn(storage, 'B'))?.sha256, sha256(content))

  const backend = await change()
  const plain = await imageOf([{ role: 'rootfs', content }, ...both.slice(1)], { left: ['rootfs', 'app'] })
  await install(plain, backend)
  assert.deepEqual(logged.at(-1), { transaction: '01J', slot: 'A', written: [], copied: ['rootfs', 'app'], skipped: [] })
  const packed = await imageOf([{ role: 'rootfs', content, gzip: true }, ...both.slice(1)], { left: ['rootfs'] })
  await assert.rejects(install(packed, backend), { reason: 'format' }, 'nobody signed for the digest of the content')
})

test('gzip that was hurt on its way is told apart from gzip that was signed like that', async () => {
  const { install } = await device()
  const content = randomBytes(50_000)
  const hurt = await imageOf([{ role: 'rootfs', content, gzip: true }])
  const at = hurt.indexOf(Buffer.from([0x1f, 0x8b])) + 2_000
  hurt.writeUInt8(hurt.readUInt8(at) ^ 1, at)
  await assert.rejects(install(hurt), { reason: 'hash' })
  // The description says gzip, and the file is none: as if `content` were the compressed form.
  for (const bytes of [content, gzipSync(content).subarray(0, 30_000)])
    await assert.rejects(install(await notGzip(bytes)), { reason: 'format' })
})

async function notGzip(content: Buffer, isLeft = false): Promise<Buffer> {
  const now = new Date()
  const draft = await draftImage({ version: '1.1.0', board, payload: { name: 'rootfs.img', read: () => pieces(content) }, now })
  const given: { software: { stable: Record<string, { images: Record<string, unknown>[] }> } } = JSON.parse(draft.description.toString())
  for (const copy of Object.values(given.software.stable)) for (const payload of copy.images) payload.compressed = 'zlib'
  const description = Buffer.from(JSON.stringify(given))
  const signature = signDetached(description, [{ keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }], now)
  return Buffer.concat(await Array.fromAsync(packImage({ description, files: isLeft ? [] : draft.files }, signature)))
}

test('a slot that holds the compressed form holds something else', async () => {
  const { install, change } = await device()
  const content = gzipSync(rootfs)
  await install(await imageOf([{ role: 'rootfs', content }]))
  await assert.rejects(install(await notGzip(content, true), await change()), { reason: 'format' })
})

test('a zip bomb ends at the size of the slot, in bounded memory', async () => {
  const slotBytesMax = 20_000_000
  const { storage, install } = await device({ slotBytesMax })
  const path = slotFile(folder, 'B')
  const bomb = await imageOf([{ role: 'rootfs', content: Buffer.alloc(200_000_000), gzip: true }])
  assert.ok(bomb.length < 1_000_000)
  const { pwrite, read } = SimulatedStorage.prototype
  const before = process.memoryUsage().arrayBuffers
  let [written, peak] = [0, 0]
  // A disk that keeps nothing: its memory would be counted.
  storage.pwrite = (of, offset, bytes) => {
    if (of !== path) return pwrite.call(storage, of, offset, bytes)
    written += bytes.length
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
    return Promise.resolve()
  }
  storage.read = async (of, offset, into) => (of === path ? into.fill(0) : read.call(storage, of, offset, into))
  await assert.rejects(install(bomb), { name: 'ImageError', reason: 'nospace' })
  assert.ok(written > slotBytesMax / 2 && written <= slotBytesMax, `${written} bytes`)
  assert.ok(peak < 64_000_000, `${peak} bytes of memory`)
  assert.equal(await holdsB(storage), false)
})

for (const gzip of [false, true]) {
  test(`nothing touches the slot any more when an upload is called off: ${gzip ? 'compressed' : 'plain'}`, async () => {
    const { storage, backend } = await device({ slotBytesMax: 8_000_000 })
    const abort = new AbortController()
    const bytes = await imageOf([{ role: 'rootfs', content: randomBytes(6_000_000), gzip }])
    let late = 0
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      yield* pieces(bytes.subarray(0, 2_000_000))
      abort.abort(new Error('enough'))
      for await (const piece of pieces(bytes.subarray(2_000_000))) {
        late += piece.length
        yield piece
      }
    }
    await assert.rejects(backend.install(body(), { ...context, signal: abort.signal }), /enough/)
    assert.ok(late < 1_000_000, `${late} bytes were taken afterwards`)
    const { length } = storage.journal
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.equal(storage.journal.length, length)
  })
}

test('an engine that writes by itself has its files checked, and the rest copied', async () => {
  const { storage, install, change } = await device()
  await install(await imageOf(both))
  const backend = await change()
  const head = (await backend.install(pieces(await imageOf(both)), context)).head
  const [file] = head.payloads
  assert.deepEqual(backend.place('app'), { path: '/slots/slot-a-app.img', bytesMax: appBytesMax })
  assert.equal(backend.place('data'), undefined)
  assert.equal(await backend.begin('02J'), 'A')
  const written = { role: 'rootfs', sha256: sha256(rootfs), sizeBytes: rootfs.length }

  storage.damage('/slots/slot-a.img', Buffer.from(rootfs).fill(0, 9, 10))
  await assert.rejects(backend.complete(head, [written]), { name: 'BackendError', reason: 'io' })
  assert.equal(await imageIn(storage, 'A'), undefined)
  storage.damage('/slots/slot-a.img', rootfs)
  await assert.rejects(backend.complete(head, [{ ...written, sha256: sha256(app) }]), { name: 'ImageError', reason: 'hash' })
  await backend.complete(head, [written])
  assert.equal((await imageIn(storage, 'A'))?.sha256, file?.sha256)
  assert.deepEqual((await imageIn(storage, 'A'))?.others.get('app')?.sha256, sha256(app))
  assert.equal((await loadBootRecord(storage, folder))?.transaction, '02J')
})

const failing = (code: string, operation: string, path: RegExp) => (of: string, at: string) =>
  of === operation && path.test(at) ? Object.assign(new Error(code), { code }) : undefined

for (const [name, operation, code, reason] of [
  ['case 15: a disk that is full', 'pwrite', 'ENOSPC', 'nospace'],
  ['case 17: a write that fails', 'pwrite', 'EIO', 'io'],
  ['case 17: a sync that fails', 'fsync', 'EIO', 'io'],
] as const) {
  test(`${name} leaves the old firmware and a void slot`, async () => {
    const { storage, install } = await device()
    await install(await imageOf(both))
    for (const role of ['b.img', 'b-app.img']) {
      storage.failure = failing(code, operation, new RegExp(`slot-${role}$`))
      const newer = both.map(part => ({ ...part, content: randomBytes(20_000) }))
      const before = storage.journal.length
      await assert.rejects(install(await imageOf(newer)), (error: unknown) => error instanceof BackendError && error.reason === reason)
      const syncs = storage.journal.slice(before).filter(([what, path]) => what === 'fsync' && path.endsWith(role))
      assert.ok(syncs.length <= 2, 'a failed sync is final: the second one only lets go of the file')
      assert.equal(await holdsB(storage), false)
      assert.equal(await launch(storage, folder), 'A')
      storage.failure = () => undefined
      assert.deepEqual(storage.content(slotFile(folder, 'A')), factoryContent)
      await install(await imageOf(both))
    }
  })
}

test('case 18: a bit that turns over after it was written is found, also in a copy', async () => {
  const { storage, install, change } = await device()
  await install(await imageOf(both))
  const backend = await change()
  for (const [role, left] of [
    ['slot-a.img', []],
    ['slot-a-app.img', []],
    ['slot-a-app.img', ['app']],
  ] as const) {
    storage.onChange = () => {
      const [operation, path = ''] = storage.journal.at(-1) ?? []
      if (operation !== 'fsync' || !path.endsWith(role)) return
      const content = storage.content(path)
      storage.damage(path, content.fill(content.readUInt8(7) ^ 1, 7, 8))
    }
    await assert.rejects(install(await imageOf(both, { left }), backend), { name: 'BackendError', reason: 'io' }, role)
    storage.onChange = () => {}
    assert.equal(await imageIn(storage, 'A'), undefined)
  }
})

test('case 20: one damaged copy of the boot record costs nothing, and the next write mends it', async () => {
  for (const copy of [0, 1]) {
    const { storage, backend, install } = await device()
    assert.equal(await backend.record(), 'whole')
    storage.damage(`${folder}/env${copy}.bin`, Buffer.alloc(limits.bootRecordBytes, 0xff))
    assert.equal(await backend.record(), 'half')
    assert.equal((await backend.slots()).find(({ running }) => running)?.version, '1.0.0')
    const whole = Buffer.from(storage.content(`${folder}/env${1 - copy}.bin`))
    await backend.discard()
    await backend.begin('02J')
    assert.equal(await backend.record(), 'whole')
    assert.deepEqual(storage.content(`${folder}/env${1 - copy}.bin`), whole, 'the good copy is not touched')
    await install(await imageOf(both))
    storage.damage(`${folder}/env0.bin`, Buffer.alloc(limits.bootRecordBytes))
    storage.damage(`${folder}/env1.bin`, Buffer.alloc(10))
    assert.equal(await backend.record(), 'lost')
  }
})

test('case 26: a stream without an end stops at the size of the slot', async () => {
  const slotBytesMax = 1_000_000
  const { storage, backend } = await device({ slotBytesMax })
  const endless = await image(randomBytes(10 * slotBytesMax))
  let taken = 0
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of pieces(endless)) {
      taken += piece.length
      yield piece
    }
  }
  const before = storage.digest()
  await assert.rejects(backend.install(body(), context), { name: 'ImageError', reason: 'nospace' })
  assert.equal(storage.digest(), before)
  assert.ok(taken <= 65_536, `${taken} bytes were taken`)
})

test('case 33: older versions, lower epochs of record or store are refused, the same version is not', async () => {
  const storage = new SimulatedStorage()
  const store = { epoch: 0, raised: [] as number[] }
  const antiRollback = {
    lowest: async () => store.epoch,
    async raise(epoch: number) {
      store.raised.push(epoch)
      store.epoch = Math.max(store.epoch, epoch)
    },
  }
  await start(storage, testClock())
  const { backend } = await service(storage, testClock(), 'A', { antiRollback })
  const content = randomBytes(5_000)
  const given = async (order: object) => pieces(await image(content, order))
  await assert.rejects(backend.install(await given({ version: '0.9.0' }), context), { reason: 'version' })
  await backend.install(await given({ version: '1.0.0' }), context)
  store.epoch = 4
  await assert.rejects(backend.install(await given({ securityEpoch: 3 }), context), { reason: 'epoch' }, 'the store counts')
  await backend.install(await given({ securityEpoch: 5 }), context)
  await backend.activate('B', '01J')
  assert.deepEqual(store.raised, [], 'not before it has proved itself')

  const { backend: trial } = await service(storage, testClock(), await launch(storage, folder), { antiRollback })
  await trial.recover()
  assert.deepEqual(store.raised, [])
  const record = async () => (await loadBootRecord(storage, folder))?.securityEpoch
  const raise = antiRollback.raise
  antiRollback.raise = async () => {
    assert.equal(await record(), 5, 'the record comes first')
    throw new Error('no store')
  }
  await assert.rejects(trial.confirm('01J'), { name: 'BackendError', reason: 'io' })
  antiRollback.raise = raise
  await trial.recover()
  assert.deepEqual(store.raised, [5], 'the next start catches up')
  store.epoch = 0
  await assert.rejects(trial.install(await given({ securityEpoch: 4 }), context), { reason: 'epoch' }, 'the record counts')
  antiRollback.lowest = () => Promise.reject(new Error('no store'))
  await assert.rejects(trial.install(await given({ securityEpoch: 9 }), context), { name: 'BackendError', reason: 'io' })
})

test('a virtual device of an earlier version gets the files that it lacks, and keeps what it has', async () => {
  const { storage } = await device()
  storage.remove('/slots/slot-a-app.img')
  storage.remove('/slots/slot-b-app.img')
  const before = createHash('sha256')
    .update(storage.content(slotFile(folder, 'A')))
    .digest('hex')
  await start(storage, testClock())
  assert.ok(await storage.exists('/slots/slot-b-app.img'))
  assert.equal(
    createHash('sha256')
      .update(storage.content(slotFile(folder, 'A')))
      .digest('hex'),
    before,
  )
})
