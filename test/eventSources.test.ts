import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { EventMessage, Events } from '../src/device/events/events.ts'
import type { TopicName } from '../src/device/events/topics.ts'
import { openStore } from '../src/device/store.ts'
import { createEventSources } from '../src/eventSources.ts'
import type { Processor } from '../src/platform/platform.ts'
import { testClock } from './auth/support.ts'
import { settled } from './device/firmware/onBench.ts'
import { image, pieces, silent, start, uploadOf } from './device/firmware/workbench.ts'
import { SimulatedStorage } from './fault/simulatedStorage.ts'
import { createTestDevice } from './operations/device/testDevice.ts'

const good = await image(randomBytes(90_000))
const upgradeStatus = 'tns1:Monitoring/AsynchronousOperationStatus'

/** Hears everything: the topic without its first part, the operation, and the values. */
function listen(events: Events) {
  const heard: EventMessage[] = []
  events.listen({ filter: { topics: new Set(events.emitted()) }, hear: message => void heard.push(message) })
  const texts = (topic = '') => heard.filter(message => message.topic.includes(topic)).map(textOf)
  return { heard, texts }
}

const values = (items: EventMessage['data']) => items.map(({ name, value }) => `${name}=${value}`)
const textOf = ({ topic, operation, source, data }: EventMessage) =>
  [topic.replace(/.*\//, ''), operation ?? 'happened', ...values(source), ...values(data)].join(' ')
const current = (events: Events, topic: TopicName) => events.current({ topics: new Set([topic]) }).map(textOf)

const setUp = ({
  processor,
  store = openStore(':memory:'),
  relays = 0,
}: {
  processor?: Processor
  store?: ReturnType<typeof openStore>
  relays?: number
} = {}) => {
  const clock = testClock()
  const sources = createEventSources({ store, clock, log: silent, relays, processor, networkInterface: 'eth0' })
  return { clock, store, ...sources, ...listen(sources.events) }
}

async function device(t: TestContext) {
  const made = await createTestDevice(t)
  return { ...made, ...listen(made.events) }
}

test('what the machine does not have is not among the topics', () => {
  const bare = new Set(setUp().events.emitted())
  assert.ok(!bare.has('tns1:Device/Trigger/Relay') && !bare.has('tns1:Monitoring/ProcessorUsage'))
  const rich = setUp({ relays: 1, processor: { times: () => ({ busyMs: 0, totalMs: 0 }) } }).events.emitted()
  assert.deepEqual([...rich].filter(topic => !bare.has(topic)).sort(), ['tns1:Device/Trigger/Relay', 'tns1:Monitoring/ProcessorUsage'])
  assert.ok(bare.has('tns1:Device/SecurityPolicy/AuthFailed') && bare.has('tns1:Advancedsecurity/Keystore/KeyStatus'))
})

test('a device that has started shows all of its properties', async t => {
  const { events, begin, clock } = setUp()
  begin({ relays: { list: () => [] }, firmware: { progress: () => undefined } })
  const status = `Initialized Status=${clock.now().toISOString()}`
  assert.deepEqual(current(events, 'tns1:Monitoring/OperatingTime/LastReboot'), [`LastReboot ${status}`])
  const never = 'Initialized Status=1970-01-01T00:00:00.000Z'
  for (const topic of ['OperatingTime/LastReset', 'OperatingTime/LastClockSynchronization', 'Backup/Last'] as const)
    assert.deepEqual(current(events, `tns1:Monitoring/${topic}`), [`${topic.replace(/.*\//, '')} ${never}`])

  const whole = await device(t)
  assert.deepEqual(current(whole.events, 'tns1:Device/Trigger/Relay'), [
    'Relay Initialized RelayToken=relay1 LogicalState=inactive',
    'Relay Initialized RelayToken=relay2 LogicalState=inactive',
  ])
})

test('relays, by order and by themselves', async t => {
  const { perform, texts } = await device(t)
  await perform('SetRelayOutputState', { RelayOutputToken: 'relay2', LogicalState: 'active' })
  await perform('SetRelayOutputSettings', {
    RelayOutputToken: 'relay1',
    Properties: { Mode: 'Monostable', DelayTime: 'PT0.02S', IdleState: 'open' },
  })
  await perform('SetRelayOutputState', { RelayOutputToken: 'relay1', LogicalState: 'active' })
  await new Promise(resolve => setTimeout(resolve, 60))
  assert.deepEqual(texts('Relay'), [
    'Relay Changed RelayToken=relay2 LogicalState=active',
    'Relay Changed RelayToken=relay1 LogicalState=active',
    'Relay Changed RelayToken=relay1 LogicalState=inactive',
  ])
})

test('the clock, set by a client', async t => {
  const { perform, texts } = await device(t)
  const time = { Time: { Hour: 12, Minute: 0, Second: 0 }, Date: { Year: 2031, Month: 5, Day: 1 } }
  await perform('SetSystemDateAndTime', { DateTimeType: 'Manual', DaylightSavings: false })
  await settled()
  assert.deepEqual(texts(), [])
  await perform('SetSystemDateAndTime', { DateTimeType: 'Manual', DaylightSavings: false, UTCDateTime: time })
  await settled()
  assert.match(texts('LastClockSynchronization').join(), /^LastClockSynchronization Changed Status=2031-05-01T12:00:00/)
  assert.match(texts('LastReboot').join(), /^LastReboot Changed Status=2031-05-01T1[12]:/, 'the start was as long ago as before')
})

test('a backup that was fetched', async t => {
  const { perform, texts } = await device(t)
  await perform('GetSystemBackup', {})
  await settled()
  assert.match(texts().join(), /^Last Changed Status=20\d\d-/)
})

test('a factory default, and the restart that follows it; both outlive it', async t => {
  const made = await device(t)
  const { perform, texts, heard, store, reboots } = made
  await perform('SetRelayOutputState', { RelayOutputToken: 'relay1', LogicalState: 'active' })
  await perform('SetSystemFactoryDefault', { FactoryDefault: 'Hard' })
  await settled()
  assert.deepEqual(
    heard.map(({ topic }) => topic.replace(/.*\//, '')),
    ['Relay', 'Relay', 'LastReset', 'ShutdownInitiated'],
  )
  assert.match(texts('LastReset').join(), /^LastReset Changed Status=20\d\d-/)
  assert.deepEqual(reboots, ['SetSystemFactoryDefault'])
  assert.ok(Date.now() - made.operatingTimes.get().lastReset.getTime() < 60_000)
  assert.deepEqual(
    Object.keys(store.exportDocuments()).filter(name => name.includes('perating')),
    [],
    'no backup carries it',
  )
})

test('a key that is made', async t => {
  const { perform, texts, keystore } = await device(t)
  const { KeyID } = await perform('tas:CreateECCKeyPair', { EllipticCurve: 'secp256r1' })
  await keystore.keys.whenReady(KeyID)
  assert.deepEqual(texts(), [
    `KeyStatus happened KeyID=${KeyID} NewStatus=generating`,
    `KeyStatus happened KeyID=${KeyID} OldStatus=generating NewStatus=ok`,
  ])
})

test('log-ins that fail again and again', async t => {
  const { authFailureWarning, texts } = await device(t)
  authFailureWarning.set({ enabled: true, monitorPeriodSeconds: 60, maxAuthFailures: 1 })
  for (const from of ['192.0.2.1', '192.0.2.7', '192.0.2.8']) authFailureWarning.failed(from)
  authFailureWarning.set({ enabled: true, monitorPeriodSeconds: 60, maxAuthFailures: 1 })
  for (const from of ['192.0.2.1', 'fe80::7%eth0']) authFailureWarning.failed(from)
  assert.deepEqual(texts(), [
    'AuthFailed happened NetworkInterface=eth0 SourceIPv4=192.0.2.7',
    'AuthFailed happened NetworkInterface=eth0 SourceIPv6=fe80::7',
  ])
})

test('a restart is said before it is ordered, whoever orders it, and not once more by the end that follows', async t => {
  const { perform, texts, reboots } = await device(t)
  await perform('SystemReboot', {})
  assert.deepEqual([texts(), reboots], [['ShutdownInitiated happened'], ['SystemReboot']])

  const { announcing, goDown, texts: told } = setUp()
  let before: readonly string[] = []
  let fails = true
  const power = announcing({
    bootTimeMs: 7,
    async reboot() {
      before = told()
      if (fails) throw new Error('no such program')
    },
  })
  assert.equal(power.bootTimeMs, 7)
  await assert.rejects(power.reboot('a restore'), { message: 'no such program' })
  assert.deepEqual(before, ['ShutdownInitiated happened'])
  goDown()
  assert.equal(told().length, 2, 'the restart that failed was not this end')
  fails = false
  await power.reboot('a restore')
  goDown()
  assert.equal(told().length, 3)
  const stopped = setUp()
  stopped.goDown()
  assert.deepEqual(stopped.texts(), ['ShutdownInitiated happened'], 'nobody had said it')
})

test('how busy the processor is', async () => {
  const times = { busyMs: 0, totalMs: 0 }
  const { clock, texts, close } = setUp({ processor: { times: () => ({ ...times }) } })
  Object.assign(times, { busyMs: 250, totalMs: 1_000 })
  await clock.pass(1_000)
  assert.deepEqual(texts(), ['ProcessorUsage Initialized Token=cpu Value=25'])
  close()
  assert.equal(clock.pending(), 0)
})

test('an upgrade from the upload to its end, and the end again for whoever comes later', async () => {
  const disk = new SimulatedStorage()
  const first = setUp()
  const boot = async ({ clock, upgradeChanged, announcing, begin }: ReturnType<typeof setUp>) => {
    const bench = await start(disk, clock, { changed: () => upgradeChanged(bench.firmware.progress()), announcing })
    begin({ relays: { list: () => [] }, firmware: bench.firmware })
    await bench.firmware.resume(async () => {})
    return bench.firmware
  }
  const firmware = await boot(first)
  const { transaction, afterReply } = await firmware.upload.receive(uploadOf(firmware.start('admin').ticket, good.length), pieces(good))
  await afterReply()
  const source = `Token=${transaction} OperationName=StartFirmwareUpgrade ServiceName=Device`
  assert.deepEqual(
    first
      .texts()
      .filter(text => /Status (Initialized|Changed)|Initiated/.test(text))
      // As much as is in the first piece.
      .map(text => text.replace(/Status=7\d$/, 'Status=7…').replace('Progress=0.35', 'Progress=0.3…')),
    [
      'UploadInitiated happened',
      'UploadStatus Initialized Status=0',
      `AsynchronousOperationStatus Initialized ${source} Progress=0 ofd:State=Transfer`,
      'UploadStatus Changed Status=7…',
      `AsynchronousOperationStatus Changed ${source} Progress=0.3… ofd:State=Transfer ofd:Version=1.1.0`,
      'UploadStatus Changed Status=100',
      `AsynchronousOperationStatus Changed ${source} Progress=0.5 ofd:State=Check ofd:Version=1.1.0`,
      `AsynchronousOperationStatus Changed ${source} Progress=0.8 ofd:State=Activating ofd:Version=1.1.0`,
      `AsynchronousOperationStatus Changed ${source} Progress=0.85 ofd:State=Rebooting ofd:Version=1.1.0`,
      'ShutdownInitiated happened',
    ],
  )

  const second = setUp()
  await boot(second)
  assert.deepEqual(second.texts('Asynchronous'), [
    `AsynchronousOperationStatus Initialized ${source} Progress=0.85 ofd:State=Rebooting ofd:Version=1.1.0`,
    `AsynchronousOperationStatus Changed ${source} Progress=0.9 ofd:State=Trial ofd:Version=1.1.0`,
    `AsynchronousOperationStatus Changed ${source} Progress=0.95 ofd:State=Commit ofd:Version=1.1.0`,
    `AsynchronousOperationStatus Changed ${source} Progress=1 ofd:State=Succeeded ofd:Version=1.1.0`,
  ])
  assert.deepEqual(current(second.events, 'tns1:Monitoring/UploadStatus'), [], 'the upload is over')
  const third = setUp()
  await boot(third)
  assert.deepEqual(current(third.events, upgradeStatus), [
    `AsynchronousOperationStatus Initialized ${source} Progress=1 ofd:State=Succeeded ofd:Version=1.1.0`,
  ])
})

test('one upgrade is shown at a time, a failed one with its reason and without its words', async () => {
  const parts = setUp()
  const bench = await start(new SimulatedStorage(), parts.clock, { changed: () => parts.upgradeChanged(bench.firmware.progress()) })
  const { firmware } = bench
  await firmware.resume(async () => {})
  const attempt = async (bytes: Buffer) =>
    firmware.upload.receive(uploadOf(firmware.start('admin').ticket, bytes.length), pieces(bytes)).catch(() => {})
  await attempt(randomBytes(2_000))
  const [failed = '', ...others] = current(parts.events, upgradeStatus)
  assert.match(failed, /Progress=1 ofd:State=Failed ofd:Reason=format$/)
  assert.deepEqual([others, current(parts.events, 'tns1:Monitoring/UploadStatus')], [[], []])
  firmware.start('admin')
  assert.deepEqual(current(parts.events, upgradeStatus), [failed], 'an upload URI is no upgrade yet')
  await attempt(good)
  assert.deepEqual(current(parts.events, upgradeStatus).length, 1)
  assert.match(current(parts.events, upgradeStatus).join(), /Rebooting/)
  assert.deepEqual(parts.texts('UploadInitiated').length, 2, 'one for each upload')
  assert.ok(parts.texts(upgradeStatus.slice(5)).includes(failed.replace('Initialized', 'Deleted').replace(/ Progress.*/, '')))
})
