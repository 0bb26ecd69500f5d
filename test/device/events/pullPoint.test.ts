import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { everyTopic } from '../../../src/device/events/topicFilter.ts'
import type { TopicName } from '../../../src/device/events/topics.ts'
import { limits } from '../../../src/limits.ts'
import { refusal, setUp, short, turn } from './support.ts'

/** One pull point that has every topic, and has read what there is. */
function pulling({
  changedOnly = false,
  lifeMs = 60_000 as number | undefined,
  topics = undefined as readonly TopicName[] | undefined,
} = {}) {
  const all = setUp()
  const filter = topics ? everyTopic(topics) : all.all
  const point = all.subscriptions.createPullPoint({ filter, changedOnly, owner: 'operator', lifeMs })
  const pull = (timeoutMs = 0, limit = 100, hungUp = new AbortController().signal) =>
    all.subscriptions.pull(point.id, { timeoutMs, limit, hungUp })
  const words = async (...args: Parameters<typeof pull>) => (await pull(...args)).messages.map(short)
  return { ...all, point, pull, words }
}

/** What became of a promise so far. */
function watched<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: unknown; isSettled: boolean } = { isSettled: false }
  promise.then(
    value => Object.assign(seen, { value, isSettled: true }),
    error => Object.assign(seen, { error, isSettled: true }),
  )
  return seen
}

test('a pull answers at once with what waits, so many as it may, and leaves the rest for the next', async () => {
  const { happen, words } = pulling()
  for (const id of ['a', 'b', 'c']) happen(id)
  assert.deepEqual(await words(60_000, 2), ['KeyStatus a ok', 'KeyStatus b ok'])
  assert.deepEqual(await words(60_000, 2), ['KeyStatus c ok'])
  assert.deepEqual(await words(), [])
})

test('a pull that waits ends with the next event, and has what happened together', async () => {
  const { happen, words, clock } = pulling()
  const waiting = watched(words(60_000))
  await clock.pass(59_000)
  assert.equal(waiting.isSettled, false)
  happen('a')
  happen('b')
  await turn()
  assert.deepEqual(waiting.value, ['KeyStatus a ok', 'KeyStatus b ok'])
})

test('an empty answer comes with the timeout, not before', async () => {
  const { words, clock } = pulling()
  const waiting = watched(words(60_000))
  await clock.pass(59_999)
  assert.equal(waiting.isSettled, false)
  await clock.pass(1)
  assert.deepEqual(waiting.value, [])
  const late = watched(words(-5_000))
  await turn()
  assert.deepEqual(late.value, [], 'a negative duration is none')
})

test('a filter hears its topics, and nothing else', async () => {
  const { happen, relay, words } = pulling({ topics: ['tns1:Device/Trigger/Relay'] })
  happen('a')
  relay('r1', 'active')
  assert.deepEqual(await words(), ['Initialized Relay r1 active'])
})

test('an answer has at most as many messages as the device gives, however many are wanted', async () => {
  const { happen, words } = pulling()
  for (let index = 0; index < limits.eventMessagesMax + 1; index++) happen(`${index}`)
  assert.equal((await words(0, 2_147_483_647)).length, limits.eventMessagesMax)
  assert.equal((await words()).length, 1)
})

test('the states come first, and again when they are asked for', async () => {
  const all = setUp()
  all.relay('r1', 'active')
  all.happen('before')
  const create = (changedOnly: boolean) =>
    all.subscriptions.createPullPoint({ filter: all.all, changedOnly, owner: 'o', lifeMs: 60_000 }).id
  const [id, changedOnly] = [create(false), create(true)]
  all.relay('r1', 'inactive')
  const hungUp = new AbortController().signal
  const read = async (id: string) => (await all.subscriptions.pull(id, { timeoutMs: 0, limit: 100, hungUp })).messages.map(short)
  assert.deepEqual(await read(id), ['Initialized Relay r1 active', 'Changed Relay r1 inactive'])
  assert.deepEqual(await read(changedOnly), ['Changed Relay r1 inactive'])
  const waiting = watched(all.subscriptions.pull(id, { timeoutMs: 60_000, limit: 100, hungUp }))
  all.subscriptions.synchronize(id)
  all.subscriptions.synchronize(changedOnly)
  await turn()
  assert.deepEqual(waiting.value?.messages.map(short), ['Initialized Relay r1 inactive'])
  assert.deepEqual(await read(changedOnly), [])
})

test('what a reader does not want does not end his waiting', async () => {
  const { words, relay, clock } = pulling({ changedOnly: true })
  const waiting = watched(words(30_000))
  relay('r1', 'active')
  await clock.pass(29_999)
  assert.equal(waiting.isSettled, false)
  relay('r1', 'inactive')
  await turn()
  assert.deepEqual(waiting.value, ['Changed Relay r1 inactive'])
})

test('two pulls at once: the second is refused, the first goes on', async () => {
  const { pull, words, happen } = pulling()
  const first = watched(words(60_000))
  await assert.rejects(pull(60_000), refusal('UnableToGetMessagesFault'))
  await assert.rejects(pull(0), refusal('UnableToGetMessagesFault'))
  happen('a')
  // In the same turn, when the first is on its way out already.
  await assert.rejects(pull(0), refusal('UnableToGetMessagesFault'))
  await turn()
  assert.deepEqual(first.value, ['KeyStatus a ok'])
  assert.deepEqual(await words(), [])
})

test('whoever has gone takes nothing, and what was on its way to him comes again', async () => {
  const { pull, words, happen, clock } = pulling()
  const gone = new AbortController()
  const waiting = watched(pull(60_000, 100, gone.signal))
  gone.abort()
  await turn()
  assert.deepEqual(waiting.value?.messages, [])
  const tooLate = watched(pull(60_000, 100, AbortSignal.abort()))
  await turn()
  assert.deepEqual(tooLate.value?.messages, [])
  happen('a')
  happen('b')
  assert.deepEqual((await pull(60_000, 100, AbortSignal.abort())).messages, [])

  const goneLater = new AbortController()
  assert.equal((await pull(0, 1, goneLater.signal)).messages.length, 1)
  goneLater.abort()
  assert.deepEqual(await words(), ['KeyStatus a ok', 'KeyStatus b ok'])
  assert.equal(clock.pending(), 1, 'only the end of the life is waited for')
})

test('what did not arrive ends the pull that waits meanwhile', async () => {
  const { pull, words, happen } = pulling()
  const gone = new AbortController()
  happen('a')
  await pull(0, 1, gone.signal)
  const next = watched(words(60_000))
  gone.abort()
  await turn()
  assert.deepEqual(next.value, ['KeyStatus a ok'])
})

test('a pull point lives as long as it was asked to, within bounds, and as the device likes where it was not', async () => {
  const { subscriptions, all, clock } = setUp()
  const create = (lifeMs: number | undefined) => {
    const { currentTime, terminationTime } = subscriptions.createPullPoint({ filter: all, changedOnly: false, owner: 'o', lifeMs })
    return terminationTime.getTime() - currentTime.getTime()
  }
  assert.equal(create(90_000), 90_000)
  assert.equal(create(1), limits.eventLifeMinMs)
  assert.equal(create(undefined), limits.eventLifeDefaultMs)
  assert.equal(create(limits.eventLifeMaxMs), limits.eventLifeMaxMs)
  for (const lifeMs of [0, -1, limits.eventLifeMaxMs + 1, Number.NaN])
    assert.throws(() => create(lifeMs), refusal('UnacceptableInitialTerminationTimeFault'))
  assert.equal(clock.pending(), 4)
})

test('its time over, it is gone with all that it cost', async () => {
  const { pull, clock, happen, events } = pulling({ lifeMs: 90_000 })
  await clock.pass(89_999)
  assert.equal(events.isHeard('tns1:Device/Trigger/Relay'), true)
  await clock.pass(1)
  assert.equal(events.isHeard('tns1:Device/Trigger/Relay'), false)
  assert.equal(clock.pending(), 0)
  happen('a')
  await assert.rejects(pull(), refusal('ResourceUnknownFault'))
})

test('a pull prolongs the life to its own timeout and some more, and never shortens it', async () => {
  const { pull, clock, words } = pulling({ lifeMs: 10_000 })
  const left = async (timeoutMs: number) => {
    const { currentTime, terminationTime } = await pull(timeoutMs)
    assert.deepEqual(currentTime, clock.now())
    return terminationTime.getTime() - currentTime.getTime()
  }
  const waiting = watched(left(300_000))
  await clock.pass(300_000)
  assert.equal(waiting.value, 300_000 + limits.eventPullGraceMs)
  await clock.pass(200_000)
  assert.equal(await left(0), 100_000 + limits.eventPullGraceMs)
  await clock.pass(99_999 + limits.eventPullGraceMs)
  assert.equal(await left(0), limits.eventPullGraceMs, 'whoever pulls without waiting keeps it, too')
  await clock.pass(limits.eventPullGraceMs - 1)
  assert.deepEqual(await words(), [])
  await clock.pass(limits.eventPullGraceMs)
  await assert.rejects(pull(0), refusal('ResourceUnknownFault'))
})

test('a pull that waits to the end of the life is answered, not refused', async () => {
  for (const timeoutMs of [59_999, 60_000, 60_001]) {
    const { words, clock } = pulling({ lifeMs: 60_000 })
    const waiting = watched(words(timeoutMs))
    await clock.pass(timeoutMs)
    assert.deepEqual(waiting.value, [])
  }
})

test('setting the clock ends nothing, and the next answer has the new time', async () => {
  const { pull, clock } = pulling({ lifeMs: 100_000 })
  clock.jump(10 * 365 * 86_400_000)
  assert.equal((await pull(0)).terminationTime.getTime() - clock.now().getTime(), 100_000)
  clock.jump(-20 * 365 * 86_400_000)
  assert.equal((await pull(0)).terminationTime.getTime() - clock.now().getTime(), 100_000)
  await clock.pass(100_000)
  await assert.rejects(pull(0), refusal('ResourceUnknownFault'))
})

test('Renew makes the life as long as it says: longer or shorter', async () => {
  const { subscriptions, point, clock, pull } = pulling({ lifeMs: 60_000 })
  const { terminationTime } = subscriptions.renew(point.id, 600_000)
  assert.equal(terminationTime.getTime() - clock.now().getTime(), 600_000)
  await clock.pass(500_000)
  subscriptions.renew(point.id, 20_000)
  assert.equal(clock.pending(), 1)
  await clock.pass(19_999)
  subscriptions.renew(point.id, undefined)
  await clock.pass(limits.eventLifeDefaultMs - 1)
  for (const lifeMs of [0, -1, limits.eventLifeMaxMs + 1])
    assert.throws(() => subscriptions.renew(point.id, lifeMs), refusal('UnacceptableTerminationTimeFault'))
  await clock.pass(1)
  await assert.rejects(pull(0), refusal('ResourceUnknownFault'))
})

test('Unsubscribe ends it at once, with the pull that waits', async () => {
  const { subscriptions, point, pull, clock } = pulling()
  const waiting = watched(pull(60_000))
  subscriptions.unsubscribe(point.id)
  await turn()
  assert.ok(refusal('ResourceUnknownFault')(waiting.error))
  assert.equal(clock.pending(), 0)
  for (const act of [subscriptions.unsubscribe, subscriptions.synchronize, (id: string) => subscriptions.renew(id, 60_000)])
    assert.throws(() => act(point.id), refusal('ResourceUnknownFault'))
  await assert.rejects(pull(), refusal('ResourceUnknownFault'))
})

test('a timeout that is too long and a limit of nothing are refused, and leave the pull point as it was', async () => {
  const { pull, words, happen } = pulling()
  happen('a')
  await assert.rejects(pull(limits.eventPullTimeoutMaxMs + 1), refusal('PullMessagesFaultResponse'))
  for (const limit of [0, -1]) await assert.rejects(pull(0, limit), refusal('InvalidArgVal'))
  assert.deepEqual(await words(limits.eventPullTimeoutMaxMs), ['KeyStatus a ok'])
})

test('what is refused names the bounds', async () => {
  const { pull, subscriptions, point, clock } = pulling()
  const at = (ms: number) => new Date(clock.now().getTime() + ms).toISOString()
  const detail = { MinimumTime: at(limits.eventLifeMinMs), MaximumTime: at(limits.eventLifeMaxMs) }
  assert.throws(() => subscriptions.renew(point.id, -1), { detail: { element: 'wsnt:UnacceptableTerminationTimeFault', value: detail } })
  await assert.rejects(pull(limits.eventPullTimeoutMaxMs + 1), {
    detail: { element: 'tev:PullMessagesFaultResponse', value: { MaxTimeout: 'PT600S', MaxMessageLimit: limits.eventMessagesMax } },
  })
})

test('one user has so many pull points, all users together so many, and what ended makes room', () => {
  const { subscriptions, all } = setUp()
  const create = (owner: string) => subscriptions.createPullPoint({ filter: all, changedOnly: false, owner, lifeMs: 60_000 }).id
  const full = refusal('SubscribeCreationFailedFault')
  const ids = Array.from({ length: limits.eventPullPointsPerUserMax }, () => create('one'))
  assert.throws(() => create('one'), full)
  for (let index = ids.length; index < limits.eventPullPointsMax; index++) create('two')
  assert.throws(() => create('three'), full)
  subscriptions.unsubscribe(ids[0] ?? '')
  create('three')
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(
    ids.every(id => /^[\w-]{22}$/.test(id)),
    '128 bits, fit for a path',
  )
  subscriptions.close()
})

test('before a reboot, whoever is between two pulls gets the time for one more', async () => {
  const { subscriptions, words, happen, clock } = pulling()
  await words()
  happen('last')
  const over = watched(subscriptions.lastWords())
  await clock.pass(200)
  assert.equal(over.isSettled, false)
  assert.deepEqual(await words(), ['KeyStatus last ok'])
  await clock.pass(20)
  assert.equal(over.isSettled, true)
})

test('whoever does not come is waited for a second, and not at all where he has not come for long', async () => {
  const { subscriptions, words, happen, clock } = pulling()
  await words()
  happen('last')
  const over = watched(subscriptions.lastWords())
  await clock.pass(limits.eventLastWordsMs)
  assert.equal(over.isSettled, true)
  await clock.pass(limits.eventAttentiveMs)
  const again = watched(subscriptions.lastWords())
  await turn()
  assert.equal(again.isSettled, true)
})

test('after close there is no subscription, no timer and nobody who waits', async () => {
  const { subscriptions, pull, clock, all, events } = pulling()
  const waiting = watched(pull(60_000))
  subscriptions.createPullPoint({ filter: all, changedOnly: false, owner: 'o', lifeMs: undefined })
  subscriptions.close()
  await turn()
  assert.deepEqual(waiting.value?.messages, [])
  assert.equal(clock.pending(), 0)
  assert.equal(events.isHeard('tns1:Device/Trigger/Relay'), false)
  assert.throws(
    () => subscriptions.createPullPoint({ filter: all, changedOnly: false, owner: 'o', lifeMs: undefined }),
    refusal('SubscribeCreationFailedFault'),
  )
})

test('a slow reader is told what he lost, and has the state in the end', async () => {
  const { relay, happen, words } = pulling()
  relay('r1', 'active')
  relay('r1', 'inactive')
  for (let index = 0; index < limits.eventQueueMax + 3; index++) happen(`${index}`)
  assert.deepEqual(await words(0, 3), ['Lost 4', 'Initialized Relay r1 inactive', 'KeyStatus 3 ok'])
})

type Doing = 'happen' | 'pull' | 'pullAndGo' | 'vanish' | 'pass' | 'synchronize'

test('any reader who comes back in time: every occurrence arrives once, in order', async () => {
  const doings = fc.constantFrom<Doing>('happen', 'happen', 'pull', 'pullAndGo', 'vanish', 'pass', 'synchronize')
  await fc.assert(
    fc.asyncProperty(fc.array(doings, { maxLength: 60 }), async played => {
      const { pull, happen, clock, subscriptions, point } = pulling({ lifeMs: limits.eventLifeMaxMs })
      const [told, read]: [string[], string[]] = [[], []]
      const here = new Set<AbortController>()
      for (const doing of played) {
        const reader = new AbortController()
        if (doing === 'happen') happen(told[told.push(`KeyStatus ${told.length} ok`) - 1]?.split(' ')[1] ?? '')
        else if (doing === 'pull' || doing === 'pullAndGo') {
          here.add(reader)
          void pull(doing === 'pull' ? 30_000 : 0, 3, reader.signal)
            .then(({ messages }) => {
              here.delete(reader)
              if (doing === 'pullAndGo') reader.abort()
              if (!reader.signal.aborted) read.push(...messages.map(short))
            })
            .catch(error => assert.ok(refusal('UnableToGetMessagesFault')(error)))
        } else if (doing === 'vanish') for (const one of here) one.abort()
        else if (doing === 'pass') await clock.pass(10_000)
        else subscriptions.synchronize(point.id)
        await turn()
      }
      for (const one of here) one.abort()
      await turn()
      for (let rest = (await pull()).messages; rest.length > 0; rest = (await pull()).messages) read.push(...rest.map(short))
      assert.deepEqual(read, told)
      assert.equal(clock.pending(), 1)
    }),
    { numRuns: 200 },
  )
})
