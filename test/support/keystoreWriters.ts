import { makeCrl, makeIdentity, makePkcs12 } from './identities.ts'
import {
  certificateIds,
  createPath,
  createPolicy,
  createServer,
  dot1x,
  mschap,
  policy,
  selfSign,
  serverData,
  setJwt,
  tas,
  uploadCertificate,
  uploadCrl,
  uploadKey,
  uploadPassphrase,
  uploadPkcs12,
} from './keystoreRequests.ts'
import type { Circumstances, Writer } from './writers.ts'

const idIn = (name: string, xml: string) => new RegExp(`<tas:${name}>([^<]+)<`).exec(xml)?.[1] ?? 'none'
const prepared = (name: string, request: (id: string) => string) => (circumstances: Circumstances) =>
  request(idIn(name, circumstances.prepared))

const element = (name: string) => (id: string) => `<tas:${name}>${id}</tas:${name}>`
const alias = element('Alias')
const gone = (name: string) => new RegExp(`^(?!.*>${name}<)`, 's')
const shown = (name: string) => new RegExp(`>${name}<`)

const authority = await makeIdentity('authority', { isAuthority: true })
const rsa = await makeIdentity('rsa', { kind: 'RSA' })
const crl = await makeCrl(authority)
const key = async (name: string) => uploadKey((await makeIdentity(name)).pkcs8, name)
const certificate = async (name: string) => uploadCertificate((await makeIdentity(name)).der, alias(name))

const keys = tas('GetAllKeys')
const passphrases = tas('GetAllPassphrases')
const certificates = tas('GetAllCertificates')
const policies = tas('GetAllCertPathValidationPolicies')
const networks = tas('GetAllDot1XConfigurations')
const servers = tas('GetAuthorizationServerConfigurations')
const pathOf = prepared('CertificationPathID', id => tas('GetCertificationPath', element('CertificationPathID')(id)))
const network = (content: string) => dot1x('EAP-PEAP', content).replace('<tas:Outer', '<tas:Alias>network</tas:Alias><tas:Outer')
const bind = (token: string, id: string) =>
  tas('SetNetworkInterfaceDot1XConfiguration', `<tas:token>${token}</tas:token>${element('Dot1XID')(id)}`)
const bound = (token: string) => tas('GetNetworkInterfaceDot1XConfiguration', `<tas:token>${token}</tas:token>`)

/** Every change that a client can make to the keystore. */
export const keystoreWriters: readonly Writer[] = [
  { operation: 'tas:UploadPassphrase', write: uploadPassphrase('secret', 'passphrase'), read: passphrases, shows: shown('passphrase') },
  {
    operation: 'tas:DeletePassphrase',
    prepare: uploadPassphrase('secret', 'passphrase to go'),
    write: prepared('PassphraseID', id => tas('DeletePassphrase', element('PassphraseID')(id))),
    read: passphrases,
    shows: gone('passphrase to go'),
  },
  {
    operation: 'tas:CreateRSAKeyPair',
    write: tas('CreateRSAKeyPair', `<tas:KeyLength>2048</tas:KeyLength>${alias('RSA key')}`),
    read: keys,
    shows: shown('RSA key'),
  },
  {
    operation: 'tas:CreateECCKeyPair',
    write: tas('CreateECCKeyPair', `<tas:EllipticCurve>secp256r1</tas:EllipticCurve>${alias('EC key')}`),
    read: keys,
    shows: shown('EC key'),
  },
  { operation: 'tas:UploadKeyPairInPKCS8', write: await key('key brought along'), read: keys, shows: shown('key brought along') },
  {
    operation: 'tas:DeleteKey',
    prepare: await key('key to go'),
    write: prepared('KeyID', id => tas('DeleteKey', element('KeyID')(id))),
    read: keys,
    shows: gone('key to go'),
  },
  {
    operation: 'tas:CreateSelfSignedCertificate',
    prepare: await key('key of a certificate'),
    write: prepared('KeyID', id => selfSign(id, { rest: alias('self-signed') })),
    read: certificates,
    shows: shown('self-signed'),
  },
  { operation: 'tas:UploadCertificate', write: await certificate('certificate'), read: certificates, shows: shown('certificate') },
  {
    operation: 'tas:UploadCertificateWithPrivateKeyInPKCS12',
    write: uploadPkcs12(makePkcs12(rsa, [rsa], 'secret'), 'secret', element('KeyAlias')('key in a file')),
    read: keys,
    shows: shown('key in a file'),
  },
  {
    operation: 'tas:DeleteCertificate',
    prepare: await certificate('certificate to go'),
    write: prepared('CertificateID', id => tas('DeleteCertificate', element('CertificateID')(id))),
    read: certificates,
    shows: gone('certificate to go'),
  },
  {
    operation: 'tas:CreateCertificationPath',
    prepare: await certificate('certificate of a path'),
    write: prepared('CertificateID', id => createPath(id)),
    read: tas('GetAllCertificationPaths'),
    shows: /CertificationPathID>[^<]/,
  },
  {
    operation: 'tas:SetCertificationPath',
    prepare: [await certificate('one'), prepared('CertificateID', id => createPath(id)), await certificate('other')],
    write: circumstances => {
      const path = certificateIds(idIn('CertificateID', circumstances.prepared.replace(/^.*CertificationPathID/s, '')))
      return prepared('CertificationPathID', id =>
        tas(
          'SetCertificationPath',
          `${element('CertificationPathID')(id)}<tas:CertificationPath>${path}${alias('changed')}</tas:CertificationPath>`,
        ),
      )(circumstances)
    },
    read: pathOf,
    shows: shown('changed'),
  },
  {
    operation: 'tas:DeleteCertificationPath',
    prepare: [await certificate('certificate of a path to go'), prepared('CertificateID', id => createPath(id))],
    write: prepared('CertificationPathID', id => tas('DeleteCertificationPath', element('CertificationPathID')(id))),
    read: pathOf,
    shows: /ter:CertificationPathID/,
  },
  { operation: 'tas:UploadCRL', write: uploadCrl(crl, 'list'), read: tas('GetAllCRLs'), shows: shown('list') },
  {
    operation: 'tas:DeleteCRL',
    prepare: uploadCrl(crl, 'list to go'),
    write: prepared('CrlID', id => tas('DeleteCRL', element('CrlID')(id))),
    read: tas('GetAllCRLs'),
    shows: gone('list to go'),
  },
  {
    operation: 'tas:CreateCertPathValidationPolicy',
    prepare: await certificate('anchor'),
    write: prepared('CertificateID', id => createPolicy(id, '', 'policy')),
    read: policies,
    shows: shown('policy'),
  },
  {
    operation: 'tas:SetCertPathValidationPolicy',
    prepare: [await certificate('anchor of another'), prepared('CertificateID', id => createPolicy(id, '', 'policy before'))],
    write: circumstances => {
      const id = element('CertPathValidationPolicyID')(idIn('CertPathValidationPolicyID', circumstances.prepared))
      const content = `${id}${alias('policy after')}${policy(idIn('CertificateID', circumstances.prepared))}`
      return tas('SetCertPathValidationPolicy', `<tas:CertPathValidationPolicy>${content}</tas:CertPathValidationPolicy>`)
    },
    read: policies,
    shows: shown('policy after'),
  },
  {
    operation: 'tas:DeleteCertPathValidationPolicy',
    prepare: [await certificate('anchor of one to go'), prepared('CertificateID', id => createPolicy(id, '', 'policy to go'))],
    write: prepared('CertPathValidationPolicyID', id => tas('DeleteCertPathValidationPolicy', element('CertPathValidationPolicyID')(id))),
    read: policies,
    shows: gone('policy to go'),
  },
  {
    operation: 'tas:AddDot1XConfiguration',
    prepare: uploadPassphrase('secret'),
    write: prepared('PassphraseID', id => network(mschap(id))),
    read: networks,
    shows: shown('network'),
  },
  {
    operation: 'tas:DeleteDot1XConfiguration',
    prepare: [uploadPassphrase('secret'), prepared('PassphraseID', id => network(mschap(id)).replace('>network<', '>network to go<'))],
    write: prepared('Dot1XID', id => tas('DeleteDot1XConfiguration', element('Dot1XID')(id))),
    read: networks,
    shows: gone('network to go'),
  },
  {
    operation: 'tas:SetNetworkInterfaceDot1XConfiguration',
    prepare: [uploadPassphrase('secret'), prepared('PassphraseID', id => network(mschap(id)))],
    write: prepared('Dot1XID', id => bind('eth0', id)),
    read: bound('eth0'),
    shows: /Dot1XID>[^<]/,
  },
  {
    operation: 'tas:DeleteNetworkInterfaceDot1XConfiguration',
    prepare: [
      uploadPassphrase('secret'),
      prepared('PassphraseID', id => network(mschap(id))),
      prepared('Dot1XID', id => bind('wlan0', id)),
    ],
    write: tas('DeleteNetworkInterfaceDot1XConfiguration', '<tas:token>wlan0</tas:token>'),
    read: bound('wlan0'),
    shows: /<tas:GetNetworkInterfaceDot1XConfigurationResponse\/>/,
  },
  {
    operation: 'tas:CreateAuthorizationServerConfiguration',
    write: createServer('client'),
    read: servers,
    shows: shown('client'),
  },
  {
    operation: 'tas:SetAuthorizationServerConfiguration',
    prepare: createServer('client before'),
    write: prepared('Token', token =>
      tas(
        'SetAuthorizationServerConfiguration',
        `<tas:Configuration token="${token}">${serverData('Data', '', 'client after')}</tas:Configuration>`,
      ),
    ),
    read: servers,
    shows: shown('client after'),
  },
  {
    operation: 'tas:DeleteAuthorizationServerConfiguration',
    prepare: createServer('client to go'),
    write: prepared('Token', token => tas('DeleteAuthorizationServerConfiguration', element('Token')(token))),
    read: servers,
    shows: gone('client to go'),
  },
  {
    operation: 'tas:SetJWTConfiguration',
    prepare: await key('key of tokens'),
    write: prepared('KeyID', id => setJwt('camera-7 all-cameras', element('KeyID')(id))),
    read: tas('GetJWTConfiguration'),
    shows: /Audiences>camera-7 all-cameras<[\s\S]*<tas:KeyID>[^<]/,
  },
]
