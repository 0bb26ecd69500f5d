import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FirmwareReport } from '../../src/device/firmware/report.ts'
import { UploadRefusal } from '../../src/device/upload.ts'
import type { HttpOptions } from '../../src/http/server.ts'
import { type Answer, admin, Client, type Door, digest, openDoor, operator, until } from './door.ts'

const idle: FirmwareReport = {
  state: 'Idle',
  transaction: undefined,
  version: undefined,
  receivedBytes: 0,
  expectedBytes: undefined,
  percent: undefined,
  waitingFor: undefined,
  engine: 'builtin',
  record: 'whole',
  slots: [
    { id: 'A', running: true, confirmed: true, next: true, version: '1.0.0', sha256: 'aa', triesLeft: 3, transaction: undefined },
    { id: 'B', running: false, confirmed: false, next: false, version: undefined, sha256: undefined, triesLeft: 0, transaction: undefined },
  ],
  last: undefined,
}

/** Firmware that notes what it is told. */
function scripted() {
  const orders: { readonly order: string; readonly user: string; readonly remoteAddress: string }[] = []
  const events: string[] = []
  const firmware: HttpOptions['firmware'] = {
    report: async () => idle,
    history: () => [],
    async command(order, { user, remoteAddress }) {
      orders.push({ order, user, remoteAddress })
      return { transaction: '01HX', message: `${order} it is`, afterReply: async () => void events.push('effect') }
    },
  }
  return { firmware, orders, events }
}

interface Question {
  readonly method?: string
  readonly path: string
  readonly who?: Parameters<typeof digest>[3]
  readonly headers?: readonly string[]
  readonly body?: string
}

/** One request that logs in. */
async function ask(t: Parameters<typeof openDoor>[0], door: Door, question: Question): Promise<Answer> {
  const { method = 'GET', path, who = admin, headers = [], body = '' } = question
  const client = new Client(t, door.port)
  const send = (...lines: string[]) =>
    client.send(`${[`${method} ${path} HTTP/1.1`, 'Host: d', `Content-Length: ${body.length}`, ...lines].join('\r\n')}\r\n\r\n`)
  await client.send(`${method} ${path} HTTP/1.1\r\nHost: d\r\n\r\n`)
  const challenged = await client.answer()
  if (challenged?.status !== 401) return challenged ?? assert.fail()
  await send(digest(challenged, method, path, who), ...headers)
  await client.send(body)
  return (await client.answer()) ?? assert.fail()
}

const json = ['Content-Type: application/json']
const post = (order: string, more: Partial<Question> = {}) => ({ method: 'POST', path: `/onvif/firmware/${order}`, headers: json, ...more })

test('an Administrator reads how the upgrade stands and how the last ones ended, as JSON', async t => {
  const entry = { transaction: '01HW', user: 'admin', from: '1.0.0', to: '2.0.0', failure: undefined, at: '2026-01-02T03:04:05.000Z' }
  const whole = { ...entry, remoteAddress: '192.0.2.7', sha256: 'bb', signers: ['CN=Maker'], seconds: 12, builtAt: undefined }
  const door = await openDoor(t, {
    firmware: { ...scripted().firmware, report: async () => ({ ...idle, last: whole }), history: () => [whole] },
  })
  const report = await ask(t, door, { path: '/onvif/firmware' })
  assert.equal(report.status, 200)
  assert.equal(report.headers.get('content-type'), 'application/json')
  assert.equal(report.headers.get('cache-control'), 'no-store')
  assert.equal(report.headers.get('access-control-allow-origin'), undefined)
  const { failure: _, builtAt: __, ...written } = whole
  assert.deepEqual(JSON.parse(report.body), {
    state: 'Idle',
    receivedBytes: 0,
    engine: 'builtin',
    record: 'whole',
    slots: [
      { id: 'A', running: true, confirmed: true, next: true, version: '1.0.0', sha256: 'aa', triesLeft: 3 },
      { id: 'B', running: false, confirmed: false, next: false, triesLeft: 0 },
    ],
    last: written,
  })
  const history = await ask(t, door, { path: '/onvif/firmware/history' })
  assert.equal(history.status, 200)
  assert.deepEqual(JSON.parse(history.body), [written])
})

test('each order is told with who gave it, and its effect waits until the answer has left', async t => {
  const { firmware, orders, events } = scripted()
  const door = await openDoor(t, { firmware })
  for (const order of ['activate', 'confirm', 'rollback', 'abort']) {
    const answer = await ask(t, door, post(order, { body: order === 'abort' ? '{}' : '' }))
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.deepEqual(JSON.parse(answer.body), { transaction: '01HX', message: `${order} it is` })
    assert.deepEqual(orders.at(-1), { order, user: 'admin', remoteAddress: '127.0.0.1' })
    await until(() => events.length === orders.length)
    const { fields } = door.log.find(line => line.fields.order === order) ?? assert.fail()
    assert.deepEqual(fields, { order, user: 'admin', from: '127.0.0.1', status: 200, transaction: '01HX' })
  }
  assert.equal(door.soap.length, 0, 'an order is no SOAP message')
})

test('the effect of an order comes after its answer, also where it ends every connection', async t => {
  let isUp = true
  const { firmware } = scripted()
  const goDown = async () => {
    isUp = false
    door.server.expel()
  }
  const order: HttpOptions['firmware']['command'] = async () => ({
    transaction: '01HX',
    message: 'the device restarts',
    afterReply: goDown,
  })
  const door: Door = await openDoor(t, { firmware: { ...firmware, command: order }, admits: () => isUp })
  const answer = await ask(t, door, post('rollback'))
  assert.equal(answer.status, 200)
  assert.deepEqual(JSON.parse(answer.body), { transaction: '01HX', message: 'the device restarts' })
  await until(() => !isUp)
})

test('what has no meaning now is refused as JSON with its reason', async t => {
  const refusal = new UploadRefusal(409, 'state', 'confirm has no meaning in the state Idle', { transaction: '01HY', cause: 'secret' })
  const door = await openDoor(t, { firmware: { ...scripted().firmware, command: () => Promise.reject(refusal) } })
  const answer = await ask(t, door, post('confirm'))
  assert.equal(answer.status, 409)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.deepEqual(JSON.parse(answer.body), { reason: 'state', message: refusal.message, transaction: '01HY' })
  assert.ok(door.log.some(({ fields }) => fields.status === 409 && fields.reason === 'state' && fields.transaction === '01HY'))
})

test('a failure of the device tells the client nothing, and the log all', async t => {
  const command = () => Promise.reject(new Error('EIO at /secret'))
  const door = await openDoor(t, { firmware: { ...scripted().firmware, command, report: command } })
  for (const question of [post('confirm'), { path: '/onvif/firmware' }]) {
    const answer = await ask(t, door, question)
    assert.equal(answer.status, 500)
    assert.doesNotMatch(answer.body, /secret/)
  }
  assert.equal(door.log.filter(({ level, fields }) => level === 'error' && /secret/.test(String(fields.error))).length, 2)
})

test('nobody below an Administrator sees or orders anything', async t => {
  const { firmware, orders } = scripted()
  const door = await openDoor(t, { firmware })
  for (const question of [post('confirm'), { path: '/onvif/firmware' }, { path: '/onvif/firmware/history' }]) {
    const answer = await ask(t, door, { ...question, who: operator })
    assert.equal(answer.status, 401)
    assert.match(answer.body, /the level Operator may not/)
    const wrong = await ask(t, door, { ...question, who: { ...admin, password: 'wrong' } })
    assert.equal(wrong.status, 401)
  }
  assert.deepEqual(orders, [])
})

/** What a page of another site can have a browser send with the log-in that it remembers (Fetch 2.2.2). */
const fromElsewhere = [
  [],
  ['Content-Type: text/plain'],
  ['Content-Type: application/x-www-form-urlencoded'],
  ['Content-Type: multipart/form-data; boundary=b'],
  ['Content-Type: text/plain; application/json'],
]
for (const headers of fromElsewhere) {
  test(`a page of another site orders nothing: ${headers[0] ?? 'no type'}`, async t => {
    const { firmware, orders } = scripted()
    const door = await openDoor(t, { firmware })
    for (const [origin, status] of [
      [[], 415],
      [['Origin: http://elsewhere.example'], 403],
    ] as const) {
      const answer = await ask(t, door, post('rollback', { headers: [...headers, ...origin] }))
      assert.equal(answer.status, status, 'a browser that does not say for whom it asks')
      assert.deepEqual(orders, [])
    }
  })
}

test('the question whether another site may is answered with no', async t => {
  const door = await openDoor(t, { firmware: scripted().firmware })
  const headers = [
    'Origin: http://elsewhere.example',
    'Access-Control-Request-Method: POST',
    'Access-Control-Request-Headers: content-type',
  ]
  const client = new Client(t, door.port)
  await client.send(`OPTIONS /onvif/firmware/rollback HTTP/1.1\r\n${['Host: d', ...headers].join('\r\n')}\r\n\r\n`)
  const answer = await client.answer()
  assert.equal(answer?.status, 403)
  assert.doesNotMatch(answer.head, /access-control/i)
})

test('an order has no parameters', async t => {
  const { firmware, orders } = scripted()
  const door = await openDoor(t, { firmware })
  const answer = await ask(t, door, post('confirm', { body: '{"transaction":"01HX"}' }))
  assert.equal(answer.status, 400)
  assert.deepEqual(JSON.parse(answer.body), { reason: 'format', message: 'an order has no parameters: send {}' })
  assert.deepEqual(orders, [])
})

const others: readonly (readonly [method: string, path: string, status: number])[] = [
  ['GET', '/onvif/firmware/', 404],
  ['GET', '/onvif/firmware/nonsense', 404],
  ['GET', '/onvif/Firmware', 404],
  ['GET', '/onvif/firmware/confirm', 405],
  ['PUT', '/onvif/firmware/confirm', 405],
  ['DELETE', '/onvif/firmware', 405],
]
for (const [method, path, status] of others) {
  test(`${status}: ${method} ${path}`, async t => {
    const { firmware, orders } = scripted()
    const door = await openDoor(t, { firmware })
    assert.equal((await ask(t, door, { method, path })).status, status)
    assert.deepEqual(orders, [])
  })
}
