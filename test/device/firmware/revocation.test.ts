import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { before, describe as group, test } from 'node:test'
import type { Attribute } from '@peculiar/asn1-cms'
import { parseDer } from '../../../src/device/der.ts'
import { AttributeSet, signedAttributesDer, verifyDetached } from '../../../src/device/firmware/cms.ts'
import { attributesToSign, joinSignatures } from '../../../src/device/firmware/cmsSigning.ts'
import { type Trust, verifyHead } from '../../../src/device/firmware/image.ts'
import { openSwu } from '../../../src/device/firmware/swu.ts'
import { limits } from '../../../src/limits.ts'
import { BackendError, ImageError } from '../../../src/platform/platform.ts'
import { padCrl } from '../../support/identities.ts'
import {
  authorityExtensions,
  certificate,
  key,
  lacksTools,
  leafExtensions,
  makeCertificate,
  makeCrl,
  makeRoot,
  makeSwu,
  type SwuOrder,
} from './openssl.ts'
import { image, pieces, trusting } from './workbench.ts'

const payload = Buffer.from('root file system')
const signingTime = '1.2.840.113549.1.9.5'
const day = 86_400_000
const inDays = (days: number): Date => new Date(Date.now() + days * day)

/** What a device says of an image: the reason, or the names of its signers. */
async function judge(order: Partial<SwuOrder> | Buffer, trust: Partial<Trust>, now = new Date()): Promise<string> {
  const base = await trusting(certificate('root'))()
  try {
    const swu = await openSwu(pieces(Buffer.isBuffer(order) ? order : makeSwu({ payload, ...order })))
    const { signers } = await verifyHead(swu, async () => ({ ...base, ...trust }), now)
    return [...signers].sort().join(' ')
  } catch (error) {
    assert.ok(error instanceof ImageError || error instanceof BackendError, String(error))
    return `${error.name} ${error.reason} ${error.message}`
  }
}

const derOf = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----[^-]*-----/g, ''), 'base64')
const pemOf = (der: Buffer): string => `-----BEGIN X509 CRL-----\n${der.toString('base64')}\n-----END X509 CRL-----\n`

group('trust', { skip: lacksTools }, () => {
  const signsLists = [...authorityExtensions.slice(0, 1), 'keyUsage=critical,keyCertSign,cRLSign']

  before(() => {
    makeRoot('root')
    makeRoot('foreign')
    makeCertificate('leaf', 'root')
    makeCertificate('second', 'root')
    makeCertificate('middle', 'root', signsLists)
    makeCertificate('mute', 'root', authorityExtensions)
    makeCertificate('deepLeaf', 'middle')
    makeCertificate('muteLeaf', 'mute')
    makeCertificate('shortLeaf', 'root', leafExtensions, 'P-256', 30)
  })

  const deep = { signers: ['deepLeaf'], along: ['middle'] }

  test('a list names a signer, or a CA between it and the root', async () => {
    assert.match(await judge({}, { revocations: makeCrl('root', ['leaf']) }), /^ImageError revoked .*CN=leaf has been revoked/)
    assert.match(await judge(deep, { revocations: makeCrl('root', ['middle']) }), /^ImageError revoked .*CN=middle/)
    assert.match(await judge(deep, { revocations: makeCrl('middle', ['deepLeaf']) }), /^ImageError revoked .*CN=deepLeaf/)
    const both = `${makeCrl('root')}${makeCrl('middle', ['deepLeaf'])}`
    assert.match(await judge(deep, { revocations: both }), /^ImageError revoked .*CN=deepLeaf/)
    assert.match(await judge({ signers: ['second', 'leaf'] }, { revocations: makeCrl('root', ['leaf']) }), /^ImageError revoked .*CN=leaf/)
  })

  test('a list that names others does no harm, nor does one of a CA that is not asked', async () => {
    assert.equal(await judge({}, { revocations: makeCrl('root', ['second', 'middle']) }), 'CN=leaf')
    assert.equal(await judge({}, { revocations: makeCrl('foreign', ['leaf']) }), 'CN=leaf')
    assert.equal(await judge(deep, { revocations: makeCrl('root') }), 'CN=deepLeaf', 'the CA between has no list')
  })

  test('an entry in an old list counts; a list that has ended vouches for nobody', async () => {
    const old = { from: inDays(-30), until: inDays(-2) }
    assert.match(await judge({}, { revocations: makeCrl('root', [], old) }), /^ImageError expired .*list for CN=leaf has ended/)
    assert.match(await judge({}, { revocations: makeCrl('root', ['leaf'], old) }), /^ImageError revoked /)
    assert.match(await judge({}, { revocations: `${makeCrl('root', ['leaf'], old)}${makeCrl('root')}` }), /^ImageError revoked /)
    assert.equal(await judge({}, { revocations: `${makeCrl('root', [], old)}${makeCrl('root')}` }), 'CN=leaf')
  })

  test('a list from the future says that the clock is wrong', async () => {
    const coming = { from: inDays(2), until: inDays(9) }
    assert.match(await judge({}, { revocations: makeCrl('root', [], coming) }), /^ImageError expired .*clock of this device is wrong/)
    assert.match(await judge({}, { revocations: makeCrl('root', ['leaf'], coming) }), /^ImageError revoked /)
  })

  test('a list in the name of a CA that is not by its key is refused', async () => {
    const genuine = makeCrl('root')
    const der = derOf(genuine)
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1)
    const forged = pemOf(der)
    assert.match(await judge({}, { revocations: forged }), /^ImageError signature .*not signed by its key/)
    assert.equal(await judge({}, { revocations: `${forged}${genuine}` }), 'CN=leaf', 'another key of the same name may have made it')
    const mute = { signers: ['muteLeaf'], along: ['mute'] }
    assert.match(await judge(mute, { revocations: makeCrl('mute') }), /^ImageError signature .*may not sign lists/)
    const weak = makeCrl('root', [], { more: ['-md', 'sha1'] })
    assert.match(await judge({}, { revocations: weak }), /^ImageError signature .*not signed by its key/)
  })

  test('lists that cannot be read are the fault of the device, and nothing is taken', async () => {
    const partial = makeCrl('root', [], { extensions: 'issuingDistributionPoint=critical,@p\n[p]\nonlyuser=TRUE' })
    const cut = makeCrl('root').slice(0, -80)
    for (const revocations of [
      '',
      'nothing',
      cut,
      `${makeCrl('root')}${cut}`,
      certificate('root'),
      partial,
      makeCrl('root').replace('M', '!'),
    ])
      assert.match(await judge({}, { revocations }), /^BackendError io .*revocation lists/, revocations.slice(0, 60))
  })

  test('so are more than revocationListsMax of them, or one of more nodes than revocationNodesMax', async () => {
    const lists = (count: number) => ({ revocations: makeCrl('root').repeat(count) })
    assert.match(await judge({}, lists(limits.revocationListsMax + 1)), /^BackendError io .*revocation lists/)
    assert.equal(await judge({}, lists(limits.revocationListsMax)), 'CN=leaf')
    // Of a CA that is not asked: what was added to it is not signed.
    const list = (nodes: number) => ({ revocations: pemOf(padCrl(derOf(makeCrl('foreign')), nodes)) })
    assert.match(await judge({}, list(limits.revocationNodesMax)), /^BackendError io .*revocation lists/)
    assert.equal(await judge({}, list(limits.revocationNodesMax - 100)), 'CN=leaf', 'it has less than a hundred of its own')
  })

  test('several signers are several keys', async () => {
    assert.match(await judge({}, { signersMin: 2 }), /^ImageError signature .*1 keys, and this device wants 2/)
    assert.equal(await judge({ signers: ['leaf', 'second'] }, { signersMin: 2 }), 'CN=leaf CN=second')
    const leaf = { keyPem: key('leaf'), certificatePem: certificate('leaf') }
    const twice = await image(payload, { ...leaf, cosigners: [leaf] })
    assert.equal(await judge(twice, {}), 'CN=leaf CN=leaf')
    assert.match(await judge(twice, { signersMin: 2 }), /^ImageError signature .*1 keys/)
    assert.match(await judge({ signers: ['leaf', 'second'] }, { signersMin: 3 }), /^ImageError signature .*2 keys/)
    makeRoot('stranger')
    makeCertificate('strange', 'stranger')
    assert.match(
      await judge({ signers: ['leaf', 'second', 'strange'] }, { signersMin: 2 }),
      /^ImageError signature .*strange does not lead/,
    )
  })

  test('a clock that is certainly wrong: nothing is taken, unless the device may go by the signing time', async () => {
    const passed = inDays(-1)
    const past = new Date(0)
    assert.match(await judge({}, { passed }, past), /^ImageError expired the clock of this device is wrong/)
    assert.equal(await judge({}, { passed, time: 'signing-time' }, past), 'CN=leaf')
    assert.equal(await judge({}, { passed: inDays(300), time: 'signing-time' }, past), 'CN=leaf', 'the image is older than what has passed')
    assert.match(
      await judge({ signers: ['foreign'] }, { passed }, past),
      /^ImageError signature /,
      'the clock is the last thing to be wrong',
    )
  })

  test('a signature without a signing time, or with two, says nothing about a wrong clock', async () => {
    const content = Buffer.from('x')
    const made = (time: Date) => [...parseDer(attributesToSign(content, 'sha256', time), AttributeSet)]
    const [isTime, isOther] = [({ attrType }: Attribute) => attrType === signingTime, ({ attrType }: Attribute) => attrType !== signingTime]
    const trust = await trusting(certificate('root'))()
    for (const attributes of [made(new Date()).filter(isOther), [...made(new Date()), ...made(inDays(1)).filter(isTime)]]) {
      const der = signedAttributesDer(attributes)
      const leaf = { attributes: der, signature: sign('sha256', der, key('leaf')), certificatePem: certificate('leaf') }
      const cms = joinSignatures(content, [leaf])
      assert.deepEqual(verifyDetached(cms, content, trust, new Date()), ['CN=leaf'], 'a clock that is right does not need it')
      assert.throws(
        () => verifyDetached(cms, content, { ...trust, passed: inDays(-1), time: 'signing-time' }, new Date(0)),
        /does not say when it was made/,
      )
    }
  })

  test('what has certainly ended is not saved by an old signing time', async () => {
    const order = { signers: ['shortLeaf'] }
    const signing = { time: 'signing-time' } as const
    assert.equal(await judge(order, { ...signing, passed: inDays(29) }, new Date(0)), 'CN=shortLeaf')
    assert.match(await judge(order, { ...signing, passed: inDays(31) }, new Date(0)), /^ImageError expired .*CN=shortLeaf is valid from/)
    assert.match(await judge(order, signing, inDays(31)), /^ImageError expired .*CN=shortLeaf/, 'a clock that may be right is believed')
  })

  test('lists hold for the signing time as they hold for the clock', async () => {
    const signing = { time: 'signing-time', passed: inDays(-1) } as const
    const long = { from: inDays(-30), until: inDays(-2) }
    assert.match(await judge({}, { ...signing, revocations: makeCrl('root', ['leaf']) }, new Date(0)), /^ImageError revoked /)
    assert.match(await judge({}, { ...signing, revocations: makeCrl('root', [], long) }, new Date(0)), /^ImageError expired .*has ended/)
    const later = { from: inDays(1), until: inDays(9) }
    assert.equal(
      await judge({}, { ...signing, revocations: makeCrl('root', [], later) }, new Date(0)),
      'CN=leaf',
      'a list is newer than an image',
    )
  })
})
