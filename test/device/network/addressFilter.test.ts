import assert from 'node:assert/strict'
import { BlockList, isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAddressFilter, type Filter } from '../../../src/device/network/addressFilter.ts'
import { openStore } from '../../../src/device/store.ts'
import { limits } from '../../../src/limits.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'

const caller = '192.0.2.99'
const range = (text: string) => {
  const [address = '', length] = text.split('/')
  return { address, prefixLength: Number(length ?? (address.includes(':') ? 128 : 32)) }
}
const ranges = (...texts: readonly string[]) => ({
  ipv4: texts.filter(text => !text.includes(':')).map(range),
  ipv6: texts.filter(text => text.includes(':')).map(range),
})
const filterOf = (type: Filter['type'], ...texts: readonly string[]): Filter => ({ type, ...ranges(...texts) })
const raises = (name: string) => (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1) === name

test('a new device admits everybody', () => {
  const filter = createAddressFilter(openStore(':memory:'))
  assert.deepEqual(filter.get(), { type: 'Deny', ipv4: [], ipv6: [] })
  for (const address of ['127.0.0.1', '::1', '203.0.113.9', '']) assert.equal(filter.admits(address), true)
})

const cases: readonly (readonly [
  type: Filter['type'],
  ranges: readonly string[],
  admitted: readonly string[],
  shutOut: readonly string[],
])[] = [
  [
    'Deny',
    ['198.51.100.0/24'],
    ['198.51.99.255', '198.51.101.0', '::1', '::c633:6400'],
    ['198.51.100.0', '198.51.100.255', '::ffff:198.51.100.7'],
  ],
  ['Deny', ['198.51.100.7'], ['198.51.100.6', '198.51.100.8'], ['198.51.100.7', '::ffff:c633:6407']],
  ['Deny', ['2001:db8::/33'], ['2001:db8:8000::', '2001:db7:ffff::', '192.0.2.1'], ['2001:db8::', '2001:DB8:7fff::1']],
  ['Deny', ['::/0'], ['192.0.2.1', '::ffff:192.0.2.1'], ['::1', 'fe80::1', '2001:db8::1']],
  ['Deny', ['::ffff:198.51.100.0/120'], ['198.51.101.1', '::1'], ['198.51.100.1', '::ffff:198.51.100.1']],
  ['Allow', ['192.0.0.0/8'], ['192.255.0.1', '::ffff:192.0.2.1'], ['193.0.0.1', '::1', '::ffff:193.0.0.1']],
  ['Allow', ['0.0.0.0/0'], ['192.0.2.99', '255.255.255.255'], ['::1']],
  ['Allow', ['192.0.2.99', '2001:db8::1'], ['192.0.2.99', '2001:db8:0:0::1'], ['192.0.2.98', '2001:db8::2']],
]

for (const [type, texts, admitted, shutOut] of cases) {
  test(`${type} ${texts.join(' ')}`, () => {
    const filter = createAddressFilter(openStore(':memory:'))
    filter.set(filterOf(type, ...texts), admitted[0] ?? '')
    for (const address of admitted) assert.equal(filter.admits(address), true, address)
    for (const address of shutOut) assert.equal(filter.admits(address), false, address)
  })
}

test('ranges hold what the block list of Node holds', () => {
  const any = fc.constantFrom('ipv4' as const, 'ipv6' as const).chain(kind =>
    fc.record({
      address: kind === 'ipv4' ? fc.ipV4() : fc.ipV6(),
      prefixLength: fc.nat(kind === 'ipv4' ? 32 : 128),
      kind: fc.constant(kind),
    }),
  )
  const family = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')
  fc.assert(
    fc.property(fc.array(any, { maxLength: 5 }), fc.oneof(fc.ipV4(), fc.ipV6()), fc.boolean(), (list, stranger, near) => {
      // A stranger is hardly ever in a range, a first address always is.
      const client = near ? (list[0]?.address ?? stranger) : stranger
      const filter = createAddressFilter(openStore(':memory:'))
      const of = (kind: string) => list.filter(one => one.kind === kind).map(({ address, prefixLength }) => ({ address, prefixLength }))
      filter.set({ type: 'Deny', ipv4: of('ipv4'), ipv6: of('ipv6') }, 'nobody')
      const expected = new BlockList()
      // To Node `::/0` is every IPv4 address, too; to whoever filters IPv6 addresses it is not.
      for (const { address, prefixLength, kind } of list) if (kind === family(client)) expected.addSubnet(address, prefixLength, kind)
      assert.equal(filter.admits(client), !expected.check(client, family(client)))
    }),
    { numRuns: 300 },
  )
})

test('a filter that would shut out its sender is refused and changes nothing', () => {
  const filter = createAddressFilter(openStore(':memory:'))
  const refused = (act: () => void) =>
    assert.throws(act, (error: unknown) => raises('OperationProhibited')(error) && error instanceof Error && error.message.includes(caller))
  refused(() => filter.set(filterOf('Deny', '192.0.2.0/24'), caller))
  refused(() => filter.set(filterOf('Allow'), caller))
  refused(() => filter.set(filterOf('Allow', '198.51.100.0/24'), caller))
  refused(() => filter.add(ranges('0.0.0.0/0'), caller))
  assert.deepEqual(filter.get(), filterOf('Deny'))
  filter.set(filterOf('Allow', '192.0.2.99', '203.0.113.1'), caller)
  refused(() => filter.remove(ranges('192.0.2.99'), caller))
  assert.deepEqual(filter.get(), filterOf('Allow', '192.0.2.99', '203.0.113.1'))
})

test('adding and removing leave the type, count each range once, and know it in every spelling', () => {
  const filter = createAddressFilter(openStore(':memory:'))
  filter.set(filterOf('Allow', '192.0.2.0/24', '192.0.2.0/24'), caller)
  filter.add(ranges('198.51.100.1', '2001:db8::1', '2001:DB8:0::1', '192.0.2.0/24'), caller)
  assert.deepEqual(filter.get(), filterOf('Allow', '192.0.2.0/24', '198.51.100.1', '2001:db8::1'))
  filter.remove(ranges('2001:0db8::0:1'), caller)
  assert.deepEqual(filter.get(), filterOf('Allow', '192.0.2.0/24', '198.51.100.1'))
})

test('what is not there cannot be removed, and then nothing is', () => {
  const filter = createAddressFilter(openStore(':memory:'))
  filter.set(filterOf('Deny', '198.51.100.1', '2001:db8::1'), caller)
  assert.throws(() => filter.remove(ranges('198.51.100.1', '198.51.100.2'), caller), raises('NoIPv4Address'))
  assert.throws(() => filter.remove(ranges('198.51.100.1/24'), caller), raises('NoIPv4Address'))
  assert.throws(() => filter.remove(ranges('198.51.100.1', '2001:db8::2'), caller), raises('NoIPv6Address'))
  assert.deepEqual(filter.get(), filterOf('Deny', '198.51.100.1', '2001:db8::1'))
})

const wrong = ['', '10.1.1', '192.0.2.256', '192.0.2.01', '192.0.2.1/33', '192.0.2.1/-1', '192.0.2.1/1.5', 'localhost', '0x7f000001']
const wrong6 = ['::g', '1::2::3', '2001:db8::/129', '2001:db8::/-1', ':::', '12345::', '1:2:3:4:5:6:7', 'fe80::1%eth0']

test('what is no range of addresses is refused, and then nothing has changed', () => {
  const filter = createAddressFilter(openStore(':memory:'))
  filter.set(filterOf('Deny', '198.51.100.1'), caller)
  for (const text of wrong) {
    const bad = { ipv4: [range('203.0.113.1'), range(text)], ipv6: [] }
    assert.throws(() => filter.set({ type: 'Deny', ...bad }, caller), raises('InvalidIPv4Address'), text)
    assert.throws(() => filter.add(bad, caller), raises('InvalidIPv4Address'), text)
    assert.throws(() => filter.remove(bad, caller), raises('InvalidIPv4Address'), text)
  }
  for (const text of [...wrong6, '192.0.2.1']) {
    const bad = { ipv4: [range('203.0.113.1')], ipv6: [range(text)] }
    assert.throws(() => filter.set({ type: 'Deny', ...bad }, caller), raises('InvalidIPv6Address'), text)
    assert.throws(() => filter.add(bad, caller), raises('InvalidIPv6Address'), text)
    assert.throws(() => filter.remove(bad, caller), raises('InvalidIPv6Address'), text)
  }
  assert.throws(() => filter.set({ type: 'Deny', ipv4: [range('::1')], ipv6: [] }, caller), raises('InvalidIPv4Address'))
  assert.deepEqual(filter.get(), filterOf('Deny', '198.51.100.1'))
})

test('the filter takes so many ranges and no more', () => {
  const filter = createAddressFilter(openStore(':memory:'))
  const many = Array.from({ length: limits.addressFilterMax }, (_, index) => `198.51.100.${index}`)
  filter.set(filterOf('Deny', ...many), caller)
  assert.throws(() => filter.add(ranges('2001:db8::1'), caller), raises('IPFilterListIsFull'))
  assert.throws(() => filter.set(filterOf('Deny', ...many, '2001:db8::1'), caller), raises('IPFilterListIsFull'))
  filter.add(ranges(many[0] ?? ''), caller)
  assert.equal(filter.get().ipv4.length, limits.addressFilterMax)
})

test('a filter that came by a restore holds at once', () => {
  const store = openStore(':memory:')
  const filter = createAddressFilter(store)
  store.importDocuments({ addressFilter: filterOf('Deny', '203.0.113.0/24') })
  assert.equal(filter.admits('203.0.113.9'), false)
  store.clear()
  assert.equal(filter.admits('203.0.113.9'), true)
  for (const bad of [
    null,
    {},
    { type: 'Deny', ipv4: [], ipv6: [null] },
    { type: 'Maybe', ipv4: [], ipv6: [] },
    filterOf('Deny', '203.0.113.1/40'),
  ])
    assert.throws(() => store.importDocuments({ addressFilter: bad }))
})
