import assert from 'node:assert/strict'
import { envelope } from '../support/device.ts'
import type { Random } from '../support/random.ts'
import { operationNames, requestFor } from '../support/requests.ts'
import { damaged } from './damage.ts'
import { exchange, type FuzzBed, innards } from './fuzzBed.ts'

const methods = [
  'GET',
  'POST',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'CONNECT',
  'PATCH',
  'PRI',
  'get',
  '',
  'G\u0000T',
  'M-SEARCH',
] as const
const targets = [
  '/onvif/device_service',
  '/onvif/event_service',
  '/onvif/wsdl/device.wsdl',
  '/onvif/firmware',
  '/onvif/firmware/history',
  '/onvif/firmware/abort',
  '/onvif/upload/AAAAAAAAAAAAAAAAAAAAAA',
  '/onvif/restore/x',
  '/onvif/download/systemlog',
  '/',
  '*',
  'http://x/onvif/device_service',
  'http://[::1/',
  '//x/y',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/%',
  '/\u0000',
] as const
const headers: readonly [(random: Random) => string, ...((random: Random) => string)[]] = [
  () => 'Host: x',
  () => 'Host: x, y',
  () => 'Connection: keep-alive',
  () => 'Connection: close',
  () => 'Connection: upgrade, http2-settings',
  () => 'Upgrade: h2c',
  () => 'Expect: 100-continue',
  () => 'Expect: 200-maybe',
  () => 'Content-Type: application/soap+xml; charset=utf-8',
  () => 'Content-Type: application/json',
  () => 'Content-Type: multipart/form-data; boundary=x',
  () => 'Content-Type: multipart/related; boundary="x"; type="application/xop+xml"; start="<a>"',
  () => 'Content-Encoding: gzip',
  () => 'Range: bytes=0-',
  random => `Content-Range: bytes ${random.whole(-1, 9)}-${random.whole(0, 9)}/${random.whole(0, 20)}`,
  random => `Content-Length: ${random.pick(['0', '5', '-1', '+5', '05', '5, 5', '1e3', '99999999999999999999', '0x5', ''])}`,
  random =>
    `Transfer-Encoding: ${random.pick(['chunked', 'gzip, chunked', 'chunked, chunked', 'identity', 'xchunked', ' chunked', 'chunked;x=y'])}`,
  random =>
    `Authorization: ${random.pick(['Basic YTpi', 'Digest username="admin"', 'Digest username="a", nonce="b', 'Bearer x.y.z', 'Digest'])}`,
  random => `X-${random.whole(0, 99)}: ${'y'.repeat(random.whole(0, 3000))}`,
  () => 'X: a\r\n folded',
  () => 'no colon',
  () => ': no name',
]

/** Requests that only read, so that the device stays as it is; one in three with a log-in. */
function message(random: Random): Buffer {
  const readers = operationNames.filter(name => /^Get/.test(name))
  const body = requestFor(readers[random.whole(0, readers.length - 1)] ?? 'GetUsers', random.pick(['minimal', 'full']))
  return Buffer.from(envelope(body))
}

function chunked(random: Random, body: Buffer): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const length = random.whole(1, 400)
    const piece = body.subarray(at, at + length)
    const size = random.pick([
      piece.length.toString(16),
      piece.length.toString(16),
      piece.length.toString(16).padStart(6, '0'),
      `${piece.length.toString(16)};a="b"`,
    ])
    pieces.push(Buffer.from(`${size}\r\n`), piece, Buffer.from('\r\n'))
    at += length
  }
  const end = random.pick([
    '0\r\n\r\n',
    '0\r\n\r\n',
    '0\r\nX-Trailer: a\r\n\r\n',
    '0\r\nContent-Length: 5\r\n\r\n',
    '',
    '-1\r\n\r\n',
    'fffffffffffffffff\r\n',
  ])
  return Buffer.concat([...pieces, Buffer.from(end)])
}

/** Whole, or strange in its head, its body or its framing. */
export function hostileRequest(random: Random): Buffer {
  const isSound = random.fraction() < 0.4
  const method = isSound ? 'POST' : random.pick(methods)
  const target = isSound ? '/onvif/device_service' : random.pick(targets)
  const body = random.fraction() < 0.7 ? message(random) : random.bytes(random.whole(0, 300))
  const inChunks = random.fraction() < 0.3
  const framing = inChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
  const others = Array.from({ length: random.whole(0, isSound ? 2 : 6) }, () => random.pick(headers)(random))
  const version = random.fraction() < 0.9 ? 'HTTP/1.1' : random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.10', 'http/1.1', ''])
  const head = `${method} ${target} ${version}\r\nHost: x\r\n${[framing, ...others].join('\r\n')}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), inChunks ? chunked(random, body) : body])
}

/** In pieces as TCP may deliver them. */
function slices(random: Random, bytes: Buffer): Buffer[] {
  if (random.fraction() < 0.5) return [bytes]
  const cut = random.whole(0, bytes.length)
  return [bytes.subarray(0, cut), bytes.subarray(cut)]
}

const good = (port: number) => {
  const body = envelope('<tds:GetSystemDateAndTime/>')
  const bytes = `POST /onvif/device_service HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  return exchange(port, [Buffer.from(bytes)])
}

/** So many connections with bytes that are HTTP, nearly HTTP, or several requests in a row. */
export async function fuzzHttp({ port }: Pick<FuzzBed, 'port'>, random: Random, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    const requests = Buffer.concat(Array.from({ length: random.pick([1, 1, 1, 2, 5]) }, () => hostileRequest(random)))
    const bytes = random.fraction() < 0.7 ? damaged(random, requests) : requests
    const answer = await exchange(port, slices(random, bytes)).catch((error: unknown) => {
      throw new Error(`${String(error)} to ${JSON.stringify(bytes.toString('latin1').slice(0, 3000))}`)
    })
    assert.match(answer, /^(?:$|HTTP\/1\.1 \d{3} )/, JSON.stringify(bytes.toString('latin1')))
    assert.doesNotMatch(answer, innards, JSON.stringify(bytes.toString('latin1')))
    if (done % 100 === 99) assert.match(await good(port), /^HTTP\/1\.1 200[\s\S]*UTCDateTime/, 'a good request')
  }
  assert.match(await good(port), /^HTTP\/1\.1 200[\s\S]*UTCDateTime/, 'a good request')
}
