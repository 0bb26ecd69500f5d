import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { heldConnections } from '../../src/http/held.ts'
import type { Bounds } from '../../src/http/reply.ts'
import type { SoapRequest } from '../../src/soap/message.ts'
import { issue, lacksOpenssl, newKeystore } from '../device/certificates/lab.ts'
import { Client, openDoor, post, soapAnswer, until } from './door.ts'
import { bring, makeAuthority, openTls, serverExtensions } from './tlsLab.ts'

const pull = post('/onvif/subscription/abc', '<pull/>')

/** A service that holds every `<pull/>` back until `answer` is called, and answers everything else at once. */
function holding() {
  const waiting: { readonly signal: AbortSignal; answer: (text?: string) => void }[] = []
  const receive = async (request: SoapRequest) => {
    const { body } = request
    if (!(body instanceof Uint8Array) || Buffer.from(body).toString() !== '<pull/>') return soapAnswer('<ok/>')
    const signal = request.hungUp
    assert.ok(signal, 'the door tells when the client hangs up')
    const done = Promise.withResolvers<string>()
    waiting.push({ signal, answer: (text = '<pulled/>') => done.resolve(text) })
    return soapAnswer(await done.promise)
  }
  return { waiting, receive }
}

/** Every bound that cuts something, so short that a test can sit it out. */
const short = { silenceTimeoutMs: 60, headersTimeoutMs: 60, requestTimeoutMs: 60, lingerIdleTimeoutMs: 60, drainTimeoutMs: 60 }

async function open(t: TestContext, bounds: Partial<Bounds> = { drainTimeoutMs: 50 }) {
  const service = holding()
  const door = await openDoor(t, { receive: service.receive, bounds })
  const holds = async (bytes = pull) => {
    const client = new Client(t, door.port)
    const before = service.waiting.length
    await client.send(bytes)
    await until(() => service.waiting.length > before)
    const [held] = service.waiting.slice(-1)
    assert.ok(held)
    return { client, ...held }
  }
  return { ...service, door, holds }
}

test('an answer that is held back outlives every timeout, and the connection is as mortal as before when it is out', {
  timeout: 10_000,
}, async t => {
  const { holds, door, waiting } = await open(t, short)
  const { client, answer, signal } = await holds()
  const idle = new Client(t, door.port)
  await idle.send(post('/onvif/device_service', '<q/>'))
  assert.equal((await idle.answer())?.status, 200)
  await idle.ended()
  await sleep(200)
  assert.equal(signal.aborted, false)
  answer()
  assert.equal((await client.answer())?.body, '<pulled/>')
  await client.send(pull)
  await until(() => waiting.length === 2)
  await sleep(200)
  assert.equal(waiting[1]?.signal.aborted, false, 'the second on the same connection, too')
  waiting[1]?.answer()
  assert.equal((await client.answer())?.body, '<pulled/>')
  await client.ended()
})

test('two answers held back on one connection: the first that goes out leaves the other its time', { timeout: 10_000 }, async t => {
  const { door, waiting } = await open(t, short)
  const client = new Client(t, door.port)
  await client.send(pull + pull)
  await until(() => waiting.length === 2)
  waiting[0]?.answer('<first/>')
  assert.equal((await client.answer())?.body, '<first/>')
  await sleep(200)
  waiting[1]?.answer('<second/>')
  assert.equal((await client.answer())?.body, '<second/>')
  await client.ended()
})

test('a client that is gone is noticed at once, whichever way it went', { timeout: 10_000 }, async t => {
  const { holds } = await open(t)
  const ways = {
    'reset (RST)': (client: Client) => void client.socket.resetAndDestroy(),
    'closed (FIN)': (client: Client) => void client.socket.destroy(),
    'its half is closed': (client: Client) => void client.socket.end(),
  }
  for (const [way, leave] of Object.entries(ways)) {
    const { client, signal } = await holds()
    assert.equal(signal.aborted, false, way)
    leave(client)
    await until(() => signal.aborted)
  }
})

test('who has closed his half of the connection before he is heard counts as gone, and is answered all the same', {
  timeout: 10_000,
}, async t => {
  const { door, waiting } = await open(t)
  const client = new Client(t, door.port)
  client.socket.end(`${pull}${pull}`)
  await until(() => waiting.length === 2 && waiting.every(({ signal }) => signal.aborted))
  for (const { answer } of waiting) answer()
  assert.deepEqual([(await client.answer())?.body, (await client.answer())?.body], ['<pulled/>', '<pulled/>'])
})

test('who was gone before anybody asked is gone', { timeout: 10_000 }, async t => {
  const begun = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const told: (boolean | undefined)[] = []
  const receive = async (request: SoapRequest) => {
    begun.resolve()
    await gone.promise
    told.push(request.hungUp?.aborted)
    return soapAnswer('<late/>')
  }
  const door = await openDoor(t, { receive })
  const client = new Client(t, door.port)
  await client.send(pull)
  await begun.promise
  client.socket.end()
  await sleep(50)
  gone.resolve()
  assert.equal((await client.answer())?.body, '<late/>')
  assert.deepEqual(told, [true])
})

test('an answer for somebody who is gone by then ends nothing else', { timeout: 10_000 }, async t => {
  const { holds, door } = await open(t)
  const { client, signal, answer } = await holds()
  client.socket.resetAndDestroy()
  await until(() => signal.aborted)
  answer()
  const next = new Client(t, door.port)
  await next.send(post('/onvif/device_service', '<q/>'))
  assert.equal((await next.answer())?.status, 200)
  assert.deepEqual(
    door.log.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
  )
})

/** What the kernel has running for connections to a port of the loopback: 2 is the timer of keep-alive (proc(5)). */
function timersOf(port: number): readonly string[] {
  const here = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  return rows
    .map(row => row.trim().split(/\s+/))
    .flatMap(([, local, , state, , timer = '']) => (local === here && state === '01' ? [timer.slice(0, 2)] : []))
}

test('a client that has vanished without a word is asked after by TCP', {
  timeout: 10_000,
  skip: process.platform !== 'linux',
}, async t => {
  const { holds, door } = await open(t)
  const idle = new Client(t, door.port)
  await idle.send(post('/onvif/device_service', '<q/>'))
  await idle.answer()
  assert.deepEqual(timersOf(door.port), ['00'], 'no more than is needed')
  await holds()
  assert.deepEqual([...timersOf(door.port)].sort(), ['00', '02'])
})

test('answers that are let go when the device stops leave before their connections do', { timeout: 10_000 }, async t => {
  const { holds, door, waiting } = await open(t, {})
  const clients: Client[] = []
  for (let index = 0; index < 50; index++) clients.push((await holds()).client)
  for (const { answer } of waiting) answer()
  await door.server.close()
  for (const client of clients) assert.equal((await client.answer())?.body, '<pulled/>')
  for (const client of clients) await client.ended()
  assert.ok(
    waiting.every(({ signal }) => !signal.aborted),
    'the end of a connection is no news about an answer that was out before',
  )
})

test('answers that nobody lets go do not keep the device from stopping', { timeout: 10_000 }, async t => {
  const { holds, door } = await open(t, { drainTimeoutMs: 50 })
  const { client, signal } = await holds()
  await door.server.close()
  assert.equal(await client.answer(), undefined)
  await until(() => signal.aborted)
})

test('on a port that is given up, who waits for an answer waits on, and others have the time of a request', {
  timeout: 10_000,
}, async t => {
  const { holds, door } = await open(t, short)
  const second = Number((await door.server.listen('127.0.0.1', 0)).port)
  const { client, signal, answer } = await holds()
  const slow = new Client(t, door.port)
  await slow.send('POST /onvif/device_service HTTP/1.1\r\nHost: d\r\nContent-Length: 10\r\n\r\nhalf')
  const released = door.server.release(door.port)
  await slow.ended()
  await sleep(200)
  assert.equal(signal.aborted, false)
  answer()
  assert.equal((await client.answer())?.body, '<pulled/>')
  await client.ended()
  await released
  assert.ok(second > 0)
})

test('a reader that never reads what it was held for is cut off like any other', { timeout: 20_000 }, async t => {
  const { holds } = await open(t, { silenceTimeoutMs: 100 })
  const { client, answer, signal } = await holds()
  client.socket.pause()
  answer(`<pulled>${'x'.repeat(32_000_000)}</pulled>`)
  await until(() => signal.aborted)
})

test('a thousand wait for their answers, one event answers them all, and others are served meanwhile', { timeout: 60_000 }, async t => {
  const { door, waiting } = await open(t)
  const clients = Array.from({ length: 1_000 }, () => new Client(t, door.port))
  for (const client of clients) await client.send(pull)
  await until(() => waiting.length === 1_000)
  const other = new Client(t, door.port)
  await other.send(post('/onvif/device_service', '<q/>'))
  assert.equal((await other.answer())?.status, 200)
  for (const { answer } of waiting) answer()
  const answers = await Promise.all(clients.map(client => client.answer()))
  assert.ok(answers.every(answer => answer?.body === '<pulled/>'))
  assert.ok(waiting.every(({ signal }) => !signal.aborted))
  for (const client of clients) client.socket.destroy()
  assert.equal([...heldConnections()].length, 0)
})

test('over TLS it is no different', { timeout: 30_000, skip: lacksOpenssl }, async t => {
  makeAuthority('held')
  issue('held-server', 'held', serverExtensions('IP:127.0.0.1'))
  const keystore = newKeystore()
  keystore.tls.addPath(await bring(keystore, 'held-server', 'held'))
  const { waiting, receive } = holding()
  const { port, server } = await openTls(t, keystore, { handle: receive, bounds: short })
  const begin = async (): Promise<TLSSocket> => {
    const before = waiting.length
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.on('error', () => {})
    socket.write(pull)
    await until(() => waiting.length > before)
    return socket
  }
  const [first, second] = [await begin(), await begin()]
  t.after(() => first.destroy())
  await sleep(200)
  assert.deepEqual(
    waiting.map(({ signal }) => signal.aborted),
    [false, false],
  )
  second.destroy()
  await until(() => waiting[1]?.signal.aborted === true)
  waiting[1]?.answer()
  const released = server.release(port)
  await sleep(200)
  assert.equal(waiting[0]?.signal.aborted, false, 'nor on a port that is given up')
  const text = new Promise<string>(resolve => first.once('data', piece => resolve(String(piece))))
  waiting[0]?.answer()
  assert.match(await text, /^HTTP\/1\.1 200 /)
  await released
})
