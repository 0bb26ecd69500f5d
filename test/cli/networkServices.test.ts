import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { ConfigError, options } from '../../src/config.ts'
import { admin, buildImage, eventually, run, startDaemon } from '../support/daemon.ts'
import { envelope } from '../support/device.ts'
import { freePort } from '../support/freePort.ts'

interface Sent {
  readonly status: number | undefined
  readonly xml: string
  /** The port of the client, by which connections are told apart. */
  readonly from: number | undefined
}

/** One call, logged in, from one of the addresses of this machine. Rejects where there is no answer. */
async function call(url: string, body: string, localAddress = '127.0.0.1', agent?: Agent): Promise<Sent> {
  const asking = request(url, { method: 'POST', localAddress, agent: agent ?? false })
  asking.end(envelope(body, admin))
  const [response] = await once(asking, 'response')
  const from: number | undefined = response.socket.localPort
  let xml = ''
  for await (const piece of response) xml += piece
  return { status: response.statusCode, xml, from }
}

const setHttp = (...ports: readonly number[]) =>
  `<tds:SetNetworkProtocols><tds:NetworkProtocols><tt:Name>HTTP</tt:Name><tt:Enabled>true</tt:Enabled>${ports.map(port => `<tt:Port>${port}</tt:Port>`).join('')}</tds:NetworkProtocols></tds:SetNetworkProtocols>`
const filter = (verb: string, type: string, ...addresses: readonly string[]) =>
  `<tds:${verb}IPAddressFilter><tds:IPAddressFilter><tt:Type>${type}</tt:Type>${addresses.map(address => `<tt:IPv4Address><tt:Address>${address}</tt:Address><tt:PrefixLength>32</tt:PrefixLength></tt:IPv4Address>`).join('')}</tds:IPAddressFilter></tds:${verb}IPAddressFilter>`
const hostname = '<tds:GetHostname/>'
/** Of HTTP. */
const ports = async (url: string) => {
  const [http = ''] = /Name>HTTP<.*?NetworkProtocols>/.exec((await call(url, '<tds:GetNetworkProtocols/>')).xml) ?? []
  return [...http.matchAll(/Port>(\d+)</g)].map(([, port]) => Number(port))
}
const onPort = (url: string, port: number) => Object.assign(new URL(url), { port: String(port) }).href

test('the device moves to another port when the answer has left, and is there after kill -9', { timeout: 60_000 }, async t => {
  const daemon = await startDaemon(t)
  const [first, second] = [await freePort(), await freePort()]
  const old = Number(new URL(daemon.url).port)

  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  const address = other.address()
  const taken = typeof address === 'object' ? (address?.port ?? 0) : 0
  const refused = await call(daemon.url, setHttp(first, taken))
  assert.match(refused.xml, /PortAlreadyInUse/)
  assert.deepEqual(await ports(daemon.url), [old])
  await assert.rejects(call(onPort(daemon.url, first), hostname), 'all or nothing')
  other.close()

  const agent = new Agent({ keepAlive: true })
  t.after(() => agent.destroy())
  const moved = await call(daemon.url, setHttp(first, second), '127.0.0.1', agent)
  assert.equal(moved.status, 200)
  for (const port of [first, second]) assert.equal((await call(onPort(daemon.url, port), hostname)).status, 200)
  assert.deepEqual(await ports(onPort(daemon.url, first)), [first, second])
  await eventually(() => assert.rejects(call(daemon.url, hostname)))

  assert.equal((await call(onPort(daemon.url, first), setHttp(second))).status, 200)
  daemon.process.kill('SIGKILL')
  await once(daemon.process, 'exit')
  const again = await startDaemon(t, [], { state: daemon.state })
  assert.equal(Number(new URL(again.url).port), second, 'what a client set holds, not --port')
  assert.deepEqual(await ports(again.url), [second])

  // A reboot ends where it began, too.
  await call(again.url, '<tds:SystemReboot/>')
  await eventually(() => assert.rejects(call(again.url, hostname)))
  await eventually(async () => assert.equal((await call(again.url, hostname)).status, 200))
})

test('the address filter shuts out connections, those that are open among them, and outlives kill -9', { timeout: 60_000 }, async t => {
  const daemon = await startDaemon(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const stranger = () => call(daemon.url, hostname, '127.0.0.2', agent)
  const opened = await stranger()
  assert.equal((await stranger()).from, opened.from, 'the connection stays open')
  const [socket] = Object.values(agent.freeSockets).flatMap(sockets => sockets ?? [])
  assert.ok(socket)
  const ended = once(socket, 'close')

  assert.equal((await call(daemon.url, filter('Add', 'Allow', '127.0.0.2'))).status, 200)
  await ended
  await assert.rejects(stranger())
  assert.equal((await call(daemon.url, hostname)).status, 200)
  assert.match((await call(daemon.url, filter('Add', 'Deny', '127.0.0.1'))).xml, /OperationProhibited/)

  daemon.process.kill('SIGKILL')
  await once(daemon.process, 'exit')
  const again = await startDaemon(t, [], { state: daemon.state })
  await assert.rejects(call(again.url, hostname, '127.0.0.2'))
  assert.equal((await call(again.url, filter('Remove', 'Deny', '127.0.0.2'))).status, 200)
  assert.equal((await call(again.url, hostname, '127.0.0.2')).status, 200)
})

test('a filter that leaves out the device itself does not keep an upgrade from being confirmed', { timeout: 60_000 }, async t => {
  const daemon = await startDaemon(t)
  const image = await buildImage(t, daemon.state, '1.1.0')
  assert.equal((await call(daemon.url, filter('Set', 'Allow', '127.0.0.2'), '127.0.0.2')).status, 200)
  await assert.rejects(call(daemon.url, hostname))
  const { xml } = await call(daemon.url, '<tds:StartFirmwareUpgrade/>', '127.0.0.2')
  const uri = /UploadUri>([^<]+)</.exec(xml)?.[1] ?? assert.fail(xml)
  const args = ['--silent', '--interface', '127.0.0.2', '--config', '-', '--digest', '-H', 'Content-Type: application/octet-stream']
  const { stdout } = await run('curl', [...args, '--data-binary', `@${image}`, uri], {
    input: `user = "${admin.name}:${admin.password}"\n`,
  })
  assert.match(stdout, /^ok /)
  await eventually(async () => {
    const information = await call(daemon.url, '<tds:GetDeviceInformation/>', '127.0.0.2')
    assert.match(information.xml, /FirmwareVersion>1\.1\.0</)
    const support = await call(daemon.url, '<tds:GetSystemSupportInformation/>', '127.0.0.2')
    assert.match(support.xml, /"confirmed": true,\s+"next": true,\s+"version": "1\.1\.0"/)
  })
  await assert.rejects(call(daemon.url, hostname), 'the filter holds as before')
})

test('the public URL is in the WSDL and in answers', { timeout: 60_000 }, async t => {
  const daemon = await startDaemon(t, ['--public-url', 'https://camera.example.org:8443'])
  assert.match(daemon.url, /^http:\/\/127\.0\.0\.1:\d+\//, 'the device says where it really listens')
  const wsdl = await (await fetch(`${daemon.origin}/onvif/wsdl/device.wsdl`)).text()
  assert.match(wsdl, /location="https:\/\/camera\.example\.org:8443\/onvif\/device_service"/)
  assert.doesNotMatch(wsdl, /127\.0\.0\.1/)
  const { xml } = await call(daemon.url, '<tds:StartFirmwareUpgrade/>')
  assert.match(xml, /UploadUri>https:\/\/camera\.example\.org:8443\/onvif\/upload\//)
})

test('a public URL is scheme, host and port, and nothing else', () => {
  const { parse } = options.publicUrl
  assert.equal(parse('https://camera.example.org/'), 'https://camera.example.org')
  assert.equal(parse('http://[2001:db8::7]:8080'), 'http://[2001:db8::7]:8080')
  const wrong = [
    '',
    'camera.example.org',
    'ftp://a',
    'http://',
    'http://a/onvif',
    'http://a?b',
    'http://a#b',
    'http://user@a',
    'http://a:0',
    'http://a:65536',
  ]
  for (const text of wrong) assert.throws(() => parse(text), ConfigError, text)
})
