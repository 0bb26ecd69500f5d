import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UploadRefusal } from '../../src/device/upload.ts'
import { type Answer, admin, ask, Client, digest, openDoor } from './door.ts'

const service = '/onvif/device_service'
const form = 'application/x-www-form-urlencoded'

/** As Chromium, Firefox and Safari send them for a page of another site, whose user has logged in at the device before. */
const senders: readonly (readonly [who: string, headers: readonly string[]])[] = [
  [
    'fetch, no-cors, text/plain',
    ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Content-Type: text/plain;charset=UTF-8'],
  ],
  ['a form', ['Origin: http://evil.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', `Content-Type: ${form}`]],
  [
    'a form of a browser without Fetch Metadata',
    ['Origin: http://evil.example', 'Referer: http://evil.example/', 'Content-Type: text/plain'],
  ],
  ['a sandboxed frame', ['Origin: null', 'Sec-Fetch-Site: cross-site', 'Content-Type: text/plain']],
  ['a file on the disk', ['Origin: null', 'Content-Type: text/plain']],
  ['a beacon', ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: empty']],
  ['another port of the same host', ['Origin: http://camera:9999', 'Sec-Fetch-Site: same-site', 'Content-Type: text/plain']],
  ['the same host without TLS', ['Origin: https://camera', 'Sec-Fetch-Site: same-site']],
  ['a browser that sends no Origin', ['Sec-Fetch-Site: cross-site', 'Content-Type: text/plain']],
  ['a page whose name leads here (DNS rebinding)', ['Origin: http://evil.example', 'Sec-Fetch-Site: same-origin', 'Host: evil.example']],
  ['an extension', ['Origin: chrome-extension://aaaa', 'Sec-Fetch-Site: cross-site']],
]

const post = (target: string, body: string, headers: readonly string[]) => {
  const lines = [...(headers.some(each => each.startsWith('Host:')) ? [] : ['Host: camera']), ...headers, `Content-Length: ${body.length}`]
  return `POST ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

/** Everything that a POST can change, behind a real log-in; what got through is told. */
async function fortress(t: Parameters<typeof openDoor>[0]) {
  const through: string[] = []
  const note = (what: string) => () => {
    through.push(what)
    throw new UploadRefusal(409, 'busy', 'it got through')
  }
  const target = { operation: 'StartFirmwareUpgrade', admit: note('upload'), receive: note('upload') } as const
  const door = await openDoor(t, {
    isOwnName: name => name === 'camera',
    uploads: new Map([['/onvif/upload/', target]]),
    firmware: { report: note('report'), history: () => [], command: note('order') },
  })
  return { door, through: () => [...through, ...door.soap.map(() => 'soap')] }
}

async function loggedIn(client: Client, target: string, body: string, headers: readonly string[]): Promise<Answer | undefined> {
  await client.send(post(target, '', []))
  const login = digest(await client.answer(), 'POST', target, admin)
  await client.send(post(target, body, [login, ...headers]))
  return client.answer()
}

const targets = ['/onvif/upload/abcdefghijklmnop', '/onvif/firmware/rollback']

for (const [who, headers] of senders) {
  test(`a page of another site changes nothing: ${who}`, async t => {
    const { door, through } = await fortress(t)
    const soap = await ask(t, door.port, post(service, '<SystemReboot/>', headers))
    assert.equal(soap?.status, 403)
    assert.equal(soap.headers.get('www-authenticate'), undefined, 'the browser does not ask its user for a password')
    for (const target of targets) assert.equal((await loggedIn(new Client(t, door.port), target, '{}', headers))?.status, 403, target)
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const answer = await ask(t, door.port, post(service, '', [...headers, 'Access-Control-Request-Method: POST']).replace('POST', method))
      assert.equal(answer?.status, 403)
      assert.doesNotMatch(answer.head, /access-control/i)
    }
    assert.deepEqual(through(), [])
  })
}

test('pages of the device’s own and programs are served', async t => {
  const { door, through } = await fortress(t)
  const own = `127.0.0.1:${door.port}`
  const good: readonly (readonly string[])[] = [
    [],
    ['Content-Type: text/plain'],
    ['Origin: http://camera', 'Sec-Fetch-Site: same-origin'],
    [`Host: ${own}`, `Origin: http://${own}`, 'Sec-Fetch-Site: same-origin'],
    ['Sec-Fetch-Site: none'],
  ]
  for (const headers of good) assert.equal((await ask(t, door.port, post(service, '<q/>', headers)))?.status, 200, headers.join())
  for (const headers of good.slice(2)) {
    await loggedIn(new Client(t, door.port), targets[0] ?? '', '{}', headers)
    await loggedIn(new Client(t, door.port), targets[1] ?? '', '{}', [...headers, 'Content-Type: application/json'])
  }
  assert.deepEqual([...new Set(through())].sort(), ['order', 'soap', 'upload'])
})

test('every answer keeps a browser from making more of it than it is', async t => {
  const { door } = await fortress(t)
  const requests = [
    post(service, '<q/>', []),
    post(service, '<q/>', ['Origin: http://evil.example']),
    post(service, '<q/>', ['Content-Encoding: gzip']),
    post('/onvif/upload/abcdefghijklmnop', '', []),
    'GET / HTTP/1.1\r\nHost: d\r\n\r\n',
    'GET /onvif/ HTTP/1.1\r\nHost: d\r\n\r\n',
    'GET /onvif/device_service HTTP/1.1\r\nHost: d\r\nOrigin: http://evil.example\r\n\r\n',
    'GET /onvif/wsdl/types.xsd HTTP/1.1\r\nHost: d\r\n\r\n',
    'GET /onvif/firmware HTTP/1.1\r\nHost: d\r\n\r\n',
    'TRACE /onvif/device_service HTTP/1.1\r\nHost: d\r\nCookie: secret\r\n\r\n',
    'TRACK / HTTP/1.1\r\nHost: d\r\n\r\n',
    'DELETE /onvif/device_service HTTP/1.1\r\nHost: d\r\n\r\n',
    'GET /onvif/device_service HTTP/1.1\r\nHost: d\r\nHost: e\r\n\r\n',
  ]
  for (const request of requests) {
    const answer = await ask(t, door.port, request)
    // What Node answers to a method that it does not know has no body, and nothing to be shown.
    if (request.startsWith('TRACK')) {
      assert.equal(answer?.status, 400)
      continue
    }
    const { headers, head, body } = answer ?? assert.fail(request)
    assert.equal(headers.get('x-content-type-options'), 'nosniff', request)
    assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'")
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
    assert.doesNotMatch(head, /^(?:server|x-powered-by|access-control-[a-z-]+|etag|set-cookie|via):/im)
    assert.doesNotMatch(body, /Cookie: secret|<a href|Index of/)
    assert.match(headers.get('content-type') ?? '', /^(?:text\/plain|text\/xml|application\/soap\+xml|application\/json)/)
  }
})
