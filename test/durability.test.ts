import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { admin, type Daemon, startDaemon, temporaryFolder } from './support/daemon.ts'
import { envelope, type TestDevice, testDevice } from './support/device.ts'
import { exportedState } from './support/exportedState.ts'
import { freePort } from './support/freePort.ts'
import { operationNames, requestFor } from './support/requests.ts'
import { type Circumstances, equipped, equippedFlags, type Writer, withoutWitness, writeOf, writers } from './support/writers.ts'

/** A request and the text of its answer, with the challenges before it. */
type Ask = (body: string, bare?: boolean) => Promise<string>

const isMissing = (answer: string): boolean => />[^<]* is not implemented</.test(answer)

/** What a writer finds, after what it needs was done. */
async function prepare({ operation, prepare = [] }: Writer, ask: Ask, ports: Pick<Circumstances, 'freePort' | 'ports'>) {
  let prepared = ''
  for (const request of typeof prepare === 'string' ? [prepare] : prepare) {
    const answer = await ask(typeof request === 'string' ? request : request({ prepared, ...ports }))
    assert.doesNotMatch(answer, /:Fault>/, `${operation} could not be prepared`)
    prepared += answer
  }
  return { prepared, ...ports }
}

async function assertShown({ operation, read, shows }: Writer, ask: Ask, circumstances: Circumstances, when: string): Promise<void> {
  const request = typeof read === 'string' ? read : read(circumstances)
  const expected = shows instanceof RegExp ? shows : shows(circumstances)
  const answer = request === 'challenge' ? await ask('<tds:GetUsers/>', true) : await ask(request)
  // A policy is read as base64, and a port is known only now.
  const text = answer
    .replace(/<tt:Data[^>]*>([^<]*)</, (_, data) => `${Buffer.from(String(data), 'base64')}<`)
    .replaceAll(`>${circumstances.freePort}<`, '>FREE<')
  assert.match(request.includes('AccessPolicy') ? text.replace(/\s/g, '') : text, expected, `${operation} ${when}`)
}

const asking =
  ({ ask }: TestDevice): Ask =>
  async (body, bare = false) => {
    const { headers, xml } = await ask(body, bare ? undefined : admin)
    return `${headers['www-authenticate'] ?? ''}\n${xml}`
  }

test('every writer of the contract that this device has is in the table', async t => {
  const known = new Set<string>([...writers.map(({ operation }) => operation), ...Object.keys(withoutWitness)])
  const device = await testDevice(t, equipped)
  for (const name of operationNames.filter(
    name => /^(?:\w+:)?(Set|Create|Add|Delete|Remove|Load|Upload|Replace)/.test(name) && !known.has(name),
  )) {
    assert.ok(isMissing((await device.ask(requestFor(name, 'minimal'))).xml), `${name} works, and no row shows that it lasts`)
  }
})

test('what was written is read back, also after a restart', async t => {
  for (const writer of writers) {
    if (writer.needsDoor) continue
    await t.test(writer.operation, async t => {
      const device = await testDevice(t, equipped)
      const circumstances = await prepare(writer, asking(device), { freePort: await freePort(), ports: [] })
      const { status, reason = '' } = await device.ask(writeOf(writer, circumstances))
      assert.equal(status, 200, reason)
      await assertShown(writer, asking(device), circumstances, 'is seen at once')
      await device.restart()
      await assertShown(writer, asking(device), circumstances, 'is seen after a restart')
    })
  }
})

const soap =
  ({ url }: Daemon): Ask =>
  async (body, bare = false) => {
    const response = await fetch(url, { method: 'POST', body: envelope(body, bare ? undefined : admin) })
    return `${response.headers.get('www-authenticate') ?? ''}\n${await response.text()}`
  }

/** Writers of one round do not undo what the others write. */
const rounds = [/^Set(?!HostnameFromDHCP)/, /^(?:Create|Add|Load|Upload|SetHostnameFromDHCP)/, /^Replace/, /^(?:Delete|Remove)/].map(
  pattern => writers.filter(({ operation }) => pattern.test(operation.replace(/^\w+:/, ''))),
)

test('what was answered has been written: the process is killed as soon as the last of the answers is there', async t => {
  assert.equal(rounds.flat().length, writers.length)
  const state = await temporaryFolder(t)
  for (const [index, round] of rounds.entries()) {
    const daemon = await startDaemon(t, equippedFlags, { state })
    const free = await freePort()
    const ask = soap(daemon)
    const ready: { writer: Writer; circumstances: Circumstances }[] = []
    for (const writer of round) {
      const circumstances = await prepare(writer, ask, { freePort: free, ports: [Number(new URL(daemon.url).port)] })
      ready.push({ writer, circumstances })
    }
    const answers = await Promise.all(ready.map(({ writer, circumstances }) => ask(writeOf(writer, circumstances))))
    daemon.process.kill('SIGKILL')
    await once(daemon.process, 'exit')

    const again = await startDaemon(t, equippedFlags, { state })
    for (const [at, { writer, circumstances }] of ready.entries()) {
      const answer = answers[at] ?? ''
      assert.match(answer, new RegExp(`${writer.operation}Response`))
      await assertShown(writer, soap(again), circumstances, `outlives its process, round ${index + 1}`)
    }
    assert.equal(await again.stop(), 0)
  }
})

const user = (name: string, password = 'Only-looking-1', level = 'User') =>
  `<tds:User><tt:Username>${name}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`
const scope = (name: string) => `onvif://www.onvif.org/test/${name}`
const ipv4 = (address: string, prefix: number) =>
  `<tt:IPv4Address><tt:Address>${address}</tt:Address><tt:PrefixLength>${prefix}</tt:PrefixLength></tt:IPv4Address>`
const host = (address: string) => `<tt:Type>IPv4</tt:Type><tt:IPv4Address>${address}</tt:IPv4Address>`
const protocol = (name: string, port: number) =>
  `<tds:NetworkProtocols><tt:Name>${name}</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>${port}</tt:Port></tds:NetworkProtocols>`
const manual = (address: string, prefix: number) =>
  `<tt:Manual><tt:Address>${address}</tt:Address><tt:PrefixLength>${prefix}</tt:PrefixLength></tt:Manual>`
const location = (token: string, latitude: number) =>
  `<tds:Location Entity="VideoSource" Token="${token}"><tt:GeoLocation lon="8" lat="${latitude}"/></tds:Location>`

/** Lists of good items with a bad one at their end, which the subject itself refuses: the schema allows all of them. */
const oneBadItem: Readonly<Record<string, string>> = {
  CreateUsers: user('good-one') + user('bad:one'),
  'CreateUsers, one of them there already': user('good-one') + user('admin'),
  SetUser: user('uma', 'Another-word-2', 'Operator') + user('nobody'),
  DeleteUsers: '<tds:Username>uma</tds:Username><tds:Username>nobody</tds:Username>',
  SetScopes: `<tds:Scopes>${scope('good')}</tds:Scopes><tds:Scopes>no uri</tds:Scopes>`,
  AddScopes: `<tds:ScopeItem>${scope('good')}</tds:ScopeItem><tds:ScopeItem>no uri</tds:ScopeItem>`,
  RemoveScopes: `<tds:ScopeItem>onvif://www.onvif.org/location/unknown</tds:ScopeItem><tds:ScopeItem>${scope('absent')}</tds:ScopeItem>`,
  SetSystemDateAndTime:
    '<tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings><tds:TimeZone><tt:TZ>NZST-12</tt:TZ></tds:TimeZone><tds:UTCDateTime><tt:Time><tt:Hour>25</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time><tt:Date><tt:Year>2026</tt:Year><tt:Month>1</tt:Month><tt:Day>1</tt:Day></tt:Date></tds:UTCDateTime>',
  SetDNS: `<tds:FromDHCP>false</tds:FromDHCP><tds:SearchDomain>good.example</tds:SearchDomain><tds:DNSManual>${host('192.0.2.5')}</tds:DNSManual><tds:DNSManual>${host('192.0.2.500')}</tds:DNSManual>`,
  SetNTP: `<tds:FromDHCP>false</tds:FromDHCP><tds:NTPManual>${host('192.0.2.5')}</tds:NTPManual><tds:NTPManual>${host('one.two')}</tds:NTPManual>`,
  SetDPAddresses: `<tds:DPAddress>${host('192.0.2.5')}</tds:DPAddress><tds:DPAddress>${host('one.two')}</tds:DPAddress>`,
  SetDynamicDNS: '<tds:Type>ClientUpdates</tds:Type><tds:Name>good.example</tds:Name><tds:TTL>-PT1S</tds:TTL>',
  SetNetworkInterfaces: `<tds:InterfaceToken>eth0</tds:InterfaceToken><tds:NetworkInterface><tt:MTU>1400</tt:MTU><tt:IPv4><tt:Enabled>true</tt:Enabled>${manual('192.0.2.9', 24)}${manual('192.0.2.10', 33)}</tt:IPv4></tds:NetworkInterface>`,
  SetNetworkProtocols: protocol('HTTP', 8099) + protocol('RTSP', 554),
  SetNetworkDefaultGateway: '<tds:IPv4Address>192.0.2.1</tds:IPv4Address><tds:IPv6Address>not:an:address</tds:IPv6Address>',
  SetIPAddressFilter: `<tds:IPAddressFilter><tt:Type>Deny</tt:Type>${ipv4('198.51.100.0', 24)}${ipv4('198.51.100.0', 40)}</tds:IPAddressFilter>`,
  AddIPAddressFilter: `<tds:IPAddressFilter><tt:Type>Deny</tt:Type>${ipv4('198.51.100.0', 24)}${ipv4('300.1.1.1', 24)}</tds:IPAddressFilter>`,
  SetGeoLocation: location('good', 47) + location('bad', 91),
  DeleteGeoLocation: location('there', 47) + location('absent', 47),
  SetUserRole: '<tds:UserRole><tt:Name>porter</tt:Name><tt:Functions>tds:GetScopes tds:Nonsense</tt:Functions></tds:UserRole>',
  SetHashingAlgorithm: '<tds:Algorithm>SHA-256 ROT13</tds:Algorithm>',
  SetPasswordComplexityConfiguration: '<tds:MinLen>9</tds:MinLen><tds:Number>-1</tds:Number>',
  SetAuthFailureWarningConfiguration:
    '<tds:Enabled>true</tds:Enabled><tds:MonitorPeriod>120</tds:MonitorPeriod><tds:MaxAuthFailures>0</tds:MaxAuthFailures>',
}

test('one bad item, and nothing of the list is done', async t => {
  const device = await testDevice(t, equipped)
  await device.ask(`<tds:CreateUsers>${user('uma')}</tds:CreateUsers>`)
  await device.ask(`<tds:SetGeoLocation>${location('there', 47)}</tds:SetGeoLocation>`)
  for (const [what, content] of Object.entries(oneBadItem)) {
    await t.test(what, async () => {
      const operation = what.replace(/,.*/, '')
      const before = await exportedState(device)
      const { fault, reason } = await device.ask(`<tds:${operation}>${content}</tds:${operation}>`)
      assert.match(fault ?? 'none', /^(?:Sender|Receiver)\//, `${operation} takes ${content}`)
      assert.doesNotMatch(fault ?? '', /^Sender\/(?:InvalidArgs|TagMismatch|Tag)$/, `not for its form: ${reason}`)
      assert.notEqual(reason, 'the device could not perform the operation')
      assert.deepEqual(await exportedState(device), before)
    })
  }
})
