import assert from 'node:assert/strict'
import { randomBytes, X509Certificate } from 'node:crypto'
import { before, describe as group, test } from 'node:test'
import { inspectImage } from '../../../src/device/firmware/image.ts'
import { buildImage } from '../../../src/device/firmware/imageBuilder.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import {
  authorityExtensions,
  certificate,
  key,
  lacksTools,
  leafExtensions,
  makeCertificate,
  makeRoot,
  unpack,
  verifyWithOpenssl,
} from './openssl.ts'
import { board, ca, image, pieces, trusting } from './workbench.ts'

const payload = randomBytes(200_001)

group('images made here, read by cpio and openssl', { skip: lacksTools }, () => {
  before(() => {
    makeRoot('root')
    makeCertificate('rsa', 'root', leafExtensions, 'rsa:2048')
    makeCertificate('p384', 'root', leafExtensions, 'P-384')
    makeCertificate('intermediate', 'root', authorityExtensions)
    makeCertificate('deep', 'intermediate')
  })

  for (const [name, chain] of [
    ['rsa', ['rsa']],
    ['p384', ['p384']],
    ['deep', ['deep', 'intermediate']],
  ] as const) {
    test(`signed by ${chain.join(' and ')}`, async () => {
      const swu = await image(payload, { keyPem: key(name), certificatePem: chain.map(certificate).join('') })
      const file = unpack(swu)
      assert.deepEqual(file('rootfs.img'), payload)
      verifyWithOpenssl(file('sw-description.sig'), file('sw-description'), certificate('root'))
      assert.throws(() => verifyWithOpenssl(file('sw-description.sig'), Buffer.from('other'), certificate('root')))
      const { verified } = await inspectImage(pieces(swu), { trust: trusting(certificate('root')) })
      assert.deepEqual(verified, [`CN=${name}`])
    })
  }

  test('by the development CA', async () => {
    const file = unpack(await image(payload))
    verifyWithOpenssl(file('sw-description.sig'), file('sw-description'), ca.caPem)
    assert.deepEqual(new X509Certificate(ca.signerPem).keyUsage, ['1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.4'])
    assert.ok(new X509Certificate(ca.caPem).ca)
  })

  test('a key of another certificate, and a weak one, are refused', async () => {
    await assert.rejects(image(payload, { keyPem: key('rsa'), certificatePem: certificate('p384') }), /does not belong/)
    makeCertificate('weak', 'root', leafExtensions, 'rsa:1024')
    await assert.rejects(image(payload, { keyPem: key('weak'), certificatePem: certificate('weak') }), /refuse an RSA key of 1024 bits/)
  })
})

test('an image says what it is', async () => {
  const swu = await image(payload, { version: '2.0.0-rc.1', description: 'a test', securityEpoch: 3 })
  assert.equal(swu.length % 512, 0)
  const { head, files, verified } = await inspectImage(pieces(swu))
  assert.deepEqual([head.version, head.description, head.securityEpoch, head.signers], ['2.0.0-rc.1', 'a test', 3, []])
  assert.deepEqual(files, [{ name: 'rootfs.img', sizeBytes: payload.length }])
  assert.equal(verified, undefined, 'nobody asked')
  const { verified: doubted } = await inspectImage(pieces(swu), { trust: trusting(ca.caPem), now: new Date(0) })
  assert.ok(doubted instanceof ImageError && doubted.reason === 'expired')
})

test('an inspection compares the digests', async () => {
  const swu = await image(payload)
  swu.writeUInt8(swu.readUInt8(100_000) ^ 1, 100_000)
  await assert.rejects(inspectImage(pieces(swu)), { reason: 'hash' })
})

test('what no device would take is not made', async () => {
  await assert.rejects(image(payload, { version: 'one two' }), { reason: 'format' })
  await assert.rejects(image(Buffer.alloc(0)), /is empty/)
  await assert.rejects(image(payload, { certificatePem: 'nothing' }), /no certificate/)
})

test('a payload that changes while it is read spoils the image', async () => {
  let reading = 0
  const source = { name: 'rootfs.img', read: () => pieces(Buffer.alloc(1_000, reading++)) }
  const order = { version: '1.1.0', board, payload: source, keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }
  await assert.rejects(Array.fromAsync(buildImage(order)), /changed while it was read/)
})
