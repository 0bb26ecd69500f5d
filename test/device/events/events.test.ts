import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvents, type EventMessage } from '../../../src/device/events/events.ts'
import { everyTopic } from '../../../src/device/events/topicFilter.ts'
import type { TopicName } from '../../../src/device/events/topics.ts'
import { topics } from '../../../src/device/events/topics.ts'
import { limits } from '../../../src/limits.ts'
import { setUp, short } from './support.ts'

function listening(...wanted: readonly TopicName[]) {
  const all = setUp()
  const heard: EventMessage[] = []
  const listener = { filter: everyTopic(wanted), hear: (message: EventMessage) => void heard.push(message) }
  all.events.listen(listener)
  return { ...all, heard, listener, words: () => heard.splice(0).map(short) }
}

test('an occurrence goes to those who want its topic, as often as it happens', () => {
  const { happen, relay, words, events, listener } = listening('tns1:Advancedsecurity/Keystore/KeyStatus')
  happen('k1')
  happen('k1')
  relay('r1', 'active')
  assert.deepEqual(words(), ['KeyStatus k1 ok', 'KeyStatus k1 ok'])
  events.leave(listener)
  happen('k2')
  assert.deepEqual(words(), [])
})

test('a property is there, changes, and is gone; the same again is no news', () => {
  const { relay, events, words } = listening('tns1:Device/Trigger/Relay')
  relay('r1', 'active')
  relay('r2', 'active')
  relay('r1', 'active')
  relay('r1', 'inactive')
  assert.deepEqual(words(), ['Initialized Relay r1 active', 'Initialized Relay r2 active', 'Changed Relay r1 inactive'])
  events.withdraw('tns1:Device/Trigger/Relay', { RelayToken: 'r1' })
  events.withdraw('tns1:Device/Trigger/Relay', { RelayToken: 'r1' })
  events.withdraw('tns1:Device/Trigger/Relay', { RelayToken: 'never' })
  assert.deepEqual(words(), ['Deleted Relay r1'])
  relay('r1', 'inactive')
  assert.deepEqual(words(), ['Initialized Relay r1 inactive'])
})

test('the state of every property is kept with the time when it became so', async () => {
  const { relay, events, clock, happen, all } = setUp()
  const startMs = clock.now().getTime()
  relay('r1', 'active')
  await clock.pass(1_000)
  relay('r2', 'active')
  relay('r1', 'inactive')
  await clock.pass(1_000)
  relay('r2', 'active')
  happen('k1')
  assert.deepEqual(
    events.current(all).map(message => [short(message), message.utcTime - startMs]),
    [
      ['Initialized Relay r2 active', 1_000],
      ['Initialized Relay r1 inactive', 1_000],
    ],
  )
  assert.deepEqual(events.current(everyTopic(['tns1:Monitoring/UploadStatus'])), [])
})

test('messages of one property have one key, those of two have two', () => {
  const { heard, events, relay } = listening('tns1:Device/Trigger/Relay', 'tns1:Monitoring/AsynchronousOperationStatus')
  relay('r1', 'active')
  relay('r1', 'inactive')
  relay('r2', 'active')
  const of = (Token: string, OperationName: string) => ({ Token, OperationName, ServiceName: 's' })
  events.publish('tns1:Monitoring/AsynchronousOperationStatus', of('a', 'b","c'), { Progress: 0, 'ofd:State': 'x' })
  events.publish('tns1:Monitoring/AsynchronousOperationStatus', of('a","b', 'c'), { Progress: 0, 'ofd:State': 'x' })
  events.withdraw('tns1:Device/Trigger/Relay', { RelayToken: 'r1' })
  const keys = heard.map(({ property }) => property)
  assert.equal(keys[0], keys[1])
  assert.equal(keys[0], keys.at(-1), 'its end, too')
  assert.equal(new Set(keys).size, 4)
})

test('values are written as XML Schema has them, and what is absent is left out', () => {
  const { heard, events } = listening(
    'tns1:Monitoring/UploadStatus',
    'tns1:Monitoring/Backup/Last',
    'tns1:Monitoring/AsynchronousOperationStatus',
  )
  for (const percent of [0, 12.5, 100, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
    events.publish('tns1:Monitoring/UploadStatus', {}, { Status: percent })
  assert.deepEqual(
    heard.map(({ data }) => data[0]?.value),
    ['0', '12.5', '100', 'INF', '-INF', 'NaN'],
  )
  heard.length = 0
  events.publish('tns1:Monitoring/Backup/Last', {}, { Status: new Date(0) })
  const operation = { Token: 't', OperationName: 'o', ServiceName: 's' }
  events.publish('tns1:Monitoring/AsynchronousOperationStatus', operation, { Progress: 0.5, 'ofd:State': 'S', 'ofd:Reason': undefined })
  assert.deepEqual(
    heard.map(({ source, data }) => [source, data]),
    [
      [[], [{ name: 'Status', value: '1970-01-01T00:00:00.000Z' }]],
      [
        [
          { name: 'Token', value: 't' },
          { name: 'OperationName', value: 'o' },
          { name: 'ServiceName', value: 's' },
        ],
        [
          { name: 'Progress', value: '0.5' },
          { name: 'ofd:State', value: 'S' },
        ],
      ],
    ],
  )
})

test('there are no more properties of a topic than it may have: the one that changed longest ago is given up', () => {
  const { relay, events, words, logged, all } = listening('tns1:Device/Trigger/Relay')
  for (let index = 0; index < limits.eventPropertiesMax; index++) relay(`r${index}`, 'active')
  relay('r0', 'inactive')
  words()
  relay('more', 'active')
  assert.deepEqual(words(), ['Initialized Relay more active', 'Deleted Relay r1'])
  assert.equal(events.current(all).length, limits.eventPropertiesMax)
  assert.equal(logged.length, 1)
})

test('a device emits what it has sources for, and its own notice', () => {
  const { events, log, clock } = setUp()
  assert.ok(events.emitted().includes('ofd:Events/Lost'))
  assert.ok(!events.emitted().includes('tns1:Monitoring/OperatingTime/LastReboot'))
  assert.throws(() => events.publish('tns1:Monitoring/OperatingTime/LastReboot', {}, { Status: new Date(0) }), /not among the topics/)
  const twice = createEvents({ clock, log, emitted: ['ofd:Events/Lost', 'tns1:Device/Trigger/Relay', 'tns1:Device/Trigger/Relay'] })
  assert.deepEqual([...twice.emitted()].sort(), ['ofd:Events/Lost', 'tns1:Device/Trigger/Relay'])
})

test('whether somebody would hear of it is known', () => {
  const { events, listener } = listening('tns1:Device/Trigger/Relay')
  assert.equal(events.isHeard('tns1:Device/Trigger/Relay'), true)
  assert.equal(events.isHeard('tns1:Monitoring/UploadStatus'), false)
  events.leave(listener)
  assert.equal(events.isHeard('tns1:Device/Trigger/Relay'), false)
})

test('the names of a message are unique in it (Core 9.4.1), and a property has a state', () => {
  for (const [topic, { source, data, isProperty }] of Object.entries(topics)) {
    const names = [...Object.keys(source), ...Object.keys(data)]
    assert.equal(new Set(names).size, names.length, topic)
    assert.ok(!isProperty || Object.keys(data).length > 0, topic)
  }
})
