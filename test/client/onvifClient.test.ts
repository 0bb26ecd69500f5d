import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError, isLoginRefused, OnvifFault } from '../../src/client/errors.ts'
import { type ClientOptions, connect } from '../../src/client/onvifClient.ts'
import {
  type Answerer,
  checkToken,
  clock,
  createDigestGate,
  faultXml,
  information,
  password,
  refusal,
  reply,
  soap,
  startStandIn,
  user,
} from './standIn.ts'

type Test = Parameters<typeof startStandIn>[0]

async function client(t: Test, answer: Answerer, options: ClientOptions = {}) {
  const device = await startStandIn(t, answer)
  const connected = connect(device.url, { timeoutMs: 5_000, ...options })
  t.after(() => connected.close())
  return { device, client: connected }
}

const login = { user, password }
const operationsOf = (device: { asked: readonly { operation: string }[] }) => device.asked.map(({ operation }) => operation)

test('asks without log-in where the device wants none', async t => {
  const { device, client: camera } = await client(t, (_, response) => reply(response, 200, information()), login)
  assert.equal((await camera.call('GetDeviceInformation', {})).Model, 'A1')
  assert.equal(device.asked.length, 1)
  assert.equal(device.asked[0]?.request.headers.authorization, undefined)
  assert.doesNotMatch(device.asked[0]?.body ?? '', /Security/)
  assert.equal(
    device.asked[0]?.request.headers['content-type'],
    'application/soap+xml; charset=utf-8; action="http://www.onvif.org/ver10/device/wsdl/GetDeviceInformation"',
  )
})

for (const algorithm of ['MD5', 'SHA-256'] as const) {
  test(`answers a Digest challenge with ${algorithm} and keeps its nonce`, async t => {
    const gate = createDigestGate(algorithm)
    const { device, client: camera } = await client(
      t,
      (asked, response) => {
        if (gate.check(asked) === 'good') reply(response, 200, information())
        else reply(response, 401, refusal, { 'www-authenticate': ['Basic realm="x"', gate.challenge()] })
      },
      login,
    )
    for (let call = 0; call < 3; call++) await camera.call('GetDeviceInformation', {})
    assert.equal(device.asked.length, 4, 'only the first call is challenged')
    for (const { request, body } of device.asked) {
      assert.doesNotMatch(request.headers.authorization ?? '', /Basic/)
      assert.doesNotMatch(body, /Security/)
    }
  })
}

test('takes a new nonce when the device has forgotten the old one', async t => {
  const gate = createDigestGate('SHA-256')
  const { device, client: camera } = await client(
    t,
    (asked, response) => {
      const verdict = gate.check(asked)
      if (verdict === 'good') reply(response, 200, information())
      else reply(response, 401, refusal, { 'www-authenticate': gate.challenge(verdict === 'stale') })
    },
    login,
  )
  await camera.call('GetDeviceInformation', {})
  gate.forget()
  await camera.call('GetDeviceInformation', {})
  assert.equal(device.asked.length, 4)
})

test('offers a wrong password once and then gives up', async t => {
  const gate = createDigestGate('MD5')
  const { device, client: camera } = await client(
    t,
    (_, response) => reply(response, 401, refusal, { 'www-authenticate': gate.challenge() }),
    {
      user,
      password: 'wrong',
    },
  )
  await assert.rejects(camera.call('GetDeviceInformation', {}), error => isLoginRefused(error) && error instanceof OnvifFault)
  assert.equal(device.asked.length, 2)
})

test('sends a UsernameToken by the device’s clock where there is no Digest', async t => {
  const deviceTime = () => new Date(Date.now() - 40 * 86_400_000)
  const { device, client: camera } = await client(
    t,
    ({ operation, body }, response) => {
      if (operation === 'GetSystemDateAndTime') reply(response, 200, clock(deviceTime()))
      else if (checkToken(body, deviceTime)) reply(response, 200, information())
      else reply(response, 400, refusal)
    },
    login,
  )
  await camera.call('GetDeviceInformation', {})
  await camera.call('GetDeviceInformation', {})
  assert.deepEqual(operationsOf(device), ['GetDeviceInformation', 'GetSystemDateAndTime', 'GetDeviceInformation', 'GetDeviceInformation'])
})

test('asks the device for the time again when its clock has jumped', async t => {
  let offset = 0
  const deviceTime = () => new Date(Date.now() + offset)
  const { device, client: camera } = await client(
    t,
    ({ operation, body }, response) => {
      if (operation === 'GetSystemDateAndTime') reply(response, 200, clock(deviceTime()))
      else if (checkToken(body, deviceTime)) reply(response, 200, information())
      else reply(response, 400, refusal)
    },
    { ...login, login: 'token' },
  )
  await camera.call('GetDeviceInformation', {})
  offset = -20 * 365 * 86_400_000
  await camera.call('GetDeviceInformation', {})
  assert.equal(device.asked.length, 5)
})

test('a wrong password in a UsernameToken is offered once', async t => {
  const { device, client: camera } = await client(
    t,
    ({ operation }, response) => (operation === 'GetSystemDateAndTime' ? reply(response, 200, clock()) : reply(response, 400, refusal)),
    login,
  )
  await assert.rejects(camera.call('GetUsers', {}), isLoginRefused)
  assert.deepEqual(operationsOf(device), ['GetUsers', 'GetSystemDateAndTime', 'GetUsers'])
})

test('logs in even for what the standard gives to everybody, where the device insists', async t => {
  const gate = createDigestGate('MD5')
  const { client: camera } = await client(
    t,
    (asked, response) => {
      if (gate.check(asked) === 'good') reply(response, 200, clock())
      else reply(response, 401, '<html>401</html>', { 'www-authenticate': gate.challenge() })
    },
    login,
  )
  assert.equal((await camera.call('GetSystemDateAndTime', {})).SystemDateAndTime.DateTimeType, 'Manual')
})

test('offers no log-in for what the standard gives to everybody, even where it is known', async t => {
  const gate = createDigestGate('MD5')
  const { device, client: camera } = await client(
    t,
    (asked, response) => {
      if (asked.operation === 'GetSystemDateAndTime') reply(response, 200, clock())
      else if (gate.check(asked) === 'good') reply(response, 200, information())
      else reply(response, 401, refusal, { 'www-authenticate': gate.challenge() })
    },
    login,
  )
  await camera.call('GetDeviceInformation', {})
  await camera.call('GetSystemDateAndTime', {})
  assert.equal(device.asked.at(-1)?.request.headers.authorization, undefined)
})

test('never answers a Basic challenge', async t => {
  const { device, client: camera } = await client(
    t,
    (_, response) => reply(response, 401, '', { 'www-authenticate': 'Basic realm="x"' }),
    login,
  )
  await assert.rejects(camera.call('GetDeviceInformation', {}), isLoginRefused)
  for (const { request } of device.asked) assert.equal(request.headers.authorization, undefined)
})

test('tells a fault with its code, subcodes and reason', async t => {
  const { client: camera } = await client(t, (_, response) =>
    reply(response, 400, faultXml('Sender', ['InvalidArgVal', 'InvalidHostname'], 'no &lt;such&gt; name')),
  )
  await assert.rejects(camera.call('SetHostname', { Name: '_' }), error => {
    assert.ok(error instanceof OnvifFault)
    assert.deepEqual(
      [error.code, error.subcodes, error.message, error.status],
      ['Sender', ['InvalidArgVal', 'InvalidHostname'], 'no <such> name', 400],
    )
    return true
  })
})

test('reads the fault of a device that only knows SOAP 1.1', async t => {
  const body =
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Client</faultcode><faultstring>go away</faultstring></e:Fault></e:Body></e:Envelope>'
  const { client: camera } = await client(t, (_, response) => reply(response, 500, body))
  await assert.rejects(
    camera.call('GetHostname', {}),
    error => error instanceof OnvifFault && error.code === 'Client' && error.message === 'go away',
  )
})

const garbage: readonly (readonly [what: string, status: number, body: string, kind: ClientError['kind'], says: RegExp])[] = [
  ['a page', 200, '<html><body>Login<br></body></html>', 'answer', /does not answer in SOAP/],
  ['nothing', 200, '', 'answer', /does not answer in SOAP/],
  ['bytes', 200, '\u0000\ufffd\u0001', 'answer', /does not answer in SOAP/],
  ['an entity bomb', 200, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'answer', /does not answer in SOAP/],
  ['an empty Body', 200, soap(''), 'answer', /empty/],
  ['another response', 200, soap('<tds:GetUsersResponse/>'), 'answer', /answered GetHostname with <GetUsersResponse>/],
  ['an incomplete response', 200, soap('<tds:GetHostnameResponse/>'), 'answer', /breaks the contract: .*HostnameInformation/],
  ['a 404', 404, 'not here', 'status', /404 Not Found/],
  ['a good answer with a bad status', 500, soap('<tds:GetHostnameResponse/>'), 'status', /500/],
]

for (const [what, status, body, kind, says] of garbage) {
  test(`${what} is told as a failure of the device`, async t => {
    const { client: camera } = await client(t, (_, response) => reply(response, status, body))
    await assert.rejects(camera.call('GetHostname', {}), error => {
      assert.ok(error instanceof ClientError)
      assert.equal(error.kind, kind)
      assert.match(error.message, says)
      return true
    })
  })
}

test('says where a device has moved to, and does not follow', async t => {
  const { device, client: camera } = await client(t, (_, response) => reply(response, 302, '', { location: 'https://127.0.0.1/' }))
  await assert.rejects(camera.call('GetHostname', {}), /302 Found, to https:\/\/127\.0\.0\.1\//)
  assert.equal(device.asked.length, 1)
})

test('breaks off an answer that is larger than wanted', async t => {
  const { client: camera } = await client(
    t,
    (_, response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'a'))) {}
      }
      response.on('drain', more)
      more()
    },
    { answerBytesMax: 1_000_000 },
  )
  await assert.rejects(camera.call('GetHostname', {}), /larger than 1000000 bytes/)
})

test('does not wait for ever', async t => {
  const { client: silent } = await client(t, () => {}, { timeoutMs: 150 })
  await assert.rejects(silent.call('GetHostname', {}), error => error instanceof ClientError && error.kind === 'timeout')
  const { client: dripping } = await client(t, (_, response) => response.writeHead(200, { 'content-length': '100' }).write('<'), {
    timeoutMs: 150,
  })
  await assert.rejects(dripping.call('GetHostname', {}), error => error instanceof ClientError && error.kind === 'timeout')
})

test('an answer that breaks off is no answer, and only what asks is asked again', async t => {
  const { device, client: camera } = await client(t, ({ request }) => request.socket.destroy())
  await assert.rejects(camera.call('GetHostname', {}), error => error instanceof ClientError && error.kind === 'closed')
  assert.equal(device.asked.length, 2)
  await assert.rejects(camera.call('SystemReboot', {}), error => error instanceof ClientError && error.kind === 'closed')
  assert.equal(device.asked.length, 3)
})

test('outlives a kept connection that the device has closed', async t => {
  let answers = 0
  const { client: camera } = await client(t, ({ request }, response) => {
    if (++answers === 2) request.socket.destroy()
    else reply(response, 200, information())
  })
  await camera.call('GetDeviceInformation', {})
  await camera.call('GetDeviceInformation', {})
  assert.equal(answers, 3)
})

test('says that nothing listens, and that a host does not exist', async t => {
  const { device } = await client(t, () => {})
  device.server.close()
  device.server.closeAllConnections()
  await assert.rejects(
    connect(device.url).call('GetHostname', {}),
    error => error instanceof ClientError && error.kind === 'unreachable' && /nothing listens/.test(error.message),
  )
})

test('a request that does not fit the contract never leaves', async t => {
  const { device, client: camera } = await client(t, (_, response) => reply(response, 200, ''))
  const request: { readonly Name: string } = JSON.parse('{}')
  await assert.rejects(camera.call('SetHostname', request), /Name is missing/)
  assert.equal(device.asked.length, 0)
})
