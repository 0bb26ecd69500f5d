import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type UploadReceipt, UploadRefusal, type UploadRequest, type UploadTarget } from '../../src/device/upload.ts'
import type { Bounds } from '../../src/http/reply.ts'
import { type Answer, admin, Client, type Door, digest, openDoor, operator, until } from './door.ts'

const ticket = 'abcdefghijklmnopqrstuv'
const path = `/onvif/upload/${ticket}`

/** A target that takes what comes, and remembers it. */
class Shelf implements UploadTarget {
  readonly events: string[] = []
  readonly bodies: string[] = []
  request: UploadRequest | undefined
  admitting: () => void = () => {}
  /** What to do with the body instead of taking it. */
  receiving: ((request: UploadRequest, body: AsyncIterable<Uint8Array>) => Promise<UploadReceipt>) | undefined

  admit(request: UploadRequest): void {
    this.request = request
    this.events.push('admit')
    this.admitting()
  }

  async receive(request: UploadRequest, body: AsyncIterable<Uint8Array>): Promise<UploadReceipt> {
    this.events.push('receive')
    if (this.receiving) return this.receiving(request, body)
    this.bodies.push((await whole(body)).toString('latin1'))
    return receipt(async () => void this.events.push('effect'))
  }
}

const receipt = (afterReply = async () => {}): UploadReceipt => ({ transaction: '01HX', message: 'version 2.0.0 is next', afterReply })

async function whole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

interface Bench {
  readonly door: Door
  readonly shelf: Shelf
  readonly client: Client
  /** The Authorization line for the next POST to `path`. */
  readonly login: string
}

/** A door with a shelf behind it, and a client that has been challenged. */
async function bench(
  t: Parameters<typeof openDoor>[0],
  bounds: Partial<Bounds> = {},
  who: Parameters<typeof digest>[3] = admin,
): Promise<Bench> {
  const shelf = new Shelf()
  // Impatience is tested on its own; elsewhere it must not pass for the end of a body.
  const patient = { lingerIdleTimeoutMs: 60_000, drainTimeoutMs: 60_000, ...bounds }
  const door = await openDoor(t, { uploads: new Map([['/onvif/upload/', shelf]]), bounds: patient })
  const client = new Client(t, door.port)
  await client.send(`POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n`)
  const challenged = await client.answer()
  assert.equal(challenged?.status, 401)
  return { door, shelf, client, login: digest(challenged, 'POST', path, who) }
}

const head = (...lines: string[]) => `POST ${path} HTTP/1.1\r\n${['Host: d', ...lines].join('\r\n')}\r\n\r\n`

test('a raw body of any type reaches its target whole, and the answer is its receipt', async t => {
  const types = ['application/octet-stream', 'application/octetstream', 'application/x-www-form-urlencoded', undefined]
  for (const type of types) {
    const { door, shelf, client, login } = await bench(t)
    await client.send(`${head(login, 'Content-Length: 5', ...(type ? [`Content-Type: ${type}`] : []))}image`)
    const answer = await client.answer()
    assert.equal(answer?.status, 200, type)
    assert.equal(answer.body, 'ok version 2.0.0 is next (transaction 01HX)\n')
    assert.equal(answer.headers.get('x-onvifd-transaction'), '01HX')
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.deepEqual(shelf.bodies, ['image'])
    const { signal, ...request } = shelf.request ?? assert.fail()
    assert.deepEqual(request, { ticket, lengthBytes: 5, user: 'admin', remoteAddress: '127.0.0.1' })
    assert.equal(signal.aborted, false)
    const { fields } = door.log.find(entry => entry.fields.status === 200) ?? assert.fail()
    assert.deepEqual(fields, { upload: '/onvif/upload/', user: 'admin', from: '127.0.0.1', status: 200, reason: 'ok', transaction: '01HX' })
    assert.ok(!JSON.stringify(door.log).includes(ticket), 'a ticket is no matter for the log')
  }
})

test('chunks are a body without a length', async t => {
  const { shelf, client, login } = await bench(t)
  await client.send(`${head(login, 'Transfer-Encoding: chunked')}3\r\nima\r\n2\r\nge\r\n0\r\n\r\n`)
  assert.equal((await client.answer())?.status, 200)
  assert.deepEqual(shelf.bodies, ['image'])
  assert.equal(shelf.request?.lengthBytes, undefined)
})

test('a target that is slower than its client loses nothing', async t => {
  const { shelf, client, login } = await bench(t)
  const letters = Array.from({ length: 500 }, (_, i) => String.fromCharCode(97 + (i % 26)))
  let body = ''
  shelf.receiving = async (_request, pieces) => {
    for await (const piece of pieces) {
      body += String(piece)
      await new Promise(resolve => setImmediate(resolve))
    }
    return receipt()
  }
  await client.send(head(login, 'Transfer-Encoding: chunked'))
  await until(() => shelf.events.includes('receive'))
  await client.send(`${letters.map(letter => `1\r\n${letter}\r\n`).join('')}0\r\n\r\n`)
  assert.equal((await client.answer())?.status, 200)
  assert.equal(body, letters.join(''))
})

test('a body of many megabytes passes without being held', async t => {
  const { shelf, client, login } = await bench(t)
  let bytes = 0
  let largest = 0
  shelf.receiving = async (_request, body) => {
    for await (const piece of body) {
      bytes += piece.length
      largest = Math.max(largest, piece.length)
    }
    return receipt()
  }
  await client.send(head(login, `Content-Length: ${32 << 20}`))
  const block = Buffer.alloc(1 << 20)
  for (let i = 0; i < 32; i++) await client.send(block)
  assert.equal((await client.answer())?.status, 200)
  assert.equal(bytes, 32 << 20)
  assert.ok(largest <= 262_144, `${largest}`)
})

test('the reboot waits until the answer has left, and a target that fails has none', async t => {
  const { shelf, client, login } = await bench(t)
  await client.send(`${head(login, 'Content-Length: 5')}image`)
  assert.equal((await client.answer())?.status, 200)
  await until(() => shelf.events.includes('effect'))
  assert.deepEqual(shelf.events, ['admit', 'receive', 'effect'])
})

test('100 Continue comes after log-in and admission, never before a refusal', async t => {
  const { shelf, client, login } = await bench(t)
  await client.send(head(login, 'Content-Length: 5', 'Expect: 100-continue'))
  assert.equal((await client.answer())?.status, 100)
  assert.deepEqual(shelf.events.slice(0, 1), ['admit'])
  await client.send('image')
  assert.equal((await client.answer())?.status, 200)

  const anonymous = new Client(t, (await bench(t)).door.port)
  await anonymous.send(head('Content-Length: 5', 'Expect: 100-continue'))
  const challenged = await anonymous.answer()
  assert.equal(challenged?.status, 401)
  assert.equal(challenged.headers.get('connection'), 'close')

  const refused = await bench(t)
  refused.shelf.admitting = () => {
    throw new UploadRefusal(413, 'nospace', 'the slot holds 4 bytes')
  }
  await refused.client.send(head(refused.login, 'Content-Length: 5', 'Expect: 100-continue'))
  assert.equal((await refused.client.answer())?.body, 'nospace the slot holds 4 bytes\n')
  assert.deepEqual(refused.shelf.events, ['admit'])
})

test('without a log-in the answer comes at once, and the body may still be sent to its end', { timeout: 10_000 }, async t => {
  const { door, shelf } = await bench(t)
  const client = new Client(t, door.port)
  await client.send(head(`Content-Length: ${8 << 20}`, 'Connection: close'))
  const challenged = await client.answer()
  assert.equal(challenged?.status, 401, 'before the body')
  assert.match(challenged.head, /WWW-Authenticate: Digest/)
  for (let i = 0; i < 8; i++) await client.send(Buffer.alloc(1 << 20))
  await client.ended()
  assert.deepEqual(shelf.events, [])
})

test('a client that sends everything before it looks sees the 401', { timeout: 10_000 }, async t => {
  const { door } = await bench(t)
  const client = new Client(t, door.port)
  client.socket.pause()
  await client.send(head(`Content-Length: ${4 << 20}`))
  for (let i = 0; i < 4; i++) await client.send(Buffer.alloc(1 << 20))
  client.socket.resume()
  const challenged = await client.answer()
  assert.equal(challenged?.status, 401)
  const again = new Client(t, door.port)
  await again.send(head(digest(challenged, 'POST', path, admin), 'Content-Length: 5').concat('image'))
  assert.equal((await again.answer())?.status, 200)
})

test('the reading after an early answer is bounded in bytes and in silence', { timeout: 10_000 }, async t => {
  const { door } = await bench(t, { lingerBytesMax: 1 << 20, lingerIdleTimeoutMs: 50 })
  const endless = new Client(t, door.port)
  await endless.send(head('Content-Length: 999999999999'))
  assert.equal((await endless.answer())?.status, 401)
  let sent = 0
  while (!endless.socket.destroyed && sent < 64 << 20) {
    await endless.send(Buffer.alloc(1 << 20))
    sent += 1 << 20
  }
  await endless.ended()
  assert.ok(sent < 64 << 20)
  const silent = new Client(t, door.port)
  await silent.send(head('Content-Length: 5'))
  assert.equal((await silent.answer())?.status, 401)
  await silent.ended()
})

test('only an Administrator may upload', async t => {
  const { shelf, client, login } = await bench(t, {}, operator)
  await client.send(`${head(login, 'Content-Length: 5')}image`)
  const answer = await client.answer()
  assert.equal(answer?.status, 401)
  assert.match(answer.body, /the level Operator may not/)
  assert.deepEqual(shelf.events, [])
})

const wrongAddresses = [
  '/onvif/upload/',
  `${path}/`,
  `${path}/x`,
  '/onvif/upload/..%2f..%2fetc',
  '/onvif/upload/%00',
  `/onvif/upload/${'a'.repeat(65)}`,
  '/onvif/upload/a.b',
]
for (const address of wrongAddresses) {
  test(`404 for whoever is logged in: ${address}`, async t => {
    const { door, shelf } = await bench(t)
    const client = new Client(t, door.port)
    const request = (line: string) => client.send(`POST ${address} HTTP/1.1\r\nHost: d\r\nContent-Length: 0${line}\r\n\r\n`)
    await request('')
    const challenged = await client.answer()
    assert.equal(challenged?.status, 401)
    await request(`\r\n${digest(challenged, 'POST', address, admin)}`)
    assert.equal((await client.answer())?.status, 404)
    assert.deepEqual(shelf.events, [])
  })
}

test('a query is no part of the ticket', async t => {
  const { door, shelf } = await bench(t)
  const client = new Client(t, door.port)
  const address = `${path}?x=1`
  await client.send(`POST ${address} HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n`)
  const login = digest(await client.answer(), 'POST', address, admin)
  await client.send(`POST ${address} HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\n${login}\r\n\r\nimage`)
  assert.equal((await client.answer())?.status, 200)
  assert.equal(shelf.request?.ticket, ticket)
})

test('other methods are not allowed', async t => {
  const { client } = await bench(t)
  for (const method of ['GET', 'PUT', 'DELETE', 'HEAD']) {
    await client.send(`${method} ${path} HTTP/1.1\r\nHost: d\r\n\r\n`)
    const answer = await client.answer(method === 'HEAD')
    assert.equal(answer?.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
  }
})

test('the rest of a file goes on where Content-Range says', async t => {
  const { shelf, client, login } = await bench(t)
  Object.assign(shelf, { offset: () => 4 })
  await client.send(`${head(login, 'Content-Length: 6', 'Content-Range: bytes 4-9/10')}e file`)
  assert.equal((await client.answer())?.status, 200)
  assert.deepEqual(shelf.request?.range, { firstByte: 4, totalBytes: 10 })
  assert.equal(shelf.request.lengthBytes, 6)
  assert.deepEqual(shelf.bodies, ['e file'])
})

const ranges: readonly (readonly [title: string, lines: readonly string[], status: number, text: RegExp])[] = [
  ['another unit', ['Content-Range: lines 4-9/10', 'Content-Length: 6'], 400, /has to be bytes/],
  ['no total', ['Content-Range: bytes 4-9', 'Content-Length: 6'], 400, /has to be bytes/],
  ['an unknown total', ['Content-Range: bytes 4-9/*', 'Content-Length: 6'], 400, /has to be bytes/],
  ['no range', ['Content-Range: bytes */10', 'Content-Length: 6'], 400, /has to be bytes/],
  ['a negative number', ['Content-Range: bytes -4-9/10', 'Content-Length: 6'], 400, /has to be bytes/],
  ['a number beyond counting', [`Content-Range: bytes 4-9/1${'0'.repeat(20)}`, 'Content-Length: 6'], 400, /has to be bytes/],
  ['two of them', ['Content-Range: bytes 4-9/10', 'Content-Range: bytes 4-9/10', 'Content-Length: 6'], 400, /has to be bytes/],
  ['an end before its beginning', ['Content-Range: bytes 9-4/10', 'Content-Length: 6'], 400, /contradicts itself/],
  ['an end after the file', ['Content-Range: bytes 5-10/10', 'Content-Length: 6'], 400, /contradicts itself/],
  ['another length', ['Content-Range: bytes 4-9/10', 'Content-Length: 5'], 400, /do not agree/],
  ['no length', ['Content-Range: bytes 4-9/10', 'Transfer-Encoding: chunked'], 400, /do not agree/],
  ['a part from the middle', ['Content-Range: bytes 2-7/10', 'Content-Length: 6'], 416, /up to the end/],
  [
    'a form',
    ['Content-Range: bytes 4-9/10', 'Content-Length: 6', 'Content-Type: multipart/form-data; boundary=b'],
    400,
    /a form cannot go on/,
  ],
]
for (const [title, lines, status, text] of ranges) {
  test(`a Content-Range with ${title}: ${status}, and nobody is asked`, async t => {
    const { shelf, client, login } = await bench(t)
    Object.assign(shelf, { offset: () => 4 })
    await client.send(head(login, ...lines, 'Expect: 100-continue'))
    const answer = await client.answer()
    assert.equal(answer?.status, status)
    assert.match(answer.body, /^range /)
    assert.match(answer.body, text)
    assert.deepEqual(shelf.events, [])
  })
}

test('a target that cannot go on refuses the rest of a file', async t => {
  const { shelf, client, login } = await bench(t)
  await client.send(`${head(login, 'Content-Length: 6', 'Content-Range: bytes 4-9/10')}e file`)
  const answer = await client.answer()
  assert.equal(answer?.status, 400)
  assert.equal(answer.body, 'range send the whole file\n')
  assert.deepEqual(shelf.events, [])
})

test('HEAD tells an Administrator where to go on', async t => {
  const asked: string[] = []
  const shelf = Object.assign(new Shelf(), {
    offset(given: string) {
      asked.push(given)
      if (asked.length > 1) throw new UploadRefusal(409, 'busy', 'another upload runs', { transaction: '01HZ' })
      return 4
    },
  })
  const door = await openDoor(t, { uploads: new Map([['/onvif/upload/', shelf]]) })
  const client = new Client(t, door.port)
  const ask = async (address: string, who: Parameters<typeof digest>[3] | undefined) => {
    await client.send(`HEAD ${address} HTTP/1.1\r\nHost: d\r\n\r\n`)
    const challenged = await client.answer(true)
    assert.equal(challenged?.status, 401)
    if (!who) return challenged
    await client.send(`HEAD ${address} HTTP/1.1\r\nHost: d\r\n${digest(challenged, 'HEAD', address, who)}\r\n\r\n`)
    return client.answer(true)
  }
  await ask(path, undefined)
  assert.equal((await ask(path, operator))?.status, 401)
  assert.equal((await ask('/onvif/upload/', admin))?.status, 404)
  assert.deepEqual(asked, [], 'a ticket is no log-in')
  const answer = await ask(path, admin)
  assert.equal(answer?.status, 200)
  assert.equal(answer.headers.get('upload-offset'), '4')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const busy = await ask(path, admin)
  assert.equal(busy?.status, 409)
  assert.equal(busy.headers.get('x-onvifd-transaction'), '01HZ')
  assert.deepEqual(asked, [ticket, ticket])
  assert.deepEqual(shelf.events, [])
  await client.send(`GET ${path} HTTP/1.1\r\nHost: d\r\n\r\n`)
  const get = await client.answer()
  assert.equal(get?.status, 405)
  assert.equal(get.headers.get('allow'), 'HEAD, POST')
})

const refusals: readonly (readonly [refusal: UploadRefusal, line: string, extra?: string])[] = [
  [new UploadRefusal(415, 'signature', 'no trusted signer', { transaction: '01HY' }), 'signature no trusted signer (transaction 01HY)'],
  [new UploadRefusal(409, 'busy', 'another upload runs'), 'busy another upload runs'],
  [new UploadRefusal(410, 'ticket', 'it has expired'), 'ticket it has expired'],
  [new UploadRefusal(503, 'busy', 'the engine is busy'), 'busy the engine is busy', 'retry-after'],
  [new UploadRefusal(500, 'nospace', 'the disk is full', { cause: new Error('/secret ENOSPC') }), 'nospace the disk is full'],
]
for (const [refusal, line, extra] of refusals) {
  test(`${refusal.status} ${refusal.reason}: before the body, after it, and in the middle of it`, { timeout: 10_000 }, async t => {
    const read = (answer: Answer | undefined) => {
      assert.equal(answer?.status, refusal.status)
      assert.equal(answer.body, `${line}\n`)
      if (extra) assert.ok(answer.headers.has(extra))
      if (refusal.transaction) assert.equal(answer.headers.get('x-onvifd-transaction'), refusal.transaction)
    }
    const before = await bench(t)
    before.shelf.admitting = () => {
      throw refusal
    }
    await before.client.send(`${head(before.login, 'Content-Length: 5')}image`)
    read(await before.client.answer())

    const after = await bench(t)
    after.shelf.receiving = async (_request, body) => {
      await whole(body)
      throw refusal
    }
    await after.client.send(`${head(after.login, 'Content-Length: 5')}image`)
    const answer = await after.client.answer()
    read(answer)
    assert.equal(answer?.headers.get('connection'), 'keep-alive')

    const within = await bench(t)
    within.shelf.receiving = async (_request, body) => {
      for await (const _ of body) throw refusal
      return receipt()
    }
    await within.client.send(`${head(within.login, `Content-Length: ${4 << 20}`)}x`)
    const early = await within.client.answer()
    read(early)
    assert.equal(early?.headers.get('connection'), 'close')
    await within.client.send(Buffer.alloc((4 << 20) - 1))
    await within.client.ended()
  })
}

test('a connection is as impatient after an upload as it was before', { timeout: 10_000 }, async t => {
  const { client, login } = await bench(t, { silenceTimeoutMs: 1_000 })
  await client.send(`${head(login, 'Content-Length: 5')}image`)
  assert.equal((await client.answer())?.status, 200)
  await client.ended()
})

test('a device that is busy for longer than a client may be silent still answers', { timeout: 10_000 }, async t => {
  const { shelf, client, login } = await bench(t, { silenceTimeoutMs: 500 })
  const silence = Promise.withResolvers<void>()
  shelf.receiving = async (_request, body) => {
    await whole(body)
    await silence.promise
    return receipt()
  }
  await client.send(`${head(login, 'Content-Length: 5')}image`)
  await until(() => shelf.events.includes('receive'))
  const { door } = await bench(t, { silenceTimeoutMs: 600 })
  await new Client(t, door.port).ended()
  silence.resolve()
  assert.equal((await client.answer())?.status, 200)
})

test('a target that breaks is the device’s failure, told to the log alone', async t => {
  const { door, shelf, client, login } = await bench(t)
  shelf.receiving = async () => {
    throw new Error('EIO /dev/secret')
  }
  await client.send(`${head(login, 'Content-Length: 5')}image`)
  const answer = await client.answer()
  assert.equal(answer?.status, 500)
  assert.equal(answer.body, 'io the device failed\n')
  assert.match(String(door.log.find(entry => entry.level === 'error')?.fields.error), /EIO/)
})

test('a target may leave the rest of the body unread', { timeout: 10_000 }, async t => {
  const { shelf, client, login } = await bench(t)
  shelf.receiving = async (_request, body) => {
    await body[Symbol.asyncIterator]().next()
    return receipt()
  }
  await client.send(`${head(login, 'Content-Length: 10')}start`)
  assert.equal((await client.answer())?.status, 200)
  await client.send('restx')
  await client.ended()
})

test('a target that gives up while it waits for bytes can answer', { timeout: 10_000 }, async t => {
  const { shelf, client, login } = await bench(t)
  shelf.receiving = async (_request, body) => {
    void body[Symbol.asyncIterator]().next()
    throw new UploadRefusal(408, 'timeout', 'nothing came')
  }
  await client.send(head(login, 'Content-Length: 10'))
  assert.equal((await client.answer())?.status, 408)
  await client.send('0123456789')
  await client.ended()
})

test('a client that hangs up aborts its upload; one that has sent everything does not', { timeout: 10_000 }, async t => {
  const { shelf, client, login } = await bench(t)
  const broken = Promise.withResolvers<unknown>()
  shelf.receiving = async (request, body) => {
    await whole(body).catch(broken.resolve)
    assert.ok(request.signal.aborted)
    throw new Error('as it was')
  }
  await client.send(`${head(login, 'Content-Length: 10')}start`)
  await until(() => shelf.events.includes('receive'))
  client.socket.resetAndDestroy()
  const reason = await broken.promise
  assert.ok(reason instanceof UploadRefusal && reason.reason === 'lost')

  const complete = await bench(t)
  const release = Promise.withResolvers<void>()
  complete.shelf.receiving = async (request, body) => {
    await whole(body)
    complete.shelf.events.push('taken')
    await release.promise
    complete.shelf.events.push(`aborted: ${request.signal.aborted}`)
    return receipt(async () => void complete.shelf.events.push('effect'))
  }
  await complete.client.send(`${head(complete.login, 'Content-Length: 5')}image`)
  await until(() => complete.shelf.events.includes('taken'))
  complete.client.socket.resetAndDestroy()
  await complete.client.closed
  release.resolve()
  await until(() => complete.shelf.events.includes('effect'))
  assert.deepEqual(complete.shelf.events.slice(-2), ['aborted: false', 'effect'])
})

test('when the device stops, a running upload is refused and the client is told', { timeout: 10_000 }, async t => {
  const { door, shelf, client, login } = await bench(t)
  await client.send(`${head(login, 'Content-Length: 10')}start`)
  await until(() => shelf.events.includes('receive'))
  const closed = door.server.close()
  const answer = await client.answer()
  assert.equal(answer?.status, 503)
  assert.equal(answer.body, 'aborted the device is stopping\n')
  client.socket.destroy()
  await closed
})

test('an upload that is being installed when the device stops is told to its target, whose answer still leaves', {
  timeout: 10_000,
}, async t => {
  const { door, shelf, client, login } = await bench(t)
  shelf.receiving = async (request, body) => {
    await whole(body)
    shelf.events.push('taken')
    await new Promise(resolve => request.signal.addEventListener('abort', resolve))
    throw new Error('interrupted')
  }
  await client.send(`${head(login, 'Content-Length: 5')}image`)
  await until(() => shelf.events.includes('taken'))
  const closed = door.server.close()
  const answer = await client.answer()
  assert.equal(answer?.status, 503)
  assert.equal(answer.headers.get('connection'), 'close')
  await closed
})

const file = (name: string, content: string, filename = 'fw.swu') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: application/octet-stream\r\n\r\n${content}\r\n`
/** What stands before is over before it. */
const early = (content: string) => `\r\n--b--\r\n${field('c', 'd')}${content}--b--\r\n`
const field = (name: string, content: string) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`

test('the one file of a form is an upload', async t => {
  const { shelf, client, login } = await bench(t)
  const content = `binary\r\n--not the boundary\r\n${'x'.repeat(200_000)}\0`
  const form = `${field('comment', 'hello')}${file('image', content)}${field('after', 'x')}--b--\r\n`
  await client.send(`${head(login, `Content-Length: ${form.length}`, 'Content-Type: multipart/form-data; boundary=b')}${form}`)
  assert.equal((await client.answer())?.status, 200)
  assert.deepEqual(shelf.bodies, [content])
  assert.equal(shelf.request?.lengthBytes, undefined, 'the length of a form is not that of its file')
})

test('the end of a file is not told before the end of its form', { timeout: 10_000 }, async t => {
  const { shelf, client, login } = await bench(t)
  const first = `${file('a', 'one')}--b\r\n`
  const second = `${file('b', 'two').slice(5)}--b--\r\n`
  shelf.receiving = async (_request, body) => {
    for await (const piece of body) shelf.events.push(String(piece))
    shelf.events.push('end')
    return receipt()
  }
  await client.send(
    `${head(login, `Content-Length: ${first.length + second.length}`, 'Content-Type: multipart/form-data; boundary=b')}${first}`,
  )
  await until(() => shelf.events.includes('one'))
  await client.send(second)
  assert.equal((await client.answer())?.status, 400)
  assert.deepEqual(shelf.events, ['admit', 'receive', 'one'])
})

const forms: readonly (readonly [title: string, type: string, form: string, status: number, text: RegExp])[] = [
  ['no file', 'multipart/form-data; boundary=b', `${field('a', 'b')}--b--\r\n`, 400, /^form the form has no file/],
  ['nothing at all', 'multipart/form-data; boundary=b', '', 400, /^form /],
  [
    'two files',
    'multipart/form-data; boundary=b',
    `${file('a', 'one')}${file('b', 'two')}--b--\r\n`,
    400,
    /^form the form has more than one file/,
  ],
  ['no end', 'multipart/form-data; boundary=b', file('a', 'one'), 400, /^form the form is broken/],
  ['an end within the file', 'multipart/form-data; boundary=b', file('a', 'one').slice(0, -3), 400, /^form the form is broken/],
  ['an end before a long file', 'multipart/form-data; boundary=b', early(file('a', 'x'.repeat(200_000))), 400, /^form the form is broken/],
  ['a broken part header', 'multipart/form-data; boundary=b', '--b\r\nContent-Disposition\r\n\r\nx\r\n--b--\r\n', 400, /^form /],
  ['a part header that begins with a blank', 'multipart/form-data; boundary=b', `--b\r\n : x\r\n\r\nx\r\n--b--\r\n`, 400, /^form /],
  ['no boundary', 'multipart/form-data', `${file('a', 'one')}--b--\r\n`, 400, /^form the form has no boundary/],
  [
    'MTOM',
    'multipart/related; boundary=b; type="application/xop+xml"',
    `${file('a', 'one')}--b--\r\n`,
    415,
    /^format multipart\/related is not taken/,
  ],
  ['multipart/mixed', 'Multipart/Mixed; boundary=b', `${file('a', 'one')}--b--\r\n`, 415, /^format /],
]
for (const [title, type, form, status, text] of forms) {
  test(`a form with ${title}: ${status}`, { timeout: 10_000 }, async t => {
    const { door, shelf, client, login } = await bench(t)
    await client.send(`${head(login, `Content-Length: ${form.length}`, `Content-Type: ${type}`)}${form}`)
    const answer = await client.answer()
    assert.equal(answer?.status, status)
    assert.match(answer.body, text)
    assert.deepEqual(shelf.bodies, [], 'the target never saw a good end')
    const next = new Client(t, door.port)
    await next.send(`POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n`)
    assert.equal((await next.answer())?.status, 401, 'the next request is served')
  })
}

test('a form whose client hangs up, or whose target refuses, ends like any other upload', { timeout: 10_000 }, async t => {
  const type = 'Content-Type: multipart/form-data; boundary=b'
  const hung = await bench(t)
  const broken = Promise.withResolvers<unknown>()
  hung.shelf.receiving = async (_request, body) => {
    await whole(body).catch(broken.resolve)
    throw new Error('as it was')
  }
  await hung.client.send(`${head(hung.login, 'Content-Length: 1000', type)}${file('a', 'start').slice(0, -2)}`)
  await until(() => hung.shelf.events.includes('receive'))
  hung.client.socket.resetAndDestroy()
  assert.ok((await broken.promise) instanceof UploadRefusal)

  const refused = await bench(t)
  refused.shelf.receiving = async (_request, body) => {
    for await (const _ of body) throw new UploadRefusal(415, 'format', 'no image')
    return receipt()
  }
  const form = `${file('a', 'x'.repeat(4 << 20))}--b--\r\n`
  void refused.client.send(`${head(refused.login, `Content-Length: ${form.length}`, type)}${form}`)
  assert.equal((await refused.client.answer())?.status, 415)
  await refused.client.ended()
})

test('an upload on a port that is given up goes on to its end', { timeout: 10_000 }, async t => {
  const { door, shelf, client, login } = await bench(t, { requestTimeoutMs: 50, idleCheckMs: 20 })
  await client.send(`${head(login, 'Content-Length: 10')}first`)
  await until(() => shelf.events.includes('receive'))
  const released = door.server.release(door.port)
  await new Promise(resolve => setTimeout(resolve, 200))
  await client.send('-last')
  assert.equal((await client.answer())?.status, 200)
  assert.deepEqual(shelf.bodies, ['first-last'])
  await client.ended()
  await released
})

test('a client that goes on sending what nobody wants is heard no more', { timeout: 10_000 }, async t => {
  const warned: Error[] = []
  const onWarning = (warning: Error) => void warned.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  const { client } = await bench(t, { lingerBytesMax: 1_000 })
  // Each chunk is told on its own, also those that came together.
  await client.send(head('Transfer-Encoding: chunked') + '1\r\nx\r\n'.repeat(20_000))
  await client.ended()
  assert.deepEqual(warned, [])
})
