/**
 * To be run in a network namespace of its own: clients wait for events at a device, and then the network is gone, so that nobody hears
 * of their end. Prints as JSON when the device missed them, what they left behind, and what they are told when they are back.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevice } from '../../src/createDevice.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { noFirmware } from '../http/door.ts'
import { admin } from './daemon.ts'
import { envelope } from './device.ts'

const clients = 20
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const state = mkdtempSync(join(tmpdir(), 'onvifd-vanishing-'))
const device = await createDevice({ state, relays: 1, logLevel: 'silent', adminPassword: admin.password })
const waiting: AbortSignal[] = []
const server = createHttpServer({
  handle(request) {
    if (request.target.startsWith('/onvif/subscription/') && request.hungUp) waiting.push(request.hungUp)
    return device.handle(request)
  },
  authenticator: { authenticate: () => ({ kind: 'anonymous' }), challenges: () => [], permits: () => true },
  uploads: new Map(),
  downloads: new Map(),
  firmware: noFirmware,
  logs: { system: silent, access: silent },
  bounds: { keepAliveMs: 1_000 },
})
const { port } = await server.listen('127.0.0.1', 0)

async function ask(body: string, path = '/onvif/event_service'): Promise<string> {
  const options = { method: 'POST', body: envelope(body, admin), headers: { connection: 'close' } }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, options)
  return response.text()
}
const pull = (timeout: string) =>
  `<tev:PullMessages><tev:Timeout>${timeout}</tev:Timeout><tev:MessageLimit>1</tev:MessageLimit></tev:PullMessages>`
const filter =
  '<tev:Filter><wsnt:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:Device/Trigger/Relay</wsnt:TopicExpression></tev:Filter>'
const sockets = () => readdirSync('/proc/self/fd').length
const network = (to: 'up' | 'down') => spawnSync('ip', ['link', 'set', 'lo', to])
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 20))
}

const points: string[] = []
for (let index = 0; index < clients; index++) {
  const created = await ask(`<tev:CreatePullPointSubscription>${filter}</tev:CreatePullPointSubscription>`)
  const path = new URL(/<wsa:Address>([^<]+)</.exec(created)?.[1] ?? '').pathname
  await ask(pull('PT0S'), path)
  points.push(path)
}
waiting.length = 0
await new Promise(resolve => setTimeout(resolve, 200))
const before = sockets()
const gone = points.map(path => {
  const message = envelope(pull('PT5M'), admin)
  const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
  socket.write(`POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`)
  return socket
})
await until(() => waiting.length === clients)
network('down')
const began = performance.now()
await until(() => waiting.every(({ aborted }) => aborted))
const missedAfterMs = Math.round(performance.now() - began)
// The ends of the clients are in this process, too.
const openFiles = sockets() - before - gone.filter(socket => !socket.destroyed).length
await device.handle({
  body: Buffer.from(
    envelope(
      '<tds:SetRelayOutputState><tds:RelayOutputToken>relay1</tds:RelayOutputToken><tds:LogicalState>active</tds:LogicalState></tds:SetRelayOutputState>',
      admin,
    ),
  ),
  origin: new URL('http://127.0.0.1'),
  remoteAddress: '127.0.0.1',
  target: '/onvif/device_service',
})
network('up')
const told: (string | undefined)[] = []
for (const path of points) told.push(/LogicalState" Value="(\w+)"/.exec(await ask(pull('PT0S'), path))?.[1])
console.log(JSON.stringify({ clients, missedAfterMs, openFiles, told }))
for (const socket of gone) socket.destroy()
await server.close()
await device.stop()
rmSync(state, { recursive: true, force: true })
