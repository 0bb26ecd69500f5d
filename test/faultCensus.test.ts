import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { limits } from '../src/limits.ts'
import { catalogue, type FaultName } from '../src/onvif/faults.ts'
import { certificateProvocations } from './support/certificateProvocations.ts'
import { type Answer, envelope, type TestDevice, testDevice } from './support/device.ts'
import { keystoreProvocations } from './support/keystoreProvocations.ts'

const user = (name: string, password: string, level = 'User') =>
  `<tds:User><tt:Username>${name}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`
const create = (...users: readonly string[]) => `<tds:CreateUsers>${users.join('')}</tds:CreateUsers>`
const set = (...users: readonly string[]) => `<tds:SetUser>${users.join('')}</tds:SetUser>`
const setClock = (type: string, rest: string) =>
  `<tds:SetSystemDateAndTime><tds:DateTimeType>${type}</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings>${rest}</tds:SetSystemDateAndTime>`
const scopes = (count: number) =>
  Array.from({ length: count }, (_, index) => `<tds:Scopes>onvif://www.onvif.org/x/${index}</tds:Scopes>`).join('')
const setPolicy = (file: string) =>
  `<tds:SetAccessPolicy><tds:PolicyFile><tt:Data>${Buffer.from(file).toString('base64')}</tt:Data></tds:PolicyFile></tds:SetAccessPolicy>`
const setRole = (name: string, functions: string) =>
  `<tds:SetUserRole><tds:UserRole><tt:Name>${name}</tt:Name><tt:Functions>${functions}</tt:Functions></tds:UserRole></tds:SetUserRole>`
const upgrade = (image: string) => `<tds:UpgradeSystemFirmware><tds:Firmware>${image}</tds:Firmware></tds:UpgradeSystemFirmware>`
const good = 'Good-password-1'

const setInterface = (change: string, token = 'eth0') =>
  `<tds:SetNetworkInterfaces><tds:InterfaceToken>${token}</tds:InterfaceToken><tds:NetworkInterface>${change}</tds:NetworkInterface></tds:SetNetworkInterfaces>`
const manual = (family: 'IPv4' | 'IPv6', address: string) =>
  `<tt:${family}><tt:Manual><tt:Address>${address}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual></tt:${family}>`
const wireless = (security: string, mode = 'Infrastructure') =>
  `<tt:Extension><tt:Dot11><tt:SSID>6f</tt:SSID><tt:Mode>${mode}</tt:Mode><tt:Alias>home</tt:Alias><tt:Priority>1</tt:Priority><tt:Security>${security}</tt:Security></tt:Dot11></tt:Extension>`
const status = (token: string) => `<tds:GetDot11Status><tds:InterfaceToken>${token}</tds:InterfaceToken></tds:GetDot11Status>`
const setNtp = (rest: string) => `<tds:SetNTP><tds:FromDHCP>false</tds:FromDHCP>${rest}</tds:SetNTP>`
const protocol = (name: string, enabled: boolean, port: number) =>
  `<tds:SetNetworkProtocols><tds:NetworkProtocols><tt:Name>${name}</tt:Name><tt:Enabled>${enabled}</tt:Enabled><tt:Port>${port}</tt:Port></tds:NetworkProtocols></tds:SetNetworkProtocols>`
const range = (address: string) => {
  const family = address.includes(':') ? 'IPv6Address' : 'IPv4Address'
  return `<tt:${family}><tt:Address>${address}</tt:Address><tt:PrefixLength>32</tt:PrefixLength></tt:${family}>`
}
const filter = (verb: string, ...addresses: readonly string[]) =>
  `<tds:${verb}IPAddressFilter><tds:IPAddressFilter><tt:Type>Deny</tt:Type>${addresses.map(range).join('')}</tds:IPAddressFilter></tds:${verb}IPAddressFilter>`
const setGeo = (...attributes: readonly string[]) =>
  `<tds:SetGeoLocation>${attributes.map(each => `<tds:Location ${each}/>`).join('')}</tds:SetGeoLocation>`
const deleteGeo = '<tds:DeleteGeoLocation><tds:Location Entity="Device"/></tds:DeleteGeoLocation>'
const setRelay = (token: string, delay: string) =>
  `<tds:SetRelayOutputSettings><tds:RelayOutputToken>${token}</tds:RelayOutputToken><tds:Properties><tt:Mode>Monostable</tt:Mode><tt:DelayTime>${delay}</tt:DelayTime><tt:IdleState>open</tt:IdleState></tds:Properties></tds:SetRelayOutputSettings>`
/** On a device that has something to switch. */
const onSwitches = (body: string) => async (_: TestDevice, t: TestContext) =>
  (await testDevice(t, { relays: 1, auxiliary: ['tt:IRLamp'] })).ask(body)
const createStorage =
  '<tds:CreateStorageConfiguration><tds:StorageConfiguration type="NFS"><tds:StorageUri>nfs://nas/video</tds:StorageUri></tds:StorageConfiguration></tds:CreateStorageConfiguration>'
/** On a device that has a radio. */
const onWifi = (body: string) => async (_: TestDevice, t: TestContext) => (await testDevice(t, { interfaces: ['eth0', 'wlan0'] })).ask(body)

/** What no request can reach: a key that does not sign is not taken in. */
const unreached = ['Signature'] as const satisfies readonly FaultName[]

type Reached = Exclude<FaultName, (typeof unreached)[number]>

/** A request that provokes each fault of the catalogue, on a device that has just been made. */
const provocations: Readonly<Record<Reached, string | ((device: TestDevice, t: TestContext) => Promise<Answer>)>> = {
  ...keystoreProvocations,
  ...certificateProvocations,
  WellFormed: ({ send }) => send('<a'),
  TagMismatch: '<tds:SetHostname><x:Name xmlns:x="urn:x">a</x:Name></tds:SetHostname>',
  Tag: '<tds:SetHostname>text<tds:Name>a</tds:Name></tds:SetHostname>',
  Namespace: ({ send }) => send(envelope('<undeclared:GetHostname/>')),
  MissingAttr:
    '<tds:SetStorageConfiguration><tds:StorageConfiguration><tds:Data type="NFS"/></tds:StorageConfiguration></tds:SetStorageConfiguration>',
  ProhibAttr: '<tds:GetHostname surplus="1"/>',
  InvalidArgs: '<tds:SetHostname/>',
  InvalidArgVal: '<tds:GetServices><tds:IncludeCapability>perhaps</tds:IncludeCapability></tds:GetServices>',
  UnknownAction: '<tds:Nothing/>',
  NotAuthorized: ({ ask }) => ask('<tds:GetUsers/>', undefined),
  ActionNotSupported: '<tds:GetDPAddresses/>',
  // Its door is not open yet, and an upgrade needs it.
  Action: '<tds:StartFirmwareUpgrade/>',
  NoSuchService: '<tds:GetCapabilities><tds:Category>PTZ</tds:Category></tds:GetCapabilities>',
  InvalidHostname: '<tds:SetHostname><tds:Name>no_underscores</tds:Name></tds:SetHostname>',
  InvalidNetworkInterface: setInterface('', 'eth9'),
  InvalidMtuValue: setInterface('<tt:MTU>100</tt:MTU>'),
  InvalidInterfaceSpeed: setInterface(
    '<tt:Link><tt:AutoNegotiation>false</tt:AutoNegotiation><tt:Speed>11</tt:Speed><tt:Duplex>Full</tt:Duplex></tt:Link>',
  ),
  InvalidInterfaceType: onWifi(setInterface('<tt:Extension><tt:Dot3/></tt:Extension>', 'wlan0')),
  InvalidIPv4Address: setInterface(manual('IPv4', '192.0.2.256')),
  InvalidIPv6Address: setInterface(manual('IPv6', '2001:db8::g')),
  InvalidDHCPv6: setInterface('<tt:IPv6><tt:DHCP>Stateful</tt:DHCP></tt:IPv6>'),
  InvalidSecurityMode: onWifi(setInterface(wireless('<tt:Mode>WEP</tt:Mode>'), 'wlan0')),
  InvalidStationMode: onWifi(setInterface(wireless('<tt:Mode>None</tt:Mode>', 'Ad-hoc'), 'wlan0')),
  MissingDot11: onWifi(setInterface('<tt:Enabled>true</tt:Enabled>', 'wlan0')),
  MissingPSK: onWifi(setInterface(wireless('<tt:Mode>PSK</tt:Mode>'), 'wlan0')),
  MissingDot1X: onWifi(setInterface(wireless('<tt:Mode>Dot1X</tt:Mode><tt:Dot1X>none</tt:Dot1X>'), 'wlan0')),
  OperationProhibited: protocol('HTTP', false, 8080),
  InvalidDnsName: setNtp(`<tds:NTPManual><tt:Type>DNS</tt:Type><tt:DNSname>no_underscores</tt:DNSname></tds:NTPManual>`),
  TimeSyncedToNtp: async ({ ask }) => {
    await ask(setNtp('<tds:NTPManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.1</tt:IPv4Address></tds:NTPManual>'))
    await ask(setClock('NTP', ''))
    return ask(setNtp(''))
  },
  ServiceNotSupported: protocol('RTSP', true, 554),
  PortAlreadyInUse: async ({ ask }, t) => {
    const other = createServer()
    t.after(() => other.close())
    await once(other.listen(0, '127.0.0.1'), 'listening')
    const address = other.address()
    return ask(protocol('HTTP', true, typeof address === 'object' ? (address?.port ?? 0) : 0))
  },
  EnablingTlsFailed: protocol('HTTPS', true, 443),
  IPFilterListIsFull: filter('Add', ...Array.from({ length: limits.addressFilterMax + 1 }, (_, index) => `198.51.100.${index}`)),
  NoIPv4Address: filter('Remove', '198.51.100.1'),
  NoIPv6Address: filter('Remove', '2001:db8::1'),
  InvalidGatewayAddress: '<tds:SetNetworkDefaultGateway><tds:IPv4Address>10.1.1</tds:IPv4Address></tds:SetNetworkDefaultGateway>',
  InvalidDot11: '<tds:GetDot11Capabilities/>',
  NotDot11: onWifi(status('eth0')),
  NotConnectedDot11: onWifi(status('wlan0')),
  InvalidBackupFile:
    '<tds:RestoreSystem><tds:BackupFiles><tt:Name>a</tt:Name><tt:Data>QUJD</tt:Data></tds:BackupFiles></tds:RestoreSystem>',
  InvalidFirmware: upgrade('<xop:Include href="cid:none"/>'),
  // As for Action above.
  FirmwareUpgradeFailed: upgrade('QUJD'),
  TooManyEntries: setGeo(...Array.from({ length: limits.geoLocationsMax + 1 }, (_, index) => `Token="${index}"`)),
  NoAutoGeo: setGeo('AutoGeo="true"'),
  NoConfig: deleteGeo,
  Fixed: async ({ ask }) => {
    await ask(setGeo('Entity="Device" Fixed="true"'))
    return ask(deleteGeo)
  },
  RelayToken: onSwitches(setRelay('relay9', 'PT1S')),
  ModeError: onSwitches(setRelay('relay1', 'PT0S')),
  AuxiliaryDataNotSupported: onSwitches(
    '<tds:SendAuxiliaryCommand><tds:AuxiliaryCommand>tt:Wiper|On</tds:AuxiliaryCommand></tds:SendAuxiliaryCommand>',
  ),
  MaxStorageConfigurations: async ({ ask }) => {
    for (let made = 0; made < limits.storageConfigurationsMax; made++) assert.equal((await ask(createStorage)).status, 200)
    return ask(createStorage)
  },
  ConfigModify: async ({ ask }) => {
    const token = /Token>([^<]+)</.exec((await ask(createStorage)).xml)?.[1]
    return ask(
      `<tds:SetStorageConfiguration><tds:StorageConfiguration token="${token}"><tds:Data type="tape"/></tds:StorageConfiguration></tds:SetStorageConfiguration>`,
    )
  },
  InvalidTimeZone: setClock('Manual', '<tds:TimeZone><tt:TZ>Europe/Berlin</tt:TZ></tds:TimeZone>'),
  InvalidDateTime: setClock(
    'Manual',
    '<tds:UTCDateTime><tt:Time><tt:Hour>25</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time><tt:Date><tt:Year>2026</tt:Year><tt:Month>2</tt:Month><tt:Day>29</tt:Day></tt:Date></tds:UTCDateTime>',
  ),
  NtpServerUndefined: setClock('NTP', ''),
  TooManyScopes: `<tds:SetScopes>${scopes(limits.scopesMax)}</tds:SetScopes>`,
  FixedScope: async ({ ask }) => {
    const fixed = /ScopeDef>Fixed<[\s\S]*?ScopeItem>([^<]+)</.exec((await ask('<tds:GetScopes/>')).xml)?.[1]
    return ask(`<tds:RemoveScopes><tds:ScopeItem>${fixed}</tds:ScopeItem></tds:RemoveScopes>`)
  },
  NoScope: '<tds:RemoveScopes><tds:ScopeItem>onvif://www.onvif.org/none</tds:ScopeItem></tds:RemoveScopes>',
  UsernameClash: create(user('admin', good)),
  UsernameTooLong: create(user('x'.repeat(limits.userNameCharactersMax + 1), good)),
  UsernameTooShort: create(user('', good)),
  UsernameMissing: '<tds:DeleteUsers><tds:Username>nobody</tds:Username></tds:DeleteUsers>',
  PasswordTooLong: create(user('new', 'x'.repeat(limits.passwordCharactersMax + 1))),
  Password: create(user('new', 'short')),
  PasswordTooWeak: set(user('admin', 'short', 'Administrator')),
  TooManyUsers: create(...Array.from({ length: limits.usersMax }, (_, index) => user(`user${index}`, good))),
  AnonymousNotAllowed: create(user('new', good, 'Anonymous')),
  FixedUser: '<tds:DeleteUsers><tds:Username>admin</tds:Username></tds:DeleteUsers>',
  PolicyFormat: setPolicy('<policy/>'),
  InvalidUserRole: '<tds:DeleteUserRole><tds:UserRole>nobodys</tds:UserRole></tds:DeleteUserRole>',
  TooManyUserRoles: async ({ ask }) => {
    for (let made = 3; made < limits.userRolesMax; made++) assert.equal((await ask(setRole(`role${made}`, 'tds:GetUsers'))).status, 200)
    return ask(setRole('surplus', 'tds:GetUsers'))
  },
  FunctionNotImplemented: setRole('filmmaker', 'trt:GetProfiles'),
  OnvifPrefix: setRole('onvif:Administrator', 'tds:GetUsers'),
}

for (const name of Object.keys(catalogue).filter((name): name is Reached => Object.hasOwn(provocations, name))) {
  test(`the fault ${name}`, async t => {
    const device = await testDevice(t)
    const provocation = provocations[name]
    const answer = await (typeof provocation === 'string' ? device.ask(provocation) : provocation(device, t))
    assert.equal(answer.fault, [...catalogue[name], name].join('/'), answer.xml)
    assert.ok((answer.reason ?? '').length > 10, 'the reason tells something')
  })
}

test('every other fault is known to be out of reach', () => {
  const all = [...Object.keys(provocations), ...unreached]
  assert.deepEqual(all.toSorted(), Object.keys(catalogue).toSorted())
})
