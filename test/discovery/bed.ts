import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDevice, type Device, type DeviceOptions } from '../../src/createDevice.ts'
import { limits } from '../../src/limits.ts'
import { admin, temporaryFolder } from '../support/daemon.ts'
import { envelope } from '../support/device.ts'
import { lacksSchemas, validateDiscovery } from './schema.ts'

const group = '239.255.255.250'
/** An answer or a Hello may take so long, and some more on a busy machine. */
const patienceMs = limits.discoveryDelayMaxMs + 700

export interface Packet {
  readonly xml: string
  readonly bytes: number
  readonly from: { readonly address: string; readonly port: number }
}

async function openSocket(t: TestContext, port: number, address: string): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  socket.bind({ port, address, exclusive: true })
  await once(socket, 'listening')
  t.after(() => socket.close())
  return socket
}

/** A UDP port of which nobody else knows. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  await new Promise<void>(resolve => socket.close(() => resolve()))
  return port
}

/** The Hello and Bye that come by the loopback interface. */
export async function overhear(t: TestContext, port: number): Promise<readonly Packet[]> {
  const heard: Packet[] = []
  const socket = await openSocket(t, port, group)
  socket.addMembership(group, '127.0.0.1')
  socket.on('message', (packet, from) => {
    const announcement = { xml: String(packet), bytes: packet.length, from }
    if (/^(Hello|Bye)$/.test(actionOf(announcement))) heard.push(announcement)
  })
  return heard
}

/** A program that asks; with a port of its own. */
export async function createAsker(t: TestContext, port: number, address = '127.0.0.1') {
  const socket = await openSocket(t, 0, address)
  socket.setMulticastInterface(address)
  const answers: Packet[] = []
  socket.on('message', (packet, from) => void answers.push({ xml: String(packet), bytes: packet.length, from }))
  const send = (packet: string | Uint8Array, to = group) =>
    new Promise<void>((resolve, reject) => socket.send(packet, port, to, error => (error ? reject(error) : resolve())))
  return {
    answers,
    send,
    /** Sends it, and gives what has come when every device has had its time. Answers are valid. */
    async ask(packet: string | Uint8Array, to = group): Promise<readonly Packet[]> {
      const before = answers.length
      await send(packet, to)
      await sleep(patienceMs)
      const own = answers.slice(before)
      if (!lacksSchemas) for (const { xml } of own) assert.deepEqual(validateDiscovery(xml), [], xml)
      return own
    },
  }
}

export interface Found {
  readonly device: Device
  readonly url: string
  readonly state: string
  readonly discoveryPort: number
  /** Asks for what stands inside of the Body, as the Administrator. */
  call(body: string): Promise<string>
}

/** A device on 127.0.0.1 that is found on a port of its own. */
export async function startDevice(t: TestContext, options: DeviceOptions = {}): Promise<Found> {
  let device: Device | undefined
  const state = options.state ?? (await temporaryFolder(t, async () => device?.stop()))
  const discoveryPort = options.discoveryPort ?? (await freePort())
  const given = { port: 0, bootTime: 0.1, logLevel: 'silent', adminPassword: admin.password, ...options, state, discoveryPort } as const
  device = await createDevice(given)
  const url = await device.start()
  const { handle } = device
  return {
    device,
    url,
    state,
    discoveryPort,
    async call(body) {
      const answer = await handle({
        body: Buffer.from(envelope(body, admin)),
        origin: new URL(url),
        remoteAddress: '127.0.0.1',
        target: '/onvif/device_service',
      })
      assert.equal(answer.status, 200, String(answer.body))
      return String(answer.body)
    },
  }
}

export const actionOf = ({ xml }: Packet): string => /<a:Action>[^<]*\/([^/<]+)</.exec(xml)?.[1] ?? ''
export const field = ({ xml }: Packet, name: string): string => new RegExp(`<\\w:${name}>([^<]*)<`).exec(xml)?.[1] ?? ''
export const sequenceOf = ({ xml }: Packet): readonly number[] =>
  (/InstanceId="(\d+)" MessageNumber="(\d+)"/.exec(xml) ?? []).slice(1).map(Number)
