import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../../src/limits.ts'
import type { NetworkInterfaceSetConfiguration } from '../../../src/onvif/types.generated.ts'
import type { InterfaceChange } from '../../../src/platform/platform.ts'
import { createTestDevice, raises } from './testDevice.ts'

const address = (Address: string, PrefixLength = 24) => ({ Address, PrefixLength })
const reached = [address('127.0.0.1', 8)]
const notIPv6 = { AcceptRouterAdvert: false, DHCP: 'Off', Manual: [], LinkLocal: [], FromDHCP: [], FromRA: [] }
const gigabit = { AutoNegotiation: true, Speed: 1000, Duplex: 'Full' } as const

async function device(t: TestContext, interfaces: readonly string[] = ['eth0'], listenAddress = '127.0.0.1') {
  const { perform } = await createTestDevice(t, { interfaces, listenAddress })
  return {
    perform,
    set: (NetworkInterface: NetworkInterfaceSetConfiguration, InterfaceToken = 'eth0') =>
      perform('SetNetworkInterfaces', { InterfaceToken, NetworkInterface }),
    async shown(token = 'eth0') {
      return (await perform('GetNetworkInterfaces', {})).NetworkInterfaces.find(nic => nic.token === token) ?? assert.fail(token)
    },
    all: async () => (await perform('GetNetworkInterfaces', {})).NetworkInterfaces,
  }
}

test('a new device shows one interface, with the address by which it is reached', async t => {
  const { all } = await device(t)
  const [{ Info, ...nic } = assert.fail(), ...others] = await all()
  assert.deepEqual(others, [])
  assert.match(Info?.HwAddress ?? '', /^02(:[0-9a-f]{2}){5}$/)
  assert.deepEqual([Info?.Name, Info?.MTU], ['eth0', 1500])
  assert.deepEqual(nic, {
    token: 'eth0',
    Enabled: true,
    Link: { AdminSettings: gigabit, OperSettings: gigabit, InterfaceType: 6 },
    IPv4: { Enabled: true, Config: { Manual: reached, LinkLocal: undefined, FromDHCP: undefined, DHCP: false } },
    IPv6: { Enabled: false, Config: notIPv6 },
  })
})

test('a device that is reached by IPv6 shows that', async t => {
  const { IPv4, IPv6 } = await (await device(t, ['eth0'], '2001:db8::7')).shown()
  assert.equal(IPv4?.Enabled, false)
  assert.deepEqual([IPv6?.Enabled, IPv6?.Config?.Manual], [true, [address('2001:db8::7', 64)]])
  assert.match(IPv6?.Config?.LinkLocal?.[0]?.Address ?? '', /^fe80::[0-9a-f:]+$/)
})

test('several interfaces have names, tokens and hardware addresses of their own; a radio is type 71 and off', async t => {
  const nics = await (await device(t, ['eth0', 'eth1', 'wlan0'])).all()
  assert.deepEqual(
    nics.map(({ token, Enabled, Link, Extension }) => [token, Enabled, Link?.InterfaceType ?? Extension?.InterfaceType]),
    [
      ['eth0', true, 6],
      ['eth1', true, 6],
      ['wlan0', false, 71],
    ],
  )
  assert.equal(new Set(nics.map(({ Info }) => Info?.HwAddress)).size, 3)
  assert.deepEqual(nics[1]?.IPv4, { Enabled: false, Config: { Manual: [], LinkLocal: undefined, FromDHCP: undefined, DHCP: false } })
  assert.ok(nics[2] && !('Link' in nics[2]), 'an IEEE 802.11 interface has no Link (Core 8.2.22)')
})

test('what is set is shown, and what is not given stays', async t => {
  const { set, shown } = await device(t)
  const link = { AutoNegotiation: false, Speed: 100, Duplex: 'Half' } as const
  const steps: readonly NetworkInterfaceSetConfiguration[] = [
    { MTU: 1400 },
    { IPv4: { Manual: [address('192.0.2.9'), address('198.51.100.1', 31)] } },
    { IPv6: { Enabled: true, Manual: [address('2001:DB8::9', 64)], DHCP: 'Stateless' } },
    { IPv6: { AcceptRouterAdvert: true } },
    { Link: link },
    { Enabled: false },
    { IPv4: { Enabled: false } },
    {},
    { IPv4: {}, IPv6: {}, Extension: {} },
  ]
  for (const step of steps) assert.deepEqual(await set(step), { RebootNeeded: false })
  const { Enabled, Info, Link, IPv4, IPv6 } = await shown()
  assert.deepEqual([Enabled, Info?.MTU, Link?.AdminSettings, Link?.OperSettings], [false, 1400, link, link])
  assert.deepEqual([IPv4?.Enabled, IPv4?.Config.Manual], [false, [address('192.0.2.9'), address('198.51.100.1', 31)]])
  const { LinkLocal, ...config } = IPv6?.Config ?? assert.fail()
  assert.deepEqual(
    [IPv6?.Enabled, config],
    [true, { AcceptRouterAdvert: true, DHCP: 'Stateless', Manual: [address('2001:DB8::9', 64)], FromDHCP: [], FromRA: [] }],
  )
  assert.equal(LinkLocal?.length, 1)
})

test('DHCP gives the address by which the device is reached, beside those that were set by hand', async t => {
  const { set, shown } = await device(t, ['eth0', 'eth1'])
  const config = async (token = 'eth0') => (await shown(token)).IPv4?.Config
  await set({ IPv4: { DHCP: true } })
  assert.deepEqual(await config(), { Manual: [], LinkLocal: undefined, FromDHCP: reached[0], DHCP: true })
  await set({ IPv4: { Manual: [address('192.0.2.9')] } })
  assert.deepEqual(await config(), { Manual: [address('192.0.2.9')], LinkLocal: undefined, FromDHCP: reached[0], DHCP: true })
  await set({ IPv4: { DHCP: false } })
  assert.deepEqual(await config(), { Manual: [address('192.0.2.9')], LinkLocal: undefined, FromDHCP: undefined, DHCP: false })
  await set({ IPv4: { Enabled: true, DHCP: true } }, 'eth1')
  assert.deepEqual(await config('eth1'), { Manual: [], LinkLocal: undefined, FromDHCP: undefined, DHCP: true }, 'nobody answers there')
})

test('the answers go on naming the address of the socket, whatever address is set', async t => {
  const { set, perform } = await device(t)
  await set({ IPv4: { Manual: [address('203.0.113.9')] } })
  assert.equal((await perform('GetCapabilities', {})).Capabilities.Device?.XAddr, 'http://192.0.2.7:80/onvif/device_service')
})

test('what a client has read it may send back', async t => {
  for (const listenAddress of ['127.0.0.1', '::1']) {
    const { set, shown } = await device(t, ['eth0', 'wlan0'], listenAddress)
    const before = await shown()
    const { Enabled, Info, Link, IPv4, IPv6 } = before
    await set({
      Enabled,
      MTU: Info?.MTU,
      Link: Link?.AdminSettings,
      IPv4: { Enabled: IPv4?.Enabled, Manual: IPv4?.Config.Manual, DHCP: IPv4?.Config.DHCP },
      IPv6: {
        Enabled: IPv6?.Enabled,
        Manual: IPv6?.Config?.Manual,
        DHCP: IPv6?.Config?.DHCP,
        AcceptRouterAdvert: IPv6?.Config?.AcceptRouterAdvert,
      },
    })
    assert.deepEqual(await shown(), before)
  }
})

const wrong = 'Sender/InvalidArgVal'
const many = (text: (index: number) => string) =>
  Array.from({ length: limits.interfaceAddressesMax + 1 }, (_, index) => address(text(index)))
const refused: readonly (readonly [what: string, NetworkInterfaceSetConfiguration, fault: string, token?: string])[] = [
  ['an unknown token', {}, `${wrong}/InvalidNetworkInterface`, 'eth9'],
  ['a token that is a name of JavaScript', {}, `${wrong}/InvalidNetworkInterface`, '__proto__'],
  ['no token', {}, `${wrong}/InvalidNetworkInterface`, ''],
  ['an MTU below IPv4', { MTU: limits.mtuBytesMin - 1 }, `${wrong}/InvalidMtuValue`],
  ['a negative MTU', { MTU: -1500 }, `${wrong}/InvalidMtuValue`],
  ['an MTU above jumbo', { MTU: limits.mtuBytesMax + 1 }, `${wrong}/InvalidMtuValue`],
  ['an MTU too small for IPv6', { MTU: 1279, IPv6: { Enabled: true } }, `${wrong}/InvalidMtuValue`],
  ['an MTU above IEEE 802.11', { MTU: limits.mtuBytesMaxDot11 + 1 }, `${wrong}/InvalidMtuValue`, 'wlan0'],
  ['a speed that nobody has', { Link: { ...gigabit, Speed: 54 } }, `${wrong}/InvalidInterfaceSpeed`],
  ['a speed below zero', { Link: { ...gigabit, Speed: -10 } }, `${wrong}/InvalidInterfaceSpeed`],
  ['half a gigabit', { Link: { ...gigabit, Duplex: 'Half' } }, `${wrong}/InvalidInterfaceSpeed`],
  ['settings of a cable for a radio', { Extension: { Dot3: [{}] } }, `${wrong}/InvalidInterfaceType`, 'wlan0'],
  ['stateful DHCPv6', { IPv6: { DHCP: 'Stateful' } }, 'Receiver/ActionNotSupported/InvalidDHCPv6'],
  ...[
    '',
    ' ',
    '1',
    '10.1.1',
    '192.0.2.256',
    '192.0.2.07',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '2001:db8::7',
    'localhost',
    '192.0.2.7/24',
  ].map(
    text =>
      [`the IPv4 address ${text}`, { IPv4: { Manual: [address('192.0.2.9'), address(text)] } }, `${wrong}/InvalidIPv4Address`] as const,
  ),
  ...[0, -1, 33, 2 ** 31 - 1].map(
    length => [`an IPv4 prefix of ${length}`, { IPv4: { Manual: [address('192.0.2.9', length)] } }, `${wrong}/InvalidIPv4Address`] as const,
  ),
  ['a network', { IPv4: { Manual: [address('192.0.2.0')] } }, `${wrong}/InvalidIPv4Address`],
  ['all hosts of a network', { IPv4: { Manual: [address('192.0.2.255')] } }, `${wrong}/InvalidIPv4Address`],
  ['an IPv4 address twice', { IPv4: { Manual: [address('192.0.2.9'), address('192.0.2.9', 25)] } }, `${wrong}/InvalidIPv4Address`],
  ['the IPv4 address of another interface', { IPv4: { Manual: reached } }, `${wrong}/InvalidIPv4Address`, 'eth1'],
  ['too many IPv4 addresses', { IPv4: { Manual: many(index => `192.0.2.${index + 1}`) } }, wrong],
  ...['', '::', 'ff02::1', '::ffff:192.0.2.7', '2001:db8::g', '1:2:3', 'fe80::1%eth0', '192.0.2.7'].map(
    text =>
      [`the IPv6 address ${text}`, { IPv6: { Manual: [address('2001:db8::9'), address(text)] } }, `${wrong}/InvalidIPv6Address`] as const,
  ),
  ...[0, -1, 129].map(
    length =>
      [`an IPv6 prefix of ${length}`, { IPv6: { Manual: [address('2001:db8::9', length)] } }, `${wrong}/InvalidIPv6Address`] as const,
  ),
  ['an IPv6 address twice', { IPv6: { Manual: [address('2001:db8::9'), address('2001:0DB8:0::9')] } }, `${wrong}/InvalidIPv6Address`],
  ['too many IPv6 addresses', { IPv6: { Manual: many(index => `2001:db8::${index + 1}`) } }, wrong],
]

test('one thing that is wrong has its fault, and nothing of the request is done', async t => {
  const { set, all } = await device(t, ['eth0', 'eth1', 'wlan0'])
  const before = await all()
  // What comes with it is right, and would be seen.
  const good: NetworkInterfaceSetConfiguration = {
    Enabled: true,
    MTU: 1492,
    IPv4: { Manual: [address('198.51.100.4')] },
    IPv6: { DHCP: 'Auto' },
  }
  for (const [what, change, fault, token] of refused) {
    const whole = { ...good, ...change, ...(token === 'wlan0' ? { Enabled: false } : {}) }
    await assert.rejects(set(whole, token), raises(fault), what)
    assert.deepEqual(await all(), before, what)
  }
})

test('IPv6 cannot be switched on where the MTU is too small for it, nor the MTU be lowered under it', async t => {
  const { set, shown } = await device(t)
  await set({ MTU: 1000 })
  await assert.rejects(set({ IPv6: { Enabled: true } }), raises(`${wrong}/InvalidMtuValue`))
  await set({ MTU: 1280, IPv6: { Enabled: true } })
  await assert.rejects(set({ MTU: 1279 }), raises(`${wrong}/InvalidMtuValue`))
  assert.equal((await shown()).Info?.MTU, 1280)
})

test('every address and prefix comes back as it was sent, or is refused by its name', async t => {
  const { set, shown } = await device(t)
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string(),
    fc.tuple(fc.ipV4(), fc.constantFrom(' ', '/24', '.')).map(parts => parts.join('')),
  )
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: -3, max: 131 }), async (Address, PrefixLength) => {
      for (const family of ['IPv4', 'IPv6'] as const) {
        const outcome = await set({ [family]: { Manual: [{ Address, PrefixLength }] } }).then(
          () => 'taken',
          (error: { subcodes?: readonly string[] }) => error.subcodes?.at(-1),
        )
        if (outcome === 'taken') assert.deepEqual((await shown())[family]?.Config?.Manual, [{ Address, PrefixLength }])
        else assert.equal(outcome, `Invalid${family}Address`)
      }
    }),
    { numRuns: 300 },
  )
})

test('whether a reboot is needed is what the machine says, and a radio is told nothing of a link', async t => {
  const changes: unknown[] = []
  const setInterface = async (token: string, { link }: InterfaceChange) => {
    changes.push([token, link])
    return { rebootNeeded: true }
  }
  const { perform } = await createTestDevice(t, { interfaces: ['eth0', 'wlan0'], network: { setInterface } })
  for (const InterfaceToken of ['eth0', 'wlan0'])
    assert.deepEqual(await perform('SetNetworkInterfaces', { InterfaceToken, NetworkInterface: { Link: gigabit } }), { RebootNeeded: true })
  assert.deepEqual(changes, [
    ['eth0', { autoNegotiation: true, speedMbps: 1000, duplex: 'Full' }],
    ['wlan0', undefined],
  ])
})

test('gateways are kept by kind, and a kind that is not given stays', async t => {
  const { perform } = await device(t)
  const shown = async () => (await perform('GetNetworkDefaultGateway', {})).NetworkGateway
  assert.deepEqual(await shown(), { IPv4Address: [], IPv6Address: [] })
  await perform('SetNetworkDefaultGateway', { IPv4Address: ['192.0.2.1', '192.0.2.2'] })
  await perform('SetNetworkDefaultGateway', { IPv6Address: ['fe80::1'] })
  await perform('SetNetworkDefaultGateway', {})
  assert.deepEqual(await shown(), { IPv4Address: ['192.0.2.1', '192.0.2.2'], IPv6Address: ['fe80::1'] })
  await perform('SetNetworkDefaultGateway', { IPv4Address: ['192.0.2.3'], IPv6Address: ['2001:db8::1'] })
  assert.deepEqual(await shown(), { IPv4Address: ['192.0.2.3'], IPv6Address: ['2001:db8::1'] })
})

test('a gateway that is none is refused, with the good ones beside it', async t => {
  const { perform, set } = await device(t)
  await set({ IPv4: { Manual: [address('192.0.2.9')] }, IPv6: { Manual: [address('2001:db8::9')] } })
  const cases: readonly (readonly [list: 'IPv4Address' | 'IPv6Address', text: string, fault: string])[] = [
    ...['', '10.1.1', 'gateway', '0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.9'].map(
      text => ['IPv4Address', text, 'InvalidGatewayAddress'] as const,
    ),
    ...['', '::', '::1', 'ff02::2', '2001:db8::g', '2001:db8:0::9'].map(text => ['IPv6Address', text, 'InvalidGatewayAddress'] as const),
    ['IPv4Address', 'fe80::1', 'InvalidIPv4Address'],
    ['IPv6Address', '192.0.2.1', 'InvalidIPv6Address'],
  ]
  for (const [list, text, fault] of cases) {
    const wanted = { IPv4Address: ['192.0.2.1'], IPv6Address: ['fe80::1'] }
    await assert.rejects(
      perform('SetNetworkDefaultGateway', { ...wanted, [list]: [...wanted[list], text] }),
      raises(`${wrong}/${fault}`),
      text,
    )
  }
  const IPv4Address = Array.from({ length: limits.gatewaysMax + 1 }, (_, index) => `192.0.2.${index + 20}`)
  await assert.rejects(perform('SetNetworkDefaultGateway', { IPv4Address }), raises(wrong))
  assert.deepEqual((await perform('GetNetworkDefaultGateway', {})).NetworkGateway, { IPv4Address: [], IPv6Address: [] })
})

test('zero configuration is set interface by interface, and its address is shown with the others', async t => {
  const { perform, set, shown } = await device(t, ['eth0', 'eth1', 'wlan0'])
  const configuration = async () => (await perform('GetZeroConfiguration', {})).ZeroConfiguration
  const off = { Enabled: false, Addresses: [] }
  assert.deepEqual(await configuration(), {
    InterfaceToken: 'eth0',
    ...off,
    Extension: { Additional: ['eth1', 'wlan0'].map(InterfaceToken => ({ InterfaceToken, ...off })) },
  })
  await perform('SetZeroConfiguration', { InterfaceToken: 'eth0', Enabled: true })
  const { Enabled, Addresses } = await configuration()
  assert.deepEqual([Enabled, Addresses?.length], [true, 1])
  assert.match(Addresses?.[0] ?? '', /^169\.254\.([1-9]|[1-9]\d|1\d\d|2[0-4]\d|25[0-4])\.\d+$/)
  assert.deepEqual((await shown()).IPv4?.Config.LinkLocal, { Address: Addresses?.[0], PrefixLength: 16 })
  assert.deepEqual((await configuration()).Extension?.Additional?.[0]?.Enabled, false)
  await set({ IPv4: { DHCP: true } })
  assert.equal((await configuration()).Enabled, true, 'what is not given stays')
  await perform('SetZeroConfiguration', { InterfaceToken: 'eth0', Enabled: false })
  assert.equal((await shown()).IPv4?.Config.LinkLocal, undefined)
  await assert.rejects(
    perform('SetZeroConfiguration', { InterfaceToken: 'eth9', Enabled: true }),
    raises(`${wrong}/InvalidNetworkInterface`),
  )
})

test('a device with one interface has nothing additional', async t => {
  const { perform } = await device(t)
  assert.deepEqual((await perform('GetZeroConfiguration', {})).ZeroConfiguration, { InterfaceToken: 'eth0', Enabled: false, Addresses: [] })
})
