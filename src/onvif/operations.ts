import type { UserLevel } from './handlers.ts'
import type { OperationName } from './types.generated.ts'

/** Access classes, Core 5.9.4.3. */
export type AccessClass =
  | 'PRE_AUTH'
  | 'READ_SYSTEM'
  | 'READ_SYSTEM_SENSITIVE'
  | 'READ_SYSTEM_SECRET'
  | 'WRITE_SYSTEM'
  | 'UNRECOVERABLE'
  | 'READ_MEDIA'
  | 'ACTUATE'

/** The default access policy, Core 5.9.4.4: the levels that an access class admits. PRE_AUTH admits everybody. */
export const admitted: Readonly<Record<Exclude<AccessClass, 'PRE_AUTH'>, readonly UserLevel[]>> = {
  READ_SYSTEM: ['Administrator', 'Operator', 'User'],
  READ_SYSTEM_SENSITIVE: ['Administrator', 'Operator'],
  READ_SYSTEM_SECRET: ['Administrator'],
  WRITE_SYSTEM: ['Administrator'],
  UNRECOVERABLE: ['Administrator'],
  READ_MEDIA: ['Administrator', 'Operator', 'User'],
  ACTUATE: ['Administrator', 'Operator'],
}

/**
 * Every operation of the Device service: the chapter file that handles it and the access class that it needs. With `own`, whoever
 * is logged in gets as far as the handler, which sees to it that he changes nothing but what is his.
 */
export const operations = {
  GetServices: { chapter: 'capabilities', access: 'PRE_AUTH' }, // Core 8.1.2.2
  GetServiceCapabilities: { chapter: 'capabilities', access: 'PRE_AUTH' }, // Core 8.1.2.3
  GetWsdlUrl: { chapter: 'capabilities', access: 'PRE_AUTH' }, // Core 8.1.1
  GetCapabilities: { chapter: 'capabilities', access: 'PRE_AUTH' }, // Core 8.1.2.4

  GetHostname: { chapter: 'network', access: 'PRE_AUTH' }, // Core 8.2.1
  SetHostname: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.2
  SetHostnameFromDHCP: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.3
  GetDNS: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.4
  SetDNS: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.5
  GetNTP: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.6
  SetNTP: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.7
  GetDynamicDNS: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.8
  SetDynamicDNS: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.9
  GetNetworkInterfaces: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.10
  SetNetworkInterfaces: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.11
  GetNetworkProtocols: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.12
  SetNetworkProtocols: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.13
  GetNetworkDefaultGateway: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.14
  SetNetworkDefaultGateway: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.15
  GetZeroConfiguration: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.16
  SetZeroConfiguration: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.17
  GetIPAddressFilter: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.18
  SetIPAddressFilter: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.19
  AddIPAddressFilter: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.20
  RemoveIPAddressFilter: { chapter: 'network', access: 'WRITE_SYSTEM' }, // Core 8.2.21
  GetDot11Capabilities: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.22.5
  GetDot11Status: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.22.6
  ScanAvailableDot11Networks: { chapter: 'network', access: 'READ_SYSTEM' }, // Core 8.2.22.7

  GetDeviceInformation: { chapter: 'system', access: 'READ_SYSTEM' }, // Core 8.3.1
  SetSystemFactoryDefault: { chapter: 'system', access: 'UNRECOVERABLE' }, // Core 8.3.8
  SystemReboot: { chapter: 'system', access: 'UNRECOVERABLE' }, // Core 8.3.13
  RestoreSystem: { chapter: 'system', access: 'UNRECOVERABLE' }, // Core 8.3.4
  GetSystemBackup: { chapter: 'system', access: 'READ_SYSTEM_SECRET' }, // Core 8.3.3
  GetSystemLog: { chapter: 'system', access: 'READ_SYSTEM_SECRET' }, // Core 8.3.11
  GetSystemSupportInformation: { chapter: 'system', access: 'READ_SYSTEM_SECRET' }, // Core 8.3.12
  GetSystemUris: { chapter: 'system', access: 'READ_SYSTEM' }, // Core 8.3.2
  StartSystemRestore: { chapter: 'system', access: 'UNRECOVERABLE' }, // Core 8.3.5

  SetSystemDateAndTime: { chapter: 'dateTime', access: 'WRITE_SYSTEM' }, // Core 8.3.7
  GetSystemDateAndTime: { chapter: 'dateTime', access: 'PRE_AUTH' }, // Core 8.3.6

  UpgradeSystemFirmware: { chapter: 'firmware', access: 'UNRECOVERABLE' }, // Core 24.12 8.3.9
  StartFirmwareUpgrade: { chapter: 'firmware', access: 'UNRECOVERABLE' }, // Core 8.3.9
  UpgradeFirmware: { chapter: 'firmware', access: 'UNRECOVERABLE' }, // Core 8.3.10

  GetScopes: { chapter: 'discovery', access: 'READ_SYSTEM' }, // Core 8.3.14
  SetScopes: { chapter: 'discovery', access: 'WRITE_SYSTEM' }, // Core 8.3.15
  AddScopes: { chapter: 'discovery', access: 'WRITE_SYSTEM' }, // Core 8.3.16
  RemoveScopes: { chapter: 'discovery', access: 'WRITE_SYSTEM' }, // Core 8.3.17
  GetDiscoveryMode: { chapter: 'discovery', access: 'READ_SYSTEM' }, // Core 8.3.18
  SetDiscoveryMode: { chapter: 'discovery', access: 'WRITE_SYSTEM' }, // Core 8.3.19
  GetEndpointReference: { chapter: 'discovery', access: 'PRE_AUTH' }, // Core 8.4.9

  GetGeoLocation: { chapter: 'geoLocation', access: 'READ_SYSTEM' }, // Core 8.3.20
  SetGeoLocation: { chapter: 'geoLocation', access: 'WRITE_SYSTEM' }, // Core 8.3.21
  DeleteGeoLocation: { chapter: 'geoLocation', access: 'WRITE_SYSTEM' }, // Core 8.3.22

  GetUserRoles: { chapter: 'users', access: 'READ_SYSTEM' }, // Core 8.4.10.1
  SetUserRole: { chapter: 'users', access: 'WRITE_SYSTEM' }, // Core 8.4.10.2
  DeleteUserRole: { chapter: 'users', access: 'WRITE_SYSTEM' }, // Core 8.4.10.3
  GetRemoteUser: { chapter: 'users', access: 'READ_SYSTEM' }, // Core 8.4.7
  SetRemoteUser: { chapter: 'users', access: 'WRITE_SYSTEM' }, // Core 8.4.8
  GetUsers: { chapter: 'users', access: 'READ_SYSTEM_SECRET' }, // Core 8.4.3
  CreateUsers: { chapter: 'users', access: 'WRITE_SYSTEM' }, // Core 8.4.4
  DeleteUsers: { chapter: 'users', access: 'WRITE_SYSTEM' }, // Core 8.4.5
  SetUser: { chapter: 'users', access: 'WRITE_SYSTEM', own: true }, // Core 8.4.6
  GetAccessPolicy: { chapter: 'users', access: 'READ_SYSTEM_SECRET' }, // Core 8.4.1
  SetAccessPolicy: { chapter: 'users', access: 'WRITE_SYSTEM' }, // Core 8.4.2

  GetPasswordComplexityOptions: { chapter: 'securityPolicy', access: 'READ_SYSTEM' }, // Core 8.5.1
  GetPasswordComplexityConfiguration: { chapter: 'securityPolicy', access: 'READ_SYSTEM' }, // Core 8.5.2
  SetPasswordComplexityConfiguration: { chapter: 'securityPolicy', access: 'WRITE_SYSTEM' }, // Core 8.5.3
  GetPasswordHistoryConfiguration: { chapter: 'securityPolicy', access: 'READ_SYSTEM' }, // Core 8.5.4
  SetPasswordHistoryConfiguration: { chapter: 'securityPolicy', access: 'WRITE_SYSTEM' }, // Core 8.5.5
  GetAuthFailureWarningOptions: { chapter: 'securityPolicy', access: 'READ_SYSTEM' }, // Core 8.5.6
  GetAuthFailureWarningConfiguration: { chapter: 'securityPolicy', access: 'READ_SYSTEM' }, // Core 8.5.7
  SetAuthFailureWarningConfiguration: { chapter: 'securityPolicy', access: 'WRITE_SYSTEM' }, // Core 8.5.8
  SetHashingAlgorithm: { chapter: 'securityPolicy', access: 'WRITE_SYSTEM' }, // Core 5.9.3.1

  GetRelayOutputs: { chapter: 'io', access: 'READ_MEDIA' }, // Core 8.6.1
  SetRelayOutputSettings: { chapter: 'io', access: 'ACTUATE' }, // Core 8.6.2
  SetRelayOutputState: { chapter: 'io', access: 'ACTUATE' }, // Core 8.6.3
  SendAuxiliaryCommand: { chapter: 'io', access: 'ACTUATE' }, // Core 8.7

  GetStorageConfigurations: { chapter: 'storage', access: 'READ_MEDIA' }, // Core 8.8.3
  CreateStorageConfiguration: { chapter: 'storage', access: 'ACTUATE' }, // Core 8.8.4
  GetStorageConfiguration: { chapter: 'storage', access: 'READ_MEDIA' }, // Core 8.8.5
  SetStorageConfiguration: { chapter: 'storage', access: 'ACTUATE' }, // Core 8.8.6
  DeleteStorageConfiguration: { chapter: 'storage', access: 'ACTUATE' }, // Core 8.8.7

  // Withdrawn from Core (Annex D), still in the contract; the classes are those that the last text implies.
  CreateCertificate: { chapter: 'certificates', access: 'WRITE_SYSTEM' },
  GetCertificates: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  GetCertificatesStatus: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  SetCertificatesStatus: { chapter: 'certificates', access: 'WRITE_SYSTEM' },
  DeleteCertificates: { chapter: 'certificates', access: 'UNRECOVERABLE' },
  GetPkcs10Request: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  LoadCertificates: { chapter: 'certificates', access: 'UNRECOVERABLE' },
  GetClientCertificateMode: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  SetClientCertificateMode: { chapter: 'certificates', access: 'WRITE_SYSTEM' },
  GetCACertificates: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  LoadCertificateWithPrivateKey: { chapter: 'certificates', access: 'UNRECOVERABLE' },
  GetCertificateInformation: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  LoadCACertificates: { chapter: 'certificates', access: 'UNRECOVERABLE' },
  CreateDot1XConfiguration: { chapter: 'certificates', access: 'WRITE_SYSTEM' },
  SetDot1XConfiguration: { chapter: 'certificates', access: 'WRITE_SYSTEM' },
  GetDot1XConfiguration: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  GetDot1XConfigurations: { chapter: 'certificates', access: 'READ_SYSTEM_SECRET' },
  DeleteDot1XConfiguration: { chapter: 'certificates', access: 'WRITE_SYSTEM' },

  // Withdrawn from Core (Annex D), still in the contract; the classes are those that the last text implies.
  GetRemoteDiscoveryMode: { chapter: 'remoteDiscovery', access: 'READ_SYSTEM' },
  SetRemoteDiscoveryMode: { chapter: 'remoteDiscovery', access: 'WRITE_SYSTEM' },
  GetDPAddresses: { chapter: 'remoteDiscovery', access: 'READ_SYSTEM' },
  SetDPAddresses: { chapter: 'remoteDiscovery', access: 'WRITE_SYSTEM' },
} as const satisfies Record<OperationName, { chapter: string; access: AccessClass; own?: true }>
