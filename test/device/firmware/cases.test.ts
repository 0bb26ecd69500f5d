import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe as group, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { admitHead, type Trust } from '../../../src/device/firmware/image.ts'
import type { Downgrade, Installed } from '../../../src/device/firmware/policy.ts'
import { openSwu } from '../../../src/device/firmware/swu.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import { loadBootRecord } from '../../../src/platform/slots/bootRecord.ts'
import { testClock } from '../../auth/support.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import {
  certificate,
  describe,
  type KeyType,
  lacksTools,
  leafExtensions,
  makeCertificate,
  makeCrl,
  makeRoot,
  makeSwu,
  type SwuOrder,
} from './openssl.ts'
import { board, folder, pieces, start, trusting } from './workbench.ts'

const payload = randomBytes(3_000)
const day = 86_400_000

/** Installs on a new device. Of a refusal: what it says, and which operations wrote anything before it. */
async function install(image: Buffer, now = Date.now()) {
  const storage = new SimulatedStorage()
  const { backend } = await start(storage, testClock(now), { trust: certificate('root') })
  const before = await loadBootRecord(storage, folder)
  storage.journal.length = 0
  const context = { transaction: 'T', signal: new AbortController().signal, onHead() {}, onProgress() {}, async beforeActivation() {} }
  const verdict = await backend.install(pieces(image, 700), context).then(() => 'accepted', refused)
  const written = storage.journal.filter(([operation]) => operation !== 'read')
  const { transaction: _, ...after } = (await loadBootRecord(storage, folder)) ?? assert.fail('no boot record')
  if (verdict !== 'accepted') assert.deepEqual({ ...after, transaction: undefined }, before, 'the old image is as it was')
  return { verdict, written }
}

/** What the head of an image comes to on a device with this trust, and with this installed. */
async function admit(
  order: Partial<SwuOrder>,
  device: { trust?: Partial<Trust>; installed?: Partial<Installed>; downgrade?: Downgrade } = {},
): Promise<string> {
  const trust = { ...(await trusting(certificate('root'))()), ...device.trust }
  const installed = { version: '1.0.0', securityEpoch: 0, ...device.installed }
  const swu = await openSwu(pieces(makeSwu({ payload, ...order })))
  const rest = { board, copy: 'copy-b', ...(device.downgrade && { downgrade: device.downgrade }) } as const
  return admitHead(swu, { trust: async () => trust, now: new Date(), installed, ...rest }).then(() => 'accepted', refused)
}

function refused(error: unknown): string {
  if (error instanceof ImageError) return `${error.reason} ${error.message}`
  throw error
}

group('fault cases of images', { skip: lacksTools }, () => {
  before(() => {
    makeRoot('root')
    makeRoot('foreign')
    makeCertificate('leaf', 'root')
    makeCertificate('foreignLeaf', 'foreign')
    makeCertificate('shortLeaf', 'root', leafExtensions, 'P-256', 2)
  })

  const keyed = (name: string, type: KeyType): Partial<SwuOrder> => {
    makeCertificate(name, 'root', leafExtensions, type)
    return { signers: [name] }
  }
  const changed = (change: Parameters<typeof describe>[0]): Partial<SwuOrder> => ({ description: describe(change) })
  const version = (text: string, own: object = {}) =>
    changed(software => ({ ...software, version: text, 'x-onvif': { compatible: [board.name], ...own } }))

  test('case 27: a payload that is not what was signed', async () => {
    const flip = (work: string): void => {
      const path = join(work, 'rootfs.img')
      const bytes = readFileSync(path)
      bytes.writeUInt8(bytes.readUInt8(1_000) ^ 1, 1_000)
      writeFileSync(path, bytes)
    }
    assert.match((await install(makeSwu({ payload, tamper: flip }))).verdict, /^hash /)
    assert.match(
      (await install(makeSwu({ payload, tamper: work => writeFileSync(join(work, 'rootfs.img'), payload.subarray(1)) }))).verdict,
      /^hash /,
    )
  })

  test('case 28: a signer of another CA, before anything is written', async () => {
    const { verdict, written } = await install(makeSwu({ payload, signers: ['foreignLeaf'] }))
    assert.match(verdict, /^signature .*does not lead to a trusted CA/)
    assert.deepEqual(written, [])
  })

  test('case 29: a certificate that has ended, by a clock that is right', async () => {
    const swu = makeSwu({ payload, signers: ['shortLeaf'] })
    assert.equal((await install(swu)).verdict, 'accepted')
    const { verdict, written } = await install(swu, Date.now() + 3 * day)
    assert.match(verdict, /^expired .*CN=shortLeaf/)
    assert.deepEqual(written, [])
  })

  test('case 31: a signer that was revoked', async () => {
    assert.equal(await admit({}, { trust: { revocations: makeCrl('root') } }), 'accepted')
    assert.match(await admit({}, { trust: { revocations: makeCrl('root', ['leaf']) } }), /^revoked .*CN=leaf/)
  })

  test('case 32: a signature that is missing or too weak', async () => {
    const unsigned = { files: ['sw-description', 'rootfs.img'] }
    const critical = () => {
      makeCertificate('odd', 'root', [...leafExtensions, '1.2.3.4=critical,ASN1:UTF8String:x'])
      return { signers: ['odd'] }
    }
    for (const [order, says] of [
      [unsigned, /^signature .*not signed/],
      [{ signing: ['-md', 'sha256', '-noattr'] }, /^signature .*no signed attributes/],
      [{ signing: ['-md', 'sha1'] }, /^signature .*digest/],
      [keyed('weak', 'rsa:1024'), /^signature .*1024 bits/],
      [critical(), /^signature .*unknown critical extension/],
    ] as const) {
      const { verdict, written } = await install(makeSwu({ payload, ...order }))
      assert.match(verdict, says)
      assert.deepEqual(written, [])
    }
  })

  test('case 33: an older version, a lower epoch, the version that runs', async () => {
    assert.match(await admit(version('0.9.9')), /^version .*older/)
    assert.match(await admit(version('2.0.0', { securityEpoch: 3 }), { installed: { securityEpoch: 4 } }), /^epoch /)
    assert.match(await admit(version('2.0.0'), { installed: { securityEpoch: 1 }, downgrade: 'allow' }), /^epoch /)
    assert.equal(await admit(version('1.0.0')), 'accepted')
    assert.equal(await admit(version('0.9.9'), { downgrade: 'allow' }), 'accepted')
    assert.match(await admit(version('0.9.9'), { downgrade: 'signed' }), /^version /)
    assert.equal(await admit(version('0.9.9', { allowDowngrade: true }), { downgrade: 'signed' }), 'accepted')
    assert.match(await admit(version('0.9.9', { allowDowngrade: true })), /^version /)
  })

  test('case 34: another board, or another revision of it', async () => {
    assert.match(await admit(version('1.1.0', { compatible: ['other'] })), /^compatible /)
    assert.match(await admit(changed(software => ({ ...software, 'hardware-compatibility': ['2.0'] }))), /^compatible /)
  })

  test('case 33 and 34 with a description in libconfig', async () => {
    const libconfig = (text: string, revision: string) => (sha256: string) =>
      `software = {
      version = "${text}"; hardware-compatibility : [ "${revision}" ];
      images : ( { filename = "rootfs.img"; type = "raw"; sha256 = "${sha256}"; } ); }`
    assert.equal((await install(makeSwu({ payload, description: libconfig('1.1.0', '1.0') }))).verdict, 'accepted')
    assert.match((await install(makeSwu({ payload, description: libconfig('0.1.0', '1.0') }))).verdict, /^version /)
    assert.match((await install(makeSwu({ payload, description: libconfig('1.1.0', '2.0') }))).verdict, /^compatible /)
  })
})

test('case 35: hostile images end within a second, in 32 MiB', { timeout: 60_000 }, t => {
  const script = fileURLToPath(new URL('./hostileImages.ts', import.meta.url))
  const results: { title: string; verdict: string; ms: number; growthBytes: number }[] = JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' }),
  )
  assert.equal(results.length, 9)
  for (const { title, verdict, ms, growthBytes } of results) {
    t.diagnostic(`${title}: ${verdict}, ${ms.toFixed(1)} ms, ${(growthBytes / 1e6).toFixed(1)} MB`)
    assert.match(verdict, /^(format|truncated|signature|nospace|hash)$/, title)
    assert.ok(ms < 1_000, `${title}: ${ms} ms`)
    assert.ok(growthBytes < 33_554_432, `${title}: ${growthBytes} bytes`)
  }
})
