import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { faultOf, issue, lacksOpenssl, makeKey, makeRoot, newKeystore, openssl, read, write } from './lab.ts'

const skip = lacksOpenssl
if (!skip) {
  makeRoot('old-root', 'rsa:2048')
  makeRoot('old-other')
  issue('old-leaf', 'old-root', ['extendedKeyUsage=serverAuth,clientAuth'], { type: 'rsa:2048' })
}

test('made here, signed elsewhere, loaded, enabled, deleted: the life of a certificate', { skip }, async () => {
  let https = false
  const { device, keys, certificates, paths, tls, state } = newKeystore({ tls: () => https })
  const subject = device.certificates
  const made = await subject.create({ token: 'my first', subject: 'CN=camera,O=Company', hostNames: ['camera.lan'] })
  assert.equal(made.token, 'my first')
  assert.equal(new X509Certificate(made.der).subject, 'CN=camera\nO=Company')
  assert.deepEqual([keys.list().map(({ external, algorithm }) => [external, algorithm])], [[[false, 'EC-P-256']]])
  assert.equal(certificates.list().length, 1, 'the other face shows it')

  write('old.csr', await subject.request('my first'))
  assert.match(openssl('req', '-inform', 'DER', '-in', 'old.csr', '-verify', '-noout', '-subject'), /CN\s?=\s?camera.*O\s?=\s?Company/)
  write('old.csr', await subject.request('my first', 'CN=another'))
  const signed = issue('old', 'old-root', [], { csr: true })
  await subject.load([{ token: 'signed', der: signed }])
  await subject.loadAuthorities([{ token: 'root', der: read('old-root.crt') }])
  assert.deepEqual(
    [subject.own(), subject.authorities()].map(list => list.map(({ token }) => token)),
    [['my first', 'signed'], ['root']],
  )
  const { issuer, subject: name, keyBits, version, signatureAlgorithm } = subject.information('signed')
  assert.deepEqual([issuer, name, keyBits, version, signatureAlgorithm], ['CN=old-root', 'CN=another', 256, 3, 'sha256WithRSAEncryption'])

  assert.deepEqual(subject.statuses(), [
    { token: 'my first', enabled: false },
    { token: 'signed', enabled: false },
  ])
  subject.setStatuses([{ token: 'signed', enabled: true }])
  assert.equal(tls.settings().identities[0]?.chainPem.match(/BEGIN/g)?.length, 2, 'with the root above it')
  https = true
  const before = state()
  for (const [statuses, fault] of [
    [[{ token: 'my first', enabled: true }], 'CertificateID'],
    [[{ token: 'signed', enabled: false }], 'OperationProhibited'],
    [[{ token: 'nobody', enabled: false }], 'CertificateID'],
    [[{ token: 'root', enabled: true }], 'CertificateID'],
  ] as const)
    assert.equal(await faultOf(() => subject.setStatuses(statuses)), fault)
  assert.equal(await faultOf(() => subject.delete(['my first', 'signed'])), 'ReferencedCertificate')
  assert.equal(await faultOf(() => subject.delete(['my first', 'nobody'])), 'CertificateID')
  assert.equal(state(), before)

  subject.setStatuses([
    { token: 'my first', enabled: true },
    { token: 'signed', enabled: false },
  ])
  assert.deepEqual(
    subject.statuses().map(({ enabled }) => enabled),
    [true, false],
  )
  assert.equal(paths.list().length, 1, 'the path that was made for the other one is gone')
  https = false
  subject.setStatuses([{ token: 'my first', enabled: false }])
  subject.delete(['my first'])
  assert.equal(keys.list().length, 2, 'the pair is that of the other one, too; the root has its public half')
  subject.delete(['signed', 'root', 'signed'])
  assert.deepEqual([keys.list(), certificates.list(), paths.list(), tls.paths()], [[], [], [], []])
})

test('a list is loaded as a whole or not at all', { skip }, async () => {
  const { device, state, keys } = newKeystore()
  const subject = device.certificates
  await subject.create({ token: 'taken', subject: 'CN=a' })
  await keys.upload(read('old-other.p8'))
  const [leaf, key, root, other] = [read('old-leaf.der'), read('old-leaf.p8'), read('old-root.der'), read('old-other.der')]
  const before = state()
  const refused: readonly (readonly [() => unknown, string])[] = [
    [
      () =>
        subject.load([
          { token: 'a', der: other },
          { token: 'b', der: leaf },
        ]),
      'CertificateFormat',
    ],
    [() => subject.load([{ token: 'taken', der: other }]), 'CertificateID'],
    [() => subject.load([{ token: '', der: other }]), 'CertificateID'],
    [() => subject.load([{ token: 'x'.repeat(65), der: other }]), 'CertificateID'],
    [
      () =>
        subject.load([
          { token: 'a', der: other },
          { token: 'a', der: other },
        ]),
      'CertificateID',
    ],
    [() => subject.load([{ token: 'a', der: Buffer.of(1, 2, 3) }]), 'CertificateFormat'],
    [
      () =>
        subject.loadWithPrivateKey([
          { der: leaf, pkcs8: key },
          { token: 'taken', der: other, pkcs8: read('old-other.p8') },
        ]),
      'CertificateID',
    ],
    [() => subject.loadWithPrivateKey([{ der: leaf, pkcs8: read('old-other.p8') }]), 'KeysNotMatching'],
    [() => subject.loadWithPrivateKey([{ der: leaf, pkcs8: key.subarray(1) }]), 'CertificateFormat'],
    [() => subject.loadWithPrivateKey([{ der: Buffer.of(7), pkcs8: key }]), 'CertificateFormat'],
    [
      () =>
        subject.loadAuthorities([
          { token: 'r', der: root },
          { token: 'r', der: other },
        ]),
      'CACertificateID',
    ],
    [
      () =>
        subject.loadAuthorities([
          { token: 'r', der: root },
          { token: 's', der: root },
        ]),
      'CACertificateID',
    ],
    [() => subject.loadAuthorities([{ token: 'r', der: leaf }]), 'CertificateFormat'],
    [
      () => subject.loadAuthorities([{ token: 'r', der: Buffer.concat([read('old-root.crt'), read('old-other.crt')]) }]),
      'CertificateFormat',
    ],
    [() => subject.create({ token: 'taken', subject: 'CN=b' }), 'CertificateID'],
    [() => subject.create({ subject: 'no name at all' }), 'InvalidSubject'],
    [() => subject.create({ subject: 'CN=a', validFrom: new Date('2040-01-01'), validTo: new Date('2030-01-01') }), 'InvalidDateTime'],
    [() => subject.request('nobody'), 'CertificateID'],
    [() => subject.request('taken', 'nonsense'), 'InvalidSubject'],
    [() => subject.information('nobody'), 'CertificateID'],
  ]
  for (const [work, fault] of refused) assert.equal(await faultOf(work), fault, String(work))
  assert.equal(state(), before)
  await subject.loadWithPrivateKey([
    { der: leaf, pkcs8: key },
    { token: 'other', der: other, pkcs8: read('old-other.p8') },
  ])
  assert.equal(subject.own().length, 3)
})

test('the authorities are full when they are', { skip }, async () => {
  const { device, state } = newKeystore()
  makeKey('many')
  const many = Array.from({ length: 129 }, (_, index) => {
    if (index < 2)
      openssl('req', '-x509', '-new', '-key', 'many.key', '-subj', `/CN=${index}`, '-outform', 'DER', '-out', `many${index}.der`)
    return index
  })
  assert.equal(many.length, 129)
  const before = state()
  const copies = await Promise.all(many.map(async index => ({ token: `${index}`, der: await variant(index) })))
  assert.equal(await faultOf(() => device.certificates.loadAuthorities(copies)), 'MaxCertificates')
  assert.equal(state(), before)
  await device.certificates.loadAuthorities(copies.slice(0, 128))
  assert.equal(device.certificates.authorities().length, 128)
})

/** A root of its own, made by the keystore of another device. */
async function variant(index: number): Promise<Buffer> {
  const { keys, certificates } = newKeystore()
  const { id: keyId } = keys.createEc('secp256r1')
  await keys.whenReady(keyId)
  const extensions = [{ oid: '2.5.29.19', critical: true, value: Buffer.from('30030101ff', 'hex') }]
  const id = await certificates.createSelfSigned({ keyId, subject: [[{ type: 'CN', value: `root ${index}` }]], extensions })
  return certificates.get(id).der
}

test('the mode of clients needs an authority, and lets go of it again', { skip }, async () => {
  const { device, tls, policies } = newKeystore()
  const subject = device.certificates
  assert.equal(await faultOf(() => subject.setClientMode(true)), 'ClientAuth')
  await subject.loadAuthorities([{ token: 'root', der: read('old-root.der') }])
  assert.equal(tls.validateClient([read('old-leaf.der')]).valid, false)
  subject.setClientMode(true)
  assert.deepEqual([subject.clientMode(), tls.isClientAuthenticationRequired(), policies.list().length], [true, true, 1])
  assert.equal(tls.validateClient([read('old-leaf.der')]).valid, true)
  assert.equal(await faultOf(() => subject.delete(['root'])), 'ReferencedCertificate')
  subject.setClientMode(false)
  assert.deepEqual([subject.clientMode(), tls.policies(), policies.list()], [false, [], []])
  subject.delete(['root'])
})

test('IEEE 802.1X in the old words, over the same configurations', { skip }, async () => {
  const { device, dot1x, passphrases, paths, policies, state } = newKeystore()
  await device.certificates.loadAuthorities([{ token: 'root', der: read('old-root.der') }])
  await device.certificates.loadWithPrivateKey([{ token: 'leaf', der: read('old-leaf.der'), pkcs8: read('old-leaf.p8') }])
  const peap = { token: 'office', identity: 'camera', anonymousId: 'anonymous', eapMethod: 25, caCertificateTokens: ['root'] }
  device.dot1x.create({ ...peap, password: 'secret' })
  assert.deepEqual(device.dot1x.get('office'), { ...peap, certificateToken: undefined })
  assert.deepEqual(dot1x.list()[0]?.outer.method, 'EAP-PEAP')
  device.dot1x.create({ token: 'tls', identity: 'camera', eapMethod: 13, caCertificateTokens: [], certificateToken: 'leaf' })
  assert.deepEqual(device.dot1x.get('tls').certificateToken, 'leaf')
  assert.deepEqual(
    [passphrases.list().length, policies.list().length, paths.get(paths.list()[0]?.id ?? '').certificateIds.length],
    [1, 1, 2],
  )
  const before = state()
  for (const [change, fault] of [
    [{}, 'ReferenceToken'],
    [{ token: 'x', eapMethod: 43 }, 'EAPMethodNotSupported'],
    [{ token: 'x', caCertificateTokens: ['nobody'] }, 'CACertificateID'],
    [{ token: 'x', eapMethod: 13, anonymousId: undefined, certificateToken: 'nobody' }, 'CertificateID'],
    [{ token: 'x', eapMethod: 13, anonymousId: undefined, certificateToken: 'root' }, 'CertificateID'],
    [{ token: 'x', eapMethod: 13, anonymousId: undefined }, 'CertificateID'],
    [{ token: 'x', eapMethod: 4 }, 'InvalidArgVal'],
    [{ token: 'x' }, 'InvalidArgVal'],
  ] as const)
    assert.equal(await faultOf(() => device.dot1x.create({ ...peap, ...change })), fault, JSON.stringify(change))
  assert.equal(await faultOf(() => device.dot1x.set({ ...peap, token: 'nobody' })), 'ReferenceToken')
  assert.equal(await faultOf(() => device.certificates.delete(['leaf'])), 'ReferencedCertificate')
  assert.equal(state(), before)

  const [passphrase] = passphrases.list()
  device.dot1x.set({ ...peap, anonymousId: 'nobody' })
  assert.deepEqual(passphrases.list(), [passphrase], 'the password stays where none is sent')
  assert.equal(await faultOf(() => device.dot1x.set({ ...peap, identity: 'another' })), 'InvalidArgVal', 'but not for somebody else')
  device.dot1x.set({ ...peap, password: 'new' })
  assert.notEqual(passphrases.list()[0]?.id, passphrase?.id)
  assert.deepEqual([passphrases.list().length, policies.list().length], [1, 1], 'nothing is left over')

  dot1x.setInterface('eth0', dot1x.list()[0]?.id ?? '')
  assert.equal(await faultOf(() => device.dot1x.delete(['tls', 'office'])), 'ReferenceToken')
  assert.equal(device.dot1x.list().length, 2)
  dot1x.deleteInterface('eth0')
  assert.equal(await faultOf(() => device.dot1x.delete(['tls', 'nobody'])), 'ReferenceToken')
  device.dot1x.delete(['tls', 'office'])
  assert.deepEqual([dot1x.list(), passphrases.list(), paths.list(), policies.list()], [[], [], [], []])
})
