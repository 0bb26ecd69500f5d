import assert from 'node:assert/strict'
import { Client } from '../http/door.ts'
import { admin } from '../support/daemon.ts'
import * as clients from './dialects.ts'
import { DEVICE, http, messageOf, requestOf } from './dialects.ts'
import { assertReadable, faultOf, type Row, type Wire } from './wire.ts'

const information = (dialect: clients.Dialect) => (wire: Wire) => wire.served(dialect, 'GetDeviceInformation')
const bytes = (text: string) => Buffer.from(text)

/** A message of `clients.curl` in a request that is written by hand. */
const message = () => messageOf(clients.curl, 'GetDeviceInformation', { login: admin })
const answered = async (wire: Wire, request: string) => {
  const answer = await wire.send(bytes(request))
  assert.equal(answer.status, 200, answer.body)
  assert.match(answer.body, /GetDeviceInformationResponse/)
  return answer
}
const start = 'POST /onvif/device_service HTTP/1.1'

const wrongAction = (type: string, action: string): clients.Dialect => ({ ...clients.curl, headers: () => [type, action] })

export const transport: readonly Row[] = [
  [1, 'node-onvif', 'a semicolon at the end of the Content-Type, and no action', information(clients.nodeOnvif)],
  [1, 'onvif-nvt', 'a semicolon at the end of the Content-Type', information(clients.nvt)],
  [1, 'onvif-rx', 'a semicolon at the end of the Content-Type', information(clients.rx)],
  [1, 'libonvif', 'a semicolon at the end of the Content-Type', information(clients.libonvif)],
  [1, 'agsh', 'the action in the Content-Type without a blank, and a header named charset', information(clients.agsh)],
  [1, 'KDSoap', 'an action without quotes', information(clients.kdsoap)],
  [1, 'use-go', 'no action at all', information(clients.useGo)],
  [1, 'onvif-go', 'no action at all', information(clients.onvifGo)],
  [1, 'ZoneMinder', 'text/xml and a SOAPAction around a SOAP 1.2 message', information(clients.zoneMinder)],
  [1, 'WCF on Mono', 'application/soap+xml and a SOAPAction', information(clients.wcf)],
  [1, 'zeep', 'the action in the Content-Type and a SOAPAction', information(clients.zeep)],
  [1, 'curl', 'application/x-www-form-urlencoded', information(clients.curl)],
  [
    1,
    'agsh before 0.7',
    'an action that disagrees with the message, in both places',
    information(wrongAction(`Content-Type: application/soap+xml; action="${DEVICE}/SystemReboot"`, `SOAPAction: "${DEVICE}/SetHostname"`)),
  ],
  [1, 'a program without a Content-Type', 'none at all', wire => answered(wire, http(start, [`Host: ${wire.host}`], message()))],
  [
    'table',
    'ZoneMinder by default, gSOAP wsdd',
    'SOAP 1.1 is answered with VersionMismatch, never with nothing',
    async wire => assert.match((await wire.ask(clients.zoneMinder11, 'GetCapabilities')).body, /<env:Value>env:VersionMismatch</),
  ],
  [
    2,
    'libonvif',
    'an answer that its own HTTP parser can read, and the end of the connection after it',
    async wire => {
      const client = new Client(wire.t, wire.port)
      await client.send(bytes(requestOf(clients.libonvif, 'GetDeviceInformation', { host: wire.host, login: admin })))
      const answer = await client.answer()
      assert.ok(answer)
      assertReadable(answer)
      assert.match(answer.head, /^Connection: close$/im)
      await client.ended()
    },
  ],
  ...(['none', 'compress', 'gzip, deflate', 'gzip'] as const).map(
    (coding): Row => [
      3,
      { none: 'node-soap', compress: 'KDSoap', 'gzip, deflate': 'zeep, PHP, gSOAP', gzip: 'Go' }[coding],
      `Accept-Encoding: ${coding} is answered in the clear`,
      wire => answered(wire, http(start, [`Host: ${wire.host}`, `Accept-Encoding: ${coding}`], message())),
    ],
  ),
  [
    4,
    'agsh',
    'Connection: close is confirmed',
    async wire => assert.match((await information(clients.agsh)(wire)).head, /^Connection: close$/im),
  ],
  [
    4,
    'node-onvif, onvif-rx, Go',
    'many requests on one connection',
    async wire => {
      const client = new Client(wire.t, wire.port)
      for (const dialect of [clients.nodeOnvif, clients.rx, clients.useGo, clients.onvifGo, clients.zeep, clients.gsoap, clients.php]) {
        await client.send(bytes(requestOf(dialect, 'GetDeviceInformation', { host: wire.host, login: admin })))
        const answer = await client.answer()
        assert.equal(answer?.status, 200)
        assert.doesNotMatch(answer.head, /^Connection: close$/im)
      }
      client.socket.destroy()
    },
  ],
  [
    5,
    'gSOAP with SOAP_IO_CHUNK, WCF streamed',
    'Transfer-Encoding: chunked',
    wire => {
      const text = messageOf(clients.gsoap, 'GetDeviceInformation', { login: admin })
      const half = Math.floor(text.length / 2)
      const chunks = [text.slice(0, half), text.slice(half), ''].map(piece => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`)
      return answered(wire, `${start}\r\nHost: ${wire.host}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}`)
    },
  ],
  [
    5,
    'WCF on .NET',
    'Expect: 100-continue, with the message held back until then',
    async wire => {
      const [head = '', body = ''] = requestOf(clients.wcf, 'GetDeviceInformation', { host: wire.host, login: admin }).split('\r\n\r\n')
      const client = new Client(wire.t, wire.port)
      await client.send(bytes(`${head}\r\n\r\n`))
      assert.equal((await client.answer())?.status, 100)
      await client.send(bytes(body))
      assert.equal((await client.answer())?.status, 200)
    },
  ],
  [
    5,
    'old gSOAP, ab',
    'HTTP/1.0 without a Host',
    async wire => {
      const answer = await answered(wire, http('POST /onvif/device_service HTTP/1.0', [], message()))
      assert.match(answer.head, /^Connection: close$/im)
    },
  ],
  [
    5,
    'WCF on Mono',
    'a byte-order mark before the XML',
    async wire => {
      const request = bytes(requestOf(clients.wcf, 'GetDeviceInformation', { host: wire.host, login: admin }))
      assert.ok(request.includes(Buffer.from([0xef, 0xbb, 0xbf])))
      assert.equal((await wire.send(request)).status, 200)
    },
  ],
  [5, 'onvif-rx', 'blanks before the operation, inside of the Body', information(clients.rx)],
  [5, 'libonvif, agsh', 'no XML declaration', information(clients.agsh)],
  [5, 'zeep', 'an XML declaration in single quotes', information(clients.zeep)],
  [
    5,
    'a program with a comment in its template',
    'a comment before the message, and one inside',
    wire =>
      answered(
        wire,
        http(
          start,
          [`Host: ${wire.host}`],
          message().replace('?>', '?><!-- to the camera -->').replace('<s:Body>', '<s:Body><!-- now -->'),
        ),
      ),
  ],
  [
    8,
    'ZoneMinder, Home Assistant',
    'a refusal has a SOAP fault as its body, never a page',
    async wire => {
      const bare = await wire.ask(clients.zoneMinder, 'GetUsers', { login: undefined })
      assert.equal(bare.status, 401)
      assert.equal(faultOf(bare), 'NotAuthorized')
    },
  ],
]

/** Begun before the other rows and ended after them, because it takes more than the 4 s for which zeep-async keeps a connection. */
export async function keepIdle(wire: Wire, begun = performance.now()): Promise<() => Promise<void>> {
  const client = new Client(wire.t, wire.port)
  const request = () => bytes(requestOf(clients.zeepAsync, 'GetDeviceInformation', { host: wire.host, login: admin }))
  await client.send(request())
  assert.equal((await client.answer())?.status, 200)
  return async () => {
    await new Promise(resolve => setTimeout(resolve, Math.max(0, 4_200 - (performance.now() - begun))))
    await client.send(request())
    assert.equal((await client.answer())?.status, 200)
    client.socket.destroy()
  }
}
