import type { Auxiliary } from '../../device/auxiliary.ts'
import type { TlsVersion } from '../../device/certificates/content.ts'
import { supportedTlsVersions } from '../../device/certificates/tlsServer.ts'
import type { HashingAlgorithms } from '../../device/hashingAlgorithms.ts'
import type { Relays } from '../../device/relays.ts'
import { storageTypes } from '../../device/storageConfigurations.ts'
import { limits } from '../../limits.ts'
import { contract } from '../../onvif/contract.generated.ts'
import { fault } from '../../onvif/faults.ts'
import type { Call, Chapter, OperationOf } from '../../onvif/handlers.ts'
import { operations } from '../../onvif/operations.ts'
import type { AnyElement } from '../../onvif/schema.ts'
import type {
  Capabilities,
  CapabilityCategory,
  DeviceCapabilities,
  DeviceServiceCapabilities,
  EventCapabilities,
  Service,
} from '../../onvif/types.generated.ts'
import type { Network } from '../../platform/platform.ts'
import { addressOf, paths } from './addresses.ts'
import { eapMethods } from './dot1x.ts'

/** A service beside the Device service, as GetServices lists it. */
export interface OtherService {
  readonly prefix: string
  readonly path: string
  readonly capabilities: (call: Call) => Promise<AnyElement>
}

/** What a capability is computed from. */
export interface Features {
  readonly services: readonly OtherService[]
  /** What GetCapabilities says of the Event service. */
  readonly eventService: Omit<EventCapabilities, 'XAddr'>
  /** Whether the operation does what it says: a capability that an operation stands behind is true where that is there. */
  readonly has: (operation: Exclude<OperationOf<'tds'>, keyof Chapter<'capabilities'>>) => boolean
  /** The same of the operations of other services, by names such as `tas:GetAllKeys`. */
  readonly isFunction: (name: string) => boolean
  readonly allowLegacy: boolean
  readonly hashingAlgorithms: HashingAlgorithms
  readonly network: Network
  readonly relays: Relays
  readonly auxiliary: Auxiliary
  /** Whether WS-Discovery runs while the discovery mode allows it. */
  readonly discovers: boolean
}

const release = { Major: 26, Minor: 6 } as const

/**
 * Core 8.1. Every service answers on every path, but has one of its own that GetServices names. GetCapabilities knows nothing of services
 * that are younger than itself: the list of its categories is closed.
 */
export function capabilities(features: Features): Chapter<'capabilities'> {
  let once: Promise<DeviceServiceCapabilities> | undefined
  const own = () => {
    once ??= serviceCapabilities(features)
    return once
  }
  return {
    async GetServices({ IncludeCapability }, call) {
      const device: OtherService = {
        prefix: 'tds',
        path: paths.service,
        capabilities: async () => ({ element: 'tds:Capabilities', value: await own() }),
      }
      const list = async ({ prefix, path, capabilities }: OtherService): Promise<Service> => ({
        Namespace: contract.namespaces[prefix] ?? '',
        XAddr: addressOf(path, call),
        ...(IncludeCapability && { Capabilities: { $any: [await capabilities(call)] } }),
        Version: release,
      })
      return { Service: await Promise.all([device, ...features.services].map(list)) }
    },

    async GetServiceCapabilities() {
      return { Capabilities: await own() }
    },

    async GetCapabilities({ Category = [] }, call) {
      const isWanted = (category: CapabilityCategory) => Category.length === 0 || Category.includes('All') || Category.includes(category)
      const all: Capabilities = {
        Device: { XAddr: addressOf(paths.service, call), ...legacy(await own(), features) },
        Events: { XAddr: addressOf(paths.events, call), ...features.eventService },
      }
      const missing = Category.find(category => category !== 'All' && !(category in all))
      if (missing) throw fault('NoSuchService', `this device has no ${missing} service`)
      return { Capabilities: { Device: isWanted('Device') ? all.Device : undefined, Events: isWanted('Events') ? all.Events : undefined } }
    },

    async GetWsdlUrl(_, call) {
      return { WsdlUrl: addressOf(paths.wsdl, call) }
    },
  }
}

/** What writes the network and is not optional (Core 8.2). */
const networkConfiguration = ['SetHostname', 'SetDNS', 'SetNetworkInterfaces', 'SetNetworkProtocols', 'SetNetworkDefaultGateway'] as const

/** Core 8.1.2.3. Static while the device runs: it says what is possible, not what is set. */
async function serviceCapabilities(features: Features): Promise<DeviceServiceCapabilities> {
  const { has, isFunction, allowLegacy, hashingAlgorithms, network, auxiliary, discovers } = features
  const hasTls = (version: TlsVersion) => has('SetCertificatesStatus') && supportedTlsVersions(allowLegacy).includes(version)
  const hasDot1X = has('CreateDot1XConfiguration')
  return {
    Network: {
      IPFilter: has('SetIPAddressFilter'),
      ZeroConfiguration: has('SetZeroConfiguration'),
      IPVersion6: has('SetNetworkInterfaces'),
      DynDNS: has('SetDynamicDNS'),
      Dot11Configuration: network.wifi !== undefined,
      Dot1XConfigurations: hasDot1X ? limits.dot1xConfigurationsMax : 0,
      HostnameFromDHCP: has('SetHostnameFromDHCP'),
      // How many servers SetNTP takes.
      NTP: has('SetNTP') ? limits.timeServersMax : 0,
      DHCPv6: false,
    },
    Security: {
      'TLS1.0': hasTls('1.0'),
      'TLS1.1': hasTls('1.1'),
      'TLS1.2': hasTls('1.2'),
      OnboardKeyGeneration: has('CreateCertificate'),
      AccessPolicyConfig: has('SetAccessPolicy'),
      DefaultAccessPolicy: true,
      Dot1X: hasDot1X,
      RemoteUserHandling: has('SetRemoteUser'),
      // A token of WS-Security, and not the certificate of a TLS client.
      'X.509Token': false,
      SAMLToken: false,
      KerberosToken: false,
      UsernameToken: true,
      HttpDigest: true,
      RELToken: false,
      JsonWebToken: isFunction('tas:GetJWTConfiguration'),
      SupportedEAPMethods: hasDot1X ? eapMethods : undefined,
      MaxUsers: limits.usersMax,
      MaxUserNameLength: limits.userNameCharactersMax,
      MaxPasswordLength: limits.passwordCharactersMax,
      SecurityPolicies: securityPolicies(has),
      MaxPasswordHistory: has('SetPasswordHistoryConfiguration') ? limits.passwordHistoryMax : 0,
      HashingAlgorithms: hashingAlgorithms.supported,
      MaxUserRoles: has('SetUserRole') ? limits.userRolesMax : 0,
    },
    System: {
      DiscoveryResolve: discovers,
      DiscoveryBye: discovers,
      RemoteDiscovery: has('SetRemoteDiscoveryMode'),
      SystemBackup: has('GetSystemBackup') && has('RestoreSystem'),
      SystemLogging: has('GetSystemLog'),
      CloudFirmwareUpgrade: has('UpgradeFirmware'),
      HttpFirmwareUpgrade: has('StartFirmwareUpgrade'),
      HttpSystemBackup: has('StartSystemRestore') && has('GetSystemUris'),
      HttpSystemLogging: has('GetSystemUris'),
      HttpSupportInformation: has('GetSystemUris'),
      StorageConfiguration: has('CreateStorageConfiguration'),
      MaxStorageConfigurations: limits.storageConfigurationsMax,
      // It is kept; nothing asks the endpoint.
      StorageConfigurationRenewal: false,
      StorageTypesSupported: storageTypes,
      GeoLocationEntries: limits.geoLocationsMax,
      DiscoveryNotSupported: !discovers,
      // The opt-out of section 8.2: half of it is not worth the name.
      NetworkConfigNotSupported: !networkConfiguration.every(has),
      UserConfigNotSupported: !has('CreateUsers'),
    },
    Misc: auxiliary.commands().length > 0 ? { AuxiliaryCommands: auxiliary.commands() } : {},
  }
}

/** Core 8.5, 8.4.6. */
function securityPolicies(has: Features['has']): readonly string[] {
  const policies = [
    ['ModifyPassword', 'own' in operations.SetUser],
    ['PasswordComplexity', has('SetPasswordComplexityConfiguration')],
    ['AuthFailureWarnings', has('SetAuthFailureWarningConfiguration')],
  ] as const
  return policies.filter(([, is]) => is).map(([name]) => name)
}

/** The same facts as Core 1 spelled them (Annex A). */
function legacy(
  { Network, Security, System, Misc }: DeviceServiceCapabilities,
  { has, relays }: Features,
): Omit<DeviceCapabilities, 'XAddr'> {
  return {
    Network: {
      IPFilter: Network.IPFilter,
      ZeroConfiguration: Network.ZeroConfiguration,
      IPVersion6: Network.IPVersion6,
      DynDNS: Network.DynDNS,
      Extension: { Dot11Configuration: Network.Dot11Configuration },
    },
    System: {
      DiscoveryResolve: System.DiscoveryResolve === true,
      DiscoveryBye: System.DiscoveryBye === true,
      RemoteDiscovery: System.RemoteDiscovery === true,
      SystemBackup: System.SystemBackup === true,
      SystemLogging: System.SystemLogging === true,
      // Upgrade by attachment, which GetServiceCapabilities does not know any more.
      FirmwareUpgrade: has('UpgradeSystemFirmware'),
      // ODM uses StartFirmwareUpgrade only where a version of at least 2.1 is listed.
      SupportedVersions: [release],
      Extension: {
        HttpFirmwareUpgrade: System.HttpFirmwareUpgrade,
        HttpSystemBackup: System.HttpSystemBackup,
        HttpSystemLogging: System.HttpSystemLogging,
        HttpSupportInformation: System.HttpSupportInformation,
      },
    },
    IO: {
      InputConnectors: 0,
      RelayOutputs: relays.list().length,
      Extension: { Auxiliary: Misc?.AuxiliaryCommands !== undefined, AuxiliaryCommands: Misc?.AuxiliaryCommands, Extension: {} },
    },
    Security: {
      'TLS1.1': Security['TLS1.1'] === true,
      'TLS1.2': Security['TLS1.2'] === true,
      OnboardKeyGeneration: Security.OnboardKeyGeneration === true,
      AccessPolicyConfig: Security.AccessPolicyConfig === true,
      'X.509Token': Security['X.509Token'] === true,
      SAMLToken: Security.SAMLToken === true,
      KerberosToken: Security.KerberosToken === true,
      RELToken: Security.RELToken === true,
      Extension: {
        'TLS1.0': Security['TLS1.0'] === true,
        Extension: {
          Dot1X: Security.Dot1X === true,
          SupportedEAPMethod: Security.SupportedEAPMethods,
          RemoteUserHandling: Security.RemoteUserHandling === true,
        },
      },
    },
  }
}
