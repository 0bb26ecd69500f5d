import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { whyNoConsumer } from '../../src/client/notifyAddress.ts'

/** With the kind that each is, whatever the option says, … */
const never = {
  '0.0.0.0': 'an unspecified',
  '0.1.2.3': 'an unspecified',
  '::': 'an unspecified',
  '::ffff:0.0.0.0': 'an unspecified',
  '224.0.0.1': 'a multicast',
  '239.255.255.250': 'a multicast',
  'ff02::c': 'a multicast',
  '64:ff9b::ef00:1': 'a multicast',
  '240.0.0.1': 'a broadcast',
  '255.255.255.255': 'a broadcast',
  '::ffff:ffff:ffff': 'a broadcast',
  '127.255.255.255': 'a broadcast',
}

/** … and where it does not allow them. */
const local = {
  '127.0.0.1': 'a loopback',
  '127.9.8.7': 'a loopback',
  '::1': 'a loopback',
  '::ffff:127.0.0.1': 'a loopback',
  '::ffff:7f00:1': 'a loopback',
  '::7f00:1': 'a loopback',
  '64:ff9b::7f00:1': 'a loopback',
  '64:ff9b::127.0.0.1': 'a loopback',
  '2002:7f00:1::1': 'a loopback',
  '169.254.0.1': 'a link-local',
  '169.254.169.254': 'a link-local',
  '::ffff:169.254.169.254': 'a link-local',
  'fe80::1': 'a link-local',
  'febf::1': 'a link-local',
}

const good = [
  '192.0.2.1',
  '10.0.0.1',
  '172.16.0.5',
  '192.168.1.20',
  '126.255.255.255',
  '128.0.0.1',
  '223.255.255.255',
  '169.253.255.255',
  '2001:db8::1',
  'fd00::1',
  'fec0::1',
  '64:ff9b::c000:201',
  '2002:c000:201::1',
  '::ffff:192.0.2.1',
  '2001:db8::7f00:1',
]

test('no notifications go to addresses that trust whoever reaches them, or behind which there is no host', () => {
  for (const [address, kind] of Object.entries(never))
    for (const allowed of [false, true]) assert.equal(whyNoConsumer(address, allowed), kind, address)
  for (const [address, kind] of Object.entries(local)) {
    assert.equal(whyNoConsumer(address, false), kind, address)
    assert.equal(whyNoConsumer(address, true), undefined, address)
  }
  for (const address of good) for (const allowed of [false, true]) assert.equal(whyNoConsumer(address, allowed), undefined, address)
})

test('nor to the addresses of the machine, and never to all hosts of its networks', () => {
  const own = Object.values(networkInterfaces()).flatMap((entries = []) => entries)
  assert.ok(own.length > 0)
  for (const { address } of own) {
    assert.notEqual(whyNoConsumer(address, false), undefined, address)
    assert.equal(whyNoConsumer(address, true), undefined, address)
    if (!address.includes(':')) assert.notEqual(whyNoConsumer(`::ffff:${address}`, false), undefined, address)
  }
  for (const { address, netmask, family } of own) {
    if (family !== 'IPv4' || netmask === '255.255.255.255') continue
    const mask = netmask.split('.').map(Number)
    const last = address.split('.').map((part, index) => Number(part) | (255 - (mask[index] ?? 0)))
    assert.equal(whyNoConsumer(last.join('.'), true), 'a broadcast', last.join('.'))
  }
})
