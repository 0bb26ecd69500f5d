import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { testDevice } from '../../support/device.ts'
import { freePort } from '../../support/freePort.ts'

const setDns = (rest: string, fromDHCP = false) => `<tds:SetDNS><tds:FromDHCP>${fromDHCP}</tds:FromDHCP>${rest}</tds:SetDNS>`
const dnsServer = (type: string, address: string, element = `${type}Address`) =>
  `<tds:DNSManual><tt:Type>${type}</tt:Type><tt:${element}>${address}</tt:${element}></tds:DNSManual>`
const search = (domain: string) => `<tds:SearchDomain>${domain}</tds:SearchDomain>`
const setNtp = (rest: string, fromDHCP = false) => `<tds:SetNTP><tds:FromDHCP>${fromDHCP}</tds:FromDHCP>${rest}</tds:SetNTP>`
const ntpServer = (type: string, host: string, element = type === 'DNS' ? 'DNSname' : `${type}Address`) =>
  `<tds:NTPManual><tt:Type>${type}</tt:Type><tt:${element}>${host}</tt:${element}></tds:NTPManual>`
const setClock = (source: string) =>
  `<tds:SetSystemDateAndTime><tds:DateTimeType>${source}</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings></tds:SetSystemDateAndTime>`
const setDynamic = (rest: string) => `<tds:SetDynamicDNS>${rest}</tds:SetDynamicDNS>`
const protocol = (name: string, enabled: boolean, ...ports: readonly number[]) =>
  `<tds:NetworkProtocols><tt:Name>${name}</tt:Name><tt:Enabled>${enabled}</tt:Enabled>${ports.map(port => `<tt:Port>${port}</tt:Port>`).join('')}</tds:NetworkProtocols>`
const setProtocols = (...protocols: readonly string[]) => `<tds:SetNetworkProtocols>${protocols.join('')}</tds:SetNetworkProtocols>`
const range = (address: string, length: number) => {
  const element = address.includes(':') ? 'IPv6Address' : 'IPv4Address'
  return `<tt:${element}><tt:Address>${address}</tt:Address><tt:PrefixLength>${length}</tt:PrefixLength></tt:${element}>`
}
const filter = (verb: string, type: string, ...entries: readonly string[]) =>
  `<tds:${verb}IPAddressFilter><tds:IPAddressFilter><tt:Type>${type}</tt:Type>${entries.join('')}</tds:IPAddressFilter></tds:${verb}IPAddressFilter>`

/** What an operation without arguments answers, as its texts, each with the name of its element. */
async function shown(device: Awaited<ReturnType<typeof testDevice>>, operation: string): Promise<string> {
  const { xml, fault, reason } = await device.ask(`<tds:${operation}/>`)
  assert.equal(fault, undefined, reason)
  return [...xml.matchAll(/<\w+:(\w+)>([^<]+)</g)].map(([, name, text]) => `${name}=${text}`).join(' ')
}

test('name servers are set, shown, and still there after a restart', async t => {
  const device = await testDevice(t)
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false')
  const both = dnsServer('IPv4', '192.0.2.1') + dnsServer('IPv6', '2001:db8::1')
  assert.equal((await device.ask(setDns(search('example.org') + search('lan') + both))).status, 200)
  const expected =
    'FromDHCP=false SearchDomain=example.org SearchDomain=lan Type=IPv4 IPv4Address=192.0.2.1 Type=IPv6 IPv6Address=2001:db8::1'
  assert.equal(await shown(device, 'GetDNS'), expected)
  await device.restart()
  assert.equal(await shown(device, 'GetDNS'), expected)
  // Search domains that are not given stay; without servers there are none.
  assert.equal((await device.ask(setDns(''))).status, 200)
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false SearchDomain=example.org SearchDomain=lan')
})

test('with DHCP the name servers are those of DHCP, and nothing of them is left without it', async t => {
  const device = await testDevice(t)
  assert.equal((await device.ask(setDns(dnsServer('IPv4', '192.0.2.1'), true))).status, 200)
  const { xml } = await device.ask('<tds:GetDNS/>')
  assert.match(xml, /FromDHCP>true<[\s\S]*DNSFromDHCP>/)
  assert.doesNotMatch(xml, /DNSManual|192\.0\.2\.1</)
  assert.equal((await device.ask(setDns(''))).status, 200)
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false')
})

test('one wrong name server or search domain refuses all of SetDNS', async t => {
  const device = await testDevice(t)
  await device.ask(setDns(search('example.org') + dnsServer('IPv4', '192.0.2.1')))
  const before = await shown(device, 'GetDNS')
  const good = dnsServer('IPv4', '192.0.2.2')
  const invalid = 'Sender/InvalidArgVal'
  const cases: readonly (readonly [string, string])[] = [
    ...['10.1.1', '192.0.2.256', '0.0.0.0', '224.0.0.1', '255.255.255.255', 'dns.example.org', '192.0.2.1 '.repeat(40)].map(
      text => [good + dnsServer('IPv4', text), `${invalid}/InvalidIPv4Address`] as const,
    ),
    ...['::', 'ff02::1', '2001:db8::g', 'fe80::1%eth0', '2001:db8'].map(
      text => [good + dnsServer('IPv6', text), `${invalid}/InvalidIPv6Address`] as const,
    ),
    ['<tds:DNSManual><tt:Type>IPv4</tt:Type></tds:DNSManual>', `${invalid}/InvalidIPv4Address`],
    ['<tds:DNSManual><tt:Type>IPv6</tt:Type></tds:DNSManual>', `${invalid}/InvalidIPv6Address`],
    [search('bad_name') + good, invalid],
    [search('192.0.2.1') + good, invalid],
    [search('lan').repeat(limits.searchDomainsMax + 1) + good, invalid],
    [good.repeat(limits.nameServersMax + 1), invalid],
  ]
  for (const [rest, fault] of cases) assert.equal((await device.ask(setDns(rest))).fault, fault, rest)
  assert.equal(await shown(device, 'GetDNS'), before)
})

test('children in the wrong ONVIF namespace and empty optional elements wipe nothing', async t => {
  const device = await testDevice(t)
  // onvif-go
  await device.ask(setDns('<tds:DNSManual><tds:Type>IPv4</tds:Type><tds:IPv4Address>192.0.2.1</tds:IPv4Address></tds:DNSManual>'))
  await device.ask(setNtp('<tds:NTPManual><tds:Type>DNS</tds:Type><tds:DNSname>time.example.org</tds:DNSname></tds:NTPManual>'))
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false Type=IPv4 IPv4Address=192.0.2.1')
  assert.equal(await shown(device, 'GetNTP'), 'FromDHCP=false Type=DNS DNSname=time.example.org')
  // use-go
  await device.ask(setDns(search('example.org')))
  await device.ask(
    setDns(
      '<tds:SearchDomain></tds:SearchDomain><tds:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.2</tt:IPv4Address><tt:IPv6Address></tt:IPv6Address></tds:DNSManual>',
    ),
  )
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false SearchDomain=example.org Type=IPv4 IPv4Address=192.0.2.2')
  await device.ask(
    setNtp(
      '<tds:NTPManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.3</tt:IPv4Address><tt:IPv6Address/><tt:DNSname/><tt:Extension/></tds:NTPManual>',
    ),
  )
  assert.equal(await shown(device, 'GetNTP'), 'FromDHCP=false Type=IPv4 IPv4Address=192.0.2.3')
  // libonvif leaves out FromDHCP, which is mandatory.
  assert.equal((await device.ask('<tds:SetDNS/>')).fault, 'Sender/InvalidArgs')
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false SearchDomain=example.org Type=IPv4 IPv4Address=192.0.2.2')
  // node-onvif, for no server at all
  await device.ask(setDns('<tds:DNSManual></tds:DNSManual>'))
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false SearchDomain=example.org')
})

test('time servers are set, shown by what they are, and still there after a restart', async t => {
  const device = await testDevice(t)
  assert.equal(await shown(device, 'GetNTP'), 'FromDHCP=false')
  // ODM sends an IPv6 address as IPv4Address, under either type.
  const list = [
    ntpServer('DNS', 'time.example.org'),
    ntpServer('IPv4', '192.0.2.1'),
    ntpServer('IPv6', '2001:db8::1', 'IPv4Address'),
    ntpServer('IPv4', '2001:db8::2'),
  ]
  assert.equal((await device.ask(setNtp(list.join('')))).status, 200)
  const expected =
    'FromDHCP=false Type=DNS DNSname=time.example.org Type=IPv4 IPv4Address=192.0.2.1 Type=IPv6 IPv6Address=2001:db8::1 Type=IPv6 IPv6Address=2001:db8::2'
  assert.equal(await shown(device, 'GetNTP'), expected)
  await device.restart()
  assert.equal(await shown(device, 'GetNTP'), expected)
  assert.equal((await device.ask(setNtp('', true))).status, 200)
  assert.match((await device.ask('<tds:GetNTP/>')).xml, /FromDHCP>true<[\s\S]*NTPFromDHCP>/)
})

test('one wrong time server refuses all of SetNTP', async t => {
  const device = await testDevice(t)
  await device.ask(setNtp(ntpServer('IPv4', '192.0.2.1')))
  const good = ntpServer('IPv4', '192.0.2.2')
  for (const [type, text, fault] of [
    ['IPv4', '10.1.1', 'InvalidIPv4Address'],
    ['IPv6', '10.1.1', 'InvalidIPv6Address'],
    ['IPv6', '2001:db8::g', 'InvalidIPv6Address'],
    ...['no_underscores', '-a', 'a-', 'a..b', 'a.', 'ä.example', '256.1.1.1', 'x'.repeat(64), `${'a.'.repeat(127)}a`].map(
      name => ['DNS', name, 'InvalidDnsName'] as const,
    ),
  ] as const)
    assert.equal((await device.ask(setNtp(good + ntpServer(type, text)))).fault, `Sender/InvalidArgVal/${fault}`, text)
  const count = Number(/ NTP="(\d+)"/.exec((await device.ask('<tds:GetServiceCapabilities/>')).xml)?.[1])
  assert.ok(count > 0)
  assert.equal((await device.ask(setNtp(good.repeat(count + 1)))).fault, 'Sender/InvalidArgVal')
  assert.equal(await shown(device, 'GetNTP'), 'FromDHCP=false Type=IPv4 IPv4Address=192.0.2.1')
  assert.equal((await device.ask(setNtp(good.repeat(count)))).status, 200)
})

test('the clock follows NTP where there is a time server, which then cannot be taken away', async t => {
  const device = await testDevice(t)
  assert.equal((await device.ask(setClock('NTP'))).fault, 'Sender/InvalidArgVal/NtpServerUndefined')
  await device.ask(setNtp(ntpServer('DNS', 'time.example.org')))
  assert.match((await device.ask('<tds:GetSystemDateAndTime/>')).xml, /DateTimeType>Manual</, 'the list alone does not change the mode')
  assert.equal((await device.ask(setClock('NTP'))).status, 200)
  for (const rest of ['', '<tds:NTPManual/>']) assert.equal((await device.ask(setNtp(rest))).fault, 'Sender/InvalidArgVal/TimeSyncedToNtp')
  assert.equal(await shown(device, 'GetNTP'), 'FromDHCP=false Type=DNS DNSname=time.example.org')
  await device.restart()
  assert.match((await device.ask('<tds:GetSystemDateAndTime/>')).xml, /DateTimeType>NTP</)
  assert.equal((await device.ask(setNtp('', true))).status, 200, 'DHCP has time servers')
  assert.equal((await device.ask(setClock('Manual'))).status, 200)
  assert.equal((await device.ask(setNtp(''))).status, 200)
})

test('NTP puts the clock right', async t => {
  const device = await testDevice(t)
  await device.ask(setNtp(ntpServer('IPv4', '192.0.2.1')))
  const fast = new Date(Date.now() + 200_000)
  const time = `<tt:Time><tt:Hour>${fast.getUTCHours()}</tt:Hour><tt:Minute>${fast.getUTCMinutes()}</tt:Minute><tt:Second>${fast.getUTCSeconds()}</tt:Second></tt:Time>`
  const date = `<tt:Date><tt:Year>${fast.getUTCFullYear()}</tt:Year><tt:Month>${fast.getUTCMonth() + 1}</tt:Month><tt:Day>${fast.getUTCDate()}</tt:Day></tt:Date>`
  const aheadMs = async () => {
    const { xml } = await device.ask('<tds:GetSystemDateAndTime/>')
    const [hour = 0, minute = 0, second = 0, year = 0, month = 0, day = 0] = [
      ...xml.matchAll(/<tt:(?:Hour|Minute|Second|Year|Month|Day)>(\d+)</g),
    ].map(([, digits]) => Number(digits))
    return Date.UTC(year, month - 1, day, hour, minute, second) - Date.now()
  }
  await device.ask(setClock('Manual').replace('</tds:SetSystem', `<tds:UTCDateTime>${time}${date}</tds:UTCDateTime></tds:SetSystem`))
  assert.ok((await aheadMs()) > 190_000)
  assert.equal((await device.ask(setClock('NTP'))).status, 200)
  assert.ok(Math.abs(await aheadMs()) < 5_000)
})

test('dynamic DNS is set, keeps what is not given, and is still there after a restart', async t => {
  const device = await testDevice(t)
  assert.equal(await shown(device, 'GetDynamicDNS'), 'Type=NoUpdate')
  await device.ask(setDynamic('<tds:Type>ClientUpdates</tds:Type><tds:Name>gate-7.example.org</tds:Name><tds:TTL>P1DT1H</tds:TTL>'))
  assert.equal(await shown(device, 'GetDynamicDNS'), 'Type=ClientUpdates Name=gate-7.example.org TTL=P1DT1H')
  assert.equal(
    (await device.ask(setDynamic('<tds:Type>ServerUpdates</tds:Type><tds:Name></tds:Name><tds:TTL>PT300S</tds:TTL>'))).status,
    200,
  )
  await device.restart()
  assert.equal(await shown(device, 'GetDynamicDNS'), 'Type=ServerUpdates Name=gate-7.example.org TTL=PT300S')
  const type = '<tds:Type>NoUpdate</tds:Type>'
  const ttls = ['-PT1S', 'P1Y', 'P1M', 'PT0.5S', 'PT2147483648S', 'P24856D', 'P', 'soon']
  for (const wrong of [...ttls.map(ttl => `<tds:TTL>${ttl}</tds:TTL>`), '<tds:Name>a_b</tds:Name>'])
    assert.equal((await device.ask(setDynamic(type + wrong))).fault, 'Sender/InvalidArgVal', wrong)
  assert.equal((await device.ask(setDynamic('<tds:Type>Sometimes</tds:Type>'))).fault, 'Sender/InvalidArgVal')
  assert.equal(await shown(device, 'GetDynamicDNS'), 'Type=ServerUpdates Name=gate-7.example.org TTL=PT300S')
  assert.equal((await device.ask(setDynamic(`${type}<tds:TTL>PT2147483647S</tds:TTL>`))).status, 200)
})

test('a protocol that is not there, a port that is none, or HTTP off refuse all of SetNetworkProtocols', async t => {
  const device = await testDevice(t, { port: 8080 })
  const good = protocol('HTTP', true, 18_080)
  for (const [request, fault] of [
    [setProtocols(good, protocol('HTTPS', true, 443)), 'Receiver/ActionNotSupported/EnablingTlsFailed'],
    [setProtocols(good, protocol('RTSP', false, 554)), 'Sender/InvalidArgVal/ServiceNotSupported'],
    [setProtocols(good, protocol('FTP', true, 21)), 'Sender/InvalidArgVal'],
    [setProtocols(protocol('HTTP', false, 18_080)), 'Sender/OperationProhibited'],
    [setProtocols(good, good), 'Sender/InvalidArgVal'],
    ...[0, -1, 65_536, 2_147_483_647].map(port => [setProtocols(protocol('HTTP', true, 18_080, port)), 'Sender/InvalidArgVal'] as const),
    [
      setProtocols(protocol('HTTP', true, ...Array.from({ length: limits.httpPortsMax + 1 }, (_, index) => 18_080 + index))),
      'Sender/InvalidArgVal',
    ],
    [setProtocols(protocol('HTTP', true)), 'Sender/InvalidArgs'],
    [setProtocols(), 'Sender/InvalidArgs'],
  ] as const)
    assert.equal((await device.ask(request)).fault, fault, request)
  assert.equal(await shown(device, 'GetNetworkProtocols'), 'Name=HTTP Enabled=true Port=8080 Name=HTTPS Enabled=false Port=8443')
})

test('a device without TLS has no HTTPS', async t => {
  const device = await testDevice(t, { port: 8080, tls: 'off' })
  assert.equal((await device.ask(setProtocols(protocol('HTTPS', true, 443)))).fault, 'Receiver/ActionNotSupported/EnablingTlsFailed')
  assert.equal((await device.ask(setProtocols(protocol('HTTPS', false, 443)))).fault, 'Sender/InvalidArgVal/ServiceNotSupported')
  assert.equal(await shown(device, 'GetNetworkProtocols'), 'Name=HTTP Enabled=true Port=8080')
})

test('HTTPS and HTTP are switched, one of them stays, and so it is after a restart', async t => {
  const [http, https, other] = [await freePort(), await freePort(), await freePort()]
  const device = await testDevice(t, { port: http, tls: 'self-signed', httpsPort: https })
  const list = () => shown(device, 'GetNetworkProtocols')
  assert.equal(await list(), `Name=HTTP Enabled=true Port=${http} Name=HTTPS Enabled=true Port=${https}`)
  assert.equal((await device.ask(setProtocols(protocol('HTTP', false, http)))).status, 200)
  for (const [request, fault] of [
    [setProtocols(protocol('HTTPS', false, https)), 'Sender/OperationProhibited'],
    [setProtocols(protocol('HTTP', true, other), protocol('HTTPS', true, other)), 'Sender/InvalidArgVal/PortAlreadyInUse'],
  ] as const)
    assert.equal((await device.ask(request)).fault, fault, request)
  await device.restart()
  assert.equal(await list(), `Name=HTTP Enabled=false Port=${http} Name=HTTPS Enabled=true Port=${https}`)
  assert.equal((await device.ask(setProtocols(protocol('HTTP', true, http), protocol('HTTPS', false, https)))).status, 200)
  await device.restart()
  assert.equal(await list(), `Name=HTTP Enabled=true Port=${http} Name=HTTPS Enabled=false Port=${https}`)
})

test('the address filter is set, added to, taken from, and still there after a restart', async t => {
  const device = await testDevice(t)
  assert.equal(await shown(device, 'GetIPAddressFilter'), 'Type=Deny')
  assert.equal((await device.ask(filter('Set', 'Allow', range('192.0.2.0', 24), range('2001:db8::', 32)))).status, 200)
  // Type means nothing in these two.
  assert.equal((await device.ask(filter('Add', 'Deny', range('198.51.100.7', 32)))).status, 200)
  assert.equal((await device.ask(filter('Remove', 'Deny', range('2001:DB8:0::', 32)))).status, 200)
  await device.restart()
  const expected = 'Type=Allow Address=192.0.2.0 PrefixLength=24 Address=198.51.100.7 PrefixLength=32'
  assert.equal(await shown(device, 'GetIPAddressFilter'), expected)
  for (const [request, fault] of [
    [filter('Set', 'Deny', range('192.0.2.99', 32)), 'OperationProhibited'],
    [filter('Remove', 'Allow', range('192.0.2.0', 24)), 'OperationProhibited'],
    [filter('Set', 'Allow', range('10.1.1', 8)), 'InvalidArgVal/InvalidIPv4Address'],
    [filter('Add', 'Allow', range('203.0.113.1', 32), range('::1', 129)), 'InvalidArgVal/InvalidIPv6Address'],
    [filter('Remove', 'Allow', range('198.51.100.7', 32), range('203.0.113.1', 32)), 'InvalidArgVal/NoIPv4Address'],
    [filter('Remove', 'Allow', range('198.51.100.7', 32), range('::1', 128)), 'InvalidArgVal/NoIPv6Address'],
  ] as const)
    assert.equal((await device.ask(request)).fault, `Sender/${fault}`, request)
  assert.equal(await shown(device, 'GetIPAddressFilter'), expected)
  const refused = await device.ask(filter('Set', 'Deny', range('192.0.0.0', 16)))
  assert.match(refused.reason ?? '', /192\.0\.2\.99/, 'the reason names the address')
})

test('capabilities and factory defaults know the network services', async t => {
  const device = await testDevice(t)
  const { xml } = await device.ask('<tds:GetServiceCapabilities/>')
  for (const fact of ['IPFilter="true"', 'DynDNS="true"', `NTP="${limits.timeServersMax}"`]) assert.ok(xml.includes(fact), fact)
  await device.ask(setDns(dnsServer('IPv4', '192.0.2.1')))
  await device.ask(filter('Set', 'Deny', range('203.0.113.1', 32)))
  const reset = async (type: string) => {
    await device.ask(`<tds:SetSystemFactoryDefault><tds:FactoryDefault>${type}</tds:FactoryDefault></tds:SetSystemFactoryDefault>`)
    // What follows the answer is under way by then.
    await new Promise(resolve => setImmediate(resolve))
    await device.restart()
  }
  await reset('Soft')
  assert.equal(await shown(device, 'GetDNS'), 'FromDHCP=false')
  assert.equal(await shown(device, 'GetIPAddressFilter'), 'Type=Deny Address=203.0.113.1 PrefixLength=32')
  await reset('Hard')
  assert.equal(await shown(device, 'GetIPAddressFilter'), 'Type=Deny')
})

test('every address in an answer begins with the public URL, where there is one', async t => {
  const device = await testDevice(t, { publicUrl: 'https://camera.example.org' })
  for (const operation of ['GetCapabilities', 'GetWsdlUrl', 'GetSystemUris', 'StartSystemRestore']) {
    const { xml } = await device.ask(`<tds:${operation}/>`)
    const uris = [...xml.matchAll(/>(https?:[^<]*)</g)].map(([, uri = '']) => uri)
    assert.ok(uris.length > 0, operation)
    for (const uri of uris) assert.ok(uri.startsWith('https://camera.example.org:443/onvif/'), uri)
  }
  const { xml } = await device.ask('<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>')
  assert.match(xml, />https:\/\/camera\.example\.org:443\/onvif\/device_service</)
})
