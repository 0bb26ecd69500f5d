import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe as group, test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { ImageError } from '../../../src/platform/platform.ts'
import { loadBootRecord, slotFile } from '../../../src/platform/slots/bootRecord.ts'
import { testClock } from '../../auth/support.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import {
  authorityExtensions,
  certificate,
  describe,
  type KeyType,
  lacksTools,
  leafExtensions,
  makeCertificate,
  makeRoot,
  makeSwu,
  type SwuOrder,
} from './openssl.ts'
import { folder, pieces, start } from './workbench.ts'

const payload = randomBytes(3_000)
const now = () => testClock(Date.now())

/** Sends an image to a new device; the answer of the refusal, or undefined and then the slot holds the payload. */
async function install(image: Buffer, clock = now()): Promise<string | undefined> {
  const storage = new SimulatedStorage()
  const { backend } = await start(storage, clock, { trust: certificate('root') })
  const before = await loadBootRecord(storage, folder)
  const context = { transaction: 'T', signal: new AbortController().signal, onHead() {}, onProgress() {}, async beforeActivation() {} }
  try {
    const { target } = await backend.install(pieces(image, 700), context)
    assert.equal(target, 'B')
    assert.deepEqual(storage.content(slotFile(folder, 'B')), payload)
    return undefined
  } catch (error) {
    assert.ok(error instanceof ImageError, String(error))
    // What boots, and what counts as installed, is as before; only a payload that came in was void for a while.
    const { transaction, ...after } = (await loadBootRecord(storage, folder)) ?? assert.fail('no boot record')
    assert.deepEqual({ ...after, transaction: undefined }, before)
    assert.equal(await backend.slots().then(slots => slots.find(({ next }) => next)?.id), 'A')
    return `${error.reason} ${error.message}`
  }
}

group('images made with cpio and openssl', { skip: lacksTools }, () => {
  before(() => {
    makeRoot('root')
    makeCertificate('leaf', 'root', [...leafExtensions.slice(0, 1), 'extendedKeyUsage=codeSigning,emailProtection'], 'rsa:2048')
    makeCertificate('ecLeaf', 'root')
    makeCertificate('intermediate', 'root', authorityExtensions)
    makeCertificate('deepLeaf', 'intermediate')
    makeRoot('foreign')
    makeCertificate('foreignLeaf', 'foreign')
  })

  /** By a leaf under so many CAs that the path to the root has this length. */
  const longPath = (name: string, length: number) => {
    const authorities = Array.from({ length: length - 2 }, (_, index) => `${name}-ca${index}`)
    authorities.forEach((each, index) => {
      makeCertificate(each, authorities[index - 1] ?? 'root', authorityExtensions)
    })
    makeCertificate(name, authorities.at(-1) ?? 'root')
    return { signers: [name], along: authorities }
  }
  const accepted: Readonly<Record<string, () => Partial<SwuOrder>>> = {
    'as in the README': () => ({}),
    'with cpio -H newc': () => ({ format: 'newc' }),
    'without x-onvif': () => ({ description: describe(({ 'x-onvif': _, ...software }) => software) }),
    'without hardware-compatibility': () => ({ description: describe(({ 'hardware-compatibility': _, ...software }) => software) }),
    'without properties': () => ({
      description: describe((software, image) => {
        const { properties: _, ...bare } = image('/dev/slot-b')
        return { ...software, stable: { 'copy-b': { images: [bare] } } }
      }),
    }),
    'with software.images': () => ({
      description: describe(({ stable: _, ...software }, image) => ({ ...software, images: [image('/dev/x')] })),
    }),
    'with the running version': () => ({ description: describe(software => ({ ...software, version: '1.0.0' })) }),
    'with an upper-case digest': () => ({ description: digest => describe()(digest.toUpperCase()) }),
    'by an EC P-256 leaf': () => ({ signers: ['ecLeaf'] }),
    'by an EC P-384 leaf with SHA-384': () => {
      makeCertificate('p384', 'root', leafExtensions, 'P-384')
      return { signers: ['p384'], signing: ['-md', 'sha384'] }
    },
    'with RSASSA-PSS': () => ({ signing: ['-md', 'sha256', '-keyopt', 'rsa_padding_mode:pss'] }),
    'with the signer named by its key': () => ({ signers: ['ecLeaf'], signing: ['-md', 'sha256', '-keyid'] }),
    'through an intermediate in the CMS': () => ({ signers: ['deepLeaf'], along: ['intermediate'] }),
    'through as many as certificatePathMax': () => longPath('longest', limits.certificatePathMax),
    'by two signers': () => ({ signers: ['leaf', 'ecLeaf'] }),
    'with other files in it': () => ({
      tamper: work => writeFileSync(join(work, 'more'), 'more'),
      files: ['sw-description', 'sw-description.sig', 'more', 'rootfs.img'],
    }),
  }
  for (const [title, order] of Object.entries(accepted)) {
    test(`accepted ${title}`, async () => {
      assert.equal(await install(makeSwu({ payload, ...order() })), undefined)
    })
  }

  const extended = (name: string, extensions: readonly string[], issuer = 'root') => {
    makeCertificate(name, issuer, extensions)
    return { signers: [name] }
  }
  const replace = (file: string, change: (content: Buffer) => Buffer | string) => (work: string) =>
    writeFileSync(join(work, file), change(readFileSync(join(work, file))))
  const changed = (change: Parameters<typeof describe>[0]) => ({ description: describe(change) })

  const extendedAlong = (name: string, issuers: readonly string[]) => {
    makeCertificate(name, issuers[0] ?? 'root')
    return { signers: [name], along: issuers }
  }
  const made = (name: string, issuer: string, extensions: readonly string[]) => {
    makeCertificate(name, issuer, extensions)
    return name
  }
  const keyed = (name: string, type: KeyType) => {
    makeCertificate(name, 'root', leafExtensions, type)
    return { signers: [name] }
  }
  const certSign = 'keyUsage=critical,keyCertSign'
  const onlyImage = (change: Readonly<Record<string, unknown>>, copy = 'copy-b') =>
    changed((software, image) => ({ ...software, stable: { [copy]: { images: [{ ...image('b'), ...change }] } } }))

  const refused: readonly (readonly [title: string, answer: RegExp, order: () => Partial<SwuOrder>])[] = [
    ['signed by a stranger', /^signature .*foreignLeaf does not lead to a trusted CA/, () => ({ signers: ['foreignLeaf'] })],
    ['signed by a stranger beside ours', /^signature .*foreignLeaf does not lead/, () => ({ signers: ['leaf', 'foreignLeaf'] })],
    ['with a changed payload', /^hash /, () => ({ tamper: replace('rootfs.img', content => content.fill(0, 5, 6)) })],
    [
      'with a changed description',
      /^signature .*over another description/,
      () => ({ tamper: replace('sw-description', text => `${text} `) }),
    ],
    ['not signed', /^signature .*not signed/, () => ({ files: ['sw-description', 'rootfs.img'] })],
    ['with an empty signature', /^signature .*no CMS/, () => ({ tamper: replace('sw-description.sig', () => '') })],
    ['with a PEM signature', /^signature .*no CMS/, () => ({ signing: ['-md', 'sha256', '-outform', 'PEM'] })],
    [
      'with something behind the signature',
      /^signature .*no CMS/,
      () => ({ tamper: replace('sw-description.sig', der => Buffer.concat([der, der])) }),
    ],
    ['with the content in the signature', /^signature .*not detached/, () => ({ signing: ['-md', 'sha256', '-nodetach'] })],
    ['without signed attributes', /^signature .*no signed attributes/, () => ({ signing: ['-md', 'sha256', '-noattr'] })],
    ['with SHA-1', /^signature .*digest 1\.3\.14\.3\.2\.26/, () => ({ signing: ['-md', 'sha1'] })],
    ['without certificates', /^signature .*certificate of a signer is missing/, () => ({ signing: ['-md', 'sha256', '-nocerts'] })],
    ['by an RSA key of 1024 bits', /^signature .*1024 bits/, () => keyed('weak', 'rsa:1024')],
    ['by a key on another curve', /^signature .*curve secp256k1/, () => keyed('k1', 'secp256k1')],
    [
      'by a leaf for mail',
      /^signature .*not for code signing/,
      () => extended('mail', ['keyUsage=digitalSignature', 'extendedKeyUsage=emailProtection']),
    ],
    ['by a leaf for nothing', /^signature .*not for code signing/, () => extended('plain', ['keyUsage=digitalSignature'])],
    [
      'by a leaf that may not sign',
      /^signature .*not for signatures/,
      () => extended('cipher', ['keyUsage=keyEncipherment', 'extendedKeyUsage=codeSigning']),
    ],
    ['by a CA', /^signature .*is a CA/, () => extended('ca', [...authorityExtensions, 'extendedKeyUsage=codeSigning'])],
    [
      'with an unknown critical extension',
      /^signature .*critical extension 1\.2\.3\.4/,
      () => extended('odd', [...leafExtensions, '1.2.3.4=critical,ASN1:UTF8String:x']),
    ],
    ['through a missing intermediate', /^signature .*does not lead/, () => ({ signers: ['deepLeaf'] })],
    ['through an intermediate that is no CA', /^signature .*does not lead/, () => extendedAlong('below1', ['leaf'])],
    [
      'through more than certificatePathMax',
      /^signature .*too-long does not lead to a trusted CA within 6/,
      () => longPath('too-long', limits.certificatePathMax + 1),
    ],
    [
      'through an intermediate that may not sign certificates',
      /^signature .*crlOnly may not sign certificates/,
      () => extendedAlong('below2', [made('crlOnly', 'root', ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign'])]),
    ],
    [
      'through an intermediate for other purposes',
      /^signature .*serverCa is a CA for other purposes/,
      () =>
        extendedAlong('below3', [made('serverCa', 'root', ['basicConstraints=critical,CA:TRUE', certSign, 'extendedKeyUsage=serverAuth'])]),
    ],
    [
      'through more CAs than one of them allows',
      /^signature .*short allows 0 CAs below it/,
      () => {
        const short = made('short', 'root', ['basicConstraints=critical,CA:TRUE,pathlen:0', certSign])
        return extendedAlong('below4', [made('tooDeep', short, authorityExtensions), short])
      },
    ],
    [
      'for another revision',
      /^compatible .*2\.0, 3\.0/,
      () => changed(software => ({ ...software, 'hardware-compatibility': ['2.0', '3.0'] })),
    ],
    ['for another board', /^compatible .*other/, () => changed(software => ({ ...software, 'x-onvif': { compatible: ['other'] } }))],
    [
      'for unknown hardware',
      /^compatible .*does not say/,
      () => changed(({ 'x-onvif': _, 'hardware-compatibility': __, ...software }) => software),
    ],
    ['with an older version', /^version .*0\.9\.9 is older than 1\.0\.0/, () => changed(software => ({ ...software, version: '0.9.9' }))],
    ['with a pre-release of the running version', /^version .*older/, () => changed(software => ({ ...software, version: '1.0.0-rc.1' }))],
    [
      'with a version that cannot be compared',
      /^version .*cannot be compared/,
      () => changed(software => ({ ...software, version: 'nightly' })),
    ],
    [
      'that needs a newer version before it',
      /^version .*needs 1\.0\.5/,
      () => changed(software => ({ ...software, 'x-onvif': { compatible: ['onvifd-virtual'], minVersion: '1.0.5' } })),
    ],
    [
      'with a version that breaks the boot record',
      /^format .*printable/,
      () => changed(software => ({ ...software, version: '1.1.0\0CONFIRMED=B' })),
    ],
    ['with scripts', /^format .*scripts/, () => changed(software => ({ ...software, scripts: [{ filename: 'x.sh' }] }))],
    ['with a payload compressed in another way', /^format .*compressed/, () => onlyImage({ compressed: 'zstd' })],
    ['with an encrypted payload', /^format .*encrypted/, () => onlyImage({ encrypted: true })],
    ['with an archive', /^format .*type "archive"/, () => onlyImage({ type: 'archive' })],
    ['for another role', /^format .*role rootfs/, () => onlyImage({ properties: { 'x-role': 'app' } })],
    ['with nothing for this slot', /^format .*nothing for copy-b/, () => onlyImage({}, 'copy-a')],
    ['without the digest of the payload', /^format .*sha256/, () => onlyImage({ sha256: undefined })],
    ['without its payload', /^format .*lacks rootfs\.img/, () => ({ files: ['sw-description', 'sw-description.sig'] })],
    [
      'in another order',
      /^format .*begins with the file sw-description/,
      () => ({ files: ['rootfs.img', 'sw-description', 'sw-description.sig'] }),
    ],
    ['with a description in another language', /^format .*neither JSON nor libconfig/, () => ({ description: () => '<software/>' })],
  ]
  for (const [title, answer, order] of refused) {
    test(`refused ${title}`, async () => {
      assert.match((await install(makeSwu({ payload, ...order() }))) ?? 'accepted', answer)
    })
  }

  test('refused with "expired": outside of the validity of its certificates', async () => {
    const swu = makeSwu({ payload })
    for (const clock of [testClock(Date.UTC(2120, 0, 1)), testClock(0)])
      assert.match((await install(swu, clock)) ?? 'accepted', /^expired /)
  })

  test('refused with "truncated": cut off at any place', async () => {
    const swu = makeSwu({ payload })
    const end = swu.lastIndexOf('TRAILER!!!')
    const seed = Math.trunc(Math.random() * 97)
    console.log(`cut off at every 97th byte from ${seed}`)
    for (let cut = seed; cut < end; cut += 97) assert.match((await install(swu.subarray(0, cut))) ?? 'accepted', /^truncated /, `at ${cut}`)
    assert.match((await install(swu.subarray(0, end + 10))) ?? 'accepted', /^truncated /)
    assert.equal(await install(swu.subarray(0, end + 14)), undefined, 'the padding of the last block may be missing')
  })

  test('an image with one changed byte never installs other bytes', async () => {
    const swu = makeSwu({ payload, signers: ['ecLeaf'] })
    const seed = Math.trunc(Math.random() * 2 ** 31)
    console.log(`${swu.length} bytes, seed ${seed}`)
    let chance = seed
    const random = (below: number) => {
      chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fffffff
      return Math.trunc((chance / 0x80000000) * below)
    }
    const verdicts = new Map<string, number>()
    for (let round = 0; round < 300; round += 1) {
      const mutant = Buffer.from(swu)
      // The head is shorter than the payload, and more interesting.
      const offset = random(round % 2 ? swu.length : swu.indexOf('rootfs.img', swu.indexOf('sw-description.sig')))
      mutant.writeUInt8(mutant.readUInt8(offset) ^ (1 + random(255)), offset)
      // install() compares what the slot holds then.
      const [verdict = ''] = ((await install(mutant)) ?? 'accepted').split(' ')
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
    }
    console.log(Object.fromEntries(verdicts))
    assert.ok((verdicts.get('signature') ?? 0) > 50 && (verdicts.get('hash') ?? 0) > 50)
  })
})
