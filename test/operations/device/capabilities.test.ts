import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestDevice, raises } from './testDevice.ts'

test('every address has the scheme, host and port of the request, the port also where it is 80', async t => {
  for (const [origin, base] of [
    ['http://192.0.2.7', 'http://192.0.2.7:80'],
    ['http://camera.example.org:8080', 'http://camera.example.org:8080'],
    ['https://192.0.2.7', 'https://192.0.2.7:443'],
    ['http://[2001:db8::7]:81', 'http://[2001:db8::7]:81'],
  ] as const) {
    const { perform } = await createTestDevice(t, { origin })
    assert.equal((await perform('GetServices', { IncludeCapability: false })).Service[0]?.XAddr, `${base}/onvif/device_service`)
    assert.equal((await perform('GetCapabilities', {})).Capabilities.Device?.XAddr, `${base}/onvif/device_service`)
    assert.equal((await perform('GetWsdlUrl', {})).WsdlUrl, `${base}/onvif/wsdl/device.wsdl`)
    const uris = await perform('GetSystemUris', {})
    assert.deepEqual(uris.SystemLogUris?.SystemLog, [
      { Type: 'System', Uri: `${base}/onvif/download/system.log` },
      { Type: 'Access', Uri: `${base}/onvif/download/access.log` },
    ])
    assert.deepEqual([uris.SupportInfoUri, uris.SystemBackupUri], [`${base}/onvif/download/support.tar`, `${base}/onvif/download/backup`])
    assert.ok((await perform('StartSystemRestore', {})).UploadUri.startsWith(`${base}/onvif/restore/`))
    assert.ok((await perform('StartFirmwareUpgrade', {})).UploadUri.startsWith(`${base}/onvif/upload/`))
  }
})

test('GetServices lists the services of release 26.06, each with an address of its own', async t => {
  const { perform } = await createTestDevice(t)
  const { Service } = await perform('GetServices', { IncludeCapability: false })
  assert.deepEqual(Service, [
    {
      Namespace: 'http://www.onvif.org/ver10/device/wsdl',
      XAddr: 'http://192.0.2.7:80/onvif/device_service',
      Version: { Major: 26, Minor: 6 },
    },
    {
      Namespace: 'http://www.onvif.org/ver10/events/wsdl',
      XAddr: 'http://192.0.2.7:80/onvif/event_service',
      Version: { Major: 26, Minor: 6 },
    },
    {
      Namespace: 'http://www.onvif.org/ver10/advancedsecurity/wsdl',
      XAddr: 'http://192.0.2.7:80/onvif/security_service',
      Version: { Major: 26, Minor: 6 },
    },
  ])
})

test('the capabilities in GetServices are those of GetServiceCapabilities', async t => {
  const { perform } = await createTestDevice(t)
  const { Service } = await perform('GetServices', { IncludeCapability: true })
  const { Capabilities } = await perform('GetServiceCapabilities', {})
  const { Capabilities: events } = await perform('tev:GetServiceCapabilities', {})
  const { Capabilities: security } = await perform('tas:GetServiceCapabilities', {})
  assert.deepEqual(
    Service.map(service => service.Capabilities),
    [
      { $any: [{ element: 'tds:Capabilities', value: Capabilities }] },
      { $any: [{ element: 'tev:Capabilities', value: events }] },
      { $any: [{ element: 'tas:Capabilities', value: security }] },
    ],
  )
})

test('GetCapabilities answers the category that was asked for, and all without one', async t => {
  const { perform } = await createTestDevice(t)
  const all = await perform('GetCapabilities', {})
  assert.deepEqual(Object.keys(all.Capabilities), ['Device', 'Events'])
  for (const Category of [[], ['All'], ['Device', 'Events'], ['All', 'Device']] as const)
    assert.deepEqual(await perform('GetCapabilities', { Category }), all)
  for (const category of ['Device', 'Events'] as const) {
    const { Capabilities } = await perform('GetCapabilities', { Category: [category] })
    assert.deepEqual(
      Object.entries(Capabilities).filter(([, value]) => value !== undefined),
      [[category, all.Capabilities[category]]],
    )
  }
  for (const category of ['Analytics', 'Imaging', 'Media', 'PTZ'] as const) {
    await assert.rejects(perform('GetCapabilities', { Category: [category] }), raises('Receiver/ActionNotSupported/NoSuchService'))
    await assert.rejects(
      perform('GetCapabilities', { Category: ['Device', category] }),
      raises('Receiver/ActionNotSupported/NoSuchService'),
    )
  }
})

test('the legacy capabilities say the same, and let ODM upgrade over HTTP, and older clients by attachment', async t => {
  const { perform } = await createTestDevice(t)
  const { Network, System, Security, IO } = (await perform('GetCapabilities', {})).Capabilities.Device ?? assert.fail('no Device')
  const now = (await perform('GetServiceCapabilities', {})).Capabilities
  assert.equal(System?.FirmwareUpgrade, true)
  assert.ok(System?.SupportedVersions.some(({ Major, Minor }) => Major > 2 || (Major === 2 && Minor >= 1)))
  const { HttpFirmwareUpgrade, HttpSystemBackup, HttpSystemLogging, HttpSupportInformation, SystemBackup, SystemLogging } = now.System
  assert.deepEqual(System?.Extension, { HttpFirmwareUpgrade, HttpSystemBackup, HttpSystemLogging, HttpSupportInformation })
  assert.deepEqual([HttpFirmwareUpgrade, System?.SystemBackup, System?.SystemLogging], [true, SystemBackup, SystemLogging])
  assert.deepEqual(
    [Network?.IPVersion6, Security?.AccessPolicyConfig, IO?.RelayOutputs, IO?.Extension?.AuxiliaryCommands],
    [now.Network.IPVersion6, now.Security.AccessPolicyConfig, 2, now.Misc?.AuxiliaryCommands],
  )
})

test('what the network can do follows from what is there', async t => {
  for (const interfaces of [['eth0'], ['eth0', 'wlan0']]) {
    const { perform } = await createTestDevice(t, { interfaces })
    const { Network, System } = (await perform('GetServiceCapabilities', {})).Capabilities
    const { IPVersion6, ZeroConfiguration, HostnameFromDHCP, Dot11Configuration, DHCPv6 } = Network
    assert.deepEqual(
      { IPVersion6, ZeroConfiguration, HostnameFromDHCP },
      { IPVersion6: true, ZeroConfiguration: true, HostnameFromDHCP: true },
    )
    assert.deepEqual([Dot11Configuration, DHCPv6], [interfaces.length === 2, false])
    assert.equal(System.NetworkConfigNotSupported, false)
    const legacy = (await perform('GetCapabilities', {})).Capabilities.Device?.Network
    assert.deepEqual(
      [legacy?.IPVersion6, legacy?.ZeroConfiguration, legacy?.Extension?.Dot11Configuration],
      [true, true, interfaces.length === 2],
    )
  }
})
