import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { isHostIPv4, isUnicastIPv4, isUnicastIPv6, parseIPv4, parseIPv6 } from '../../../src/device/network/addresses.ts'

const nearlyIPv4 = fc.array(fc.constantFrom('0', '1', '9', '10', '255', '256', '01', '', '-1', ' 1', '１'), { minLength: 3, maxLength: 5 })
const nearlyIPv6 = fc.array(fc.constantFrom('', '0', 'f', 'FFFF', '1234', '12345', 'g', ':', '::', '192.0.2.7', '192.0.2', ' '), {
  maxLength: 10,
})

test('what is an IPv4 address, and what is none, is what the system says', () => {
  fc.assert(
    fc.property(nearlyIPv4, parts => (parseIPv4(parts.join('.')) !== undefined) === isIPv4(parts.join('.'))),
    { numRuns: 2000 },
  )
})

test('what is an IPv6 address, and what is none, is what the system says, but for zones', () => {
  fc.assert(
    fc.property(nearlyIPv6, parts => (parseIPv6(parts.join(':')) !== undefined) === isIPv6(parts.join(':'))),
    { numRuns: 5000 },
  )
  fc.assert(fc.property(fc.string(), text => text.includes('%') || (parseIPv6(text) !== undefined) === isIPv6(text)))
  for (const text of ['fe80::1%eth0', '1:2:3:4::5:6:7:8', '1:2:3:4:5:6:7', '::1::']) assert.equal(parseIPv6(text), undefined, text)
})

test('every IPv4 address has its number', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), number => {
      const text = [24, 16, 8, 0].map(shift => Math.floor(number / 2 ** shift) % 256).join('.')
      return parseIPv4(text) === number
    }),
  )
})

test('every way to write an IPv6 address gives its number', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 128n) - 1n), fc.boolean(), (number, upper) => {
      const groups = Array.from({ length: 8 }, (_, index) => Number((number >> BigInt(112 - 16 * index)) & 0xffffn))
      const hex = groups.map(group => group.toString(16).padStart(upper ? 4 : 1, '0'))
      const [g6 = 0, g7 = 0] = groups.slice(6)
      const ways = [
        hex.join(':'),
        // The URL parser writes the shortest form.
        new URL(`http://[${hex.join(':')}]`).hostname.slice(1, -1),
        [...hex.slice(0, 6), [g6 >> 8, g6 & 255, g7 >> 8, g7 & 255].join('.')].join(':'),
      ]
      for (const way of ways) assert.equal(parseIPv6(upper ? way.toUpperCase() : way), number, way)
    }),
  )
})

test('an interface can have an address of one host alone', () => {
  const four = (text: string) => isUnicastIPv4(parseIPv4(text) ?? assert.fail(text))
  for (const text of ['1.0.0.0', '10.0.0.1', '127.0.0.1', '169.254.1.1', '192.0.2.7', '223.255.255.255']) assert.ok(four(text), text)
  for (const text of ['0.0.0.0', '0.255.255.255', '224.0.0.1', '240.0.0.1', '255.255.255.255']) assert.ok(!four(text), text)
  const six = (text: string) => isUnicastIPv6(parseIPv6(text) ?? assert.fail(text))
  for (const text of ['::1', 'fe80::1', 'fc00::1', '2001:db8::7', 'fe00::']) assert.ok(six(text), text)
  for (const text of ['::', 'ff00::', 'ff02::1', '::ffff:192.0.2.7']) assert.ok(!six(text), text)
  const host = (text: string, prefixLength: number) => isHostIPv4(parseIPv4(text) ?? assert.fail(text), prefixLength)
  for (const [text, length] of [
    ['192.0.2.7', 24],
    ['192.0.2.0', 31],
    ['192.0.2.255', 32],
    ['192.0.2.255', 16],
  ] as const)
    assert.ok(host(text, length), text)
  for (const [text, length] of [
    ['192.0.2.0', 24],
    ['192.0.2.255', 24],
    ['192.0.2.3', 30],
    ['10.255.255.255', 8],
  ] as const)
    assert.ok(!host(text, length), text)
})
