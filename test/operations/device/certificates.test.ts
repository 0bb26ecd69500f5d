import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { issue, lacksOpenssl, makeKey, makeRoot, openssl, read, write } from '../../device/certificates/lab.ts'
import { createTestDevice, raises } from './testDevice.ts'

const skip = lacksOpenssl
if (!skip) {
  makeRoot('desk-root')
  makeRoot('desk-other')
  issue('desk-leaf', 'desk-root', ['keyUsage=critical,digitalSignature,keyAgreement', 'extendedKeyUsage=serverAuth,1.2.3.4'], {
    type: 'rsa:2048',
  })
}
const data = (bytes: Uint8Array) => ({ Data: bytes })
const entry = (CertificateID: string, bytes: Uint8Array) => ({ CertificateID, Certificate: data(bytes) })
const der = (certificate: { readonly Certificate: { readonly Data: Uint8Array } } | undefined) =>
  new X509Certificate(certificate?.Certificate.Data ?? assert.fail('no certificate'))

test('made by the device, signed by a CA of openssl, loaded and enabled: both faces show it', { skip }, async t => {
  const zone = process.env.TZ
  process.env.TZ = 'Pacific/Auckland'
  t.after(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  const { perform, keystore } = await createTestDevice(t)
  const { NvtCertificate } = await perform('CreateCertificate', { CertificateID: 'first', ValidNotAfter: '2030-01-02T03:04:05' })
  assert.equal(NvtCertificate.CertificateID, 'first')
  const made = der(NvtCertificate)
  const hostname = (await perform('GetHostname', {})).HostnameInformation.Name ?? ''
  assert.equal(made.subject, `CN=${hostname}`)
  assert.ok(made.verify(made.publicKey), 'it is its own issuer')
  assert.equal(made.validTo, 'Jan  2 03:04:05 2030 GMT', 'a time without a zone is UTC')
  for (const name of [hostname, '192.0.2.7', '127.0.0.1'])
    assert.ok(made.checkHost(name) ?? made.checkIP(name), `a client that uses ${name} finds it: ${made.subjectAltName}`)

  const { Pkcs10Request } = await perform('GetPkcs10Request', { CertificateID: 'first', Subject: 'gate, north' })
  write('desk.csr', Pkcs10Request.Data)
  assert.match(
    openssl('req', '-inform', 'DER', '-in', 'desk.csr', '-verify', '-noout', '-subject', '-nameopt', 'RFC2253'),
    /CN=gate\\, north/,
  )
  const signed = issue('desk', 'desk-root', [], { csr: true })
  await perform('LoadCertificates', { NVTCertificate: [entry('signed', signed)] })
  await perform('LoadCACertificates', { CACertificate: [entry('root', read('desk-root.crt')), entry('other', read('desk-other.der'))] })
  const { NvtCertificate: own } = await perform('GetCertificates', {})
  assert.deepEqual(
    own?.map(({ CertificateID }) => CertificateID),
    ['first', 'signed'],
  )
  assert.deepEqual(der(own?.[1]).raw, signed)
  const { CACertificate: authorities } = await perform('GetCACertificates', {})
  assert.deepEqual(
    authorities?.map(({ Certificate }) => Certificate.Data),
    [read('desk-root.der'), read('desk-other.der')],
    'PEM is taken, and DER is given',
  )

  const statuses = async () => (await perform('GetCertificatesStatus', {})).CertificateStatus?.map(({ Status }) => Status)
  assert.deepEqual(await statuses(), [false, false])
  let renewals = 0
  keystore.tls.watch(() => renewals++)
  await perform('SetCertificatesStatus', { CertificateStatus: [{ CertificateID: 'signed', Status: true }] })
  assert.deepEqual([await statuses(), renewals], [[false, true], 1])
  assert.deepEqual(keystore.tls.settings().identities[0]?.chainPem, new X509Certificate(signed).toString() + read('desk-root.crt'))
  const { Certificate: all } = await perform('tas:GetAllCertificates', {})
  assert.deepEqual(
    all?.map(({ HasPrivateKey }) => HasPrivateKey),
    [true, true, false, false],
  )

  await assert.rejects(
    perform('DeleteCertificates', { CertificateID: ['first', 'signed'] }),
    raises('Receiver/Action/ReferencedCertificate'),
  )
  await perform('SetCertificatesStatus', { CertificateStatus: [{ CertificateID: 'signed', Status: false }] })
  await perform('DeleteCertificates', { CertificateID: ['first', 'signed', 'other'] })
  assert.deepEqual([(await perform('GetCertificates', {})).NvtCertificate, renewals], [[], 2])
})

test('a certificate of the Security service is one of the Device service, under its ID', { skip }, async t => {
  const { perform } = await createTestDevice(t)
  await perform('tas:UploadKeyPairInPKCS8', { KeyPair: read('desk-leaf.p8') })
  const { CertificateID } = await perform('tas:UploadCertificate', { Certificate: read('desk-leaf.der') })
  assert.deepEqual((await perform('GetCertificates', {})).NvtCertificate, [entry(CertificateID, read('desk-leaf.der'))])
  await perform('DeleteCertificates', { CertificateID: [CertificateID] })
  assert.deepEqual((await perform('tas:GetAllCertificates', {})).Certificate, [])
})

test('what is in a certificate is told as openssl tells it', { skip }, async t => {
  const { perform } = await createTestDevice(t)
  await perform('LoadCertificateWithPrivateKey', {
    CertificateWithPrivateKey: [{ ...entry('leaf', read('desk-leaf.der')), PrivateKey: data(read('desk-leaf.p8')) }],
  })
  const { CertificateInformation: told } = await perform('GetCertificateInformation', { CertificateID: 'leaf' })
  const { serialNumber, validFromDate, validToDate } = new X509Certificate(read('desk-leaf.der'))
  const { Validity, SerialNum, ...rest } = told
  assert.deepEqual(rest, {
    CertificateID: 'leaf',
    IssuerDN: 'CN=desk-root',
    SubjectDN: 'CN=desk-leaf',
    KeyUsage: { Critical: true, $value: 'digitalSignature, keyAgreement' },
    ExtendedKeyUsage: { Critical: false, $value: 'serverAuth, 1.2.3.4' },
    KeyLength: 2048,
    Version: '3',
    SignatureAlgorithm: 'ecdsa-with-SHA256',
  })
  assert.equal(SerialNum?.toUpperCase(), serialNumber)
  assert.deepEqual([Validity?.From, Validity?.Until], [validFromDate.toISOString(), validToDate.toISOString()])
})

test('a request carries the attributes that it was given in DER, all of them or one', { skip }, async t => {
  const { perform } = await createTestDevice(t)
  await perform('CreateCertificate', { CertificateID: 'mine', Subject: 'O=Company,CN=camera' })
  const attribute = (oid: string, value: string) =>
    `SEQUENCE:${oid.replaceAll('.', '_')}\n[${oid.replaceAll('.', '_')}]\noid=OID:${oid}\n${value}\n`
  const password = attribute('1.2.840.113549.1.9.7', 'value=SET:p\n[p]\np=UTF8:open sesame')
  const name = attribute('1.2.840.113549.1.9.2', 'value=SET:n\n[n]\nn=UTF8:unstructured')
  write('one.cnf', `asn1=${password}`)
  write('set.cnf', `asn1=SET:all\n[all]\na=${password.replace('\n', `\nb=${name.split('\n')[0]}\n`)}${name.slice(name.indexOf('\n') + 1)}`)
  for (const form of ['one', 'set']) {
    openssl('asn1parse', '-genconf', `${form}.cnf`, '-noout', '-out', `${form}.der`)
    const { Pkcs10Request } = await perform('GetPkcs10Request', { CertificateID: 'mine', Attributes: data(read(`${form}.der`)) })
    write('attributes.csr', Pkcs10Request.Data)
    const text = openssl('req', '-inform', 'DER', '-in', 'attributes.csr', '-verify', '-noout', '-text', '-nameopt', 'RFC2253')
    assert.match(text, /challengePassword\s*:open sesame/)
    assert.equal(/unstructuredName\s*:unstructured/.test(text), form === 'set')
    assert.match(text, /Subject: .*CN\s?=\s?camera/, 'the subject is that of the certificate')
  }
  for (const wrong of [
    Buffer.alloc(0),
    Buffer.from('0500', 'hex'),
    // challengePassword without any value, and with two.
    Buffer.from('300d06092a864886f70d0109073100', 'hex'),
    Buffer.from('301306092a864886f70d01090731060c01610c0162', 'hex'),
    read('one.der').subarray(0, -1),
    read('desk-leaf.der'),
    Buffer.alloc(20_000, 0x30),
  ])
    await assert.rejects(
      perform('GetPkcs10Request', { CertificateID: 'mine', Attributes: data(wrong) }),
      raises('Sender/InvalidArgVal/InvalidAttribute'),
    )
})

test('a bad item anywhere has its fault, and nothing changes', { skip }, async t => {
  const { perform, store } = await createTestDevice(t)
  makeKey('desk-loose')
  await perform('CreateCertificate', { CertificateID: 'taken' })
  await perform('LoadCACertificates', { CACertificate: [entry('root', read('desk-root.der'))] })
  const [leaf, other, key] = [read('desk-leaf.der'), read('desk-other.der'), read('desk-leaf.p8')]
  const pair = (id: string | undefined, certificate: Uint8Array, pkcs8: Uint8Array) => ({
    CertificateID: id,
    Certificate: data(certificate),
    PrivateKey: data(pkcs8),
  })
  const status = (...statuses: readonly (readonly [string, boolean])[]) =>
    perform('SetCertificatesStatus', { CertificateStatus: statuses.map(([CertificateID, Status]) => ({ CertificateID, Status })) })
  const refused: readonly (readonly [() => Promise<unknown>, string])[] = [
    [() => perform('CreateCertificate', { CertificateID: 'taken' }), 'Sender/InvalidArgVal/CertificateID'],
    [() => perform('CreateCertificate', { CertificateID: 'root' }), 'Sender/InvalidArgVal/CertificateID'],
    [
      () => perform('CreateCertificate', { ValidNotBefore: '2040-01-01T00:00:00Z', ValidNotAfter: '2030-01-01T00:00:00Z' }),
      'Sender/InvalidArgVal/InvalidDateTime',
    ],
    [() => perform('CreateCertificate', { ValidNotAfter: '99999-01-01T00:00:00Z' }), 'Sender/InvalidArgVal/InvalidDateTime'],
    [() => perform('CreateCertificate', { ValidNotAfter: '-0001-01-01T00:00:00Z' }), 'Sender/InvalidArgVal/InvalidDateTime'],
    [() => perform('CreateCertificate', { Subject: 'garbage=a' }), 'Sender/InvalidArgVal/InvalidSubject'],
    [() => perform('CreateCertificate', { Subject: 'x'.repeat(65) }), 'Sender/InvalidArgVal/InvalidSubject'],
    [() => perform('DeleteCertificates', { CertificateID: ['taken', 'nobody'] }), 'Sender/InvalidArgVal/CertificateID'],
    [() => perform('GetPkcs10Request', { CertificateID: 'nobody' }), 'Sender/InvalidArgVal/CertificateID'],
    [() => perform('GetPkcs10Request', { CertificateID: 'root' }), 'Sender/InvalidArgVal/CertificateID'],
    [() => perform('GetCertificateInformation', { CertificateID: 'nobody' }), 'Sender/InvalidArgVal/CertificateID'],
    [() => perform('LoadCertificates', { NVTCertificate: [entry('a', leaf)] }), 'Sender/InvalidArgVal/CertificateFormat'],
    [() => perform('LoadCertificates', { NVTCertificate: [entry('a', key)] }), 'Sender/InvalidArgVal/CertificateFormat'],
    [
      () => perform('LoadCertificateWithPrivateKey', { CertificateWithPrivateKey: [pair('a', leaf, key), pair('b', leaf, leaf)] }),
      'Sender/InvalidArgVal/CertificateFormat',
    ],
    [
      () => perform('LoadCertificateWithPrivateKey', { CertificateWithPrivateKey: [pair('taken', leaf, key)] }),
      'Sender/InvalidArgVal/CertificateID',
    ],
    [
      () => perform('LoadCertificateWithPrivateKey', { CertificateWithPrivateKey: [pair('a', leaf, read('desk-loose.p8'))] }),
      'Sender/InvalidArgVal/KeysNotMatching',
    ],
    [
      () => perform('LoadCACertificates', { CACertificate: [entry('b', other), entry('root', other)] }),
      'Sender/InvalidArgVal/CACertificateID',
    ],
    [
      () => perform('LoadCACertificates', { CACertificate: [entry('b', other), entry('c', leaf)] }),
      'Sender/InvalidArgVal/CertificateFormat',
    ],
    [() => status(['taken', true], ['nobody', false]), 'Sender/InvalidArgVal/CertificateID'],
    [() => status(['root', true]), 'Sender/InvalidArgVal/CertificateID'],
  ]
  const before = store.exportDocuments()
  for (const [work, fault] of refused) await assert.rejects(work, raises(fault), String(work))
  assert.deepEqual(store.exportDocuments(), before)
  await perform('CreateCertificate', { CertificateID: 'second' })
  await assert.rejects(status(['taken', true], ['second', true]), raises('Sender/InvalidArgVal/CertificateID'))
})

test('the last certificate of HTTPS cannot be taken from it', { skip }, async t => {
  const { perform } = await createTestDevice(t, { tlsEnabled: true })
  await perform('CreateCertificate', { CertificateID: 'only' })
  await perform('SetCertificatesStatus', { CertificateStatus: [{ CertificateID: 'only', Status: true }] })
  await assert.rejects(
    perform('SetCertificatesStatus', { CertificateStatus: [{ CertificateID: 'only', Status: false }] }),
    raises('Sender/OperationProhibited'),
  )
})

test('clients have to have a certificate where there is somebody to vouch for it', { skip }, async t => {
  const { perform, keystore } = await createTestDevice(t)
  assert.deepEqual(await perform('GetClientCertificateMode', {}), { Enabled: false })
  await assert.rejects(perform('SetClientCertificateMode', { Enabled: true }), raises('Receiver/InvalidArgVal/ClientAuth'))
  await perform('LoadCACertificates', { CACertificate: [entry('root', read('desk-root.der'))] })
  await perform('SetClientCertificateMode', { Enabled: true })
  assert.deepEqual(await perform('GetClientCertificateMode', {}), { Enabled: true })
  assert.deepEqual(await perform('tas:GetClientAuthenticationRequired', {}), { clientAuthenticationRequired: true })
  const { asked, required } = keystore.tls.settings().client
  assert.deepEqual([asked, required], [true, true])
  await assert.rejects(perform('DeleteCertificates', { CertificateID: ['root'] }), raises('Receiver/Action/ReferencedCertificate'))
  await perform('SetClientCertificateMode', { Enabled: false })
  assert.equal(keystore.tls.settings().client.asked, false)
  await perform('DeleteCertificates', { CertificateID: ['root'] })
})

test('a device without HTTPS has what IEEE 802.1X needs, and does not claim the rest', async t => {
  const { perform } = await createTestDevice(t, { servesTls: false })
  await assert.rejects(perform('GetCertificatesStatus', {}), raises('Receiver/ActionNotSupported'))
  await assert.rejects(perform('SetCertificatesStatus', {}), raises('Receiver/ActionNotSupported'))
  await assert.rejects(perform('GetClientCertificateMode', {}), raises('Receiver/ActionNotSupported'))
  await assert.rejects(perform('SetClientCertificateMode', { Enabled: false }), raises('Receiver/ActionNotSupported'))
  assert.equal((await perform('CreateCertificate', {})).NvtCertificate.Certificate.Data.length > 100, true)
  const { Security } = (await perform('GetServiceCapabilities', {})).Capabilities
  assert.deepEqual([Security['TLS1.2'], Security.OnboardKeyGeneration, Security.Dot1X], [false, true, true])
})

test('the capabilities say which TLS there can be, in both forms', async t => {
  for (const allowLegacy of [false, true]) {
    const { perform } = await createTestDevice(t, { allowLegacy })
    const { Network, Security } = (await perform('GetServiceCapabilities', {})).Capabilities
    const { 'TLS1.0': tls10, 'TLS1.1': tls11, 'TLS1.2': tls12, OnboardKeyGeneration, Dot1X, SupportedEAPMethods } = Security
    assert.deepEqual([tls10, tls11, tls12, OnboardKeyGeneration, Dot1X], [allowLegacy, allowLegacy, true, true, true])
    assert.deepEqual([SupportedEAPMethods, Network.Dot1XConfigurations], [[4, 13, 21, 25], 8])
    const legacy = (await perform('GetCapabilities', {})).Capabilities.Device?.Security ?? assert.fail('no Security')
    assert.deepEqual([legacy['TLS1.1'], legacy['TLS1.2'], legacy.OnboardKeyGeneration], [allowLegacy, true, true])
    assert.deepEqual(legacy.Extension, {
      'TLS1.0': allowLegacy,
      Extension: { Dot1X: true, SupportedEAPMethod: SupportedEAPMethods, RemoteUserHandling: Security.RemoteUserHandling },
    })
  }
})
