import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { Download } from '../../src/http/app.ts'
import { admin, ask, Client, type Door, digest, openDoor, operator, until } from './door.ts'

const get = (target: string, ...headers: string[]) =>
  `GET ${target} HTTP/1.1\r\n${['Host: camera.example:8080', ...headers].join('\r\n')}\r\n\r\n`

test('the contract is served with the name that the client used, if it is the device’s', async t => {
  const door = await openDoor(t, { isOwnName: name => name.startsWith('camera') })
  for (const target of ['/onvif/device_service?wsdl', '/onvif/device_service?WSDL', '/onvif/device_service', '/onvif/wsdl/device.wsdl']) {
    const answer = await ask(t, door.port, get(target))
    assert.equal(answer?.status, 200, target)
    assert.equal(answer.headers.get('content-type'), 'text/xml; charset=utf-8')
    assert.match(answer.body, /<soap:address location="http:\/\/camera\.example:8080\/onvif\/device_service"\/>/)
    assert.doesNotMatch(answer.body, /localhost/)
    assert.doesNotMatch(answer.head, /express|etag|server:/i)
  }
  for (const target of ['/onvif/security_service?wsdl', '/onvif/wsdl/security.wsdl']) {
    const { status, body = '' } = (await ask(t, door.port, get(target))) ?? {}
    assert.equal(status, 200, target)
    assert.equal(body.match(/<soap:address location="http:\/\/camera\.example:8080\/onvif\/security_service"\/>/g)?.length, 7)
  }
  for (const target of ['/onvif/event_service', '/onvif/event_service?wsdl', '/onvif/wsdl/event.wsdl']) {
    const { status, body = '' } = (await ask(t, door.port, get(target))) ?? {}
    assert.equal(status, 200, target)
    assert.match(body, /<soap:address location="http:\/\/camera\.example:8080\/onvif\/event_service"\/>/)
    assert.doesNotMatch(body, /localhost/)
  }
  const withoutPort = await ask(t, door.port, 'GET /onvif/wsdl/device.wsdl HTTP/1.1\r\nHost: camera\r\n\r\n')
  assert.match(withoutPort?.body ?? '', /location="http:\/\/camera:80\/onvif/, 'the port is written even where it is 80')
})

test('every schema that the contract names is served beside it', async t => {
  const door = await openDoor(t)
  const seen = new Set<string>()
  const follow = async (url: string): Promise<void> => {
    if (seen.has(url)) return
    seen.add(url)
    const answer = await ask(t, door.port, get(url))
    assert.equal(answer?.status, 200, url)
    for (const [, location = ''] of answer.body.matchAll(/(?:schemaLocation|<wsdl:import[^>]* location)="([^"]+)"/g))
      await follow(new URL(location, `http://d${url}`).pathname)
  }
  await follow('/onvif/device_service')
  await follow('/onvif/security_service')
  await follow('/onvif/event_service')
  await follow('/onvif/wsdl/device.wsdl')
  await follow('/onvif/wsdl/security.wsdl')
  await follow('/onvif/wsdl/event.wsdl')
  const schemas = readdirSync(new URL('../../wsdl/', import.meta.url)).filter(name => name.endsWith('.xsd'))
  assert.deepEqual(
    [...seen].filter(url => url.startsWith('/onvif/wsdl/') && url.endsWith('.xsd')).sort(),
    schemas.map(name => `/onvif/wsdl/${name}`).sort(),
  )
})

/** Nothing of the machine but the contract is reachable, whatever the spelling. */
const nowhere = [
  '/',
  '/onvif',
  '/onvif/',
  '/onvif/wsdl',
  '/onvif/wsdl/',
  '/onvif/wsdl/schemaLoader.ts',
  '/onvif/wsdl/SOURCE.md',
  '/onvif/wsdl/../package.json',
  '/onvif/wsdl/..%2f..%2fpackage.json',
  '/onvif/wsdl/%2e%2e/package.json',
  '/onvif/wsdl/device.wsdl%00',
  '/onvif/wsdl/device.wsdl/',
  '/onvif/wsdl/DEVICE.WSDL',
  '/onvif/wsdl/%zz',
  '/onvif/wsdl/constructor',
  '/onvif/wsdl/__proto__',
  '/ONVIF/device_service',
  '/onvif/download/',
  '/onvif/download/../../../etc/passwd',
  '/package.json',
  '//etc/passwd',
  '/favicon.ico',
]
for (const target of nowhere) {
  test(`404: ${target}`, async t => {
    const door = await openDoor(t)
    const answer = await ask(t, door.port, get(target))
    assert.equal(answer?.status, 404)
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(answer.body, 'there is nothing at this address\n')
  })
}

const methods: readonly (readonly [method: string, target: string, allow: string])[] = [
  ['PUT', '/onvif/device_service', 'GET, HEAD, POST'],
  ['DELETE', '/onvif/device_service', 'GET, HEAD, POST'],
  ['OPTIONS', '/onvif/device_service', 'GET, HEAD, POST'],
  ['PATCH', '/onvif/media_service', 'GET, HEAD, POST'],
  ['TRACE', '/onvif/wsdl/device.wsdl', 'GET, HEAD'],
  ['DELETE', '/onvif/download/system.log', 'GET, HEAD'],
]
for (const [method, target, allow] of methods) {
  test(`405: ${method} ${target}`, async t => {
    const door = await openDoor(t, { downloads: new Map([['/onvif/download/system.log', log]]) })
    const client = new Client(t, door.port)
    await client.send(`${method} ${target} HTTP/1.1\r\nHost: d\r\nContent-Length: 4\r\n\r\nbody`)
    const answer = await client.answer()
    assert.equal(answer?.status, 405)
    assert.equal(answer.headers.get('allow'), allow)
  })
}

const log: Download = {
  access: 'READ_SYSTEM_SECRET',
  contentType: 'text/plain; charset=utf-8',
  fileName: 'system.log',
  read: async () => Buffer.from('what happened\n'),
}

/** The first try, which is challenged, and the second. */
async function fetchAs(client: Client, method: string, target: string, who: Parameters<typeof digest>[3]) {
  const request = (line: string) => client.send(`${method} ${target} HTTP/1.1\r\nHost: d\r\n${line}\r\n`)
  await request('')
  const challenged = await client.answer(method === 'HEAD')
  assert.equal(challenged?.status, 401)
  await request(`${digest(challenged, method, target, who)}\r\n`)
  return { challenged, answer: await client.answer(method === 'HEAD') }
}

const withDownloads = (t: Parameters<typeof openDoor>[0], download = log): Promise<Door> =>
  openDoor(t, { downloads: new Map([['/onvif/download/system.log', download]]) })

test('a download asks for a log-in on its own, and then is whole', async t => {
  const door = await withDownloads(t)
  const { challenged, answer } = await fetchAs(new Client(t, door.port), 'GET', '/onvif/download/system.log', admin)
  assert.match(
    challenged?.head ?? '',
    /WWW-Authenticate: Digest [^\r\n]*algorithm=MD5.*\r\nWWW-Authenticate: Digest [^\r\n]*algorithm=SHA-256/,
  )
  assert.doesNotMatch(challenged?.head ?? '', /Basic/)
  assert.match(challenged?.body ?? '', /log in/)
  assert.equal(answer?.status, 200)
  assert.equal(answer.body, 'what happened\n')
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="system.log"')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  assert.deepEqual(
    door.log.filter(entry => entry.fields.download).map(entry => entry.fields),
    [{ download: '/onvif/download/system.log', user: 'admin', from: '127.0.0.1', status: 200 }],
  )
})

test('HEAD tells the length and sends nothing', async t => {
  const door = await withDownloads(t)
  const client = new Client(t, door.port)
  const { answer } = await fetchAs(client, 'HEAD', '/onvif/download/system.log', admin)
  assert.equal(answer?.status, 200)
  assert.equal(answer.headers.get('content-length'), '14')
  const { answer: next } = await fetchAs(client, 'GET', '/onvif/download/system.log', admin)
  assert.equal(next?.body, 'what happened\n', 'nothing was left on the connection')
})

test('a download counts as sent where all of it has gone out, and not for HEAD or for a client that has left', async t => {
  let sent = 0
  const content = Buffer.alloc(16_000_000)
  const path = '/onvif/download/system.log'
  const door = await withDownloads(t, { ...log, read: async () => content, sent: () => void sent++ })
  await fetchAs(new Client(t, door.port), 'HEAD', path, admin)
  const leaver = new Client(t, door.port)
  const request = (line = '') => `GET ${path} HTTP/1.1\r\nHost: d\r\n${line}\r\n`
  await leaver.send(request())
  const challenged = await leaver.answer()
  leaver.socket.pause()
  const before = door.log.length
  await leaver.send(request(`${digest(challenged, 'GET', path, admin)}\r\n`))
  await until(() => door.log.length > before)
  leaver.socket.resetAndDestroy()
  await door.server.release(door.port)
  assert.equal(sent, 0)
  const second = { ...door, port: Number((await door.server.listen('127.0.0.1', 0)).port) }
  await fetchAs(new Client(t, second.port), 'GET', path, admin)
  await until(() => sent === 1)
})

test('a wrong password and a level that is too low are refused with a challenge', async t => {
  const door = await withDownloads(t)
  for (const who of [operator, { name: 'admin', password: 'wrong' }, { name: 'nobody', password: 'x' }]) {
    const { answer } = await fetchAs(new Client(t, door.port), 'GET', '/onvif/download/system.log', who)
    assert.equal(answer?.status, 401, who.name)
    assert.match(answer.head, /WWW-Authenticate: Digest/)
  }
})

test('a download may be a stream', async t => {
  const pieces = ['a'.repeat(70_000), 'b'.repeat(70_000)]
  const door = await withDownloads(t, { ...log, read: async () => Readable.from(pieces.map(piece => Buffer.from(piece))) })
  const { answer } = await fetchAs(new Client(t, door.port), 'GET', '/onvif/download/system.log', admin)
  assert.equal(answer?.status, 200)
  const body = pieces.map(piece => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
  assert.equal(answer.body, `${body}0\r\n\r\n`)
})

test('a download that fails tells nothing, and one that fails half-way does not end well', async t => {
  const failing = await withDownloads(t, { ...log, read: () => Promise.reject(new Error('ENOENT /secret/path')) })
  const { answer } = await fetchAs(new Client(t, failing.port), 'GET', '/onvif/download/system.log', admin)
  assert.equal(answer?.status, 500)
  assert.doesNotMatch(answer.body + answer.head, /ENOENT|secret/)
  assert.match(String(failing.log.find(entry => entry.level === 'error')?.fields.error), /ENOENT/)

  const breaking = await withDownloads(t, {
    ...log,
    read: async () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('half')
          throw new Error('disk')
        })(),
      ),
  })
  const half = await fetchAs(new Client(t, breaking.port), 'GET', '/onvif/download/system.log', admin)
  assert.equal(half.answer, undefined, 'the connection ended before the last chunk')
})

test('a download that runs when the device stops is finished, and then the connection ends', { timeout: 10_000 }, async t => {
  const begun = Promise.withResolvers<void>()
  const rest = Promise.withResolvers<void>()
  const read = async function* () {
    yield Buffer.from('first')
    begun.resolve()
    await rest.promise
    yield Buffer.from('last')
  }
  const door = await openDoor(t, {
    downloads: new Map([['/onvif/download/system.log', { ...log, read: async () => Readable.from(read()) }]]),
    bounds: { drainTimeoutMs: 60_000 },
  })
  const client = new Client(t, door.port)
  const fetched = fetchAs(client, 'GET', '/onvif/download/system.log', admin)
  await begun.promise
  const closed = door.server.close()
  rest.resolve()
  assert.match((await fetched).answer?.body ?? '', /first.*last/s)
  await closed
})

test('a GET with a body is answered, and the connection ends with it', async t => {
  const door = await openDoor(t)
  const client = new Client(t, door.port)
  await client.send(get('/onvif/wsdl/types.xsd', 'Content-Length: 5').concat('hello'))
  const answer = await client.answer()
  assert.equal(answer?.status, 200)
  assert.equal(answer.headers.get('connection'), 'close')
})
