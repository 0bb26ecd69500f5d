import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMeant } from '../../src/discovery/matching.ts'
import { readQuestion, writeMatch } from '../../src/discovery/messages.ts'
import { limits } from '../../src/limits.ts'
import { copiedProbe, probe, resolve, scopedProbe } from '../discovery/questions.ts'
import type { Random } from '../support/random.ts'
import { damaged } from './damage.ts'
import type { FuzzBed } from './fuzzBed.ts'

const sources: readonly [string, ...string[]] = [
  probe(),
  probe('<d:Types>tds:Device dn:NetworkVideoTransmitter</d:Types>'),
  copiedProbe,
  scopedProbe('onvif://www.onvif.org/hardware onvif://www.onvif.org/name/%41', 'rfc3986'),
  scopedProbe('urn:uuid:5f5a69c2-e0ae-504f-829b-000000000001', 'uuid'),
  scopedProbe('a:b', 'strcmp0'),
  resolve('urn:uuid:5f5a69c2-e0ae-504f-829b-000000000001'),
]

const description = {
  endpoint: 'urn:uuid:5f5a69c2-e0ae-504f-829b-000000000001',
  scopes: ['onvif://www.onvif.org/hardware/Virtual', 'onvif://www.onvif.org/name/A', 'urn:x:1'],
  xaddrs: ['http://192.0.2.7/onvif/device_service'],
  metadataVersion: 1,
}
/** Longer than any other packet takes on a busy machine. */
const packetMsMax = 500

/** So many datagrams through what reads, judges and answers them, and one in fifty through the sockets. Gives how many were questions. */
export async function fuzzDatagrams(bed: FuzzBed, random: Random, count: number): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  try {
    return await sendAll(bed, socket, random, count)
  } finally {
    socket.close()
  }
}

async function sendAll({ discoveryPort, client }: FuzzBed, socket: Socket, random: Random, count: number): Promise<number> {
  let questions = 0
  for (let done = 0; done < count; done++) {
    const source = Buffer.from(random.pick(sources))
    const packet = random.fraction() < 0.95 ? damaged(random, source) : random.bytes(random.whole(0, 1400))
    const began = performance.now()
    const question = readQuestion(packet)
    if (question) {
      questions += 1
      if (question.kind === 'probe') isMeant(question, description.scopes)
      const answer = writeMatch(question, description, { instanceId: 1, messageNumber: 1 })
      // What is repeated of the question is its MessageID, each character of which may be written as an entity.
      assert.ok(
        answer.length < 3000 + 6 * limits.discoveryMessageIdCharactersMax,
        `${answer.length} characters to ${packet.toString('latin1')}`,
      )
    }
    assert.ok(performance.now() - began < packetMsMax, `${performance.now() - began} ms for ${packet.toString('latin1')}`)
    if (done % 50 !== 0) continue
    await new Promise<void>(sent => socket.send(packet.subarray(0, 60_000), discoveryPort, '127.0.0.1', () => sent()))
    if (done % 1000 === 0) await sleep(1)
  }
  await client.call('GetDiscoveryMode', {})
  return questions
}
