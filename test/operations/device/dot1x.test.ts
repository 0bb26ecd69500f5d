import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Dot1XConfiguration } from '../../../src/onvif/types.generated.ts'
import { makeIdentity } from '../../support/identities.ts'
import { createTestDevice, raises } from './testDevice.ts'

const root = await makeIdentity('root', { isAuthority: true })

async function equipped(t: Parameters<typeof createTestDevice>[0]) {
  const device = await createTestDevice(t)
  await device.perform('CreateCertificate', { CertificateID: 'mine' })
  await device.perform('LoadCACertificates', { CACertificate: [{ CertificateID: 'root', Certificate: { Data: root.der } }] })
  return device
}

const peap: Dot1XConfiguration = {
  Dot1XConfigurationToken: 'office',
  Identity: 'camera',
  AnonymousID: 'anonymous',
  EAPMethod: 25,
  CACertificateID: ['root'],
  EAPMethodConfiguration: { Password: 'open sesame' },
}
const tls: Dot1XConfiguration = {
  Dot1XConfigurationToken: 'gate',
  Identity: 'camera',
  EAPMethod: 13,
  EAPMethodConfiguration: { TLSConfiguration: { CertificateID: 'mine' } },
}

test('configurations are made, shown without their password, changed and deleted', async t => {
  const { perform, keystore, store } = await equipped(t)
  await perform('CreateDot1XConfiguration', { Dot1XConfiguration: peap })
  await perform('CreateDot1XConfiguration', { Dot1XConfiguration: tls })
  const { Dot1XConfiguration: all } = await perform('GetDot1XConfigurations', {})
  const { EAPMethodConfiguration: _, ...shown } = peap
  assert.deepEqual(JSON.parse(JSON.stringify(all)), [shown, { ...tls, CACertificateID: [] }])
  assert.deepEqual(await perform('GetDot1XConfiguration', { Dot1XConfigurationToken: 'office' }), { Dot1XConfiguration: all?.[0] })
  assert.doesNotMatch(JSON.stringify(store.exportDocuments()), /open sesame/, 'it is sealed')
  assert.deepEqual(
    (await perform('tas:GetAllDot1XConfigurations', {})).Configuration?.map(({ Outer }) => Outer.Method),
    ['EAP-PEAP', 'EAP-TLS'],
    'the other face shows them',
  )

  const password = () => keystore.passphrases.list().map(({ id }) => keystore.passphrases.open(id))
  await perform('SetDot1XConfiguration', { Dot1XConfiguration: { ...shown, AnonymousID: 'nobody' } })
  assert.deepEqual(password(), ['open sesame'], 'a password that is not sent stays')
  const changed = { ...peap, EAPMethod: 21, EAPMethodConfiguration: { Password: 'new' } }
  await perform('SetDot1XConfiguration', { Dot1XConfiguration: changed })
  assert.deepEqual(password(), ['new'])
  assert.equal((await perform('GetDot1XConfiguration', { Dot1XConfigurationToken: 'office' })).Dot1XConfiguration.EAPMethod, 21)

  await perform('DeleteDot1XConfiguration', { Dot1XConfigurationToken: ['office', 'gate'] })
  assert.deepEqual([(await perform('GetDot1XConfigurations', {})).Dot1XConfiguration, password()], [[], []])
})

test('what is wrong has its fault, and nothing changes', async t => {
  const { perform, store } = await equipped(t)
  await perform('CreateDot1XConfiguration', { Dot1XConfiguration: peap })
  await perform('CreateDot1XConfiguration', { Dot1XConfiguration: tls })
  const [used] = (await perform('tas:GetAllDot1XConfigurations', {})).Configuration ?? []
  await perform('tas:SetNetworkInterfaceDot1XConfiguration', { token: 'eth0', Dot1XID: used?.Dot1XID ?? '' })
  const create = (change: Partial<Dot1XConfiguration>) => () =>
    perform('CreateDot1XConfiguration', { Dot1XConfiguration: { ...peap, Dot1XConfigurationToken: 'new', ...change } })
  const refused: readonly (readonly [() => Promise<unknown>, string])[] = [
    [create({ Dot1XConfigurationToken: 'office' }), 'Sender/InvalidArgVal/ReferenceToken'],
    [create({ EAPMethod: 43 }), 'Receiver/ActionNotSupported/EAPMethodNotSupported'],
    [create({ CACertificateID: ['root', 'nobody'] }), 'Sender/InvalidArgVal/CACertificateID'],
    [
      () =>
        perform('CreateDot1XConfiguration', {
          Dot1XConfiguration: {
            ...tls,
            Dot1XConfigurationToken: 'new',
            EAPMethodConfiguration: { TLSConfiguration: { CertificateID: 'root' } },
          },
        }),
      'Sender/InvalidArgVal/CertificateID',
    ],
    [create({ EAPMethodConfiguration: undefined }), 'Sender/InvalidArgVal'],
    [
      () => perform('SetDot1XConfiguration', { Dot1XConfiguration: { ...peap, Dot1XConfigurationToken: 'nobodys' } }),
      'Sender/InvalidArgVal/ReferenceToken',
    ],
    [
      () => perform('SetDot1XConfiguration', { Dot1XConfiguration: { ...peap, EAPMethod: 99 } }),
      'Receiver/ActionNotSupported/EAPMethodNotSupported',
    ],
    [() => perform('GetDot1XConfiguration', { Dot1XConfigurationToken: 'nobodys' }), 'Sender/InvalidArgVal/ReferenceToken'],
    [() => perform('DeleteDot1XConfiguration', { Dot1XConfigurationToken: ['gate', 'nobodys'] }), 'Sender/InvalidArgVal/ReferenceToken'],
    [
      () => perform('DeleteDot1XConfiguration', { Dot1XConfigurationToken: ['gate', 'office'] }),
      'Sender/OperationProhibited/ReferenceToken',
    ],
    [() => perform('DeleteCertificates', { CertificateID: ['mine'] }), 'Receiver/Action/ReferencedCertificate'],
    [() => perform('DeleteCertificates', { CertificateID: ['root'] }), 'Receiver/Action/ReferencedCertificate'],
  ]
  const before = store.exportDocuments()
  for (const [work, fault] of refused) await assert.rejects(work, raises(fault), String(work))
  assert.deepEqual(store.exportDocuments(), before)
})

test('the EAP methods of the capabilities are those that are taken, and no other', async t => {
  const { perform } = await equipped(t)
  const taken: number[] = []
  for (let method = 0; method < 256; method++) {
    const Dot1XConfiguration: Dot1XConfiguration = {
      Dot1XConfigurationToken: 'probe',
      Identity: 'camera',
      EAPMethod: method,
      EAPMethodConfiguration: { ...tls.EAPMethodConfiguration, Password: 'secret' },
    }
    try {
      await perform('CreateDot1XConfiguration', { Dot1XConfiguration })
    } catch (error) {
      raises('Receiver/ActionNotSupported/EAPMethodNotSupported')(error)
      continue
    }
    taken.push(method)
    await perform('DeleteDot1XConfiguration', { Dot1XConfigurationToken: ['probe'] })
  }
  assert.deepEqual((await perform('GetServiceCapabilities', {})).Capabilities.Security.SupportedEAPMethods, taken)
})
