import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { options } from '../../../src/config.ts'
import { openStore } from '../../../src/device/store.ts'
import { type TestDevice, testDevice } from '../../support/device.ts'

const passphrase = 'Kept-under-seal-4711'
const settings = [
  `<tds:SetNetworkInterfaces><tds:InterfaceToken>eth0</tds:InterfaceToken><tds:NetworkInterface>
    <tt:Enabled>true</tt:Enabled>
    <tt:Link><tt:AutoNegotiation>false</tt:AutoNegotiation><tt:Speed>100</tt:Speed><tt:Duplex>Full</tt:Duplex></tt:Link>
    <tt:MTU>1492</tt:MTU>
    <tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Manual><tt:Address>192.0.2.9</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual><tt:DHCP>false</tt:DHCP></tt:IPv4>
    <tt:IPv6><tt:Enabled>true</tt:Enabled><tt:AcceptRouterAdvert>true</tt:AcceptRouterAdvert><tt:Manual><tt:Address>2001:db8::9</tt:Address><tt:PrefixLength>64</tt:PrefixLength></tt:Manual><tt:DHCP>Auto</tt:DHCP></tt:IPv6>
  </tds:NetworkInterface></tds:SetNetworkInterfaces>`,
  `<tds:SetNetworkInterfaces><tds:InterfaceToken>wlan0</tds:InterfaceToken><tds:NetworkInterface>
    <tt:Enabled>1</tt:Enabled>
    <tt:Extension><tt:Dot11><tt:SSID>${Buffer.from('onvifd-secure').toString('hex')}</tt:SSID><tt:Mode>Infrastructure</tt:Mode><tt:Alias>home</tt:Alias><tt:Priority>5</tt:Priority>
      <tt:Security><tt:Mode>PSK</tt:Mode><tt:Algorithm>CCMP</tt:Algorithm><tt:PSK><tt:Passphrase>${passphrase}</tt:Passphrase></tt:PSK></tt:Security></tt:Dot11></tt:Extension>
  </tds:NetworkInterface></tds:SetNetworkInterfaces>`,
  // libonvif writes its address in the namespace of the parent's schema; an empty one is not given.
  '<tds:SetNetworkDefaultGateway><tt:IPv4Address>192.0.2.1</tt:IPv4Address><tds:IPv6Address/></tds:SetNetworkDefaultGateway>',
  '<tds:SetZeroConfiguration><tds:InterfaceToken>eth0</tds:InterfaceToken><tds:Enabled>true</tds:Enabled></tds:SetZeroConfiguration>',
  '<tds:SetHostname><tds:Name>gate-7</tds:Name></tds:SetHostname>',
  '<tds:SetHostnameFromDHCP><tds:FromDHCP>true</tds:FromDHCP></tds:SetHostnameFromDHCP>',
]
const questions = [
  '<tds:GetNetworkInterfaces/>',
  '<tds:GetNetworkDefaultGateway/>',
  '<tds:GetZeroConfiguration/>',
  '<tds:GetHostname/>',
  '<tds:GetDot11Status><tds:InterfaceToken>wlan0</tds:InterfaceToken></tds:GetDot11Status>',
]
const interfaces = ['eth0', 'eth1', 'wlan0']

async function answers({ ask }: TestDevice): Promise<readonly string[]> {
  const texts: string[] = []
  for (const question of questions) texts.push((await ask(question)).xml)
  return texts
}

async function setAll(device: TestDevice): Promise<void> {
  for (const body of settings) {
    const answer = await device.ask(body)
    assert.equal(answer.fault, undefined, answer.xml)
  }
}

/** What comes after the answer, the order to restart included, is done in the next turn. */
async function factoryDefault({ ask, restart }: TestDevice, type: 'Soft' | 'Hard'): Promise<void> {
  assert.equal(
    (await ask(`<tds:SetSystemFactoryDefault><tds:FactoryDefault>${type}</tds:FactoryDefault></tds:SetSystemFactoryDefault>`)).fault,
    undefined,
  )
  await nextTurn()
  await restart()
}

test('what was set is shown, after a restart as before, and the key is in no answer and in no file', async t => {
  const device = await testDevice(t, { interfaces })
  const untouched = await answers(device)
  await setAll(device)
  const before = await answers(device)
  before.forEach((text, index) => void assert.notEqual(text, untouched[index], questions[index]))
  assert.match(before[0] ?? '', /<tt:Address>192\.0\.2\.9</)
  assert.match(before[1] ?? '', /<tt:IPv4Address>192\.0\.2\.1</)
  assert.match(before[4] ?? '', /ActiveConfigAlias>home</)

  await device.restart()
  assert.deepEqual(await answers(device), before)
  assert.ok(!before.join('').includes(passphrase) && !/<tt:PSK>\s*</.test(before.join('')))
  const files = readdirSync(device.state, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  assert.ok(files.length > 3)
  for (const { parentPath, name } of files) assert.ok(!readFileSync(join(parentPath, name)).includes(passphrase), name)
})

test('what the schema does not allow of a request is refused, changes nothing, and no key is quoted', async t => {
  const device = await testDevice(t, { interfaces })
  const before = await device.ask('<tds:GetNetworkInterfaces/>')
  const [wired = '', wireless = ''] = settings
  const cases: readonly (readonly [request: string, right: string | RegExp, wrong: string, fault: string])[] = [
    [wireless, passphrase, 'Seven77', 'InvalidArgVal'],
    [wireless, passphrase, `${passphrase}\u00e9`, 'InvalidArgVal'],
    [wireless, passphrase, 'x'.repeat(64), 'InvalidArgVal'],
    [wireless, /<tt:SSID>[^<]+/, `<tt:SSID>${'61'.repeat(33)}`, 'InvalidArgVal'],
    [wireless, /<tt:SSID>[^<]+/, '<tt:SSID>', 'InvalidArgVal'],
    [wireless, '>5<', '>32<', 'InvalidArgVal'],
    [wireless, '>Infrastructure<', '>Mesh<', 'InvalidArgVal'],
    [wireless, /<tt:Passphrase>[^<]+<\/tt:Passphrase>/, `<tt:Key>${'5a'.repeat(31)}</tt:Key>`, 'InvalidArgVal'],
    [wireless, /<tt:Alias>home<\/tt:Alias>/, '', 'InvalidArgs'],
    [wired, '<tt:Duplex>Full</tt:Duplex>', '', 'InvalidArgs'],
    [wired, '>1492<', '>9999999999<', 'InvalidArgVal'],
    [wired, '>24<', '>24.0<', 'InvalidArgVal'],
    [wired, '>Auto<', '>On<', 'InvalidArgVal'],
    [wired, '<tt:MTU>', '<tt:MTU>1492</tt:MTU><tt:MTU>', 'InvalidArgs'],
    [wired, /<tds:InterfaceToken>eth0<\/tds:InterfaceToken>/, '', 'InvalidArgs'],
    [wired, '>eth0<', `>${'e'.repeat(65)}<`, 'InvalidArgVal'],
  ]
  for (const [request, right, wrong, fault] of cases) {
    const spoiled = request.replace(right, wrong)
    assert.notEqual(spoiled, request)
    const answer = await device.ask(spoiled)
    assert.equal(answer.fault, `Sender/${fault}`, `${wrong}: ${answer.xml}`)
    assert.ok(!answer.xml.includes(passphrase) && !answer.xml.includes('Seven77'))
  }
  assert.equal((await device.ask('<tds:GetNetworkInterfaces/>')).xml, before.xml)
})

test('a soft factory default keeps how the device is reached, a hard one nothing of it', async t => {
  const device = await testDevice(t, { interfaces })
  const untouched = await answers(device)
  await setAll(device)
  const before = await answers(device)
  await factoryDefault(device, 'Soft')
  assert.deepEqual(await answers(device), before)
  await factoryDefault(device, 'Hard')
  assert.deepEqual(await answers(device), untouched)
})

test('the name that an older version kept is the hostname', async t => {
  const device = await testDevice(t)
  await device.restart(() => {
    const store = openStore(join(device.state, 'device.db'))
    store
      .document<unknown>(
        'hostname',
        stored => stored,
        () => undefined,
      )
      .set('gate-6')
    store.close()
  })
  assert.match((await device.ask('<tds:GetHostname/>')).xml, /<tt:FromDHCP>false<\/tt:FromDHCP><tt:Name>gate-6</)
})

test('a key that was sealed for another device, or settings that are none, are told at the start', async t => {
  const network = (key: string) => ({ alias: 'a', ssid: '61', priority: 1, security: { mode: 'PSK', cipher: 'CCMP' }, key })
  for (const damaged of [
    { wlan0: { dot11: [network('AAAA')] } },
    { eth0: { mtu: 'large' } },
    { eth0: { enabled: 1 } },
    { eth0: { ipv4: { manual: [{ address: '192.0.2.256', prefixLength: 24 }] } } },
    { eth0: { ipv4: { manual: [{ address: '192.0.2.7', prefixLength: 33 }] } } },
    { eth0: { ipv6: { manual: [{ address: '192.0.2.7', prefixLength: 24 }] } } },
    { eth0: { ipv6: { dhcp: 'Stateful' } } },
    { eth0: { link: { autoNegotiation: true } } },
    [],
  ]) {
    const device = await testDevice(t)
    const damage = () => {
      const store = openStore(join(device.state, 'device.db'))
      store
        .document<unknown>(
          'interfaces',
          stored => stored,
          () => undefined,
        )
        .set(damaged)
      store.close()
    }
    await assert.rejects(device.restart(damage), /interfaces cannot be read/, JSON.stringify(damaged))
  }
})

test('interfaces that are not there this time keep their settings', async t => {
  const device = await testDevice(t)
  const eth1 = { mtu: 1400, ipv4: { manual: [{ address: '192.0.2.30', prefixLength: 24 }] } }
  const stored = () => {
    const store = openStore(join(device.state, 'device.db'))
    return {
      store,
      document: store.document<unknown>(
        'interfaces',
        value => value,
        () => undefined,
      ),
    }
  }
  await device.restart(() => {
    const { store, document } = stored()
    document.set({ eth1 })
    store.close()
  })
  assert.equal((await device.ask(settings[0] ?? '')).status, 200)
  await device.restart(() => {
    const { store, document } = stored()
    assert.deepEqual(Object(document.get()).eth1, eth1)
    store.close()
  })
})

test('--interfaces takes names as Linux does, with a wired one first', () => {
  const { parse } = options.interfaces
  assert.deepEqual(parse('eth0'), ['eth0'])
  assert.deepEqual(parse('lan,eth1,wlan0,wlan1'), ['lan', 'eth1', 'wlan0', 'wlan1'])
  for (const text of [
    '',
    ',',
    'eth0,',
    'wlan0',
    'wlan0,eth0',
    'eth0,eth0',
    'Eth0',
    'eth 0',
    '../eth0',
    '__proto__',
    'a'.repeat(16),
    'a,b,c,d,e,f,g,h,i',
  ])
    assert.throws(() => parse(text), { name: 'ConfigError', message: /--interfaces/ }, text)
})
