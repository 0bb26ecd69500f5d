import assert from 'node:assert/strict'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { signDetached } from '../../../src/device/firmware/cmsSigning.ts'
import { limits } from '../../../src/limits.ts'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import type { Storage } from '../../../src/platform/platform.ts'
import { readBundle, stageBundle, verifyBundle } from '../../../src/platform/rauc/bundle.ts'
import { failureFrom } from '../../../src/platform/rauc/lastError.ts'
import type { RaucSlot } from '../../../src/platform/rauc/rauc.ts'
import { installationOf, slotPair } from '../../../src/platform/rauc/raucSlots.ts'
import { ca, pieces, trusting } from '../../device/firmware/workbench.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { run } from '../../support/daemon.ts'
import { lengthOf } from './raucDevice.ts'

const signal = new AbortController().signal

test('what RAUC says about a failure becomes a reason, and the fault of the image or of the device', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['signature verification failed: Verify error: unable to get local issuer certificate', 'ImageError signature'],
    ['signature verification failed: Verify error: certificate has expired', 'ImageError expired'],
    ['signature verification failed: Verify error: certificate is not yet valid', 'ImageError expired'],
    ['signature verification failed: Verify error: certificate revoked', 'ImageError revoked'],
    ['signature verification failed: error:17000084:CMS routines::verification failure', 'ImageError hash'],
    ['Failed mounting bundle: bundle payload is corrupted', 'ImageError hash'],
    ['Invalid bundle format: Signature size (8319403876) exceeds bundle size', 'ImageError truncated'],
    ["Installation error: Compatible mismatch: Expected 'acme-cam-1' but bundle manifest has 'other-cam-9'", 'ImageError compatible'],
    ["Installation error: Source image '/mnt/bundle/rootfs.img' not found", 'ImageError format'],
    ['Installation error: No target slot for class appfs of image app.img found', 'ImageError format'],
    ["Bundle format 'plain' not allowed", 'ImageError format'],
    ['Installation error: Size of image (9) does not fit to slot size 8', 'ImageError nospace'],
    ['Installation error: Failed updating slot rootfs.1: Failed splicing data: No space left on device', 'ImageError nospace'],
    ['Failed mounting bundle: Failed creating mount point: No space left on device', 'BackendError nospace'],
    ["Installation error: Destination device '/dev/mmcblk0p3' not found", 'BackendError io'],
    ['Invalid bundle format: Failed to open bundle for reading: Error opening file /x: No such file or directory', 'BackendError io'],
    ['could not ensure exclusive bundle access (F_SETLEASE): EAGAIN: existing open file descriptor', 'BackendError io'],
    ['Failed mounting bundle: Failed to open /dev/mapper/control: No such file or directory', 'BackendError io'],
    ['Already processing a different method', 'BackendError busy'],
    ['', 'BackendError io'],
  ]
  for (const [text, expected] of texts) {
    const { name, reason, message } = failureFrom(text)
    assert.equal(`${name} ${reason}`, expected, text)
    assert.ok(message.includes(text))
  }
})

/** A squashfs with this length in its superblock, as far as anybody reads it here. */
function squashfs(bytes: number, says = bytes): Buffer {
  const content = Buffer.alloc(bytes, 7)
  content.write('hsqs', 'latin1')
  content.writeBigUInt64LE(BigInt(says), 40)
  return content
}

async function staged(image: Buffer, size = 1_000): Promise<{ storage: SimulatedStorage; bytes: number }> {
  const storage = new SimulatedStorage()
  const bytes = await stageBundle(pieces(image, size), storage, { path: '/b/bundle', bytesMax: 20_000, signal })
  return { storage, bytes }
}

test('a bundle is staged whole, in pieces of any size, and is durable', async () => {
  const image = Buffer.concat([squashfs(8_192), Buffer.alloc(100, 1), lengthOf(Buffer.alloc(100))])
  for (const size of [1, 95, 97, 100_000]) {
    const { storage, bytes } = await staged(image, size)
    assert.equal(bytes, image.length)
    assert.ok(storage.after('lost').content('/b/bundle').equals(image))
    const bundle = await readBundle(storage, '/b/bundle', bytes)
    assert.deepEqual([bundle.contentBytes, bundle.signature], [8_192, Buffer.alloc(100, 1)])
  }
})

test('what is no bundle, or too large a one, is refused before it is written', async () => {
  const storage = new SimulatedStorage()
  const stage = (image: Buffer, bytesMax = 20_000) => stageBundle(pieces(image), storage, { path: '/b/bundle', bytesMax, signal })
  await assert.rejects(stage(Buffer.from('070701 this is a cpio')), { name: 'ImageError', reason: 'format' })
  await assert.rejects(stage(Buffer.from('hs')), { reason: 'truncated' })
  await assert.rejects(stage(squashfs(95, 95)), { reason: 'truncated' })
  await assert.rejects(stage(squashfs(4_096, 20_001)), { reason: 'nospace' })
  assert.equal(await storage.exists('/b/bundle'), false)
  await assert.rejects(stage(squashfs(20_001, 4_096)), { reason: 'nospace' })
})

test('a bundle without a whole signature is told from one that is not signed', async () => {
  const content = squashfs(8_192, 6_000)
  const read = async (image: Buffer) => {
    const { storage, bytes } = await staged(image)
    return readBundle(storage, '/b/bundle', bytes)
  }
  await assert.rejects(read(content), { reason: 'signature' })
  await assert.rejects(read(content.subarray(0, 6_000)), { reason: 'signature' })
  await assert.rejects(read(content.subarray(0, 5_000)), { reason: 'truncated' })
  await assert.rejects(read(Buffer.concat([content, Buffer.alloc(8)])), { reason: 'truncated' }, 'of no bytes')
  await assert.rejects(read(Buffer.concat([content, Buffer.alloc(300, 255)])), { reason: 'truncated' }, 'longer than all')
  await assert.rejects(read(Buffer.concat([content, lengthOf(Buffer.alloc(2_300))])), { reason: 'truncated' }, 'within the squashfs')
  await assert.rejects(read(Buffer.concat([content, Buffer.alloc(400, 3), lengthOf(Buffer.alloc(65_537))])), { reason: 'truncated' })
})

test('trap 6: a plain bundle of 2 GiB and more is refused, and nobody reads it', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'onvifd-large-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'bundle')
  const signer = { keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }
  const signature = signDetached(Buffer.from('something else'), [signer], new Date())
  const contentBytes = limits.raucPlainBytesMax
  const handle = await open(path, 'w')
  await handle.write(squashfs(96, contentBytes), 0, 96, 0)
  const tail = Buffer.concat([signature, lengthOf(signature)])
  await handle.write(tail, 0, tail.length, contentBytes)
  await handle.close()
  let reads = 0
  const files = createFileStorage()
  const storage: Storage = {
    ...files,
    read(...order) {
      reads += 1
      return files.read(...order)
    },
  }
  const bundle = await readBundle(storage, path, contentBytes + tail.length)
  reads = 0
  const device = { trust: await trusting(ca.caPem)(), now: new Date(), plain: true }
  await assert.rejects(verifyBundle(storage, bundle, device), { name: 'ImageError', reason: 'format', message: /2147483648/ })
  assert.equal(reads, 0)
  const broken = { ...storage, read: async () => assert.fail('it is read') }
  const smaller = { ...bundle, contentBytes: contentBytes - 1 }
  await assert.rejects(verifyBundle(broken, smaller, device), { message: 'it is read' })
  await assert.rejects(verifyBundle(storage, { ...bundle, contentBytes: 4_096 }, device), { reason: 'hash' }, 'a smaller one is read')
})

const slot = (name: string, change: Partial<RaucSlot> = {}): RaucSlot => ({
  name,
  class: 'rootfs',
  bootname: name === 'rootfs.0' ? 'A' : 'B',
  isBooted: name === 'rootfs.0',
  isBootable: true,
  isComplete: true,
  version: '1.0.0',
  sha256: undefined,
  installedAt: undefined,
  installedCount: undefined,
  ...change,
})

test('which slot is confirmed, with our memory and without', () => {
  const [old, recent] = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z']
  const rows: readonly (readonly [string, Partial<RaucSlot>, Partial<RaucSlot>, string | undefined, 'A' | 'B'])[] = [
    ['factory', {}, { isBootable: false, isComplete: false }, undefined, 'A'],
    ['lost, only this one was installed', { installedAt: recent }, {}, undefined, 'B'],
    ['lost, this one was installed later', { installedAt: recent }, { installedAt: old }, undefined, 'B'],
    ['lost, later, but there is no way back', { installedAt: recent }, { installedAt: old, isBootable: false }, undefined, 'A'],
    ['lost, the other one was installed later', { installedAt: old }, { installedAt: recent }, undefined, 'A'],
    ['remembered', { installedAt: recent }, { installedAt: old }, ` ${recent}`, 'A'],
    ['remembered, written anew since', { installedAt: recent }, { installedAt: old }, ` ${old}`, 'B'],
    ['remembered, written anew, no way back', { installedAt: recent }, { isBootable: false }, ` ${old}`, 'A'],
    ['remembered, and RAUC has lost its data', {}, {}, ` ${old}`, 'A'],
  ]
  for (const [name, running, other, installation, expected] of rows) {
    const slots = [slot('rootfs.1', other), slot('rootfs.0', running)]
    const confirmed = installation === undefined ? undefined : { slot: 'A', installation }
    assert.equal(slotPair(slots, 'rootfs.0', { confirmed, trial: undefined }).confirmed.bootname, expected, name)
  }
  const memory = { confirmed: { slot: 'B', installation: undefined }, trial: undefined }
  assert.equal(slotPair([slot('rootfs.0'), slot('rootfs.1')], undefined, memory).confirmed.bootname, 'B')
  assert.equal(installationOf(slot('rootfs.0')), undefined)
})

test('a machine that has not exactly two slots to boot from is refused, and others of its slots do not count', () => {
  const memory = { confirmed: undefined, trial: undefined }
  const app = slot('appfs.0', { class: 'appfs', bootname: undefined, isBooted: false })
  const pair = slotPair([app, slot('rootfs.0'), slot('rootfs.1')], 'rootfs.1', memory)
  assert.deepEqual([pair.running.name, pair.other.name, pair.next?.name], ['rootfs.0', 'rootfs.1', 'rootfs.1'])
  assert.equal(slotPair([slot('rootfs.0'), slot('rootfs.1')], undefined, memory).next, undefined)
  for (const slots of [[], [slot('rootfs.0')], [slot('rootfs.1')], [slot('rootfs.0'), slot('rootfs.1'), slot('rootfs.2')]])
    assert.throws(() => slotPair(slots, 'rootfs.0', memory), { name: 'BackendError', reason: 'io' })
})

test('without the package for D-Bus the engine says which one to install', async () => {
  const script = `
    import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) {
      if (name.includes('dbus-next')) throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(name, context)
    } })
    const { raucProbe } = await import(${JSON.stringify(new URL('../../../src/platform/rauc/raucEngine.ts', import.meta.url).href)})
    console.log(JSON.stringify(await raucProbe({ bus: 'system', clock: { after: () => () => {} } })))`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script])
  assert.match(stdout, /"usable":false.*npm install @jellybrick\/dbus-next/, stderr)
})
