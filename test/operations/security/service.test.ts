import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import type { OperationName } from '../../../src/onvif/types.generated.ts'
import { isImplemented } from '../../../src/operations/notImplemented.ts'
import { securityHandlers } from '../../../src/operations/security/index.ts'
import { admin, startDaemon } from '../../support/daemon.ts'
import { envelope, testDevice } from '../../support/device.ts'
import { createTestDevice } from '../device/testDevice.ts'

/** Behind each capability, the operation that it promises. */
const promises: readonly (readonly [capability: string, operation: OperationName])[] = [
  ['KeystoreCapabilities/SetCertPath', 'tas:SetCertificationPath'],
  ['KeystoreCapabilities/SetCertPath', 'tas:SetCertPathValidationPolicy'],
  ['KeystoreCapabilities/RSAKeyPairGeneration', 'tas:CreateRSAKeyPair'],
  ['KeystoreCapabilities/ECCKeyPairGeneration', 'tas:CreateECCKeyPair'],
  ['KeystoreCapabilities/PKCS10', 'tas:CreatePKCS10CSR'],
  ['KeystoreCapabilities/PKCS10ExternalCertificationWithRSA', 'tas:CreatePKCS10CSR'],
  ['KeystoreCapabilities/SelfSignedCertificateCreation', 'tas:CreateSelfSignedCertificate'],
  ['KeystoreCapabilities/SelfSignedCertificateCreationWithRSA', 'tas:CreateSelfSignedCertificate'],
  ['KeystoreCapabilities/MaximumNumberOfPassphrases', 'tas:UploadPassphrase'],
  ['KeystoreCapabilities/PKCS8', 'tas:UploadKeyPairInPKCS8'],
  ['KeystoreCapabilities/PKCS8RSAKeyPairUpload', 'tas:UploadKeyPairInPKCS8'],
  ['KeystoreCapabilities/PKCS12', 'tas:UploadCertificateWithPrivateKeyInPKCS12'],
  ['KeystoreCapabilities/PKCS12CertificateWithRSAPrivateKeyUpload', 'tas:UploadCertificateWithPrivateKeyInPKCS12'],
  ['KeystoreCapabilities/MaximumNumberOfCRLs', 'tas:UploadCRL'],
  ['KeystoreCapabilities/MaximumNumberOfCertificationPathValidationPolicies', 'tas:CreateCertPathValidationPolicy'],
  ['KeystoreCapabilities/EnforceTLSWebClientAuthExtKeyUsage', 'tas:CreateCertPathValidationPolicy'],
  ['TLSServerCapabilities/TLSServerSupported', 'tas:AddServerCertificateAssignment'],
  ['TLSServerCapabilities/EnabledVersionsSupported', 'tas:SetEnabledTLSVersions'],
  ['TLSServerCapabilities/MaximumNumberOfTLSCertificationPaths', 'tas:AddServerCertificateAssignment'],
  ['TLSServerCapabilities/TLSClientAuthSupported', 'tas:SetClientAuthenticationRequired'],
  ['TLSServerCapabilities/CnMapsToUserSupported', 'tas:SetCnMapsToUser'],
  ['TLSServerCapabilities/MaximumNumberOfTLSCertificationPathValidationPolicies', 'tas:AddCertPathValidationPolicyAssignment'],
  ['Dot1XCapabilities/MaximumNumberOfDot1XConfigurations', 'tas:AddDot1XConfiguration'],
  ['Dot1XCapabilities/Dot1XMethods', 'tas:AddDot1XConfiguration'],
  ['AuthorizationServer/MaxConfigurations', 'tas:CreateAuthorizationServerConfiguration'],
  ['AuthorizationServer/ConfigurationTypesSupported', 'tas:CreateAuthorizationServerConfiguration'],
  ['AuthorizationServer/ClientAuthenticationMethodsSupported', 'tas:SetAuthorizationServerConfiguration'],
  ['MediaSigning/MediaSigningSupported', 'tas:GetAssignedMediaSigningCertificates'],
  ['MediaSigning/UserMediaSigningKeySupported', 'tas:AddMediaSigningCertificateAssignment'],
]

for (const servesTls of [true, false]) {
  test(`a capability is claimed exactly where its operation is there, ${servesTls ? 'with' : 'without'} HTTPS`, async t => {
    const { keystore, jwt, authorizationServers, network } = await createTestDevice(t)
    const handlers = securityHandlers({ keystore, jwt, authorizationServers, network, servesTls, allowLegacy: false })
    const isThere = new Map(Object.entries(handlers).map(([name, handler]) => [name, isImplemented(handler)]))
    const hungUp = new AbortController().signal
    const nobody = {
      origin: new URL('http://d'),
      remoteAddress: '',
      target: '',
      hungUp,
      caller: undefined,
      isMultipart: false,
      afterReply() {},
    }
    const call = { ...nobody, attachment: () => undefined, stream: async () => undefined, attach: () => assert.fail('nothing is attached') }
    const { Capabilities } = await handlers['tas:GetServiceCapabilities']({}, call)
    const claims = new Map(
      Object.entries(Capabilities).flatMap(([group, members]) =>
        Object.entries(members ?? {}).map(([name, value]) => [`${group}/${name}`, value]),
      ),
    )
    for (const [capability, operation] of promises)
      assert.equal(Boolean(claims.get(capability)), isThere.get(operation), `${capability} and ${operation}`)
    assert.equal(isThere.get('tas:AddServerCertificateAssignment'), servesTls)
    assert.equal(isThere.get('tas:SetJWTConfiguration'), servesTls, 'tokens are taken over HTTPS alone')
  })
}

test('there is room for what Security 5.5.7.7 asks for at least', () => {
  const { keysMax, certificatesMax, certificationPathsMax, validationPoliciesMax, tlsPathsMax, passphraseCharactersMax } = limits
  assert.ok(keysMax >= 4 && certificatesMax >= 4 && certificationPathsMax >= 2 && validationPoliciesMax >= 2)
  assert.ok(tlsPathsMax >= 1 && passphraseCharactersMax >= 40)
})

test('operations that two services share are told apart by their namespace', async t => {
  const { ask } = await testDevice(t)
  for (const [request, expected] of [
    ['<tds:GetServiceCapabilities/>', /<tds:GetServiceCapabilitiesResponse>.*<tds:Network /s],
    ['<tas:GetServiceCapabilities/>', /<tas:GetServiceCapabilitiesResponse>.*<tas:KeystoreCapabilities /s],
    ['<tds:GetDot1XConfiguration><tds:Dot1XConfigurationToken>a</tds:Dot1XConfigurationToken></tds:GetDot1XConfiguration>', /Fault/],
    ['<tas:GetDot1XConfiguration><tas:Dot1XID>a</tas:Dot1XID></tas:GetDot1XConfiguration>', /ter:Dot1XConfigurationID/],
    ['<tas:GetDot1XConfiguration><tds:Dot1XID>a</tds:Dot1XID></tas:GetDot1XConfiguration>', /ter:TagMismatch/],
    ['<tas:GetHostname/>', /ter:UnknownAction/],
    ['<tds:GetAllKeys/>', /ter:UnknownAction/],
  ] as const)
    assert.match((await ask(request)).xml, expected, request)
})

test('a role may open an operation of either service, and one name is not the other', async t => {
  const { ask } = await testDevice(t)
  const role = (functions: string) =>
    ask(`<tds:SetUserRole><tds:UserRole><tt:Name>clerk</tt:Name><tt:Functions>${functions}</tt:Functions></tds:UserRole></tds:SetUserRole>`)
  assert.equal((await role('tas:GetAllKeys tds:GetUsers')).fault, undefined)
  for (const unknown of ['GetAllKeys', 'tds:GetAllKeys', 'tas:GetAssignedMediaSigningCertificates'])
    assert.equal((await role(unknown)).fault, 'Receiver/Action/FunctionNotImplemented', unknown)
  const clerk = { name: 'carla', password: 'Filing-cabinet-9' }
  const created = await ask(
    `<tds:CreateUsers><tds:User><tt:Username>carla</tt:Username><tt:Password>${clerk.password}</tt:Password><tt:UserLevel>Extended</tt:UserLevel><tt:Extension><tt:Roles>clerk</tt:Roles></tt:Extension></tds:User></tds:CreateUsers>`,
  )
  assert.equal(created.fault, undefined, created.reason)
  assert.equal((await ask('<tas:GetAllKeys/>', clerk)).status, 200)
  assert.equal((await ask('<tas:GetAllCertificates/>', clerk)).status, 401)
})

test('every service answers at every address, as clients post to whichever they have read first', async t => {
  const { origin } = await startDaemon(t)
  for (const path of ['/onvif/device_service', '/onvif/security_service', '/onvif/deviceIO']) {
    for (const request of ['<tds:GetUsers/>', '<tas:GetAllKeys/>']) {
      const response = await fetch(origin + path, { method: 'POST', body: envelope(request, admin) })
      assert.equal(response.status, 200, `${request} at ${path}`)
    }
  }
})
