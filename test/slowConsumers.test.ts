import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createConsumers } from '../src/client/consumers.ts'
import { limits } from '../src/limits.ts'
import { notificationOf } from '../src/operations/events/messages.ts'
import { refusal, setUp } from './device/events/support.ts'
import { until } from './http/door.ts'
import { connectionsOf, lacksProc } from './support/tcp.ts'

/** A subscription that is delivered over real connections, by a clock that the test moves on. */
async function delivering(t: TestContext, port: number) {
  const all = setUp()
  const consumers = createConsumers({ isLocalAllowed: true })
  t.after(() => {
    all.subscriptions.close()
    consumers.close()
  })
  const send = await consumers.open({ address: `http://127.0.0.1:${port}/`, parameters: [] })
  const state = { pending: 0, most: 0, tried: 0 }
  const { id } = all.subscriptions.subscribe({
    filter: all.all,
    owner: 'admin',
    lifeMs: limits.eventLifeMaxMs,
    async deliver(messages, signal) {
      state.tried += 1
      state.pending += 1
      state.most = Math.max(state.most, state.pending)
      const notify = { NotificationMessage: messages.map(notificationOf) }
      await send(notify, signal).finally(() => {
        state.pending -= 1
      })
    },
  })
  const isOver = () => {
    try {
      all.subscriptions.renew(id, limits.eventLifeMaxMs)
      return false
    } catch (error) {
      return refusal('ResourceUnknownFault')(error)
    }
  }
  return { ...all, state, isOver }
}

interface Kind {
  readonly port: number
  /** Connections of the device that are there now. */
  open(): number
}

/** Takes connections, and does with each what the test says. */
async function consumer(t: TestContext, treat: (socket: Socket) => void): Promise<Kind> {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    treat(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const port = portOf(server.address())
  return { port, open: () => connectionsOf(port, 'local', 'ESTABLISHED') }
}

const portOf = (address: AddressInfo | string | null): number => (typeof address === 'object' && address ? address.port : 0)

const neverAnswers = (t: TestContext) => consumer(t, socket => void socket.resume())

/** Its socket is full at once, so that what is sent stays with the device. */
const neverReads = (t: TestContext) => consumer(t, socket => void socket.pause())

/** The head of an answer that never ends. */
const answersInDrops = (t: TestContext) =>
  consumer(t, socket => {
    const answer = `HTTP/1.1 200 OK\r\nX-Filler: ${'x'.repeat(10_000)}`
    let at = 0
    const drops = setInterval(() => socket.write(answer.charAt(at++)), 5)
    socket.resume().once('close', () => clearInterval(drops))
  })

/** As a host that was switched off: packets to it are not answered. A stopped process whose queue of connections is full is the same. */
async function isGone(t: TestContext): Promise<Kind> {
  const child = fork(new URL('./support/deafListener.ts', import.meta.url))
  t.after(() => child.kill('SIGKILL'))
  const [port] = await once(child, 'message')
  child.kill('SIGSTOP')
  for (let index = 0; index < 8; index++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
    t.after(() => socket.destroy())
  }
  const waiting = () => connectionsOf(Number(port), 'remote', 'SYN_SENT')
  await until(() => waiting() > 0)
  const own = waiting()
  return { port: Number(port), open: () => waiting() - own }
}

const kinds = { neverAnswers, neverReads, answersInDrops, isGone }

for (const [name, make] of Object.entries(kinds)) {
  test(`a consumer costs one connection and a bounded queue until it is given up: ${name}`, {
    timeout: 60_000,
    skip: lacksProc,
  }, async t => {
    const kind = await make(t)
    const { happen, clock, logged, state, isOver, subscriptions, all } = await delivering(t, kind.port)
    let count = 0
    happen('first')
    await clock.pass(0)
    for (let failures = 1; failures <= limits.eventDeliveryFailuresMax; failures++) {
      await until(() => state.tried === failures && kind.open() === 1)
      for (let index = 0; index < 500; index++) happen(`${count++}`)
      await clock.pass(limits.eventDeliveryTimeoutMs - 1)
      assert.deepEqual([state.tried, state.pending, kind.open()], [failures, 1, 1], 'it has its time')
      assert.equal(isOver(), false)
      await clock.pass(1)
      await until(() => state.pending === 0 && kind.open() === 0)
      await new Promise(setImmediate)
      if (failures < limits.eventDeliveryFailuresMax)
        await clock.pass(Math.min(limits.eventRetryPauseMinMs * 2 ** (failures - 1), limits.eventRetryPauseMaxMs))
    }
    await until(isOver)
    assert.equal(state.most, 1)
    assert.deepEqual(logged, ['a consumer does not take its events: its subscription ends'])
    // There is room for another, and nothing is left of this one.
    const other = subscriptions.subscribe({ filter: all, owner: 'admin', lifeMs: undefined, deliver: async () => {} })
    subscriptions.unsubscribe(other.id)
    happen('last')
    await clock.pass(600_000)
    assert.equal(state.tried, limits.eventDeliveryFailuresMax)
    assert.equal(clock.pending(), 0)
  })
}

test('a consumer that reads again is told what it lost', { timeout: 20_000 }, async t => {
  const bodies: string[] = []
  let isMute = true
  let missed = 0
  const server = createServer(async (request, response): Promise<unknown> => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    if (isMute) return missed++
    bodies.push(body)
    return response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const { happen, clock, state } = await delivering(t, portOf(server.address()))
  happen('first')
  await clock.pass(0)
  await until(() => missed === 1)
  const lost = 3_000
  for (let index = 0; index < lost + limits.eventQueueMax; index++) happen(`${index}`)
  isMute = false
  await clock.pass(limits.eventDeliveryTimeoutMs)
  await until(() => state.pending === 0)
  await new Promise(setImmediate)
  await clock.pass(limits.eventRetryPauseMinMs)
  await until(() => bodies.join().includes(`Value="${lost + limits.eventQueueMax - 1}"`))
  assert.match(bodies[0] ?? '', /Value="first"/)
  assert.match(bodies[1] ?? '', new RegExp(`ofd:Events/Lost<.*Name="Count" Value="${lost}".*KeyID" Value="${lost}"`))
})
