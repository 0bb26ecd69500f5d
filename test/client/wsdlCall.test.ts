import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { isLoginRefused, OnvifFault } from '../../src/client/errors.ts'
import { type ClientOptions, connect } from '../../src/client/onvifClient.ts'
import { callByWsdl, WsdlError } from '../../src/client/wsdlCall.ts'
import {
  type Answerer,
  checkToken,
  clock,
  createDigestGate,
  faultXml,
  password,
  refusal,
  reply,
  soap,
  startStandIn,
  user,
} from './standIn.ts'

const wsdl = (name: string) => readFile(new URL(`../../wsdl/${name}`, import.meta.url), 'utf8')
const hostname = soap(
  '<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>door</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>',
)

async function device(t: TestContext, answer: Answerer, options: ClientOptions = {}) {
  const standIn = await startStandIn(t, (asked, response) => {
    if (asked.operation === 'GetWsdlUrl')
      reply(response, 200, soap('<tds:GetWsdlUrlResponse><tds:WsdlUrl>http://www.onvif.org/</tds:WsdlUrl></tds:GetWsdlUrlResponse>'))
    else if (asked.request.method === 'GET' && !options.login) reply(response, 404, '<html>')
    else answer(asked, response)
  })
  const client = connect(standIn.url, { timeoutMs: 5_000, ...options })
  t.after(() => client.close())
  return { standIn, client }
}

test('calls by our own WSDL where the device has none, and asks nobody else', async t => {
  const { standIn, client } = await device(t, (_, response) => reply(response, 200, hostname))
  const answer = await callByWsdl(client, { operation: 'GetHostname', request: {} })
  assert.deepEqual(answer, { HostnameInformation: { FromDHCP: false, Name: 'door' } })
  assert.deepEqual(
    standIn.asked.map(({ request, operation }) => `${request.method} ${operation}`),
    ['POST GetWsdlUrl', 'GET ', 'POST GetHostname'],
  )
})

test('takes the WSDL that the device serves, with what it imports', async t => {
  const { standIn, client } = await device(
    t,
    async ({ request, operation }, response) => {
      if (request.url === '/onvif/device_service?wsdl')
        reply(response, 200, (await wsdl('device.wsdl')).replaceAll('GetHostname', 'GetNickname'))
      else if (request.method === 'GET')
        reply(response, 200, (await wsdl(request.url?.split('/').at(-1) ?? '')).replaceAll('GetHostname', 'GetNickname'))
      else reply(response, 200, hostname.replaceAll('GetHostname', operation))
    },
    { login: 'auto' },
  )
  assert.deepEqual(await callByWsdl(client, { operation: 'GetNickname', request: {} }), {
    HostnameInformation: { FromDHCP: false, Name: 'door' },
  })
  assert.ok(standIn.asked.some(({ request }) => request.url === '/onvif/types.xsd'))
})

test('writes children in order and in their namespaces whatever the order of the properties', async t => {
  const { standIn, client } = await device(t, (_, response) => reply(response, 200, soap('<tds:CreateUsersResponse/>')))
  const answer = await callByWsdl(client, {
    operation: 'CreateUsers',
    request: { User: [{ UserLevel: 'User', Password: 'p&q', Username: 'olga' }] },
  })
  assert.deepEqual(answer, {})
  const order = [...(standIn.asked.at(-1)?.body ?? '').matchAll(/<tt:(\w+)[^>]*>([^<]*)</g)].map(match => `${match[1]}=${match[2]}`)
  assert.deepEqual(order, ['Username=olga', 'Password=p&amp;q', 'UserLevel=User'])
})

test('logs in with Digest, or with a UsernameToken, as the device wants it', async t => {
  const gate = createDigestGate('SHA-256')
  const login = { user, password }
  const { client: digest } = await device(
    t,
    (asked, response) => {
      if (gate.check(asked) === 'good') reply(response, 200, hostname)
      else reply(response, 401, refusal, { 'www-authenticate': gate.challenge() })
    },
    login,
  )
  assert.ok(await callByWsdl(digest, { operation: 'GetHostname', request: {} }))

  const { client: token } = await device(
    t,
    ({ operation, body }, response) => {
      if (operation === 'GetSystemDateAndTime') reply(response, 200, clock())
      else if (checkToken(body, () => new Date())) reply(response, 200, hostname)
      else reply(response, 400, refusal)
    },
    login,
  )
  assert.ok(await callByWsdl(token, { operation: 'GetHostname', request: {} }))
  const { client: stranger } = await device(t, (_, response) => reply(response, 400, refusal))
  await assert.rejects(callByWsdl(stranger, { operation: 'GetUsers', request: {} }), isLoginRefused)
})

test('offers the log-in to the device alone, not to a host that its WSDL imports from', async t => {
  const gate = createDigestGate('MD5')
  const { standIn, client } = await device(
    t,
    async ({ request }, response) => {
      const own = (await wsdl('device.wsdl')).replace(
        'schemaLocation="device.xsd"',
        `schemaLocation="http://localhost:${standIn.port}/device.xsd"`,
      )
      if (request.url?.endsWith('?wsdl')) reply(response, 200, own)
      else reply(response, 401, refusal, { 'www-authenticate': gate.challenge() })
    },
    { user, password, login: 'auto' },
  )
  await assert.rejects(callByWsdl(client, { operation: 'GetHostname', request: {} }))
  const foreign = standIn.asked.filter(({ request }) => request.headers.host?.startsWith('localhost'))
  assert.deepEqual(
    foreign.map(({ request }) => request.headers.authorization),
    [undefined],
  )
})

test('passes faults on, and names what no WSDL knows', async t => {
  const { client } = await device(t, (_, response) => reply(response, 500, faultXml('Receiver', ['ActionNotSupported'], 'not implemented')))
  await assert.rejects(
    callByWsdl(client, { operation: 'GetRelayOutputs', request: {} }),
    error => error instanceof OnvifFault && error.subcodes[0] === 'ActionNotSupported',
  )
  await assert.rejects(callByWsdl(client, { operation: 'gethostname', request: {} }), /no operation gethostname \(GetHostname/)
  await assert.rejects(callByWsdl(client, { operation: 'GetProfiles', request: {} }), WsdlError)
  await assert.rejects(callByWsdl(client, { operation: 'GetHostname', request: {}, wsdl: '/no/such/file.wsdl' }), WsdlError)
})
