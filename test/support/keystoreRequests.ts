import assert from 'node:assert/strict'
import type { TestDevice } from './device.ts'
import { type Identity, makeIdentity } from './identities.ts'

/** Requests to the keystore as they stand inside of the Body. */

export const tas = (operation: string, content = ''): string => `<tas:${operation}>${content}</tas:${operation}>`
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const optional = (name: string, value: string | undefined) => (value === undefined ? '' : `<tas:${name}>${value}</tas:${name}>`)

export const uploadPassphrase = (passphrase: string, alias?: string) =>
  tas('UploadPassphrase', `<tas:Passphrase>${passphrase}</tas:Passphrase>${optional('PassphraseAlias', alias)}`)

export const uploadKey = (pkcs8: Uint8Array, alias?: string, passphrase?: string) =>
  tas(
    'UploadKeyPairInPKCS8',
    `<tas:KeyPair>${base64(pkcs8)}</tas:KeyPair>${optional('Alias', alias)}${optional('EncryptionPassphrase', passphrase)}`,
  )

export const uploadCertificate = (der: Uint8Array, rest = '') =>
  tas('UploadCertificate', `<tas:Certificate>${base64(der)}</tas:Certificate>${rest}`)

export const uploadPkcs12 = (file: Uint8Array, passphrase: string, rest = '') =>
  tas(
    'UploadCertificateWithPrivateKeyInPKCS12',
    `<tas:CertWithPrivateKey>${base64(file)}</tas:CertWithPrivateKey>${rest}<tas:Passphrase>${passphrase}</tas:Passphrase>`,
  )

export const uploadCrl = (der: Uint8Array, alias?: string) =>
  tas('UploadCRL', `<tas:Crl>${base64(der)}</tas:Crl>${optional('Alias', alias)}`)

export const commonName = (name: string) => `<tas:CommonName>${name}</tas:CommonName>`
export const ecdsa = '1.2.840.10045.4.3.2'

export const createCsr = (keyId: string, { subject = commonName('camera'), attributes = '', algorithm = ecdsa } = {}) =>
  tas(
    'CreatePKCS10CSR',
    `<tas:Subject>${subject}</tas:Subject><tas:KeyID>${keyId}</tas:KeyID>${attributes}<tas:SignatureAlgorithm><tas:algorithm>${algorithm}</tas:algorithm></tas:SignatureAlgorithm>`,
  )

export const selfSign = (keyId: string, { version = '', name = 'camera', rest = '', extensions = '' } = {}) =>
  tas(
    'CreateSelfSignedCertificate',
    `${version}<tas:Subject>${commonName(name)}</tas:Subject><tas:KeyID>${keyId}</tas:KeyID>${rest}<tas:SignatureAlgorithm><tas:algorithm>${ecdsa}</tas:algorithm></tas:SignatureAlgorithm>${extensions}`,
  )

export const extension = (element: string) =>
  `<tas:${element}><tas:extnOID>2.5.29.19</tas:extnOID><tas:critical/><tas:extnValue>MAA=</tas:extnValue></tas:${element}>`

export const certificateIds = (...ids: readonly string[]) => ids.map(id => `<tas:CertificateID>${id}</tas:CertificateID>`).join('')
export const createPath = (...ids: readonly string[]) =>
  tas('CreateCertificationPath', `<tas:CertificateIDs>${certificateIds(...ids)}</tas:CertificateIDs>`)

export const policy = (anchorId: string, parameters = '') =>
  `<tas:Parameters>${parameters}</tas:Parameters><tas:TrustAnchor><tas:CertificateID>${anchorId}</tas:CertificateID></tas:TrustAnchor>`
export const createPolicy = (anchorId: string, parameters = '', alias?: string) =>
  tas('CreateCertPathValidationPolicy', optional('Alias', alias) + policy(anchorId, parameters))

export const dot1x = (method: string, content: string) =>
  tas(
    'AddDot1XConfiguration',
    `<tas:Dot1XConfiguration><tas:Outer Method="${method}"><tas:Identity>camera</tas:Identity>${content}</tas:Outer></tas:Dot1XConfiguration>`,
  )
export const mschap = (passphraseId: string, method = 'MSCHAPv2') =>
  `<tas:Inner Method="${method}"><tas:Identity>camera</tas:Identity><tas:PassphraseID>${passphraseId}</tas:PassphraseID></tas:Inner>`

export const setJwt = (audiences: string, ...rest: readonly string[]) =>
  tas('SetJWTConfiguration', `<tas:Configuration><tas:Audiences>${audiences}</tas:Audiences>${rest.join('')}</tas:Configuration>`)

export const metadata = 'https://id.example.org/.well-known/openid-configuration'
export const serverData = (element: string, attributes = '', clientId = 'camera-7', uri = metadata) =>
  `<tas:${element} Type="OAuthClientCredentials"${attributes}><tas:ServerUri>${uri}</tas:ServerUri><tas:ClientID>${clientId}</tas:ClientID><tas:ClientSecret>Sup3r-secret</tas:ClientSecret></tas:${element}>`
export const createServer = (...data: readonly string[]) =>
  tas('CreateAuthorizationServerConfiguration', serverData('Configuration', '', ...data))

/** Sends a request that has to succeed, and gives the ID of this name out of its answer. */
export async function idOf({ ask }: Pick<TestDevice, 'ask'>, name: string, request: string): Promise<string> {
  const { xml, fault } = await ask(request)
  assert.equal(fault, undefined, xml)
  return new RegExp(`<tas:${name}>([^<]+)<`).exec(xml)?.[1] ?? assert.fail(xml)
}

/** A key pair of the device, brought along so that nobody has to wait for it. */
export async function newKey(device: Pick<TestDevice, 'ask'>, identity?: Identity): Promise<string> {
  return idOf(device, 'KeyID', uploadKey((identity ?? (await makeIdentity('camera'))).pkcs8))
}

/** A certificate of somebody else. */
export async function newCertificate(device: Pick<TestDevice, 'ask'>, identity?: Identity): Promise<string> {
  return idOf(device, 'CertificateID', uploadCertificate((identity ?? (await makeIdentity('somebody'))).der))
}
