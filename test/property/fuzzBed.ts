import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connect, type OnvifClient } from '../../src/client/onvifClient.ts'
import { createDevice } from '../../src/createDevice.ts'
import { freePort } from '../discovery/bed.ts'
import { createImageMaker } from '../soak/images.ts'
import { admin } from '../support/daemon.ts'
import type { Random } from '../support/random.ts'

/** A device in this process, with everything that hears somebody: what it throws and nobody catches ends the fuzzing. */
export interface FuzzBed {
  readonly url: URL
  readonly port: number
  readonly discoveryPort: number
  readonly client: OnvifClient
  /** An image that the device would take. */
  readonly image: Buffer
  stop(): Promise<void>
}

export async function openFuzzBed(random: Random): Promise<FuzzBed> {
  const state = await mkdtemp(join(tmpdir(), 'onvifd-fuzz-'))
  const discoveryPort = await freePort()
  const device = await createDevice({
    state,
    port: 0,
    discoveryPort,
    bootTime: 0,
    logLevel: 'silent',
    adminPassword: admin.password,
    activate: 'manual',
  })
  const url = new URL(await device.start())
  const makeImage = await createImageMaker(state, random)
  const { bytes: image } = await makeImage('good', 30_000)
  const client = connect(url.href, { user: admin.name, password: admin.password, timeoutMs: 20_000 })
  // Digest has to be known before a raw request can carry it.
  await client.call('GetUsers', {})
  return {
    url,
    port: Number(url.port),
    discoveryPort,
    client,
    image,
    async stop() {
      client.close()
      await device.stop()
      await rm(state, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Sends these pieces, ends its half of the connection, and gives all that comes back. Rejects where the device does not close in time. */
export function exchange(port: number, pieces: readonly Uint8Array[], { patienceMs = 15_000, from = '127.0.0.1' } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true })
    const received: Buffer[] = []
    const over = () => resolve(Buffer.concat(received).toString('latin1'))
    const late = setTimeout(() => {
      reject(new Error(`no end after ${patienceMs} ms; so far ${Buffer.concat(received).toString('latin1').slice(0, 500)}`))
      socket.destroy()
    }, patienceMs)
    socket.on('data', (piece: Buffer) => void received.push(piece))
    socket.on('end', () => socket.destroy())
    // Refused bytes may be answered with a reset.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(late)
      over()
    })
    for (const piece of pieces) socket.write(piece)
    socket.end()
  })
}

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

export interface Footprint {
  readonly heapMiB: number
  readonly descriptors: number
}

/** What is left when everything that can be collected is. */
export async function footprint(): Promise<Footprint> {
  // Connections that have just ended, and the answers that discovery still owes.
  await sleep(1500)
  for (let round = 0; round < 4; round++) {
    if (typeof collect === 'function') collect()
    await sleep(50)
  }
  return { heapMiB: process.memoryUsage().heapUsed / 2 ** 20, descriptors: readdirSync('/proc/self/fd').length }
}

/** Grown by what stays once, such as code that was compiled and hidden classes, but not by something of every request. */
export function assertNotGrown(before: Footprint, after: Footprint, allowedMiB: number): void {
  assert.ok(after.heapMiB < before.heapMiB + allowedMiB, `the heap grew from ${before.heapMiB} to ${after.heapMiB} MiB`)
  assert.ok(after.descriptors <= before.descriptors, `${before.descriptors} descriptors became ${after.descriptors}`)
}

/** What no answer may tell. */
export const innards = /node:internal|\.ts:\d|\bat \w+ \(|\/src\/|\/node_modules\/|root:x:/
