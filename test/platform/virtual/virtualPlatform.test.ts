import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createSeal } from '../../../src/device/seal.ts'
import { openStore } from '../../../src/device/store.ts'
import { limits } from '../../../src/limits.ts'
import type { Storage, UpdateBackend } from '../../../src/platform/platform.ts'
import { createClock } from '../../../src/platform/virtual/clock.ts'
import { type VirtualMachine, virtualPlatform } from '../../../src/platform/virtual/virtualPlatform.ts'

const notHere = async (): Promise<never> => assert.fail('nobody asked for this')
const storage: Storage = {
  create: notHere,
  pwrite: notHere,
  fsync: notHere,
  rename: notHere,
  fsyncDir: notHere,
  unlink: notHere,
  read: notHere,
  exists: notHere,
}
const update: UpdateBackend = {
  name: 'builtin',
  imageBytesMax: 0,
  canAbort: true,
  async recover() {},
  record: async () => 'whole',
  slots: notHere,
  install: notHere,
  activate: notHere,
  confirm: notHere,
  reject: notHere,
  discard: notHere,
}

const key = randomBytes(32)

/** Starts the machine on a state file; `stop` lets the next one have it. */
function start(path: string, options: Partial<VirtualMachine> = {}) {
  const store = openStore(path)
  const machine = {
    model: 'Virtual Device',
    serialNumber: undefined,
    seal: createSeal(key),
    interfaces: ['eth0'],
    listenAddress: () => '127.0.0.1',
    bootTimeMs: 2000,
    restart: notHere,
    storage,
    update,
    ...options,
    store,
    clock: createClock(store),
  }
  return { store, platform: virtualPlatform(machine), stop: () => store.close() }
}

function stateFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-virtual-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'device.db')
}

test('identity is made once and survives restarts and a factory default; no two devices share it', async t => {
  const path = stateFile(t)
  const seen: string[] = []
  for (let boot = 0; boot < 3; boot += 1) {
    const { store, platform, stop } = start(path)
    const [{ hwAddress } = assert.fail('no interface')] = await platform.network.interfaces()
    seen.push(JSON.stringify([platform.identity, hwAddress, await platform.network.hostname()]))
    store.clear()
    stop()
  }
  assert.equal(new Set(seen).size, 1)
  const other = start(':memory:').platform
  assert.ok(!seen.join().includes(other.identity.serialNumber) && !seen.join().includes(other.identity.uuid))
})

test('the type plate says what it is', () => {
  const { identity } = start(':memory:').platform
  assert.deepEqual(
    { ...identity, serialNumber: '', uuid: '' },
    { manufacturer: 'onvifd', model: 'Virtual Device', hardwareId: 'onvifd-virtual', serialNumber: '', uuid: '' },
  )
  assert.match(identity.serialNumber, /^V[0-9A-F]{12}$/)
  assert.match(identity.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('model and serial number can be given, and the hostname follows the serial number', async () => {
  const { platform } = start(':memory:', { model: 'Cam', serialNumber: 'ACME-0012_34' })
  assert.deepEqual([platform.identity.model, platform.identity.serialNumber], ['Cam', 'ACME-0012_34'])
  assert.deepEqual(await platform.network.hostname(), { name: 'onvifd-001234', fromDHCP: false })
})

test('a hostname survives restarts until the network is reset', async t => {
  const path = stateFile(t)
  const first = start(path)
  const { name } = await first.platform.network.hostname()
  await first.platform.network.setHostname('gate-7.example.org')
  first.stop()
  const { network } = start(path).platform
  assert.equal((await network.hostname()).name, 'gate-7.example.org')
  await network.reset()
  assert.equal((await network.hostname()).name, name)
})

test('the one interface is enabled, with a locally administered address and the address that the device listens on', async () => {
  const { network } = start(':memory:').platform
  const gigabit = { autoNegotiation: true, speedMbps: 1000, duplex: 'Full' }
  const interfaces = await network.interfaces()
  assert.deepEqual(
    interfaces.map(({ hwAddress, ...rest }) => rest),
    [
      {
        token: 'eth0',
        name: 'eth0',
        mtu: 1500,
        enabled: true,
        link: { set: gigabit, operating: gigabit, speedsMbps: [10, 100, 1000] },
        ipv4: {
          enabled: true,
          dhcp: false,
          manual: [{ address: '127.0.0.1', prefixLength: 8 }],
          fromDHCP: undefined,
          zeroConfiguration: false,
          linkLocal: undefined,
        },
        ipv6: { enabled: false, acceptRouterAdvert: false, dhcp: 'Off', manual: [], linkLocal: [], fromDHCP: [], fromRouterAdvert: [] },
        dot11: undefined,
      },
    ],
  )
  assert.match(interfaces[0]?.hwAddress ?? '', /^02(:[0-9a-f]{2}){5}$/)
})

test('listening on every address shows those by which others reach the host, or loopback', async () => {
  const outside = Object.values(networkInterfaces())
    .flatMap(entries => entries ?? [])
    .filter(entry => !entry.internal && entry.family === 'IPv4')
  const [shown] = await start(':memory:', { listenAddress: () => '0.0.0.0' }).platform.network.interfaces()
  assert.deepEqual(
    shown?.ipv4.manual.map(({ address }) => address),
    outside.length > 0 ? outside.map(({ address }) => address) : ['127.0.0.1'],
  )
  const [ipv6] = await start(':memory:', { listenAddress: () => '2001:db8::7' }).platform.network.interfaces()
  assert.deepEqual([ipv6?.ipv4.manual, ipv6?.ipv6.manual], [[], [{ address: '2001:db8::7', prefixLength: 64 }]])
})

test('beyond interfacesStoredMax settings of interfaces are refused, those that are there stay', async () => {
  const settings = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`eth${index}`, { enabled: false }]))
  const { store, platform } = start(':memory:', { interfaces: ['eth0', 'lan'] })
  const isEnabled = async (token: string) => (await platform.network.interfaces()).find(nic => nic.token === token)?.enabled
  assert.throws(() => store.importDocuments({ interfaces: settings(limits.interfacesStoredMax + 1) }), { name: 'StoreError' })
  assert.equal(await isEnabled('eth0'), true)
  store.importDocuments({ interfaces: settings(limits.interfacesStoredMax) })
  assert.equal(await isEnabled('eth0'), false)

  await assert.rejects(async () => platform.network.setInterface('lan', { enabled: false }), /too many interfaces/)
  assert.deepEqual([await isEnabled('lan'), await isEnabled('eth0')], [true, false])
  await platform.network.setInterface('eth0', { enabled: true })
  assert.equal(await isEnabled('eth0'), true)
})

test('a clock that was set goes on from there, also after a restart', async t => {
  const path = stateFile(t)
  const near = (clock: { now(): Date }, expected: number) =>
    assert.ok(Math.abs(clock.now().getTime() - expected) < 5000, clock.now().toISOString())
  const first = start(path)
  near(first.platform.clock, Date.now())
  const then = new Date('2031-05-06T07:08:09Z')
  await first.platform.clock.set(then)
  near(first.platform.clock, then.getTime())
  first.store.clear()
  first.stop()
  near(start(path).platform.clock, then.getTime())
})

test('a clock shows the time of the host until it can keep its own', async t => {
  const path = stateFile(t)
  const first = start(path)
  const then = new Date('2031-05-06T07:08:09Z')
  await first.platform.clock.set(then)
  first.stop()
  const store = openStore(path)
  t.after(() => store.close())
  const clock = createClock()
  const near = (expected: number) => assert.ok(Math.abs(clock.now().getTime() - expected) < 5000, clock.now().toISOString())
  near(Date.now())
  await assert.rejects(clock.set(then), /before it can keep its time/)
  clock.keepIn(store)
  near(then.getTime())
})

test('setting the clock does not move the monotonic one', async () => {
  const { clock } = start(':memory:').platform
  const before = clock.monotonicMs()
  await clock.set(new Date('2099-01-01T00:00:00Z'))
  await clock.set(new Date(0))
  const after = clock.monotonicMs()
  assert.ok(after >= before && after - before < 5000)
})

test('a timer can be called off, and one of months does not fire at once', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { clock } = start(':memory:').platform
  const fired: string[] = []
  clock.after(1000, () => fired.push('second'))
  const callOff = clock.after(1000, () => fired.push('called off'))
  const month = 31 * 86_400_000
  clock.after(month, () => fired.push('month'))
  const callOffLate = clock.after(month, () => fired.push('called off late'))
  callOff()
  t.mock.timers.tick(1000)
  assert.deepEqual(fired, ['second'])
  t.mock.timers.tick(limits.timerMsMax - 1000)
  t.mock.timers.tick(month - limits.timerMsMax - 1)
  callOffLate()
  assert.deepEqual(fired, ['second'])
  t.mock.timers.tick(1)
  assert.deepEqual(fired, ['second', 'month'])
})

test('a reboot is the order to come back after the boot time', async () => {
  const orders: unknown[] = []
  const { power } = start(':memory:', { restart: async (reason, downMs) => void orders.push([reason, downMs]) }).platform
  await power.reboot('SystemReboot')
  assert.deepEqual([orders, power.bootTimeMs], [[['SystemReboot', 2000]], 2000])
  const own = { bootTimeMs: 60_000, reboot: notHere }
  assert.equal(start(':memory:', { power: own }).platform.power, own)
})
