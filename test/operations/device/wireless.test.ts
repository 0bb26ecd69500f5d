import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import type {
  Dot11Configuration,
  Dot11SecurityConfiguration,
  NetworkInterfaceSetConfiguration,
} from '../../../src/onvif/types.generated.ts'
import { dot11Request } from '../../../src/operations/device/wireless.ts'
import { createTestDevice, raises } from './testDevice.ts'

const passphrase = 'correct horse battery'
const psk = { Mode: 'PSK', PSK: { Passphrase: passphrase } } as const
const network = (Alias: string, ssid: string, Security: Dot11SecurityConfiguration, Priority = 1): Dot11Configuration => ({
  SSID: Buffer.from(ssid),
  Mode: 'Infrastructure',
  Alias,
  Priority,
  Security,
})
const wrong = 'Sender/InvalidArgVal'

async function device(t: TestContext, interfaces: readonly string[] = ['eth0', 'wlan0']) {
  const { perform, network: port, supportInformation } = await createTestDevice(t, { interfaces })
  return {
    perform,
    port,
    supportInformation,
    set: (Dot11: readonly Dot11Configuration[], more: NetworkInterfaceSetConfiguration = {}, InterfaceToken = 'wlan0') =>
      perform('SetNetworkInterfaces', { InterfaceToken, NetworkInterface: { Extension: { Dot11 }, ...more } }),
    shown: async () =>
      (await perform('GetNetworkInterfaces', {})).NetworkInterfaces.find(({ token }) => token === 'wlan0')?.Extension?.Dot11,
    status: async () => (await perform('GetDot11Status', { InterfaceToken: 'wlan0' })).Status,
  }
}

test('the networks that were set are shown without their keys', async t => {
  const { set, shown, port, supportInformation } = await device(t)
  const Key = Buffer.alloc(32, 0x5a)
  assert.deepEqual(
    await set([
      network('home', 'onvifd-secure', psk),
      network('yard', '\u0001\u00ff', { Mode: 'None' }, 0),
      network('lab', 'lab', { Mode: 'PSK', Algorithm: 'Any', PSK: { Key } }, 31),
    ]),
    { RebootNeeded: false },
  )
  assert.deepEqual(await shown(), [
    network('home', 'onvifd-secure', { Mode: 'PSK', Algorithm: 'CCMP' }),
    network('yard', '\u0001\u00ff', { Mode: 'None' }, 0),
    network('lab', 'lab', { Mode: 'PSK', Algorithm: 'Any' }, 31),
  ])
  const [, nic] = await port.interfaces()
  assert.deepEqual(Object.keys(nic?.dot11?.[0] ?? {}), ['alias', 'ssid', 'priority', 'security'])
  const seen = JSON.stringify(await port.interfaces()) + (await supportInformation.text())
  assert.ok(seen.includes('home') && !seen.includes(passphrase) && !seen.includes(Key.toString('hex')))
})

test('a radio that is on joins the network in reach with the highest priority', async t => {
  const { set, status, perform } = await device(t)
  await set([
    network('open', 'onvifd-open', { Mode: 'None' }, 2),
    network('far', 'far away', { Mode: 'None' }, 9),
    network('home', 'onvifd-secure', psk, 3),
  ])
  await assert.rejects(status(), raises('Receiver/Action/NotConnectedDot11'), 'it is off')
  await perform('SetNetworkInterfaces', { InterfaceToken: 'wlan0', NetworkInterface: { Enabled: true } })
  assert.deepEqual(await status(), {
    SSID: Buffer.from('onvifd-secure'),
    BSSID: '02:00:5e:10:00:01',
    PairCipher: 'CCMP',
    GroupCipher: 'CCMP',
    SignalStrength: 'Very Good',
    ActiveConfigAlias: 'home',
  })
  await set([network('open', 'onvifd-open', { Mode: 'None' })])
  assert.deepEqual(await status(), {
    SSID: Buffer.from('onvifd-open'),
    BSSID: '02:00:5e:10:00:02',
    SignalStrength: 'Good',
    ActiveConfigAlias: 'open',
  })
  await set([network('open', 'onvifd-open', psk)])
  await assert.rejects(status(), raises('Receiver/Action/NotConnectedDot11'), 'a key for an open network is another network')
})

test('a scan shows what is in the air, also with the radio off', async t => {
  const { Networks } = await (await device(t)).perform('ScanAvailableDot11Networks', { InterfaceToken: 'wlan0' })
  assert.deepEqual(
    Networks?.map(({ SSID, AuthAndMangementSuite, PairCipher, SignalStrength }) => [
      String(SSID),
      AuthAndMangementSuite,
      PairCipher,
      SignalStrength,
    ]),
    [
      ['onvifd-secure', ['PSK'], ['CCMP'], 'Very Good'],
      ['onvifd-open', ['None'], undefined, 'Good'],
    ],
  )
})

test('the capabilities are those that the settings keep', async t => {
  const { Capabilities } = await (await device(t)).perform('GetDot11Capabilities', {})
  assert.deepEqual(Capabilities, {
    TKIP: false,
    ScanAvailableNetworks: true,
    MultipleConfiguration: true,
    AdHocStationMode: false,
    WEP: false,
  })
})

test('without a key a network keeps the one of its alias, and a new one lacks it', async t => {
  const { set, shown, port } = await device(t)
  const bare = { Mode: 'PSK' } as const
  const lacks = raises(`${wrong}/MissingPSK`)
  await assert.rejects(set([network('home', 'a', bare)]), lacks)
  await assert.rejects(set([network('home', 'a', { Mode: 'PSK', PSK: {} })]), lacks)
  await set([network('home', 'a', { ...psk, Algorithm: 'Any' })])
  await set([network('home', 'b', bare, 7)])
  assert.deepEqual(await shown(), [network('home', 'b', { Mode: 'PSK', Algorithm: 'Any' }, 7)])
  await assert.rejects(set([network('home', 'b', bare), network('away', 'b', bare)]), lacks)
  assert.equal((await shown())?.length, 1)
  await set([network('home', 'b', { Mode: 'None' })])
  await assert.rejects(set([network('home', 'b', bare)]), lacks, 'an open network has no key to keep')
  assert.deepEqual((await port.interfaces())[1]?.dot11, [{ alias: 'home', ssid: '62', priority: 1, security: { mode: 'None' } }])
})

test('a request without IEEE 802.11 settings keeps them, and what it says about a link means nothing', async t => {
  const { set, shown, perform } = await device(t)
  await set([network('home', 'a', psk)])
  const before = await shown()
  for (const NetworkInterface of [
    { MTU: 1400 },
    { Extension: {} },
    { Enabled: true },
    { Link: { AutoNegotiation: true, Speed: 7, Duplex: 'Half' } },
  ] as const) {
    await perform('SetNetworkInterfaces', { InterfaceToken: 'wlan0', NetworkInterface })
    assert.deepEqual(await shown(), before)
  }
})

test('one thing that is wrong has its fault, and nothing of the request is done', async t => {
  const { set, perform } = await device(t)
  await set([network('home', 'a', psk)])
  const all = async () => (await perform('GetNetworkInterfaces', {})).NetworkInterfaces
  const before = await all()
  const secured = (Security: Dot11SecurityConfiguration) => network('new', 'x', Security)
  const cases: readonly (readonly [what: string, Dot11Configuration, fault: string])[] = [
    ['WEP', secured({ Mode: 'WEP' }), `${wrong}/InvalidSecurityMode`],
    ['Extended', secured({ Mode: 'Extended' }), `${wrong}/InvalidSecurityMode`],
    ['TKIP', secured({ ...psk, Algorithm: 'TKIP' }), `${wrong}/InvalidSecurityMode`],
    ['another algorithm', secured({ ...psk, Algorithm: 'Extended' }), `${wrong}/InvalidSecurityMode`],
    ['802.1X without a token', secured({ Mode: 'Dot1X' }), `${wrong}/MissingDot1X`],
    ['802.1X with a token of nothing', secured({ Mode: 'Dot1X', Dot1X: 'one' }), `${wrong}/MissingDot1X`],
    ['ad hoc', { ...secured(psk), Mode: 'Ad-hoc' }, `${wrong}/InvalidStationMode`],
    ['another station mode', { ...secured(psk), Mode: 'Extended' }, `${wrong}/InvalidStationMode`],
    ['the alias of another', network('home', 'x', psk), wrong],
    ['no alias', network('', 'x', psk), wrong],
    ['an alias with a line break', network('a\nb', 'x', psk), wrong],
  ]
  for (const [what, bad, fault] of cases) {
    await assert.rejects(set([network('home', 'b', { Mode: 'None' }), bad], { Enabled: true, MTU: 1400 }), raises(fault), what)
    assert.deepEqual(await all(), before, what)
  }
  const many = Array.from({ length: limits.dot11NetworksMax + 1 }, (_, index) => network(`n${index}`, 'x', psk))
  await assert.rejects(set(many), raises(wrong))
  await assert.rejects(set([network('home', 'a', psk)], {}, 'eth0'), raises(`${wrong}/InvalidInterfaceType`))
  assert.deepEqual(await all(), before)
})

test('a radio without a network cannot be switched on', async t => {
  const { set, perform } = await device(t)
  const on = (more: NetworkInterfaceSetConfiguration) =>
    perform('SetNetworkInterfaces', { InterfaceToken: 'wlan0', NetworkInterface: { Enabled: true, ...more } })
  await assert.rejects(on({}), raises(`${wrong}/MissingDot11`))
  await on({ Extension: { Dot11: [network('home', 'a', psk)] } })
  await set([network('home', 'b', psk)])
  await on({})
})

test('where there is no radio, and where the interface is none, the operations say so', async t => {
  const wired = await device(t, ['eth0'])
  const none = raises('Receiver/ActionNotSupported/InvalidDot11')
  await assert.rejects(wired.perform('GetDot11Capabilities', {}), none)
  await assert.rejects(wired.set([network('home', 'a', psk)], {}, 'eth0'), none)
  const { perform } = await device(t)
  for (const operation of ['GetDot11Status', 'ScanAvailableDot11Networks'] as const) {
    await assert.rejects(wired.perform(operation, { InterfaceToken: 'eth0' }), none)
    await assert.rejects(perform(operation, { InterfaceToken: 'eth0' }), raises(`${wrong}/NotDot11`))
    await assert.rejects(perform(operation, { InterfaceToken: 'wlan9' }), raises(`${wrong}/InvalidNetworkInterface`))
  }
})

test('of a key and a passphrase the key counts', () => {
  const Key = Buffer.alloc(32, 0x5a)
  const keyOf = (PSK: Dot11SecurityConfiguration['PSK']) => dot11Request(network('home', 'a', { Mode: 'PSK', PSK })).key
  assert.equal(keyOf({ Key, Passphrase: passphrase }), '5a'.repeat(32))
  assert.equal(keyOf({ Passphrase: passphrase }), passphrase)
  assert.equal(keyOf(undefined), undefined)
})
