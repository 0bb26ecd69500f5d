import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { signDetached } from '../../../src/device/firmware/cmsSigning.ts'
import { cpioHeader, cpioPadding } from '../../../src/device/firmware/cpio.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import { testClock } from '../../auth/support.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { board, ca, image, pieces, sha256, start } from './workbench.ts'

/** A process of its own, so that what it needs is nobody else's. Prints what became of every image, how long it took, and the memory. */

const entry = (name: string, content: Uint8Array, sizeBytes = content.length): Buffer =>
  Buffer.concat([cpioHeader({ name, sizeBytes }, 0), content, Buffer.alloc(cpioPadding(content.length))])

function head(payload: Uint8Array, more: object = {}): Buffer {
  const images = [{ filename: 'x', sha256: sha256(payload), ...more }]
  const description = Buffer.from(JSON.stringify({ software: { version: '1.1.0', 'hardware-compatibility': [board.revision], images } }))
  const signature = signDetached(description, [{ keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }], new Date())
  return Buffer.concat([entry('sw-description', description), entry('sw-description.sig', signature)])
}

/** A sender that never ends; 4 MiB of them are more than anybody should read. */
async function* endless(make: () => Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let sent = 0; sent < 268_435_456; ) {
    const bytes = make()
    sent += bytes.length
    yield bytes
    await setImmediate()
  }
}

async function* inTurn(first: Buffer, then: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield first
  yield* then
}

/** A gigabyte of zeroes. */
async function bomb(): Promise<Buffer> {
  const gzip = createGzip({ level: 9 })
  const zeroes = Buffer.alloc(1_048_576)
  const packed = Array.fromAsync<Buffer>(gzip)
  for (let count = 0; count < 1_024; count += 1) if (!gzip.write(zeroes)) await new Promise(resume => gzip.once('drain', resume))
  gzip.end()
  return Buffer.concat(await packed)
}

let files = 0
const small = Buffer.from('x')
const packed = await bomb()
const noise = randomBytes(65_536)
const images: readonly (readonly [title: string, source: () => AsyncIterable<Uint8Array>])[] = [
  ['random bytes', () => endless(() => noise)],
  ['a zip file', () => endless(() => Buffer.from(`PK\x03\x04${'\0'.repeat(65_532)}`, 'latin1'))],
  [
    'files without end',
    () =>
      inTurn(
        head(small),
        endless(() => entry(`file-${files++}`, Buffer.alloc(0))),
      ),
  ],
  [
    'a description of 2 GiB',
    () =>
      inTurn(
        entry('sw-description', Buffer.alloc(0), 0x7fffffff),
        endless(() => noise),
      ),
  ],
  [
    'a payload of 4 GiB',
    () =>
      inTurn(
        Buffer.concat([head(small), entry('x', Buffer.alloc(0), 0xfffffff0)]),
        endless(() => noise),
      ),
  ],
  ['a name that goes up', () => pieces(Buffer.concat([entry('../../x', small), entry('../../y', small)]))],
  ['a name of 4 GiB', () => pieces(Buffer.from(entry('x', small).toString('latin1').replace('00000002', 'FFFFFFFF'), 'latin1'))],
  ['a signature that is noise', () => pieces(Buffer.concat([entry('sw-description', small), entry('sw-description.sig', noise)]))],
  ['a gzip bomb, signed', () => pieces(Buffer.concat([head(packed, { compressed: 'zlib' }), entry('x', packed)]))],
]

// What is loaded and compiled once is no image's doing.
await tryOne(pieces(await image(randomBytes(1_000))))
const results = []
for (const [title, source] of images) results.push({ title, ...(await tryOne(source())) })
process.stdout.write(JSON.stringify(results))

async function tryOne(source: AsyncIterable<Uint8Array>) {
  const { backend } = await start(new SimulatedStorage(), testClock(), { slotBytesMax: 1_048_576 })
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let most = before
  const watched = (async function* () {
    for await (const bytes of source) {
      yield bytes
      most = Math.max(most, process.memoryUsage.rss())
    }
  })()
  const context = { transaction: 'T', signal: new AbortController().signal, onHead() {}, onProgress() {}, async beforeActivation() {} }
  const started = performance.now()
  const verdict = await backend.install(watched, context).then(
    () => 'accepted',
    (error: unknown) => (error instanceof ImageError ? error.reason : String(error)),
  )
  const ms = performance.now() - started
  return { verdict, ms, growthBytes: Math.max(most, process.memoryUsage.rss()) - before }
}
