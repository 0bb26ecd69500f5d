import { createEvents, type EventMessage } from '../../../src/device/events/events.ts'
import { createSubscriptions } from '../../../src/device/events/subscriptions.ts'
import { everyTopic } from '../../../src/device/events/topicFilter.ts'
import type { TopicName } from '../../../src/device/events/topics.ts'
import { SoapFault } from '../../../src/onvif/faults.ts'
import { testClock } from '../../auth/support.ts'

export const emitted: readonly TopicName[] = [
  'tns1:Monitoring/UploadStatus',
  'tns1:Monitoring/Backup/Last',
  'tns1:Monitoring/AsynchronousOperationStatus',
  'tns1:Device/Trigger/Relay',
  'tns1:Device/OperationMode/UploadInitiated',
  'tns1:Advancedsecurity/Keystore/KeyStatus',
]

export function setUp() {
  const clock = testClock()
  const logged: string[] = []
  const say = (_: object, message: string) => void logged.push(message)
  const log = { debug() {}, info: say, warn: say, error: say }
  const events = createEvents({ clock, log, emitted })
  const subscriptions = createSubscriptions({ clock, log, events })
  /** Something that happens, and can be told from all else. */
  const happen = (id: string) => events.publish('tns1:Advancedsecurity/Keystore/KeyStatus', { KeyID: id }, { NewStatus: 'ok' })
  const relay = (token: string, LogicalState: 'active' | 'inactive') =>
    events.publish('tns1:Device/Trigger/Relay', { RelayToken: token }, { LogicalState })
  return { clock, logged, log, events, subscriptions, happen, relay, all: everyTopic(events.emitted()) }
}

/** A message in one word. */
export function short({ topic, operation, source, data }: EventMessage): string {
  const name = topic.split('/').at(-1)
  return [operation, name, ...[...source, ...data].map(({ value }) => value)].filter(word => word !== undefined).join(' ')
}

/** Whether it is that fault; those of WS-BaseNotification have a prefix. */
export const refusal = (name: string) => (error: unknown) => error instanceof SoapFault && error.subcodes.at(-1)?.split(':').at(-1) === name

/** Lets everything run that is ready to. */
export const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
