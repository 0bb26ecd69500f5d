import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestDevice, raises } from './testDevice.ts'

test('a hostname of RFC 1123 is taken and shown', async t => {
  const { perform } = await createTestDevice(t)
  assert.deepEqual((await perform('GetHostname', {})).HostnameInformation, { FromDHCP: false, Name: 'onvifd-v1' })
  for (const Name of ['gate-7', 'Gate7.example.org', '7gate', 'a', 'x'.repeat(63), `${'a.'.repeat(126)}a`]) {
    assert.deepEqual(await perform('SetHostname', { Name }), {})
    assert.equal((await perform('GetHostname', {})).HostnameInformation.Name, Name)
  }
})

test('any other is InvalidHostname and changes nothing', async t => {
  const { perform } = await createTestDevice(t)
  for (const Name of [
    '',
    ' ',
    'a_b',
    '-a',
    'a-',
    'a..b',
    '.a',
    'a.',
    'a b',
    'ä',
    'a\nb',
    '192.0.2.7',
    'x'.repeat(64),
    `${'a.'.repeat(127)}a`,
    '$(reboot)',
    `${'a-'.repeat(30)}!`,
  ]) {
    await assert.rejects(perform('SetHostname', { Name }), raises('Sender/InvalidArgVal/InvalidHostname'), JSON.stringify(Name))
  }
  assert.equal((await perform('GetHostname', {})).HostnameInformation.Name, 'onvifd-v1')
})

test('the interface shows name, MAC address and IPv4 address', async t => {
  const { perform } = await createTestDevice(t)
  const { NetworkInterfaces } = await perform('GetNetworkInterfaces', {})
  assert.equal(NetworkInterfaces.length, 1)
  const { token, Enabled, Info, IPv4, IPv6 } = NetworkInterfaces[0] ?? assert.fail()
  assert.deepEqual([token, Enabled, Info?.Name, Info?.MTU], ['eth0', true, 'eth0', 1500])
  assert.match(Info?.HwAddress ?? '', /^02(:[0-9a-f]{2}){5}$/)
  assert.deepEqual(
    [IPv4, IPv6],
    [{ Enabled: true, Config: { Manual: [{ Address: '127.0.0.1', PrefixLength: 8 }], DHCP: false } }, undefined],
  )
})

test('an interface with DHCP or with IPv6 alone is shown as what it is', async t => {
  const eth0 = { token: 'eth0', name: 'eth0', hwAddress: '02:00:5e:00:53:01', mtu: 1500, enabled: true }
  const shown = async (
    ipv4: { fromDHCP: boolean; addresses: { address: string; prefixLength: number }[] },
    ipv6: { address: string; prefixLength: number }[],
  ) => {
    const { perform } = await createTestDevice(t, { network: { interfaces: async () => [{ ...eth0, ipv4, ipv6: { addresses: ipv6 } }] } })
    const [nic] = (await perform('GetNetworkInterfaces', {})).NetworkInterfaces
    return [nic?.IPv4, nic?.IPv6]
  }
  const [one, two] = [
    { address: '192.0.2.7', prefixLength: 24 },
    { address: '192.0.2.8', prefixLength: 24 },
  ]
  const [ONE, TWO] = [
    { Address: '192.0.2.7', PrefixLength: 24 },
    { Address: '192.0.2.8', PrefixLength: 24 },
  ]
  assert.deepEqual(await shown({ fromDHCP: true, addresses: [one, two] }, []), [
    { Enabled: true, Config: { FromDHCP: ONE, Manual: [TWO], DHCP: true } },
    undefined,
  ])
  assert.deepEqual(await shown({ fromDHCP: false, addresses: [] }, [{ address: '2001:db8::7', prefixLength: 64 }]), [
    { Enabled: false, Config: { Manual: [], DHCP: false } },
    { Enabled: true, Config: { DHCP: 'Off', Manual: [{ Address: '2001:db8::7', PrefixLength: 64 }] } },
  ])
})

test('HTTP is the one protocol, on the port that is listened on', async t => {
  const { perform } = await createTestDevice(t)
  assert.deepEqual((await perform('GetNetworkProtocols', {})).NetworkProtocols, [{ Name: 'HTTP', Enabled: true, Port: [8080] }])
})

test('DNS and NTP servers are shown by kind and by where they come from', async t => {
  const servers = ['192.0.2.53', '2001:db8::53']
  for (const fromDHCP of [false, true]) {
    const dns = async () => ({ fromDHCP, servers, searchDomains: ['example.org'] })
    const ntp = async () => ({ fromDHCP, servers: [...servers, 'time.example.org'] })
    const { perform } = await createTestDevice(t, { network: { dns, ntp } })
    const addresses = [
      { Type: 'IPv4', IPv4Address: '192.0.2.53' },
      { Type: 'IPv6', IPv6Address: '2001:db8::53' },
    ]
    const { DNSInformation } = await perform('GetDNS', {})
    assert.deepEqual(DNSInformation, {
      FromDHCP: fromDHCP,
      SearchDomain: ['example.org'],
      [fromDHCP ? 'DNSFromDHCP' : 'DNSManual']: addresses,
    })
    const { NTPInformation } = await perform('GetNTP', {})
    assert.deepEqual(NTPInformation, {
      FromDHCP: fromDHCP,
      [fromDHCP ? 'NTPFromDHCP' : 'NTPManual']: [...addresses, { Type: 'DNS', DNSname: 'time.example.org' }],
    })
  }
})

test('the virtual device has neither of them', async t => {
  const { perform } = await createTestDevice(t)
  assert.deepEqual((await perform('GetDNS', {})).DNSInformation, { FromDHCP: false, SearchDomain: [], DNSManual: [] })
  assert.deepEqual((await perform('GetNTP', {})).NTPInformation, { FromDHCP: false, NTPManual: [] })
})
