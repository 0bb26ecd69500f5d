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
 * Every operation: the chapter file that handles it and the access class that it needs. With `own`, whoever is logged in gets as far as
 * the handler, which sees to it that he changes nothing but what is his. Those of the Device service have their bare names; the others
 * have the prefix of their service before it, because services share names.
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

  // The Security Configuration service
  'tas:GetServiceCapabilities': { chapter: 'securityCapabilities', access: 'PRE_AUTH' }, // Security 5.5.7.1

  'tas:UploadPassphrase': { chapter: 'keys', access: 'WRITE_SYSTEM' }, // Security 5.2.6.1.1
  'tas:GetAllPassphrases': { chapter: 'keys', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.1.2
  'tas:DeletePassphrase': { chapter: 'keys', access: 'UNRECOVERABLE' }, // Security 5.2.6.1.3
  'tas:CreateRSAKeyPair': { chapter: 'keys', access: 'WRITE_SYSTEM' }, // Security 5.2.6.2.1
  'tas:CreateECCKeyPair': { chapter: 'keys', access: 'WRITE_SYSTEM' }, // Security 5.2.6.2.2
  'tas:UploadKeyPairInPKCS8': { chapter: 'keys', access: 'WRITE_SYSTEM' }, // Security 25.06 5.2.6.2.3
  'tas:GetKeyStatus': { chapter: 'keys', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.2.3
  'tas:GetPrivateKeyStatus': { chapter: 'keys', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.2.4
  'tas:GetAllKeys': { chapter: 'keys', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.2.5
  'tas:DeleteKey': { chapter: 'keys', access: 'UNRECOVERABLE' }, // Security 5.2.6.2.6

  'tas:CreatePKCS10CSR': { chapter: 'certificatesAndPaths', access: 'READ_SYSTEM' }, // Security 5.2.6.3.1
  'tas:CreateSelfSignedCertificate': { chapter: 'certificatesAndPaths', access: 'WRITE_SYSTEM' }, // Security 5.2.6.3.2
  'tas:UploadCertificate': { chapter: 'certificatesAndPaths', access: 'WRITE_SYSTEM' }, // Security 5.2.6.3.3
  'tas:UploadCertificateWithPrivateKeyInPKCS12': { chapter: 'certificatesAndPaths', access: 'WRITE_SYSTEM' }, // Security 5.2.6.3.4
  'tas:GetCertificate': { chapter: 'certificatesAndPaths', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.3.5
  'tas:GetAllCertificates': { chapter: 'certificatesAndPaths', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.3.6
  'tas:DeleteCertificate': { chapter: 'certificatesAndPaths', access: 'UNRECOVERABLE' }, // Security 5.2.6.3.7
  'tas:CreateCertificationPath': { chapter: 'certificatesAndPaths', access: 'WRITE_SYSTEM' }, // Security 5.2.6.3.8
  'tas:GetCertificationPath': { chapter: 'certificatesAndPaths', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.3.9
  'tas:GetAllCertificationPaths': { chapter: 'certificatesAndPaths', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.3.10
  'tas:SetCertificationPath': { chapter: 'certificatesAndPaths', access: 'WRITE_SYSTEM' }, // Security 5.2.6.3.11
  'tas:DeleteCertificationPath': { chapter: 'certificatesAndPaths', access: 'UNRECOVERABLE' }, // Security 5.2.6.3.12

  'tas:UploadCRL': { chapter: 'revocationAndPolicies', access: 'WRITE_SYSTEM' }, // Security 5.2.6.4.1
  'tas:GetCRL': { chapter: 'revocationAndPolicies', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.4.2
  'tas:GetAllCRLs': { chapter: 'revocationAndPolicies', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.4.3
  'tas:DeleteCRL': { chapter: 'revocationAndPolicies', access: 'UNRECOVERABLE' }, // Security 5.2.6.4.4
  'tas:CreateCertPathValidationPolicy': { chapter: 'revocationAndPolicies', access: 'WRITE_SYSTEM' }, // Security 5.2.6.5.1
  'tas:GetCertPathValidationPolicy': { chapter: 'revocationAndPolicies', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.5.2
  'tas:GetAllCertPathValidationPolicies': { chapter: 'revocationAndPolicies', access: 'READ_SYSTEM_SECRET' }, // Security 5.2.6.5.3
  'tas:SetCertPathValidationPolicy': { chapter: 'revocationAndPolicies', access: 'WRITE_SYSTEM' }, // Security 5.2.6.5.4
  'tas:DeleteCertPathValidationPolicy': { chapter: 'revocationAndPolicies', access: 'UNRECOVERABLE' }, // Security 5.2.6.5.5

  'tas:AddServerCertificateAssignment': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.1
  'tas:RemoveServerCertificateAssignment': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.2
  'tas:ReplaceServerCertificateAssignment': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.3
  'tas:GetAssignedServerCertificates': { chapter: 'tlsServer', access: 'READ_SYSTEM_SECRET' }, // Security 5.3.3.4
  'tas:SetClientAuthenticationRequired': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.5
  'tas:GetClientAuthenticationRequired': { chapter: 'tlsServer', access: 'READ_SYSTEM' }, // Security 5.3.3.6
  'tas:SetCnMapsToUser': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.7
  'tas:GetCnMapsToUser': { chapter: 'tlsServer', access: 'READ_SYSTEM' }, // Security 5.3.3.8
  'tas:AddCertPathValidationPolicyAssignment': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.9
  'tas:RemoveCertPathValidationPolicyAssignment': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.10
  'tas:ReplaceCertPathValidationPolicyAssignment': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.11
  'tas:GetAssignedCertPathValidationPolicies': { chapter: 'tlsServer', access: 'READ_SYSTEM_SECRET' }, // Security 5.3.3.12
  'tas:SetEnabledTLSVersions': { chapter: 'tlsServer', access: 'WRITE_SYSTEM' }, // Security 5.3.3.13
  'tas:GetEnabledTLSVersions': { chapter: 'tlsServer', access: 'READ_SYSTEM' }, // Security 5.3.3.14

  'tas:AddDot1XConfiguration': { chapter: 'dot1x', access: 'WRITE_SYSTEM' }, // Security 5.4.1
  'tas:GetAllDot1XConfigurations': { chapter: 'dot1x', access: 'READ_SYSTEM_SECRET' }, // Security 5.4.2
  'tas:GetDot1XConfiguration': { chapter: 'dot1x', access: 'READ_SYSTEM_SECRET' }, // Security 5.4.3
  'tas:DeleteDot1XConfiguration': { chapter: 'dot1x', access: 'UNRECOVERABLE' }, // Security 5.4.4
  'tas:SetNetworkInterfaceDot1XConfiguration': { chapter: 'dot1x', access: 'WRITE_SYSTEM' }, // Security 5.4.5
  'tas:GetNetworkInterfaceDot1XConfiguration': { chapter: 'dot1x', access: 'READ_SYSTEM_SECRET' }, // Security 5.4.6
  'tas:DeleteNetworkInterfaceDot1XConfiguration': { chapter: 'dot1x', access: 'WRITE_SYSTEM' }, // Security 5.4.7

  'tas:GetAuthorizationServerConfigurations': { chapter: 'authorizationServers', access: 'READ_SYSTEM_SECRET' }, // Security 5.5.5.1
  'tas:CreateAuthorizationServerConfiguration': { chapter: 'authorizationServers', access: 'WRITE_SYSTEM' }, // Security 5.5.5.2
  'tas:SetAuthorizationServerConfiguration': { chapter: 'authorizationServers', access: 'WRITE_SYSTEM' }, // Security 5.5.5.3
  'tas:DeleteAuthorizationServerConfiguration': { chapter: 'authorizationServers', access: 'WRITE_SYSTEM' }, // Security 5.5.5.4

  'tas:GetJWTConfiguration': { chapter: 'jwt', access: 'READ_SYSTEM_SECRET' }, // Security 5.5.6.1
  'tas:SetJWTConfiguration': { chapter: 'jwt', access: 'WRITE_SYSTEM' }, // Security 5.5.6.2; it says WRITE_SYSTEM_SECRET, which Core 5.9.4.3 does not know

  'tas:AddMediaSigningCertificateAssignment': { chapter: 'mediaSigning', access: 'WRITE_SYSTEM' }, // Security 5.5.2
  'tas:RemoveMediaSigningCertificateAssignment': { chapter: 'mediaSigning', access: 'WRITE_SYSTEM' }, // Security 5.5.3
  'tas:GetAssignedMediaSigningCertificates': { chapter: 'mediaSigning', access: 'READ_SYSTEM_SECRET' }, // Security 5.5.4

  // The Event service, Core 9; what it takes from WS-BaseNotification has its section there
  'tev:GetServiceCapabilities': { chapter: 'eventProperties', access: 'PRE_AUTH' },
  'tev:GetEventProperties': { chapter: 'eventProperties', access: 'READ_MEDIA' },

  'tev:CreatePullPointSubscription': { chapter: 'pullPoints', access: 'READ_MEDIA' },
  'tev:PullMessages': { chapter: 'pullPoints', access: 'READ_MEDIA' },
  'tev:Seek': { chapter: 'pullPoints', access: 'READ_MEDIA' },
  'tev:SetSynchronizationPoint': { chapter: 'pullPoints', access: 'READ_MEDIA' },
  'tev:Renew': { chapter: 'pullPoints', access: 'READ_MEDIA' }, // 6.1.1
  'tev:Unsubscribe': { chapter: 'pullPoints', access: 'READ_MEDIA' }, // 6.1.2

  // READ_MEDIA in Core; but whoever subscribes makes the device open connections.
  'tev:Subscribe': { chapter: 'notification', access: 'WRITE_SYSTEM' }, // 4.2
  'tev:GetCurrentMessage': { chapter: 'notification', access: 'READ_MEDIA' }, // 4.3

  'tev:AddEventBroker': { chapter: 'eventBrokers', access: 'READ_MEDIA' },
  'tev:DeleteEventBroker': { chapter: 'eventBrokers', access: 'READ_MEDIA' },
  'tev:GetEventBrokers': { chapter: 'eventBrokers', access: 'READ_MEDIA' },
} as const satisfies Record<OperationName, { chapter: string; access: AccessClass; own?: true }>
