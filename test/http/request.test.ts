import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { originForm, pathOf } from '../../src/http/request.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { baseOf } from '../../src/operations/device/addresses.ts'
import type { SoapRequest } from '../../src/soap/message.ts'
import { noFirmware, soapAnswer } from './door.ts'

test('the base of an address always has its port', () => {
  assert.equal(baseOf(new URL('http://192.0.2.1')), 'http://192.0.2.1:80')
  assert.equal(baseOf(new URL('http://192.0.2.1:8080')), 'http://192.0.2.1:8080')
  assert.equal(baseOf(new URL('https://[2001:db8::1]/x?y')), 'https://[2001:db8::1]:443')
})

test('a target is read in both of its forms', () => {
  const cases: readonly (readonly [target: string, path: string, form: string | undefined])[] = [
    ['/a/b?c=d', '/a/b', '/a/b?c=d'],
    ['/a/../b', '/a/../b', '/a/../b'],
    ['//a', '//a', '//a'],
    ['http://d/a/b?c=d', '/a/b', '/a/b?c=d'],
    ['HTTP://d', '/', '/'],
    ['http://d/a/../b', '/b', '/b'],
    ['http://[', '', undefined],
    ['ftp://d/a', '', undefined],
    ['*', '', undefined],
    ['d:80', '', undefined],
    ['', '', undefined],
  ]
  for (const [target, path, form] of cases) {
    assert.equal(pathOf(target), path, target)
    assert.equal(originForm(target), form, target)
  }
})

const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some(address => address?.address === '::1')

test('addresses are written plainly, whatever family the socket has', { skip: hasIPv6 ? false : 'this machine has no ::1' }, async t => {
  const seen: SoapRequest[] = []
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const server = createHttpServer({
    async handle(request) {
      seen.push(request)
      return soapAnswer('<ok/>')
    },
    authenticator: { authenticate: () => ({ kind: 'anonymous' }), challenges: () => [], permits: () => false },
    uploads: new Map(),
    downloads: new Map(),
    firmware: noFirmware,
    logs: { system: log, access: log },
  })
  const { hostname, port } = await server.listen('::', 0)
  t.after(() => server.close())
  assert.equal(hostname, '[::]')
  for (const [host, remote, origin] of [
    ['127.0.0.1', '127.0.0.1', `http://127.0.0.1:${port}`],
    ['::1', '::1', `http://[::1]:${port}`],
  ] as const) {
    const socket = connect({ host, port: Number(port) })
    socket.end('POST /onvif/device_service HTTP/1.0\r\nHost: not a host\r\nContent-Length: 1\r\n\r\nx')
    for await (const _ of socket);
    assert.equal(seen.at(-1)?.remoteAddress, remote)
    assert.equal(seen.at(-1)?.origin.origin, origin)
  }
})
