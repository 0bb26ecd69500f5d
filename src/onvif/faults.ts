import type { QualifiedName } from './schema.ts'
import type {
  BaseFaultType,
  InvalidFilterFaultType,
  PullMessagesFaultResponse,
  UnacceptableInitialTerminationTimeFaultType,
  UnacceptableTerminationTimeFaultType,
  UnrecognizedPolicyRequestFaultType,
  UnsupportedPolicyRequestFaultType,
} from './types.generated.ts'

/** The codes of SOAP 1.2 Part 1, 5.4.6. */
export type FaultCode = 'Sender' | 'Receiver' | 'VersionMismatch' | 'MustUnderstand' | 'DataEncodingUnknown'

/** What stands in the Detail of a fault: an element of the contract, and of its value what the fault alone knows. */
export interface FaultDetail {
  readonly element: QualifiedName
  readonly value: Readonly<Record<string, unknown>>
}

/** A fault as Core 5.8.2 defines it. The answer carries code, subcodes, reason and detail; the cause stays in the log. */
export class SoapFault extends Error {
  override readonly name = 'SoapFault'
  readonly code: FaultCode
  /** Names of ONVIF's, or with the prefix of another vocabulary, as in `wsnt:InvalidFilterFault`. */
  readonly subcodes: readonly string[]
  readonly detail: FaultDetail | undefined

  constructor(code: FaultCode, subcodes: readonly string[], reason: string, options?: ErrorOptions & { readonly detail?: FaultDetail }) {
    super(reason, options)
    this.code = code
    this.subcodes = subcodes
    this.detail = options?.detail
  }
}

/** Every fault that this device raises: its code, then its subcodes above the last, which is the name itself. */
export const catalogue = {
  // Core 5.8.2.2, for every operation
  WellFormed: ['Sender'],
  TagMismatch: ['Sender'],
  Tag: ['Sender'],
  Namespace: ['Sender'],
  MissingAttr: ['Sender'],
  ProhibAttr: ['Sender'],
  InvalidArgs: ['Sender'],
  InvalidArgVal: ['Sender'],
  UnknownAction: ['Sender'],
  OperationProhibited: ['Sender'],
  NotAuthorized: ['Sender'],
  ActionNotSupported: ['Receiver'],
  Action: ['Receiver'],

  // 8.1.2.4 GetCapabilities
  NoSuchService: ['Receiver', 'ActionNotSupported'],

  // 8.2.2 SetHostname
  InvalidHostname: ['Sender', 'InvalidArgVal'],

  // 8.2.11 SetNetworkInterfaces
  InvalidNetworkInterface: ['Sender', 'InvalidArgVal'],
  InvalidMtuValue: ['Sender', 'InvalidArgVal'],
  InvalidInterfaceSpeed: ['Sender', 'InvalidArgVal'],
  InvalidInterfaceType: ['Sender', 'InvalidArgVal'],
  InvalidIPv4Address: ['Sender', 'InvalidArgVal'],
  InvalidIPv6Address: ['Sender', 'InvalidArgVal'],
  InvalidDHCPv6: ['Receiver', 'ActionNotSupported'],
  InvalidSecurityMode: ['Sender', 'InvalidArgVal'],
  InvalidStationMode: ['Sender', 'InvalidArgVal'],
  MissingDot11: ['Sender', 'InvalidArgVal'],
  MissingPSK: ['Sender', 'InvalidArgVal'],
  MissingDot1X: ['Sender', 'InvalidArgVal'],

  // 8.2.15 SetNetworkDefaultGateway
  InvalidGatewayAddress: ['Sender', 'InvalidArgVal'],

  // 8.2.22 IEEE 802.11
  InvalidDot11: ['Receiver', 'ActionNotSupported'],
  NotDot11: ['Sender', 'InvalidArgVal'],
  NotConnectedDot11: ['Receiver', 'Action'],

  // 8.2.7 SetNTP
  InvalidDnsName: ['Sender', 'InvalidArgVal'],
  TimeSyncedToNtp: ['Sender', 'InvalidArgVal'],

  // 8.2.13 SetNetworkProtocols
  ServiceNotSupported: ['Sender', 'InvalidArgVal'],
  PortAlreadyInUse: ['Sender', 'InvalidArgVal'],
  EnablingTlsFailed: ['Receiver', 'ActionNotSupported'],

  // 8.2.20, 8.2.21 IP address filter
  IPFilterListIsFull: ['Sender', 'InvalidArgVal'],
  NoIPv4Address: ['Sender', 'InvalidArgVal'],
  NoIPv6Address: ['Sender', 'InvalidArgVal'],

  // 8.3.4 RestoreSystem
  InvalidBackupFile: ['Sender', 'InvalidArgVal'],

  // 24.12 8.3.9 UpgradeSystemFirmware
  InvalidFirmware: ['Sender', 'InvalidArgs'],
  FirmwareUpgradeFailed: ['Receiver', 'Action'],

  // 8.3.7 SetSystemDateAndTime
  InvalidTimeZone: ['Sender', 'InvalidArgVal'],
  InvalidDateTime: ['Sender', 'InvalidArgVal'],
  NtpServerUndefined: ['Sender', 'InvalidArgVal'],

  // 8.3.14 to 8.3.17 scopes
  TooManyScopes: ['Receiver', 'Action'],
  FixedScope: ['Sender', 'OperationProhibited'],
  NoScope: ['Sender', 'InvalidArgVal'],

  // 8.3.21, 8.3.22 geo location; NoConfig also 8.8.5 to 8.8.7 and Security 5.5.5
  TooManyEntries: ['Receiver', 'Action'],
  NoAutoGeo: ['Sender', 'InvalidArgVal'],
  NoConfig: ['Sender', 'InvalidArgVal'],
  Fixed: ['Sender', 'InvalidArgVal'],

  // 8.6.2, 8.6.3 relays, 8.7 auxiliary commands
  RelayToken: ['Sender', 'InvalidArgVal'],
  ModeError: ['Sender', 'InvalidArgVal'],
  AuxiliaryDataNotSupported: ['Sender', 'InvalidArgVal'],

  // 8.8.4, 8.8.6 storage configurations
  MaxStorageConfigurations: ['Receiver', 'OperationProhibited'],
  ConfigModify: ['Sender', 'InvalidArgVal'],

  // 8.4.4 to 8.4.6 users
  UsernameClash: ['Sender', 'OperationProhibited'],
  UsernameTooLong: ['Sender', 'OperationProhibited'],
  UsernameTooShort: ['Sender', 'OperationProhibited'],
  UsernameMissing: ['Sender', 'InvalidArgVal'],
  PasswordTooLong: ['Sender', 'OperationProhibited'],
  Password: ['Sender', 'OperationProhibited'],
  PasswordTooWeak: ['Sender', 'OperationProhibited'],
  TooManyUsers: ['Receiver', 'Action'],
  AnonymousNotAllowed: ['Sender', 'OperationProhibited'],
  FixedUser: ['Sender', 'InvalidArgVal'],

  // 8.4.2 SetAccessPolicy
  PolicyFormat: ['Sender', 'InvalidArgs'],

  // 8.4.10 user roles
  InvalidUserRole: ['Sender', 'InvalidArgVal'],
  TooManyUserRoles: ['Receiver', 'Action'],
  FunctionNotImplemented: ['Receiver', 'Action'],
  OnvifPrefix: ['Sender', 'OperationProhibited'],

  // Certificates and IEEE 802.1X of the Device service (Core 16.06 8.4 and 8.5); CertificateID also Security 5.2.6.3
  KeyGeneration: ['Receiver', 'Action'],
  CertificateID: ['Sender', 'InvalidArgVal'],
  ReferencedCertificate: ['Receiver', 'Action'],
  Signature: ['Receiver', 'Action'],
  CertificateFormat: ['Sender', 'InvalidArgVal'],
  KeysNotMatching: ['Sender', 'InvalidArgVal'],
  CACertificateID: ['Sender', 'InvalidArgVal'],
  MaxCertificates: ['Receiver', 'Action'],
  ClientAuth: ['Receiver', 'InvalidArgVal'],
  ReferenceToken: ['Sender', 'InvalidArgVal'],
  EAPMethodNotSupported: ['Receiver', 'ActionNotSupported'],
  MaxDot1X: ['Receiver', 'Action'],

  // Security 5.2.6.1 passphrases
  MaximumNumberOfPassphrasesReached: ['Receiver', 'Action'],
  BadPassphrase: ['Sender', 'InvalidArgVal'],
  PassphraseID: ['Sender', 'InvalidArgVal'],

  // Security 5.2.6.2 keys; ReferenceExists for everything that is deleted
  MaximumNumberOfKeysReached: ['Receiver', 'Action'],
  KeyLength: ['Sender', 'InvalidArgVal'],
  UnsupportedEllipticCurve: ['Sender', 'InvalidArgVal'],
  DecryptionFailed: ['Sender', 'InvalidArgVal'],
  BadPKCS8File: ['Sender', 'InvalidArgVal'],
  UnsupportedPublicKeyAlgorithm: ['Sender', 'InvalidArgVal'],
  InvalidKeyStatus: ['Sender', 'InvalidArgVal'],
  KeyID: ['Sender', 'InvalidArgVal'],
  ReferenceExists: ['Sender', 'InvalidArgVal'],

  // Security 5.2.6.3 certificates and certification paths
  UnsupportedSignatureAlgorithm: ['Sender', 'InvalidArgVal'],
  KeySignatureAlgorithmMismatch: ['Sender', 'InvalidArgVal'],
  InvalidSubject: ['Sender', 'InvalidArgVal'],
  InvalidAttribute: ['Sender', 'InvalidArgVal'],
  MaximumNumberOfCertificatesReached: ['Receiver', 'Action'],
  UnsupportedX509Version: ['Sender', 'InvalidArgVal'],
  X509VersionExtensionsMismatch: ['Sender', 'InvalidArgVal'],
  NoMatchingPrivateKey: ['Receiver', 'Action'],
  BadCertificate: ['Sender', 'InvalidArgVal'],
  Duplicate: ['Sender', 'InvalidArgVal'],
  BadPKCS12File: ['Sender', 'InvalidArgVal'],
  PublicPrivateKeyMismatch: ['Sender', 'InvalidArgVal'],
  MaximumNumberOfCertificationPathsReached: ['Receiver', 'Action'],
  InvalidCertificationPath: ['Sender', 'InvalidArgVal'],
  CertificationPathID: ['Sender', 'InvalidArgVal'],

  // Security 5.2.6.4, 5.2.6.5 certificate revocation lists, certification path validation policies
  MaximumNumberOfCRLsReached: ['Receiver', 'Action'],
  BadCRL: ['Sender', 'InvalidArgVal'],
  CRLID: ['Sender', 'InvalidArgVal'],
  MaximumNumberOfCertPathValidationPoliciesReached: ['Receiver', 'Action'],
  CertPathValidationParameters: ['Sender', 'InvalidArgVal'],
  CertPathValidationPolicyID: ['Sender', 'InvalidArgVal'],

  // Security 5.3.3 TLS server
  NoPrivateKey: ['Sender', 'InvalidArgVal'],
  MaximumNumberOfTLSCertificationPathsReached: ['Receiver', 'Action'],
  OldCertificationPathID: ['Sender', 'InvalidArgVal'],
  NewCertificationPathID: ['Sender', 'InvalidArgVal'],
  EmptyList: ['Sender', 'InvalidArgVal'],
  TLSVersion: ['Sender', 'InvalidArgVal'],
  EnablingClientAuthenticationFailed: ['Receiver', 'ActionNotSupported'],
  CnMapsToUserFailed: ['Receiver', 'ActionNotSupported'],
  MaximumNumberOfTLSCertPathValidationPoliciesReached: ['Receiver', 'Action'],
  OldCertPathValidationPolicyID: ['Sender', 'InvalidArgVal'],
  NewCertPathValidationPolicyID: ['Sender', 'InvalidArgVal'],

  // Security 5.4 IEEE 802.1X
  MaximumNumberOfDot1XConfigurationsReached: ['Receiver', 'Action'],
  Dot1XMethod: ['Sender', 'InvalidArgVal'],
  Dot1XMethodCombination: ['Sender', 'InvalidArgVal'],
  Dot1XConfigurationID: ['Sender', 'InvalidArgVal'],

  // Security 5.5.5 authorization servers
  MaxAuthorizationServers: ['Receiver', 'Action'],
  InvalidConfig: ['Sender', 'InvalidArgVal'],

  // Security 5.5.6.2 JSON Web Tokens
  TooManyAudiences: ['Sender', 'InvalidArgVal'],
  MaxIssuersExceeded: ['Sender', 'InvalidArgVal'],
} as const satisfies Record<string, readonly [FaultCode, ...string[]]>

export type FaultName = keyof typeof catalogue

/**
 * The faults of WS-BaseNotification and of pull points (Core 9), by the element in their Detail, which is their subcode as well. All of
 * them have the code Receiver.
 */
export const eventFaults = {
  ResourceUnknownFault: 'wsrf-r:ResourceUnknownFault',
  InvalidFilterFault: 'wsnt:InvalidFilterFault',
  TopicExpressionDialectUnknownFault: 'wsnt:TopicExpressionDialectUnknownFault',
  InvalidTopicExpressionFault: 'wsnt:InvalidTopicExpressionFault',
  TopicNotSupportedFault: 'wsnt:TopicNotSupportedFault',
  MultipleTopicsSpecifiedFault: 'wsnt:MultipleTopicsSpecifiedFault',
  UnrecognizedPolicyRequestFault: 'wsnt:UnrecognizedPolicyRequestFault',
  UnsupportedPolicyRequestFault: 'wsnt:UnsupportedPolicyRequestFault',
  UnacceptableInitialTerminationTimeFault: 'wsnt:UnacceptableInitialTerminationTimeFault',
  UnacceptableTerminationTimeFault: 'wsnt:UnacceptableTerminationTimeFault',
  NoCurrentMessageOnTopicFault: 'wsnt:NoCurrentMessageOnTopicFault',
  SubscribeCreationFailedFault: 'wsnt:SubscribeCreationFailedFault',
  UnableToGetMessagesFault: 'wsnt:UnableToGetMessagesFault',
  PullMessagesFaultResponse: 'tev:PullMessagesFaultResponse',
} as const satisfies Record<string, QualifiedName>

export type EventFaultName = keyof typeof eventFaults

/** What the Detail of some of them has to say beside time and reason, which whoever answers adds. */
interface EventFaultDetails {
  readonly InvalidFilterFault: Omit<InvalidFilterFaultType, keyof BaseFaultType>
  readonly UnrecognizedPolicyRequestFault: Omit<UnrecognizedPolicyRequestFaultType, keyof BaseFaultType>
  readonly UnsupportedPolicyRequestFault: Omit<UnsupportedPolicyRequestFaultType, keyof BaseFaultType>
  readonly UnacceptableInitialTerminationTimeFault: Omit<UnacceptableInitialTerminationTimeFaultType, keyof BaseFaultType>
  readonly UnacceptableTerminationTimeFault: Omit<UnacceptableTerminationTimeFaultType, keyof BaseFaultType>
  readonly PullMessagesFaultResponse: PullMessagesFaultResponse
}

/** The way to make a fault: by the name that the specification gives it. */
export function fault(name: FaultName, reason: string, options?: ErrorOptions): SoapFault
export function fault<N extends keyof EventFaultDetails>(
  name: N,
  reason: string,
  options: ErrorOptions & { readonly detail: EventFaultDetails[N] },
): SoapFault
export function fault(name: Exclude<EventFaultName, keyof EventFaultDetails>, reason: string, options?: ErrorOptions): SoapFault
export function fault(
  name: FaultName | EventFaultName,
  reason: string,
  options: ErrorOptions & { readonly detail?: EventFaultDetails[keyof EventFaultDetails] } = {},
): SoapFault {
  if (!isEventFault(name)) {
    const [code, ...above] = catalogue[name]
    return new SoapFault(code, [...above, name], reason, 'cause' in options ? { cause: options.cause } : undefined)
  }
  const element = eventFaults[name]
  return new SoapFault('Receiver', [element], reason, { ...options, detail: { element, value: { ...options.detail } } })
}

const isEventFault = (name: FaultName | EventFaultName): name is EventFaultName => Object.hasOwn(eventFaults, name)
