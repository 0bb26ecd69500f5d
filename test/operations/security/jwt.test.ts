import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import type { JWTConfiguration } from '../../../src/onvif/types.generated.ts'
import { makeIdentity } from '../../support/identities.ts'
import { createTestDevice, raises } from '../device/testDevice.ts'

const metadata = 'https://id.example.org/realms/site/.well-known/openid-configuration'
const nothing: JWTConfiguration = { Audiences: [], TrustedIssuers: [], KeyID: [], ValidationPolicy: undefined, CustomClaims: [] }

async function device(t: TestContext) {
  const made = await createTestDevice(t)
  const { perform } = made
  const set = (change: Partial<JWTConfiguration>) =>
    perform('tas:SetJWTConfiguration', { Configuration: { Audiences: ['camera-7'], ...change } })
  return {
    ...made,
    set,
    get: async () => (await perform('tas:GetJWTConfiguration', {})).Configuration,
    refused: (change: Partial<JWTConfiguration>, fault: string) => assert.rejects(set(change), raises(fault), JSON.stringify(change)),
    /** A certificate of somebody, of which the device has the public key. */
    async somebody(options?: Parameters<typeof makeIdentity>[1]) {
      return perform('tas:UploadCertificate', { Certificate: (await makeIdentity('issuer', options)).der })
    },
  }
}

test('what is set replaces all of what was set before, and is read back', async t => {
  const { set, get, somebody, perform } = await device(t)
  assert.deepEqual(await get(), nothing)
  const { KeyID = '', CertificateID } = await somebody()
  const { CertPathValidationPolicyID } = await perform('tas:CreateCertPathValidationPolicy', {
    Parameters: {},
    TrustAnchor: [{ CertificateID }],
  })
  const full: JWTConfiguration = {
    Audiences: ['camera-7', 'all-cameras'],
    TrustedIssuers: [metadata],
    KeyID: [KeyID],
    ValidationPolicy: CertPathValidationPolicyID,
    CustomClaims: [{ Name: 'site', SupportedValues: ['north', 'south'] }],
  }
  await set(full)
  assert.deepEqual(await get(), full)
  await set({})
  assert.deepEqual(await get(), { ...nothing, Audiences: ['camera-7'] })
})

test('what it refers to stays in the keystore as long as it does', async t => {
  const { set, somebody, perform } = await device(t)
  const { CertificateID } = await somebody()
  const { KeyID } = await perform('tas:UploadKeyPairInPKCS8', { KeyPair: (await makeIdentity('other')).pkcs8 })
  const policy = await perform('tas:CreateCertPathValidationPolicy', { Parameters: {}, TrustAnchor: [{ CertificateID }] })
  await set({ KeyID: [KeyID], ValidationPolicy: policy.CertPathValidationPolicyID })
  const inUse = raises('Sender/InvalidArgVal/ReferenceExists')
  await assert.rejects(perform('tas:DeleteKey', { KeyID }), inUse)
  await assert.rejects(perform('tas:DeleteCertPathValidationPolicy', policy), inUse)
  await set({})
  await perform('tas:DeleteKey', { KeyID })
  await perform('tas:DeleteCertPathValidationPolicy', policy)
})

test('what cannot be used is refused as a whole', async t => {
  const { set, get, refused, somebody, perform } = await device(t)
  const { KeyID = '' } = await somebody({ kind: 'RSA' })
  await set({ KeyID: [KeyID] })
  const before = await get()
  const many = (count: number) => Array.from({ length: count }, (_, index) => `x${index}`)
  const generating = await perform('tas:CreateRSAKeyPair', { KeyLength: 4096 })
  await refused({ KeyID: [KeyID, 'none'] }, 'Sender/InvalidArgVal/KeyID')
  await refused({ KeyID: [generating.KeyID] }, 'Sender/InvalidArgVal/InvalidKeyStatus')
  await refused({ ValidationPolicy: 'none' }, 'Sender/InvalidArgVal/CertPathValidationPolicyID')
  await refused({ Audiences: many(limits.jwtAudiencesMax + 1) }, 'Sender/InvalidArgVal/TooManyAudiences')
  const issuers = many(limits.jwtIssuersMax + 1).map(name => `https://${name}.example.org/.well-known/openid-configuration`)
  await refused({ TrustedIssuers: issuers }, 'Sender/InvalidArgVal/MaxIssuersExceeded')
  const { KeyID: wide } = await perform('tas:CreateECCKeyPair', { EllipticCurve: 'secp384r1' })
  while ((await perform('tas:GetKeyStatus', { KeyID: wide })).KeyStatus === 'generating') await new Promise(setImmediate)
  for (const change of [
    { Audiences: [], KeyID: [KeyID] },
    { Audiences: [], TrustedIssuers: [metadata] },
    { Audiences: ['x'.repeat(limits.jwtTextCharactersMax + 1)] },
    { KeyID: [wide] },
    { KeyID: many(limits.jwtKeysMax + 1) },
    { TrustedIssuers: ['https://id.example.org'] },
    { TrustedIssuers: ['http://id.example.org/.well-known/openid-configuration'] },
    { TrustedIssuers: ['https://me:too@id.example.org/.well-known/openid-configuration'] },
    { TrustedIssuers: ['https://id.example.org/a/.well-known/openid-configuration/b'] },
    { TrustedIssuers: ['https://id.example.org/.well-known/'] },
    { TrustedIssuers: [`${metadata}#part`] },
    { TrustedIssuers: ['no address'] },
    { CustomClaims: [{ Name: 'site', SupportedValues: [] }] },
    { CustomClaims: [{ Name: '', SupportedValues: ['a'] }] },
    { CustomClaims: [{ Name: 'site', SupportedValues: many(limits.jwtClaimValuesMax + 1) }] },
    { CustomClaims: many(limits.jwtClaimsMax + 1).map(Name => ({ Name, SupportedValues: ['a'] })) },
  ])
    await refused(change, 'Sender/InvalidArgVal')
  assert.deepEqual(await get(), before)
})

test('the name of an issuer follows from the address of its metadata, in both forms that there are', async t => {
  const { set, jwt } = await device(t)
  const names = [
    ['https://id.example.org/.well-known/openid-configuration', 'https://id.example.org'],
    [metadata, 'https://id.example.org/realms/site'],
    ['https://id.example.org:8443/.well-known/oauth-authorization-server/realms/site', 'https://id.example.org:8443/realms/site'],
  ] as const
  await set({ TrustedIssuers: names.map(([address]) => address) })
  assert.deepEqual(
    jwt.trust().issuers,
    names.map(([address, name]) => ({ metadata: address, names: [name, `${name}/`] })),
  )
})

test('a backup brings it back together with the keys that it refers to, and Soft leaves it as it leaves users', async t => {
  const { set, get, store, somebody, perform, jwt } = await device(t)
  const { KeyID = '' } = await somebody()
  await set({ KeyID: [KeyID] })
  const documents = store.exportDocuments()
  await perform('SetSystemFactoryDefault', { FactoryDefault: 'Soft' })
  assert.deepEqual((await get()).KeyID, [KeyID])
  await perform('SetSystemFactoryDefault', { FactoryDefault: 'Hard' })
  assert.deepEqual(await get(), nothing)
  store.importDocuments(documents)
  assert.deepEqual((await get()).KeyID, [KeyID])
  assert.equal(jwt.trust().keys.length, 1)
})
