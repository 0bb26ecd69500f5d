import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readQuestion } from '../../src/discovery/messages.ts'
import { limits } from '../../src/limits.ts'
import { type Random, seeded } from '../support/random.ts'
import { createAsker, startDevice } from './bed.ts'
import { copiedProbe, probe, resolve, scopedProbe } from './questions.ts'

const packets = 10_000
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

const bytesOf = (all: readonly { readonly bytes: number }[]): number => all.reduce((sum, { bytes }) => sum + bytes, 0)

const sources = [
  probe('<d:Types>tds:Device</d:Types>'),
  copiedProbe,
  scopedProbe('onvif://www.onvif.org/hardware', 'rfc3986'),
  resolve('urn:uuid:5f5a69c2-e0ae-504f-829b-000000000001'),
] as const

/** Of a question that is answered: cut, with bytes turned, doubled or strange; or nothing but noise. Never a question. */
function spoilt(random: Random): Buffer {
  const text = Buffer.from(random.pick(sources))
  const at = random.whole(0, text.length - 1)
  const made = random.pick([
    () => random.bytes(random.whole(0, 1400)),
    () => text.subarray(0, at),
    () => text.subarray(at),
    () => Buffer.concat([text.subarray(0, at), random.bytes(random.whole(1, 40)), text.subarray(at)]),
    () => Buffer.concat([text, text.subarray(at)]),
    () => Buffer.concat([text, Buffer.alloc(random.whole(limits.discoveryPacketBytesMax, 60_000), ' ')]),
    () => Buffer.from(text.toString().replace(/Probe|Resolve/g, random.pick(['Hello', 'Bye', 'ProbeMatches', 'x', '']))),
    () => Buffer.from(text.toString().replace('</', random.pick(['<', '</x></', '<![CDATA[', '<!--', '&x;', '\u0000']))),
  ])()
  return readQuestion(made) ? Buffer.from('<') : made
}

test(`${packets} spoilt packets (seed ${seed}) are answered by nothing, and the device goes on`, async t => {
  const { discoveryPort, call } = await startDevice(t)
  const asker = await createAsker(t, discoveryPort)
  const random = seeded(seed)
  let sent = 0
  for (let index = 0; index < packets; index++) {
    const packet = spoilt(random)
    sent += packet.length
    await asker.send(packet, index % 2 === 0 ? '127.0.0.1' : undefined)
    // The socket's buffer is not what is tested.
    if (index % 50 === 49) await sleep(1)
  }
  await sleep(limits.discoveryDelayMaxMs + 500)
  t.diagnostic(`${packets} packets, ${sent} bytes sent, ${asker.answers.length} answers, amplification ${bytesOf(asker.answers) / sent}`)
  assert.equal(asker.answers.length, 0)
  assert.equal((await asker.ask(probe(), '127.0.0.1')).length, 1, 'it still hears')
  assert.match(await call('<tds:GetDiscoveryMode/>'), /Discoverable/)
})

test('what an answer costs, and how many a forged sender gets', async t => {
  const { discoveryPort } = await startDevice(t)
  const asker = await createAsker(t, discoveryPort)
  const measure = async (what: string, packet: string, to?: string) => {
    const answers = await asker.ask(packet, to)
    const factor = bytesOf(answers) / Buffer.byteLength(packet)
    t.diagnostic(`${what}: ${Buffer.byteLength(packet)} bytes, answered by ${bytesOf(answers)}: ${factor.toFixed(2)}`)
    return factor
  }
  assert.ok((await measure('a Probe', probe('<d:Types>tds:Device</d:Types>'))) < 3)
  assert.ok((await measure('the copied Probe', copiedProbe)) < 3)
  assert.ok((await measure('a rule that is unknown, unicast', scopedProbe('a:b', 'ldap'), '127.0.0.1')) < 2)
  assert.equal(await measure('a rule that is unknown, multicast', scopedProbe('a:b', 'ldap')), 0)
  assert.equal(await measure('a Probe for others', probe('<d:Types>tds:Printer</d:Types>')), 0)
  assert.equal(await measure('a Resolve for others', resolve('urn:uuid:1')), 0)

  const victim = await createAsker(t, discoveryPort, '127.0.0.3')
  const began = performance.now()
  const sent = 400
  let bytes = 0
  for (let index = 0; index < sent; index++) {
    const packet = probe()
    bytes += packet.length
    await victim.send(packet, '127.0.0.1')
    if (index % 20 === 19) await sleep(50)
  }
  await sleep(limits.discoveryDelayMaxMs + 300)
  const seconds = (performance.now() - began) / 1000
  const allowed = limits.discoveryAnswersBurst + Math.ceil(seconds * limits.discoveryAnswersPerSecond)
  t.diagnostic(
    `${sent} Probes from one address within ${seconds.toFixed(1)} s: ${victim.answers.length} answers, amplification ${(bytesOf(victim.answers) / bytes).toFixed(2)}`,
  )
  assert.ok(victim.answers.length >= limits.discoveryAnswersBurst && victim.answers.length <= allowed, `${victim.answers.length} answers`)
  assert.equal((await asker.ask(probe())).length, 1, 'others are answered meanwhile')
})
