import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createSecureContext } from 'node:tls'
import { Certificate } from '@peculiar/asn1-x509'
import * as asn1js from 'asn1js'
import forge from 'node-forge'
import { AlgorithmIdentifier, AuthenticatedSafe, DigestInfo, MacData, PBES2Params, PBKDF2Params, PFX } from 'pkijs'
import { loadKeyFiles } from '../../../src/device/certificates/x509/loadKeyFiles.ts'
import { readRequest } from '../../../src/device/certificates/x509/making.ts'
import { X509Error } from '../../../src/device/certificates/x509/x509Error.ts'
import { parseDer } from '../../../src/device/der.ts'
import { limits } from '../../../src/limits.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import { padCrl } from '../../support/identities.ts'
import {
  authorityExtensions,
  clientExtensions,
  faultOf,
  issue,
  lacksOpenssl,
  makeCrl,
  makeKey,
  makeRoot,
  newKeystore,
  openssl,
  read,
  write,
} from './lab.ts'

test('PKCS #8 as openssl writes it, plain and under a passphrase', { skip: lacksOpenssl }, async () => {
  makeKey('eight-rsa', 'rsa:2048')
  makeKey('eight-ec', 'P-384')
  const encrypt = (name: string, ...how: readonly string[]): Buffer => {
    openssl('pkcs8', '-topk8', '-in', `${name}.key`, '-outform', 'DER', '-out', 'encrypted.p8', '-passout', 'pass:secret', ...how)
    return read('encrypted.p8')
  }
  const { keys, passphrases } = newKeystore()
  const passphraseId = passphrases.upload('secret')
  for (const name of ['eight-rsa', 'eight-ec']) {
    const id = await keys.upload(read(`${name}.p8`))
    for (const how of [
      ['-v2', 'aes-128-cbc'],
      ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA512'],
      ['-v2', 'aes-256-cbc', '-iter', '600000'],
    ]) {
      const file = encrypt(name, ...how)
      assert.equal(await keys.upload(file, { passphraseId }), id, 'the same key is the same entry')
      assert.equal(await keys.upload(file, { passphraseId: 'nobody', passphrase: 'secret' }), id, 'the inline one wins')
      assert.equal(await faultOf(() => keys.upload(file, { passphraseId: 'nobody' })), 'PassphraseID')
      assert.equal(await faultOf(() => keys.upload(file)), 'DecryptionFailed')
      assert.equal(await faultOf(() => keys.upload(file, { passphrase: 'wrong' })), 'DecryptionFailed')
    }
  }
  for (const how of [
    ['-v1', 'PBE-SHA1-3DES'],
    ['-v2', 'des3'],
    ['-scrypt'],
    ['-v2', 'aes-256-cbc', '-iter', `${limits.pbkdf2RoundsMax + 1}`],
  ])
    assert.equal(await faultOf(() => keys.upload(encrypt('eight-ec', ...how), { passphrase: 'secret' })), 'BadPKCS8File', how.join(' '))
  assert.equal(keys.list().length, 2)
  const old = newKeystore({ legacy: true })
  await old.keys.upload(encrypt('eight-ec', '-v1', 'PBE-SHA1-3DES'), { passphrase: 'secret' })
  assert.equal(
    await faultOf(() => old.keys.upload(encrypt('eight-ec', '-v1', 'PBE-SHA1-3DES'), { passphrase: 'wrong' })),
    'DecryptionFailed',
  )
})

test('PKCS #12 as openssl writes it: RSA and EC, chains, with and without checks', { skip: lacksOpenssl }, async () => {
  makeRoot('twelve-root', 'rsa:2048')
  issue('twelve-middle', 'twelve-root', authorityExtensions)
  issue('twelve-rsa', 'twelve-middle', [], { type: 'rsa:2048' })
  issue('twelve-ec', 'twelve-middle', [], { type: 'P-384' })
  write('twelve-chain.crt', Buffer.concat([read('twelve-middle.crt'), read('twelve-root.crt')]))
  const pack = (name: string, ...how: readonly string[]): Buffer => {
    const chain = ['-certfile', 'twelve-chain.crt', '-out', 'twelve.p12', '-passout', 'pass:geheim']
    openssl('pkcs12', '-export', '-inkey', `${name}.key`, '-in', `${name}.crt`, ...chain, ...how)
    return read('twelve.p12')
  }
  for (const name of ['twelve-rsa', 'twelve-ec'])
    for (const how of [
      [],
      ['-certpbe', 'AES-128-CBC', '-keypbe', 'AES-256-CBC', '-macalg', 'sha512'],
      ['-nomac'],
      ['-iter', '10000'],
      ['-certpbe', 'NONE'],
    ]) {
      const { certificates, paths, keys, passphrases, state } = newKeystore()
      const file = pack(name, ...how)
      const empty = state()
      assert.equal(await faultOf(() => certificates.uploadPkcs12(file, { passphrase: 'wrong' })), 'DecryptionFailed', how.join(' '))
      assert.equal(await faultOf(() => certificates.uploadPkcs12(file)), 'DecryptionFailed')
      assert.equal(state(), empty)
      const passphraseId = passphrases.upload('geheim')
      const byId = { integrityPassphraseId: passphraseId, encryptionPassphraseId: passphraseId }
      const checked = how[0] === '-nomac' ? await faultOf(() => certificates.uploadPkcs12(file, byId)) : 'none'
      assert.equal(checked, how[0] === '-nomac' ? 'BadPKCS12File' : 'none', 'what is to be checked has a check')
      const { pathId, keyId } = await certificates.uploadPkcs12(file, how[0] === '-nomac' ? { passphrase: 'geheim' } : byId)
      const chain = paths.get(pathId).certificateIds.map(id => certificates.get(id))
      assert.deepEqual(
        chain.map(({ der }) => der.toString('hex')),
        [name, 'twelve-middle', 'twelve-root'].map(each => read(`${each}.der`).toString('hex')),
      )
      assert.deepEqual([chain[0]?.keyId, keys.get(keyId).hasPrivateKey], [keyId, true])
      const again = await certificates.uploadPkcs12(file, { passphrase: 'geheim', ignoreAdditionalCertificates: true, pathAlias: 'alone' })
      assert.equal(again.keyId, keyId)
      assert.deepEqual([paths.get(again.pathId).alias, paths.get(again.pathId).certificateIds], ['alone', [chain[0]?.id]])
      assert.equal(certificates.list().length, 3)
    }
})

test('PKCS #12 that is old, too dear, or of parts that do not belong together', { skip: lacksOpenssl }, async () => {
  makeRoot('odd-root', 'rsa:2048')
  makeRoot('odd-other')
  const pack = (...how: readonly string[]): Buffer => {
    openssl('pkcs12', '-export', '-inkey', 'odd-root.key', '-in', 'odd-root.crt', '-out', 'odd.p12', '-passout', 'pass:geheim', ...how)
    return read('odd.p12')
  }
  const old = pack('-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha1')
  const { certificates, state } = newKeystore()
  const before = state()
  const upload = (file: Buffer) => faultOf(() => certificates.uploadPkcs12(file, { passphrase: 'geheim' }))
  assert.equal(await upload(old), 'BadPKCS12File')
  assert.equal(await upload(pack('-iter', `${limits.pkcs12RoundsMax + 1}`)), 'BadPKCS12File')
  assert.equal(await upload(pack('-iter', '6000', '-macalg', 'sha512')), 'BadPKCS12File')
  assert.equal(await upload(pack('-iter', `${limits.pbkdf2RoundsMax}`, '-nomaciter')), 'BadPKCS12File', 'together they are too many')
  assert.equal(await upload(pack('-nokeys')), 'BadPKCS12File')
  // The key of one, the certificate of another: openssl does not make that, and node-forge does not look.
  makeRoot('odd-second', 'rsa:2048')
  const { pki, pkcs12, asn1 } = forge
  const strangers = [pki.certificateFromPem(read('odd-second.crt').toString())]
  const mixed = pkcs12.toPkcs12Asn1(pki.privateKeyFromPem(read('odd-root.key').toString()), strangers, 'geheim', { algorithm: 'aes256' })
  assert.equal(await upload(Buffer.from(asn1.toDer(mixed).getBytes(), 'latin1')), 'PublicPrivateKeyMismatch')
  assert.equal(await upload(pack('-certfile', 'odd-other.crt')), 'InvalidCertificationPath')
  assert.equal(state(), before)
  const tolerant = newKeystore({ legacy: true })
  await tolerant.certificates.uploadPkcs12(old, { passphrase: 'geheim' })
  assert.equal(tolerant.certificates.list().length, 1)
  assert.equal(await faultOf(() => tolerant.certificates.uploadPkcs12(old, { passphrase: 'wrong' })), 'DecryptionFailed')
})

/** The same file in as many parts, each with the certificate, but for the last one, which has the key. */
function withParts(file: Buffer, count: number): Buffer {
  const pfx = PFX.fromBER(file)
  const safe = AuthenticatedSafe.fromBER(new Uint8Array(Buffer.from(pfx.authSafe.content.getValue())))
  const [certificate, key] = safe.safeContents
  assert.ok(certificate && key)
  safe.safeContents = [...Array.from({ length: count - 1 }, () => certificate), key]
  pfx.authSafe.content = new asn1js.OctetString({ valueHex: safe.toSchema().toBER(false) })
  return Buffer.from(pfx.toSchema().toBER(false))
}

test('PKCS #12 of more bags or parts than pkcs12BagsMax', { skip: lacksOpenssl }, async () => {
  makeRoot('bags')
  const pack = (bags: number): Buffer => {
    // Beside the key and its certificate.
    write('bags-more.crt', Buffer.concat(Array.from({ length: bags - 2 }, () => read('bags.crt'))))
    const more = bags > 2 ? ['-certfile', 'bags-more.crt'] : []
    const how = ['-nomac', '-certpbe', 'NONE', '-out', 'bags.p12', '-passout', 'pass:geheim']
    openssl('pkcs12', '-export', '-inkey', 'bags.key', '-in', 'bags.crt', ...more, ...how)
    return read('bags.p12')
  }
  for (const [make, reason] of [
    [pack, `at most ${limits.pkcs12BagsMax} bags`],
    [(parts: number) => withParts(pack(2), parts), `at most ${limits.pkcs12BagsMax} parts`],
  ] as const) {
    const { state, certificates } = newKeystore()
    const before = state()
    const upload = (file: Buffer) => certificates.uploadPkcs12(file, { passphrase: 'geheim', ignoreAdditionalCertificates: true })
    await assert.rejects(upload(make(limits.pkcs12BagsMax + 1)), new RegExp(reason))
    assert.equal(state(), before)
    await upload(make(limits.pkcs12BagsMax))
  }
})

test('a CRL of more nodes than crlNodesMax', { skip: lacksOpenssl }, async () => {
  makeRoot('padded')
  const crl = makeCrl('padded', ['padded'])
  const { crls, state } = newKeystore()
  const before = state()
  assert.equal(await faultOf(() => crls.upload(padCrl(crl, limits.crlNodesMax))), 'BadCRL')
  assert.equal(state(), before)
  // The list has less than a hundred of its own.
  assert.equal(await faultOf(() => crls.upload(padCrl(crl, limits.crlNodesMax - 100))), 'none')
})

/** The file with a check as RFC 9579 has it: openssl makes such since 3.4. */
function withPbmac1(file: Buffer, passphrase: string, rounds: number, keyLength: number): Buffer {
  const pfx = PFX.fromBER(file)
  const salt = Buffer.from('a salt for it')
  const hmac = (oid: string) => new AlgorithmIdentifier({ algorithmId: oid, algorithmParams: new asn1js.Null() })
  const derivation = new PBKDF2Params({
    salt: new asn1js.OctetString({ valueHex: salt }),
    iterationCount: rounds,
    keyLength,
    prf: hmac('1.2.840.113549.2.9'),
  })
  const parameters = new PBES2Params({
    keyDerivationFunc: new AlgorithmIdentifier({ algorithmId: '1.2.840.113549.1.5.12', algorithmParams: derivation.toSchema() }),
    encryptionScheme: hmac('1.2.840.113549.2.11'),
  })
  const key = pbkdf2Sync(passphrase, salt, rounds, keyLength, 'sha256')
  const mac = createHmac('sha512', key).update(Buffer.from(pfx.authSafe.content.getValue())).digest()
  pfx.macData = new MacData({
    mac: new DigestInfo({
      digestAlgorithm: new AlgorithmIdentifier({ algorithmId: '1.2.840.113549.1.5.14', algorithmParams: parameters.toSchema() }),
      digest: new asn1js.OctetString({ valueHex: mac }),
    }),
    macSalt: new asn1js.OctetString({ valueHex: salt }),
    iterations: 1,
  })
  return Buffer.from(pfx.toSchema().toBER(false))
}

test('PKCS #12 with PBMAC1, as the OpenSSL inside of Node takes it', { skip: lacksOpenssl }, async () => {
  makeRoot('pbmac', 'rsa:2048')
  openssl('pkcs12', '-export', '-inkey', 'pbmac.key', '-in', 'pbmac.crt', '-out', 'pbmac.p12', '-passout', 'pass:geheim')
  const pfx = withPbmac1(read('pbmac.p12'), 'geheim', 2_048, 32)
  assert.ok(createSecureContext({ pfx, passphrase: 'geheim' }))
  assert.throws(() => createSecureContext({ pfx, passphrase: 'wrong' }), /mac verify/)
  const { certificates, state } = newKeystore()
  const before = state()
  assert.equal(await faultOf(() => certificates.uploadPkcs12(pfx, { passphrase: 'wrong' })), 'DecryptionFailed')
  const changed = Buffer.from(pfx.map((byte, index) => (index === 200 ? byte ^ 1 : byte)))
  assert.equal(await faultOf(() => certificates.uploadPkcs12(changed, { passphrase: 'geheim' })), 'DecryptionFailed')
  for (const [rounds, length] of [
    [limits.pbkdf2RoundsMax + 1, 32],
    [2_048, 16],
  ] as const)
    assert.equal(
      await faultOf(() => certificates.uploadPkcs12(withPbmac1(read('pbmac.p12'), 'geheim', rounds, length), { passphrase: 'geheim' })),
      'BadPKCS12File',
    )
  assert.equal(state(), before)
  await certificates.uploadPkcs12(pfx, { passphrase: 'geheim' })
})

test('keys and signatures that are too weak, too large or unknown', { skip: lacksOpenssl }, async () => {
  const { keys, certificates, state } = newKeystore()
  const before = state()
  for (const type of ['rsa:1024', 'secp256k1', 'ed25519'] as const) {
    makeKey('weak', type)
    assert.equal(await faultOf(() => keys.upload(read('weak.p8'))), 'UnsupportedPublicKeyAlgorithm', type)
    openssl('req', '-x509', '-new', '-key', 'weak.key', '-subj', '/CN=weak', '-outform', 'DER', '-out', 'weak.der')
    assert.equal(await faultOf(() => certificates.upload(read('weak.der'))), 'UnsupportedPublicKeyAlgorithm', type)
  }
  makeKey('sha1', 'rsa:2048')
  openssl('req', '-x509', '-new', '-sha1', '-key', 'sha1.key', '-subj', '/CN=sha1', '-outform', 'DER', '-out', 'sha1.der')
  assert.equal(await faultOf(() => certificates.upload(read('sha1.der'))), 'UnsupportedSignatureAlgorithm')
  assert.equal(state(), before)
  assert.equal(await faultOf(() => newKeystore({ legacy: true }).certificates.upload(read('sha1.der'))), 'none')
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'sha1.key',
    '-subj',
    '/CN=pss',
    '-sigopt',
    'rsa_padding_mode:pss',
    '-outform',
    'DER',
    '-out',
    'pss.der',
  )
  assert.equal(await faultOf(() => certificates.upload(read('pss.der'))), 'none')
})

/** A certificate around this key, signed with another one: nobody can say before he calculates. */
async function certificateAround(publicKey: KeyObject, name: string): Promise<Buffer> {
  write(`${name}.pub`, publicKey.export({ type: 'spki', format: 'pem' }).toString())
  makeKey('around')
  openssl('req', '-new', '-key', 'around.key', '-subj', `/CN=${name}`, '-out', 'around.csr')
  const how = ['-force_pubkey', `${name}.pub`, '-CA', 'around-root.crt', '-CAkey', 'around-root.key', '-CAcreateserial']
  openssl('x509', '-req', '-in', 'around.csr', ...how, '-outform', 'DER', '-out', `${name}.der`)
  return read(`${name}.der`)
}

test('RSA keys that are an attack are refused at once', { skip: lacksOpenssl }, async () => {
  makeRoot('around-root')
  const { createPublicKey } = await import('node:crypto')
  const jwk = (bits: number, exponent: Buffer) =>
    createPublicKey({
      key: {
        kty: 'RSA',
        n: Buffer.concat([Buffer.of(0xc1), Buffer.alloc(bits / 8 - 2, 0xa5), Buffer.of(1)]).toString('base64url'),
        e: exponent.toString('base64url'),
      },
      format: 'jwk',
    })
  const { certificates } = newKeystore()
  for (const [name, key] of [
    ['e1', jwk(2048, Buffer.of(1))],
    ['e2', jwk(2048, Buffer.of(2))],
    ['elong', jwk(2048, Buffer.alloc(200, 0xff))],
    ['short', jwk(limits.rsaBitsMin - 8, Buffer.of(1, 0, 1))],
    ['long', jwk(limits.rsaBitsMax + 8, Buffer.of(1, 0, 1))],
    ['n16384', jwk(16_384, Buffer.of(1, 0, 1))],
  ] as const) {
    const der = await certificateAround(key, name)
    const start = performance.now()
    assert.equal(await faultOf(() => certificates.upload(der)), 'UnsupportedPublicKeyAlgorithm', name)
    assert.ok(performance.now() - start < blownUpMs, name)
  }
  for (const bits of [limits.rsaBitsMin, limits.rsaBitsMax]) {
    const der = await certificateAround(jwk(bits, Buffer.of(1, 0, 1)), `within${bits}`)
    assert.equal(await faultOf(() => certificates.upload(der)), 'none')
  }
})

test('a key pair of more bits than privateRsaBitsMax', async () => {
  const { keys } = newKeystore()
  const pair = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ format: 'der', type: 'pkcs8' })
  assert.equal(await faultOf(() => keys.upload(pair(limits.privateRsaBitsMax + 8))), 'UnsupportedPublicKeyAlgorithm')
  assert.equal(await faultOf(() => keys.upload(pair(limits.privateRsaBitsMax))), 'none')
})

test('a certificate with more extensions than certificateExtensionsMax, or a longer name than certificateSubjectPartsMax', {
  skip: lacksOpenssl,
}, async () => {
  makeRoot('many')
  const { certificates, keys } = newKeystore()
  const extended = (count: number) => {
    // Two identify the keys: `issue` and openssl see to the one of the subject.
    const own = Array.from({ length: count - 2 }, (_, index) => `1.2.3.${index}=ASN1:NULL`)
    const bytes = issue('extended', 'many', ['authorityKeyIdentifier=keyid', ...own])
    assert.equal(parseDer(bytes, Certificate).tbsCertificate.extensions?.length, count)
    return bytes
  }
  const subject = (count: number) => Array.from({ length: count }, (_, index) => ({ type: 'OU', value: `unit ${index}` }))
  const named = (count: number) => {
    const name = subject(count).map(({ type, value }) => `/${type}=${value}`)
    openssl('req', '-x509', '-new', '-key', 'many.key', '-subj', name.join(''), '-outform', 'DER', '-out', 'named.der')
    return read('named.der')
  }
  for (const [make, max] of [
    [extended, limits.certificateExtensionsMax],
    [named, limits.certificateSubjectPartsMax],
  ] as const) {
    const beyond = make(max + 1)
    assert.equal(await faultOf(() => certificates.upload(beyond)), 'BadCertificate')
    const within = make(max)
    assert.equal(await faultOf(() => certificates.upload(within)), 'none')
  }
  const { id } = keys.createEc('secp256r1')
  await keys.whenReady(id)
  const request = (count: number) =>
    certificates.request(
      id,
      subject(count).map(part => [part]),
    )
  assert.equal(await faultOf(() => request(limits.certificateSubjectPartsMax + 1)), 'InvalidSubject')
  const made = await readRequest(await request(limits.certificateSubjectPartsMax))
  assert.equal(made.subject.split('OU=').length - 1, limits.certificateSubjectPartsMax)
})

test('names that end early or turn round', { skip: lacksOpenssl }, async () => {
  makeRoot('honest')
  const { certificates, state } = newKeystore()
  const before = state()
  const good = read('honest.der')
  const signed = issue('candid', 'honest', [])
  for (const [bytes, name] of [
    [good, 'honest'],
    [signed, 'honest'],
    [signed, 'candid'],
  ] as const)
    for (const character of ['\0', '\n', '\x7f']) {
      const changed = Buffer.from(bytes.toString('latin1').replaceAll(name, `${name.slice(0, 5)}${character}`), 'latin1')
      assert.equal(changed.length, bytes.length)
      assert.equal(await faultOf(() => certificates.upload(changed)), 'BadCertificate', JSON.stringify(character))
    }
  makeKey('rtl')
  for (const how of [
    ['-utf8', '-subj', '/CN=evil\u202egpj.exe'],
    ['-subj', '/CN=a', '-addext', 'subjectAltName=DNS:good.lan\x01bad'],
  ]) {
    openssl('req', '-x509', '-new', '-key', 'rtl.key', ...how, '-outform', 'DER', '-out', 'rtl.der')
    assert.equal(await faultOf(() => certificates.upload(read('rtl.der'))), 'BadCertificate', how.join(' '))
  }
  assert.equal(state(), before)
})

test('files beyond all measure', { skip: lacksOpenssl }, async () => {
  makeRoot('measure')
  const { certificates, keys, crls, device, state } = newKeystore()
  const before = state()
  const der = read('measure.der')
  // One that says of itself that it is as long as it is.
  const long = Buffer.concat([Buffer.of(0x30, 0x83, 0x10, 0, 0), Buffer.alloc(1_048_576, 0x30)])
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.of(0x30),
    Buffer.of(0x30, 0x80),
    Buffer.alloc(1_048_576),
    long,
    Buffer.concat([der, Buffer.of(0)]),
  ]) {
    const start = performance.now()
    assert.equal(await faultOf(() => certificates.upload(bytes)), 'BadCertificate')
    assert.equal(await faultOf(() => keys.upload(bytes)), 'BadPKCS8File')
    assert.equal(await faultOf(() => crls.upload(bytes)), 'BadCRL')
    assert.equal(await faultOf(() => certificates.uploadPkcs12(bytes, { passphrase: 'a' })), 'BadPKCS12File')
    assert.ok(performance.now() - start < blownUpMs)
  }
  // The same certificate with its length written in another way: BER, and a second one to whoever compares bytes.
  const otherwise = Buffer.concat([Buffer.of(0x30, 0x83, 0), der.subarray(2)])
  assert.equal(await faultOf(() => certificates.upload(otherwise)), 'BadCertificate')
  const crl = makeCrl('measure', [])
  for (const bytes of [Buffer.concat([crl, Buffer.of(0)]), crl.subarray(0, -1)])
    assert.equal(await faultOf(() => crls.upload(bytes)), 'BadCRL')
  // 16 KB of nested sequences.
  const nested = Buffer.alloc(16_000, 0x30)
  for (let at = 0; at + 4 <= nested.length; at += 4) nested.writeUInt16BE(nested.length - at - 4, nested.writeUInt16BE(0x3082, at))
  assert.equal(await faultOf(() => certificates.upload(nested)), 'BadCertificate')
  const chain = Array.from({ length: 1_000 }, (_, index) => ({ token: `${index}`, der }))
  assert.equal(await faultOf(() => device.certificates.loadAuthorities(chain)), 'CACertificateID')
  assert.equal(state(), before)
})

/** What is printed should stay below 50 ms; on a busy machine it is more. Work that grows with more than the size of its input takes this. */
const blownUpMs = 1_000

/** Time of the event loop that `work` took. Not by the clock: the machine may have other things to do. */
async function loopMs(work: () => unknown): Promise<number> {
  await turn()
  const before = process.threadCpuUsage()
  await work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1_000
}

/** Whatever a flipped or missing bit makes of the bytes: a fault, or something that is whole; never a crash, never a long pause. */
async function everyByte(
  bytes: Buffer,
  take: (changed: Buffer) => unknown,
): Promise<{ refused: number; taken: number; longestMs: number }> {
  const counts = { refused: 0, taken: 0, longestMs: 0 }
  const outcome = async (changed: Buffer) => {
    try {
      counts.longestMs = Math.max(counts.longestMs, await loopMs(() => take(changed)))
      counts.taken++
    } catch (error) {
      if (!(error instanceof SoapFault || error instanceof X509Error)) throw error
      assert.match(error.message, /^[\p{L}\p{N}\p{P}\p{S} ]{5,300}$/u)
      counts.refused++
    }
  }
  for (let at = 0; at < bytes.length; at++) {
    await outcome(Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte))))
    await outcome(bytes.subarray(0, at))
  }
  return counts
}

test('every byte of a certificate, key, request, CRL and PKCS #12 file flipped and cut off', { skip: lacksOpenssl }, async () => {
  makeRoot('flip-root')
  const leaf = issue('flip', 'flip-root', clientExtensions)
  const crl = makeCrl('flip-root', ['flip'])
  openssl('pkcs12', '-export', '-inkey', 'flip.key', '-in', 'flip.crt', '-out', 'flip.p12', '-passout', 'pass:geheim', '-iter', '1')
  openssl('req', '-in', 'flip.csr', '-outform', 'DER', '-out', 'flip.csr.der')
  const fresh = newKeystore()
  const root = fresh.certificates.upload(read('flip-root.der')).id
  const empty = fresh.state()
  // The first time of everything is for the compiler.
  await fresh.certificates.uploadPkcs12(read('flip.p12'), { passphrase: 'geheim' })
  const results = {
    certificate: await everyByte(leaf, bytes => {
      const { certificates, paths, store } = newKeystore()
      const { id } = certificates.upload(bytes)
      assert.deepEqual(certificates.get(id).der, bytes)
      const issuer = certificates.upload(read('flip-root.der')).id
      // It says something else now, and nobody has signed that.
      assert.throws(() => paths.create([id, issuer]), SoapFault)
      store.close()
    }),
    request: await everyByte(read('flip.csr.der'), bytes => readRequest(bytes)),
    crl: await everyByte(crl, bytes => fresh.crls.delete(fresh.crls.upload(bytes))),
    key: await everyByte(read('flip.p8'), bytes => fresh.keys.upload(bytes)),
    pkcs12: await everyByte(read('flip.p12'), bytes => fresh.certificates.uploadPkcs12(bytes, { passphrase: 'geheim' })),
  }
  assert.ok(results.certificate.refused > leaf.length)
  assert.equal(results.request.taken, 0, 'its signature is looked at')
  // Of another issuer it may be, as soon as a byte of his name is another one; then nobody is revoked by it.
  assert.ok(results.crl.taken <= 20, `${results.crl.taken} changed CRLs were taken`)
  // What is in the file twice, such as a length or a date of no importance, may be changed without harm to the key.
  assert.ok(results.key.taken < 8, `${results.key.taken} changed keys were taken`)
  // Parameters that mean nothing stand outside of what the MAC covers.
  assert.ok(results.pkcs12.taken < 8, `${results.pkcs12.taken} changed files were taken`)
  assert.ok(fresh.state().length >= empty.length && fresh.certificates.get(root).der.equals(read('flip-root.der')))
  for (const [name, { longestMs }] of Object.entries(results)) {
    console.log(`${name}: at most ${longestMs.toFixed(1)} ms of the main thread`)
    assert.ok(longestMs < blownUpMs, `${name}: ${longestMs} ms`)
  }
})

test('the largest CRL, and the dearest key and PKCS #12 file, do not hold the device up', { skip: lacksOpenssl }, async () => {
  makeRoot('dear', 'rsa:2048')
  const serials = Array.from(
    { length: 1_600 },
    (_, index) => `R\t391231235959Z\t260101000000Z\t${(4096 + index).toString(16)}0123456789ABCDEF\tunknown\t/CN=x\n`,
  )
  makeCrl('dear', [])
  write('dear.db', serials.join(''))
  openssl('ca', '-gencrl', '-config', 'dear.cnf', '-keyfile', 'dear.key', '-cert', 'dear.crt', '-out', 'dear.crl', '-crldays', '30')
  openssl('crl', '-in', 'dear.crl', '-outform', 'DER', '-out', 'dear.crl.der')
  const crl = read('dear.crl.der')
  assert.ok(crl.length > limits.crlBytesMax * 0.8 && crl.length <= limits.crlBytesMax, `${crl.length}`)
  openssl('pkcs12', '-export', '-inkey', 'dear.key', '-in', 'dear.crt', '-out', 'dear.p12', '-passout', 'pass:a', '-iter', '10000')
  // Once in the life of a process, by itself, and faster with the compile cache of `npm start`.
  await loadKeyFiles()
  const { crls, certificates, keys } = newKeystore()
  openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096', '-out', 'large.key')
  openssl(
    'pkcs8',
    '-topk8',
    '-in',
    'large.key',
    '-outform',
    'DER',
    '-out',
    'large.p8',
    '-passout',
    'pass:a',
    '-iter',
    `${limits.pbkdf2RoundsMax}`,
  )
  await certificates.uploadPkcs12(read('dear.p12'), { passphrase: 'a' })
  crls.delete(crls.upload(crl))
  for (const [name, work] of Object.entries({
    crl: () => crls.upload(crl),
    wrong: () => faultOf(() => certificates.uploadPkcs12(read('dear.p12'), { passphrase: 'b' })),
    pkcs12: () => certificates.uploadPkcs12(read('dear.p12'), { passphrase: 'a' }),
    key: () => keys.upload(read('large.p8'), { passphrase: 'a' }),
  })) {
    const ms = await loopMs(work)
    console.log(`${name}: ${ms.toFixed(1)} ms of the main thread`)
    assert.ok(ms < blownUpMs, `${name}: ${ms} ms`)
  }
})

test('a key pair whose halves do not belong together', async () => {
  const { keys } = newKeystore()
  const one = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const der = one.export({ type: 'pkcs8', format: 'der' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'der' })
  // The public point ends both.
  const mixed = Buffer.concat([der.subarray(0, -64), other.subarray(-64)])
  assert.equal(await faultOf(() => keys.upload(mixed)), 'PublicPrivateKeyMismatch')
  assert.deepEqual(keys.list(), [])
})
