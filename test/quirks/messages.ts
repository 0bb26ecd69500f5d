import assert from 'node:assert/strict'
import { admin } from '../support/daemon.ts'
import * as clients from './dialects.ts'
import { DEVICE, http, SCHEMA, SOAP } from './dialects.ts'
import { children, faultOf, type Row, type Wire } from './wire.ts'

/** Sends a change in the manner of a client, and shows it in the answer to a read. */
async function changes(
  wire: Wire,
  [dialect, operation, content]: readonly [clients.Dialect, string, string],
  reading: string,
  expected: RegExp,
): Promise<void> {
  await wire.served(dialect, operation, { content })
  assert.match((await wire.served(clients.nodeOnvif, reading)).body, expected)
}

const prefixes = ['s', 'S11', 'soap', 'soap-env', 'SOAP-ENV', 'env'] as const
const bodies = [
  ['ns0', 'zeep'],
  ['ns1', 'PHP'],
  ['n1', 'KDSoap'],
  ['tds', 'gSOAP'],
  ['', 'agsh, WCF'],
] as const

const olga = { name: 'olga', password: 'Nightshift-42', level: 'Operator' }
const users = 'GetUsers'

const empties = '<onvif:IPv6Address></onvif:IPv6Address>'
const emptyHost = `${empties}<onvif:DNSname></onvif:DNSname><onvif:Extension></onvif:Extension>`

export const messages: readonly Row[] = [
  ...prefixes.flatMap(outer =>
    bodies.map(
      ([inner, client]): Row => [
        16,
        client,
        `${outer}: around ${inner === '' ? 'the default namespace' : `${inner}:`}`,
        async wire => {
          const name = `${inner === '' ? '' : `${inner}:`}GetHostname`
          const declaration = `xmlns${inner === '' ? '' : `:${inner}`}="${DEVICE}"`
          const body = `<${outer}:Envelope xmlns:${outer}="${SOAP}"><${outer}:Header/><${outer}:Body><${name} ${declaration}/></${outer}:Body></${outer}:Envelope>`
          const answer = await wire.send(http('POST /onvif/device_service HTTP/1.1', [`Host: ${wire.host}`], body))
          assert.equal(answer.status, 200)
        },
      ],
    ),
  ),
  [
    16,
    'lightNVR, libonvif',
    'the Envelope of an answer has a prefix that they know, and declares tds: and tt:',
    async wire => {
      const { body } = await wire.served(clients.libonvif, 'GetNetworkInterfaces')
      assert.match(body, /<(?:s|S|SOAP-ENV|soap|env):Envelope /)
      assert.match(body, new RegExp(`Envelope [^>]*xmlns:tds="${DEVICE}"[^>]*xmlns:tt="${SCHEMA}"`))
    },
  ],
  [
    17,
    'onvif-go',
    'CreateUsers with the children of a user in tds:',
    wire => changes(wire, [clients.onvifGo, 'CreateUsers', `<tds:User>${children(olga, 'tds:')}</tds:User>`], users, /olga[\s\S]*Operator/),
  ],
  [
    17,
    'onvif-go',
    'SetUser with the children of a user in tds:',
    wire =>
      changes(
        wire,
        [clients.onvifGo, 'SetUser', `<tds:User>${children({ ...olga, level: 'User' }, 'tds:')}</tds:User>`],
        users,
        /olga<\/tt:Username>\s*<tt:UserLevel>User</,
      ),
  ],
  [
    17,
    'node-onvif',
    'DeleteUsers with tt:Username',
    wire => changes(wire, [clients.nodeOnvif, 'DeleteUsers', '<tt:Username>olga</tt:Username>'], users, /^(?!.*olga)/s),
  ],
  [
    17,
    'onvif-nvt',
    'GetSystemLog with tt:LogType',
    wire => wire.served(clients.nvt, 'GetSystemLog', { content: '<tt:LogType>System</tt:LogType>' }),
  ],
  [
    17,
    'onvif-go',
    'SetDNS with the parts of an address in tds:, which must not wipe the servers',
    wire =>
      changes(
        wire,
        [
          clients.onvifGo,
          'SetDNS',
          '<tds:FromDHCP>false</tds:FromDHCP><tds:SearchDomain>example.org</tds:SearchDomain><tds:DNSManual><tds:Type>IPv4</tds:Type><tds:IPv4Address>192.0.2.53</tds:IPv4Address></tds:DNSManual>',
        ],
        'GetDNS',
        /192\.0\.2\.53/,
      ),
  ],
  [
    17,
    'onvif-go',
    'SetNTP with the parts of a host in tds:',
    wire =>
      changes(
        wire,
        [
          clients.onvifGo,
          'SetNTP',
          '<tds:FromDHCP>false</tds:FromDHCP><tds:NTPManual><tds:Type>DNS</tds:Type><tds:DNSname>time.example.org</tds:DNSname></tds:NTPManual>',
        ],
        'GetNTP',
        /time\.example\.org/,
      ),
  ],
  [
    17,
    'onvif-go',
    'SetNetworkProtocols with Name, Enabled and Port in tds:',
    wire =>
      changes(
        wire,
        [
          clients.onvifGo,
          'SetNetworkProtocols',
          `<tds:NetworkProtocols><tds:Name>HTTP</tds:Name><tds:Enabled>true</tds:Enabled><tds:Port>${wire.port}</tds:Port></tds:NetworkProtocols>`,
        ],
        'GetNetworkProtocols',
        new RegExp(`HTTP<[\\s\\S]*true<[\\s\\S]*<tt:Port>${wire.port}<`),
      ),
  ],
  [
    17,
    'libonvif',
    'SetNetworkDefaultGateway with tt:IPv4Address',
    wire =>
      changes(
        wire,
        [clients.libonvif, 'SetNetworkDefaultGateway', '<tt:IPv4Address>192.0.2.1</tt:IPv4Address>'],
        'GetNetworkDefaultGateway',
        /<tt:IPv4Address>192\.0\.2\.1</,
      ),
  ],
  [
    18,
    'use-go',
    'SetDNS with the empty elements of its structure',
    wire =>
      changes(
        wire,
        [
          clients.useGo,
          'SetDNS',
          `<tds:FromDHCP>false</tds:FromDHCP><tds:SearchDomain></tds:SearchDomain><tds:DNSManual><onvif:Type>IPv4</onvif:Type><onvif:IPv4Address>192.0.2.54</onvif:IPv4Address>${empties}</tds:DNSManual>`,
        ],
        'GetDNS',
        /^(?!.*<tt:SearchDomain(?:\/>|><)).*192\.0\.2\.54/s,
      ),
  ],
  [
    18,
    'use-go',
    'SetNTP with the empty elements of its structure',
    wire =>
      changes(
        wire,
        [
          clients.useGo,
          'SetNTP',
          `<tds:FromDHCP>false</tds:FromDHCP><tds:NTPManual><onvif:Type>IPv4</onvif:Type><onvif:IPv4Address>192.0.2.123</onvif:IPv4Address>${emptyHost}</tds:NTPManual>`,
        ],
        'GetNTP',
        /192\.0\.2\.123/,
      ),
  ],
  [
    18,
    'node-onvif',
    'SetDNS with an empty DNSManual means that there is none',
    wire =>
      changes(
        wire,
        [clients.nodeOnvif, 'SetDNS', '<tds:FromDHCP>false</tds:FromDHCP><tds:DNSManual></tds:DNSManual>'],
        'GetDNS',
        /^(?!.*DNSManual)/s,
      ),
  ],
  [
    18,
    'libonvif',
    'SetDNS without its mandatory FromDHCP is refused by name, and wipes nothing',
    async wire => {
      const before = (await wire.served(clients.libonvif, 'GetDNS')).body
      const content = '<tds:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.55</tt:IPv4Address></tds:DNSManual>'
      const answer = await wire.ask(clients.libonvif, 'SetDNS', { content })
      assert.equal(faultOf(answer), 'InvalidArgs')
      assert.match(answer.body, /FromDHCP/)
      assert.equal((await wire.served(clients.libonvif, 'GetDNS')).body, before)
    },
  ],
  [
    20,
    'agsh',
    'what answers nothing is an empty element without attributes',
    async wire => {
      const scopes = '<Scopes>onvif://www.onvif.org/location/hall</Scopes>'
      const clock = '<DateTimeType>Manual</DateTimeType><DaylightSavings>false</DaylightSavings>'
      for (const [operation, content] of [
        ['SetScopes', scopes],
        ['SetSystemDateAndTime', clock],
      ] as const) {
        const { body } = await wire.served(clients.agsh, operation, { content })
        assert.match(body, new RegExp(`<env:Body><tds:${operation}Response(?:/>|></tds:${operation}Response>)</env:Body>`))
      }
    },
  ],
  [
    22,
    'agsh',
    'GetUsers is never empty, and a version does not look like a number',
    async wire => {
      assert.match((await wire.served(clients.agsh, users)).body, new RegExp(`<tt:Username>${admin.name}<`))
      const version = /FirmwareVersion>([^<]*)</.exec((await wire.served(clients.agsh, 'GetDeviceInformation')).body)?.[1] ?? ''
      assert.ok(Number.isNaN(Number(version)), version)
    },
  ],
  [
    23,
    'Home Assistant',
    'an operation that is missing says so in words and by subcode',
    async wire => {
      const answer = await wire.ask(clients.zeepAsync, 'UpgradeFirmware', { content: `<ns0:Version xmlns:ns0="${DEVICE}">2</ns0:Version>` })
      assert.equal(answer.status, 500)
      assert.equal(faultOf(answer), 'ActionNotSupported')
      assert.match(answer.body, /not implemented/)
    },
  ],
  [
    24,
    'Home Assistant, UniFi Protect',
    'the first enabled interface has a name and a real MAC address',
    async wire => {
      const { body } = await wire.served(clients.zeepAsync, 'GetNetworkInterfaces')
      const [, enabled = ''] = /<tds:NetworkInterfaces[^>]*>\s*(<tt:Enabled>true[\s\S]*?)<\/tds:NetworkInterfaces>/.exec(body) ?? []
      const address = /<tt:HwAddress>([^<]*)</.exec(enabled)?.[1] ?? ''
      assert.match(address, /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i)
      assert.notEqual(address, '00:00:00:00:00:00')
      assert.match(enabled, /<tt:Name>[^<]+</)
      assert.match((await wire.served(clients.zeepAsync, 'GetDeviceInformation')).body, /<tds:SerialNumber>[^<]+</)
    },
  ],
]
