import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EventMessage } from '../../../src/device/events/events.ts'
import { MessageQueue } from '../../../src/device/events/messageQueue.ts'
import { limits } from '../../../src/limits.ts'

/** The number of the message is its time. */
const occurrence = (utcTime: number): EventMessage => ({
  topic: 'tns1:Advancedsecurity/Keystore/KeyStatus',
  utcTime,
  operation: undefined,
  source: [],
  data: [],
  property: undefined,
})
const state = (utcTime: number, property: string, operation: 'Initialized' | 'Changed' | 'Deleted' = 'Changed'): EventMessage => ({
  ...occurrence(utcTime),
  topic: 'tns1:Device/Trigger/Relay',
  operation,
  property,
})

const max = limits.eventQueueMax
const numbers = (messages: readonly EventMessage[]) => messages.map(({ utcTime }) => utcTime)
const isNotice = ({ topic }: EventMessage) => topic === 'ofd:Events/Lost'
const lostIn = (messages: readonly EventMessage[]) => messages.filter(isNotice).reduce((sum, { data }) => sum + Number(data[0]?.value), 0)

const queueOf = (changedOnly = false) => new MessageQueue({ changedOnly })

test('messages come out as they came in, so many at a time', () => {
  const queue = queueOf()
  assert.equal(queue.isEmpty, true)
  for (let index = 0; index < 5; index++) queue.add(occurrence(index))
  assert.equal(queue.isEmpty, false)
  assert.deepEqual(numbers(queue.take(2, 0)), [0, 1])
  assert.deepEqual(numbers(queue.take(2, 0)), [2, 3])
  queue.add(occurrence(5))
  assert.deepEqual(numbers(queue.take(100, 0)), [4, 5])
  assert.equal(queue.isEmpty, true)
  assert.deepEqual(queue.take(100, 0), [])
})

test('a slow reader loses the oldest, and is told first how many', () => {
  const queue = queueOf()
  for (let index = 0; index < max + 7; index++) queue.add(occurrence(index))
  const [notice, ...rest] = queue.take(max * 2, 4711)
  assert.deepEqual(notice, {
    topic: 'ofd:Events/Lost',
    utcTime: 4711,
    operation: undefined,
    source: [],
    data: [{ name: 'Count', value: '7' }],
    property: undefined,
  })
  assert.deepEqual(
    numbers(rest),
    Array.from({ length: max }, (_, index) => index + 7),
  )
  queue.add(occurrence(0))
  assert.equal(lostIn(queue.take(10, 0)), 0, 'told once')
})

test('of a property the latest state that made room comes first, as a state', () => {
  const queue = queueOf()
  queue.add(state(1, 'a'))
  queue.add(state(2, 'b', 'Initialized'))
  queue.add(state(3, 'a'))
  queue.add(state(4, 'c', 'Deleted'))
  for (let index = 10; index < max + 10; index++) queue.add(occurrence(index))
  const taken = queue.take(5, 0)
  assert.deepEqual(
    taken.map(({ utcTime, operation }) => [utcTime, operation]),
    [
      [0, undefined],
      [2, 'Initialized'],
      [3, 'Initialized'],
      [4, 'Deleted'],
      [10, undefined],
    ],
  )
  assert.equal(lostIn(taken), 1, 'the first of `a`')
})

test('with tev:ChangedOnly there are changes and occurrences, and nothing else', () => {
  const queue = queueOf(true)
  queue.add(state(1, 'a', 'Initialized'))
  queue.add(state(2, 'a', 'Deleted'))
  assert.equal(queue.isEmpty, true)
  queue.add(state(3, 'a'))
  for (let index = 10; index < max + 10; index++) queue.add(occurrence(index))
  assert.deepEqual(
    queue.take(2, 0).map(({ utcTime, operation }) => [utcTime, operation]),
    [
      [3, 'Changed'],
      [10, undefined],
    ],
  )
})

test('what did not arrive comes again, and a lost notice is not forgotten', () => {
  const queue = queueOf()
  for (let index = 0; index < max + 3; index++) queue.add(occurrence(index))
  const taken = queue.take(2, 0)
  queue.restore(taken)
  for (let index = 0; index < 4; index++) queue.add(occurrence(max + 3 + index))
  const again = queue.take(max * 2, 0)
  assert.equal(lostIn(again), 7)
  assert.deepEqual(numbers(again.slice(1, 3)), [7, 8])
  assert.equal(again.length, max + 1)
})

test('what comes back makes room like what comes', () => {
  const queue = queueOf()
  for (let index = 0; index < max; index++) queue.add(occurrence(index))
  const taken = queue.take(3, 0)
  for (let index = 0; index < 3; index++) queue.add(occurrence(max + index))
  queue.restore(taken)
  const again = queue.take(max * 2, 0)
  assert.equal(lostIn(again), 3)
  assert.deepEqual(numbers(again.slice(1, 2)), [3])
  assert.equal(again.length, max + 1)
})

interface Step {
  readonly add: number
  readonly property: string | undefined
  readonly take: number
  readonly arrives: boolean
}

const steps = fc.array(
  fc.record({
    add: fc.integer({ min: 0, max: max / 2 }),
    property: fc.constantFrom(undefined, undefined, 'a', 'b', 'c'),
    take: fc.integer({ min: 0, max: max / 2 }),
    arrives: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
)

/** Runs the steps, and empties the queue at the end. */
function play(queue: MessageQueue, played: readonly Step[]) {
  const added: EventMessage[] = []
  const arrived: EventMessage[] = []
  for (const { add, property, take, arrives } of played) {
    for (let index = 0; index < add; index++) {
      const message = property ? state(added.length, property) : occurrence(added.length)
      added.push(message)
      queue.add(message)
    }
    if (take === 0) continue
    const taken = queue.take(take, -1)
    assert.ok(taken.length <= take)
    if (arrives) arrived.push(...taken)
    else queue.restore(taken)
  }
  while (!queue.isEmpty) arrived.push(...queue.take(max, -1))
  return { added, arrived: arrived.filter(message => !isNotice(message)), lost: lostIn(arrived) }
}

test('any reader: what does not arrive is counted, what arrives is in order, and the last state of a property arrives', () => {
  fc.assert(
    fc.property(steps, fc.boolean(), (played, changedOnly) => {
      const { added, arrived, lost } = play(queueOf(changedOnly), played)
      const order = numbers(arrived)
      assert.equal(arrived.length + lost, added.length)
      assert.deepEqual(
        order,
        [...new Set(order)].sort((a, b) => a - b),
      )
      const lastOf = (messages: readonly EventMessage[], name: string) => messages.findLast(({ property }) => property === name)?.utcTime
      for (const name of ['a', 'b', 'c']) assert.equal(lastOf(arrived, name), lastOf(added, name))
      for (const message of arrived) assert.equal(message.property, added[message.utcTime]?.property)
    }),
    { numRuns: 300 },
  )
})

test('whoever never reads costs a bounded number of messages, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 2_000, maxLength: 3_000 }), kinds => {
      const queue = queueOf()
      kinds.forEach((isState, index) => {
        queue.add(isState ? state(index, `p${index}`) : occurrence(index))
      })
      const kept = queue.take(kinds.length, -1)
      assert.ok(kept.length <= 2 * max + 1, `${kept.length} kept`)
      assert.equal(kept.filter(message => !isNotice(message)).length + lostIn(kept), kinds.length)
    }),
    { numRuns: 20 },
  )
})
