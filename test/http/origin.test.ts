import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, type Door, openDoor } from './door.ts'

const path = '/onvif/device_service'
const post = (target: string, hosts: readonly string[], version = '1.1') =>
  Buffer.from(
    `POST ${target} HTTP/${version}\r\n${hosts.map(host => `Host: ${host}\r\n`).join('')}Content-Length: 1\r\nConnection: close\r\n\r\nx`,
    'latin1',
  )

const isOwnName = (name: string) => ['camera', 'camera.local', 'camera.example.org'].includes(name)

/** What answers would begin with. */
async function originOf(t: Parameters<typeof openDoor>[0], door: Door, request: Buffer): Promise<string> {
  assert.equal((await ask(t, door.port, request))?.status, 200, request.toString())
  return door.soap.at(-1)?.origin.href ?? ''
}

test('a name that the device has is used with whatever port leads to it', async t => {
  const door = await openDoor(t, { isOwnName })
  for (const [host, origin] of [
    ['camera', 'http://camera/'],
    ['CAMERA.local:80', 'http://camera.local/'],
    ['camera.example.org:8081', 'http://camera.example.org:8081/'],
    ['localhost:8081', 'http://localhost:8081/'],
    ['Localhost', 'http://localhost/'],
    ['127.0.0.1:8082', 'http://127.0.0.1:8082/'],
    ['[::1]:8082', 'http://[::1]:8082/'],
  ] as const)
    assert.equal(await originOf(t, door, post(path, [host])), origin)
  const absolute = post(`http://u:p@camera.local:81${path}`, ['camera'])
  assert.equal(await originOf(t, door, absolute), 'http://camera.local:81/', 'the authority of an absolute-form target comes first')
})

/** Names of others, and what pretends to be one of ours. */
const foreign = [
  'evil.example',
  'evil.example:80',
  'evil.example:8080',
  'EVIL',
  'camera.evil.example',
  'evil.camera',
  'camera.example.org.evil.example',
  'camera.example.org.',
  'localhost.',
  'localhost.evil.example',
  'xn--caera-2qb',
  '192.0.2.7',
  '192.0.2.7:80',
  '127.0.0.2',
  '127.0.0.2:8080',
  '0.0.0.0',
  '[::ffff:127.0.0.1]:80',
  '[2001:db8::1]:8080',
  '[fe80::1%25eth0]',
  '[fe80::1%eth0]:80',
  '[::1',
  '169.254.169.254',
  '',
  ' ',
  'user:secret@camera',
  'camera@evil.example',
  'camera:80@evil.example',
  'camera/path',
  'camera?x',
  'camera#x',
  'camera\\evil.example',
  'camera, evil.example',
  'camera evil.example',
  'camera\tb',
  'a&<b>',
  'camera:0',
  'camera:99999',
  'camera:80x',
  'camera:-1',
  'camera:',
  'camera::80',
  'camera:80:81',
  '%63amera',
  'c\u00e4mera',
  '1.2.3.4.5',
  'javascript:alert(1)',
  'http://camera',
  `${'a.'.repeat(140)}b`,
  `${'camera.'.repeat(1500)}`,
]
test('a Host that is not the device’s gives the address that the connection came in on', async t => {
  const door = await openDoor(t, { isOwnName })
  const own = `http://127.0.0.1:${door.port}/`
  for (const host of foreign) assert.equal(await originOf(t, door, post(path, [host])), own, JSON.stringify(host))
  for (const authority of ['evil.example', 'u:p@evil.example:81', '192.0.2.7:81', 'camera@evil.example'])
    assert.equal(await originOf(t, door, post(`http://${authority}${path}`, ['camera'])), own, authority)
  assert.equal(await originOf(t, door, post(path, [], '1.0')), own, 'HTTP/1.0 without Host')
})

test('two hosts are refused, also where both are the device’s', async t => {
  const door = await openDoor(t, { isOwnName })
  for (const hosts of [
    ['camera', 'evil.example'],
    ['evil.example', 'camera'],
    ['camera', 'camera'],
  ]) {
    const answer = await ask(t, door.port, post(path, hosts))
    assert.equal(answer?.status, 400)
    assert.doesNotMatch(answer.head + answer.body, /evil/)
  }
  assert.equal(door.soap.length, 0)
})

test('headers by which proxies speak are hearsay', async t => {
  const door = await openDoor(t, { isOwnName })
  const lines = [
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: https',
    'X-Host: evil.example',
    'Forwarded: host=evil.example;proto=https',
  ]
  const request = post(path, ['camera'])
    .toString()
    .replace('\r\n\r\n', `\r\n${lines.join('\r\n')}\r\n\r\n`)
  assert.equal(await originOf(t, door, Buffer.from(request)), 'http://camera/')
})

test('the contract and the way to HTTPS name no stranger either', async t => {
  const door = await openDoor(t, { isOwnName, insteadPort: () => 8443, downloads: new Map([['/onvif/download/system.log', file]]) })
  const get = (target: string, host: string) => ask(t, door.port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  for (const [host, name, port] of [
    ['camera', 'camera', 80],
    ['evil.example', '127.0.0.1', door.port],
    ['evil.example:8443', '127.0.0.1', door.port],
    ['[2001:db8::1]', '127.0.0.1', door.port],
  ] as const) {
    const contract = await get('/onvif/wsdl/device.wsdl', host)
    assert.match(contract?.body ?? '', new RegExp(`location="http://${name}:${port}/onvif/device_service"`), host)
    assert.doesNotMatch(contract?.body ?? '', /evil|2001:db8/)
    for (const target of ['/onvif/download/system.log', 'http://evil.example/onvif/download/system.log']) {
      const redirect = await get(target, host)
      assert.equal(redirect?.status, 308)
      assert.equal(redirect.headers.get('location'), `https://${name}:8443/onvif/download/system.log`)
    }
  }
})

test('--public-url is said whatever the client says', async t => {
  const publicOrigin = new URL('https://camera.example.net:8443')
  const door = await openDoor(t, { isOwnName, publicOrigin })
  const answer = await ask(t, door.port, 'GET /onvif/wsdl/device.wsdl HTTP/1.1\r\nHost: camera\r\n\r\n')
  assert.match(answer?.body ?? '', /location="https:\/\/camera\.example\.net:8443\/onvif\/device_service"/)
})

const file = {
  access: 'READ_SYSTEM_SECRET',
  contentType: 'text/plain',
  fileName: 'system.log',
  read: async () => Buffer.from('secret'),
} as const
