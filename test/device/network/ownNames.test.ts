import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOwnHostName, ownNames } from '../../../src/device/network/ownNames.ts'
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

test('clients may call it by its hostname, the first label of that, and in mDNS; a new name counts from the next question on', async () => {
  let name = 'Cam-7.Example.org'
  const isOwn = await createOwnHostName({ hostname: async () => ({ name, fromDHCP: false }) })
  for (const own of ['cam-7.example.org', 'cam-7', 'cam-7.local']) assert.ok(isOwn(own), own)
  for (const other of ['evil.example', 'example.org', 'cam-7.evil.example', 'local', '192.0.2.7', ''])
    assert.equal(isOwn(other), false, other)
  name = 'door'
  assert.equal(isOwn('door.local'), false)
  await new Promise(resolve => setImmediate(resolve))
  assert.ok(isOwn('door.local') && isOwn('door'))
  assert.equal(isOwn('cam-7'), false)
})

test('a device without a name, or whose name cannot be had, has none that is its own', async () => {
  const nameless = await createOwnHostName({ hostname: async () => ({ name: '', fromDHCP: true }) })
  assert.equal(nameless(''), false)
  assert.equal(nameless('.local'), false)
  let isBroken = false
  const isOwn = await createOwnHostName({
    hostname: () => (isBroken ? Promise.reject(new Error('EIO')) : Promise.resolve({ name: 'door', fromDHCP: false })),
  })
  isBroken = true
  assert.equal(isOwn('other'), false)
  await new Promise(resolve => setImmediate(resolve))
  assert.ok(isOwn('door'), 'it goes on with the one before')
})
