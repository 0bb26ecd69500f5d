import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '../../src/client/onvifClient.ts'
import { certificate, describe, lacksTools, makeCertificate, makeRoot, makeSwu } from '../device/firmware/openssl.ts'
import { admin, curlUpload, eventually, startDaemon, temporaryFolder } from '../support/daemon.ts'

const payload = randomBytes(200_000)

test('a device takes what openssl and cpio make, and nothing that is not right', { skip: lacksTools }, async t => {
  const folder = await temporaryFolder(t)
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, makeRoot('root'))
  makeCertificate('leaf', 'root')
  makeRoot('stranger')
  makeCertificate('foreign', 'stranger')
  const device = await startDaemon(t, ['--firmware-ca', ca])
  const client = connect(device.url, { user: admin.name, password: admin.password })
  const upload = async (image: Buffer) => {
    const file = join(folder, 'image.swu')
    writeFileSync(file, image)
    return curlUpload((await client.call('StartFirmwareUpgrade', {})).UploadUri, file)
  }
  const good = makeSwu({ payload })
  const change = (name: string, edit: (bytes: Buffer) => Buffer) => (work: string) =>
    writeFileSync(join(work, name), edit(readFileSync(join(work, name))))

  const refused: readonly (readonly [what: string, reason: string, image: () => Buffer])[] = [
    ['a foreign signer', 'signature', () => makeSwu({ payload, signers: ['foreign'] })],
    ['a changed payload', 'hash', () => makeSwu({ payload, tamper: change('rootfs.img', bytes => bytes.fill(0, 1000, 1010)) })],
    [
      'a changed description',
      'signature',
      () =>
        makeSwu({
          payload,
          tamper: change('sw-description', bytes => Buffer.from(bytes.toString().replace('test firmware', 'best firmware'))),
        }),
    ],
    ['no signature', 'signature', () => makeSwu({ payload, files: ['sw-description', 'rootfs.img'] })],
    [
      'the wrong hardware',
      'compatible',
      () => makeSwu({ payload, description: describe(software => ({ ...software, 'hardware-compatibility': ['9.9'] })) }),
    ],
    ['an older version', 'version', () => makeSwu({ payload, description: describe(software => ({ ...software, version: '0.9.0' })) })],
    ['a cut-off end', 'truncated', () => good.subarray(0, good.length - 50_000)],
    ['something else', 'format', () => randomBytes(10_000)],
  ]
  const slots = () =>
    ['slot-a.img', 'slot-b.img', 'env0.bin', 'env1.bin'].map(name => readFileSync(join(device.state, 'slots', name)).toString('base64'))
  for (const [what, reason, image] of refused) {
    await t.test(`${what} is refused as ${reason}`, async () => {
      const before = slots()
      const { status, body } = await upload(image())
      assert.equal(status, '415', body)
      assert.equal(body.split(' ')[0], reason, body)
      assert.equal((await client.call('GetDeviceInformation', {})).FirmwareVersion, '1.0.0')
      // What is known from the head is refused before anything is written; the rest is found out in the slot that does not run.
      const isLate = reason === 'hash' || reason === 'truncated'
      assert.deepEqual(slots().slice(0, isLate ? 1 : 4), before.slice(0, isLate ? 1 : 4))
    })
  }

  await t.test('the right image is accepted afterwards', async () => {
    assert.ok(certificate('leaf').includes('BEGIN CERTIFICATE'))
    const { status, body } = await upload(good)
    assert.equal(status, '200', body)
    await eventually(async () => assert.equal((await client.call('GetDeviceInformation', {})).FirmwareVersion, '1.1.0'))
  })
})
