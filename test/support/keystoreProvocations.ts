import assert from 'node:assert/strict'
import { KeyObject } from 'node:crypto'
import { limits } from '../../src/limits.ts'
import type { FaultName } from '../../src/onvif/faults.ts'
import type { Answer, TestDevice } from './device.ts'
import { makeCrl, makeIdentity, makePkcs12 } from './identities.ts'
import {
  createCsr,
  createPath,
  createPolicy,
  createServer,
  dot1x,
  extension,
  idOf,
  mschap,
  newCertificate,
  newKey,
  selfSign,
  setJwt,
  tas,
  uploadCertificate,
  uploadCrl,
  uploadKey,
  uploadPassphrase,
  uploadPkcs12,
} from './keystoreRequests.ts'

type Provocation = string | ((device: TestDevice) => Promise<Answer>)

const garbage = Buffer.from([0, 0, 0])
const version1 = '<tas:X509Version>1</tas:X509Version>'

/** The same request until there is no room for another. */
async function fill({ ask }: TestDevice, places: number, request: (index: number) => string): Promise<Answer> {
  for (let made = 0; made < places; made++) assert.equal((await ask(request(made))).fault, undefined)
  return ask(request(places))
}

const withKey = (request: (keyId: string) => string) => async (device: TestDevice) => device.ask(request(await newKey(device)))
const withAnchor = (request: (certificateId: string) => string) => async (device: TestDevice) =>
  device.ask(request(await newCertificate(device)))
const withPassphrase = (request: (passphraseId: string) => string) => async (device: TestDevice) =>
  device.ask(request(await idOf(device, 'PassphraseID', uploadPassphrase('secret'))))

const policyId = 'CertPathValidationPolicyID'
const oldAndNew = (before: string, after: string) =>
  `<tas:Old${policyId}>${before}</tas:Old${policyId}><tas:New${policyId}>${after}</tas:New${policyId}>`

async function several(device: TestDevice, count: number, name: string, request: string): Promise<readonly string[]> {
  const ids: string[] = []
  while (ids.length < count) ids.push(await idOf(device, name, request))
  return ids
}

/** The answer to the last of these requests. */
async function lastOf({ ask }: TestDevice, ids: readonly string[], request: (id: string) => string): Promise<Answer> {
  for (const id of ids.slice(0, -1)) assert.equal((await ask(request(id))).fault, undefined)
  return ask(request(ids.at(-1) ?? ''))
}

/** A request that provokes each fault of Security 5.2.6, 5.3.3, 5.4, 5.5.5 and 5.5.6, on a device that has just been made. */
export const keystoreProvocations = {
  MaximumNumberOfPassphrasesReached: device => fill(device, limits.passphrasesMax, index => uploadPassphrase(`secret ${index}`)),
  BadPassphrase: uploadPassphrase(''),
  PassphraseID: tas('DeletePassphrase', '<tas:PassphraseID>none</tas:PassphraseID>'),

  MaximumNumberOfKeysReached: device =>
    fill(device, limits.keysMax, () => tas('CreateECCKeyPair', '<tas:EllipticCurve>secp256r1</tas:EllipticCurve>')),
  KeyLength: tas('CreateRSAKeyPair', '<tas:KeyLength>1024</tas:KeyLength>'),
  UnsupportedEllipticCurve: tas('CreateECCKeyPair', '<tas:EllipticCurve>secp256k1</tas:EllipticCurve>'),
  DecryptionFailed: async ({ ask }) => {
    const key = KeyObject.from((await makeIdentity('a')).keys.privateKey)
    const encrypted = key.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: 'right' })
    return ask(uploadKey(encrypted, undefined, 'wrong'))
  },
  BadPKCS8File: uploadKey(garbage),
  UnsupportedPublicKeyAlgorithm: async ({ ask }) => ask(uploadCertificate((await makeIdentity('a', { curve: 'P-521' })).der)),
  InvalidKeyStatus: async device => {
    const keyId = await idOf(device, 'KeyID', uploadCertificate((await makeIdentity('a')).der))
    return device.ask(createCsr(keyId))
  },
  KeyID: tas('GetKeyStatus', '<tas:KeyID>none</tas:KeyID>'),
  ReferenceExists: async device => {
    const keyId = await idOf(device, 'KeyID', uploadCertificate((await makeIdentity('a')).der))
    return device.ask(tas('DeleteKey', `<tas:KeyID>${keyId}</tas:KeyID>`))
  },

  UnsupportedSignatureAlgorithm: withKey(keyId => createCsr(keyId, { algorithm: '1.2.3' })),
  KeySignatureAlgorithmMismatch: withKey(keyId => createCsr(keyId, { algorithm: '1.2.840.113549.1.1.11' })),
  InvalidSubject: withKey(keyId => createCsr(keyId, { subject: '' })),
  InvalidAttribute: withKey(keyId => createCsr(keyId, { attributes: '<tas:CSRAttribute><tas:anyAttribute/></tas:CSRAttribute>' })),
  MaximumNumberOfCertificatesReached: async device => {
    const keyId = await newKey(device)
    return fill(device, limits.certificatesMax, () => selfSign(keyId))
  },
  UnsupportedX509Version: withKey(keyId => selfSign(keyId, { version: version1 })),
  X509VersionExtensionsMismatch: withKey(keyId => selfSign(keyId, { version: version1, extensions: extension('Extension') })),
  NoMatchingPrivateKey: async ({ ask }) =>
    ask(uploadCertificate((await makeIdentity('a')).der, '<tas:PrivateKeyRequired>true</tas:PrivateKeyRequired>')),
  BadCertificate: uploadCertificate(garbage),
  Duplicate: async device => {
    const identity = await makeIdentity('a')
    await newCertificate(device, identity)
    return device.ask(uploadCertificate(identity.der))
  },
  CertificateID: tas('GetCertificate', '<tas:CertificateID>none</tas:CertificateID>'),
  BadPKCS12File: uploadPkcs12(garbage, 'secret'),
  PublicPrivateKeyMismatch: async ({ ask }) => {
    const [one, other] = await Promise.all([makeIdentity('one', { kind: 'RSA' }), makeIdentity('other', { kind: 'RSA' })])
    return ask(uploadPkcs12(makePkcs12(one, [other], 'secret'), 'secret'))
  },

  MaximumNumberOfCertificationPathsReached: async device => {
    const certificateId = await newCertificate(device)
    return fill(device, limits.certificationPathsMax, () => createPath(certificateId))
  },
  InvalidCertificationPath: async device => device.ask(createPath(await newCertificate(device), await newCertificate(device))),
  CertificationPathID: tas('GetCertificationPath', '<tas:CertificationPathID>none</tas:CertificationPathID>'),

  MaximumNumberOfCRLsReached: async device => {
    const crl = await makeCrl(await makeIdentity('authority', { isAuthority: true }))
    return fill(device, limits.crlsMax, () => uploadCrl(crl))
  },
  BadCRL: uploadCrl(garbage),
  CRLID: tas('GetCRL', '<tas:CrlID>none</tas:CrlID>'),

  MaximumNumberOfCertPathValidationPoliciesReached: async device => {
    const anchorId = await newCertificate(device)
    return fill(device, limits.validationPoliciesMax, () => createPolicy(anchorId))
  },
  CertPathValidationParameters: withAnchor(anchorId => createPolicy(anchorId, '<tas:UseDeltaCRLs>true</tas:UseDeltaCRLs>')),
  CertPathValidationPolicyID: tas('GetCertPathValidationPolicy', '<tas:CertPathValidationPolicyID>none</tas:CertPathValidationPolicyID>'),

  MaximumNumberOfDot1XConfigurationsReached: async device => {
    const passphraseId = await idOf(device, 'PassphraseID', uploadPassphrase('secret'))
    return fill(device, limits.dot1xConfigurationsMax, () => dot1x('EAP-PEAP', mschap(passphraseId)))
  },
  Dot1XMethod: dot1x('EAP-POTP', ''),
  Dot1XMethodCombination: withPassphrase(passphraseId => dot1x('EAP-TLS', mschap(passphraseId))),
  Dot1XConfigurationID: tas('GetDot1XConfiguration', '<tas:Dot1XID>none</tas:Dot1XID>'),

  NoPrivateKey: async device => {
    const pathId = await idOf(device, 'CertificationPathID', createPath(await newCertificate(device)))
    return device.ask(tas('AddServerCertificateAssignment', `<tas:CertificationPathID>${pathId}</tas:CertificationPathID>`))
  },
  MaximumNumberOfTLSCertificationPathsReached: async device => {
    const certificateId = await idOf(device, 'CertificateID', selfSign(await newKey(device)))
    const pathIds = await several(device, limits.tlsPathsMax + 1, 'CertificationPathID', createPath(certificateId))
    return lastOf(device, pathIds, id => tas('AddServerCertificateAssignment', `<tas:CertificationPathID>${id}</tas:CertificationPathID>`))
  },
  OldCertificationPathID: tas('RemoveServerCertificateAssignment', '<tas:CertificationPathID>none</tas:CertificationPathID>'),
  NewCertificationPathID: async device => {
    const certificateId = await idOf(device, 'CertificateID', selfSign(await newKey(device)))
    const pathId = await idOf(device, 'CertificationPathID', createPath(certificateId))
    await device.ask(tas('AddServerCertificateAssignment', `<tas:CertificationPathID>${pathId}</tas:CertificationPathID>`))
    const both = `<tas:OldCertificationPathID>${pathId}</tas:OldCertificationPathID><tas:NewCertificationPathID>none</tas:NewCertificationPathID>`
    return device.ask(tas('ReplaceServerCertificateAssignment', both))
  },
  EmptyList: tas('SetEnabledTLSVersions', '<tas:Versions/>'),
  TLSVersion: tas('SetEnabledTLSVersions', '<tas:Versions>0.9</tas:Versions>'),
  EnablingClientAuthenticationFailed: tas(
    'SetClientAuthenticationRequired',
    '<tas:clientAuthenticationRequired>true</tas:clientAuthenticationRequired>',
  ),
  CnMapsToUserFailed: tas('SetCnMapsToUser', '<tas:cnMapsToUser>true</tas:cnMapsToUser>'),
  MaximumNumberOfTLSCertPathValidationPoliciesReached: async device => {
    const policyIds = await several(device, limits.tlsPoliciesMax + 1, policyId, createPolicy(await newCertificate(device)))
    return lastOf(device, policyIds, id => tas('AddCertPathValidationPolicyAssignment', `<tas:${policyId}>${id}</tas:${policyId}>`))
  },
  OldCertPathValidationPolicyID: tas('ReplaceCertPathValidationPolicyAssignment', oldAndNew('none', 'none')),
  NewCertPathValidationPolicyID: async device => {
    const id = await idOf(device, policyId, createPolicy(await newCertificate(device)))
    await device.ask(tas('AddCertPathValidationPolicyAssignment', `<tas:${policyId}>${id}</tas:${policyId}>`))
    return device.ask(tas('ReplaceCertPathValidationPolicyAssignment', oldAndNew(id, 'none')))
  },

  MaxAuthorizationServers: device => fill(device, limits.authorizationServersMax, () => createServer()),
  InvalidConfig: createServer('camera-7', 'http://id.example.org/'),

  TooManyAudiences: setJwt(Array.from({ length: limits.jwtAudiencesMax + 1 }, (_, index) => `camera-${index}`).join(' ')),
  MaxIssuersExceeded: setJwt(
    'camera-7',
    ...Array.from(
      { length: limits.jwtIssuersMax + 1 },
      (_, index) => `<tas:TrustedIssuers>https://id${index}.example.org/.well-known/openid-configuration</tas:TrustedIssuers>`,
    ),
  ),
} satisfies Partial<Record<FaultName, Provocation>>
