import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
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
