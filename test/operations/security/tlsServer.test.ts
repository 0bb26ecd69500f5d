import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import type { OperationName, Operations } from '../../../src/onvif/types.generated.ts'
import { makeIdentity } from '../../support/identities.ts'
import { createTestDevice, raises } from '../device/testDevice.ts'

/** A device whose HTTPS listener follows the keystore, with paths that a server can show and a policy for clients. */
async function server(t: TestContext, tlsEnabled = false) {
  const { perform } = await createTestDevice(t, { tlsEnabled })
  const path = async (withKey = true) => {
    const identity = await makeIdentity('camera')
    if (withKey) await perform('tas:UploadKeyPairInPKCS8', { KeyPair: identity.pkcs8 })
    const { CertificateID } = await perform('tas:UploadCertificate', { Certificate: identity.der })
    const { CertificationPathID } = await perform('tas:CreateCertificationPath', { CertificateIDs: { CertificateID: [CertificateID] } })
    return { CertificateID, CertificationPathID }
  }
  const policy = async () => {
    const { CertificateID } = await path(false)
    return perform('tas:CreateCertPathValidationPolicy', { Parameters: {}, TrustAnchor: [{ CertificateID }] })
  }
  const refused = <O extends OperationName>(operation: O, request: Operations[O]['request'], fault: string) =>
    assert.rejects(perform(operation, request), raises(fault), `${operation} is refused`)
  return { perform, path, policy, refused }
}

test('paths are assigned, replaced in their place, and removed while HTTPS is off', async t => {
  const { perform, path, refused } = await server(t)
  const assigned = async () => (await perform('tas:GetAssignedServerCertificates', {})).CertificationPathID
  const [first, second, third] = [await path(), await path(), await path()]
  await perform('tas:AddServerCertificateAssignment', first)
  await perform('tas:AddServerCertificateAssignment', second)
  await perform('tas:AddServerCertificateAssignment', first)
  assert.deepEqual(await assigned(), [first.CertificationPathID, second.CertificationPathID])

  const [old, next] = [first.CertificationPathID, third.CertificationPathID]
  await perform('tas:ReplaceServerCertificateAssignment', { OldCertificationPathID: old, NewCertificationPathID: next })
  assert.deepEqual(await assigned(), [next, second.CertificationPathID])
  await refused(
    'tas:ReplaceServerCertificateAssignment',
    { OldCertificationPathID: old, NewCertificationPathID: next },
    'Sender/InvalidArgVal/OldCertificationPathID',
  )
  await refused(
    'tas:ReplaceServerCertificateAssignment',
    { OldCertificationPathID: next, NewCertificationPathID: 'none' },
    'Sender/InvalidArgVal/NewCertificationPathID',
  )
  await refused('tas:DeleteCertificationPath', third, 'Sender/InvalidArgVal/ReferenceExists')
  await perform('tas:RemoveServerCertificateAssignment', third)
  await refused('tas:RemoveServerCertificateAssignment', third, 'Sender/InvalidArgVal/OldCertificationPathID')
  assert.deepEqual(await assigned(), [second.CertificationPathID])
})

test('a path without a private key, an unknown one and one too many are refused', async t => {
  const { perform, path, refused } = await server(t)
  await refused('tas:AddServerCertificateAssignment', await path(false), 'Sender/InvalidArgVal/NoPrivateKey')
  await refused('tas:AddServerCertificateAssignment', { CertificationPathID: 'none' }, 'Sender/InvalidArgVal/CertificationPathID')
  for (let index = 0; index < limits.tlsPathsMax; index++) await perform('tas:AddServerCertificateAssignment', await path())
  await refused('tas:AddServerCertificateAssignment', await path(), 'Receiver/Action/MaximumNumberOfTLSCertificationPathsReached')
})

test('while HTTPS is on, a path can be replaced and not removed', async t => {
  const { perform, path, refused } = await server(t, true)
  const assigned = await path()
  await perform('tas:AddServerCertificateAssignment', assigned)
  await refused('tas:RemoveServerCertificateAssignment', assigned, 'Sender/InvalidArgVal/ReferenceExists')
})

test('versions are those that the capability lists', async t => {
  const { perform, refused } = await server(t)
  assert.deepEqual((await perform('tas:GetEnabledTLSVersions', {})).Versions, ['1.2', '1.3'])
  await perform('tas:SetEnabledTLSVersions', { Versions: ['1.3'] })
  assert.deepEqual((await perform('tas:GetEnabledTLSVersions', {})).Versions, ['1.3'])
  await refused('tas:SetEnabledTLSVersions', { Versions: [] }, 'Sender/InvalidArgVal/EmptyList')
  await refused('tas:SetEnabledTLSVersions', { Versions: ['1.1'] }, 'Sender/InvalidArgVal/TLSVersion')
  assert.deepEqual((await perform('tas:GetEnabledTLSVersions', {})).Versions, ['1.3'])
})

test('clients are authenticated by a policy, and by no other means', async t => {
  const { perform, policy, refused } = await server(t)
  const unset = 'Receiver/ActionNotSupported/'
  await refused('tas:SetClientAuthenticationRequired', { clientAuthenticationRequired: true }, `${unset}EnablingClientAuthenticationFailed`)
  await refused('tas:SetCnMapsToUser', { cnMapsToUser: true }, `${unset}CnMapsToUserFailed`)
  const [first, second] = [await policy(), await policy()]
  await perform('tas:AddCertPathValidationPolicyAssignment', first)
  await perform('tas:SetClientAuthenticationRequired', { clientAuthenticationRequired: true })
  await perform('tas:SetCnMapsToUser', { cnMapsToUser: true })
  assert.deepEqual(await perform('tas:GetClientAuthenticationRequired', {}), { clientAuthenticationRequired: true })
  assert.deepEqual(await perform('tas:GetCnMapsToUser', {}), { cnMapsToUser: true })

  const [old, next] = [first.CertPathValidationPolicyID, second.CertPathValidationPolicyID]
  const replace = (OldCertPathValidationPolicyID: string, NewCertPathValidationPolicyID: string) => ({
    OldCertPathValidationPolicyID,
    NewCertPathValidationPolicyID,
  })
  await refused(
    'tas:ReplaceCertPathValidationPolicyAssignment',
    replace('none', next),
    'Sender/InvalidArgVal/OldCertPathValidationPolicyID',
  )
  await refused('tas:ReplaceCertPathValidationPolicyAssignment', replace(old, 'none'), 'Sender/InvalidArgVal/NewCertPathValidationPolicyID')
  await perform('tas:ReplaceCertPathValidationPolicyAssignment', replace(old, next))
  assert.deepEqual(await perform('tas:GetAssignedCertPathValidationPolicies', {}), { CertPathValidationPolicyID: [next] })
  await refused('tas:RemoveCertPathValidationPolicyAssignment', first, 'Sender/InvalidArgVal/CertPathValidationPolicyID')
  await perform('tas:SetClientAuthenticationRequired', { clientAuthenticationRequired: false })
  await perform('tas:RemoveCertPathValidationPolicyAssignment', second)
  assert.deepEqual((await perform('tas:GetAssignedCertPathValidationPolicies', {})).CertPathValidationPolicyID ?? [], [])

  for (let index = 0; index < limits.tlsPoliciesMax; index++) await perform('tas:AddCertPathValidationPolicyAssignment', await policy())
  await refused(
    'tas:AddCertPathValidationPolicyAssignment',
    await policy(),
    'Receiver/Action/MaximumNumberOfTLSCertPathValidationPoliciesReached',
  )
})
