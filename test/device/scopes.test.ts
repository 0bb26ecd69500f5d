import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createScopes } from '../../src/device/scopes.ts'
import { openStore } from '../../src/device/store.ts'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'

const identity = { manufacturer: 'onvifd', model: 'Virtual Device', serialNumber: 'V1', hardwareId: 'h', uuid: 'u' }

function setUp() {
  const store = openStore(':memory:')
  const scopes = createScopes({ store, identity, hwAddress: '02:00:5e:00:53:01' })
  const configurable = () =>
    scopes
      .list()
      .filter(scope => !scope.fixed)
      .map(scope => scope.uri)
  return { store, scopes, configurable }
}

const location = 'onvif://www.onvif.org/location/unknown'
const raises =
  (...subcodes: string[]) =>
  (error: unknown) =>
    error instanceof SoapFault && error.subcodes.join() === subcodes.join()

test('hardware, name, serial number and MAC address are fixed, the location can be changed, no profile is claimed', () => {
  const { scopes } = setUp()
  assert.deepEqual(scopes.list(), [
    { uri: 'onvif://www.onvif.org/hardware/Virtual%20Device', fixed: true },
    { uri: 'onvif://www.onvif.org/name/Virtual%20Device', fixed: true },
    { uri: 'onvif://www.onvif.org/SerialNumber/V1', fixed: true },
    { uri: 'onvif://www.onvif.org/MacAddress/02005e005301', fixed: true },
    { uri: location, fixed: false },
  ])
})

test('SetScopes replaces the configurable ones and nothing else', () => {
  const { scopes, configurable } = setUp()
  scopes.replace(['onvif://www.onvif.org/location/roof', 'http://example.org/a'])
  assert.deepEqual(configurable(), ['onvif://www.onvif.org/location/roof', 'http://example.org/a'])
  assert.equal(scopes.list().filter(scope => scope.fixed).length, 4)
})

test('a client may send back the whole list that it got, and anything twice', () => {
  const { scopes } = setUp()
  const before = scopes.list()
  const uris = before.map(scope => scope.uri)
  scopes.replace([...uris, ...uris])
  assert.deepEqual(scopes.list(), before)
  scopes.add([location, location])
  assert.deepEqual(scopes.list(), before)
})

test('AddScopes keeps what is there', () => {
  const { scopes, configurable } = setUp()
  scopes.add(['urn:x:1', 'urn:x:2'])
  assert.deepEqual(configurable(), [location, 'urn:x:1', 'urn:x:2'])
})

test('there is room for so many scopes and not one more, and then nothing of the request is done', () => {
  const { scopes, configurable } = setUp()
  const many = Array.from({ length: limits.scopesMax - 4 }, (_, index) => `urn:x:${index}`)
  scopes.replace(many)
  for (const change of [scopes.replace, scopes.add]) {
    assert.throws(() => change([...many, 'urn:one:more']), raises('Action', 'TooManyScopes'))
    assert.deepEqual(configurable(), many)
  }
})

test('RemoveScopes removes all of its list or nothing', () => {
  const { scopes, configurable } = setUp()
  scopes.add(['urn:x:1', 'urn:x:2'])
  assert.throws(
    () => scopes.remove(['urn:x:1', 'onvif://www.onvif.org/name/Virtual%20Device']),
    raises('OperationProhibited', 'FixedScope'),
  )
  assert.throws(() => scopes.remove(['urn:x:1', 'urn:x:3']), raises('InvalidArgVal', 'NoScope'))
  assert.throws(() => scopes.remove(['urn:x:']), raises('InvalidArgVal', 'NoScope'))
  assert.deepEqual(configurable(), [location, 'urn:x:1', 'urn:x:2'])
  scopes.remove(['urn:x:2', location, location])
  assert.deepEqual(configurable(), ['urn:x:1'])
})

test('a scope is an absolute URI or IRI of bounded length', () => {
  const { scopes, configurable } = setUp()
  const good = [
    'onvif://www.onvif.org/name/caf%C3%A9',
    'http://h:80/p;a=b?q=1#f',
    'ldap://[2001:db8::7]/c=GB?one',
    'urn:x:Tür',
    `urn:x:${'a'.repeat(limits.scopeCharactersMax - 6)}`,
  ]
  scopes.replace(good)
  assert.deepEqual(configurable(), good)
  const bad = [
    '',
    'location/roof',
    '//host/path',
    ':x',
    'x:',
    '1a:b',
    'urn:a b',
    'urn:a\nb',
    'urn:a\u00a0b',
    'urn:a\u202eb',
    'urn:%4',
    'urn:%zz',
    'urn:<a>',
    'urn:"a"',
    'urn:a\\b',
    'urn:{a}',
    'urn:%s%n ',
    `urn:x:${'a'.repeat(limits.scopeCharactersMax)}`,
  ]
  for (const uri of bad) assert.throws(() => scopes.add(['urn:x:ok', uri]), raises('InvalidArgVal'), JSON.stringify(uri))
  assert.deepEqual(configurable(), good)
})
