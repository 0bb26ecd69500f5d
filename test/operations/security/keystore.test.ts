import 'reflect-metadata'
import assert from 'node:assert/strict'
import { KeyObject, X509Certificate as NodeCertificate } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Pkcs10CertificateRequest } from '@peculiar/x509'
import { people, type TestDevice, testDevice } from '../../support/device.ts'
import { exportedState } from '../../support/exportedState.ts'
import { makeCrl, makeIdentity, makePkcs12 } from '../../support/identities.ts'
import {
  certificateIds,
  createCsr,
  createPath,
  createPolicy,
  extension,
  idOf,
  newCertificate,
  newKey,
  policy,
  selfSign,
  tas,
  uploadCertificate,
  uploadCrl,
  uploadKey,
  uploadPassphrase,
  uploadPkcs12,
} from '../../support/keystoreRequests.ts'

/** All texts of the elements with this name, in order. */
const texts = (xml: string, name: string) => [...xml.matchAll(new RegExp(`<tas:${name}>([^<]*)<`, 'g'))].map(([, text = '']) => text)
const bytes = (xml: string, name: string) => texts(xml, name).map(text => Buffer.from(text, 'base64'))

async function asked({ ask }: TestDevice, request: string): Promise<string> {
  const { xml, fault } = await ask(request)
  assert.equal(fault, undefined, xml)
  return xml
}

async function ready(device: TestDevice, keyId: string): Promise<void> {
  for (;;) {
    const [status] = texts(await asked(device, tas('GetKeyStatus', `<tas:KeyID>${keyId}</tas:KeyID>`)), 'KeyStatus')
    if (status !== 'generating') return assert.equal(status, 'ok')
    // Requests without a socket never give the loop a turn, in which the new key would arrive.
    await turn()
  }
}

test('a key pair is made while the device answers, and asks for a certificate with all that the client wants in it', async t => {
  const device = await testDevice(t)
  const made = await asked(device, tas('CreateECCKeyPair', '<tas:EllipticCurve>secp384r1</tas:EllipticCurve><tas:Alias>mine</tas:Alias>'))
  assert.match(texts(made, 'EstimatedCreationTime')[0] ?? '', /^PT\d+S$/)
  const [keyId = ''] = texts(made, 'KeyID')
  await ready(device, keyId)
  const keys = await asked(device, tas('GetAllKeys'))
  const members = ['KeyID', 'Alias', 'hasPrivateKey', 'KeyStatus', 'externallyGenerated', 'securelyStored']
  assert.deepEqual(
    members.map(name => texts(keys, name)),
    [[keyId], ['mine'], ['true'], ['ok'], ['false'], ['false']],
  )
  assert.deepEqual(texts(await asked(device, tas('GetPrivateKeyStatus', `<tas:KeyID>${keyId}</tas:KeyID>`)), 'hasPrivateKey'), ['true'])

  const subject =
    '<tas:Country>CH</tas:Country><tas:Organization>Example</tas:Organization><tas:OrganizationalUnit>A</tas:OrganizationalUnit><tas:OrganizationalUnit>B</tas:OrganizationalUnit>' +
    '<tas:CommonName>camera</tas:CommonName><tas:SerialNumber>7</tas:SerialNumber>' +
    '<tas:GenericAttribute><tas:Type>2.5.4.9</tas:Type><tas:Value>Street</tas:Value></tas:GenericAttribute>' +
    '<tas:MultiValuedRDN><tas:Attribute><tas:Type>UID</tas:Type><tas:Value>u</tas:Value></tas:Attribute><tas:Attribute><tas:Type>E</tas:Type><tas:Value>a@example.org</tas:Value></tas:Attribute></tas:MultiValuedRDN>' +
    '<tas:anyAttribute><tas:DomainComponent>org</tas:DomainComponent></tas:anyAttribute>'
  const attributes =
    `<tas:CSRAttribute>${extension('X509v3Extension')}</tas:CSRAttribute>` +
    '<tas:CSRAttribute><tas:BasicRequestAttribute><tas:OID>1.2.840.113549.1.9.7</tas:OID><tas:value>EwZzZWNyZXQ=</tas:value></tas:BasicRequestAttribute></tas:CSRAttribute>'
  const [der = Buffer.alloc(0)] = bytes(
    await asked(device, createCsr(keyId, { subject, attributes, algorithm: '1.2.840.10045.4.3.3' })),
    'PKCS10CSR',
  )
  const request = new Pkcs10CertificateRequest(der)
  assert.ok(await request.verify())
  assert.equal(
    request.subject,
    'DC=org, C=CH, O=Example, OU=A, OU=B, 2.5.4.5=7, CN=camera, 2.5.4.9=Street, 0.9.2342.19200300.100.1.1=u+E=a@example.org',
  )
  assert.deepEqual(
    Array.from(request.extensions, ({ type, critical }) => [type, critical]),
    [['2.5.29.19', false]],
    'an empty <critical/> has its default',
  )
  assert.ok(request.attributes.some(({ type }) => type === '1.2.840.113549.1.9.7'))
})

test('a request for a certificate is for every user; what changes the keystore is for the Administrator', async t => {
  const device = await testDevice(t)
  await device.createEveryLevel()
  const keyId = await newKey(device)
  assert.equal((await device.ask(createCsr(keyId), people.User)).fault, undefined)
  assert.equal((await device.ask(selfSign(keyId), people.Operator)).status, 401)
  assert.equal((await device.ask(tas('GetAllKeys'), people.Operator)).status, 401)
})

test('a self-signed certificate has the subject and the times of the request, which are UTC where they do not say', async t => {
  const device = await testDevice(t)
  const keyId = await newKey(device)
  const rest =
    '<tas:Alias>self</tas:Alias><tas:notValidBefore>2026-01-02T03:04:05</tas:notValidBefore><tas:notValidAfter>2027-01-01T00:00:00+02:00</tas:notValidAfter>'
  const id = await idOf(device, 'CertificateID', selfSign(keyId, { name: 'camera-7', rest }))
  const xml = await asked(device, tas('GetCertificate', `<tas:CertificateID>${id}</tas:CertificateID>`))
  assert.deepEqual(
    ['CertificateID', 'KeyID', 'Alias', 'HasPrivateKey'].map(name => texts(xml, name)),
    [[id], [keyId], ['self'], ['true']],
  )
  const certificate = new NodeCertificate(bytes(xml, 'CertificateContent')[0] ?? '')
  assert.ok(certificate.verify(certificate.publicKey))
  assert.equal(certificate.subject, 'CN=camera-7')
  assert.deepEqual(
    [certificate.validFrom, certificate.validTo].map(time => new Date(time).toISOString()),
    ['2026-01-02T03:04:05.000Z', '2026-12-31T22:00:00.000Z'],
  )
  const backwards =
    '<tas:notValidBefore>2027-01-01T00:00:00Z</tas:notValidBefore><tas:notValidAfter>2026-01-01T00:00:00Z</tas:notValidAfter>'
  assert.equal((await device.ask(selfSign(keyId, { rest: backwards }))).fault, 'Sender/InvalidArgVal/InvalidDateTime')
})

test('a certificate finds the key pair it belongs to; that of somebody else brings its public half along', async t => {
  const device = await testDevice(t)
  const [own, other] = [await makeIdentity('own'), await makeIdentity('other')]
  const keyId = await newKey(device, own)
  const uploaded = await asked(
    device,
    uploadCertificate(own.der, '<tas:Alias>own</tas:Alias><tas:PrivateKeyRequired>true</tas:PrivateKeyRequired>'),
  )
  assert.deepEqual(texts(uploaded, 'KeyID'), [keyId])
  await asked(device, uploadCertificate(other.der, '<tas:KeyAlias>theirs</tas:KeyAlias>'))
  const all = await asked(device, tas('GetAllCertificates'))
  assert.deepEqual(texts(all, 'HasPrivateKey'), ['true', 'false'])
  assert.deepEqual(bytes(all, 'CertificateContent'), [own.der, other.der])
  assert.deepEqual(texts(await asked(device, tas('GetAllKeys')), 'Alias'), ['theirs'])
})

test('a PKCS#12 file becomes key, certificates and path; of a passphrase by ID as well, and without the others where that is wanted', async t => {
  const owner = await makeIdentity('owner', { kind: 'RSA' })
  const file = makePkcs12(owner, [owner], 'file secret')
  const device = await testDevice(t)
  const aliases = '<tas:CertificationPathAlias>chain</tas:CertificationPathAlias><tas:KeyAlias>pair</tas:KeyAlias>'
  const uploaded = await asked(device, uploadPkcs12(file, 'file secret', aliases))
  const [pathId = '', keyId = ''] = [...texts(uploaded, 'CertificationPathID'), ...texts(uploaded, 'KeyID')]
  const path = await asked(device, tas('GetCertificationPath', `<tas:CertificationPathID>${pathId}</tas:CertificationPathID>`))
  assert.deepEqual(texts(path, 'Alias'), ['chain'])
  const [certificateId = ''] = texts(path, 'CertificateID')
  const certificate = await asked(device, tas('GetCertificate', `<tas:CertificateID>${certificateId}</tas:CertificateID>`))
  assert.deepEqual([bytes(certificate, 'CertificateContent')[0], texts(certificate, 'KeyID')], [owner.der, [keyId]])

  const again = await testDevice(t)
  const passphraseId = await idOf(again, 'PassphraseID', uploadPassphrase('file secret'))
  const byId = `<tas:IntegrityPassphraseID>${passphraseId}</tas:IntegrityPassphraseID><tas:EncryptionPassphraseID>${passphraseId}</tas:EncryptionPassphraseID>`
  const request = uploadPkcs12(file, '', `<tas:IgnoreAdditionalCertificates>true</tas:IgnoreAdditionalCertificates>${byId}`)
  await asked(again, request.replace('<tas:Passphrase></tas:Passphrase>', ''))
})

test('paths, revocation lists and policies are read as they were written, and changed under the same ID', async t => {
  const device = await testDevice(t)
  const authority = await makeIdentity('authority', { isAuthority: true })
  const leaf = await makeIdentity('leaf', { issuer: authority })
  const [authorityId, leafId] = [await newCertificate(device, authority), await newCertificate(device, leaf)]

  const pathId = await idOf(device, 'CertificationPathID', createPath(leafId, authorityId))
  const named = `<tas:CertificationPathID>${pathId}</tas:CertificationPathID>`
  assert.deepEqual(texts(await asked(device, tas('GetAllCertificationPaths')), 'CertificationPathID'), [pathId])
  const change = `<tas:CertificationPath>${certificateIds(leafId)}<tas:Alias>short</tas:Alias></tas:CertificationPath>`
  await asked(device, tas('SetCertificationPath', named + change))
  const path = await asked(device, tas('GetCertificationPath', named))
  assert.deepEqual([texts(path, 'CertificateID'), texts(path, 'Alias')], [[leafId], ['short']])

  const crl = await makeCrl(authority, [leaf])
  const crlId = await idOf(device, 'CrlID', uploadCrl(crl))
  const list = await asked(device, tas('GetCRL', `<tas:CrlID>${crlId}</tas:CrlID>`))
  assert.deepEqual(bytes(list, 'CRLContent'), [crl])

  const policyId = await idOf(device, 'CertPathValidationPolicyID', createPolicy(authorityId, '', 'clients'))
  const id = `<tas:CertPathValidationPolicyID>${policyId}</tas:CertPathValidationPolicyID>`
  const usage = '<tas:RequireTLSWWWClientAuthExtendedKeyUsage>true</tas:RequireTLSWWWClientAuthExtendedKeyUsage>'
  const set = (outer: string) =>
    tas('SetCertPathValidationPolicy', `${outer}<tas:CertPathValidationPolicy>${id}${policy(leafId, usage)}</tas:CertPathValidationPolicy>`)
  await asked(device, set(id))
  const read = await asked(device, tas('GetCertPathValidationPolicy', id))
  const facts = ['Alias', 'RequireTLSWWWClientAuthExtendedKeyUsage', 'UseDeltaCRLs', 'CertificateID'].map(name => texts(read, name))
  assert.deepEqual(facts, [['clients'], ['true'], ['false'], [leafId]])
  assert.equal((await device.ask(set(id.replace(policyId, 'other')))).fault, 'Sender/InvalidArgVal', 'two policies in one request')
})

test('what something else needs is not deleted', async t => {
  const device = await testDevice(t)
  const authority = await makeIdentity('authority', { isAuthority: true })
  const certificateId = await newCertificate(device, authority)
  const remove = tas('DeleteCertificate', `<tas:CertificateID>${certificateId}</tas:CertificateID>`)
  const holders: readonly (readonly [request: string, id: string, removal: (id: string) => string])[] = [
    [
      createPath(certificateId),
      'CertificationPathID',
      id => tas('DeleteCertificationPath', `<tas:CertificationPathID>${id}</tas:CertificationPathID>`),
    ],
    [uploadCrl(await makeCrl(authority)), 'CrlID', id => tas('DeleteCRL', `<tas:CrlID>${id}</tas:CrlID>`)],
    [
      createPolicy(certificateId),
      'CertPathValidationPolicyID',
      id => tas('DeleteCertPathValidationPolicy', `<tas:CertPathValidationPolicyID>${id}</tas:CertPathValidationPolicyID>`),
    ],
  ]
  for (const [request, name, removal] of holders) {
    const id = await idOf(device, name, request)
    assert.equal((await device.ask(remove)).fault, 'Sender/InvalidArgVal/ReferenceExists', name)
    await asked(device, removal(id))
  }
  await asked(device, remove)
})

test('a request that fails leaves nothing of itself behind', async t => {
  const device = await testDevice(t)
  const [one, other] = [await makeIdentity('one', { kind: 'RSA' }), await makeIdentity('other', { kind: 'RSA' })]
  const [certificateId, stranger] = [await newCertificate(device), await newCertificate(device)]
  const pathId = await idOf(device, 'CertificationPathID', createPath(certificateId))
  const path = `<tas:CertificationPathID>${pathId}</tas:CertificationPathID>`
  const failing = [
    uploadPkcs12(makePkcs12(one, [one, other], 'secret'), 'secret'),
    uploadPkcs12(makePkcs12(one, [other], 'secret'), 'secret'),
    uploadPkcs12(makePkcs12(one, [one], 'secret'), 'wrong'),
    createPath(certificateId, 'none'),
    createPath(certificateId, stranger),
    tas('SetCertificationPath', `${path}<tas:CertificationPath>${certificateIds(stranger, 'none')}</tas:CertificationPath>`),
    tas('CreateCertPathValidationPolicy', policy(certificateId) + policy('none').replace(/^.*<\/tas:Parameters>/, '')),
    uploadCertificate(one.der, '<tas:PrivateKeyRequired>true</tas:PrivateKeyRequired>'),
    uploadKey(one.pkcs8, 'x'.repeat(10_000)),
  ]
  const before = await exportedState(device)
  for (const request of failing) {
    const { fault, reason } = await device.ask(request)
    assert.match(fault ?? 'none', /^Sender\/InvalidArgVal|^Receiver\/Action\/NoMatchingPrivateKey$/, `${reason}: ${request.slice(0, 200)}`)
    assert.deepEqual(await exportedState(device), before)
  }
})

test('neither a private key nor a passphrase is in any answer', async t => {
  const device = await testDevice(t)
  const identity = await makeIdentity('own')
  await newKey(device, identity)
  await asked(device, uploadPassphrase('no-answer-has-this', 'its name'))
  const d = KeyObject.from(identity.keys.privateKey).export({ format: 'jwk' }).d ?? assert.fail('no private number')
  const answers = Object.values(await exportedState(device)).join('\n')
  assert.match(answers, />its name</)
  assert.doesNotMatch(answers, /no-answer-has-this/)
  for (const secret of [Buffer.from(d, 'base64url').toString('base64'), identity.pkcs8.toString('base64').slice(40, 80)])
    assert.ok(!answers.includes(secret))
})
