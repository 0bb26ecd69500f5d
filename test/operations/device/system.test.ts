import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { createTestDevice, raises } from './testDevice.ts'

const zone = 'CET-1CEST,M3.5.0,M10.5.0/3'

test('the type plate shows the firmware that runs', async t => {
  const { perform } = await createTestDevice(t)
  assert.deepEqual(await perform('GetDeviceInformation', {}), {
    Manufacturer: 'onvifd',
    Model: 'Virtual Device',
    FirmwareVersion: '1.0.0',
    SerialNumber: 'V1',
    HardwareId: 'onvifd-virtual',
  })
})

test('a reboot follows the answer and ends an upgrade that was begun', async t => {
  const { perform, reboots, firmware } = await createTestDevice(t)
  await perform('StartFirmwareUpgrade', {})
  assert.equal(firmware.status().state, 'Armed')
  assert.match((await perform('SystemReboot', {})).Message, /\b2 seconds/)
  assert.deepEqual(reboots, ['SystemReboot'])
  assert.equal(firmware.status().state, 'Idle')
})

/** A device on which everything that can be set has been set. */
async function createUsedDevice(t: Parameters<typeof createTestDevice>[0]) {
  const device = await createTestDevice(t)
  const { perform } = device
  await perform('SetHostname', { Name: 'gate-7' })
  await perform('CreateUsers', { User: [{ Username: 'ada', Password: 'Correct-horse-8', UserLevel: 'User' }] })
  await perform('SetScopes', { Scopes: ['urn:x:1'] })
  await perform('SetDiscoveryMode', { DiscoveryMode: 'NonDiscoverable' })
  await perform('SetSystemDateAndTime', {
    DateTimeType: 'Manual',
    DaylightSavings: true,
    TimeZone: { TZ: zone },
    UTCDateTime: { Date: { Year: 2031, Month: 7, Day: 1 }, Time: { Hour: 12, Minute: 0, Second: 0 } },
  })
  await perform('StartFirmwareUpgrade', {})
  const state = async () => {
    const { TimeZone, UTCDateTime } = (await perform('GetSystemDateAndTime', {})).SystemDateAndTime
    return {
      hostname: (await perform('GetHostname', {})).HostnameInformation.Name,
      users: device.users.list().map(user => user.name),
      scopes: (await perform('GetScopes', {})).Scopes.filter(scope => scope.ScopeDef === 'Configurable').map(scope => scope.ScopeItem),
      discoveryMode: (await perform('GetDiscoveryMode', {})).DiscoveryMode,
      timeZone: TimeZone?.TZ,
      year: UTCDateTime?.Date.Year,
      upgrade: device.firmware.status().state,
      uuid: (await perform('GetEndpointReference', {})).GUID,
    }
  }
  return { ...device, state }
}

const factory = { scopes: ['onvif://www.onvif.org/location/unknown'], discoveryMode: 'Discoverable', timeZone: 'UTC0', upgrade: 'Idle' }

test('a soft factory default keeps users, hostname, time and identity, resets the rest and restarts', async t => {
  const { perform, state, reboots } = await createUsedDevice(t)
  const before = await state()
  assert.deepEqual(
    { ...before, uuid: '' },
    {
      hostname: 'gate-7',
      users: ['admin', 'ada'],
      scopes: ['urn:x:1'],
      discoveryMode: 'NonDiscoverable',
      timeZone: zone,
      year: 2031,
      upgrade: 'Armed',
      uuid: '',
    },
  )
  assert.deepEqual(await perform('SetSystemFactoryDefault', { FactoryDefault: 'Soft' }), {})
  assert.deepEqual(await state(), { ...before, ...factory })
  assert.deepEqual(reboots, ['SetSystemFactoryDefault'])
})

test('a hard factory default resets users and network too; identity and clock stay', async t => {
  const { perform, state, reboots, users } = await createUsedDevice(t)
  const before = await state()
  await perform('SetSystemFactoryDefault', { FactoryDefault: 'Hard' })
  assert.deepEqual(await state(), { ...before, ...factory, hostname: 'onvifd-v1', users: [] })
  assert.deepEqual([users.isEmpty(), reboots], [true, ['SetSystemFactoryDefault']])
})

test('a backup brings a used device back after a hard factory default', async t => {
  const { perform, state, backup, restore, users } = await createUsedDevice(t)
  const before = await state()
  const file = await backup.make()
  await perform('SetSystemFactoryDefault', { FactoryDefault: 'Hard' })
  const { UploadUri, ExpectedDownTime } = await perform('StartSystemRestore', {})
  assert.equal(ExpectedDownTime, 'PT3S')
  const ticket = UploadUri.slice(UploadUri.lastIndexOf('/') + 1)
  const upload = { ticket, lengthBytes: file.length, user: 'admin', remoteAddress: '192.0.2.99', signal: new AbortController().signal }
  await restore.upload.receive(
    upload,
    (async function* () {
      yield file
    })(),
  )
  assert.deepEqual(await state(), { ...before, upgrade: 'Idle' })
  assert.equal(users.find('ada')?.password, 'Correct-horse-8')
})

test('both logs can be read, whatever characters came into them', async t => {
  const { perform, logs } = await createTestDevice(t)
  logs.system.info({ odd: '<&>"\u0000\u001b\ufffe\ud800 \u{1f600}' }, 'from the system')
  logs.access.info({}, 'from the access')
  assert.match((await perform('GetSystemLog', { LogType: 'System' })).SystemLog.String ?? '', /from the system"\}\n$/)
  assert.match((await perform('GetSystemLog', { LogType: 'Access' })).SystemLog.String ?? '', /from the access"\}\n$/)
})

test('an upgrade begins with a new ticket in an absolute URI', async t => {
  const { perform } = await createTestDevice(t)
  const [one, two] = [await perform('StartFirmwareUpgrade', {}), await perform('StartFirmwareUpgrade', {})]
  assert.match(one.UploadUri, /^http:\/\/192\.0\.2\.7:80\/onvif\/upload\/[A-Za-z0-9_-]{22}$/)
  assert.notEqual(one.UploadUri, two.UploadUri)
  assert.deepEqual([one.UploadDelay, one.ExpectedDownTime], ['PT0S', 'PT3S'])
})

test('users are created, changed and deleted, and their passwords are never shown', async t => {
  const { perform, users } = await createTestDevice(t)
  await perform('CreateUsers', { User: [{ Username: 'ada', Password: 'Correct-horse-8', UserLevel: 'Operator' }] })
  await perform('SetUser', { User: [{ Username: 'ada', Password: 'Correct-horse-9', UserLevel: 'User' }] })
  assert.deepEqual((await perform('GetUsers', {})).User, [
    { Username: 'admin', UserLevel: 'Administrator' },
    { Username: 'ada', UserLevel: 'User' },
  ])
  assert.equal(users.find('ada')?.password, 'Correct-horse-9')
  await assert.rejects(
    perform('CreateUsers', { User: [{ Username: 'bob', Password: 'Correct-horse-8', UserLevel: 'Anonymous' }] }),
    raises('Sender/OperationProhibited/AnonymousNotAllowed'),
  )
  await assert.rejects(perform('DeleteUsers', { Username: ['ada', 'bob'] }), raises('Sender/InvalidArgVal/UsernameMissing'))
  await perform('DeleteUsers', { Username: ['ada'] })
  assert.deepEqual((await perform('GetUsers', {})).User?.length, 1)
})

test('scopes are shown with their kind, and what was removed is told', async t => {
  const { perform } = await createTestDevice(t)
  await perform('AddScopes', { ScopeItem: ['urn:x:1', 'urn:x:2'] })
  assert.deepEqual(await perform('RemoveScopes', { ScopeItem: ['urn:x:2', 'urn:x:2'] }), { ScopeItem: ['urn:x:2'] })
  const { Scopes } = await perform('GetScopes', {})
  assert.deepEqual(
    Scopes.filter(scope => scope.ScopeDef === 'Configurable').map(scope => scope.ScopeItem),
    ['onvif://www.onvif.org/location/unknown', 'urn:x:1'],
  )
  const fixed = Scopes.find(scope => scope.ScopeDef === 'Fixed')?.ScopeItem ?? assert.fail()
  await assert.rejects(perform('RemoveScopes', { ScopeItem: [fixed] }), raises('Sender/OperationProhibited/FixedScope'))
  await assert.rejects(perform('RemoveScopes', { ScopeItem: ['urn:x:2'] }), raises('Sender/InvalidArgVal/NoScope'))
  const many = Array.from({ length: limits.scopesMax }, (_, index) => `urn:x:${index}`)
  for (const change of [perform('SetScopes', { Scopes: many }), perform('AddScopes', { ScopeItem: many })])
    await assert.rejects(change, raises('Receiver/Action/TooManyScopes'))
})

test('date and time are shown in UTC and local, and refused where there is no such time, zone or server', async t => {
  const { perform } = await createTestDevice(t)
  const summer = { Date: { Year: 2026, Month: 7, Day: 1 }, Time: { Hour: 23, Minute: 30, Second: 5 } }
  await perform('SetSystemDateAndTime', { DateTimeType: 'Manual', DaylightSavings: true, TimeZone: { TZ: zone }, UTCDateTime: summer })
  const { SystemDateAndTime } = await perform('GetSystemDateAndTime', {})
  assert.deepEqual(
    { ...SystemDateAndTime, UTCDateTime: undefined, LocalDateTime: undefined },
    { DateTimeType: 'Manual', DaylightSavings: true, TimeZone: { TZ: zone }, UTCDateTime: undefined, LocalDateTime: undefined },
  )
  assert.deepEqual([SystemDateAndTime.UTCDateTime?.Date, SystemDateAndTime.UTCDateTime?.Time.Hour], [summer.Date, 23])
  assert.deepEqual([SystemDateAndTime.LocalDateTime?.Date.Day, SystemDateAndTime.LocalDateTime?.Time.Hour], [2, 1])
  const wrong = { DateTimeType: 'Manual', DaylightSavings: true } as const
  await assert.rejects(
    perform('SetSystemDateAndTime', { ...wrong, TimeZone: { TZ: 'Mars' } }),
    raises('Sender/InvalidArgVal/InvalidTimeZone'),
  )
  await assert.rejects(
    perform('SetSystemDateAndTime', { ...wrong, UTCDateTime: { ...summer, Date: { Year: 2026, Month: 2, Day: 30 } } }),
    raises('Sender/InvalidArgVal/InvalidDateTime'),
  )
  await assert.rejects(
    perform('SetSystemDateAndTime', { ...wrong, DateTimeType: 'NTP' }),
    raises('Sender/InvalidArgVal/NtpServerUndefined'),
  )
})

test('the endpoint reference is a UUID that does not change', async t => {
  const { perform, identity } = await createTestDevice(t)
  assert.deepEqual(await perform('GetEndpointReference', {}), { GUID: `urn:uuid:${identity.uuid}` })
})
