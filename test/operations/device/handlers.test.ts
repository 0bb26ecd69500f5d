import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import { operations } from '../../../src/onvif/operations.ts'
import type { OperationName } from '../../../src/onvif/types.generated.ts'
import { isImplemented } from '../../../src/operations/notImplemented.ts'
import { createTestDevice } from './testDevice.ts'

/** Core's mandatory operations, and what a client needs to connect and to upgrade. */
const implemented: readonly OperationName[] = [
  'GetServices',
  'GetServiceCapabilities',
  'GetCapabilities',
  'GetWsdlUrl',
  'GetHostname',
  'SetHostname',
  'GetDNS',
  'GetNTP',
  'GetNetworkInterfaces',
  'GetNetworkProtocols',
  'ScanAvailableDot11Networks',
  'GetDot11Status',
  'GetDot11Capabilities',
  'SetZeroConfiguration',
  'GetZeroConfiguration',
  'SetNetworkDefaultGateway',
  'GetNetworkDefaultGateway',
  'SetNetworkInterfaces',
  'SetHostnameFromDHCP',
  'SetDNS',
  'SetNTP',
  'GetDynamicDNS',
  'SetDynamicDNS',
  'SetNetworkProtocols',
  'GetIPAddressFilter',
  'SetIPAddressFilter',
  'AddIPAddressFilter',
  'RemoveIPAddressFilter',
  'GetDeviceInformation',
  'SetSystemFactoryDefault',
  'SystemReboot',
  'GetSystemLog',
  'GetSystemSupportInformation',
  'GetSystemUris',
  'StartSystemRestore',
  'SetSystemDateAndTime',
  'GetSystemDateAndTime',
  'StartFirmwareUpgrade',
  'UpgradeSystemFirmware',
  'GetScopes',
  'SetScopes',
  'AddScopes',
  'RemoveScopes',
  'GetDiscoveryMode',
  'SetDiscoveryMode',
  'GetEndpointReference',
  'GetUsers',
  'CreateUsers',
  'DeleteUsers',
  'SetUser',
  'GetUserRoles',
  'SetUserRole',
  'DeleteUserRole',
  'GetRemoteUser',
  'SetRemoteUser',
  'GetAccessPolicy',
  'SetAccessPolicy',
  'GetPasswordComplexityOptions',
  'GetPasswordComplexityConfiguration',
  'SetPasswordComplexityConfiguration',
  'GetPasswordHistoryConfiguration',
  'SetPasswordHistoryConfiguration',
  'GetAuthFailureWarningOptions',
  'GetAuthFailureWarningConfiguration',
  'SetAuthFailureWarningConfiguration',
  'SetHashingAlgorithm',
  'GetSystemBackup',
  'RestoreSystem',
  'GetGeoLocation',
  'SetGeoLocation',
  'DeleteGeoLocation',
  'GetRelayOutputs',
  'SetRelayOutputSettings',
  'SetRelayOutputState',
  'SendAuxiliaryCommand',
  'GetStorageConfigurations',
  'CreateStorageConfiguration',
  'GetStorageConfiguration',
  'SetStorageConfiguration',
  'DeleteStorageConfiguration',
  'GetRemoteDiscoveryMode',
  'SetRemoteDiscoveryMode',
  'GetDPAddresses',
  'SetDPAddresses',
  'CreateCertificate',
  'GetCertificates',
  'GetCertificatesStatus',
  'SetCertificatesStatus',
  'DeleteCertificates',
  'GetPkcs10Request',
  'LoadCertificates',
  'GetClientCertificateMode',
  'SetClientCertificateMode',
  'GetCACertificates',
  'LoadCertificateWithPrivateKey',
  'GetCertificateInformation',
  'LoadCACertificates',
  'CreateDot1XConfiguration',
  'SetDot1XConfiguration',
  'GetDot1XConfiguration',
  'GetDot1XConfigurations',
  'DeleteDot1XConfiguration',
]

/** Of the other services, what is not there. */
const absent: readonly string[] = ['mediaSigning', 'eventBrokers']
const others = Object.entries(operations).flatMap(([name, { chapter }]) =>
  name.includes(':') && !absent.includes(chapter) && name !== 'tev:Seek' ? [name] : [],
)

const names = (table: object) => Object.keys(table) as OperationName[]

test('every operation of the table has one handler, and nothing else has', async t => {
  const { handlers } = await createTestDevice(t)
  assert.deepEqual(Object.keys(handlers).sort(), Object.keys(operations).sort())
  assert.equal(Object.keys(handlers).length, 103 + 62 + 13)
  assert.deepEqual(
    names(handlers)
      .filter(name => isImplemented(handlers[name]))
      .sort(),
    [...implemented, ...others].sort(),
  )
})

test('the others answer ActionNotSupported, name themselves and say "not implemented"', async t => {
  const { handlers } = await createTestDevice(t)
  for (const name of names(handlers).filter(name => !implemented.includes(name) && !others.includes(name))) {
    const handler: (...nothing: never[]) => Promise<unknown> = handlers[name]
    await assert.rejects(handler(), error => {
      assert.ok(error instanceof SoapFault)
      assert.deepEqual([error.code, error.subcodes, error.message], ['Receiver', ['ActionNotSupported'], `${name} is not implemented`])
      return true
    })
  }
})

/** Behind each capability, the operation that it promises. */
const promises: readonly [capability: string, operation: OperationName][] = [
  ['Network/IPFilter', 'SetIPAddressFilter'],
  ['Network/ZeroConfiguration', 'SetZeroConfiguration'],
  ['Network/DynDNS', 'SetDynamicDNS'],
  ['Network/Dot11Configuration', 'GetDot11Status'],
  ['Network/Dot1XConfigurations', 'CreateDot1XConfiguration'],
  ['Network/HostnameFromDHCP', 'SetHostnameFromDHCP'],
  ['Network/NTP', 'SetNTP'],
  ['Network/IPVersion6', 'SetNetworkInterfaces'],
  ['Security/TLS1.0', 'SetCertificatesStatus'],
  ['Security/TLS1.1', 'SetCertificatesStatus'],
  ['Security/TLS1.2', 'SetCertificatesStatus'],
  ['Security/OnboardKeyGeneration', 'CreateCertificate'],
  ['Security/AccessPolicyConfig', 'GetAccessPolicy'],
  ['Security/Dot1X', 'SetDot1XConfiguration'],
  ['Security/SupportedEAPMethods', 'SetDot1XConfiguration'],
  ['Security/RemoteUserHandling', 'GetRemoteUser'],
  ['Security/JsonWebToken', 'tas:GetJWTConfiguration'],
  ['Security/SecurityPolicies', 'SetPasswordComplexityConfiguration'],
  ['Security/MaxPasswordHistory', 'SetPasswordHistoryConfiguration'],
  ['Security/MaxUserRoles', 'SetUserRole'],
  ['System/RemoteDiscovery', 'GetRemoteDiscoveryMode'],
  ['System/SystemBackup', 'RestoreSystem'],
  ['System/SystemLogging', 'GetSystemLog'],
  ['System/CloudFirmwareUpgrade', 'UpgradeFirmware'],
  ['System/HttpFirmwareUpgrade', 'StartFirmwareUpgrade'],
  ['System/HttpSystemBackup', 'StartSystemRestore'],
  ['System/HttpSystemLogging', 'GetSystemUris'],
  ['System/HttpSupportInformation', 'GetSystemUris'],
  ['System/StorageConfiguration', 'CreateStorageConfiguration'],
  ['System/MaxStorageConfigurations', 'CreateStorageConfiguration'],
  ['System/StorageTypesSupported', 'SetStorageConfiguration'],
  ['System/GeoLocationEntries', 'SetGeoLocation'],
  ['Misc/AuxiliaryCommands', 'SendAuxiliaryCommand'],
]

test('a capability is claimed exactly where its operation is there', async t => {
  const { perform, handlers } = await createTestDevice(t, { interfaces: ['eth0', 'wlan0'], allowLegacy: true })
  const { Capabilities } = await perform('GetServiceCapabilities', {})
  const claims = new Map(
    Object.entries(Capabilities).flatMap(([group, members]) =>
      Object.entries(members ?? {}).map(([name, value]) => [`${group}/${name}`, value]),
    ),
  )
  for (const [capability, operation] of promises)
    assert.equal(Boolean(claims.get(capability)), isImplemented(handlers[operation]), `${capability} and ${operation}`)
  const others = [...claims].filter(([name, value]) => value !== false && !promises.some(([capability]) => capability === name))
  assert.deepEqual(Object.fromEntries(others), {
    'Security/DefaultAccessPolicy': true,
    'Security/UsernameToken': true,
    'Security/HttpDigest': true,
    'Security/MaxUsers': limits.usersMax,
    'Security/MaxUserNameLength': limits.userNameCharactersMax,
    'Security/MaxPasswordLength': limits.passwordCharactersMax,
    'Security/HashingAlgorithms': ['MD5', 'SHA-256'],
    'System/DiscoveryResolve': true,
    'System/DiscoveryBye': true,
  })
})
