import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { everyTopic, narrowed, topicDialects, topicFilter } from '../../../src/device/events/topicFilter.ts'
import { type TopicName, topicNamespaces } from '../../../src/device/events/topics.ts'
import { limits } from '../../../src/limits.ts'
import { refusal } from './support.ts'

const emitted: readonly TopicName[] = [
  'tns1:Monitoring/UploadStatus',
  'tns1:Monitoring/OperatingTime/LastReboot',
  'tns1:Monitoring/OperatingTime/LastReset',
  'tns1:Device/Trigger/Relay',
  'ofd:Events/Lost',
]

/** The prefixes of the client are his own. */
const declared: Readonly<Record<string, string>> = {
  t: topicNamespaces.tns1,
  other: topicNamespaces.tns1,
  ours: topicNamespaces.ofd,
  acme: 'http://acme.example/topics',
}

const filter = (expression: string, dialect: string = topicDialects.concreteSet) => [
  ...topicFilter(dialect, expression, prefix => declared[prefix], emitted).topics,
]

test('a path means exactly its topic, by namespace and not by prefix', () => {
  for (const dialect of Object.values(topicDialects)) {
    assert.deepEqual(filter('t:Monitoring/UploadStatus', dialect), ['tns1:Monitoring/UploadStatus'])
    assert.deepEqual(filter('other:Monitoring/UploadStatus', dialect), ['tns1:Monitoring/UploadStatus'])
    assert.deepEqual(filter('t:Monitoring/t:UploadStatus', dialect), ['tns1:Monitoring/UploadStatus'])
    assert.deepEqual(filter('t:Monitoring/other:OperatingTime/LastReset', dialect), ['tns1:Monitoring/OperatingTime/LastReset'])
    assert.deepEqual(filter('ours:Events/Lost', dialect), ['ofd:Events/Lost'])
    assert.deepEqual(filter('\n      t:Device/Trigger/Relay\n  ', dialect), ['tns1:Device/Trigger/Relay'])
  }
})

test('the prefix of all examples may be undeclared, but a declaration counts', () => {
  assert.deepEqual(filter('tns1:Device/Trigger/Relay'), ['tns1:Device/Trigger/Relay'])
  assert.throws(
    () => topicFilter(topicDialects.concrete, 'tns1:Device/Trigger/Relay', () => 'http://acme.example/topics', emitted),
    refusal('TopicNotSupportedFault'),
  )
})

test('`//.` is the topic and what is below it, `|` is all of them', () => {
  assert.deepEqual(filter('t:Monitoring//.'), emitted.slice(0, 3))
  assert.deepEqual(filter('t:Monitoring/OperatingTime//.'), emitted.slice(1, 3))
  assert.deepEqual(filter('t:Monitoring/UploadStatus//.'), ['tns1:Monitoring/UploadStatus'])
  assert.deepEqual(filter('t:Device//.|t:Monitoring/UploadStatus'), ['tns1:Monitoring/UploadStatus', 'tns1:Device/Trigger/Relay'])
  assert.deepEqual(filter(' t:Device//. |\n ours:Events//. '), ['tns1:Device/Trigger/Relay', 'ofd:Events/Lost'])
  assert.throws(() => filter('t:Monitor//.'), refusal('TopicNotSupportedFault'), 'names are compared whole')
  assert.throws(() => filter('t:Monitoring/Upload//.'), refusal('TopicNotSupportedFault'))
})

test('topics that the device lacks are an error where there is no other', () => {
  for (const expression of [
    't:RuleEngine//.',
    't:Monitoring',
    't:Monitoring/OperatingTime',
    't:Monitoring/UploadStatus/More',
    't:monitoring/UploadStatus',
    'Monitoring/UploadStatus',
    'Monitoring//.',
    'acme:Monitoring/UploadStatus',
    't:Monitoring/acme:UploadStatus',
    't:Monitoring/ours:UploadStatus',
    'ours:Monitoring/UploadStatus',
    'ours:Events/t:Lost',
  ])
    assert.throws(() => filter(expression), refusal('TopicNotSupportedFault'), expression)
  assert.deepEqual(filter('t:RuleEngine//.|t:Device//.|acme:Thing'), ['tns1:Device/Trigger/Relay'])
})

test('what is no expression of its dialect is refused', () => {
  const broken = [
    '',
    ' ',
    '|',
    't:Device//.|',
    '//.',
    't:Device/',
    '/t:Device',
    't:Device//Trigger',
    't:Device//.//.',
    't:Device//./Trigger',
    't:Device/.',
    't:Device/*',
    '*',
    't:*',
    't:',
    ':Device',
    't:Device Trigger',
    't:a:b',
    't:1',
    't:Device//Trigger//.',
    'nobody:Device',
    't:Device/nobody:Trigger',
    'boolean(//tt:SimpleItem)',
  ]
  for (const expression of broken) assert.throws(() => filter(expression), refusal('InvalidTopicExpressionFault'), expression)
  for (const expression of ['t:Monitoring//.', 't:Device/Trigger/Relay|ours:Events/Lost'])
    assert.throws(() => filter(expression, topicDialects.concrete), refusal('InvalidTopicExpressionFault'), expression)
  const long = `t:Device/Trigger/Relay${'|t:Device//.'.repeat(limits.topicExpressionCharactersMax / 12)}`
  assert.throws(() => filter(long), refusal('InvalidTopicExpressionFault'))
})

test('an unknown dialect is told', () => {
  for (const dialect of ['', 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Full', `${topicDialects.concreteSet}.`])
    assert.throws(() => filter('t:Device//.', dialect), refusal('TopicExpressionDialectUnknownFault'), dialect)
  assert.deepEqual(filter('t:Device//.', ` ${topicDialects.concreteSet}\n`), ['tns1:Device/Trigger/Relay'])
})

test('without an expression it is every topic, with several what all of them have', () => {
  const of = (expression: string) => topicFilter(topicDialects.concreteSet, expression, prefix => declared[prefix], emitted)
  assert.deepEqual([...everyTopic(emitted).topics], emitted)
  assert.deepEqual([...narrowed([of('t:Monitoring//.')]).topics], emitted.slice(0, 3))
  assert.deepEqual(
    [...narrowed([of('t:Monitoring//.'), of('t:Monitoring/UploadStatus|t:Device//.')]).topics],
    ['tns1:Monitoring/UploadStatus'],
  )
  assert.deepEqual([...narrowed([of('t:Monitoring//.'), of('t:Device//.')]).topics], [])
})

test('any text gives topics of the device or one of the faults', () => {
  const names = fc.constantFrom('t', 'Monitoring', 'OperatingTime', 'LastReset', 'UploadStatus', ':', '/', '//.', '|', ' ', '*', '.', 'ä')
  const texts = fc.oneof(
    fc.string(),
    fc.array(names, { maxLength: 12 }).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(texts, fc.constantFrom(...Object.values(topicDialects)), (expression, dialect) => {
      try {
        const topics = filter(expression, dialect)
        assert.ok(topics.length > 0 && topics.every(topic => emitted.includes(topic)))
      } catch (error) {
        assert.ok(
          ['InvalidTopicExpressionFault', 'TopicNotSupportedFault'].some(name => refusal(name)(error)),
          String(error),
        )
      }
    }),
    { numRuns: 2_000 },
  )
})
