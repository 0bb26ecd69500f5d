import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Dot1XStage } from '../../../src/onvif/types.generated.ts'
import { createTestDevice, raises } from '../device/testDevice.ts'

async function device(t: TestContext) {
  const { perform } = await createTestDevice(t)
  const { PassphraseID } = await perform('tas:UploadPassphrase', { Passphrase: 'secret' })
  const outer = (method = 'EAP-PEAP', inner = 'MSCHAPv2'): Dot1XStage => ({
    Method: method,
    Identity: 'anonymous',
    Inner: { Method: inner, Identity: 'camera', PassphraseID },
  })
  return { perform, PassphraseID, outer }
}

test('a configuration is read as it was written, under an ID that the device chose', async t => {
  const { perform, PassphraseID, outer } = await device(t)
  const Dot1XConfiguration = { Dot1XID: 'wanted', Alias: 'office', Outer: outer() }
  const { Dot1XID } = await perform('tas:AddDot1XConfiguration', { Dot1XConfiguration })
  assert.notEqual(Dot1XID, 'wanted')
  const read = await perform('tas:GetDot1XConfiguration', { Dot1XID })
  // As the wire shows it, where what is undefined is not there.
  assert.deepEqual(JSON.parse(JSON.stringify(read)), { Dot1XConfiguration: { ...Dot1XConfiguration, Dot1XID } })
  const { Configuration = [] } = await perform('tas:GetAllDot1XConfigurations', {})
  assert.deepEqual(
    Configuration.map(each => each.Dot1XID),
    [Dot1XID],
  )
  await assert.rejects(perform('tas:DeletePassphrase', { PassphraseID }), raises('Sender/InvalidArgVal/ReferenceExists'))
  await perform('tas:DeleteDot1XConfiguration', { Dot1XID })
  await assert.rejects(perform('tas:GetDot1XConfiguration', { Dot1XID }), raises('Sender/InvalidArgVal/Dot1XConfigurationID'))
  await perform('tas:DeletePassphrase', { PassphraseID })
})

test('an interface has one configuration, which stays while the interface has it', async t => {
  const { perform, outer } = await device(t)
  const { Dot1XID } = await perform('tas:AddDot1XConfiguration', { Dot1XConfiguration: { Outer: outer() } })
  const token = 'eth0'
  assert.equal((await perform('tas:GetNetworkInterfaceDot1XConfiguration', { token })).Dot1XID, undefined)
  assert.deepEqual(await perform('tas:SetNetworkInterfaceDot1XConfiguration', { token, Dot1XID }), { RebootNeeded: false })
  assert.equal((await perform('tas:GetNetworkInterfaceDot1XConfiguration', { token })).Dot1XID, Dot1XID)
  await assert.rejects(perform('tas:DeleteDot1XConfiguration', { Dot1XID }), raises('Sender/InvalidArgVal/ReferenceExists'))
  for (let time = 0; time < 2; time++)
    assert.deepEqual(await perform('tas:DeleteNetworkInterfaceDot1XConfiguration', { token }), { RebootNeeded: false })
  await perform('tas:DeleteDot1XConfiguration', { Dot1XID })

  const unknown = raises('Sender/InvalidArgVal/InvalidNetworkInterface')
  await assert.rejects(perform('tas:GetNetworkInterfaceDot1XConfiguration', { token: 'eth9' }), unknown)
  await assert.rejects(perform('tas:SetNetworkInterfaceDot1XConfiguration', { token: 'eth9', Dot1XID }), unknown)
  await assert.rejects(perform('tas:DeleteNetworkInterfaceDot1XConfiguration', { token: 'eth9' }), unknown)
})

test('methods are those of the capability, in its combinations', async t => {
  const { perform, outer } = await device(t)
  const { Dot1XCapabilities } = (await perform('tas:GetServiceCapabilities', {})).Capabilities
  for (const methods of Dot1XCapabilities?.Dot1XMethods ?? assert.fail('no methods')) {
    const [method = '', inner] = methods.split('/')
    if (inner !== undefined) await perform('tas:AddDot1XConfiguration', { Dot1XConfiguration: { Outer: outer(method, inner) } })
  }
  const add = (Outer: Dot1XStage) => perform('tas:AddDot1XConfiguration', { Dot1XConfiguration: { Outer } })
  await assert.rejects(add(outer('EAP-NONE')), raises('Sender/InvalidArgVal/Dot1XMethod'))
  await assert.rejects(add(outer('EAP-TLS')), raises('Sender/InvalidArgVal/Dot1XMethodCombination'))
  await assert.rejects(add({ Method: 'EAP-MD5', Identity: 'a', PassphraseID: 'none' }), raises('Sender/InvalidArgVal/PassphraseID'))
})
