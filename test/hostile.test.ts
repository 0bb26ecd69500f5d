import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startDaemon } from './support/daemon.ts'

const envelope = (body: string, header = '') =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema">${header}<s:Body>${body}</s:Body></s:Envelope>`

const good = envelope('<tds:GetSystemDateAndTime/>')

function post(body: string | Buffer, { path = '/onvif/device_service', headers = '' } = {}): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`), bytes])
}

const get = (target: string, headers = '') => Buffer.from(`GET ${target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`, 'latin1')

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))

/** A document type that grows `levels` times tenfold when it is expanded. */
const laughs = (levels: number) =>
  `<!DOCTYPE x [<!ENTITY e0 "ha">${times(levels, level => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`).join('')}]>${good.replace('<tds:GetSystemDateAndTime/>', `<x>&e${levels};</x>`)}`

const traversals = [
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%2e%2e/%2e%2e/etc/passwd',
  '....//....//etc/passwd',
  '..\\..\\etc\\passwd',
  '%00',
  '%ff',
  'device.wsdl%00.txt',
  '.',
  '//',
  'a'.repeat(5000),
  '%c0%ae%c0%ae/etc/passwd',
]

const hostile: readonly (readonly [kind: string, requests: readonly Buffer[]])[] = [
  ['XML bombs', times(20, level => post(laughs(level + 1)))],
  [
    'quadratic entity bombs',
    times(5, size => post(`<!DOCTYPE x [<!ENTITY a "${'a'.repeat(10_000 * (size + 1))}">]><x>${'&a;'.repeat(1000)}</x>`)),
  ],
  [
    'external entities',
    ['file:///etc/passwd', 'http://127.0.0.1:1/', 'file:///dev/random', 'expect://id', '//x/y'].map(uri =>
      post(`<!DOCTYPE x [<!ENTITY a SYSTEM "${uri}">]><x>&a;</x>`),
    ),
  ],
  [
    'document types without harm',
    ['<!DOCTYPE x>', '<!DOCTYPE s:Envelope SYSTEM "x.dtd">', '<?xml-stylesheet href="x"?>', '<!ELEMENT x ANY>', '<![IGNORE['].map(text =>
      post(text + good),
    ),
  ],
  [
    'deep nesting',
    times(10, size => post(envelope('<x>'.repeat(10 ** ((size % 5) + 1) * 2) + '</x>'.repeat(size > 4 ? 0 : 10 ** ((size % 5) + 1) * 2)))),
  ],
  ['many elements', times(10, size => post(envelope(`<tds:SetScopes>${'<tds:Scopes/>'.repeat((size + 1) * 5000)}</tds:SetScopes>`)))],
  [
    'many attributes',
    times(10, size => post(envelope(`<tds:GetScopes ${times(10 ** ((size % 4) + 1) * 3, index => `a${index}=""`).join(' ')}/>`))),
  ],
  [
    'many namespaces',
    times(5, size => post(envelope(`<tds:GetScopes ${times((size + 1) * 1000, index => `xmlns:n${index}="u${index}"`).join(' ')}/>`))),
  ],
  ['10 MB attributes', times(3, () => post(envelope(`<tds:GetScopes a="${'x'.repeat(10_000_000)}"/>`)))],
  [
    'large values that fit',
    times(5, size => post(envelope(`<tds:SetHostname><tds:Name>${'x'.repeat(200_000 * (size + 1))}</tds:Name></tds:SetHostname>`))),
  ],
  [
    'broken UTF-8',
    ['ff', 'c080', 'eda080', 'f8888080', 'fe', 'c3', 'e28228', 'f0288cbc', '80', 'f4908080'].map(hex =>
      post(Buffer.from(good.replace('GetSystem', `${'\u0001'}`), 'utf8').fill(Buffer.from(hex, 'hex'), 200, 200 + hex.length / 2)),
    ),
  ],
  [
    'other encodings',
    [
      Buffer.from(`\ufeff${good}`, 'utf16le'),
      Buffer.from(good, 'utf16le'),
      Buffer.from(`<?xml version="1.0" encoding="UTF-7"?>${good}`),
      Buffer.alloc(1000),
      Buffer.alloc(1000, 0xfe),
    ].map(bytes => post(bytes)),
  ],
  [
    'control characters',
    times(10, code => post(good.replace('<s:Body>', `<s:Body>${String.fromCharCode(code + (code > 7 ? 6 : 0))}&#${code};`))),
  ],
  [
    'names of Object.prototype',
    ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'then'].flatMap(name => [
      post(envelope(`<tds:${name}/>`)),
      post(envelope(`<tds:GetScopes ${name}="1"/>`)),
      post(envelope(`<tds:SetHostname><tds:${name}>x</tds:${name}></tds:SetHostname>`)),
      post(envelope(`<tds:GetSystemDateAndTime id="${name}"><x href="#${name}"/></tds:GetSystemDateAndTime>`)),
    ]),
  ],
  [
    'gzip bombs and false gzip',
    [gzipSync(Buffer.alloc(50_000_000)), Buffer.from('no gzip'), gzipSync(good), gzipSync(gzipSync(Buffer.alloc(9_000_000)))].flatMap(
      bytes => ['gzip', 'deflate', 'br'].map(coding => post(bytes, { headers: `Content-Encoding: ${coding}\r\n` })),
    ),
  ],
  [
    'smuggled lengths',
    [
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length: 0x10\r\n\r\n`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n`,
      `POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n`,
      `POST /onvif/device_service HTTP/1.1\nHost: x\n\n`,
      `\r\n\r\n\r\n\0\0\0`,
      `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`,
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    ].map(text => Buffer.from(text, 'latin1')),
  ],
  [
    'strange request heads',
    [
      get(`/${'a'.repeat(20_000)}`),
      get('/onvif/device_service', `X: ${'a'.repeat(20_000)}\r\n`),
      get('/onvif/device_service', times(500, index => `X-${index}: y\r\n`).join('')),
      get('/onvif/device_service', '__proto__: x\r\nconstructor: y\r\n'),
      get('//'),
      get('http://['),
      get('*'),
      get('/%'),
      get('/\xff'),
      get('/onvif/wsdl/device.wsdl?%5B__proto__%5D=x'),
      Buffer.from('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from('TRACE / HTTP/1.1\r\nHost: x\r\nCookie: a\r\n\r\n'),
      Buffer.from('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from('POST // HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'),
      Buffer.from('POST deviceIO HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'),
      Buffer.from('GET /onvif/device_service HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
      Buffer.from(
        'GET /onvif/device_service HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n\r\n',
      ),
      get('/onvif/device_service', 'Host: y\r\n'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('GET / HTTP/9.9\r\nHost: x\r\n\r\n'),
    ],
  ],
  [
    'traversal in every address',
    ['/onvif/wsdl/', '/onvif/upload/', '/onvif/restore/', '/onvif/download/', '/onvif/', '/'].flatMap(base =>
      traversals.map(path => get(base + path)),
    ),
  ],
  [
    'uploads without a ticket',
    traversals.map(path => post('image', { path: `/onvif/upload/${path.slice(0, 200).replaceAll('\\', '/')}` })),
  ],
  [
    'false log-ins',
    [
      'Digest',
      'Digest ',
      'Basic YWRtaW46YWRtaW4=',
      'Bearer x',
      `Digest ${'a'.repeat(8000)}`,
      `Digest ${'a=b,'.repeat(3000)}`,
      'Digest username="',
      'Digest username="a", username="b"',
      `Digest username="${'\\"'.repeat(3000)}`,
      'Digest username="admin", realm="onvifd", nonce="x", uri="/", response="x", nc=zzzzzzzz, cnonce="", qop=auth',
      `Digest username="admin",nonce="${'A'.repeat(200)}",response="${'0'.repeat(32)}",uri="*",nc=00000001,cnonce=a,qop=auth-int`,
      'Negotiate AAAA',
      'Digest =,=,=',
      'Digest username*=UTF-8\'\'a, __proto__="x"',
    ].map(value => post(envelope('<tds:GetUsers/>'), { headers: `Authorization: ${value}\r\n` })),
  ],
  [
    'false tokens',
    [
      '<wsse:Security/>',
      '<wsse:Security><wsse:UsernameToken/></wsse:Security>',
      `<wsse:Security>${'<wsse:UsernameToken/>'.repeat(100)}</wsse:Security>`,
      `<wsse:Security><wsse:UsernameToken><wsse:Username>${'a'.repeat(100_000)}</wsse:Username></wsse:UsernameToken></wsse:Security>`,
      '<wsse:Security><wsse:UsernameToken><wsse:Username>admin</wsse:Username><wsse:Password>x</wsse:Password><wsse:Nonce>x</wsse:Nonce></wsse:UsernameToken></wsse:Security>',
      '<wsse:Security s:mustUnderstand="maybe"><wsse:BinarySecurityToken>AAAA</wsse:BinarySecurityToken></wsse:Security>',
      '<x:Unknown xmlns:x="urn:x" s:mustUnderstand="1"/>',
    ].map(text =>
      post(
        envelope(
          '<tds:GetUsers/>',
          `<s:Header xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">${text}</s:Header>`,
        ),
      ),
    ),
  ],
  [
    'envelopes that are none',
    [
      '',
      ' ',
      '<',
      '<a',
      '<a/>',
      '{}',
      'null',
      '<s:Envelope/>',
      '<s:Envelope xmlns:s="x"/>',
      envelope(''),
      envelope('<a/><b/>'),
      envelope('text'),
      `${good}${good}`,
      good.slice(0, -1),
      good.slice(0, 100),
      `<![CDATA[${good}]]>`,
      `<!--${good}-->`,
      good.replaceAll('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
    ].map(text => post(text)),
  ],
]

/** What the server says to these bytes; gives up after a while, as an attacker would. */
function send(port: number, bytes: Buffer): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    let quiet: NodeJS.Timeout | undefined
    const end = () => {
      clearTimeout(quiet)
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, end)
    socket.on('data', piece => {
      answer += piece.toString('latin1')
      clearTimeout(quiet)
      quiet = setTimeout(end, 20)
    })
    socket.on('error', end)
    socket.on('close', end)
    socket.write(bytes)
  })
}

const residentMiB = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

test('hostile requests leave the device as it was', async t => {
  const device = await startDaemon(t)
  const port = Number(new URL(device.url).port)
  const pid = device.process.pid ?? 0
  const isServed = async () => assert.match(await send(port, post(good)), /^HTTP\/1\.1 200[\s\S]*UTCDateTime/)
  await isServed()
  await send(port, get('/onvif/wsdl/device.wsdl'))

  const attack = async () => {
    for (const [kind, requests] of hostile) {
      for (const [index, request] of requests.entries()) {
        const answer = await send(port, request)
        const what = `${kind} ${index}: ${answer.slice(0, 500)}`
        // The contract is for everybody; anything else would be the answer to a good request.
        assert.doesNotMatch(answer, /^HTTP\/1\.1 200 OK\r\n(?!Content-Type: text\/xml)/, what)
        assert.doesNotMatch(answer, /node:internal|\.ts:\d|\bat \w+.*\(|\/src\/|\/node_modules\/|root:|Error:/, what)
      }
      assert.equal(device.process.exitCode, null, kind)
    }
    await isServed()
  }
  const count = hostile.reduce((sum, [, requests]) => sum + requests.length, 0)
  assert.ok(count >= 300, `${count} requests`)
  await attack()
  const before = residentMiB(pid)
  await attack()
  assert.ok(residentMiB(pid) < before + 40, `memory grew from ${before} to ${residentMiB(pid)} MiB in the second round`)
})
