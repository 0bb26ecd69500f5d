import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../src/limits.ts'
import { catalogue, type FaultName } from '../src/onvif/faults.ts'
import { type Answer, envelope, type TestDevice, testDevice } from './support/device.ts'

const user = (name: string, password: string, level = 'User') =>
  `<tds:User><tt:Username>${name}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`
const create = (...users: readonly string[]) => `<tds:CreateUsers>${users.join('')}</tds:CreateUsers>`
const set = (...users: readonly string[]) => `<tds:SetUser>${users.join('')}</tds:SetUser>`
const setClock = (type: string, rest: string) =>
  `<tds:SetSystemDateAndTime><tds:DateTimeType>${type}</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings>${rest}</tds:SetSystemDateAndTime>`
const scopes = (count: number) =>
  Array.from({ length: count }, (_, index) => `<tds:Scopes>onvif://www.onvif.org/x/${index}</tds:Scopes>`).join('')
const good = 'Good-password-1'

/** A request that provokes each fault of the catalogue, on a device that has just been made. */
const provocations: Readonly<Record<FaultName, string | ((device: TestDevice) => Promise<Answer>)>> = {
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
}

for (const name of Object.keys(catalogue).filter((name): name is FaultName => Object.hasOwn(catalogue, name))) {
  test(`the fault ${name}`, async t => {
    const device = await testDevice(t)
    const provocation = provocations[name]
    const answer = await (typeof provocation === 'string' ? device.ask(provocation) : provocation(device))
    assert.equal(answer.fault, [...catalogue[name], name].join('/'), answer.xml)
    assert.ok((answer.reason ?? '').length > 10, 'the reason tells something')
  })
}
