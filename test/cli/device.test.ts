import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkToken, clock, faultXml, information, password, refusal, reply, soap, startStandIn, user } from '../client/standIn.ts'
import { bytes, startDevice } from '../client/upgradableDevice.ts'
import { main, onvifd, run, temporaryFolder } from '../support/daemon.ts'

const login = { env: { ONVIFD_PASSWORD: password } }
const services = soap(
  '<tds:GetServicesResponse><tds:Service><tds:Namespace>http://www.onvif.org/ver10/device/wsdl</tds:Namespace><tds:XAddr>http://c/x</tds:XAddr><tds:Version><tt:Major>26</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service></tds:GetServicesResponse>',
)
const network = soap(
  '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>02:00:00:00:00:01</tt:HwAddress></tt:Info><tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config><tt:FromDHCP><tt:Address>192.0.2.7</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:FromDHCP><tt:DHCP>true</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>',
)

/** A device that gives the rest only to somebody who logs in; its model tries to steer the terminal. */
const camera = (t: Parameters<typeof startStandIn>[0]) =>
  startStandIn(t, ({ operation, body }, response) => {
    if (operation === 'GetSystemDateAndTime') reply(response, 200, clock(new Date(Date.now() + 3_600_000)))
    else if (operation === 'GetServices') reply(response, 200, services)
    else if (operation === 'GetHostname') reply(response, 500, faultXml('Receiver', ['ActionNotSupported'], 'not implemented'))
    else if (!checkToken(body, () => new Date(Date.now() + 3_600_000))) reply(response, 400, refusal)
    else if (operation === 'GetDeviceInformation') reply(response, 200, information().replace('A1', 'A\u009b31m1'))
    else reply(response, 200, network)
  })

test('info shows what a device tells everybody, and names what needs a log-in', async t => {
  const { url } = await camera(t)
  const { code, stdout } = await onvifd(['info', url])
  assert.equal(code, 0)
  assert.match(stdout, /^Services +http:\/\/www\.onvif\.org\/ver10\/device\/wsdl 26\.06 http:\/\/c\/x$/m)
  assert.match(stdout, /^Clock .*, (359\d|360\d) s ahead of this machine, set by hand$/m)
  assert.match(stdout, /^Needs a log-in +GetEndpointReference, GetDeviceInformation, GetNetworkInterfaces$/m)
  assert.match(stdout, /^Not answered +GetHostname: .*not implemented/m)
})

test('info shows the whole of a device to somebody who may see it', async t => {
  const { url } = await camera(t)
  const { code, stdout, stderr } = await onvifd(['info', url, '--user', user], login)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^Manufacturer +Acme$/m)
  assert.match(stdout, /^Model +A 31m1$/m, 'nothing steers the terminal')
  assert.match(stdout, /^Network +eth0 02:00:00:00:00:01 192\.0\.2\.7\/24 \(DHCP\)$/m)
  const json: unknown = JSON.parse((await onvifd(['info', url, '--user', user, '--json'], login)).stdout)
  assert.ok(typeof json === 'object' && json !== null && 'network' in json && 'clock' in json)
  assert.deepEqual(json.network, [
    { name: 'eth0', hwAddress: '02:00:00:00:00:01', enabled: true, addresses: ['192.0.2.7/24'], fromDHCP: true },
  ])
})

test('info with a wrong password shows what it got and fails', async t => {
  const { url } = await camera(t)
  const { code, stdout, stderr } = await onvifd(['info', url, '--user', user], { env: { ONVIFD_PASSWORD: 'wrong' } })
  assert.equal(code, 1)
  assert.match(stdout, /^Services/m)
  assert.match(stderr, /^onvifd: the device refuses the log-in of admin/)
})

test('call prints the answer as JSON and takes the request from standard input', async t => {
  const { url, asked } = await startStandIn(t, ({ request }, response) =>
    request.method === 'GET' ? reply(response, 404, '') : reply(response, 200, soap('<tds:SetHostnameResponse/>')),
  )
  const { code, stdout, stderr } = await onvifd(['call', url, 'SetHostname', '-'], { input: '{"Name":"door & gate"}' })
  assert.equal(code, 0, stderr)
  assert.deepEqual(JSON.parse(stdout), {})
  assert.match(asked.at(-1)?.body ?? '', /<tds:Name>door &amp; gate<\/tds:Name>/)
})

test('call tells a fault with its codes', async t => {
  const { url } = await startStandIn(t, (_, response) =>
    reply(response, 400, faultXml('Sender', ['InvalidArgVal', 'InvalidHostname'], 'no such name')),
  )
  const { code, stderr } = await onvifd(['call', url, 'SetHostname', '{"Name":"_"}'])
  assert.equal(code, 1)
  assert.equal(stderr, 'onvifd: the device refuses this: no such name (Sender/InvalidArgVal/InvalidHostname)\n')
})

test('upgrade writes plain lines into a pipe, and both versions', async t => {
  const device = await startDevice(t)
  const image = join(await temporaryFolder(t), 'firmware.bin')
  await writeFile(image, bytes)
  const { code, stdout, stderr } = await onvifd(['upgrade', device.url, image, '--user', user], login)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^Upload of 3\.0 MB begins\n(Upload \d+%, [^\n]* left\n)+Sent; /)
  assert.match(stdout, /^Upload 100%, 3\.0 MB of 3\.0 MB, [\d.]+ [KMG]?B\/s, 0 s left$/m)
  assert.match(stdout, /Accepted; the device restarts, which takes about 1 s\nFirmware 1\.0\.0 → 1\.1\.0\n$/)
  assert.ok(device.uploads[0]?.image.equals(bytes))
})

test('upgrade fails where the device goes back to its old version, and says so in JSON, too', async t => {
  const device = await startDevice(t, { newVersion: '1.0.0' })
  const image = join(await temporaryFolder(t), 'firmware.bin')
  await writeFile(image, bytes)
  const { code, stdout, stderr } = await onvifd(['upgrade', device.url, image, '--user', user, '--json'], login)
  assert.equal(code, 1)
  assert.deepEqual(JSON.parse(stdout), { oldVersion: '1.0.0', newVersion: '1.0.0', message: 'accepted', wasAway: true })
  assert.equal(stderr, 'onvifd: the device took the image, but runs 1.0.0 as before: it went back, or the image holds the same version\n')
})

test('upgrade tells the reason of a refused image', async t => {
  const device = await startDevice(t, {
    takeImage: (_, response) => response.writeHead(415, { 'content-type': 'text/plain' }).end('signature unknown signer'),
  })
  const image = join(await temporaryFolder(t), 'firmware.bin')
  await writeFile(image, bytes)
  const { code, stderr } = await onvifd(['upgrade', device.url, image, '--user', user], login)
  assert.equal(code, 1)
  assert.equal(stderr, 'onvifd: the device refuses the image: signature unknown signer\n')
})

test('a password that is typed in does not show', async t => {
  // util-linux; on other systems it takes other arguments.
  if (process.platform !== 'linux' || !existsSync('/usr/bin/script')) return t.skip('no `script` to make a terminal with')
  const { url } = await camera(t)
  const command = `'${process.execPath}' '${main}' info '${url}' --user ${user}`
  const { stdout } = await run('script', ['-qec', command, '/dev/null'], { input: `${password}\n`, env: { ONVIFD_PASSWORD: '' } })
  assert.match(stdout, /Password of admin: /)
  assert.match(stdout, /Manufacturer +Acme/)
  const [, afterQuestion = ''] = stdout.split('Password of admin: ')
  assert.doesNotMatch(afterQuestion, new RegExp(password))
})
