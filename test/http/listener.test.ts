import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ListenError } from '../../src/http/listener.ts'
import { createPorts } from '../../src/http/ports.ts'
import { createHttpServer, type HttpOptions } from '../../src/http/server.ts'
import { freePort } from '../support/freePort.ts'
import { ask, Client, noFirmware, openDoor, post, soapAnswer } from './door.ts'

const message = post('/onvif/device_service', '<q/>')
const silent = { debug() {}, info() {}, warn() {}, error() {} }

const http = (...ports: readonly number[]) => ({ http: ports, https: [] })
/** HTTP on the operator's port, and no HTTPS. */
const operators = { http: undefined, https: [] }

/** The first line that comes back for a message from `localAddress`; undefined where the connection just ends. */
async function asked(
  port: number,
  localAddress: string,
  host = localAddress.includes(':') ? '::1' : '127.0.0.1',
): Promise<string | undefined> {
  const socket = connect({ port, host, localAddress })
  socket.on('error', () => {})
  socket.write(message)
  const line = await firstLine(socket)
  socket.destroy()
  return line
}

const firstLine = (socket: Socket) =>
  new Promise<string | undefined>(resolve => {
    socket.once('data', bytes => resolve(String(bytes).split('\r\n', 1)[0]))
    socket.once('close', () => resolve(undefined))
  })

const openServer = (t: TestContext, options: Partial<HttpOptions> = {}) => {
  const server = createHttpServer({
    handle: async () => soapAnswer('<ok/>'),
    authenticator: { authenticate: () => ({ kind: 'anonymous' }), challenges: () => [], permits: () => true },
    uploads: new Map(),
    downloads: new Map(),
    firmware: noFirmware,
    logs: { system: silent, access: silent },
    ...options,
  })
  t.after(() => server.close())
  return server
}

test('who is not admitted gets no answer, whichever family the listener is of', { timeout: 10_000 }, async t => {
  const admitted = new Set(['127.0.0.1', '127.0.0.2', '::1'])
  const server = openServer(t, { admits: address => admitted.has(address) })
  const port = Number((await server.listen('::', 0)).port)
  const ok = 'HTTP/1.1 200 OK'
  const all = async () => Promise.all(['127.0.0.1', '127.0.0.2', '::1'].map(address => asked(port, address)))
  assert.deepEqual(await all(), [ok, ok, ok])
  admitted.delete('127.0.0.2')
  assert.deepEqual(await all(), [ok, undefined, ok])
  admitted.delete('::1')
  assert.deepEqual(await all(), [ok, undefined, undefined])
  admitted.clear()
  assert.deepEqual(await all(), [undefined, undefined, undefined])
})

test('expel ends the connections of those who are not admitted any more, idle or not, and no others', { timeout: 10_000 }, async t => {
  let open = true
  const running = Promise.withResolvers<void>()
  const server = openServer(t, {
    admits: address => open || address === '127.0.0.1',
    handle: async ({ body }) => {
      if (body instanceof Uint8Array && Buffer.from(body).toString() === 'slow') {
        running.resolve()
        await new Promise(() => {})
      }
      return soapAnswer('<ok/>')
    },
    bounds: { drainTimeoutMs: 50 },
  })
  const port = Number((await server.listen('127.0.0.1', 0)).port)
  const [kept, idle, busy] = ['127.0.0.1', '127.0.0.2', '127.0.0.2'].map(localAddress => connect({ port, host: '127.0.0.1', localAddress }))
  assert.ok(kept && idle && busy)
  for (const socket of [kept, idle]) {
    socket.write(message)
    await firstLine(socket)
  }
  busy.write(post('/onvif/device_service', 'slow'))
  await running.promise
  const ended = [idle, busy].map(socket =>
    once(
      socket.on('error', () => {}),
      'close',
    ),
  )
  open = false
  server.expel()
  await Promise.all(ended)
  kept.write(message)
  assert.equal(await firstLine(kept), 'HTTP/1.1 200 OK')
  kept.destroy()
})

test('a released port lets what runs there end, and nobody in', { timeout: 10_000 }, async t => {
  const release = Promise.withResolvers<void>()
  const door = await openDoor(t, {
    handle: async request => {
      if (Buffer.from(request.body).toString() === 'slow') await release.promise
      return soapAnswer('<ok/>')
    },
  })
  const second = Number((await door.server.listen('127.0.0.1', 0)).port)
  const [idle, busy] = [new Client(t, door.port), new Client(t, door.port)]
  await idle.send(message)
  assert.equal((await idle.answer())?.status, 200)
  await busy.send(post('/onvif/device_service', 'slow'))
  while (door.soap.length < 2) await new Promise(resolve => setImmediate(resolve))
  const released = door.server.release(door.port)
  await idle.ended()
  await assert.rejects(fetch(`http://127.0.0.1:${door.port}/`))
  assert.equal((await ask(t, second, message))?.status, 200)
  await busy.send(message)
  while (door.soap.length < 4) await new Promise(resolve => setImmediate(resolve))
  release.resolve()
  assert.equal((await busy.answer())?.body, '<ok/>')
  assert.equal((await busy.answer())?.headers.get('connection'), 'close', 'what is asked there still is told that it ends')
  await busy.ended()
  await released
  assert.equal((await ask(t, second, message))?.status, 200)
})

test('several ports are opened together or not at all', { timeout: 10_000 }, async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const address = other.address()
  const taken = typeof address === 'object' ? (address?.port ?? 0) : 0
  const free = await freePort()
  const ports = createPorts({ host: '127.0.0.1', port: 0 })
  const inUse = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

  await assert.rejects(ports.open(http(free, taken)), inUse, 'without a door it is tried out')
  assert.deepEqual(ports.ports(), http(0))

  const server = openServer(t)
  const own = Number((await ports.attach(server, operators, silent)).port)
  await assert.rejects(ports.open(http(free, taken)), error => inUse(error) && error instanceof ListenError)
  assert.deepEqual(ports.ports(), http(own))
  await assert.rejects(fetch(`http://127.0.0.1:${free}/`), 'nothing listens there')

  await ports.open(http(free, own))
  assert.deepEqual(ports.ports(), http(own, free))
  assert.equal((await ask(t, free, message))?.status, 200)
  await ports.keep(http(taken))
  assert.deepEqual(ports.ports(), http(own, free), 'never without a door')
  await ports.keep(http(free))
  assert.deepEqual(ports.ports(), http(free))
  await assert.rejects(fetch(`http://127.0.0.1:${own}/`))
})

test('where the ports that were set cannot be had, the device is on that of the operator, and says so', { timeout: 10_000 }, async t => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const address = other.address()
  const taken = typeof address === 'object' ? (address?.port ?? 0) : 0
  const errors: string[] = []
  const ports = createPorts({ host: '127.0.0.1', port: 0 })
  const origin = await ports.attach(
    openServer(t),
    { ...operators, http: [taken] },
    { ...silent, error: (_, text) => void errors.push(text) },
  )
  assert.deepEqual(ports.ports(), http(Number(origin.port)))
  assert.equal((await ask(t, Number(origin.port), message))?.status, 200)
  assert.equal(errors.length, 1)
})

test('requests may be sent before the answers are read, as long as they are few', { timeout: 10_000 }, async t => {
  const door = await openDoor(t, { bounds: { pipelinedMax: 3 } })
  const client = new Client(t, door.port)
  for (let round = 0; round < 3; round++) {
    await client.send(message.repeat(4))
    for (let index = 0; index < 4; index++) assert.equal((await client.answer())?.status, 200)
  }
})

test('who asks on and on and reads nothing loses his connection, before the answers are made', { timeout: 10_000 }, async t => {
  const never = new Promise<never>(() => {})
  const door = await openDoor(t, { handle: () => never, bounds: { pipelinedMax: 3 } })
  const client = new Client(t, door.port)
  await client.send(message.repeat(200))
  await client.ended()
  assert.ok(door.soap.length <= 4, `${door.soap.length} were taken`)
  assert.equal((await ask(t, door.port, 'GET /onvif/wsdl/device.wsdl HTTP/1.1\r\nHost: d\r\n\r\n'))?.status, 200)
})

test('who asks for another protocol and ends in the middle of his message is not waited for', { timeout: 10_000 }, async t => {
  const door = await openDoor(t)
  const upgrade = 'Upgrade: h2c\r\nConnection: upgrade\r\n'
  for (const headers of ['', upgrade]) {
    const client = new Client(t, door.port)
    client.socket.end(`POST /onvif/device_service HTTP/1.1\r\nHost: d\r\nContent-Length: 10\r\n${headers}\r\nhalf`)
    await client.ended()
  }
  const whole = `POST /onvif/device_service HTTP/1.1\r\nHost: d\r\nContent-Length: 4\r\n${upgrade}\r\n<q/>`
  assert.equal((await ask(t, door.port, whole))?.status, 200, 'a whole one is answered')
})
