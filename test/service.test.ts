import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { parseXml } from '../src/soap/xml.ts'
import { admin } from './support/daemon.ts'
import { envelope, people, testDevice, token } from './support/device.ts'

const nothing = undefined

test('what is asked is decided by the element in the Body and nothing else', async t => {
  const { send, ask } = await testDevice(t)
  const { body } = await ask('<tds:GetHostname/>', nothing)
  assert.equal(body.name, 'GetHostnameResponse')
  assert.equal(
    (
      await send(
        envelope('<tds:GetHostname/>').replace(
          '<s:Body>',
          '<s:Header><Action xmlns="http://www.w3.org/2005/08/addressing">http://www.onvif.org/ver10/device/wsdl/SystemReboot</Action></s:Header><s:Body>',
        ),
      )
    ).body.name,
    'GetHostnameResponse',
  )
  for (const unknown of [
    '<tds:Nothing/>',
    '<tt:GetHostname/>',
    '<GetHostname/>',
    '<tds:GetHostnameResponse/>',
    '<tds:__proto__/>',
    '<tds:constructor/>',
  ]) {
    assert.equal((await ask(unknown)).fault, 'Sender/UnknownAction', unknown)
  }
})

test('a log-in is asked for with 401, and a wrong one is answered as Core 5.9.1 says', async t => {
  const { send, ask, createEveryLevel } = await testDevice(t)
  await createEveryLevel()
  const request = '<tds:GetUsers/>'

  await t.test('no credentials: 401 with one challenge for each algorithm, MD5 first', async () => {
    const { status, fault, headers } = await ask(request, nothing)
    assert.equal(status, 401)
    assert.equal(fault, 'Sender/NotAuthorized')
    const challenges = headers['www-authenticate'] ?? []
    assert.equal(challenges.length, 2)
    assert.match(String(challenges[0]), /^Digest .*algorithm="?MD5"?.*$/)
    assert.match(String(challenges[1]), /^Digest .*algorithm="?SHA-256"?.*$/)
    assert.match(String(challenges[0]), /qop="auth"/)
  })

  await t.test('an empty message without credentials: the challenge that curl --digest asks for', async () => {
    assert.equal((await send('')).status, 401)
    assert.equal((await send('', 'Digest username="x"')).status, 400)
  })

  await t.test('a wrong password or an unknown user in the message: 400, and both look the same', async () => {
    const wrong = await ask(request, { name: admin.name, password: 'wrong' })
    const unknown = await ask(request, { name: 'nobody', password: 'wrong' })
    assert.equal(wrong.status, 400)
    assert.equal(wrong.fault, 'Sender/NotAuthorized')
    assert.equal(wrong.headers['www-authenticate'], undefined)
    assert.equal(unknown.xml, wrong.xml)
  })

  await t.test('a level that may not: 401 with the fault as its body', async () => {
    const { status, fault, headers } = await ask(request, people.Operator)
    assert.equal(status, 401)
    assert.equal(fault, 'Sender/NotAuthorized')
    assert.ok(headers['www-authenticate'])
  })

  await t.test('a repeated token: 400, also after a restart', async t => {
    const { send, ask, restart } = await testDevice(t)
    const message = envelope('<tds:GetUsers/>').replace('<s:Body>', `<s:Header>${token(admin)}</s:Header><s:Body>`)
    assert.equal((await send(message)).status, 200)
    assert.equal((await send(message)).status, 400)
    await restart()
    assert.equal((await send(message)).status, 400)
    assert.equal((await ask('<tds:GetUsers/>')).status, 200)
  })

  await t.test('an old token: 400', async () => {
    const old = new Date(Date.now() - 600_000).toISOString()
    const message = envelope(request).replace('<s:Body>', `<s:Header>${token(admin, old, randomBytes(16))}</s:Header><s:Body>`)
    assert.equal((await send(message)).fault, 'Sender/NotAuthorized')
  })

  await t.test('operations before log-in ignore credentials, right or wrong', async () => {
    assert.equal((await ask('<tds:GetSystemDateAndTime/>', { name: '', password: '' })).status, 200)
    assert.equal((await send(envelope('<tds:GetSystemDateAndTime/>'), 'Basic eDp5')).status, 200)
  })
})

test('what is wrong with a message as such has its own fault', async t => {
  const { send } = await testDevice(t)
  const good = envelope('<tds:GetSystemDateAndTime/>')
  const withHeader = (block: string) => good.replace('<s:Body>', `<s:Header>${block}</s:Header><s:Body>`)
  for (const [message, fault, status] of [
    [good.slice(0, -1), 'Sender/WellFormed', 400],
    [`<!DOCTYPE x>${good}`, 'Sender/WellFormed', 400],
    [good.replaceAll('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'), 'VersionMismatch', 500],
    [withHeader('<x xmlns="urn:x" s:mustUnderstand="1"/>'), 'MustUnderstand', 500],
    [
      withHeader('<x xmlns="urn:x" s:mustUnderstand="true" s:role="http://www.w3.org/2003/05/soap-envelope/role/next"/>'),
      'MustUnderstand',
      500,
    ],
    [withHeader('<x xmlns="urn:x" s:mustUnderstand="1" s:role="urn:somebody-else"/>'), undefined, 200],
    [withHeader('<x xmlns="urn:x"/>'), undefined, 200],
    [good.replace('<tds:GetSystemDateAndTime', '<tds:GetSystemDateAndTime s:encodingStyle="urn:x"'), 'DataEncodingUnknown', 500],
  ] as const) {
    const answer = await send(message)
    assert.equal(answer.fault, fault, message)
    assert.equal(answer.status, status, message)
  }
})

const WSA = 'http://www.w3.org/2005/08/addressing'

/** The header of an answer: the texts of its blocks by their names, and undefined where it has none. */
function headerOf(xml: string): Record<string, string> | undefined {
  const header = parseXml(xml).children.find(({ name }) => name === 'Header')
  return header && Object.fromEntries(header.children.map(({ name, text }) => [name, text]))
}

test('WS-Addressing: an answer says what it is, and to what', async t => {
  const { send, ask } = await testDevice(t)
  const withHeader = (blocks: string, body = '<tds:GetSystemDateAndTime/>') =>
    send(envelope(body).replace('<s:Body>', `<s:Header>${blocks}</s:Header><s:Body>`))
  const id = '<wsa:MessageID>urn:uuid:7</wsa:MessageID>'
  const to = (address: string, name = 'ReplyTo', rest = '') => `<wsa:${name}><wsa:Address>${address}</wsa:Address>${rest}</wsa:${name}>`
  const none = 'http://www.onvif.org/ver10/device/wsdl/Device/GetSystemDateAndTimeResponse'

  await t.test('where the question has a MessageID, and not before', async () => {
    assert.equal(headerOf((await ask('<tds:GetSystemDateAndTime/>', nothing)).xml), undefined)
    assert.equal(headerOf((await withHeader('<wsa:Action>urn:whatever</wsa:Action>')).xml), undefined)
    assert.deepEqual(headerOf((await withHeader(id)).xml), { Action: none, RelatesTo: 'urn:uuid:7' })
    const fault = await withHeader(id, '<tds:Nothing/>')
    assert.equal(fault.fault, 'Sender/UnknownAction')
    assert.deepEqual(headerOf(fault.xml), { Action: `${WSA}/soap/fault`, RelatesTo: 'urn:uuid:7' })
  })

  await t.test('always, where it is one of the Event service', async () => {
    const { xml } = await ask('<tev:GetServiceCapabilities/>', nothing)
    assert.deepEqual(headerOf(xml), { Action: 'http://www.onvif.org/ver10/events/wsdl/EventPortType/GetServiceCapabilitiesResponse' })
    const refused = await ask('<tev:GetEventProperties/>', nothing)
    assert.equal(refused.status, 401)
    assert.deepEqual(headerOf(refused.xml), { Action: `${WSA}/soap/fault` })
  })

  await t.test('and goes nowhere but back', async () => {
    for (const name of ['ReplyTo', 'FaultTo']) {
      const { status, fault, xml } = await withHeader(id + to('http://198.51.100.1/', name))
      assert.equal(status, 400)
      assert.equal(fault, 'Sender/InvalidAddressingHeader/OnlyAnonymousAddressSupported')
      assert.deepEqual(headerOf(xml), { Action: `${WSA}/fault`, RelatesTo: 'urn:uuid:7' })
      assert.match(xml, new RegExp(`<env:Detail><wsa:ProblemHeaderQName>wsa:${name}</wsa:ProblemHeaderQName></env:Detail>`))
    }
    assert.equal((await withHeader(id + to(`${WSA}/anonymous`) + to(`${WSA}/none`, 'FaultTo'))).status, 200)
    const parameters = '<wsa:ReferenceParameters><x xmlns="urn:x">1</x></wsa:ReferenceParameters>'
    const { xml } = await withHeader(id + to(`${WSA}/anonymous`, 'ReplyTo', parameters))
    assert.deepEqual(headerOf(xml), { Action: none, RelatesTo: 'urn:uuid:7', x: '1' })
  })
})

test('a fault of events says in its Detail when it happened, and what was wrong', async t => {
  const { ask } = await testDevice(t)
  const filter = '<tev:Filter><x:Mine xmlns:x="urn:x"/></tev:Filter>'
  const { status, fault, xml } = await ask(`<tev:CreatePullPointSubscription>${filter}</tev:CreatePullPointSubscription>`)
  assert.equal(status, 500)
  assert.equal(fault, 'Receiver/InvalidFilterFault')
  assert.match(xml, /<env:Value>wsnt:InvalidFilterFault<\/env:Value>/)
  assert.match(
    xml,
    /<env:Detail><wsnt:InvalidFilterFault><wsrf-bf:Timestamp>20[^<]*Z<\/wsrf-bf:Timestamp><wsrf-bf:Description xml:lang="en">[^<]+<\/wsrf-bf:Description><wsnt:UnknownFilter xmlns:q="urn:x">q:Mine<\/wsnt:UnknownFilter><\/wsnt:InvalidFilterFault><\/env:Detail>/,
  )

  const unknown = await ask('<tev:PullMessages><tev:Timeout>PT1S</tev:Timeout><tev:MessageLimit>1</tev:MessageLimit></tev:PullMessages>')
  assert.equal(unknown.fault, 'Receiver/ResourceUnknownFault')
  assert.match(unknown.xml, /<env:Detail><wsrf-r:ResourceUnknownFault><wsrf-bf:Timestamp>/)
  assert.deepEqual(headerOf(unknown.xml), { Action: `${WSA}/soap/fault` })
})

test('a bug or a failing port is a fault without a word about it', async t => {
  const { ask, state, restart } = await testDevice(t)
  await restart(() => {
    const database = new DatabaseSync(join(state, 'device.db'))
    database.exec("CREATE TRIGGER full BEFORE INSERT ON documents BEGIN SELECT RAISE(ABORT, 'a secret detail'); END")
    database.close()
  })
  const answer = await ask('<tds:SetHostname><tds:Name>other</tds:Name></tds:SetHostname>')
  assert.equal(answer.status, 500)
  assert.equal(answer.fault, 'Receiver/Action')
  assert.doesNotMatch(answer.xml, /secret|sqlite|\.ts/i)
  assert.equal((await ask('<tds:GetHostname/>')).status, 200)
})
