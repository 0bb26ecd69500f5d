import assert from 'node:assert/strict'
import { randomBytes, X509Certificate } from 'node:crypto'
import { before, describe as group, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { ContentInfo } from '@peculiar/asn1-cms'
import { parseDer, toDer } from '../../../src/device/der.ts'
import { CertificateBytes, readSigners, SignedData } from '../../../src/device/firmware/cms.ts'
import {
  attributesToSign,
  certifiedKey,
  isCms,
  joinSignatures,
  type RawSignature,
  signDetached,
  signingDigestFor,
  takeCms,
} from '../../../src/device/firmware/cmsSigning.ts'
import { makeDevelopmentCa } from '../../../src/device/firmware/developmentCa.ts'
import { inspectImage } from '../../../src/device/firmware/image.ts'
import { buildImage, type Draft, draftImage, packImage } from '../../../src/device/firmware/imageBuilder.ts'
import { openSwu } from '../../../src/device/firmware/swu.ts'
import { limits } from '../../../src/limits.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import {
  authorityExtensions,
  certificate,
  type KeyType,
  key,
  lacksTools,
  leafExtensions,
  makeCertificate,
  makeRoot,
  runOpenssl,
  unpack,
  verifyWithOpenssl,
} from './openssl.ts'
import { board, ca, image, pieces, sha256, trusting } from './workbench.ts'

const payload = randomBytes(200_001)

/** OpenSSL 3.0 can read Ed25519 in a CMS, but not verify it. */
function assertReadable(cms: Buffer): void {
  const text = runOpenssl({ cms }, ['cms', '-cmsout', '-print', '-inform', 'DER', '-in', 'cms']).toString()
  assert.match(text, /algorithm: sha512 \(/)
  assert.match(text, /algorithm: ED25519 \(1\.3\.101\.112\)\s+parameter: <ABSENT>/)
}

group('images made here, read by cpio and openssl', { skip: lacksTools }, () => {
  before(() => {
    makeRoot('root')
    makeCertificate('rsa', 'root', leafExtensions, 'rsa:2048')
    makeCertificate('p384', 'root', leafExtensions, 'P-384')
    makeCertificate('ed', 'root', leafExtensions, 'ed25519')
    makeCertificate('intermediate', 'root', authorityExtensions)
    makeCertificate('deep', 'intermediate')
  })

  for (const [name, chain] of [
    ['rsa', ['rsa']],
    ['p384', ['p384']],
    ['ed', ['ed']],
    ['deep', ['deep', 'intermediate']],
  ] as const) {
    test(`signed by ${chain.join(' and ')}`, async () => {
      const swu = await image(payload, { keyPem: key(name), certificatePem: chain.map(certificate).join('') })
      const file = unpack(swu)
      assert.deepEqual(file('rootfs.img'), payload)
      if (name === 'ed') assertReadable(file('sw-description.sig'))
      else verifyWithOpenssl(file('sw-description.sig'), file('sw-description'), certificate('root'))
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

group('images signed elsewhere, with openssl alone', { skip: lacksTools }, () => {
  const types: Readonly<Record<string, KeyType>> = { rsaAway: 'rsa:2048', p256Away: 'P-256', p384Away: 'P-384', edAway: 'ed25519' }

  before(() => {
    makeRoot('root')
    for (const [name, type] of Object.entries(types)) makeCertificate(name, 'root', leafExtensions, type)
  })

  const draft = async () => draftImage({ version: '1.1.0', board, payload: { name: 'rootfs.img', read: () => pieces(payload) } })

  /** What a key elsewhere makes of the attributes, as `onvifd image build --help` says it. */
  function signElsewhere(name: string, attributes: Buffer): Buffer {
    const input = { 'signer.key': key(name), attributes }
    return types[name] === 'ed25519'
      ? runOpenssl(input, ['pkeyutl', '-sign', '-rawin', '-inkey', 'signer.key', '-in', 'attributes'])
      : runOpenssl(input, ['dgst', '-sha256', '-sign', 'signer.key', 'attributes'])
  }

  const rawSignature = (name: string, content: Buffer): RawSignature => {
    const digest = signingDigestFor(certifiedKey(certificate(name)))
    assert.equal(digest, types[name] === 'ed25519' ? 'sha512' : 'sha256')
    const attributes = attributesToSign(content, digest, new Date())
    return { attributes, signature: signElsewhere(name, attributes), certificatePem: certificate(name) }
  }

  const signersOf = async (made: Draft, cms: Buffer) => {
    const { verified } = await inspectImage(packImage(made, cms), { trust: trusting(certificate('root')) })
    assert.ok(Array.isArray(verified), String(verified))
    return [...verified].sort()
  }

  for (const name of Object.keys(types)) {
    test(`by openssl dgst or pkeyutl with ${types[name]}`, async () => {
      const made = await draft()
      const cms = joinSignatures(made.description, [rawSignature(name, made.description)])
      assert.deepEqual(await signersOf(made, cms), [`CN=${name}`])
      if (types[name] === 'ed25519') assertReadable(cms)
      else verifyWithOpenssl(cms, made.description, certificate('root'))
    })
  }

  test('by openssl cms', async () => {
    const made = await draft()
    const input = { 'signer.key': key('rsaAway'), 'signer.pem': certificate('rsaAway'), content: made.description }
    const args = ['cms', '-sign', '-binary', '-in', 'content', '-signer', 'signer.pem', '-inkey', 'signer.key', '-md', 'sha256']
    const cms = runOpenssl(input, [...args, '-nosmimecap', '-outform', 'DER'])
    assert.ok(isCms(cms))
    assert.ok(!isCms(rawSignature('p256Away', made.description).signature))
    assert.deepEqual(await signersOf(made, takeCms(cms, made.description)), ['CN=rsaAway'])
    assert.throws(() => takeCms(cms, Buffer.from('other')), { reason: 'signature', message: /over another description/ })
  })

  test('by several, of whom each has another kind of key', async () => {
    const made = await draft()
    const all = Object.keys(types).map(name => rawSignature(name, made.description))
    assert.deepEqual(
      await signersOf(made, joinSignatures(made.description, all)),
      Object.keys(types)
        .map(name => `CN=${name}`)
        .sort(),
    )
  })

  test('what came back from somewhere else, or for something else, is not put in', async () => {
    const made = await draft()
    const right = rawSignature('p256Away', made.description)
    const other = rawSignature('p256Away', Buffer.from('another description'))
    for (const [wrong, says] of [
      [{ ...right, signature: rawSignature('p384Away', made.description).signature }, /does not verify/],
      [{ ...right, certificatePem: certificate('rsaAway') }, /does not verify/],
      [other, /over another description/],
      [{ ...right, certificatePem: 'none' }, /no certificate/],
    ] as const)
      assert.throws(() => joinSignatures(made.description, [wrong]), { message: says })
  })
})

test('an image has several files, each with its role, its version and its place', async () => {
  const app = randomBytes(70_000)
  const swu = await image(payload, {
    securityEpoch: 2,
    minVersion: '1.0.0',
    allowDowngrade: true,
    now: new Date('2026-02-03T04:05:06Z'),
    others: [
      { name: 'app.img.gz', role: 'app', version: '3.3.0', gzip: true, read: () => pieces(app), devices: { 'copy-a': '/dev/mmcblk0p5' } },
      { name: 'data.img', role: 'data', read: () => pieces(app) },
    ],
  })
  const { head, description, files } = await inspectImage(pieces(swu), { trust: trusting(ca.caPem), now: new Date('2026-02-04') })
  assert.deepEqual(
    head.payloads.map(({ name, role, version, compression }) => [name, role, version, compression]),
    [
      ['rootfs.img', 'rootfs', '1.1.0', 'none'],
      ['app.img.gz', 'app', '3.3.0', 'gzip'],
      ['data.img', 'data', undefined, 'none'],
    ],
  )
  assert.deepEqual(head.buildTime, new Date('2026-02-03T04:05:06Z'))
  assert.deepEqual([description.minVersion, description.allowDowngrade], ['1.0.0', true])
  const swupdate: unknown = JSON.parse(String((await openSwu(pieces(swu))).description))
  const devices = [...JSON.stringify(swupdate).matchAll(/"device":"([^"]+)"/g)].map(([, device]) => device)
  assert.deepEqual(devices, ['/dev/slot-a', '/dev/mmcblk0p5', '/dev/data-a', '/dev/slot-b', '/dev/app-b', '/dev/data-b'])

  const contents = await filesOf(swu)
  assert.deepEqual(gunzipSync(contents.get('app.img.gz') ?? ''), app)
  assert.deepEqual(contents.get('data.img'), app)
  assert.equal(sha256(contents.get('app.img.gz') ?? Buffer.alloc(0)), head.payloads[1]?.sha256, 'of the file as it stands in the image')
  assert.equal(files.length, 3)
  await assert.rejects(image(payload, { others: [{ name: 'b', read: () => pieces(app) }] }), { reason: 'format', message: /same role/ })
})

test('a compressed file that cannot be read spoils the image', async () => {
  const read = async function* () {
    yield Buffer.from('some')
    throw new Error('the disk failed')
  }
  await assert.rejects(image(payload, { payload: { name: 'rootfs.img.gz', gzip: true, read } }), /the disk failed/)
})

async function filesOf(swu: Buffer): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const opened = await openSwu(pieces(swu))
  for (let entry = await opened.next(); entry; entry = await opened.next())
    files.set(entry.name, Buffer.concat(await Array.fromAsync(entry.content())))
  return files
}

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
  const nothing = { name: 'rootfs.img.gz', gzip: true, read: () => pieces(Buffer.alloc(0)) }
  await assert.rejects(image(payload, { payload: nothing }), /is empty/)
  await assert.rejects(image(payload, { certificatePem: 'nothing' }), /no certificate/)
})

test('beyond imageCertificatesMax a signature is neither made nor taken', async () => {
  const content = Buffer.from('a description')
  const pairs = await Promise.all(Array.from({ length: limits.imageCertificatesMax / 2 }, () => makeDevelopmentCa(new Date())))
  const [surplus = assert.fail(), ...others] = [...pairs.flatMap(pair => [pair.caPem, pair.signerPem])]
  const signed = (along: readonly string[]) =>
    signDetached(content, [{ keyPem: ca.signerKeyPem, certificatePem: [ca.signerPem, ...along].join('') }], new Date())
  const tooMany = { name: 'ImageError', reason: 'signature', message: new RegExp(`: ${limits.imageCertificatesMax + 1} certificates$`) }
  assert.throws(() => signed([...others, surplus]), tooMany)

  const cms = signed(others)
  assert.equal(readSigners(cms, content).certificates.length, limits.imageCertificatesMax)
  const data = parseDer(parseDer(cms, ContentInfo).content, SignedData)
  data.certificates = new CertificateBytes([...(data.certificates ?? []), new Uint8Array(new X509Certificate(surplus).raw).buffer])
  const fuller = toDer(new ContentInfo({ contentType: '1.2.840.113549.1.7.2', content: new Uint8Array(toDer(data)).buffer }))
  assert.throws(() => readSigners(fuller, content), tooMany)
})

test('a payload that changes while it is read spoils the image', async () => {
  let reading = 0
  const source = { name: 'rootfs.img', read: () => pieces(Buffer.alloc(1_000, reading++)) }
  const order = { version: '1.1.0', board, payload: source, keyPem: ca.signerKeyPem, certificatePem: ca.signerPem }
  await assert.rejects(Array.fromAsync(buildImage(order)), /changed while it was read/)
})
