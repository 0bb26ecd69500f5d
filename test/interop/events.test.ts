import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Cam } from 'onvif'
import { type Client, createClientAsync, WSSecurity } from 'soap'
import { watchEvents } from '../../src/client/events.ts'
import { connect } from '../../src/client/onvifClient.ts'
import { admin, eventually, main, run } from '../support/daemon.ts'
import {
  assertValid,
  assertWholeUpgrade,
  isResult,
  itemsOf,
  type Seen,
  startWatchedDevice,
  told,
  type WatchedDevice,
} from './watchedUpgrade.ts'

const watchMs = 60_000

/** Upgrades the device when somebody watches, and waits until he has seen the end of it. */
async function upgradeWatched(device: WatchedDevice, seen: readonly Seen[]): Promise<void> {
  await eventually(async () =>
    assert.ok(
      seen.some(({ topic }) => topic === 'tns1:Monitoring/OperatingTime/LastReboot'),
      'nobody watches',
    ),
  )
  await device.upgrade()
  await eventually(async () => assert.ok(seen.some(isResult), told(seen)), watchMs / 1000)
  assertWholeUpgrade(seen)
  assertValid(device.answers)
}

/** A program that writes one JSON object for each event; it ends with the test. */
function watchBy(t: TestContext, command: string, args: readonly string[], { env = {}, input = '' } = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input)
  const exited = new Promise<number | null>(resolve => child.once('close', resolve))
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const seen: Seen[] = []
  createInterface(child.stdout).on('line', line => seen.push(JSON.parse(line)))
  let said = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    said += text
  })
  return { child, exited, seen, said: () => said }
}

test('our command watches a whole upgrade', { timeout: 120_000 }, async t => {
  const device = await startWatchedDevice(t)
  const args = [main, 'events', device.url, '--user', admin.name, '--json']
  const { child, exited, seen, said } = watchBy(t, process.execPath, args, { env: { ONVIFD_PASSWORD: admin.password } })
  await upgradeWatched(device, seen)
  assert.match(said(), /^onvifd: watching .*\n(onvifd: connection lost .*\nonvifd: connected again; .*\n)+$/)
  child.kill('SIGINT')
  assert.equal(await exited, 0)
  assert.match(device.answers.at(-1) ?? '', /UnsubscribeResponse/)
})

test('our client is told only of the topics that it wants', { timeout: 120_000 }, async t => {
  const device = await startWatchedDevice(t)
  const client = connect(device.daemon.url, { user: admin.name, password: admin.password })
  const stop = new AbortController()
  const topics = new Set<string>()
  const watching = (async () => {
    const wanted = ['Monitoring/OperatingTime//.', 'tns1:Device/OperationMode/UploadInitiated']
    for await (const { topic } of watchEvents(client, { topics: wanted, signal: stop.signal })) {
      topics.add(topic)
      if (topic.endsWith('UploadInitiated')) stop.abort()
    }
  })()
  await eventually(async () => assert.ok(topics.size > 0))
  await device.upgrade()
  await watching
  client.close()
  assert.deepEqual([...topics].toSorted(), [
    'tns1:Device/OperationMode/UploadInitiated',
    'tns1:Monitoring/OperatingTime/LastClockSynchronization',
    'tns1:Monitoring/OperatingTime/LastReboot',
    'tns1:Monitoring/OperatingTime/LastReset',
  ])
})

test('the event loop of npm onvif watches a whole upgrade', { timeout: 120_000 }, async t => {
  const device = await startWatchedDevice(t)
  const { hostname, port } = new URL(device.origin)
  const cam = new Cam({
    hostname,
    port: Number(port),
    username: admin.name,
    password: admin.password,
    timeout: 5000,
    autoconnect: false,
    preserveAddress: true,
  })
  await new Promise<void>((resolve, reject) => cam.connect((error: unknown) => (error ? reject(error) : resolve())))
  const seen: Seen[] = []
  cam.on('event', (event: AgshEvent) => {
    const { $: attributes, data } = event.message.message
    seen.push({
      topic: event.topic._,
      operation: attributes.PropertyOperation,
      data: itemsOf(data?.simpleItem, item => ('$' in item ? item.$ : undefined)),
    })
  })
  t.after(() => cam.removeAllListeners('event'))
  await upgradeWatched(device, seen)
})

interface AgshEvent {
  readonly topic: { readonly _: string }
  readonly message: {
    readonly message: { readonly $: { readonly PropertyOperation?: string }; readonly data?: { readonly simpleItem?: unknown } }
  }
}

test('npm soap with our WSDL watches a whole upgrade', { timeout: 120_000 }, async t => {
  const device = await startWatchedDevice(t)
  const client = await createClientAsync(`${device.origin}/onvif/wsdl/event.wsdl`, { forceSoap12Headers: true })
  client.setSecurity(new WSSecurity(admin.name, admin.password, { passwordType: 'PasswordDigest', hasTimeStamp: true, hasNonce: true }))
  const seen: Seen[] = []
  const stop = new AbortController()
  const watching = pullWithSoap(client, `${device.origin}/onvif/event_service`, seen, stop.signal)
  t.after(async () => {
    stop.abort()
    device.daemon.process.kill('SIGKILL')
    await watching
  })
  await upgradeWatched(device, seen)
})

/** A loop as one would write it: whatever goes wrong, subscribe again. */
async function pullWithSoap(client: Client, service: string, seen: Seen[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      client.setEndpoint(service)
      const [created] = await client.CreatePullPointSubscriptionAsync({ InitialTerminationTime: 'PT1M' })
      client.setEndpoint(created.SubscriptionReference.Address.$value ?? created.SubscriptionReference.Address)
      while (!signal.aborted) {
        const [{ NotificationMessage = [] }] = await client.PullMessagesAsync({ Timeout: 'PT5S', MessageLimit: 10 })
        for (const { Topic, Message } of [NotificationMessage].flat())
          seen.push({
            topic: Topic.$value,
            operation: Message.Message.attributes.PropertyOperation,
            data: itemsOf(Message.Message.Data?.SimpleItem, item => ('attributes' in item ? item.attributes : undefined)),
          })
      }
    } catch {
      await sleep(100)
    }
  }
}

const python = '/usr/bin/python3'
const script = fileURLToPath(new URL('./zeep_events.py', import.meta.url))
const official = fileURLToPath(new URL('../../../shared/reference/onvif-26.06/ver10/events/wsdl/event.wsdl', import.meta.url))
const { code } = await run(python, ['-c', 'import zeep']).catch(() => ({ code: -1 }))
const missing = code === 0 ? false : 'python3-zeep is not installed'

for (const [name, wsdlOf, skip] of [
  ['our served WSDL', (origin: string) => `${origin}/onvif/wsdl/event.wsdl`, missing],
  ['the official WSDL', () => official, missing || (existsSync(official) ? false : 'the official WSDL is not beside the project')],
] as const) {
  test(`zeep in strict mode watches a whole upgrade with ${name}`, { skip, timeout: 120_000 }, async t => {
    const device = await startWatchedDevice(t)
    const args = ['-B', script, wsdlOf(device.origin), `${device.origin}/onvif/event_service`]
    const { exited, seen, said } = watchBy(t, python, args, { input: `${admin.password}\n` })
    await upgradeWatched(device, seen)
    assert.equal(await exited, 0, said())
  })
}
