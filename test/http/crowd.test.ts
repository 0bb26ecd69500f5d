import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { createCrowd } from '../support/crowd.ts'
import { Client, openDoor, post } from './door.ts'

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const descriptors = () => readdirSync('/proc/self/fd').length

/** As limits.ts has them, some ten times shorter. */
const bounds = {
  headersTimeoutMs: 1_000,
  requestTimeoutMs: 1_500,
  silenceTimeoutMs: 2_000,
  lingerIdleTimeoutMs: 500,
  lingerTotalTimeoutMs: 3_000,
  uploadFirstByteTimeoutMs: 2_000,
}

const share = (sorted: readonly number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? 0

/** The same with the real bounds, against a device in a process of its own: `npm run bench -- --only crowd`. */
test('a crowd of slow, idle and endless clients is cut, and others are served meanwhile', { timeout: 60_000 }, async t => {
  const target = { operation: 'StartFirmwareUpgrade', admit: () => assert.fail(), receive: () => assert.fail() } as const
  const door = await openDoor(t, { bounds, uploads: new Map([['/onvif/upload/', target]]) })
  let good = new Client(t, door.port)
  const ask = async (client: Client): Promise<number | undefined> => {
    await client.send(post('/onvif/device_service', '<q/>')).catch(() => {})
    return (await client.answer())?.status
  }
  /** Where all places are taken, a connection that is idle just then may be closed: as every client does, this one comes again. */
  const isServed = async (byNew = false): Promise<void> => {
    if (!byNew && (await ask(good)) === 200) return
    const client = new Client(t, door.port)
    if (!byNew) good = client
    assert.equal(await ask(client), 200)
  }
  await isServed()
  const before = descriptors()
  const began = performance.now()
  const crowd = createCrowd({
    port: door.port,
    counts: { 'slow head': 100, 'slow body': 100, idle: 2_000, 'stalled upload': 10, 'endless upload': 10 },
    everyMs: 100,
    uploadPath: '/onvif/upload/abcdefghijklmnop',
    sources: ['127.0.0.2', '127.0.0.3', '127.0.0.4'],
  })
  t.after(crowd.end)
  const times: number[] = []
  while (crowd.open() > 0 && performance.now() - began < 30_000) {
    const sent = performance.now()
    await isServed(times.length % 10 === 9)
    times.push(performance.now() - sent)
    await pause(10)
  }
  assert.equal(crowd.open(), 0, 'all of them are cut')
  times.sort((a, b) => a - b)
  t.diagnostic(
    `${times.length} good requests: p50 ${share(times, 0.5).toFixed(1)} ms, p95 ${share(times, 0.95).toFixed(1)} ms, longest ${share(times, 1 - 1e-9).toFixed(0)} ms`,
  )
  for (const [kind, { taken, longestMs }] of crowd.tallies)
    t.diagnostic(`${taken} × ${kind}: the last was cut after ${longestMs.toFixed(0)} ms`)
  // Every tenth good request came by a connection that is open still.
  const kept = Math.floor(times.length / 10)
  for (let waited = 0; descriptors() > before + kept && waited < 5_000; waited += 50) await pause(50)
  assert.ok(descriptors() <= before + kept, 'nothing stays open')
  await isServed()
})
