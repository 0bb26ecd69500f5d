import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Dot1XStage } from '../../../src/device/certificates/content.ts'
import { createKeystore } from '../../../src/device/certificates/keystore.ts'
import { createSeal, sealingKeyOf } from '../../../src/device/seal.ts'
import { openStore } from '../../../src/device/store.ts'
import { limits } from '../../../src/limits.ts'
import {
  at,
  authorityExtensions,
  deviceKey,
  faultOf,
  handClock,
  issue,
  keystoreOn,
  lacksOpenssl,
  makeCrl,
  makeKey,
  makeRoot,
  newKeystore,
  openssl,
  read,
  silent,
  write,
} from './lab.ts'

const cn = (name: string) => [[{ type: 'CN', value: name }]]

test('key pairs are made one after the other, on other threads, and say how far they are', async () => {
  const seen: string[] = []
  const { keys } = newKeystore({ onKeyStatus: (_, status, before) => seen.push(`${before} ${status}`) })
  const ec = keys.createEc('secp256r1', 'mine')
  const rsa = keys.createRsa(2048)
  assert.ok(rsa.estimateMs > ec.estimateMs && ec.estimateMs > 0)
  assert.equal(keys.get(ec.id).status, 'generating')
  await Promise.all([keys.whenReady(ec.id), keys.whenReady(rsa.id)])
  assert.deepEqual(keys.list(), [
    { id: ec.id, alias: 'mine', algorithm: 'EC-P-256', status: 'ok', hasPrivateKey: true, external: false },
    { id: rsa.id, alias: undefined, algorithm: 'RSA-2048', status: 'ok', hasPrivateKey: true, external: false },
  ])
  assert.deepEqual(seen, ['undefined generating', 'undefined generating', 'generating ok', 'generating ok'])
  assert.match(ec.id, /^[A-Za-z_][\w.-]{0,63}$/)
  assert.equal(await faultOf(() => keys.createRsa(1024)), 'KeyLength')
  assert.equal(await faultOf(() => keys.createEc('constructor')), 'UnsupportedEllipticCurve')
  assert.equal(await faultOf(() => keys.get('nothing')), 'KeyID')
})

test('a key that is deleted while it is made does not come back', async () => {
  const seen: string[] = []
  const { keys } = newKeystore({ onKeyStatus: (_, status) => seen.push(status) })
  const first = keys.createEc('secp384r1')
  const second = keys.createEc('secp384r1')
  keys.delete(first.id)
  keys.delete(second.id)
  await Promise.all([keys.whenReady(first.id), keys.whenReady(second.id)])
  assert.deepEqual([keys.list(), seen], [[], ['generating', 'generating']])
})

test('after the stop nothing is written any more', async () => {
  const errors: unknown[] = []
  const store = openStore(':memory:')
  const log = { ...silent, error: (fields: unknown) => void errors.push(fields) }
  const { keys, stop } = createKeystore({ store, seal: createSeal(deviceKey), clock: handClock(), log, isTlsEnabled: () => false })
  const { id } = keys.createEc('secp256r1')
  const ready = keys.whenReady(id)
  stop()
  store.close()
  await ready
  assert.deepEqual([errors, keys.get(id).status], [[], 'generating'])
})

test('a generation that a power cut ended is corrupt after the start; what was ready is there', async t => {
  const path = at('power.db')
  let store = openStore(path)
  const { keys, stop } = keystoreOn(store)
  const ready = keys.createEc('secp256r1')
  await keys.whenReady(ready.id)
  const cut = keys.createRsa(4096)
  stop()
  store.close()
  store = openStore(path)
  t.after(() => store.close())
  const seen: string[] = []
  const again = keystoreOn(store, { onKeyStatus: (id, status, before) => seen.push(`${id} ${before} ${status}`) })
  assert.deepEqual(
    again.keys.list().map(({ id, status }) => [id, status]),
    [
      [ready.id, 'ok'],
      [cut.id, 'corrupt'],
    ],
  )
  assert.deepEqual(seen, [`${cut.id} generating corrupt`])
  assert.equal(await faultOf(() => again.certificates.request(cut.id, cn('a'))), 'InvalidKeyStatus')
  again.keys.delete(cut.id)
  // The ready one signs.
  assert.ok((await again.certificates.request(ready.id, cn('a'))).length > 100)
})

test('what is secret is sealed in the file, and stays there', { skip: lacksOpenssl }, async t => {
  makeKey('sealed', 'rsa:2048')
  const path = at('sealed.db')
  const store = openStore(path)
  const { keys, passphrases } = keystoreOn(store)
  const id = await keys.upload(read('sealed.p8'), { alias: 'an alias to find' })
  passphrases.upload('correct horse battery')
  store.close()
  const file = Buffer.concat([path, `${path}-wal`].map(each => tryRead(each)))
  assert.ok(file.includes('an alias to find'), 'this is the file')
  const pkcs8 = read('sealed.p8')
  // A piece of the modulus may stand there: it is public. The private exponent may not.
  for (const start of [300, 500, 700, 900, 1100]) {
    const piece = pkcs8.subarray(start, start + 24)
    for (const text of [piece, piece.toString('hex')]) assert.ok(!file.includes(text))
    for (const shift of [0, 1, 2])
      assert.ok(
        !file.includes(
          pkcs8
            .subarray(start + shift, start + shift + 24)
            .toString('base64')
            .slice(2, -2),
        ),
      )
  }
  for (const text of ['correct horse', Buffer.from('correct horse battery').toString('base64').slice(0, 16)])
    assert.ok(!file.includes(text))

  const other = openStore(path)
  t.after(() => other.close())
  assert.throws(() => keystoreOn(other, { key: randomBytes(32) }), /damaged/)
  assert.equal(keystoreOn(other).keys.get(id).status, 'ok')
})

function tryRead(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}

test('a backup of another device opens with its key, and not without', async () => {
  const there = newKeystore()
  const { id } = there.keys.createEc('secp256r1')
  await there.keys.whenReady(id)
  const documents = there.store.exportDocuments()
  const here = openStore(':memory:')
  let foreign: readonly Uint8Array[] = []
  const seal = createSeal(randomBytes(32), () => foreign)
  const parts = { seal, clock: handClock(), log: silent, isTlsEnabled: () => false }
  const { keys, certificates } = createKeystore({ store: here, ...parts })
  assert.throws(() => here.importDocuments(documents), /cannot be used/)
  assert.deepEqual(keys.list(), [])
  foreign = [sealingKeyOf(deviceKey)]
  here.importDocuments(documents)
  assert.ok((await certificates.request(id, cn('a'))).length > 100)
})

test('damage in the store is refused as a whole', async () => {
  const { store, keys, certificates } = newKeystore()
  const { id: keyId } = keys.createEc('secp256r1')
  await keys.whenReady(keyId)
  await certificates.createSelfSigned({ keyId, subject: cn('a') })
  const good = JSON.parse(JSON.stringify(store.exportDocuments().keystore))
  const bad = [
    { ...good, keys: [] },
    { ...good, certificates: [...good.certificates, ...good.certificates] },
    { ...good, paths: [{ id: 'p', certificateIds: ['nobody'] }] },
    { ...good, tls: { ...good.tls, pathIds: ['nobody'] } },
    { ...good, tls: { ...good.tls, versions: ['0.9'] } },
    { ...good, tls: { ...good.tls, versions: [] } },
    { ...good, dot1xInterfaces: { eth0: 'nobody' } },
    { ...good, keys: [{ ...good.keys[0], privateKey: `${good.keys[0].privateKey.slice(0, -4)}AAAA` }] },
    { ...good, keys: [{ ...good.keys[0], status: 'fine' }] },
    { ...good, keys: [{ ...good.keys[0], publicKey: undefined }] },
    { ...good, passphrases: 7 },
    null,
  ]
  for (const keystore of bad)
    assert.throws(() => store.importDocuments({ keystore }), /cannot be used/, JSON.stringify(keystore)?.slice(0, 200))
  store.importDocuments({ keystore: good })
  assert.equal(certificates.list().length, 1)
})

test('IEEE 802.1X in dot1xStagesMax stages and no more, by request and from a backup', async () => {
  const { store, passphrases, dot1x } = newKeystore()
  const passphraseId = passphrases.upload('secret')
  const inside = (count: number): Dot1XStage => {
    const stage = { method: 'MSCHAPv2', identity: 'camera', passphraseId }
    return count === 1 ? stage : { ...stage, inner: inside(count - 1) }
  }
  const stages = (count: number): Dot1XStage => ({ method: 'EAP-PEAP', identity: 'camera', inner: inside(count - 1) })
  assert.equal(await faultOf(() => dot1x.add(stages(limits.dot1xStagesMax + 1))), 'Dot1XMethodCombination')
  dot1x.add(stages(limits.dot1xStagesMax))
  const good = JSON.parse(JSON.stringify(store.exportDocuments().keystore))
  const brought = (count: number) => ({ keystore: { ...good, dot1x: [{ ...good.dot1x[0], outer: stages(count) }] } })
  assert.throws(() => store.importDocuments(brought(limits.dot1xStagesMax + 1)), /cannot be used/)
  store.importDocuments(brought(limits.dot1xStagesMax))
})

test('a request made here, signed by openssl, comes back as a certificate of its key', { skip: lacksOpenssl }, async () => {
  makeRoot('csr-root', 'rsa:2048')
  issue('csr-middle', 'csr-root', authorityExtensions)
  for (const [make, algorithm] of [
    ['rsa', undefined],
    ['ec', undefined],
    ['rsa', '1.2.840.113549.1.1.13'],
  ] as const) {
    const keystore = newKeystore()
    const { keys, certificates, paths, tls } = keystore
    const { id: keyId } = make === 'rsa' ? keys.createRsa(2048) : keys.createEc('secp384r1')
    await keys.whenReady(keyId)
    const subject = [[{ type: 'C', value: 'DE' }], [{ type: 'O', value: 'Bäckerei' }], [{ type: 'CN', value: 'camera' }]]
    const san = Buffer.from('300a8208686f73742e6c616e', 'hex')
    const attributes = [
      { kind: 'extension', extension: { oid: '2.5.29.17', critical: false, value: san } },
      { kind: 'attribute', oid: '1.2.840.113549.1.9.7', value: Buffer.from('0c0474657374', 'hex') },
    ] as const
    write('camera.csr', await certificates.request(keyId, subject, attributes, algorithm))
    const text = openssl('req', '-inform', 'DER', '-in', 'camera.csr', '-verify', '-noout', '-text', '-nameopt', 'utf8')
    assert.match(text, /C\s?=\s?DE.*O\s?=\s?Bäckerei.*CN\s?=\s?camera/)
    assert.match(text, /DNS:host\.lan/)
    assert.match(text, /challengePassword\s*:\s*test/)
    const leaf = issue('camera', 'csr-middle', ['subjectAltName=DNS:host.lan,IP:192.0.2.1'], { csr: true })
    const uploaded = certificates.upload(leaf, { privateKeyRequired: true })
    assert.equal(uploaded.keyId, keyId)
    const chain = [uploaded.id, ...['csr-middle', 'csr-root'].map(name => certificates.upload(read(`${name}.der`)).id)]
    const pathId = paths.create(chain, 'chain')
    tls.addPath(pathId)
    const [identity] = tls.settings().identities
    assert.deepEqual(identity?.hostNames, ['host.lan', '192.0.2.1'])
    const sent = identity?.chainPem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []
    assert.deepEqual(
      sent.map(pem => new X509Certificate(pem).raw.toString('hex')),
      [leaf, read('csr-middle.der'), read('csr-root.der')].map(each => each.toString('hex')),
    )
    assert.ok(new X509Certificate(leaf).publicKey.equals(createPublicKey(identity?.keyPem ?? '')))
  }
})

test('a certificate that a key issues for itself is what openssl takes for one', { skip: lacksOpenssl }, async () => {
  const { keys, certificates } = newKeystore()
  const { id: keyId } = keys.createEc('secp256r1')
  await keys.whenReady(keyId)
  const id = await certificates.createSelfSigned({
    keyId,
    subject: cn('camera'),
    alias: 'first',
    hostNames: ['camera.lan', '192.0.2.7', 'fe80::1'],
  })
  const { der, alias, hasPrivateKey } = certificates.get(id)
  assert.deepEqual([alias, hasPrivateKey], ['first', true])
  write('self.der', der)
  openssl('x509', '-inform', 'DER', '-in', 'self.der', '-out', 'self.crt')
  assert.match(openssl('verify', '-CAfile', 'self.crt', '-purpose', 'sslserver', 'self.crt'), /OK/)
  const text = openssl('x509', '-in', 'self.crt', '-noout', '-text')
  assert.match(text, /DNS:camera\.lan, IP Address:192\.0\.2\.7, IP Address:FE80:0:0:0:0:0:0:1/)
  assert.match(text, /Not After : Dec 31 23:59:59 9999 GMT/)

  const order = { keyId, subject: cn('camera') }
  const at = (text: string) => new Date(text)
  for (const [change, name] of [
    [{ x509Version: 1 }, 'UnsupportedX509Version'],
    [{ x509Version: 1, extensions: [{ oid: '2.5.29.17', critical: false, value: Buffer.of(5, 0) }] }, 'X509VersionExtensionsMismatch'],
    [{ validFrom: at('2030-01-01'), validTo: at('2029-01-01') }, 'InvalidDateTime'],
    [{ validFrom: new Date(Number.NaN) }, 'InvalidDateTime'],
    [{ subject: [] }, 'InvalidSubject'],
    [{ subject: cn('') }, 'InvalidSubject'],
    [{ subject: cn('nul\0') }, 'InvalidSubject'],
    [{ subject: cn('evil\u202e') }, 'InvalidSubject'],
    [{ subject: cn('x'.repeat(65)) }, 'InvalidSubject'],
    [{ subject: [[{ type: 'C', value: 'Deutschland' }]] }, 'InvalidSubject'],
    [{ subject: [[{ type: 'no such', value: 'x' }]] }, 'InvalidSubject'],
    [{ subject: cn('#zz') }, 'InvalidSubject'],
    [{ subject: cn('#0401') }, 'InvalidSubject'],
    [{ signatureAlgorithm: '1.2.840.113549.1.1.11' }, 'KeySignatureAlgorithmMismatch'],
    [{ signatureAlgorithm: '1.2.840.10045.4.1' }, 'UnsupportedSignatureAlgorithm'],
    [{ signatureAlgorithm: 'x' }, 'UnsupportedSignatureAlgorithm'],
    [{ extensions: [{ oid: '2.5.29.17', critical: false, value: Buffer.of(5) }] }, 'InvalidAttribute'],
    [{ extensions: [{ oid: 'x', critical: false, value: Buffer.of(5, 0) }] }, 'InvalidAttribute'],
    [{ extensions: [{ oid: '2.5.29.15', critical: true, value: Buffer.of(5, 0) }] }, 'InvalidAttribute'],
    [{ keyId: 'nobody' }, 'KeyID'],
  ] as const)
    assert.equal(await faultOf(() => certificates.createSelfSigned({ ...order, ...change })), name, JSON.stringify(change))
  assert.equal(certificates.list().length, 1)
  assert.equal(
    await faultOf(() =>
      certificates.createSelfSigned({ ...order, extensions: [{ oid: '1.2.3.4', critical: false, value: Buffer.of(5, 0) }] }),
    ),
    'none',
  )
})

test('what is referred to cannot be deleted, and IDs do not come again', { skip: lacksOpenssl }, async () => {
  makeRoot('ref-root')
  issue('ref-leaf', 'ref-root', ['extendedKeyUsage=serverAuth'])
  const { keys, certificates, paths, crls, policies, passphrases, dot1x, tls, referTo, state } = newKeystore()
  const keyId = await keys.upload(read('ref-leaf.p8'))
  const leaf = certificates.upload(read('ref-leaf.der'))
  const root = certificates.upload(read('ref-root.der'))
  assert.equal(leaf.keyId, keyId)
  const pathId = paths.create([leaf.id, root.id])
  const crlId = crls.upload(makeCrl('ref-root', []), 'list')
  const policyId = policies.create({ requireClientAuthUsage: true, useDeltaCrls: false, anchorIds: [root.id] })
  const passphraseId = passphrases.upload('secret')
  const dot1xId = dot1x.add({
    method: 'EAP-PEAP',
    policyId,
    inner: { method: 'MSCHAPv2', identity: 'camera', passphraseId },
  })
  const tlsId = dot1x.add({ method: 'EAP-TLS', identity: 'camera', pathId })
  dot1x.setInterface('eth0', dot1xId)
  tls.addPolicy(policyId)
  let outside: readonly string[] = []
  referTo(() => ({ passphrases: outside }))
  const before = state()
  for (const refused of [
    () => keys.delete(keyId),
    () => certificates.delete(leaf.id),
    () => certificates.delete(root.id),
    () => paths.delete(pathId),
    () => policies.delete(policyId),
    () => passphrases.delete(passphraseId),
    () => dot1x.delete(dot1xId),
  ])
    assert.equal(await faultOf(refused), 'ReferenceExists')
  assert.equal(state(), before)

  dot1x.deleteInterface('eth0')
  dot1x.delete(dot1xId)
  dot1x.delete(tlsId)
  outside = [passphraseId]
  assert.equal(await faultOf(() => passphrases.delete(passphraseId)), 'ReferenceExists')
  outside = []
  passphrases.delete(passphraseId)
  assert.equal(await faultOf(() => policies.delete(policyId)), 'ReferenceExists', 'the TLS server')
  tls.removePolicy(policyId)
  policies.delete(policyId)
  paths.delete(pathId)
  assert.equal(await faultOf(() => certificates.delete(root.id)), 'ReferenceExists', 'the CRL')
  crls.delete(crlId)
  certificates.delete(root.id)
  certificates.delete(leaf.id)
  keys.delete(keyId)
  assert.notEqual(certificates.upload(read('ref-leaf.der')).id, leaf.id)
  for (const [gone, name] of [
    [() => keys.delete(keyId), 'KeyID'],
    [() => certificates.delete(leaf.id), 'CertificateID'],
    [() => paths.delete(pathId), 'CertificationPathID'],
    [() => crls.delete(crlId), 'CRLID'],
    [() => policies.delete(policyId), 'CertPathValidationPolicyID'],
    [() => passphrases.delete(passphraseId), 'PassphraseID'],
    [() => dot1x.delete(dot1xId), 'Dot1XConfigurationID'],
  ] as const)
    assert.equal(await faultOf(gone), name)
})

test('a certificate without its key brings the public half; the private one completes it', { skip: lacksOpenssl }, async () => {
  makeRoot('half')
  const { keys, certificates, paths, tls } = newKeystore()
  const { id, keyId } = certificates.upload(read('half.der'), { keyAlias: 'half' })
  assert.deepEqual(
    keys.list().map(key => [key.id, key.alias, key.hasPrivateKey]),
    [[keyId, 'half', false]],
  )
  const pathId = paths.create([id])
  assert.equal(await faultOf(() => tls.addPath(pathId)), 'NoPrivateKey')
  assert.equal(await faultOf(() => certificates.upload(read('half.der'))), 'Duplicate')
  assert.equal(await keys.upload(read('half.p8')), keyId)
  assert.equal(certificates.get(id).hasPrivateKey, true)
  tls.addPath(pathId)
  tls.addPath(pathId)
  assert.deepEqual(tls.paths(), [pathId])
})

test('paths are made of what signed each other, and of nothing else', { skip: lacksOpenssl }, async () => {
  makeRoot('path-root')
  makeRoot('path-other')
  issue('path-leaf', 'path-root', [])
  const { certificates, paths, state } = newKeystore()
  const [leaf = '', root = '', other = ''] = ['path-leaf', 'path-root', 'path-other'].map(
    name => certificates.upload(read(`${name}.der`)).id,
  )
  const before = state()
  for (const bad of [[], [leaf, other], [root, leaf], [leaf, leaf], Array.from({ length: 1000 }, () => root)])
    assert.equal(await faultOf(() => paths.create(bad)), 'InvalidCertificationPath')
  assert.equal(await faultOf(() => paths.create([leaf, 'nobody'])), 'CertificateID')
  assert.equal(state(), before)
  const id = paths.create([leaf, root])
  assert.equal(await faultOf(() => paths.set(id, [leaf, other])), 'InvalidCertificationPath')
  paths.set(id, [leaf], 'short')
  assert.deepEqual(paths.get(id), { id, alias: 'short', certificateIds: [leaf] })
  assert.equal(await faultOf(() => paths.set('nobody', [leaf])), 'CertificationPathID')
})

test('the keystore is full when it says so', async () => {
  const { keys, passphrases, dot1x, state } = newKeystore()
  for (let index = 0; index < limits.keysMax; index++) keys.createEc('secp256r1')
  const before = state()
  assert.equal(await faultOf(() => keys.createRsa(2048)), 'MaximumNumberOfKeysReached')
  assert.equal(state(), before)
  for (let index = 0; index < limits.passphrasesMax; index++) passphrases.upload('x'.repeat(40))
  assert.equal(await faultOf(() => passphrases.upload('x')), 'MaximumNumberOfPassphrasesReached')
  for (const bad of ['', 'x'.repeat(limits.passphraseCharactersMax + 1), 'a\nb'])
    assert.equal(await faultOf(() => passphrases.upload(bad)), 'BadPassphrase')
  const [{ id: passphraseId } = { id: '' }] = passphrases.list()
  const stage = { method: 'EAP-MD5', identity: 'a', passphraseId }
  for (let index = 0; index < limits.dot1xConfigurationsMax; index++) dot1x.add(stage)
  assert.equal(await faultOf(() => dot1x.add(stage)), 'MaximumNumberOfDot1XConfigurationsReached')
  await Promise.all(keys.list().map(({ id }) => keys.whenReady(id)))
})

test('IEEE 802.1X: only methods that belong together, with what they need', async () => {
  const { passphrases, dot1x } = newKeystore()
  const passphraseId = passphrases.upload('secret')
  const inner = { method: 'MSCHAPv2', identity: 'camera', passphraseId }
  for (const [stage, name] of [
    [{ method: 'EAP-FAST' }, 'Dot1XMethod'],
    [{ method: 'EAP-PEAP', inner: { ...inner, method: 'GTC' } }, 'Dot1XMethod'],
    [{ method: 'EAP-PEAP' }, 'Dot1XMethodCombination'],
    [{ method: 'EAP-MD5', identity: 'a', passphraseId, inner }, 'Dot1XMethodCombination'],
    [{ method: 'EAP-PEAP', inner: { ...inner, inner } }, 'Dot1XMethodCombination'],
    [{ method: 'EAP-PEAP', inner: { ...inner, passphraseId: 'nobody' } }, 'PassphraseID'],
    [{ method: 'EAP-PEAP', inner: { ...inner, passphraseId: undefined } }, 'PassphraseID'],
    [{ method: 'EAP-PEAP', policyId: 'nobody', inner }, 'CertPathValidationPolicyID'],
    [{ method: 'EAP-TLS', identity: 'a' }, 'CertificationPathID'],
    [{ method: 'EAP-TLS', identity: 'a', pathId: 'nobody' }, 'CertificationPathID'],
    [{ method: 'EAP-MD5', passphraseId }, 'InvalidArgVal'],
  ] as const)
    assert.equal(await faultOf(() => dot1x.add(stage)), name, JSON.stringify(stage))
  assert.deepEqual(dot1x.list(), [])
  const id = dot1x.add({ method: 'EAP-TTLS', identity: 'anonymous', inner }, 'office')
  assert.deepEqual(dot1x.get(id), { id, alias: 'office', outer: dot1x.list()[0]?.outer })
  assert.equal(await faultOf(() => dot1x.setInterface('eth0', 'nobody')), 'Dot1XConfigurationID')
  dot1x.setInterface('eth0', id)
  assert.equal(dot1x.ofInterface('eth0'), id)
  assert.equal(dot1x.ofInterface('constructor'), undefined)
})
