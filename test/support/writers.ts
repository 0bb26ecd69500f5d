import type { OperationName } from '../../src/onvif/types.generated.ts'
import { certificateWriters } from './certificateWriters.ts'
import { keystoreWriters } from './keystoreWriters.ts'
import { tlsWriters } from './tlsWriters.ts'

/** What a writer needs to know of the device at that moment. */
export interface Circumstances {
  /** The answers to `prepare`, one after the other. */
  readonly prepared: string
  /** A TCP port that nothing listens on, and those that the device listens on. */
  readonly freePort: number
  readonly ports: readonly number[]
}

/** One change that has to last: what makes it, and by what it is seen. */
export interface Writer {
  readonly operation: OperationName
  /** Performed before, and no part of what is looked at. */
  readonly prepare?: string | readonly (string | ((circumstances: Circumstances) => string))[]
  readonly write: string | ((circumstances: Circumstances) => string)
  /** Asked bare, so that the answer is the challenge to log in, where it is of the challenge that a change tells. */
  readonly read: string | 'challenge' | ((circumstances: Circumstances) => string)
  readonly shows: RegExp | ((circumstances: Circumstances) => RegExp)
  /** Only a device with an open door has it. */
  readonly needsDoor?: true
}

/** Writers that this table cannot show, with the reason. */
export const withoutWitness: Readonly<Record<string, string>> = {
  SetSystemFactoryDefault: 'it takes back what the others write; test/operations/device/ shows how far',
  'tas:CreatePKCS10CSR': 'it makes a request for somebody else and keeps nothing',
  'tev:CreatePullPointSubscription': 'no subscription outlasts the process; test/operations/events/ shows it',
  'tev:SetSynchronizationPoint': 'it repeats what is so',
  SetRelayOutputState: 'no operation reads the state of a relay; test/operations/device/ looks at the relay itself',
}

const gone = (text: string) => new RegExp(`^(?!.*${text})`, 's')
const user = (name: string, level: string, password = 'Only-looking-1') =>
  `<tds:User><tt:Username>${name}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`
const create = (name: string, level: string) => `<tds:CreateUsers>${user(name, level)}</tds:CreateUsers>`
const scope = (name: string) => `onvif://www.onvif.org/test/${name}`
const filter = (operation: string, type: string, address: string) =>
  `<tds:${operation}><tds:IPAddressFilter><tt:Type>${type}</tt:Type><tt:IPv4Address><tt:Address>${address}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:IPv4Address></tds:IPAddressFilter></tds:${operation}>`
const role = (name: string) =>
  `<tds:SetUserRole><tds:UserRole><tt:Name>${name}</tt:Name><tt:Functions>tds:GetScopes</tt:Functions></tds:UserRole></tds:SetUserRole>`
const location = (operation: string, token: string) =>
  `<tds:${operation}><tds:Location Entity="VideoSource" Token="${token}"><tt:GeoLocation lon="8.5" lat="47.25" elevation="408"/></tds:Location></tds:${operation}>`
const storage = (path: string) =>
  `type="NFS"><tds:LocalPath>${path}</tds:LocalPath><tds:StorageUri>nfs://192.0.2.30/export</tds:StorageUri>`
const createStorage = (path: string) =>
  `<tds:CreateStorageConfiguration><tds:StorageConfiguration ${storage(path)}</tds:StorageConfiguration></tds:CreateStorageConfiguration>`
const tokenOf = ({ prepared }: Circumstances) => /Token>([^<]+)</.exec(prepared)?.[1] ?? ''

/** Operators lose the right to actuate; nothing that the tests need. */
const policy = Buffer.from(
  JSON.stringify({
    format: 'onvifd access policy 1',
    admitted: {
      READ_SYSTEM: ['Administrator', 'Operator', 'User'],
      READ_SYSTEM_SENSITIVE: ['Administrator', 'Operator'],
      READ_SYSTEM_SECRET: ['Administrator'],
      WRITE_SYSTEM: ['Administrator'],
      UNRECOVERABLE: ['Administrator'],
      READ_MEDIA: ['Administrator', 'Operator', 'User'],
      ACTUATE: ['Administrator'],
    },
  }),
).toString('base64')

/** Every change that a client can make to the settings. Those of one name begin with `Set` do not disturb each other, nor do the rest. */
export const writers: readonly Writer[] = [
  {
    operation: 'SetSystemDateAndTime',
    write:
      '<tds:SetSystemDateAndTime><tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>true</tds:DaylightSavings><tds:TimeZone><tt:TZ>NZST-12NZDT,M9.5.0,M4.1.0/3</tt:TZ></tds:TimeZone></tds:SetSystemDateAndTime>',
    read: '<tds:GetSystemDateAndTime/>',
    shows: /<tt:TZ>NZST-12NZDT,M9\.5\.0,M4\.1\.0\/3</,
  },
  {
    operation: 'SetScopes',
    write: `<tds:SetScopes><tds:Scopes>${scope('attic')}</tds:Scopes></tds:SetScopes>`,
    read: '<tds:GetScopes/>',
    shows: /test\/attic/,
  },
  {
    operation: 'AddScopes',
    write: `<tds:AddScopes><tds:ScopeItem>${scope('added')}</tds:ScopeItem></tds:AddScopes>`,
    read: '<tds:GetScopes/>',
    shows: /test\/added/,
  },
  {
    operation: 'RemoveScopes',
    prepare: `<tds:AddScopes><tds:ScopeItem>${scope('removed')}</tds:ScopeItem></tds:AddScopes>`,
    write: `<tds:RemoveScopes><tds:ScopeItem>${scope('removed')}</tds:ScopeItem></tds:RemoveScopes>`,
    read: '<tds:GetScopes/>',
    shows: gone('test/removed'),
  },
  {
    operation: 'SetDiscoveryMode',
    write: '<tds:SetDiscoveryMode><tds:DiscoveryMode>NonDiscoverable</tds:DiscoveryMode></tds:SetDiscoveryMode>',
    read: '<tds:GetDiscoveryMode/>',
    shows: />NonDiscoverable</,
  },
  {
    operation: 'SetRemoteDiscoveryMode',
    write: '<tds:SetRemoteDiscoveryMode><tds:RemoteDiscoveryMode>Discoverable</tds:RemoteDiscoveryMode></tds:SetRemoteDiscoveryMode>',
    read: '<tds:GetRemoteDiscoveryMode/>',
    shows: />Discoverable</,
  },
  {
    operation: 'SetDPAddresses',
    write:
      '<tds:SetDPAddresses><tds:DPAddress><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.77</tt:IPv4Address></tds:DPAddress></tds:SetDPAddresses>',
    read: '<tds:GetDPAddresses/>',
    shows: />192\.0\.2\.77</,
  },
  {
    operation: 'SetHostname',
    write: '<tds:SetHostname><tds:Name>camera-in-the-attic</tds:Name></tds:SetHostname>',
    read: '<tds:GetHostname/>',
    shows: />camera-in-the-attic</,
  },
  {
    operation: 'SetHostnameFromDHCP',
    prepare: '<tds:SetHostnameFromDHCP><tds:FromDHCP>false</tds:FromDHCP></tds:SetHostnameFromDHCP>',
    write: '<tds:SetHostnameFromDHCP><tds:FromDHCP>true</tds:FromDHCP></tds:SetHostnameFromDHCP>',
    read: '<tds:GetHostname/>',
    shows: /FromDHCP>true</,
  },
  {
    operation: 'SetDNS',
    write:
      '<tds:SetDNS><tds:FromDHCP>false</tds:FromDHCP><tds:SearchDomain>example.org</tds:SearchDomain><tds:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.53</tt:IPv4Address></tds:DNSManual></tds:SetDNS>',
    read: '<tds:GetDNS/>',
    shows: /FromDHCP>false<[\s\S]*>example\.org<[\s\S]*>192\.0\.2\.53</,
  },
  {
    operation: 'SetNTP',
    write:
      '<tds:SetNTP><tds:FromDHCP>false</tds:FromDHCP><tds:NTPManual><tt:Type>DNS</tt:Type><tt:DNSname>time.example.org</tt:DNSname></tds:NTPManual></tds:SetNTP>',
    read: '<tds:GetNTP/>',
    shows: /FromDHCP>false<[\s\S]*>time\.example\.org</,
  },
  {
    operation: 'SetDynamicDNS',
    write:
      '<tds:SetDynamicDNS><tds:Type>ClientUpdates</tds:Type><tds:Name>camera.example.org</tds:Name><tds:TTL>PT1H</tds:TTL></tds:SetDynamicDNS>',
    read: '<tds:GetDynamicDNS/>',
    shows: />ClientUpdates<[\s\S]*>camera\.example\.org</,
  },
  {
    operation: 'SetNetworkInterfaces',
    write:
      '<tds:SetNetworkInterfaces><tds:InterfaceToken>eth0</tds:InterfaceToken><tds:NetworkInterface><tt:Enabled>true</tt:Enabled><tt:MTU>1400</tt:MTU></tds:NetworkInterface></tds:SetNetworkInterfaces>',
    read: '<tds:GetNetworkInterfaces/>',
    shows: /token="eth0"[\s\S]*<tt:MTU>1400</,
  },
  {
    operation: 'SetNetworkProtocols',
    needsDoor: true,
    write: ({ freePort, ports }) =>
      `<tds:SetNetworkProtocols><tds:NetworkProtocols><tt:Name>HTTP</tt:Name><tt:Enabled>true</tt:Enabled>${[...ports, freePort].map(port => `<tt:Port>${port}</tt:Port>`).join('')}</tds:NetworkProtocols></tds:SetNetworkProtocols>`,
    read: '<tds:GetNetworkProtocols/>',
    shows: /HTTP<[\s\S]*<tt:Port>FREE</,
  },
  {
    operation: 'SetNetworkDefaultGateway',
    write: '<tds:SetNetworkDefaultGateway><tds:IPv4Address>192.0.2.1</tds:IPv4Address></tds:SetNetworkDefaultGateway>',
    read: '<tds:GetNetworkDefaultGateway/>',
    shows: />192\.0\.2\.1</,
  },
  {
    operation: 'SetZeroConfiguration',
    prepare:
      '<tds:SetZeroConfiguration><tds:InterfaceToken>eth0</tds:InterfaceToken><tds:Enabled>false</tds:Enabled></tds:SetZeroConfiguration>',
    write:
      '<tds:SetZeroConfiguration><tds:InterfaceToken>eth0</tds:InterfaceToken><tds:Enabled>true</tds:Enabled></tds:SetZeroConfiguration>',
    read: '<tds:GetZeroConfiguration/>',
    shows: /<tt:InterfaceToken>eth0<\/tt:InterfaceToken><tt:Enabled>true</,
  },
  {
    operation: 'SetIPAddressFilter',
    write: filter('SetIPAddressFilter', 'Deny', '198.51.100.0'),
    read: '<tds:GetIPAddressFilter/>',
    shows: /Deny<[\s\S]*198\.51\.100\.0</,
  },
  {
    operation: 'AddIPAddressFilter',
    write: filter('AddIPAddressFilter', 'Deny', '203.0.113.0'),
    read: '<tds:GetIPAddressFilter/>',
    shows: /203\.0\.113\.0</,
  },
  {
    operation: 'RemoveIPAddressFilter',
    prepare: filter('AddIPAddressFilter', 'Deny', '198.18.5.0'),
    write: filter('RemoveIPAddressFilter', 'Deny', '198.18.5.0'),
    read: '<tds:GetIPAddressFilter/>',
    shows: gone('198\\.18\\.5\\.0'),
  },
  { operation: 'CreateUsers', write: create('carl', 'Operator'), read: '<tds:GetUsers/>', shows: />carl<[\s\S]*?>Operator</ },
  {
    operation: 'SetUser',
    prepare: create('susan', 'User'),
    write: `<tds:SetUser>${user('susan', 'Operator', 'Another-word-2')}</tds:SetUser>`,
    read: '<tds:GetUsers/>',
    shows: />susan<\/tt:Username>\s*<tt:UserLevel>Operator</,
  },
  {
    operation: 'DeleteUsers',
    prepare: create('dora', 'User'),
    write: '<tds:DeleteUsers><tds:Username>dora</tds:Username></tds:DeleteUsers>',
    read: '<tds:GetUsers/>',
    shows: gone('>dora<'),
  },
  { operation: 'SetUserRole', write: role('porter'), read: '<tds:GetUserRoles/>', shows: />porter<[\s\S]*tds:GetScopes</ },
  {
    operation: 'DeleteUserRole',
    prepare: role('guest'),
    write: '<tds:DeleteUserRole><tds:UserRole>guest</tds:UserRole></tds:DeleteUserRole>',
    read: '<tds:GetUserRoles/>',
    shows: gone('>guest<'),
  },
  {
    operation: 'SetRemoteUser',
    write:
      '<tds:SetRemoteUser><tds:RemoteUser><tt:Username>far-away</tt:Username><tt:Password>Over-there-1</tt:Password><tt:UseDerivedPassword>false</tt:UseDerivedPassword></tds:RemoteUser></tds:SetRemoteUser>',
    read: '<tds:GetRemoteUser/>',
    shows: />far-away</,
  },
  {
    operation: 'SetAccessPolicy',
    write: `<tds:SetAccessPolicy><tds:PolicyFile><tt:Data>${policy}</tt:Data></tds:PolicyFile></tds:SetAccessPolicy>`,
    read: '<tds:GetAccessPolicy/>',
    shows: /"ACTUATE":\["Administrator"\]/,
  },
  {
    operation: 'SetPasswordComplexityConfiguration',
    write:
      '<tds:SetPasswordComplexityConfiguration><tds:MinLen>9</tds:MinLen><tds:Number>1</tds:Number></tds:SetPasswordComplexityConfiguration>',
    read: '<tds:GetPasswordComplexityConfiguration/>',
    shows: /MinLen>9<[\s\S]*Number>1</,
  },
  {
    operation: 'SetPasswordHistoryConfiguration',
    write:
      '<tds:SetPasswordHistoryConfiguration><tds:Enabled>true</tds:Enabled><tds:Length>3</tds:Length></tds:SetPasswordHistoryConfiguration>',
    read: '<tds:GetPasswordHistoryConfiguration/>',
    shows: /Enabled>true<[\s\S]*Length>3</,
  },
  {
    operation: 'SetAuthFailureWarningConfiguration',
    write:
      '<tds:SetAuthFailureWarningConfiguration><tds:Enabled>true</tds:Enabled><tds:MonitorPeriod>120</tds:MonitorPeriod><tds:MaxAuthFailures>7</tds:MaxAuthFailures></tds:SetAuthFailureWarningConfiguration>',
    read: '<tds:GetAuthFailureWarningConfiguration/>',
    shows: /Enabled>true<[\s\S]*MonitorPeriod>120<[\s\S]*MaxAuthFailures>7</,
  },
  {
    operation: 'SetHashingAlgorithm',
    write: '<tds:SetHashingAlgorithm><tds:Algorithm>SHA-256</tds:Algorithm></tds:SetHashingAlgorithm>',
    read: 'challenge',
    shows: /^(?!.*MD5).*SHA-256/s,
  },
  {
    operation: 'SetGeoLocation',
    write: location('SetGeoLocation', 'lens'),
    read: '<tds:GetGeoLocation/>',
    shows: /Token="lens"[\s\S]*lon="8\.5"/,
  },
  {
    operation: 'DeleteGeoLocation',
    prepare: location('SetGeoLocation', 'other'),
    write: location('DeleteGeoLocation', 'other'),
    read: '<tds:GetGeoLocation/>',
    shows: gone('Token="other"'),
  },
  {
    operation: 'SetRelayOutputSettings',
    write:
      '<tds:SetRelayOutputSettings><tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:Properties><tt:Mode>Monostable</tt:Mode><tt:DelayTime>PT7S</tt:DelayTime><tt:IdleState>closed</tt:IdleState></tds:Properties></tds:SetRelayOutputSettings>',
    read: '<tds:GetRelayOutputs/>',
    shows: /Monostable<[\s\S]*PT7S<[\s\S]*closed</,
  },
  {
    operation: 'CreateStorageConfiguration',
    write: createStorage('/created'),
    read: '<tds:GetStorageConfigurations/>',
    shows: />\/created</,
  },
  {
    operation: 'SetStorageConfiguration',
    prepare: createStorage('/before'),
    write: circumstances =>
      `<tds:SetStorageConfiguration><tds:StorageConfiguration token="${tokenOf(circumstances)}"><tds:Data ${storage('/after')}</tds:Data></tds:StorageConfiguration></tds:SetStorageConfiguration>`,
    read: '<tds:GetStorageConfigurations/>',
    shows: />\/after</,
  },
  {
    operation: 'DeleteStorageConfiguration',
    prepare: createStorage('/deleted'),
    write: circumstances =>
      `<tds:DeleteStorageConfiguration><tds:Token>${tokenOf(circumstances)}</tds:Token></tds:DeleteStorageConfiguration>`,
    read: '<tds:GetStorageConfigurations/>',
    shows: gone('>/deleted<'),
  },
  ...keystoreWriters,
  ...tlsWriters,
  ...certificateWriters,
]

export const writeOf = ({ write }: Writer, circumstances: Circumstances): string =>
  typeof write === 'string' ? write : write(circumstances)

/** A device that has everything that an option can give it, so that nothing is not supported for want of a part. */
export const equipped = { relays: 2, auxiliary: ['tt:IRLamp', 'tt:Wiper'], legacyRemoteDiscovery: true, interfaces: ['eth0', 'wlan0'] }

export const equippedFlags = [
  '--relays',
  '2',
  '--auxiliary',
  'tt:IRLamp,tt:Wiper',
  '--legacy-remote-discovery',
  '--interfaces',
  'eth0,wlan0',
]
