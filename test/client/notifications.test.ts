import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ClientError } from '../../src/client/errors.ts'
import { ConsumerRefusal, createNotifications } from '../../src/client/notifications.ts'
import { limits } from '../../src/limits.ts'
import { referenceBlocks } from '../../src/soap/addressing.ts'
import { parseXml } from '../../src/soap/xml.ts'
import { issue, lacksOpenssl, makeRoot, read } from '../device/certificates/lab.ts'
import { startStandIn } from './standIn.ts'

const WSA = 'http://www.w3.org/2005/08/addressing'
const WSNT = 'http://docs.oasis-open.org/wsn/b-2'
const notify = '<wsnt:Notify><wsnt:NotificationMessage/></wsnt:Notify>'
const to = (address: string, parameters = '') => ({ address, parameters })
const soon = (ms = 5_000) => AbortSignal.timeout(ms)

function open(t: TestContext, isLocalAllowed = true) {
  const notifications = createNotifications({ isLocalAllowed })
  t.after(() => notifications.close())
  return notifications
}

const failure = (kind: ClientError['kind']) => (error: unknown) => error instanceof ClientError && error.kind === kind

/** Names of this test, with what they resolve to each time; every question is noted. */
function answerNames(t: TestContext, names: Readonly<Record<string, (nth: number) => readonly string[]>>) {
  const asked: string[] = []
  t.mock.method(dns, 'lookup', (name: string, _options: object, done: (error: Error | null, found?: object[]) => void) => {
    asked.push(name)
    const found = names[name]?.(asked.length) ?? []
    const error = found.length === 0 ? Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }) : null
    setImmediate(() =>
      done(
        error,
        found.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    )
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  return asked
}

test('a consumer gets one POST with the message, addressed to it, with its own parameters and nothing of ours', async t => {
  const consumer = await startStandIn(t, (_, response) => response.writeHead(202).end())
  const address = `http://127.0.0.1:${consumer.port}/sink?a=1&b=2#part`
  const { send } = open(t)
  const key = { namespace: 'urn:consumer', name: 'Key', attributes: [], children: [], text: '7' }
  await send(to(address, referenceBlocks([{ xml: key }])), notify, soon())
  await send(to(address), notify, soon())
  assert.equal(consumer.asked.length, 2)
  const [{ request, body } = assert.fail(), second] = consumer.asked
  assert.equal(`${request.method} ${request.url}`, 'POST /sink?a=1&b=2')
  assert.equal(
    request.headers['content-type'],
    'application/soap+xml; charset=utf-8; action="http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify"',
  )
  assert.equal(request.headers.host, `127.0.0.1:${consumer.port}`)
  assert.deepEqual(Object.keys(request.headers).sort(), ['connection', 'content-length', 'content-type', 'host'])

  const envelope = parseXml(body)
  assert.equal(envelope.namespace, 'http://www.w3.org/2003/05/soap-envelope')
  const [header, content] = envelope.children
  const blocks = new Map(header?.children.map(each => [`{${each.namespace}}${each.name}`, each]))
  assert.equal(blocks.get(`{${WSA}}To`)?.text, address)
  assert.equal(blocks.get(`{${WSA}}Action`)?.text, 'http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify')
  assert.match(blocks.get(`{${WSA}}MessageID`)?.text ?? '', /^urn:uuid:[0-9a-f-]{36}$/)
  assert.equal(blocks.get('{urn:consumer}Key')?.text, '7')
  assert.deepEqual(blocks.get('{urn:consumer}Key')?.attributes, [{ namespace: WSA, name: 'IsReferenceParameter', value: 'true' }])
  assert.deepEqual([content?.children[0]?.namespace, content?.children[0]?.name], [WSNT, 'Notify'])
  const idOf = (message: string) => /urn:uuid:[0-9a-f-]+/.exec(message)?.[0]
  assert.notEqual(idOf(body), idOf(second?.body ?? ''), 'each message has an ID of its own')
})

test('only a status of success is a delivery; nobody is followed elsewhere, and nobody logs in', async t => {
  const elsewhere = await startStandIn(t, (_, response) => response.writeHead(200).end())
  let status = 200
  const consumer = await startStandIn(t, (_, response) =>
    response.writeHead(status, { location: `http://127.0.0.1:${elsewhere.port}/`, 'www-authenticate': 'Basic realm="x"' }).end('why'),
  )
  const { send } = open(t)
  for (status of [200, 202, 204]) await send(to(consumer.url), notify, soon())
  for (status of [301, 302, 303, 307, 308, 401, 404, 500, 503]) {
    await assert.rejects(
      send(to(consumer.url), notify, soon()),
      (error: unknown) => error instanceof ClientError && error.kind === 'status' && error.status === status,
    )
  }
  assert.equal(consumer.asked.length, 12, 'each of them once')
  assert.equal(elsewhere.asked.length, 0)
})

test('an answer without an end, and one that comes by drops, say no more than their status', { timeout: 10_000 }, async t => {
  let status = 200
  let sent = 0
  let ended = 0
  const consumer = await startStandIn(t, ({ body }, response) => {
    response.on('error', () => {}).once('close', () => (ended += 1))
    response.writeHead(status)
    if (body.includes('drops')) {
      const drops = setInterval(() => response.write('.'), 20)
      response.once('close', () => clearInterval(drops))
      return
    }
    const piece = 'x'.repeat(16_384)
    const pour = () => {
      while (!response.destroyed && response.write(piece)) sent += piece.length
    }
    response.on('drain', pour)
    pour()
  })
  const { send } = open(t)
  await send(to(consumer.url), notify, soon())
  assert.ok(sent < limits.notifyAnswerBytesMax + 32_000_000, 'the rest stays in the buffers of the system')
  const drops = '<wsnt:Notify><drops/></wsnt:Notify>'
  const began = performance.now()
  await send(to(consumer.url), drops, soon(200))
  assert.ok(performance.now() - began < 2_000)
  status = 500
  await assert.rejects(send(to(consumer.url), notify, soon()), failure('status'))
  await assert.rejects(send(to(consumer.url), drops, soon(200)), failure('timeout'))
  while (ended < 4) await new Promise(resolve => setImmediate(resolve))
})

test('a consumer that says nothing, or nonsense, or hangs up, costs no more time than it is given', { timeout: 10_000 }, async t => {
  const sockets = new Set<Socket>()
  let act = (_socket: Socket) => {}
  const server = createTcpServer(socket => {
    sockets.add(socket.on('error', () => {}))
    socket.once('data', () => act(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const place = server.address()
  const address = `http://127.0.0.1:${typeof place === 'object' ? place?.port : ''}/`
  const { send } = open(t)
  await assert.rejects(send(to(address), notify, soon(100)), failure('timeout'))
  act = socket => socket.resetAndDestroy()
  await assert.rejects(send(to(address), notify, soon()), failure('closed'))
  act = socket => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n')
  await assert.rejects(send(to(address), notify, soon()), failure('answer'))
  act = socket => socket.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}`)
  await assert.rejects(send(to(address), notify, soon()), failure('answer'))
  act = socket => socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  await assert.rejects(send(to(address), notify, soon()), failure('answer'))
  for (const socket of sockets) socket.destroy()
  await new Promise(resolve => server.close(resolve))
  await assert.rejects(send(to(address), notify, soon()), failure('unreachable'))
})

test('connections to consumers are few, and those that wait for one can be called off', { timeout: 20_000 }, async t => {
  let now = 0
  let most = 0
  const consumer = await startStandIn(t, () => {})
  consumer.server.on('connection', socket => {
    most = Math.max(most, ++now)
    socket.once('close', () => --now)
  })
  const { send } = open(t)
  const stop = new AbortController()
  const outcomes = Array.from({ length: limits.eventConsumersMax + 20 }, () => send(to(consumer.url), notify, stop.signal).catch(e => e))
  while (consumer.asked.length < limits.eventConsumersMax) await new Promise(resolve => setTimeout(resolve, 5))
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.equal(most, limits.eventConsumersMax)
  stop.abort()
  for (const error of await Promise.all(outcomes)) assert.ok(failure('timeout')(error))
})

/** However it is put, this is the machine itself. */
const own = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://0x7f.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://127.0.0.1./',
  'http://１２７.０.０.１/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://localhost/',
  'http://LOCALHOST/',
  'https://127.0.0.1:8443/',
]

test('what leads to the machine itself is refused, however it is written', async t => {
  const consumer = await startStandIn(t, (_, response) => response.writeHead(200).end())
  const { send, assertConsumer } = open(t, false)
  for (const written of own) {
    const address = written.replace(/\/$/, `:${consumer.port}/`).replace(':8443:', ':')
    await assert.rejects(assertConsumer(address), ConsumerRefusal, address)
    await assert.rejects(send(to(address), notify, soon()), ConsumerRefusal, address)
  }
  assert.equal(consumer.asked.length, 0)
  await open(t).assertConsumer(`http://127.1:${consumer.port}/`)
  await open(t).send(to(`http://0x7f.1:${consumer.port}/`), notify, soon())
  assert.equal(consumer.asked.length, 1, 'with the option it is allowed')
})

test('what is no HTTP address, or has a password in it, is refused in any case', async t => {
  const { send, assertConsumer } = open(t)
  const wrong = [
    '',
    'consumer',
    '/onvif/sink',
    'ftp://192.0.2.1/',
    'file:///etc/passwd',
    'gopher://192.0.2.1/',
    'urn:uuid:1',
    'http://',
    'http://user@192.0.2.1/',
    'http://user:password@192.0.2.1/',
    'http://[fe80::1%25eth0]/',
    'http://224.0.0.1/',
    'http://0.0.0.0/',
    'http://255.255.255.255/',
    'http://[::]/',
    'http://[ff02::1]/',
    'http://192.0.2.1:99999/',
    `http://192.0.2.1/${'x'.repeat(limits.uriCharactersMax)}`,
    'http://www.w3.org@127.0.0.1/',
  ]
  for (const address of wrong) {
    await assert.rejects(assertConsumer(address), ConsumerRefusal, address)
    await assert.rejects(send(to(address), notify, soon()), ConsumerRefusal, address)
  }
})

test('a name is looked up once for each message, and what was found is what is connected to', async t => {
  const consumer = await startStandIn(t, (_, response) => response.writeHead(200).end())
  // Whoever looked a second time would be sent to where nothing listens.
  const asked = answerNames(t, { 'consumer.example': nth => [nth === 1 ? '127.0.0.1' : '127.0.0.9'] })
  await open(t).send(to(`http://consumer.example:${consumer.port}/`), notify, soon())
  assert.deepEqual(asked, ['consumer.example'])
  assert.equal(consumer.asked[0]?.request.headers.host, `consumer.example:${consumer.port}`)
})

test('of the addresses of a name, only those count where the device sends', async t => {
  const consumer = await startStandIn(t, (_, response) => response.writeHead(200).end())
  answerNames(t, {
    'mixed.example': () => ['224.0.0.1', '127.0.0.1', '::'],
    'local.example': () => ['127.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', 'fe80::1'],
    'nowhere.example': () => ['224.0.0.1', '0.0.0.0'],
    // The first would lead to the consumer, which does not listen at the second.
    'trap.example': () => ['0.0.0.0', '127.0.0.2'],
  })
  const address = (name: string) => `http://${name}:${consumer.port}/`
  await open(t).send(to(address('mixed.example')), notify, soon())
  assert.equal(consumer.asked.length, 1)
  await assert.rejects(open(t).send(to(address('trap.example')), notify, soon()), failure('unreachable'))
  for (const [allowed, name, kind] of [
    [true, 'nowhere.example', /a multicast address/],
    [false, 'local.example', /a loopback address/],
    [false, 'mixed.example', /a multicast address/],
  ] as const) {
    const refused = (error: unknown) => error instanceof ConsumerRefusal && kind.test(error.message)
    await assert.rejects(open(t, allowed).assertConsumer(address(name)), refused)
    await assert.rejects(open(t, allowed).send(to(address(name)), notify, soon()), refused)
  }
  assert.equal(consumer.asked.length, 1)
  await open(t).assertConsumer('http://unknown.example/')
  await assert.rejects(open(t).send(to('http://unknown.example/'), notify, soon()), failure('unreachable'))
})

test('HTTPS is for consumers whose certificate leads to a CA that everybody believes', { skip: lacksOpenssl, timeout: 30_000 }, async t => {
  makeRoot('consumers')
  const extensions = (name: string) => ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth', `subjectAltName=${name}`]
  issue('consumer', 'consumers', extensions('IP:127.0.0.1'))
  issue('other-consumer', 'consumers', extensions('IP:127.0.0.2'))
  const received: string[] = []
  const listen = async (name: string) => {
    const server = createServer({ cert: read(`${name}.crt`), key: read(`${name}.key`) }, (request, response) => {
      received.push(name)
      request.resume()
      response.end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.after(() => server.close())
    const address = server.address()
    return `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  }
  const [good, wrongName] = [await listen('consumer'), await listen('other-consumer')]
  await assert.rejects(open(t).send(to(good), notify, soon()), failure('untrusted'))
  const before = getCACertificates()
  t.after(() => setDefaultCACertificates(before))
  setDefaultCACertificates([...before, String(read('consumers.crt'))])
  await open(t).send(to(good), notify, soon())
  await assert.rejects(open(t).send(to(wrongName), notify, soon()), failure('untrusted'))
  assert.deepEqual(received, ['consumer'])
})
