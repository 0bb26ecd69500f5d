import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UploadRefusal } from '../../src/device/upload.ts'
import type { ArrivingBody, SoapAnswer, SoapRequest } from '../../src/soap/message.ts'
import { ask, Client, openDoor, post, soapAnswer, until, whole } from './door.ts'

const path = '/onvif/device_service'
const head = (...lines: readonly string[]) => `POST ${path} HTTP/1.1\r\n${['Host: d', ...lines].join('\r\n')}\r\n\r\n`
const multipart = 'Content-Type: multipart/related; boundary=x'
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

function arrivingOf({ body }: SoapRequest): ArrivingBody {
  assert.ok(!(body instanceof Uint8Array), 'it was collected')
  return body
}

/** As the service does it for an image. */
async function admitAndRead(request: SoapRequest): Promise<SoapAnswer> {
  const body = arrivingOf(request)
  body.admit()
  return soapAnswer(String((await whole(body.bytes)).length))
}

test('a large message is passed on as it arrives, with its length or in chunks', async t => {
  const door = await openDoor(t, { receive: admitAndRead, bounds: { requestBytesMax: 100 } })
  const content = 'x'.repeat(3_000_000)
  assert.equal((await ask(t, door.port, post(path, content)))?.body, '3000000')
  const half = content.slice(0, 1_500_000)
  const chunks = `${half.length.toString(16)}\r\n${half}\r\n`.repeat(2)
  assert.equal((await ask(t, door.port, `${head('Transfer-Encoding: chunked')}${chunks}0\r\n\r\n`))?.body, '3000000')
})

test('the connection goes on after a message that was read to its end', async t => {
  const door = await openDoor(t, { receive: admitAndRead, bounds: { requestBytesMax: 100 } })
  const client = new Client(t, door.port)
  for (let turn = 0; turn < 3; turn += 1) {
    await client.send(post(path, 'x'.repeat(200_000)))
    const answer = await client.answer()
    assert.deepEqual([answer?.body, answer?.headers.get('connection')], ['200000', 'keep-alive'])
  }
})

test('whoever is not admitted has the time and the size of any other message', { timeout: 10_000 }, async t => {
  const receive = async (request: SoapRequest) => {
    await whole(arrivingOf(request).bytes).catch(() => {})
    return soapAnswer('<fault/>')
  }
  const door = await openDoor(t, { receive, bounds: { requestBytesMax: 100, requestTimeoutMs: 100, packageBytesMax: 50_000 } })
  const slow = new Client(t, door.port)
  await slow.send(head('Content-Length: 1000'))
  let answer: Awaited<ReturnType<Client['answer']>>
  void slow.answer().then(came => {
    answer = came
  })
  while (answer === undefined) {
    await slow.send('x')
    await pause(10)
  }
  assert.equal(answer.status, 408)
  assert.equal((await ask(t, door.port, post(path, 'x'.repeat(101))))?.status, 413)
  assert.equal((await ask(t, door.port, post(path, 'x'.repeat(50_000), [multipart])))?.status, 200)
  assert.equal((await ask(t, door.port, post(path, 'x'.repeat(50_001), [multipart])))?.status, 413)
  assert.deepEqual(door.log, [])
})

test('a silent sender whom nobody knows loses the connection, and his body ends', { timeout: 10_000 }, async t => {
  let error: unknown
  const receive = async (request: SoapRequest) => {
    await whole(arrivingOf(request).bytes).catch(reason => {
      error = reason
    })
    return soapAnswer('<fault/>')
  }
  const door = await openDoor(t, { receive, bounds: { silenceTimeoutMs: 100 } })
  const client = new Client(t, door.port)
  await client.send(`${head('Content-Length: 2000000')}x`)
  await client.ended()
  await until(() => error !== undefined)
  assert.ok(error instanceof UploadRefusal && error.reason === 'lost', String(error))
})

test('for a sender who is admitted neither the door’s time nor its size count', { timeout: 10_000 }, async t => {
  const bounds = { requestBytesMax: 100, requestTimeoutMs: 50, silenceTimeoutMs: 100, packageBytesMax: 100, packagesMax: 1 }
  const door = await openDoor(t, { receive: admitAndRead, bounds })
  const client = new Client(t, door.port)
  await client.send(`${head(multipart, 'Content-Length: 1000')}${'x'.repeat(500)}`)
  await pause(300)
  // It does not stand in the way of others either.
  assert.equal((await ask(t, door.port, post(path, 'x'.repeat(101), [multipart])))?.body, '101')
  await client.send('x'.repeat(500))
  assert.equal((await client.answer())?.body, '1000')
  // Afterwards silence counts again.
  await client.ended()
})

test('no more is taken from the sender than is read', { timeout: 20_000 }, async t => {
  const { promise: go, resolve: release } = Promise.withResolvers<void>()
  const receive = async (request: SoapRequest) => {
    const { bytes, admit } = arrivingOf(request)
    admit.call(request.body)
    let size = 0
    for await (const piece of bytes) {
      if (size === 0) await go
      size += piece.length
    }
    return soapAnswer(String(size))
  }
  const door = await openDoor(t, { receive })
  const client = new Client(t, door.port)
  const total = 64_000_000
  await client.send(head(`Content-Length: ${total}`))
  const block = Buffer.alloc(64_000)
  let sent = 0
  const sending = (async () => {
    for (; sent < total; sent += block.length) await client.send(block)
  })()
  let before = -1
  while (sent > before) {
    before = sent
    await pause(200)
  }
  t.diagnostic(`${sent} bytes left the sender`)
  assert.ok(sent < 16_000_000, 'that is what the system holds between two sockets')
  release()
  await sending
  assert.equal((await client.answer())?.body, String(total))
})

test('an early answer reaches a client that sends all before it looks, and the connection ends', { timeout: 10_000 }, async t => {
  const receive = async (request: SoapRequest) => {
    await arrivingOf(request).bytes[Symbol.asyncIterator]().next()
    return { ...soapAnswer('<fault/>'), status: 401 } as const
  }
  const door = await openDoor(t, { receive, bounds: { lingerIdleTimeoutMs: 60_000 } })
  const client = new Client(t, door.port)
  await client.send(post(path, 'x'.repeat(8_000_000)))
  const answer = await client.answer()
  assert.deepEqual([answer?.status, answer?.body, answer?.headers.get('connection')], [401, '<fault/>', 'close'])
  await client.ended()
})

test('a client that hangs up, and a device that stops, end the body with their reason', { timeout: 10_000 }, async t => {
  const reasons: unknown[] = []
  const receive = async (request: SoapRequest) => {
    const body = arrivingOf(request)
    body.admit()
    await whole(body.bytes).catch(() => {})
    reasons.push(body.signal.reason)
    return soapAnswer('<fault/>')
  }
  const door = await openDoor(t, { receive })
  const [leaving, staying] = [new Client(t, door.port), new Client(t, door.port)]
  for (const client of [leaving, staying]) await client.send(`${head('Content-Length: 2000000')}x`)
  leaving.socket.destroy()
  await until(() => reasons.length === 1)
  await door.server.close()
  await until(() => reasons.length === 2)
  assert.deepEqual(
    reasons.map(reason => reason instanceof UploadRefusal && reason.reason),
    ['lost', 'aborted'],
  )
})

test('what is larger than any image in base64 is refused before a byte of it', async t => {
  const door = await openDoor(t, { receive: admitAndRead })
  const client = new Client(t, door.port)
  await client.send(head('Expect: 100-continue', 'Content-Length: 10000000000'))
  assert.equal((await client.answer())?.status, 413)
})
