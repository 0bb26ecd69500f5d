import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDevice } from '../src/createDevice.ts'
import { limits } from '../src/limits.ts'
import { openDoor, until } from './http/door.ts'
import { admin, run, temporaryFolder } from './support/daemon.ts'
import { envelope } from './support/device.ts'
import { connectionsOf, lacksProc } from './support/tcp.ts'

const filter =
  '<tev:Filter><wsnt:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:Device/Trigger/Relay</wsnt:TopicExpression></tev:Filter>'
const pull = (timeout: string) =>
  `<tev:PullMessages><tev:Timeout>${timeout}</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit></tev:PullMessages>`

/** A whole device behind a real door, whose patience is short. */
async function openDevice(t: TestContext) {
  const state = await temporaryFolder(t, async () => device.stop())
  const device = await createDevice({ state, relays: 1, logLevel: 'silent', adminPassword: admin.password })
  const { port } = await openDoor(t, { receive: device.handle, bounds: { silenceTimeoutMs: 400 } })
  const base = `http://127.0.0.1:${port}/onvif/`

  async function ask(body: string, at = `${base}device_service`): Promise<string> {
    const response = await fetch(at, { method: 'POST', body: envelope(body, admin), headers: { connection: 'close' } })
    const xml = await response.text()
    assert.equal(response.status, 200, xml)
    return xml
  }

  async function subscribe(): Promise<string> {
    const xml = await ask(`<tev:CreatePullPointSubscription>${filter}</tev:CreatePullPointSubscription>`, `${base}event_service`)
    return /<wsa:Address>([^<]+)</.exec(xml)?.[1] ?? assert.fail(xml)
  }

  /** Each message as `Relay Changed active`, and what was lost as `Lost 7`. */
  async function read(point: string, timeout = 'PT0S'): Promise<readonly string[]> {
    const xml = await ask(pull(timeout), point)
    return [...xml.matchAll(/<wsnt:NotificationMessage>[\s\S]*?<\/wsnt:NotificationMessage>/g)].map(([message]) => {
      const count = /Name="Count" Value="(\d+)"/.exec(message)?.[1]
      if (count !== undefined) return `Lost ${count}`
      return `Relay ${/PropertyOperation="(\w+)"/.exec(message)?.[1]} ${/LogicalState" Value="(\w+)"/.exec(message)?.[1]}`
    })
  }

  /** Asks for events on a connection of its own, and leaves the answer to `treat`. */
  async function wait(point: string, treat: (socket: Socket) => void, options = {}): Promise<void> {
    const message = envelope(pull('PT1M'), admin)
    const socket = connect({ port, host: '127.0.0.1', ...options })
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    treat(socket)
    const head = `POST ${new URL(point).pathname} HTTP/1.1\r\nHost: d\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n`
    await new Promise<void>(resolve => socket.write(head + message, () => resolve()))
  }

  const happen = (index: number) =>
    ask(
      `<tds:SetRelayOutputState><tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:LogicalState>${stateOf(index)}</tds:LogicalState></tds:SetRelayOutputState>`,
    )
  // Of a relay that falls back by itself nothing is written to the disk.
  const monostable = '<tt:Mode>Monostable</tt:Mode><tt:DelayTime>PT1H</tt:DelayTime><tt:IdleState>open</tt:IdleState>'
  await ask(
    `<tds:SetRelayOutputSettings><tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:Properties>${monostable}</tds:Properties></tds:SetRelayOutputSettings>`,
  )
  return { port, ask, subscribe, read, wait, happen }
}

const stateOf = (index: number) => (index % 2 === 0 ? 'active' : 'inactive')

type Wait = Awaited<ReturnType<typeof openDevice>>['wait']

const kinds: Readonly<Record<string, (t: TestContext, wait: Wait, point: string) => Promise<void>>> = {
  'never reads': (_, wait, point) => wait(point, socket => void socket.pause()),

  async 'reads a byte now and then'(t, wait, point) {
    const onread = { buffer: new Uint8Array(1), callback: () => false }
    await wait(
      point,
      socket => {
        const next = setInterval(() => socket.resume(), 50)
        t.after(() => clearInterval(next))
      },
      { onread },
    )
  },
}

for (const [kind, treat] of Object.entries(kinds)) {
  test(`a client that ${kind} loses its connection and the oldest events, is told so, and disturbs nobody`, {
    timeout: 60_000,
    skip: lacksProc,
  }, async t => {
    const { port, ask, subscribe, read, wait, happen } = await openDevice(t)
    const slow: string[] = []
    for (let index = 0; index < 10; index++) {
      const point = await subscribe()
      await read(point)
      await treat(t, wait, point)
      slow.push(point)
    }
    const good = await subscribe()
    const heard: string[] = [...(await read(good))]
    const count = 2_000
    const listening = (async () => {
      while (heard.length < count + 1) heard.push(...(await read(good, 'PT10S')))
    })()
    for (let index = 0; index < count; index++) await happen(index)
    await listening
    assert.deepEqual(heard, [
      'Relay Initialized inactive',
      ...Array.from({ length: count }, (_, index) => `Relay Changed ${stateOf(index)}`),
    ])
    await ask('<tds:GetSystemDateAndTime/>')
    // The first event was the end of each wait; then nothing moved.
    await until(() => connectionsOf(port, 'local', 'ESTABLISHED') === 0)

    for (const point of slow) {
      const late: string[] = []
      for (let more = await read(point); more.length > 0; more = await read(point)) late.push(...more)
      // The queue, and before it the notice and the state when it begins.
      assert.equal(late.length, limits.eventQueueMax + 2)
      assert.equal(late[0], `Lost ${count - 1 - (limits.eventQueueMax + 1)}`)
      assert.match(late[1] ?? '', /^Relay Initialized/)
      assert.equal(late.at(-1), `Relay Changed ${stateOf(count - 1)}`)
    }
  })
}

const unshare = ['-rn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
const lacksNamespaces = spawnSync('unshare', [...unshare, 'true']).status !== 0 && 'no network namespace can be made here'

test('a client that vanishes without a word is missed by TCP, and what happens then waits for it', {
  timeout: 60_000,
  skip: lacksNamespaces,
}, async () => {
  const script = fileURLToPath(new URL('./support/vanishing.ts', import.meta.url))
  const { code, stdout, stderr } = await run('unshare', [...unshare, process.execPath, script])
  assert.equal(code, 0, stderr)
  const { clients, missedAfterMs, openFiles, told } = JSON.parse(stdout)
  assert.equal(clients, 20)
  // A second of silence, and ten probes.
  assert.ok(missedAfterMs < 20_000, `${missedAfterMs} ms`)
  assert.equal(openFiles, 0)
  assert.deepEqual(
    told,
    Array.from({ length: 20 }, () => 'active'),
  )
})
