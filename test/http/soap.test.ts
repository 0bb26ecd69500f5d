import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ask, Client, openDoor, post, soapAnswer, until } from './door.ts'

const path = '/onvif/device_service'

test('a SOAP message reaches the service whole, and its answer leaves as it is', async t => {
  const door = await openDoor(t)
  const answer = await ask(t, door.port, post(path, '<q/>', ['Authorization: Digest x']))
  assert.equal(answer?.status, 200)
  assert.equal(answer.body, '<ok/>')
  assert.match(answer.head, /^Content-Type: application\/soap\+xml; charset=utf-8$/m)
  assert.match(answer.head, /^Content-Length: 5$/m, 'spelled and spaced as libonvif looks for it')
  assert.doesNotMatch(answer.head, /^(Server|X-Powered-By|Transfer-Encoding|Content-Encoding):/im)
  assert.ok(answer.head.length < 1024)
  const [request] = door.soap
  assert.equal(Buffer.from(request?.body ?? []).toString(), '<q/>')
  assert.equal(request?.target, path)
  assert.equal(request?.authorization, 'Digest x')
  assert.equal(request?.remoteAddress, '127.0.0.1')
})

test('several challenges are several header lines, in their order', async t => {
  const door = await openDoor(t, {
    handle: () => ({
      ...soapAnswer('<fault/>'),
      status: 401,
      headers: { 'content-length': '8', 'www-authenticate': ['Digest a', 'Digest b'] },
    }),
  })
  const answer = await ask(t, door.port, post(path, '<q/>'))
  assert.match(answer?.head ?? '', /WWW-Authenticate: Digest a\r\nWWW-Authenticate: Digest b/)
})

const chunked = (body: string) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`

/** Each is taken, and the service gets this body. */
const taken: readonly (readonly [title: string, request: string, body: string])[] = [
  ['an empty POST, as curl --digest sends it first', post(path, ''), ''],
  ['text/xml with SOAPAction', post(path, '<q/>', ['Content-Type: text/xml; charset=utf-8', 'SOAPAction: "x"']), '<q/>'],
  ['a trailing semicolon', post(path, '<q/>', ['Content-Type: application/soap+xml; charset=utf-8;']), '<q/>'],
  ['an unquoted action', post(path, '<q/>', ['Content-Type: application/soap+xml;charset=utf-8;action=http://x/y']), '<q/>'],
  ['a Content-Type that is none', post(path, '<q/>', ['Content-Type: ;;;']), '<q/>'],
  ['the identity coding', post(path, '<q/>', ['Content-Encoding: identity', 'Accept-Encoding: gzip, deflate']), '<q/>'],
  ['any path of a service', post('/onvif/deviceio_service', '<q/>'), '<q/>'],
  ['a query', post(`${path}?x=1`, '<q/>'), '<q/>'],
  ['absolute-form', post(`http://device:80${path}`, '<q/>'), '<q/>'],
  [
    'an upgrade that nobody wants',
    post(path, '<q/>', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMA']),
    '<q/>',
  ],
  ['chunks', `POST ${path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n${chunked('<q/>')}`, '<q/>'],
  ['HTTP/1.0', `POST ${path} HTTP/1.0\r\nContent-Length: 4\r\n\r\n<q/>`, '<q/>'],
  [
    'HTTP/1.0 with an expectation, which it has not',
    `POST ${path} HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n<q/>`,
    '<q/>',
  ],
  ['blanks around the length', `POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length:  4 \r\n\r\n<q/>`, '<q/>'],
  ['__proto__ among the headers', post(path, '<q/>', ['__proto__: x', 'constructor: y']), '<q/>'],
]
for (const [title, request, body] of taken) {
  test(`taken: ${title}`, async t => {
    const door = await openDoor(t)
    assert.equal((await ask(t, door.port, request))?.status, 200)
    assert.deepEqual(
      door.soap.map(r => Buffer.from(r.body).toString()),
      [body],
    )
  })
}

const bounds = { requestBytesMax: 100 }
const bomb = gzipSync(Buffer.alloc(1_000_000)).toString('latin1')

/** Each is refused with this status before the service hears of it. */
const refused: readonly (readonly [title: string, request: string, status: number])[] = [
  ['a length over the limit', post(path, 'x'.repeat(101)), 413],
  ['a length of petabytes', `POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: 9007199254740993\r\n\r\n`, 413],
  ['chunks over the limit', `POST ${path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n${chunked('x'.repeat(101))}`, 413],
  ['a gzip bomb', post(path, bomb.slice(0, 50), ['Content-Encoding: gzip']), 415],
  ['two codings', post(path, 'x', ['Content-Encoding: deflate, identity']), 415],
  ['a form', post(path, 'x', ['Content-Type: Multipart/Form-Data; boundary=x']), 415],
  [
    'a transfer coding that is not undone',
    `POST ${path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${chunked('x')}`,
    501,
  ],
  ['two hosts', `POST ${path} HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\n\r\nx`, 400],
  ['an unknown expectation', post(path, 'x', ['Expect: a-miracle']), 417],
]
for (const [title, request, status] of refused) {
  test(`refused with ${status}: ${title}`, async t => {
    const door = await openDoor(t, { bounds })
    assert.equal((await ask(t, door.port, request))?.status, status)
    assert.deepEqual(door.soap, [])
  })
}

test('a message with attachments may be larger, and its Content-Type goes with it', async t => {
  const door = await openDoor(t, { bounds: { requestBytesMax: 10, packageBytesMax: 100 } })
  const type = 'Multipart/Related; boundary="x"'
  assert.equal((await ask(t, door.port, post(path, 'x'.repeat(100), [`Content-Type: ${type}`])))?.status, 200)
  assert.equal((await ask(t, door.port, post(path, 'x'.repeat(101), [`Content-Type: ${type}`])))?.status, 413)
  assert.deepEqual(
    door.soap.map(request => [request.body.length, request.contentType]),
    [[100, type]],
  )
})

test('only so many messages with attachments are taken at a time, and others meanwhile', async t => {
  const door = await openDoor(t, { bounds: { packagesMax: 2 } })
  const head = `POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Type: multipart/related; boundary=x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n`
  const slow = [new Client(t, door.port), new Client(t, door.port)]
  for (const client of slow) {
    await client.send(head)
    assert.equal((await client.answer())?.status, 100)
  }
  const surplus = post(path, 'x', ['Content-Type: multipart/related; boundary=x'])
  assert.equal((await ask(t, door.port, surplus))?.status, 503)
  assert.equal((await ask(t, door.port, post(path, 'x')))?.status, 200)
  const [first, second] = slow
  await first?.send('x')
  assert.equal((await first?.answer())?.status, 200)
  assert.equal((await ask(t, door.port, surplus))?.status, 200)
  // A client that hangs up makes room, too, as soon as the device hears of it.
  await first?.send(head)
  assert.equal((await first?.answer())?.status, 100)
  assert.equal((await ask(t, door.port, surplus))?.status, 503)
  second?.socket.destroy()
  while ((await ask(t, door.port, surplus))?.status !== 200);
})

test('100 Continue is sent when the body will be taken, and only then', async t => {
  const door = await openDoor(t, { bounds: { ...bounds, arrivingBytesMax: 1_000 } })
  const head = (length: number) => `POST ${path} HTTP/1.1\r\nHost: d\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
  const client = new Client(t, door.port)
  await client.send(head(4))
  assert.equal((await client.answer())?.status, 100)
  await client.send('<q/>')
  assert.equal((await client.answer())?.status, 200)
  await client.send(head(1_001))
  const refusal = await client.answer()
  assert.equal(refusal?.status, 413)
  assert.equal(refusal.headers.get('connection'), 'close')
})

test('a connection serves one request after the other, also those that were sent ahead', async t => {
  let count = 0
  const door = await openDoor(t, { handle: () => soapAnswer(`<n>${++count}</n>`) })
  const client = new Client(t, door.port)
  await client.send(post(path, 'a') + post(path, 'b'))
  assert.equal((await client.answer())?.body, '<n>1</n>')
  assert.equal((await client.answer())?.body, '<n>2</n>')
  await client.send(post(path, 'c'))
  const third = await client.answer()
  assert.equal(third?.body, '<n>3</n>')
  assert.equal(third.headers.get('connection'), 'keep-alive')
  assert.equal(new Set(door.soap.map(request => request.origin)).size, 1, 'one origin object, not one for each request')
})

test('a client that wants to close is told so, and the connection ends', async t => {
  const door = await openDoor(t)
  const client = new Client(t, door.port)
  await client.send(post(path, 'a', ['Connection: TE, close', 'TE: deflate']))
  assert.equal((await client.answer())?.headers.get('connection'), 'close')
  await client.ended()
})

test('a client that has ended its half still reads a late answer', async t => {
  const release = Promise.withResolvers<void>()
  const door = await openDoor(t, {
    handle: async () => {
      await release.promise
      return soapAnswer('<late/>')
    },
  })
  const client = new Client(t, door.port)
  client.socket.end(post(path, '<q/>'))
  await until(() => door.soap.length === 1)
  // The end of the client's half is seen before the next connection is.
  await ask(t, door.port, 'GET /nothing HTTP/1.1\r\nHost: d\r\n\r\n')
  release.resolve()
  assert.equal((await client.answer())?.body, '<late/>')
  await client.ended()
})

test('what follows an answer runs once it has left, and its failure is logged', async t => {
  const events: string[] = []
  const door = await openDoor(t, {
    handle: () =>
      soapAnswer('<ok/>', async () => {
        events.push('effect')
        throw new Error('no power')
      }),
  })
  const client = new Client(t, door.port)
  await client.send(post(path, '<q/>'))
  assert.equal((await client.answer())?.status, 200)
  await until(() => door.log.some(entry => entry.level === 'error'))
  assert.deepEqual(events, ['effect'])
})

test('what follows an answer waits until the last byte of it has left', { timeout: 10_000 }, async t => {
  const ran: string[] = []
  const effect = async () => void ran.push('effect')
  // More than the buffers of the two sockets hold.
  const long = 'x'.repeat(32 << 20)
  const door = await openDoor(t, { handle: ({ body }) => (body.length === 1 ? soapAnswer('<ok/>') : soapAnswer(long, effect)) })
  const slow = connect({ port: door.port, host: '127.0.0.1' }).pause()
  t.after(() => slow.destroy())
  slow.write(post(path, '<q/>'))
  await until(() => door.soap.length === 1)
  await ask(t, door.port, post(path, 'x'))
  assert.deepEqual(ran, [])
  slow.resume()
  await until(() => ran.length === 1)
})

test('what follows an answer runs also when the client has gone', async t => {
  const gone = Promise.withResolvers<void>()
  const ran = Promise.withResolvers<void>()
  const door = await openDoor(t, {
    handle: async () => {
      await gone.promise
      return soapAnswer('<ok/>', async () => ran.resolve())
    },
  })
  const client = new Client(t, door.port)
  await client.send(post(path, '<q/>'))
  await until(() => door.soap.length === 1)
  client.socket.resetAndDestroy()
  await client.closed
  await ask(t, door.port, 'GET /nothing HTTP/1.1\r\nHost: d\r\n\r\n')
  gone.resolve()
  await ran.promise
})

test('a service that fails costs one answer and tells nothing', async t => {
  const door = await openDoor(t, { handle: () => Promise.reject(new Error('secret of /etc')) })
  const answer = await ask(t, door.port, post(path, '<q/>'))
  assert.equal(answer?.status, 500)
  assert.doesNotMatch(answer.body, /secret|at /)
  assert.equal(door.log[0]?.level, 'error')
})

test('a message is put together from whatever pieces it comes in', { timeout: 10_000 }, async t => {
  const door = await openDoor(t)
  const message = Array.from({ length: 50_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
  const single = [...message].map(byte => `1\r\n${byte}\r\n`).join('')
  const bodies = [
    `POST ${path} HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n${single}0\r\n\r\n`,
    post(path, message.repeat(20)),
    post(path, message.slice(0, 100)),
  ]
  for (const bytes of bodies) assert.equal((await ask(t, door.port, bytes))?.status, 200)
  const seen = door.soap.map(({ body }) => Buffer.from(body).toString())
  assert.deepEqual(seen, [message, message.repeat(20), message.slice(0, 100)])
})

test('a message that comes in drops is cut off after its time', { timeout: 5_000 }, async t => {
  const door = await openDoor(t, { bounds: { requestTimeoutMs: 50 } })
  const client = new Client(t, door.port)
  await client.send(`POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\n`)
  const answered = client.answer()
  const drip = setInterval(() => void client.send('x'), 5)
  t.after(() => clearInterval(drip))
  assert.equal((await answered)?.status, 408)
  assert.deepEqual(door.soap, [])
})

test('silence ends a connection, in a message and between two', { timeout: 5_000 }, async t => {
  const door = await openDoor(t, { bounds: { silenceTimeoutMs: 50 } })
  const within = new Client(t, door.port)
  await within.send(`POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\nx`)
  await within.ended()
  const between = new Client(t, door.port)
  await between.send(post(path, '<q/>'))
  assert.equal((await between.answer())?.status, 200)
  await between.ended()
})
