import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { signDetached } from '../../../src/device/firmware/cmsSigning.ts'
import { cpioHeader, cpioPadding, cpioTrailer } from '../../../src/device/firmware/cpio.ts'
import { openSwu } from '../../../src/device/firmware/swu.ts'
import { limits } from '../../../src/limits.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import { slotFile } from '../../../src/platform/slots/bootRecord.ts'
import { testClock } from '../../auth/support.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { board, ca, folder, image, pieces, sha256, start } from './workbench.ts'

const entry = (name: string, content: Buffer, sizeBytes = content.length): Buffer =>
  Buffer.concat([cpioHeader({ name, sizeBytes }, 0), content, Buffer.alloc(cpioPadding(content.length))])
const end = cpioHeader({ name: cpioTrailer, sizeBytes: 0 }, 0)

/** Head of an image whose payload is called `filename`, signed as it should be. */
function head(filename: string, payload: Buffer): Buffer {
  const images = [{ filename, sha256: sha256(payload) }]
  const description = Buffer.from(JSON.stringify({ software: { version: '1.1.0', 'hardware-compatibility': [board.revision], images } }))
  const signature = signDetached(description, [{ keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }], new Date())
  return Buffer.concat([entry('sw-description', description), entry('sw-description.sig', signature)])
}

async function install(source: AsyncIterable<Uint8Array>) {
  const storage = new SimulatedStorage()
  const { backend } = await start(storage, testClock())
  storage.journal.length = 0
  const context = { transaction: 'T', signal: new AbortController().signal, onHead() {}, onProgress() {}, async beforeActivation() {} }
  const verdict = await backend.install(source, context).then(
    () => 'accepted',
    (error: unknown) => (error instanceof ImageError ? `${error.reason} ${error.message}` : Promise.reject(error)),
  )
  return { storage, verdict }
}

const payload = randomBytes(1_000)
const many = (count: number) => Buffer.concat(Array.from({ length: count }, (_, index) => entry(`file-${index}`, Buffer.alloc(0))))

const hostile: readonly (readonly [title: string, answer: RegExp, bytes: () => Buffer])[] = [
  ['nothing at all', /^truncated /, () => Buffer.alloc(0)],
  ['random bytes', /^format /, () => randomBytes(10_000)],
  ['zeroes', /^format /, () => Buffer.alloc(10_000)],
  ['a header with other digits', /^format /, () => Buffer.from(`070702${'x'.repeat(104)}sw-description`)],
  ['a description of 2 GiB', /^format sw-description has 2147483647 bytes/, () => entry('sw-description', Buffer.alloc(0), 0x7fffffff)],
  [
    'a signature of 1 MiB',
    /^format .*sig has/,
    () => Buffer.concat([entry('sw-description', Buffer.from('{}')), entry('sw-description.sig', Buffer.alloc(0), 1 << 20)]),
  ],
  [
    'a name of 4 GiB',
    /^format a file name of 4294967295 bytes/,
    () => Buffer.from(end.toString('latin1').replace('0000000B', 'FFFFFFFF'), 'latin1'),
  ],
  ['an empty name', /^format a file name of 1 bytes/, () => entry('', Buffer.alloc(0))],
  ['a name with a NUL in it', /^format a file name does not end/, () => entry('sw-description\0x', Buffer.alloc(0))],
  ['10,000 files', /^format more than 64 files/, () => Buffer.concat([head('rootfs.img', payload), many(10_000)])],
  [
    'the payload twice',
    /^format a file stands twice/,
    () => Buffer.concat([head('x', payload), entry('x', payload), entry('x', payload), end]),
  ],
  [
    'a second description',
    /^format a file stands twice/,
    () => Buffer.concat([head('x', payload), entry('sw-description', Buffer.alloc(3)), end]),
  ],
  [
    'something behind the trailer',
    /^format .*goes on/,
    () => Buffer.concat([head('x', payload), entry('x', payload), end, Buffer.from('x')]),
  ],
  [
    'zeroes for ever behind the trailer',
    /^format .*goes on/,
    () => Buffer.concat([head('x', payload), entry('x', payload), end, Buffer.alloc(limits.imagePaddingBytesMax + 1)]),
  ],
  [
    'a payload that is shorter than its header says',
    /^(truncated|format) /,
    () => Buffer.concat([head('x', payload), entry('x', payload, 2_000), end]),
  ],
  ['a payload that is larger than the slot', /^nospace /, () => Buffer.concat([head('x', payload), entry('x', payload, 0xfffffff0)])],
]
for (const [title, answer, bytes] of hostile) {
  test(`refused: ${title}`, async () => {
    const { storage, verdict } = await install(pieces(bytes()))
    assert.match(verdict, answer)
    for (const [, path] of storage.journal) assert.ok(path.startsWith(`${folder}/`), path)
  })
}

test('a refused head touches no file', async () => {
  const { storage } = await install(pieces(await image(payload, { version: '0.1.0' })))
  assert.deepEqual(
    storage.journal.filter(([operation]) => operation !== 'read'),
    [],
  )
})

test('names in an image are no paths', async () => {
  for (const name of ['../../x', '/etc/passwd', 'slot-a.img', 'env0.bin', '__proto__']) {
    const { storage, verdict } = await install(
      pieces(Buffer.concat([head(name, payload), entry('../y', payload), entry(name, payload), end])),
    )
    assert.equal(verdict, 'accepted', name)
    assert.deepEqual(storage.content(slotFile(folder, 'B')), payload)
    const touched = new Set(storage.journal.filter(([operation]) => operation === 'pwrite').map(([, path]) => path))
    assert.deepEqual([...touched].sort(), [`${folder}/env0.bin`, `${folder}/env1.bin`, slotFile(folder, 'B')], name)
  }
})

test('an image may come in pieces of any size', async () => {
  const bytes = Buffer.concat([head('rootfs.img', payload), entry('rootfs.img', payload), end])
  for (const size of [1, 7, 109, 4_096]) assert.equal((await install(pieces(bytes, size))).verdict, 'accepted', `pieces of ${size}`)
})

test('files are read or skipped as the reader likes', async () => {
  const swu = await openSwu(
    pieces(Buffer.concat([head('a', payload), entry('a', payload), entry('b', Buffer.from('bee')), entry('c', payload), end]), 50),
  )
  assert.equal((await swu.next())?.name, 'a')
  const b = await swu.next()
  assert.deepEqual([b?.name, b?.sizeBytes], ['b', 3])
  assert.deepEqual(Buffer.concat(await Array.fromAsync(b?.content() ?? [])), Buffer.from('bee'))
  assert.equal((await swu.next())?.name, 'c')
  assert.equal(await swu.next(), undefined)
})
