import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventMessage } from '../../../src/device/events/events.ts'
import { limits } from '../../../src/limits.ts'
import { refusal, setUp, short, turn } from './support.ts'

/** A consumer who does with each delivery what the test says. */
function consuming(take: (messages: readonly string[], signal: AbortSignal) => Promise<void> = async () => {}) {
  const all = setUp()
  const tried: { readonly atMs: number; readonly messages: readonly string[] }[] = []
  let pending = 0
  let mostPending = 0
  const deliver = async (messages: readonly EventMessage[], signal: AbortSignal) => {
    const words = messages.map(short)
    tried.push({ atMs: all.clock.monotonicMs(), messages: words })
    mostPending = Math.max(mostPending, ++pending)
    await take(words, signal).finally(() => pending--)
  }
  const subscribe = (lifeMs: number | undefined = 3_600_000) =>
    all.subscriptions.subscribe({ filter: all.all, owner: 'admin', lifeMs, deliver })
  const settle = () => all.clock.pass(0)
  const words = () => tried.splice(0).map(({ messages }) => messages)
  return { ...all, tried, subscribe, settle, words, mostPending: () => mostPending }
}

const never = (_: unknown, signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(new Error('broken off'))))

const refuse = () => Promise.reject(new Error('no'))

test('the states are delivered first, and what happens together goes together', async () => {
  const { relay, happen, subscribe, settle, words } = consuming()
  relay('r1', 'active')
  relay('r2', 'active')
  subscribe()
  await settle()
  assert.deepEqual(words(), [['Initialized Relay r1 active', 'Initialized Relay r2 active']])
  happen('a')
  happen('b')
  await settle()
  happen('c')
  await settle()
  assert.deepEqual(words(), [['KeyStatus a ok', 'KeyStatus b ok'], ['KeyStatus c ok']])
})

test('what happens during a delivery goes with the next, and no delivery has too many', async () => {
  let done = () => {}
  const { happen, subscribe, settle, words, mostPending } = consuming(() => new Promise(resolve => (done = resolve)))
  subscribe()
  happen('first')
  await settle()
  for (let index = 0; index < limits.eventMessagesMax + 1; index++) happen(`${index}`)
  await settle()
  assert.equal(words().length, 1)
  for (const expected of [limits.eventMessagesMax, 1]) {
    done()
    await turn()
    assert.deepEqual(
      words().map(({ length }) => length),
      [expected],
    )
  }
  assert.equal(mostPending(), 1)
})

test('a refused delivery is tried again with growing pauses, then the subscription ends and the log says so', async () => {
  const { happen, subscribe, clock, tried, subscriptions, logged, events } = consuming(refuse)
  const { id } = subscribe()
  happen('a')
  await clock.pass(10_000)
  happen('b')
  await clock.pass(600_000)
  const pauses = tried.slice(1).map(({ atMs }, index) => (atMs - (tried[index]?.atMs ?? 0)) / 1000)
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60])
  assert.equal(tried.length, limits.eventDeliveryFailuresMax)
  assert.ok(tried.every(({ messages }) => messages.join() === 'KeyStatus a ok'))
  assert.throws(() => subscriptions.renew(id, 60_000), refusal('ResourceUnknownFault'))
  assert.equal(logged.length, 1)
  assert.equal(clock.pending(), 0)
  assert.equal(events.isHeard('tns1:Monitoring/UploadStatus'), false)
})

test('a consumer who is back gets everything once and in order, and his failures are forgotten', async () => {
  let refusals = limits.eventDeliveryFailuresMax - 1
  const taken: string[] = []
  const { happen, subscribe, clock, logged } = consuming(async messages => {
    if (refusals-- > 0) throw new Error('not yet')
    taken.push(...messages)
  })
  subscribe()
  for (const round of ['a', 'b']) {
    happen(`${round}1`)
    await clock.pass(5_000)
    happen(`${round}2`)
    await clock.pass(300_000)
    refusals = limits.eventDeliveryFailuresMax - 1
  }
  assert.deepEqual(taken, ['KeyStatus a1 ok', 'KeyStatus a2 ok', 'KeyStatus b1 ok', 'KeyStatus b2 ok'])
  assert.deepEqual(logged, [])
})

test('a consumer who never answers costs one delivery at a time and a bounded queue', async () => {
  const { happen, subscribe, clock, tried, mostPending, logged } = consuming(never)
  subscribe(undefined)
  happen('first')
  await clock.pass(1)
  for (let index = 0; index < limits.eventQueueMax * 3; index++) happen(`${index}`)
  await clock.pass(400_000)
  assert.equal(mostPending(), 1)
  assert.equal(tried.length, limits.eventDeliveryFailuresMax)
  assert.ok(tried.every(({ messages }) => messages.join() === 'KeyStatus first ok'))
  assert.equal((tried[1]?.atMs ?? 0) - (tried[0]?.atMs ?? 0), limits.eventDeliveryTimeoutMs + limits.eventRetryPauseMinMs)
  assert.equal(logged.length, 1)
  assert.equal(clock.pending(), 0)
})

test('a consumer who was away too long is told what he lost', async () => {
  let isBack = false
  const { happen, subscribe, clock, words } = consuming(() => (isBack ? Promise.resolve() : refuse()))
  subscribe()
  happen('first')
  await clock.pass(1)
  for (let index = 0; index < limits.eventQueueMax + 5; index++) happen(`${index}`)
  words()
  isBack = true
  await clock.pass(1_000)
  const [first, second] = words()
  assert.deepEqual(first, ['KeyStatus first ok'])
  assert.deepEqual(second?.slice(0, 2), ['Lost 5', 'KeyStatus 5 ok'])
})

test('an end breaks off the delivery or the pause, whichever runs', async () => {
  for (const take of [never, refuse])
    for (const how of ['unsubscribe', 'close', 'time'] as const) {
      let isBroken = false
      const { happen, subscribe, clock, subscriptions, tried, logged } = consuming((messages, signal) => {
        signal.addEventListener('abort', () => {
          isBroken = true
        })
        return take(messages, signal)
      })
      const { id } = subscribe(10_500)
      happen('a')
      await clock.pass(500)
      if (how === 'unsubscribe') subscriptions.unsubscribe(id)
      else if (how === 'close') subscriptions.close()
      else await clock.pass(10_000)
      await turn()
      const before = tried.length
      assert.equal(clock.pending(), 0, how)
      happen('b')
      await clock.pass(600_000)
      assert.equal(tried.length, before, how)
      assert.equal(isBroken, take === never, how)
      assert.deepEqual(logged, [], how)
    }
})

test('no timer is left of a delivery that does not let itself be broken off', async () => {
  const { happen, subscribe, clock, subscriptions } = consuming(() => new Promise(() => {}))
  subscribe()
  happen('a')
  await clock.pass(500)
  subscriptions.close()
  assert.equal(clock.pending(), 0)
})

test('deliveries do not prolong the life, Renew does', async () => {
  const { happen, subscribe, clock, subscriptions, words } = consuming()
  const { id } = subscribe(60_000)
  await clock.pass(50_000)
  happen('a')
  await clock.pass(1)
  subscriptions.renew(id, 60_000)
  await clock.pass(59_999)
  happen('b')
  await clock.pass(1)
  happen('c')
  await clock.pass(1)
  assert.deepEqual(words(), [['KeyStatus a ok'], ['KeyStatus b ok']])
})

test('there are so many consumers, beside the pull points, and none of them can be pulled', async () => {
  const { subscribe, subscriptions, all } = consuming()
  const pullPoint = { filter: all, changedOnly: false, owner: 'admin', lifeMs: undefined }
  for (let index = 0; index < limits.eventConsumersMax; index++) subscriptions.createPullPoint(pullPoint)
  const { id } = subscribe()
  for (let index = 1; index < limits.eventConsumersMax; index++) subscribe()
  assert.throws(() => subscribe(), refusal('SubscribeCreationFailedFault'))
  subscriptions.createPullPoint(pullPoint)
  const pull = subscriptions.pull(id, { timeoutMs: 0, limit: 1, hungUp: new AbortController().signal })
  await assert.rejects(pull, refusal('UnableToGetMessagesFault'))
  assert.throws(() => subscribe(0), refusal('UnacceptableInitialTerminationTimeFault'))
  subscriptions.close()
})

test('before a reboot what is on its way is waited for', async () => {
  const { happen, subscribe, subscriptions, settle, words, clock } = consuming()
  subscribe()
  happen('last')
  const over = subscriptions.lastWords()
  await settle()
  assert.deepEqual(words(), [['KeyStatus last ok']])
  await clock.pass(20)
  await over
})

test('a synchronization point is delivered', async () => {
  const { relay, subscribe, subscriptions, settle, words } = consuming()
  relay('r1', 'active')
  const { id } = subscribe()
  await settle()
  words()
  subscriptions.synchronize(id)
  await settle()
  assert.deepEqual(words(), [['Initialized Relay r1 active']])
})
