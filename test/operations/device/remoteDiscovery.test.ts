import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { type TestDevice, testDevice } from '../../support/device.ts'

const host = (type: string, member: string, address: string) =>
  `<tds:DPAddress><tt:Type>${type}</tt:Type><tt:${member}>${address}</tt:${member}></tds:DPAddress>`
const set = (...hosts: readonly string[]) => `<tds:SetDPAddresses>${hosts.join('')}</tds:SetDPAddresses>`
const setMode = (mode: string) =>
  `<tds:SetRemoteDiscoveryMode><tds:RemoteDiscoveryMode>${mode}</tds:RemoteDiscoveryMode></tds:SetRemoteDiscoveryMode>`
const inside = (xml: string) => /<env:Body>(.*)<\/env:Body>/s.exec(xml)?.[1] ?? ''
const proxies = async ({ ask }: TestDevice) => inside((await ask('<tds:GetDPAddresses/>')).xml)

test('without the option the four operations are not there, and no capability claims them', async t => {
  const { ask } = await testDevice(t)
  for (const request of ['<tds:GetRemoteDiscoveryMode/>', setMode('Discoverable'), '<tds:GetDPAddresses/>', set()])
    assert.equal((await ask(request)).fault, 'Receiver/ActionNotSupported')
  assert.match((await ask('<tds:GetServiceCapabilities/>')).xml, / RemoteDiscovery="false"/)
})

test('with it mode and proxies are kept, also over a restart', async t => {
  const device = await testDevice(t, { legacyRemoteDiscovery: true })
  assert.match((await device.ask('<tds:GetServiceCapabilities/>')).xml, / RemoteDiscovery="true"/)
  assert.match((await device.ask('<tds:GetCapabilities/>')).xml, /<tt:RemoteDiscovery>true</)
  assert.match((await device.ask('<tds:GetRemoteDiscoveryMode/>')).xml, />NonDiscoverable</)
  assert.equal(await proxies(device), '<tds:GetDPAddressesResponse/>')
  const hosts =
    host('IPv4', 'IPv4Address', '192.0.2.1') + host('IPv6', 'IPv6Address', '2001:db8::1') + host('DNS', 'DNSname', 'proxy.example.org')
  assert.equal((await device.ask(set(hosts))).fault, undefined)
  assert.equal((await device.ask(setMode('Discoverable'))).fault, undefined)
  await device.restart()
  assert.equal(await proxies(device), `<tds:GetDPAddressesResponse>${hosts}</tds:GetDPAddressesResponse>`)
  assert.match((await device.ask('<tds:GetRemoteDiscoveryMode/>')).xml, />Discoverable</)
  assert.equal((await device.ask(set())).fault, undefined)
  assert.equal(await proxies(device), '<tds:GetDPAddressesResponse/>')
})

test('a list with one host that is none changes nothing', async t => {
  const device = await testDevice(t, { legacyRemoteDiscovery: true })
  const good = host('DNS', 'DNSname', 'proxy')
  await device.ask(set(good))
  const before = await proxies(device)
  for (const bad of [
    host('IPv4', 'IPv4Address', '192.0.2.256'),
    host('IPv4', 'IPv4Address', '192.0.2'),
    host('IPv4', 'DNSname', 'proxy'),
    host('IPv6', 'IPv6Address', '2001:db8::1::2'),
    host('IPv6', 'IPv6Address', '192.0.2.1'),
    host('DNS', 'DNSname', 'under_score'),
    host('DNS', 'DNSname', '192.0.2.1'),
    host('DNS', 'DNSname', 'x'.repeat(64)),
    good.repeat(limits.discoveryProxiesMax),
  ])
    assert.equal((await device.ask(set(good, bad))).fault, 'Sender/InvalidArgVal', bad)
  assert.equal(await proxies(device), before)
})
