import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { admin, startDaemon } from '../support/daemon.ts'
import { envelope, type Login } from '../support/device.ts'

/** What the answer was, without what is another each time, and how long it took. */
interface Answer {
  readonly status: number
  readonly text: string
  readonly ms: number
}

/** One log-in by token from this address of the loopback. */
function logIn(url: string, from: string, login: Login, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const agent = new Agent({ localAddress: from })
    const sent = request(url, { agent, method: 'POST', headers }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      response.once('end', () => {
        agent.destroy()
        resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - began })
      })
    })
    sent.once('error', reject)
    sent.end(envelope('<tds:GetUsers/>', login))
  })
}

const [guesser, friend] = ['127.0.0.2', '127.0.0.3']

/** Each says that the request came from somewhere else, as anybody can. */
const disguises = ['X-Forwarded-For', 'X-Real-IP', 'True-Client-IP', 'CF-Connecting-IP', 'X-Client-IP', 'X-Cluster-Client-IP']

test('whoever guesses has to wait, whatever address he claims, and nobody else does', { timeout: 60_000 }, async t => {
  const device = await startDaemon(t, ['--discovery', 'off', '--log-level', 'debug'])
  const disguise = (i: number) => ({
    ...Object.fromEntries(disguises.map(name => [name, `198.51.100.${i}`])),
    Forwarded: `for=198.51.100.${i}`,
  })
  const guess = (i: number) =>
    logIn(device.url, guesser, { name: i % 2 ? admin.name : 'nobody', password: `not-the-password-${i}` }, disguise(i))
  let isOver = false
  const friends = (async () => {
    const times: number[] = []
    while (!isOver) {
      const { status, ms } = await logIn(device.url, friend, admin)
      assert.equal(status, 200)
      times.push(ms)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    return times.toSorted((a, b) => a - b)
  })()

  const began = performance.now()
  const texts = new Set<string>()
  // As many as it takes to have waited three times, each longer than the one before.
  for (let i = 0; i < limits.guessesFree + 3; i++) {
    const { status, text } = await guess(i)
    assert.equal(status, 400)
    texts.add(text)
  }
  const waitedMs = performance.now() - began
  assert.ok(waitedMs >= limits.guessPauseMinMs * 7, `${waitedMs} ms for them`)
  assert.equal(texts.size, 1, 'a wrong password and an unknown user are answered alike')
  const burst = await Promise.all(Array.from({ length: 100 }, (_, i) => guess(i)))
  assert.ok(burst.every(({ status }) => status === 400))
  isOver = true
  const times = await friends
  t.diagnostic(
    `meanwhile ${times.length} log-ins from elsewhere: median ${times[times.length >> 1]?.toFixed(1)} ms, longest ${times.at(-1)?.toFixed(0)} ms`,
  )
  assert.ok(times.length > 10)
  assert.ok(device.output().includes(`"from":"${guesser}"`))
  assert.ok(!device.output().includes('198.51.100'), 'no log believes it either')
})
