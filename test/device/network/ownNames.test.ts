import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownNames } from '../../../src/device/network/ownNames.ts'
import { createTestDevice } from '../../operations/device/testDevice.ts'

test('a device is reached by its hostname and the addresses of interfaces that are on', async t => {
  const { network } = await createTestDevice(t)
  const [nic] = await network.interfaces()
  assert.ok(nic)
  const address = (nic.ipv4.fromDHCP ?? nic.ipv4.manual[0])?.address ?? assert.fail('no address')
  const { name } = await network.hostname()
  const second = { ...nic.ipv4, manual: [{ address: '198.51.100.2', prefixLength: 24 }] }
  const namesWith = (enabled: boolean, hasIPv4: boolean) =>
    ownNames({ ...network, interfaces: async () => [nic, { ...nic, enabled, ipv4: { ...second, enabled: hasIPv4 } }] })
  const names = await namesWith(true, true)
  assert.equal(names[0], name)
  assert.ok(names.includes(address) && names.includes('198.51.100.2'))
  assert.equal(new Set(names).size, names.length)
  for (const [enabled, hasIPv4] of [
    [false, true],
    [true, false],
  ] as const)
    assert.deepEqual(
      await namesWith(enabled, hasIPv4),
      names.filter(each => each !== '198.51.100.2'),
    )
})

test('and by what a client has used, if a certificate can say it', async t => {
  const { network } = await createTestDevice(t)
  for (const [used, name] of [
    ['camera.example.org', 'camera.example.org'],
    ['198.51.100.7', '198.51.100.7'],
    ['[2001:db8::7]', '2001:db8::7'],
  ] as const)
    assert.equal((await ownNames(network, used))[1], name)
  const plain = await ownNames(network)
  for (const used of ['under_score', 'a b', '', plain[0]]) assert.deepEqual(await ownNames(network, used), plain)
})
