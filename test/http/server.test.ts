import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { ListenError } from '../../src/http/listener.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { ask, Client, noFirmware, openDoor, post, soapAnswer, until } from './door.ts'

const message = post('/onvif/device_service', '<q/>')

test('port 0 is a free port, and the origin tells which', async t => {
  const door = await openDoor(t)
  assert.ok(door.port > 0)
  assert.equal((await ask(t, door.port, message))?.status, 200)
})

test('an address that cannot be listened on is an error that says what to do', async t => {
  const { port } = await openDoor(t)
  const cases = [
    ['127.0.0.1', port, /^port \d+ of 127\.0\.0\.1 is in use: end the other program, or choose another port/],
    ['192.0.2.1', 0, /^this machine has no address 192\.0\.2\.1: /],
  ] as const
  for (const [host, number, text] of cases) {
    const none = { system: silent, access: silent }
    const other = createHttpServer({
      handle: async () => soapAnswer(''),
      authenticator: { authenticate: () => ({ kind: 'anonymous' }), challenges: () => [], permits: () => false },
      uploads: new Map(),
      downloads: new Map(),
      firmware: noFirmware,
      logs: none,
    })
    await assert.rejects(
      other.listen(host, number),
      (error: unknown) => error instanceof ListenError && text.test(error.message) && error.cause instanceof Error,
    )
    await other.close()
  }
})

test('close ends idle connections at once, lets a running request end, and leaves nothing open', { timeout: 10_000 }, async t => {
  const before = descriptors()
  const release = Promise.withResolvers<void>()
  const door = await openDoor(t, {
    handle: async request => {
      if (Buffer.from(request.body).toString() === 'slow') await release.promise
      return soapAnswer('<ok/>')
    },
  })
  const [silent, used, half, busy] = [0, 1, 2, 3].map(() => new Client(t, door.port))
  assert.ok(silent && used && half && busy)
  if (silent.socket.connecting) await once(silent.socket, 'connect')
  await used.send(message)
  assert.equal((await used.answer())?.headers.get('connection'), 'keep-alive')
  await half.send('POST /onvif/device_service HTTP/1.1\r\nHo')
  await busy.send(post('/onvif/device_service', 'slow'))
  await until(() => door.soap.length >= 2)

  const closed = door.server.close()
  await Promise.all([silent.ended(), used.ended(), half.ended()])
  await assert.rejects(fetch(`http://127.0.0.1:${door.port}/`), 'nobody is let in any more')
  release.resolve()
  const last = await busy.answer()
  assert.equal(last?.body, '<ok/>')
  assert.equal(last.headers.get('connection'), 'close')
  await closed
  for (const client of [silent, used, half, busy]) client.socket.destroy()
  await Promise.all([silent, used, half, busy].map(client => client.closed))
  // The refused fetch gives its descriptor back a moment later.
  await until(() => descriptors() <= before)
})

test('a request that does not end is cut off when the time to drain is over', { timeout: 10_000 }, async t => {
  const door = await openDoor(t, { handle: () => new Promise(() => {}), bounds: { drainTimeoutMs: 50 } })
  const client = new Client(t, door.port)
  await client.send(message)
  await until(() => door.soap.length >= 1)
  await door.server.close()
  assert.equal(await client.answer(), undefined)
})

test('close does not wait for the rest of a body that was refused', { timeout: 10_000 }, async t => {
  const door = await openDoor(t, { bounds: { drainTimeoutMs: 60_000, lingerIdleTimeoutMs: 60_000 } })
  const client = new Client(t, door.port)
  await client.send('POST /onvif/device_service HTTP/1.1\r\nHost: d\r\nContent-Length: 9999999999\r\n\r\n')
  assert.equal((await client.answer())?.status, 413)
  await door.server.close()
})

test('closing a second time waits for the first', { timeout: 10_000 }, async t => {
  const release = Promise.withResolvers<void>()
  const door = await openDoor(t, { handle: () => release.promise.then(() => soapAnswer('<ok/>')) })
  const client = new Client(t, door.port)
  await client.send(message)
  await until(() => door.soap.length >= 1)
  let open = 2
  const closes = [1, 2].map(() => door.server.close().then(() => open--))
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(open, 2)
  release.resolve()
  await Promise.all(closes)
  await door.server.close()
})

test('the same port can be listened on again at once', async t => {
  const door = await openDoor(t)
  assert.equal((await ask(t, door.port, message))?.status, 200)
  await door.server.close()
  const again = createHttpServer({
    handle: async () => soapAnswer('<again/>'),
    authenticator: { authenticate: () => ({ kind: 'anonymous' }), challenges: () => [], permits: () => false },
    uploads: new Map(),
    downloads: new Map(),
    firmware: noFirmware,
    logs: { system: silent, access: silent },
  })
  assert.equal((await again.listen('127.0.0.1', door.port)).port, String(door.port))
  assert.equal((await ask(t, door.port, message))?.body, '<again/>')
  await again.close()
})

const silent = { debug() {}, info() {}, warn() {}, error() {} }

const descriptors = () => readdirSync('/proc/self/fd').length
