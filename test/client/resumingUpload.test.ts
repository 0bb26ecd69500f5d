import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createDigestLogin } from '../../src/client/digest.ts'
import { ClientError } from '../../src/client/errors.ts'
import { openConnections } from '../../src/client/exchange.ts'
import { type ResumingOptions, uploadResuming } from '../../src/client/resumingUpload.ts'
import { startCutter } from './cutter.ts'
import { createDigestGate, password, user } from './standIn.ts'
import { source } from './upgradableDevice.ts'

/** More than the buffers on the way hold, so that our side knows that not all of it has arrived. */
const bytes = Buffer.alloc(24_000_000)
for (let at = 0; at < bytes.length; at += 8) bytes.writeUInt32BE(at, at)

interface Asked {
  readonly method: string | undefined
  readonly range: string | undefined
  readonly length: string | undefined
}

interface Taker {
  readonly port: number
  readonly asked: Asked[]
  /** What it keeps of the file. */
  readonly kept: Buffer
  /** How much of it there is. */
  bytes: number
  isDone: boolean
}

interface Plan {
  /** Answers instead of the taker; true if it did. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse, taker: Taker) => boolean
  /** What HEAD is answered with; default 200 and the bytes that are kept. */
  readonly offset?: (response: ServerResponse, taker: Taker) => void
}

/** A device that keeps what arrives of an upload, asks for Digest, and tells where to go on. */
async function startTaker(t: TestContext, { instead, offset }: Plan = {}): Promise<Taker> {
  const gate = createDigestGate('SHA-256')
  const taker: Taker = { port: 0, asked: [], kept: Buffer.alloc(bytes.length), bytes: 0, isDone: false }
  const tell = offset ?? ((response: ServerResponse) => void response.writeHead(200, { 'upload-offset': String(taker.bytes) }).end())
  const answer = (request: IncomingMessage, response: ServerResponse): unknown => {
    request.on('error', () => {})
    const verdict = gate.check({ request, operation: '', body: '' })
    if (verdict !== 'good') {
      return response.writeHead(401, { 'www-authenticate': gate.challenge(verdict === 'stale'), connection: 'close' }).end()
    }
    const { 'content-range': range, 'content-length': length } = request.headers
    taker.asked.push({ method: request.method, range, length })
    if (instead?.(request, response, taker)) return undefined
    if (request.method === 'HEAD') return tell(response, taker)
    const first = range === undefined ? 0 : Number(/^bytes (\d+)-/.exec(range)?.[1])
    if (first !== 0 && first !== taker.bytes) return response.writeHead(416, { connection: 'close' }).end('range')
    taker.bytes = first
    response.writeContinue()
    request.on('data', piece => {
      taker.bytes += piece.copy(taker.kept, taker.bytes)
    })
    return request.on('end', () => {
      taker.isDone = true
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
    })
  }
  const server = createServer().on('request', answer).on('checkContinue', answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return Object.assign(taker, { port: (server.address() as AddressInfo).port })
}

async function send(url: URL, image = source(bytes), more: Partial<ResumingOptions> = {}) {
  const sent: number[] = []
  const resumes: number[] = []
  const connections = openConnections({}, false)
  const answer = await uploadResuming(url, image, {
    connections,
    digest: createDigestLogin(user, password),
    onSent: count => void sent.push(count),
    onResume: count => void resumes.push(count),
    signal: undefined,
    ...more,
  })
  return { answer, sent, resumes }
}

test('an upload that breaks goes on where the device has it, and arrives whole', { timeout: 30_000 }, async t => {
  const taker = await startTaker(t)
  const url = new URL('/upload/1', await startCutter(t, taker.port, [1_000_000, 1_200_000]))
  const image = source(bytes)
  const { answer, sent, resumes } = await send(url, image)
  assert.equal(answer.http?.status, 200)
  assert.ok(taker.kept.equals(bytes))
  assert.equal(image.opened(), 3)
  const posts = taker.asked.filter(({ method }) => method === 'POST')
  assert.equal(posts.length, 3)
  assert.equal(posts[0]?.range, undefined)
  for (const [index, from] of resumes.entries()) {
    assert.ok(from > 0 && from < bytes.length)
    assert.deepEqual(posts[index + 1], {
      method: 'POST',
      range: `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      length: String(bytes.length - from),
    })
    assert.ok(sent.includes(from), 'the progress goes on from there')
  }
  assert.deepEqual(
    [...resumes].sort((a, b) => a - b),
    resumes,
  )
  assert.equal(sent.filter(count => count === 0).length, 1)
  assert.equal(sent.at(-1), bytes.length)
})

test('three breaks are survived, a fourth is told', { timeout: 30_000 }, async t => {
  const three = await startTaker(t)
  const cuts = [500_000, 500_000, 500_000]
  assert.equal((await send(new URL('/upload/1', await startCutter(t, three.port, cuts)))).answer.http?.status, 200)
  assert.ok(three.kept.equals(bytes))
  const four = await startTaker(t)
  await assert.rejects(send(new URL('/upload/1', await startCutter(t, four.port, [...cuts, 500_000]))), isClosed)
  assert.equal(four.isDone, false)
})

test('where the device has nothing, the upload begins anew', { timeout: 30_000 }, async t => {
  const taker = await startTaker(t, { offset: response => void response.writeHead(200, { 'upload-offset': '0' }).end() })
  const { answer, resumes } = await send(new URL('/upload/1', await startCutter(t, taker.port, [1_000_000])))
  assert.equal(answer.http?.status, 200)
  assert.ok(taker.kept.equals(bytes))
  assert.deepEqual(resumes, [0])
  assert.deepEqual(
    taker.asked.map(({ method, range }) => `${method} ${range}`),
    ['POST undefined', 'HEAD undefined', 'POST undefined'],
  )
})

test('a device that has not noticed the break is asked again', { timeout: 30_000 }, async t => {
  let heads = 0
  const busy = await startTaker(t, {
    offset(response, { bytes: kept }) {
      if (++heads === 1) response.writeHead(409, { 'x-onvifd-transaction': '01HX' }).end()
      else response.writeHead(200, { 'upload-offset': String(kept) }).end()
    },
  })
  assert.equal((await send(new URL('/upload/1', await startCutter(t, busy.port, [1_000_000])))).answer.http?.status, 200)
  assert.ok(busy.kept.equals(bytes))
  assert.equal(heads, 2)

  // It says 0 as long as it waits for the old connection, and then has no place for a second upload.
  let posts = 0
  const early = await startTaker(t, {
    instead(request, response) {
      if (request.method !== 'POST' || ++posts !== 2) return false
      response.writeHead(409, { connection: 'close' }).end('busy')
      return true
    },
  })
  const { answer, resumes } = await send(new URL('/upload/1', await startCutter(t, early.port, [1_000_000])))
  assert.equal(answer.http?.status, 200)
  assert.ok(early.kept.equals(bytes))
  assert.equal(resumes.length, 1, 'a refusal is no new beginning')
})

const strangers: readonly (readonly [title: string, offset: (response: ServerResponse) => void])[] = [
  ['405', response => void response.writeHead(405, { allow: 'POST' }).end()],
  ['404', response => void response.writeHead(404).end()],
  ['410', response => void response.writeHead(410).end()],
  ['409 of somebody else', response => void response.writeHead(409).end()],
  ['200 without an offset', response => void response.writeHead(200).end()],
  ['an offset that is no number', response => void response.writeHead(200, { 'upload-offset': '-1' }).end()],
  ['an offset beyond the file', response => void response.writeHead(200, { 'upload-offset': '24000000' }).end()],
]
for (const [title, offset] of strangers) {
  test(`a device that answers the question with ${title} sees nothing more, and the break is told`, { timeout: 30_000 }, async t => {
    const taker = await startTaker(t, { offset })
    await assert.rejects(send(new URL('/upload/1', await startCutter(t, taker.port, [1_000_000]))), isClosed)
    assert.deepEqual(
      taker.asked.map(({ method }) => method),
      ['POST', 'HEAD'],
    )
  })
}

test('a file whose end was lost on the way is not passed off as sent', { timeout: 30_000 }, async t => {
  // All of it fits into the buffers on the way, so that our side believes that it has arrived.
  const small = Buffer.alloc(20_000, 'small')
  const taker = await startTaker(t)
  const { answer } = await send(new URL('/upload/1', await startCutter(t, taker.port, [9_000])), source(small))
  assert.equal(answer.http?.status, 200)
  assert.ok(taker.kept.subarray(0, taker.bytes).equals(small))
})

test('a refusal of the rest is the answer', { timeout: 30_000 }, async t => {
  const taker = await startTaker(t, {
    instead(request, response) {
      if (request.headers['content-range'] === undefined) return false
      response.writeHead(415, { 'content-type': 'text/plain', connection: 'close' }).end('signature unknown')
      return true
    },
  })
  const { answer } = await send(new URL('/upload/1', await startCutter(t, taker.port, [1_000_000])))
  assert.equal(answer.http?.status, 415)
})

test('it can be called off while it waits', { timeout: 30_000 }, async t => {
  const stop = new AbortController()
  const taker = await startTaker(t, {
    offset(response) {
      response.writeHead(409, { 'x-onvifd-transaction': '01HX' }).end()
      setTimeout(() => stop.abort(), 20)
    },
  })
  const begunMs = performance.now()
  await assert.rejects(send(new URL('/upload/1', await startCutter(t, taker.port, [1_000_000])), source(bytes), { signal: stop.signal }), {
    name: 'AbortError',
  })
  assert.ok(performance.now() - begunMs < 10_000)
})

const isClosed = (error: unknown) => error instanceof ClientError && error.kind === 'closed'
