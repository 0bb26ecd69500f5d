import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readEndpoint } from '../../src/client/addressing.ts'
import type { DeviceEvent } from '../../src/client/deviceEvent.ts'
import { ClientError, isLoginRefused, OnvifFault } from '../../src/client/errors.ts'
import { type WatchOptions, watchEvents } from '../../src/client/events.ts'
import { connect } from '../../src/client/onvifClient.ts'
import { createPullPoint } from '../../src/client/pullPoint.ts'
import { parseTopics, TopicError } from '../../src/client/topicExpression.ts'
import { limits } from '../../src/limits.ts'
import { parseXml } from '../../src/soap/xml.ts'
import { eventually } from '../support/daemon.ts'
import { type EventfulDevice, inEvents, notification, type Plan, startEventfulDevice } from './eventfulDevice.ts'
import { checkToken, clock, createDigestGate, faultXml, password, refusal, reply, soap, user } from './standIn.ts'

interface Watch {
  readonly device: EventfulDevice
  readonly events: readonly DeviceEvent[]
  /** What was told besides: `connected`, and `lost` with the reason. */
  readonly told: readonly string[]
  /** Ends the watching; rejects as it did. */
  stop(): Promise<void>
  /** Rejects as the watching does. */
  readonly ended: Promise<void>
}

/** Watches such a device until the test ends. */
async function watch(t: TestContext, plan: Plan = {}, options: WatchOptions = {}, login = {}): Promise<Watch> {
  const device = await startEventfulDevice(t, plan)
  const client = connect(device.url, { timeoutMs: 3_000, ...login })
  const stop = new AbortController()
  const events: DeviceEvent[] = []
  const told: string[] = []
  const onConnected = () => told.push('connected')
  const onLost = ({ message }: Error) => told.push(`lost: ${message}`)
  const ended = (async () => {
    for await (const event of watchEvents(client, { signal: stop.signal, onConnected, onLost, ...options })) events.push(event)
  })()
  ended.catch(() => {})
  t.after(async () => {
    stop.abort()
    await ended.catch(() => {})
    client.close()
  })
  return {
    device,
    events,
    told,
    ended,
    stop() {
      stop.abort()
      return ended
    },
  }
}

/** Waits until the device has been asked for this so many times. */
const asked = (device: EventfulDevice, operation: string, times = 1) =>
  eventually(async () => assert.ok(device.operations().filter(name => name === operation).length >= times, device.operations().join(' ')))

const relay = notification('tns1:Device/Trigger/Relay', { LogicalState: 'active' }, 'Changed')
const header = ({ body }: { readonly body: string }, name: string) => new RegExp(`<wsa:${name}>([^<]*)<`).exec(body)?.[1]

test('gives the events in their order, as plain records', async t => {
  const { device, events } = await watch(t)
  device.publish(relay, notification('tns1:Device/OperationMode/ShutdownInitiated', {}))
  await eventually(async () => assert.equal(events.length, 2))
  device.publish(notification('acme:IO/Port', { 'Level &amp; more': '' }, 'Deleted'))
  await eventually(async () => assert.equal(events.length, 3))
  const utcTime = new Date('2026-03-04T05:06:07.5Z')
  const source = { Token: 'one' }
  assert.deepEqual(events, [
    { topic: 'tns1:Device/Trigger/Relay', utcTime, operation: 'Changed', source, data: { LogicalState: 'active' } },
    { topic: 'tns1:Device/OperationMode/ShutdownInitiated', utcTime, operation: undefined, source, data: {} },
    { topic: 'acme:IO/Port', utcTime, operation: 'Deleted', source, data: { 'Level & more': '' } },
  ])
})

test('reads events as devices write them', async t => {
  const { TZ } = process.env
  process.env.TZ = 'Asia/Tokyo'
  t.after(() => {
    if (TZ === undefined) delete process.env.TZ
    else process.env.TZ = TZ
  })
  const { device, events } = await watch(t)
  device.publish(
    // Other prefixes, no zone, key, elements, an unknown operation.
    '<n:NotificationMessage xmlns:n="http://docs.oasis-open.org/wsn/b-2" xmlns:t="http://www.onvif.org/ver10/topics"><n:Topic> t:Rule/t:Line </n:Topic><n:Message><tt:Message UtcTime="2026-03-04T05:06:07" PropertyOperation="Funny"><tt:Source><tt:SimpleItem Name="A" Value="1"/></tt:Source><tt:Key><tt:SimpleItem Name="__proto__" Value="2"/></tt:Key><tt:Data><tt:SimpleItem Name="T">as text</tt:SimpleItem><tt:ElementItem Name="Link"><tt:Link up="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="tt:L"><tt:Speed unit="M">10</tt:Speed><tt:Peer>a</tt:Peer><tt:Peer>b</tt:Peer></tt:Link></tt:ElementItem></tt:Data></tt:Message></n:Message></n:NotificationMessage>',
    // One Message too few, and a time that is none.
    '<wsnt:NotificationMessage><wsnt:Topic>plain</wsnt:Topic><wsnt:Message UtcTime="soon"><tt:Data><tt:SimpleItem Name="D" Value="d"/></tt:Data></wsnt:Message></wsnt:NotificationMessage>',
    '<wsnt:NotificationMessage/>',
  )
  await eventually(async () => assert.equal(events.length, 3))
  const [first, second, third] = events
  assert.equal(first?.topic, 'tns1:Rule/tns1:Line')
  assert.equal(first?.utcTime?.toISOString(), '2026-03-04T05:06:07.000Z')
  assert.equal(first?.operation, undefined)
  assert.deepEqual(Object.entries(first?.source ?? {}), [
    ['A', '1'],
    ['__proto__', '2'],
  ])
  assert.deepEqual(first?.data, { T: 'as text', Link: { up: 'true', Speed: { unit: 'M', $text: '10' }, Peer: ['a', 'b'] } })
  assert.deepEqual(second, { topic: 'plain', utcTime: undefined, operation: undefined, source: {}, data: { D: 'd' } })
  assert.deepEqual(third, { topic: '', utcTime: undefined, operation: undefined, source: {}, data: {} })
})

test('every message has the header blocks of WS-Addressing, with what the subscription wants back', async t => {
  const parameters = '<a:Id xmlns:a="urn:a&amp;b" a:kind="k&quot;" wsa:IsReferenceParameter="1">7<a:part/></a:Id><Plain>x &lt; y</Plain>'
  const { device, stop } = await watch(t, { parameters })
  device.publish(relay)
  await asked(device, 'PullMessages', 2)
  await stop()
  const to = `http://127.0.0.1:${device.port}/subscription/1`
  const tev = 'http://www.onvif.org/ver10/events/wsdl'
  const wanted = [
    ['CreatePullPointSubscription', `http://127.0.0.1:${device.port}/events`, `${tev}/EventPortType/CreatePullPointSubscriptionRequest`],
    ['PullMessages', to, `${tev}/PullPointSubscription/PullMessagesRequest`],
    ['Unsubscribe', to, 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest'],
  ]
  for (const [operation = '', address, action] of wanted) {
    const { body, request } = device.last(operation)
    assert.equal(header({ body }, 'To'), address)
    assert.equal(header({ body }, 'Action'), action)
    assert.match(request.headers['content-type'] ?? '', new RegExp(`action="${action}"`))
    const echoed =
      '<n1:Id xmlns:n1="urn:a&amp;b" n1:kind="k&quot;" wsa:IsReferenceParameter="true">7<n1:part/></n1:Id><Plain wsa:IsReferenceParameter="true">x &lt; y</Plain>'
    assert.equal(body.includes(echoed), operation !== 'CreatePullPointSubscription', body)
  }
  const identities = device.asked.map(entry => header(entry, 'MessageID')).filter(identity => identity !== undefined)
  assert.equal(new Set(identities).size, identities.length)
  for (const identity of identities) assert.match(identity, /^urn:uuid:[0-9a-f-]{36}$/)
})

test('reads a reference in the addressing of 2004', () => {
  const referenceWith = (text: string) =>
    parseXml(
      `<r xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing"><Address> http://c/ </Address><ReferenceProperties><i xmlns="urn:i" xml:lang="en">${text}</i></ReferenceProperties></r>`,
    )
  const { address, parameters } = readEndpoint(referenceWith('7'))
  assert.equal(address, 'http://c/')
  assert.equal(parameters, '<n1:i xmlns:n1="urn:i" xml:lang="en" wsa:IsReferenceParameter="true">7</n1:i>')
  assert.throws(() => readEndpoint(referenceWith('7'.repeat(limits.referenceParametersCharactersMax))), /too many reference parameters/)
})

test('asks only for the topics that are wanted', async t => {
  const { device } = await watch(t, {}, { topics: ['Monitoring/UploadStatus', 'tns1:Device//.|v:IO/v:Port'] })
  await asked(device, 'PullMessages')
  assert.match(
    device.last('CreatePullPointSubscription').body,
    /<tev:Filter><wsnt:TopicExpression xmlns:tns1="http:\/\/www.onvif.org\/ver10\/topics" xmlns:v="urn:acme:topics" Dialect="http:\/\/www.onvif.org\/ver10\/tev\/topicExpression\/ConcreteSet">tns1:Monitoring\/UploadStatus\|tns1:Device\/\/\.\|v:IO\/v:Port<\/wsnt:TopicExpression><\/tev:Filter><tev:InitialTerminationTime>/,
  )
  const { device: plain } = await watch(t, {}, { topics: ['tns1:Monitoring//.'] })
  await asked(plain, 'PullMessages')
  assert.ok(!plain.operations().includes('GetEventProperties'), 'tns1 is known')
})

test('a topic that nobody can understand is told before, or when the device has said what it knows', async t => {
  for (const topic of ['', 'a b', 'tns1:', 'a//b', 'a/', '/a', 'a:b:c', '<x>', '//.']) assert.throws(() => parseTopics([topic]), TopicError)
  const { ended, device } = await watch(t, {}, { topics: ['a/'] })
  await assert.rejects(ended, TopicError)
  assert.equal(device.asked.length, 0)
  await assert.rejects((await watch(t, {}, { topics: ['nobody:IO'] })).ended, /no topics with the prefix nobody:/)
})

for (const [what, address] of [
  ['another host and port', () => 'http://127.0.0.9:1/subscription'],
  ['another host', (port: number) => `http://127.0.0.9:${port}/subscription`],
  ['a name that nobody knows', (port: number) => `http://camera.invalid:${port}/subscription`],
  ['a path alone', () => '/subscription'],
] as const) {
  test(`goes on with the host that answers where a subscription has ${what}`, async t => {
    const { device, events } = await watch(t, { subscription: address })
    device.publish(relay)
    await eventually(async () => assert.equal(events.length, 1))
    assert.equal(header(device.last('PullMessages'), 'To'), address(device.port))
    assert.equal(device.last('PullMessages').request.url, '/subscription')
  })
}

test('an address that takes no connection is tried once, and last from then on', async t => {
  const device = await startEventfulDevice(t, { subscription: () => 'http://127.0.0.9:1/subscription' })
  const client = connect(device.url)
  t.after(() => client.close())
  const silentHosts = new Set<string>()
  const subscription = { topics: [], signal: undefined, silentHosts }
  device.publish(relay)
  await (await createPullPoint(client, subscription)).pull()
  assert.deepEqual([...silentHosts], ['127.0.0.9:1', '127.0.0.1:1'])

  const other = await startEventfulDevice(t, { subscription: port => `http://localhost:${port}/subscription` })
  const client2 = connect(other.url)
  t.after(() => client2.close())
  silentHosts.add(`localhost:${other.port}`)
  other.publish(relay)
  await (await createPullPoint(client2, subscription)).pull()
  assert.equal(other.last('PullMessages').request.headers.host, `127.0.0.1:${other.port}`)
})

test('an event service that gives no address that can be used is an error of the device', async t => {
  const { ended } = await watch(t, { eventService: () => 'rtsp://127.0.0.1/events' })
  await assert.rejects(ended, error => error instanceof ClientError && error.kind === 'answer' && /rtsp/.test(error.message))
})

for (const [what, answer] of [
  ['has no GetServices', faultXml('Receiver', ['ActionNotSupported'], 'not implemented')],
  ['leaves the events out of GetServices', soap('<tds:GetServicesResponse/>')],
] as const) {
  test(`finds the events of a device that ${what}`, async t => {
    const { device, events } = await watch(t, {
      instead: ({ operation }, response) => {
        if (operation === 'GetServices') reply(response, answer.includes('Fault') ? 500 : 200, answer)
        return operation === 'GetServices'
      },
    })
    device.publish(relay)
    await eventually(async () => assert.equal(events.length, 1))
    assert.ok(device.operations().includes('GetCapabilities'))
  })
}

test('says that a device has no events', async t => {
  const { ended } = await watch(t, {
    instead: ({ operation }, response) => {
      if (operation === 'GetCapabilities')
        reply(response, 200, soap('<tds:GetCapabilitiesResponse><tds:Capabilities/></tds:GetCapabilitiesResponse>'))
      if (operation === 'GetServices') reply(response, 200, soap('<tds:GetServicesResponse/>'))
      return operation.startsWith('Get')
    },
  })
  await assert.rejects(ended, /has no event service/)
})

test('renews a subscription that a pull would outlast, and no other', async t => {
  const { device } = await watch(t, { lifeMs: 25_000 })
  await asked(device, 'PullMessages')
  assert.deepEqual(device.operations(), ['GetServices', 'CreatePullPointSubscription', 'GetServiceCapabilities', 'Renew', 'PullMessages'])
  assert.match(device.last('Renew').body, /<wsnt:Renew><wsnt:TerminationTime>PT120S<\/wsnt:TerminationTime><\/wsnt:Renew>/)
  device.publish(relay)
  await asked(device, 'PullMessages', 2)
  assert.equal(device.operations().filter(name => name === 'GetServiceCapabilities').length, 1, 'it is asked once whether it can')
  assert.equal(device.operations().filter(name => name === 'Renew').length, 2)
  const { device: patient } = await watch(t)
  await asked(patient, 'PullMessages')
  assert.ok(!patient.operations().includes('Renew'))
  const { device: generous } = await watch(t, { lifeMs: 25_000, pullLifeMs: 60_000 })
  generous.publish(relay)
  await asked(generous, 'PullMessages', 2)
  assert.equal(generous.operations().filter(name => name === 'Renew').length, 1, 'a pull renews it as well')
})

for (const [what, instead] of [
  [
    'says that it has no Renew',
    ({ operation }: { operation: string }, response: Parameters<typeof reply>[0]) => {
      if (operation === 'GetServiceCapabilities')
        reply(response, 200, inEvents('GetServiceCapabilitiesResponse', '<tev:Capabilities MaxNotificationProducers="0"/>'))
      return operation === 'GetServiceCapabilities'
    },
  ],
  [
    'refuses Renew',
    ({ operation }: { operation: string }, response: Parameters<typeof reply>[0]) => {
      if (operation === 'Renew') reply(response, 500, faultXml('Receiver', ['ActionNotSupported'], 'not implemented'))
      return operation === 'Renew'
    },
  ],
] as const) {
  test(`goes on pulling from a device that ${what}`, async t => {
    const { device, events, told } = await watch(t, { lifeMs: 25_000, instead })
    device.publish(relay)
    await asked(device, 'PullMessages', 2)
    assert.equal(events.length, 1)
    assert.ok(device.operations().filter(name => name === 'Renew').length <= 1)
    assert.equal(device.operations().filter(name => name === 'GetServiceCapabilities').length, 1)
    assert.deepEqual(told, ['connected'])
  })
}

test('finds the device again after a reboot, and tells both', async t => {
  const { device, events, told } = await watch(t)
  device.publish(relay)
  await asked(device, 'PullMessages', 2)
  device.reboot()
  await eventually(async () => assert.equal(told.length, 3, told.join()))
  device.publish(notification('tns1:Monitoring/OperatingTime/LastReboot', {}, 'Initialized'))
  await eventually(async () => assert.equal(events.length, 2))
  assert.deepEqual([told[0], told[2]], ['connected', 'connected'])
  assert.match(told[1] ?? '', /^lost: .*closed the connection/)
  assert.equal(header(device.last('PullMessages'), 'To'), `http://127.0.0.1:${device.port}/subscription/2`)
})

test('subscribes anew where the device has forgotten the subscription', async t => {
  let isForgotten = false
  const { device, told } = await watch(t, {
    instead: ({ operation }, response) => {
      if (operation === 'CreatePullPointSubscription') isForgotten = false
      if (operation === 'PullMessages' && isForgotten) reply(response, 500, faultXml('Receiver', ['ResourceUnknown'], 'what subscription?'))
      return operation === 'PullMessages' && isForgotten
    },
  })
  await asked(device, 'PullMessages')
  isForgotten = true
  device.publish(relay)
  await asked(device, 'CreatePullPointSubscription', 2)
  await eventually(async () => assert.deepEqual(told, ['connected', 'lost: what subscription?', 'connected']))
})

test('a kept connection that the device closes is no loss', async t => {
  const { device, events, told } = await watch(t)
  await asked(device, 'PullMessages')
  device.hangUp()
  await asked(device, 'PullMessages', 2)
  device.publish(relay)
  await eventually(async () => assert.equal(events.length, 1))
  assert.deepEqual(told, ['connected'])
  assert.equal(device.operations().filter(name => name === 'CreatePullPointSubscription').length, 1)
})

test('a pull may wait longer than an answer may take', async t => {
  const { device, events, told } = await watch(t, {}, {}, { timeoutMs: 200 })
  await asked(device, 'PullMessages')
  await new Promise(resolve => setTimeout(resolve, 600))
  device.publish(relay)
  await eventually(async () => assert.equal(events.length, 1))
  assert.deepEqual(told, ['connected'])
})

test('ends a pull that waits, and unsubscribes', async t => {
  const { device, stop } = await watch(t)
  await asked(device, 'PullMessages')
  const began = performance.now()
  await stop()
  assert.ok(performance.now() - began < 2_000)
  assert.equal(device.operations().at(-1), 'Unsubscribe')
})

test('unsubscribes when the loop around it ends', async t => {
  const device = await startEventfulDevice(t)
  const client = connect(device.url)
  t.after(() => client.close())
  device.publish(relay, relay)
  for await (const event of watchEvents(client)) {
    assert.equal(event.operation, 'Changed')
    break
  }
  assert.equal(device.operations().at(-1), 'Unsubscribe')
  for await (const _ of watchEvents(client, { signal: AbortSignal.abort() })) assert.fail('nobody wants it')
})

test('a first subscription that is refused is an error, as is one from which nothing can be pulled', async t => {
  for (const refused of ['CreatePullPointSubscription', 'PullMessages']) {
    const { ended, device } = await watch(t, {
      instead: ({ operation }, response) => {
        if (operation === refused) reply(response, 500, faultXml('Receiver', ['Action'], `no ${refused}`))
        return operation === refused
      },
    })
    await assert.rejects(ended, error => error instanceof OnvifFault && error.message === `no ${refused}`)
    assert.equal(device.operations().includes('Unsubscribe'), refused === 'PullMessages', 'and nothing is left behind')
  }
})

test('a device that tells nothing without a log-in wants one, and is not one without events', async t => {
  const { ended } = await watch(t, {
    instead: (_, response) => {
      reply(response, 401, refusal)
      return true
    },
  })
  await assert.rejects(ended, isLoginRefused)
})

for (const kind of ['digest', 'token'] as const) {
  test(`logs in to the event service, too, by ${kind}`, async t => {
    const gate = createDigestGate('SHA-256')
    const isPublic = /^Get(Services|SystemDateAndTime)$/
    const { device, events } = await watch(
      t,
      {
        instead: (question, response) => {
          if (question.operation === 'GetSystemDateAndTime') reply(response, 200, clock())
          if (isPublic.test(question.operation)) return question.operation === 'GetSystemDateAndTime'
          const isWelcome = kind === 'digest' ? gate.check(question) === 'good' : checkToken(question.body, () => new Date())
          if (!isWelcome && kind === 'digest') reply(response, 401, refusal, { 'www-authenticate': gate.challenge() })
          if (!isWelcome && kind === 'token') reply(response, 400, refusal)
          return !isWelcome
        },
      },
      {},
      { user, password, login: kind },
    )
    device.publish(relay)
    await eventually(async () => assert.equal(events.length, 1))
  })
}

test('a device that takes the log-in no more is not asked until it locks the account', async t => {
  let isLocked = false
  const { device, ended } = await watch(t, {
    instead: ({ operation }, response) => {
      if (isLocked && operation !== 'GetServices') reply(response, 400, refusal)
      return isLocked && operation !== 'GetServices'
    },
  })
  device.publish(relay)
  await asked(device, 'PullMessages', 2)
  isLocked = true
  device.publish(relay)
  await assert.rejects(ended, isLoginRefused)
  const { length } = device.operations().filter(name => name === 'CreatePullPointSubscription')
  assert.equal(length, 3, 'the first, and those after the refused pull')
})

test('a device that answers empty at once is not hammered', async t => {
  let pulls = 0
  const { device } = await watch(t, {
    instead: ({ operation }, response) => {
      if (operation === 'PullMessages') reply(response, 200, inEvents('PullMessagesResponse', ''))
      return operation === 'PullMessages' && ++pulls > 0
    },
  })
  await asked(device, 'PullMessages', 2)
  await new Promise(resolve => setTimeout(resolve, 1_500))
  assert.ok(pulls <= 5, `${pulls} pulls in 1.5 s`)
})
