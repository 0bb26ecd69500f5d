import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { topics } from '../../../src/device/events/topics.ts'
import { limits } from '../../../src/limits.ts'
import type { eventFaults } from '../../../src/onvif/faults.ts'
import type { XmlElement } from '../../../src/soap/xml.ts'
import { type Answer, child, people, type TestDevice, testDevice } from '../../support/device.ts'

const service = '/onvif/event_service'
const dialects = {
  concrete: 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete',
  concreteSet: 'http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet',
}
const WSA = 'http://www.w3.org/2005/08/addressing'

const expression = (text: string, dialect = dialects.concreteSet) =>
  `<wsnt:TopicExpression Dialect="${dialect}">${text}</wsnt:TopicExpression>`
const create = (filter = '', time = '', policy = '') =>
  `<tev:CreatePullPointSubscription>${filter && `<tev:Filter>${filter}</tev:Filter>`}${time && `<tev:InitialTerminationTime>${time}</tev:InitialTerminationTime>`}${policy && `<tev:SubscriptionPolicy>${policy}</tev:SubscriptionPolicy>`}</tev:CreatePullPointSubscription>`
const pull = (timeout = 'PT0S', limit = 100) =>
  `<tev:PullMessages><tev:Timeout>${timeout}</tev:Timeout><tev:MessageLimit>${limit}</tev:MessageLimit></tev:PullMessages>`
const subscribe = (address: string, more = '', parameters = '') =>
  `<wsnt:Subscribe><wsnt:ConsumerReference><wsa:Address>${address}</wsa:Address>${parameters}</wsnt:ConsumerReference>${more}</wsnt:Subscribe>`
const synchronize = '<tev:SetSynchronizationPoint/>'
const renew = (time: string) => `<wsnt:Renew><wsnt:TerminationTime>${time}</wsnt:TerminationTime></wsnt:Renew>`
const current = (topic: string) =>
  `<wsnt:GetCurrentMessage><wsnt:Topic Dialect="${dialects.concreteSet}">${topic}</wsnt:Topic></wsnt:GetCurrentMessage>`
const switchRelay = (token: string, state: 'active' | 'inactive') =>
  `<tds:SetRelayOutputState><tds:RelayOutputToken>${token}</tds:RelayOutputToken><tds:LogicalState>${state}</tds:LogicalState></tds:SetRelayOutputState>`

const relays = 'tns1:Device/Trigger/Relay'

const every = (element: XmlElement, name: string): readonly XmlElement[] => [
  ...(element.name === name ? [element] : []),
  ...element.children.flatMap(each => every(each, name)),
]
const textAt = ({ body }: Answer, name: string): string => every(body, name)[0]?.text ?? assert.fail(`no ${name}`)
const attribute = (element: XmlElement | undefined, wanted: string) => element?.attributes.find(({ name }) => name === wanted)?.value

/** Topic, operation and the items of each message, as `LogicalState=active`. */
function messagesOf(answer: Answer): readonly (readonly [topic: string, operation: string | undefined, ...items: string[]])[] {
  assert.equal(answer.fault, undefined, answer.reason)
  return every(answer.body, 'NotificationMessage').map(each => [
    child(each, 'Topic')?.text ?? '',
    attribute(every(each, 'Message')[1], 'PropertyOperation'),
    ...every(each, 'SimpleItem').map(item => `${attribute(item, 'Name')}=${attribute(item, 'Value')}`),
  ])
}

/** A pull point of these topics: the path of its address. */
async function pullPoint(device: TestDevice, topic?: string, policy = ''): Promise<string> {
  const answer = await device.askAt(service, create(topic && expression(topic), '', policy))
  assert.equal(answer.fault, undefined, answer.reason)
  return new URL(textAt(answer, 'Address')).pathname
}

const withRelays = (t: TestContext) => testDevice(t, { relays: 2 })

test('a client learns what there is, subscribes, is told the state and then each change', async t => {
  const device = await withRelays(t)
  const at = await pullPoint(device, relays)
  assert.match(at, /^\/onvif\/subscription\/[\w-]{22}$/)
  assert.deepEqual(messagesOf(await device.askAt(at, pull())), [
    [relays, 'Initialized', 'RelayToken=relay1', 'LogicalState=inactive'],
    [relays, 'Initialized', 'RelayToken=relay2', 'LogicalState=inactive'],
  ])
  const waiting = device.askAt(at, pull('PT1M'))
  await device.ask(switchRelay('relay2', 'active'))
  assert.deepEqual(messagesOf(await waiting), [[relays, 'Changed', 'RelayToken=relay2', 'LogicalState=active']])

  assert.equal((await device.askAt(at, synchronize)).fault, undefined)
  assert.deepEqual(messagesOf(await device.askAt(at, pull('PT1M', 1))), [
    [relays, 'Initialized', 'RelayToken=relay1', 'LogicalState=inactive'],
  ])
  assert.deepEqual(messagesOf(await device.askAt(at, pull('PT1M', 5))), [
    [relays, 'Initialized', 'RelayToken=relay2', 'LogicalState=active'],
  ])
  assert.equal((await device.askAt(at, '<wsnt:Unsubscribe/>')).fault, undefined)
  assert.equal((await device.askAt(at, pull())).fault, 'Receiver/ResourceUnknownFault')
})

test('the topic set has what the device emits, with descriptions that agree with the messages', async t => {
  for (const count of [0, 2]) {
    const device = await testDevice(t, { relays: count })
    const answer = await device.askAt(service, '<tev:GetEventProperties/>')
    const [set] = every(answer.body, 'TopicSet')
    const found = new Map<string, XmlElement>()
    const walk = (element: XmlElement, path: string): void => {
      if (attribute(element, 'topic') === 'true') found.set(path, child(element, 'MessageDescription') ?? assert.fail(path))
      for (const each of element.children) if (each.name !== 'MessageDescription') walk(each, `${path}/${each.name}`)
    }
    for (const root of set?.children ?? []) walk(root, `${root.namespace.includes('onvif.org/ver10/topics') ? 'tns1' : 'ofd'}:${root.name}`)
    const expected = Object.keys(topics).filter(topic => count > 0 || topic !== relays)
    assert.deepEqual([...found.keys()].map(path => path.replace(/^.*:/, '')).sort(), expected.map(path => path.replace(/^.*:/, '')).sort())
    assert.doesNotMatch(answer.xml.slice(answer.xml.indexOf('TopicSet')), / xmlns="/, 'no default namespace is in scope')

    const at = await pullPoint(device)
    for (const [topic, operation, ...items] of messagesOf(await device.askAt(at, pull()))) {
      const description = [...found].find(([path]) => path.replace(/^\w+:/, '') === topic.replace(/^\w+:/, ''))?.[1]
      assert.ok(description, topic)
      assert.equal(attribute(description, 'IsProperty'), String(operation !== undefined))
      const described = every(description, 'SimpleItemDescription').map(item => attribute(item, 'Name'))
      for (const item of items) assert.ok(described.includes(item.split('=')[0]), `${topic}: ${item}`)
    }
  }
})

test('both capabilities say what there is', async t => {
  const device = await testDevice(t)
  const { xml } = await device.askAt(service, '<tev:GetServiceCapabilities/>')
  assert.match(xml, new RegExp(`MaxPullPoints="${limits.eventPullPointsPerUserMax}"`))
  assert.match(xml, new RegExp(`MaxNotificationProducers="${limits.eventConsumersMax}"`))
  const { body } = await device.ask('<tds:GetCapabilities><tds:Category>Events</tds:Category></tds:GetCapabilities>')
  assert.deepEqual(
    every(body, 'Capabilities')[0]?.children.map(({ name }) => name),
    ['Events'],
  )
  assert.equal(every(body, 'XAddr')[0]?.text, `http://192.0.2.7:8081${service}`)
  const services = await device.ask('<tds:GetServices><tds:IncludeCapability>true</tds:IncludeCapability></tds:GetServices>')
  assert.ok(every(services.body, 'XAddr').some(({ text }) => text.endsWith(service)))
})

test('answers are told apart by WS-Addressing, and go nowhere else', async t => {
  const device = await withRelays(t)
  const header = `<wsa:MessageID>urn:uuid:1</wsa:MessageID><wsa:ReplyTo><wsa:Address>${WSA}/anonymous</wsa:Address></wsa:ReplyTo>`
  const created = await device.askAt(service, create(), { header })
  assert.match(created.xml, /<wsa:RelatesTo>urn:uuid:1<\/wsa:RelatesTo>/)
  assert.match(
    created.xml,
    /<wsa:Action>http:\/\/www\.onvif\.org\/ver10\/events\/wsdl\/EventPortType\/CreatePullPointSubscriptionResponse</,
  )
  const unknown = await device.askAt('/onvif/subscription/none', pull(), { header })
  assert.match(unknown.xml, /<wsa:Action>http:\/\/www\.w3\.org\/2005\/08\/addressing\/soap\/fault</)
  assert.match(unknown.xml, /<wsrf-r:ResourceUnknownFault>.*<wsrf-bf:Timestamp>/)
  assert.deepEqual([unknown.status, unknown.fault], [500, 'Receiver/ResourceUnknownFault'])
  const elsewhere = header.replace(`${WSA}/anonymous`, 'http://192.0.2.66/')
  const refused = await device.askAt(service, create(), { header: elsewhere })
  assert.equal(refused.fault, 'Sender/InvalidAddressingHeader/OnlyAnonymousAddressSupported')
})

test('with ChangedOnly a pull point is told no state', async t => {
  const device = await withRelays(t)
  const at = await pullPoint(device, relays, '<tev:ChangedOnly/>')
  const waiting = device.askAt(at, pull('PT1M'))
  await device.ask(switchRelay('relay1', 'active'))
  assert.deepEqual(messagesOf(await waiting), [[relays, 'Changed', 'RelayToken=relay1', 'LogicalState=active']])
})

test('the current message of a property can be asked for without a subscription', async t => {
  const device = await withRelays(t)
  const { xml } = await device.askAt(service, current('tns1:Monitoring/OperatingTime/LastReset'))
  assert.match(
    xml,
    /<tt:Message UtcTime="[^"]+Z" PropertyOperation="Initialized"><tt:Data><tt:SimpleItem Name="Status" Value="1970-01-01T00:00:00/,
  )
})

test('times are spans or points in time, and what cannot be is refused with what could', async t => {
  const device = await testDevice(t)
  for (const time of ['PT1M', 'P1D', new Date(Date.now() + 90_000).toISOString()]) {
    const answer = await device.askAt(service, create('', time))
    const seconds = (Date.parse(textAt(answer, 'TerminationTime')) - Date.parse(textAt(answer, 'CurrentTime'))) / 1000
    const wanted = time === 'PT1M' ? 60 : time === 'P1D' ? 86_400 : 90
    assert.ok(Math.abs(seconds - wanted) < 5, `${time}: ${seconds}`)
  }
  const nothing = '<tev:InitialTerminationTime xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
  const open = await device.askAt(service, `<tev:CreatePullPointSubscription>${nothing}</tev:CreatePullPointSubscription>`)
  assert.equal(open.fault, undefined, open.reason)
  const at = new URL(textAt(open, 'Address')).pathname
  const renewed = await device.askAt(at, renew('PT2H'))
  const renewedMs = Date.parse(textAt(renewed, 'TerminationTime')) - Date.parse(textAt(renewed, 'CurrentTime'))
  assert.ok(Math.abs(renewedMs - 7_200_000) < 1_000, String(renewedMs))
  const past = await device.askAt(service, create('', '2001-01-01T00:00:00Z'))
  assert.match(past.xml, /<wsnt:UnacceptableInitialTerminationTimeFault>.*<wsnt:MinimumTime>/)
})

/** A request for each fault of events, on a device with relays and with a pull point of its own at `at`. */
const provocations: Readonly<Record<keyof typeof eventFaults, (device: TestDevice, at: string) => Promise<Answer>>> = {
  ResourceUnknownFault: device => device.askAt('/onvif/subscription/AAAAAAAAAAAAAAAAAAAAAA', pull()),
  InvalidFilterFault: device => device.askAt(service, create('<wsnt:MessageContent Dialect="urn:x">a</wsnt:MessageContent>')),
  TopicExpressionDialectUnknownFault: device => device.askAt(service, create(expression('tns1:Device', 'urn:unknown'))),
  InvalidTopicExpressionFault: device => device.askAt(service, create(expression('tns1:Device//*[x]'))),
  TopicNotSupportedFault: device => device.askAt(service, create(expression('tns1:VideoSource/MotionAlarm'))),
  MultipleTopicsSpecifiedFault: device => device.askAt(service, current('tns1:Monitoring//.')),
  UnrecognizedPolicyRequestFault: device => device.askAt(service, create('', '', '<x:Policy xmlns:x="urn:x"/>')),
  UnsupportedPolicyRequestFault: device => device.askAt(service, create('', '', '<wsnt:UseRaw/>')),
  UnacceptableInitialTerminationTimeFault: device => device.askAt(service, create('', '-PT1S')),
  UnacceptableTerminationTimeFault: (device, at) => device.askAt(at, renew('P30D')),
  NoCurrentMessageOnTopicFault: device => device.askAt(service, current('tns1:Device/SecurityPolicy/AuthFailed')),
  SubscribeCreationFailedFault: device => device.askAt(service, subscribe('http://127.0.0.1/')),
  PullMessagesFaultResponse: (device, at) => device.askAt(at, pull('PT1H')),
  async UnableToGetMessagesFault(device, at) {
    await device.askAt(at, pull())
    const leaves = new AbortController()
    const first = device.askAt(at, pull('PT1M'), { hungUp: leaves.signal })
    const second = await device.askAt(at, pull('PT1M'))
    leaves.abort()
    await first
    return second
  },
}

for (const [name, provoke] of Object.entries(provocations)) {
  test(`${name} is raised, with a detail of the schema, and changes nothing`, async t => {
    const device = await withRelays(t)
    const at = await pullPoint(device, relays)
    const { status, fault, xml } = await provoke(device, at)
    assert.deepEqual([status, fault], [500, `Receiver/${name}`])
    assert.match(xml, new RegExp(`<env:Detail><[\\w-]+:${name}>`))
    assert.match(xml, /<wsa:Action>http:\/\/www\.w3\.org\/2005\/08\/addressing\/soap\/fault<\/wsa:Action>/)
    await device.ask(switchRelay('relay1', 'active'))
    assert.equal(messagesOf(await device.askAt(at, pull('PT1M'))).at(-1)?.[3], 'LogicalState=active')
  })
}

test('messages for a client that has gone wait for its next pull', async t => {
  const device = await withRelays(t)
  const at = await pullPoint(device, relays)
  await device.askAt(at, pull())
  const leaves = new AbortController()
  const lost = device.askAt(at, pull('PT1M'), { hungUp: leaves.signal })
  await sleep(10)
  leaves.abort()
  assert.deepEqual(messagesOf(await lost), [])
  await device.ask(switchRelay('relay1', 'active'))
  assert.equal(messagesOf(await device.askAt(at, pull('PT1M'))).length, 1)
})

test('everybody who may watch can subscribe, and only administrators have messages brought somewhere', async t => {
  const device = await testDevice(t)
  await device.createEveryLevel()
  for (const level of ['User', 'Operator'] as const) {
    assert.equal((await device.askAt(service, create(), { login: people[level] })).fault, undefined)
    assert.equal((await device.askAt(service, subscribe('http://192.0.2.20/sink'), { login: people[level] })).fault, 'Sender/NotAuthorized')
  }
  const mine = await device.askAt(service, subscribe('http://192.0.2.20/sink'))
  assert.equal(mine.fault, undefined, mine.reason)
  const at = new URL(textAt(mine, 'Address')).pathname
  assert.equal((await device.askAt(at, pull())).fault, 'Receiver/UnableToGetMessagesFault', 'its messages are delivered')
  assert.equal((await device.askAt(at, '<wsnt:Unsubscribe/>')).fault, undefined)
})

/** A second administrator, and what he has subscribed: by path, a pull point and a delivery of what never happens here. */
async function adaSubscribes(device: TestDevice) {
  const login = { name: 'ada', password: 'Analytical-1843' }
  const user = (level: string) =>
    `<tds:User><tt:Username>ada</tt:Username><tt:Password>${login.password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`
  assert.equal((await device.ask(`<tds:CreateUsers>${user('Administrator')}</tds:CreateUsers>`)).fault, undefined)
  const filter = `<wsnt:Filter>${expression('tns1:Advancedsecurity/Keystore/KeyStatus')}</wsnt:Filter>`
  const pathOf = (answer: Answer) => new URL(textAt(answer, 'Address')).pathname
  const point = pathOf(await device.askAt(service, create(), { login }))
  const delivery = pathOf(await device.askAt(service, subscribe('http://192.0.2.20/', filter), { login }))
  const alive = async () => {
    const answers = [await device.askAt(point, renew('PT1M')), await device.askAt(delivery, renew('PT1M'))]
    return answers.map(({ fault }) => fault === undefined)
  }
  return { login, point, alive, setUser: (level: string) => device.ask(`<tds:SetUser>${user(level)}</tds:SetUser>`) }
}

test('what a user has subscribed ends with him, and a pull that waits is told', async t => {
  const device = await testDevice(t)
  const own = await pullPoint(device)
  const { alive, login, point } = await adaSubscribes(device)
  await device.askAt(point, pull(), { login })
  const waiting = device.askAt(point, pull('PT1M'), { login })
  await sleep(10)
  assert.equal((await device.ask('<tds:DeleteUsers><tds:Username>nobody</tds:Username></tds:DeleteUsers>')).status, 400)
  assert.deepEqual(await alive(), [true, true], 'a deletion that is refused ends nothing')
  assert.equal((await device.ask('<tds:DeleteUsers><tds:Username>ada</tds:Username></tds:DeleteUsers>')).status, 200)
  assert.equal((await waiting).fault, 'Receiver/ResourceUnknownFault')
  assert.deepEqual(await alive(), [false, false])
  assert.equal((await device.askAt(own, pull())).fault, undefined, 'those of others go on')
})

test('deliveries end for a user who could not order them any more, and his pull points go on', async t => {
  const policy = (levels: readonly string[]) => {
    const everybody = ['Administrator', 'Operator', 'User']
    const classes = ['READ_SYSTEM', 'READ_SYSTEM_SENSITIVE', 'READ_SYSTEM_SECRET', 'UNRECOVERABLE', 'READ_MEDIA', 'ACTUATE']
    const admitted = { ...Object.fromEntries(classes.map(name => [name, everybody])), WRITE_SYSTEM: levels }
    const file = Buffer.from(JSON.stringify({ format: 'onvifd access policy 1', admitted })).toString('base64')
    return `<tds:SetAccessPolicy><tds:PolicyFile><tt:Data>${file}</tt:Data></tds:PolicyFile></tds:SetAccessPolicy>`
  }
  const device = await testDevice(t)
  const first = await adaSubscribes(device)
  assert.equal((await first.setUser('Administrator')).fault, undefined)
  assert.deepEqual(await first.alive(), [true, true])
  assert.equal((await first.setUser('Operator')).fault, undefined)
  assert.deepEqual(await first.alive(), [true, false])

  const other = await testDevice(t)
  const { alive, setUser } = await adaSubscribes(other)
  assert.equal((await other.ask(policy(['Administrator', 'Operator']))).fault, undefined)
  assert.equal((await setUser('Operator')).fault, undefined)
  assert.deepEqual(await alive(), [true, true], 'operators may, by this policy')
  assert.equal((await other.ask(policy(['Administrator']))).fault, undefined)
  assert.deepEqual(await alive(), [true, false])
})

test('a consumer is refused where it is no web address, or has more parameters than anybody needs', async t => {
  const device = await testDevice(t)
  const many = `<wsa:ReferenceParameters>${'<a xmlns="urn:x">some words for nobody</a>'.repeat(1_000)}</wsa:ReferenceParameters>`
  for (const body of [
    subscribe('ftp://192.0.2.20/'),
    subscribe('http://root:secret@192.0.2.20/'),
    subscribe('http://[::ffff:127.0.0.1]/'),
    subscribe('http://0x7f.1/'),
    subscribe('http://169.254.169.254/latest'),
    subscribe('http://192.0.2.20/', '', many),
  ]) {
    const { fault, xml } = await device.askAt(service, body)
    assert.equal(fault, 'Receiver/SubscribeCreationFailedFault', body.slice(0, 200))
    assert.doesNotMatch(xml, /secret/)
  }
})

test('pull points have a bound for each user, so that one of them leaves room for the others', async t => {
  const device = await testDevice(t)
  await device.createEveryLevel()
  const login = people.User
  let made = 0
  for (; made <= limits.eventPullPointsPerUserMax; made++) if ((await device.askAt(service, create(), { login })).fault !== undefined) break
  assert.equal(made, limits.eventPullPointsPerUserMax)
  assert.equal((await device.askAt(service, create())).fault, undefined)
})

test('a subscription does not outlast the device', async t => {
  const device = await testDevice(t)
  const at = await pullPoint(device)
  await device.restart()
  assert.equal((await device.askAt(at, pull())).fault, 'Receiver/ResourceUnknownFault')
})
