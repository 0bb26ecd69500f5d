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
    '10.1.1',
    'x'.repeat(64),
    `${'a.'.repeat(127)}a`,
    '$(reboot)',
    `${'a-'.repeat(30)}!`,
  ]) {
    await assert.rejects(perform('SetHostname', { Name }), raises('Sender/InvalidArgVal/InvalidHostname'), JSON.stringify(Name))
  }
  assert.equal((await perform('GetHostname', {})).HostnameInformation.Name, 'onvifd-v1')
})

test('an empty hostname asks for the one of DHCP, and the one that was set comes back without it', async t => {
  const { perform } = await createTestDevice(t)
  const shown = async () => (await perform('GetHostname', {})).HostnameInformation
  await perform('SetHostname', { Name: 'gate-7' })
  await perform('SetHostname', { Name: '' })
  assert.deepEqual(await shown(), { FromDHCP: true, Name: 'onvifd-v1' })
  assert.deepEqual(await perform('SetHostnameFromDHCP', { FromDHCP: false }), { RebootNeeded: false })
  assert.deepEqual(await shown(), { FromDHCP: false, Name: 'gate-7' })
  assert.deepEqual(await perform('SetHostnameFromDHCP', { FromDHCP: true }), { RebootNeeded: false })
  assert.deepEqual(await shown(), { FromDHCP: true, Name: 'onvifd-v1' })
  await perform('SetHostname', { Name: 'gate-8' })
  assert.deepEqual(await shown(), { FromDHCP: false, Name: 'gate-8' })
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
