import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../../src/limits.ts'
import { admin, eventually } from '../support/daemon.ts'
import { actionOf, createAsker, field, freePort, overhear, type Packet, sequenceOf, startDevice } from './bed.ts'
import { copiedProbe, probe, resolve, scopedProbe } from './questions.ts'
import { lacksSchemas, validateDiscovery } from './schema.ts'

const quietMs = limits.discoveryDelayMaxMs + 500
const actions = (heard: readonly Packet[]) => heard.map(actionOf)

/** Waits until so many were heard, and a little more for those that should not come. */
async function after(count: number, heard: readonly Packet[]): Promise<readonly Packet[]> {
  await eventually(async () => assert.ok(heard.length >= count, `heard ${actions(heard)}`), 10)
  await sleep(200)
  return heard
}

test('says Hello, answers, and says Bye', async t => {
  const discoveryPort = await freePort()
  const heard = await overhear(t, discoveryPort)
  const { device, url, call } = await startDevice(t, { discoveryPort })
  const asker = await createAsker(t, discoveryPort)
  const guid = /urn:uuid:[0-9a-f-]{36}/.exec(await call('<tds:GetEndpointReference/>'))?.[0] ?? ''

  const [hello] = await after(1, heard)
  assert.ok(hello)
  assert.equal(field(hello, 'Address'), guid)
  assert.equal(field(hello, 'XAddrs'), url)
  assert.equal(field(hello, 'Types'), 'tds:Device')
  assert.match(
    field(hello, 'Scopes'),
    /onvif:\/\/www\.onvif\.org\/hardware\/Virtual%20Device .*onvif:\/\/www\.onvif\.org\/location\/unknown/,
  )
  assert.deepEqual(sequenceOf(hello), [1, 1])

  await t.test('a Probe to the group, and one to the device alone', async () => {
    const text = probe('<d:Types>tds:Device</d:Types>')
    for (const to of [undefined, '127.0.0.1']) {
      const [match, ...more] = await asker.ask(probe('<d:Types>tds:Device</d:Types>', { messageId: ` URN:UUID:X-${to} ` }), to)
      assert.ok(match && more.length === 0, 'one answer')
      assert.equal(actionOf(match), 'ProbeMatches')
      assert.equal(field(match, 'RelatesTo'), `URN:UUID:X-${to}`)
      assert.equal(field(match, 'Address'), guid)
      assert.equal(field(match, 'XAddrs'), url)
      assert.equal(match.from.port, discoveryPort)
    }
    assert.equal((await asker.ask(text)).length, 1)
    assert.equal((await asker.ask(text)).length, 0, 'the same MessageID from the same port at once is a repetition')
  })

  await t.test('Resolve, for this device and for others', async () => {
    const [match, ...more] = await asker.ask(resolve(guid))
    assert.ok(match && more.length === 0)
    assert.equal(actionOf(match), 'ResolveMatches')
    assert.equal(field(match, 'XAddrs'), url)
    assert.equal((await asker.ask(resolve(guid.replace('urn:uuid:', 'uuid:').toUpperCase()))).length, 1)
    assert.deepEqual(await asker.ask(resolve('urn:uuid:5f5a69c2-e0ae-504f-829b-000000000001')), [])
  })

  await t.test('scopes', async () => {
    assert.equal((await asker.ask(scopedProbe('onvif://www.onvif.org/hardware'))).length, 1)
    assert.deepEqual(await asker.ask(scopedProbe('onvif://www.onvif.org/hardware/Virtual')), [])
  })

  await t.test('an unknown rule is a fault for one who asks this device alone, and silence for the group', async () => {
    assert.deepEqual(await asker.ask(scopedProbe('a:b', 'ldap')), [])
    const [fault, ...more] = await asker.ask(scopedProbe('a:b', 'ldap', { messageId: 'uuid:7' }), '127.0.0.1')
    assert.ok(fault && more.length === 0)
    assert.equal(actionOf(fault), 'fault')
    assert.equal(field(fault, 'RelatesTo'), 'uuid:7')
    assert.match(fault.xml, /<s:Value>s:Sender<\/s:Value><s:Subcode><s:Value>d:MatchingRuleNotSupported</)
    assert.match(field(fault, 'SupportedMatchingRules'), /discovery\/rfc3986 /)
  })

  await t.test('the copied Probe, from every program that sends it', async () => {
    for (const text of [copiedProbe, copiedProbe.replace('dn:Device', 'dn:NetworkVideoTransmitter')]) {
      const program = await createAsker(t, discoveryPort)
      assert.equal((await program.ask(text)).length, 1)
      assert.equal((await program.ask(text)).length, 0, 'at once from the same port: a repetition')
      await sleep(limits.discoveryRepeatMs - 2 * quietMs + 600)
      assert.equal((await program.ask(text)).length, 1, 'and later a new question, with the same MessageID')
    }
  })

  await t.test('ReplyTo is not followed', async () => {
    const other = await createAsker(t, discoveryPort)
    const { port } = other.answers[0]?.from ?? { port: 9 }
    const header = `<a:ReplyTo><a:Address>soap.udp://127.0.0.1:${port}</a:Address></a:ReplyTo>`
    assert.equal((await asker.ask(probe('', { header }))).length, 1)
    assert.deepEqual(other.answers, [])
  })

  const before = heard.length
  await device.stop()
  const bye = (await after(before + 1, heard)).at(-1)
  assert.ok(bye && heard.length === before + 1)
  assert.equal(actionOf(bye), 'Bye')
  assert.equal(field(bye, 'Address'), guid)
  const numbers = [...heard, ...asker.answers].flatMap(packet => sequenceOf(packet)[1] ?? []).sort((a, b) => a - b)
  assert.equal(new Set(numbers).size, numbers.length, 'each message has its own number')
  assert.equal(sequenceOf(bye)[1], numbers.at(-1), 'and the last has the highest')
  if (!lacksSchemas) for (const { xml } of heard) assert.deepEqual(validateDiscovery(xml), [], xml)
})

test('Bye before and Hello after a reboot, and the answer to SystemReboot before both', async t => {
  const discoveryPort = await freePort()
  const heard = await overhear(t, discoveryPort)
  const { url, call, device } = await startDevice(t, { discoveryPort })
  await after(1, heard)
  const answer = await call('<tds:SystemReboot/>')
  assert.match(answer, /SystemRebootResponse/)
  await after(3, heard)
  assert.deepEqual(actions(heard), ['Hello', 'Bye', 'Hello'])
  const [first, bye, second] = heard
  assert.ok(first && bye && second)
  assert.deepEqual(
    [sequenceOf(first), sequenceOf(bye), sequenceOf(second)],
    [
      [1, 1],
      [1, 2],
      [2, 1],
    ],
  )
  assert.equal(field(second, 'Address'), field(first, 'Address'))
  assert.equal(field(second, 'XAddrs'), url)
  assert.equal(field(second, 'MetadataVersion'), field(first, 'MetadataVersion'), 'nothing has changed')
  await device.stop()
})

test('an HTTP client has the answer to SystemReboot before anybody hears Bye', async t => {
  const discoveryPort = await freePort()
  const heard = await overhear(t, discoveryPort)
  const { url } = await startDevice(t, { discoveryPort })
  await after(1, heard)
  const { envelope } = await import('../support/device.ts')
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/soap+xml' },
    body: envelope('<tds:SystemReboot/>', admin),
  })
  const answered = (await response.text()).includes('SystemRebootResponse')
  assert.ok(answered)
  await after(3, heard)
  assert.deepEqual(actions(heard), ['Hello', 'Bye', 'Hello'])
})

test('Hello when scopes or ports change, with a higher MetadataVersion', async t => {
  const discoveryPort = await freePort()
  const heard = await overhear(t, discoveryPort)
  const { call } = await startDevice(t, { discoveryPort })
  await after(1, heard)
  await call('<tds:AddScopes><tds:ScopeItem>onvif://www.onvif.org/location/hall</tds:ScopeItem></tds:AddScopes>')
  await after(2, heard)
  await call('<tds:AddScopes><tds:ScopeItem>onvif://www.onvif.org/location/hall</tds:ScopeItem></tds:AddScopes>')
  await sleep(quietMs)
  assert.equal(heard.length, 2, 'the same scope again is no change')
  const more = (await freePort()) - 1
  await call(
    `<tds:SetNetworkProtocols><tds:NetworkProtocols><tt:Name>HTTP</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>${more}</tt:Port></tds:NetworkProtocols></tds:SetNetworkProtocols>`,
  )
  await after(3, heard)
  assert.deepEqual(actions(heard), ['Hello', 'Hello', 'Hello'])
  const [first, second, third] = heard
  assert.ok(first && second && third)
  assert.match(field(second, 'Scopes'), /location\/hall/)
  assert.equal(new URL(field(third, 'XAddrs')).port, String(more))
  const versions = heard.map(packet => Number(field(packet, 'MetadataVersion')))
  assert.deepEqual(versions, [1, 2, 3])
})

test('a device that is not discoverable is silent, over a reboot too; Discoverable brings Hello', async t => {
  const discoveryPort = await freePort()
  const heard = await overhear(t, discoveryPort)
  const { call, device } = await startDevice(t, { discoveryPort })
  const asker = await createAsker(t, discoveryPort)
  await after(1, heard)
  await call('<tds:SetDiscoveryMode><tds:DiscoveryMode>NonDiscoverable</tds:DiscoveryMode></tds:SetDiscoveryMode>')
  const silent = async () => {
    assert.deepEqual(await asker.ask(probe()), [])
    assert.deepEqual(await asker.ask(probe(), '127.0.0.1').catch(() => []), [])
    assert.deepEqual(await asker.ask(scopedProbe('a:b', 'ldap'), '127.0.0.1').catch(() => []), [])
  }
  await silent()
  await call('<tds:AddScopes><tds:ScopeItem>onvif://www.onvif.org/location/hall</tds:ScopeItem></tds:AddScopes>')
  await call('<tds:SystemReboot/>')
  await sleep(1000)
  await eventually(() => call('<tds:GetDiscoveryMode/>'))
  await silent()
  assert.deepEqual(actions(heard), ['Hello'], 'neither Bye nor Hello')
  await call('<tds:SetDiscoveryMode><tds:DiscoveryMode>Discoverable</tds:DiscoveryMode></tds:SetDiscoveryMode>')
  await after(2, heard)
  assert.equal((await asker.ask(probe())).length, 1)
  await call('<tds:SetDiscoveryMode><tds:DiscoveryMode>Discoverable</tds:DiscoveryMode></tds:SetDiscoveryMode>')
  await after(3, heard)
  assert.deepEqual(actions(heard), ['Hello', 'Hello', 'Hello'])
  await call('<tds:SetDiscoveryMode><tds:DiscoveryMode>NonDiscoverable</tds:DiscoveryMode></tds:SetDiscoveryMode>')
  await device.stop()
  await sleep(200)
  assert.equal(heard.length, 3, 'and no Bye when it ends')
})

test('the address filter shuts out who asks', async t => {
  const { discoveryPort, call } = await startDevice(t)
  const asker = await createAsker(t, discoveryPort)
  assert.equal((await asker.ask(probe())).length, 1)
  await call(
    '<tds:SetIPAddressFilter><tds:IPAddressFilter><tt:Type>Deny</tt:Type><tt:IPv4Address><tt:Address>127.0.0.2</tt:Address><tt:PrefixLength>32</tt:PrefixLength></tt:IPv4Address></tds:IPAddressFilter></tds:SetIPAddressFilter>',
  )
  const other = await createAsker(t, discoveryPort, '127.0.0.2')
  assert.deepEqual(await other.ask(probe(), '127.0.0.1'), [])
  assert.deepEqual(await other.ask(scopedProbe('a:b', 'ldap'), '127.0.0.1'), [], 'not even a fault')
  assert.equal((await asker.ask(probe(), '127.0.0.1')).length, 1)
})

test('--public-url is what is told, and --discovery off is silence', async t => {
  const { discoveryPort, call } = await startDevice(t, { publicUrl: 'https://cam.example.org' })
  const asker = await createAsker(t, discoveryPort)
  const [match] = await asker.ask(probe())
  assert.equal(match && field(match, 'XAddrs'), 'https://cam.example.org:443/onvif/device_service')
  assert.match(await call('<tds:GetServiceCapabilities/>'), /DiscoveryResolve="true" DiscoveryBye="true".* DiscoveryNotSupported="false"/)

  const off = await startDevice(t, { discovery: 'off' })
  const heard = await overhear(t, off.discoveryPort)
  assert.deepEqual(await (await createAsker(t, off.discoveryPort)).ask(probe()), [])
  assert.match(
    await off.call('<tds:GetServiceCapabilities/>'),
    /DiscoveryResolve="false" DiscoveryBye="false".* DiscoveryNotSupported="true"/,
  )
  await off.device.stop()
  assert.deepEqual(
    heard.filter(packet => actionOf(packet) !== 'Probe'),
    [],
  )
})

test('an interface that is not named is not heard', async t => {
  const { discoveryPort } = await startDevice(t, { discoveryInterface: ['nowhere0'] })
  const asker = await createAsker(t, discoveryPort)
  assert.deepEqual(await asker.ask(probe()), [])
})

test('one set of sockets serves all devices of the process', async t => {
  const discoveryPort = await freePort()
  const sockets = () => process.getActiveResourcesInfo().filter(kind => kind === 'UDPWrap').length
  const first = await startDevice(t, { discoveryPort })
  const alone = sockets()
  const others = await Promise.all(Array.from({ length: 4 }, () => startDevice(t, { discoveryPort })))
  assert.equal(sockets(), alone)
  const asker = await createAsker(t, discoveryPort)
  const addresses = (await asker.ask(probe())).map(match => field(match, 'XAddrs'))
  assert.deepEqual(addresses.sort(), [first, ...others].map(({ url }) => url).sort(), 'each answers for itself')
  for (const { device } of [first, ...others.slice(1)]) await device.stop()
  assert.equal((await asker.ask(probe())).length, 1, 'one is left')
  await others[0]?.device.stop()
  await sleep(100)
  assert.equal(sockets(), 1, 'the last one closes them')
})

test('an address that cannot be had keeps nobody from the device', async t => {
  const discoveryPort = await freePort()
  const greedy = createSocket('udp4').bind({ port: discoveryPort, address: '127.0.0.1', exclusive: true })
  await once(greedy, 'listening')
  let log = ''
  const write = (text: string) => {
    log += text
  }
  const { call } = await startDevice(t, { discoveryPort, logLevel: 'info', logFormat: 'json', terminal: { write } })
  assert.match(log, /"address":"127\.0\.0\.1%lo".*discovery cannot be heard here/)
  assert.match(await call('<tds:GetDiscoveryMode/>'), /Discoverable/)
  greedy.close()
  const asker = await createAsker(t, discoveryPort)
  await eventually(async () => assert.match(log, /discovery is heard again/), 10)
  assert.equal((await asker.ask(probe())).length, 1)
})
