import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { type EventfulDevice, inEvents, notification, startEventfulDevice } from '../client/eventfulDevice.ts'
import { faultXml, reply } from '../client/standIn.ts'
import { eventually, main, onvifd } from '../support/daemon.ts'

interface Running {
  readonly lines: () => readonly string[]
  readonly said: () => string
  /** Sends a signal; gives the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Closes the pipe that it writes to; gives the exit code. */
  hangUp(): Promise<number | null>
}

/** `onvifd events URL …`, until the test ends. */
function run(t: TestContext, { url }: EventfulDevice, ...args: readonly string[]): Running {
  const child = spawn(process.execPath, [main, 'events', url, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  return {
    lines: () => stdout.split('\n').slice(0, -1),
    said: () => stderr,
    end(signal) {
      child.kill(signal)
      return exited
    },
    hangUp() {
      child.stdout.destroy()
      return exited
    },
  }
}

const relay = notification('tns1:Device/Trigger/Relay', { LogicalState: 'active' }, 'Changed')
const watching = (device: EventfulDevice, times = 1) =>
  eventually(async () => assert.equal(device.operations().filter(name => name === 'PullMessages').length, times))

test('prints a line for each event as it comes, and tells the device when Ctrl-C ends it', async t => {
  const device = await startEventfulDevice(t)
  const command = run(t, device, '--topic', 'Device//.', '--topic', 'tns1:Monitoring/UploadStatus')
  await watching(device)
  assert.match(device.last('CreatePullPointSubscription').body, />tns1:Device\/\/\.\|tns1:Monitoring\/UploadStatus</)
  device.publish(relay)
  await eventually(async () => assert.equal(command.lines().length, 1))
  device.publish(
    notification('tns1:Device/OperationMode/ShutdownInitiated', {}),
    notification('evil\u009b31m', { 'A&#10;': 'x y\u009b2J' }),
  )
  await eventually(async () => assert.equal(command.lines().length, 3))
  assert.deepEqual(command.lines(), [
    '2026-03-04T05:06:07.500Z tns1:Device/Trigger/Relay Changed [Token=one] LogicalState=active',
    '2026-03-04T05:06:07.500Z tns1:Device/OperationMode/ShutdownInitiated - [Token=one]',
    '2026-03-04T05:06:07.500Z evil 31m - [Token=one] A ="x y 2J"',
  ])
  assert.equal(await command.end('SIGINT'), 0)
  assert.equal(device.operations().at(-1), 'Unsubscribe')
  assert.equal(command.said(), `onvifd: watching 127.0.0.1:${device.port}; Ctrl-C ends\n`)
})

test('--json prints one object a line', async t => {
  const device = await startEventfulDevice(t)
  const command = run(t, device, '--json')
  device.publish(relay)
  await eventually(async () => assert.equal(command.lines().length, 1))
  assert.deepEqual(JSON.parse(command.lines()[0] ?? ''), {
    topic: 'tns1:Device/Trigger/Relay',
    utcTime: '2026-03-04T05:06:07.500Z',
    operation: 'Changed',
    source: { Token: 'one' },
    data: { LogicalState: 'active' },
  })
  assert.equal(await command.end('SIGTERM'), 0)
})

test('says when the connection is lost and found again, and goes on', async t => {
  const device = await startEventfulDevice(t)
  const command = run(t, device)
  await watching(device)
  device.reboot()
  await eventually(async () => assert.match(command.said(), /connected again/))
  device.publish(relay)
  await eventually(async () => assert.equal(command.lines().length, 1))
  assert.match(
    command.said(),
    /^onvifd: watching .*\nonvifd: connection lost \(.*\); trying again\nonvifd: connected again; events in between may be missing\n$/,
  )
  assert.equal(await command.end('SIGINT'), 0)
})

test('ends, and tells the device, when nobody reads what it prints', async t => {
  const device = await startEventfulDevice(t)
  const command = run(t, device)
  await watching(device)
  const ended = command.hangUp()
  for (let sent = 0; sent < 2; sent++) device.publish(relay)
  assert.equal(await ended, 0)
  assert.equal(command.said().split('\n').length, 2, command.said())
  await eventually(async () => assert.equal(device.operations().at(-1), 'Unsubscribe'))
})

test('a device that refuses the subscription is told in a line', async t => {
  const device = await startEventfulDevice(t, {
    instead: ({ operation }, response) => {
      if (operation === 'CreatePullPointSubscription') reply(response, 500, faultXml('Receiver', ['InvalidFilterFault'], 'no such topic'))
      if (operation === 'GetEventProperties') reply(response, 200, inEvents('GetEventPropertiesResponse', ''))
      return operation === 'CreatePullPointSubscription' || operation === 'GetEventProperties'
    },
  })
  const refused = await onvifd(['events', device.url, '--topic', 'tns1:Funny'])
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.equal(refused.stderr, 'onvifd: the device refuses this: no such topic (Receiver/InvalidFilterFault)\n')
  const unknown = await onvifd(['events', device.url, '--topic', 'mine:Funny'])
  assert.deepEqual([unknown.code, unknown.stderr], [2, 'onvifd: the device has no topics with the prefix mine:\n'])
})
