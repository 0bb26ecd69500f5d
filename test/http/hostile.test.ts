import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, openDoor, post } from './door.ts'

const path = '/onvif/device_service'
const head = `POST ${path} HTTP/1.1\r\nHost: d\r\n`
const good = post(path, '<q/>')
/** A request that must not come to life behind the one before it. */
const smuggled = post('/onvif/smuggled', 'x')

/** RFC 9112 5 to 7: what is sent, and the one status that may come back; 0 where the connection just ends. */
const malformed: readonly (readonly [title: string, bytes: string, status: number])[] = [
  ['Content-Length and Transfer-Encoding', `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['Transfer-Encoding and Content-Length', `${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['two lengths', `${head}Content-Length: 4\r\nContent-Length: 5\r\n\r\n<q/>${smuggled}`, 400],
  ['the same length twice', `${head}Content-Length: 4\r\nContent-Length: 4\r\n\r\n<q/>${smuggled}`, 400],
  ['a list of lengths', `${head}Content-Length: 4, 4\r\n\r\n<q/>`, 400],
  ['a negative length', `${head}Content-Length: -1\r\n\r\n`, 400],
  ['a signed length', `${head}Content-Length: +4\r\n\r\n<q/>`, 400],
  ['a hexadecimal length', `${head}Content-Length: 0x4\r\n\r\n<q/>`, 400],
  ['an empty length', `${head}Content-Length: \r\n\r\n`, 400],
  ['a length beyond 64 bits', `${head}Content-Length: 99999999999999999999999\r\n\r\n`, 400],
  ['a blank before the colon', `${head}Content-Length : 4\r\n\r\n<q/>`, 400],
  ['a folded header', `${head}X-A: b\r\n c\r\nContent-Length: 4\r\n\r\n<q/>`, 400],
  ['a folded Transfer-Encoding', `${head}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`, 400],
  ['a header line without colon', `${head}nonsense\r\n\r\n`, 400],
  ['a bare carriage return', `${head}X-A: b\rContent-Length: 4\r\n\r\n<q/>`, 400],
  ['bare line feeds', `POST ${path} HTTP/1.1\nHost: d\nContent-Length: 1\n\nx`, 400],
  ['a NUL in a header', `${head}X-A: b\0c\r\nContent-Length: 1\r\n\r\nx`, 400],
  ['a NUL in the target', `POST /onvif/a\0b HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\nx`, 400],
  ['a blank in the target', `POST /onvif/a b HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\nx`, 400],
  ['no host in HTTP/1.1', `POST ${path} HTTP/1.1\r\nContent-Length: 1\r\n\r\nx`, 400],
  ['a chunk size that is no number', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n<q/>\r\n0\r\n\r\n`, 400],
  ['a negative chunk size', `${head}Transfer-Encoding: chunked\r\n\r\n-4\r\n<q/>\r\n0\r\n\r\n`, 400],
  ['a chunk size beyond 64 bits', `${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx`, 400],
  ['a chunk without its end', `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nxyz0\r\n\r\n`, 400],
  ['endless chunk extensions', `${head}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(100_000)}`, 413],
  ['chunked twice', `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['chunked spelled otherwise', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 0],
  ['a header of 20 KB', `${head}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['a target of 20 KB', `POST /onvif/${'a'.repeat(20_000)} HTTP/1.1\r\n`, 431],
  ['a thousand headers', `${head}${'X-A: 12345678\r\n'.repeat(2000)}\r\n`, 431],
  ['a slash-less target, which a client sends', `POST deviceIO HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\nx`, 400],
  ['an absolute target that is no URL', 'POST http://[ HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\nx', 400],
  ['another scheme', 'GET ftp://d/x HTTP/1.1\r\nHost: d\r\n\r\n', 400],
  ['an unknown version', `POST ${path} HTTP/3.7\r\nHost: d\r\nContent-Length: 1\r\n\r\nx`, 400],
  ['an unknown method', `PWN ${path} HTTP/1.1\r\nHost: d\r\n\r\n`, 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a TLS handshake', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 400],
  ['CONNECT', 'CONNECT camera:443 HTTP/1.1\r\nHost: d\r\n\r\n', 0],
  ['OPTIONS of the whole server', 'OPTIONS * HTTP/1.1\r\nHost: d\r\n\r\n', 400],
  ['TRACE', `TRACE ${path} HTTP/1.1\r\nHost: d\r\nX-Secret: s\r\n\r\n`, 405],
  ['two slashes', 'POST // HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\nx', 404],
  ['a target that no decoder takes', 'GET /onvif/wsdl/%ff%c0%ae HTTP/1.1\r\nHost: d\r\n\r\n', 404],
]

for (const [title, bytes, status] of malformed) {
  test(`${status || 'no answer'}: ${title}`, { timeout: 10_000 }, async t => {
    const door = await openDoor(t, { bounds: { headersTimeoutMs: 500 } })
    const client = new Client(t, door.port)
    await client.send(Buffer.from(bytes, 'latin1'))
    const answer = await client.answer()
    assert.equal(answer?.status ?? 0, status)
    assert.doesNotMatch(answer?.body ?? '', /Error|\n +at |node:|secret/i)
    if (answer?.headers.get('connection') === 'close') await client.ended()
    assert.ok(!door.soap.some(request => request.target === '/onvif/smuggled'))

    const next = new Client(t, door.port)
    await next.send(good)
    assert.equal((await next.answer())?.status, 200, 'the next request is served')
  })
}

test('a malformed request after a good one ends the connection, not the answer before it', async t => {
  const door = await openDoor(t)
  const client = new Client(t, door.port)
  await client.send(good)
  assert.equal((await client.answer())?.status, 200)
  await client.send('nonsense\r\n\r\n')
  assert.equal((await client.answer())?.status, 400)
  await client.ended()
})

test('a head that does not come to its end is cut off', { timeout: 10_000 }, async t => {
  const door = await openDoor(t, { bounds: { headersTimeoutMs: 100 } })
  const slow = new Client(t, door.port)
  await slow.send(head)
  const silent = new Client(t, door.port)
  assert.equal((await slow.answer())?.status, 408)
  await slow.ended()
  await silent.ended()
})

test('a body that ends early never reaches the service', async t => {
  const door = await openDoor(t)
  for (const bytes of [`${head}Content-Length: 10\r\n\r\nshort`, `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nsh`]) {
    const client = new Client(t, door.port)
    client.socket.end(bytes)
    assert.equal((await client.answer())?.status, 400)
    await client.ended()
    const reset = new Client(t, door.port)
    await reset.send(bytes)
    reset.socket.resetAndDestroy()
    await reset.closed
  }
  const next = new Client(t, door.port)
  await next.send(good)
  assert.equal((await next.answer())?.status, 200)
  assert.equal(door.soap.length, 1)
})

test('thousands of pipelined requests are answered one by one', { timeout: 20_000 }, async t => {
  const door = await openDoor(t)
  const client = new Client(t, door.port)
  void client.send(good.repeat(2000))
  for (let i = 0; i < 2000; i++) assert.equal((await client.answer())?.status, 200)
})
