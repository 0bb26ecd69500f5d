import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { Client, type Door, openDoor, post, until } from './door.ts'

const service = '/onvif/device_service'
const bounds = { bodiesBytesMax: 400_000, bodyFreeBytes: 1_000, lingerIdleTimeoutMs: 100 }
const small = post(service, '<q/>')

/** The head of a message and a part of its body, from one of the addresses of the loopback. */
function begin(t: TestContext, { port }: Door, bytes: number, localAddress = '127.0.0.1', length = 500_000) {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  const sender: { readonly socket: Socket; answer: string; ended: boolean } = { socket, answer: '', ended: false }
  socket.on('error', () => {})
  socket.on('data', piece => {
    sender.answer += piece.toString('latin1')
  })
  socket.once('close', () => {
    sender.ended = true
  })
  t.after(() => socket.destroy())
  // One byte first, so that the rest is no message in one piece.
  socket.write(`POST ${service} HTTP/1.1\r\nHost: d\r\nContent-Length: ${length}\r\n\r\n<`)
  setTimeout(() => socket.write(Buffer.alloc(bytes, 'x')), 20)
  return sender
}

const isRefused = ({ answer }: { readonly answer: string }) => answer.startsWith('HTTP/1.1 503 ')
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

test('bodies of all senders together have a bound; what is beyond it is refused, and its connection ends', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds })
  const senders = Array.from({ length: 8 }, (_, index) => begin(t, door, 60_000, `127.0.0.${index + 2}`))
  await until(() => senders.some(isRefused))
  await pause(200)
  const kept = senders.filter(sender => !sender.ended && sender.answer === '')
  assert.ok(kept.length >= 2 && kept.length <= 6, `${kept.length} are kept`)
  const refused = senders.find(isRefused)
  assert.match(refused?.answer ?? '', /\r\nRetry-After: 10\r\n/)
  assert.match(refused?.answer ?? '', /\r\nConnection: close\r\n/)
  await until(() => senders.filter(isRefused).every(({ ended }) => ended))
  const client = new Client(t, door.port)
  await client.send(small)
  assert.equal((await client.answer())?.status, 200, 'small ones are served in any case')
})

test('one source takes no more than its share', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds })
  const greedy = Array.from({ length: 10 }, () => begin(t, door, 45_000, '127.0.0.2'))
  await until(() => greedy.some(isRefused))
  await pause(100)
  const other = begin(t, door, 20_000, '127.0.0.3')
  await pause(100)
  assert.equal(other.answer, '', 'whoever comes from elsewhere finds room')
})

test('what is answered, broken off or refused gives its room back', { timeout: 30_000 }, async t => {
  const door = await openDoor(t, { bounds: { ...bounds, requestTimeoutMs: 300 } })
  for (let round = 0; round < 12; round++) {
    const lost = begin(t, door, 100_000)
    const whole = begin(t, door, 49_999, '127.0.0.3', 50_000)
    await until(() => whole.answer !== '')
    assert.match(whole.answer, /^HTTP\/1\.1 200 /, `round ${round}`)
    if (round % 2 === 0) lost.socket.resetAndDestroy()
    else {
      await until(() => lost.answer !== '')
      assert.match(lost.answer, /^HTTP\/1\.1 408 /)
    }
  }
})

test('messages with attachments count as long as their senders are not known', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { ...bounds, requestBytesMax: 1_000 } })
  const head = `POST ${service} HTTP/1.1\r\nHost: d\r\nContent-Type: multipart/related; boundary=b\r\nContent-Length: 900000\r\n\r\n`
  const client = new Client(t, door.port)
  await client.send(head)
  await client.send(Buffer.alloc(450_000, 'x'))
  const answer = await client.answer()
  assert.equal(answer?.status, 503)
  assert.equal(answer.headers.get('retry-after'), '10')
})

test('… and no longer', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, {
    bounds: { ...bounds, requestBytesMax: 1_000 },
    async receive({ body }) {
      if (body instanceof Uint8Array) return assert.fail('it is larger than what is collected')
      body.admit()
      let bytes = 0
      for await (const piece of body.bytes) bytes += piece.length
      return { status: 200, headers: { 'content-length': String(String(bytes).length) }, body: String(bytes), afterReply: undefined }
    },
  })
  const client = new Client(t, door.port)
  await client.send(post(service, 'x'.repeat(900_000)))
  assert.equal((await client.answer())?.body, '900000')
})

test('a byte now and then buys no more time than a message may take', { timeout: 20_000 }, async t => {
  const door = await openDoor(t, { bounds: { requestTimeoutMs: 200, lingerIdleTimeoutMs: 100 } })
  const client = new Client(t, door.port)
  await client.send(`POST ${service} HTTP/1.1\r\nHost: d\r\nContent-Length: 100000\r\n\r\n`)
  const drip = setInterval(() => client.socket.write('x'), 20)
  t.after(() => clearInterval(drip))
  assert.equal((await client.answer())?.status, 408)
  await client.closed
  assert.equal(door.soap.length, 0)
})

test('all that nobody has logged in for fits into a small device', () => {
  const mebibytes = (limits.bodiesBytesMax + limits.connectionsMax * limits.bodyFreeBytes) / 2 ** 20
  assert.ok(mebibytes <= 64, `${mebibytes} MiB`)
})
