import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '../http/door.ts'
import { admin } from '../support/daemon.ts'
import * as clients from './dialects.ts'
import { http, messageOf, requestOf } from './dialects.ts'
import { answerTo, challengesOf } from './httpDigest.ts'
import { faultOf, type Row, type Wire } from './wire.ts'

const wrong = { name: admin.name, password: 'not-the-password' }
const empty = { name: '', password: '' }
const bare = { login: undefined }
const read = 'GetDeviceInformation'

/** Challenge, answer to the challenge that `choose` takes, and as many more requests with the same nonce and a rising count. */
async function digestLogin(wire: Wire, dialect: clients.Dialect, choose: (challenges: string[]) => string, quoted: boolean, times = 1) {
  const first = await wire.ask(dialect, read, bare)
  assert.equal(first.status, 401)
  const challenge = choose(challengesOf(first))
  for (let count = 1; count <= times; count++) {
    const authorization = answerTo(challenge, { login: admin, count, quoted })
    await wire.served(dialect, read, { ...bare, headers: [authorization] })
  }
}

const md5 = (challenges: string[]) => challenges.find(line => /algorithm="?MD5"?/.test(line)) ?? ''
const first = ([line = '']: string[]) => line
const digestRow = (client: string, does: string, dialect: clients.Dialect, quoted: boolean, choose = md5, times = 3): Row => [
  7,
  client,
  does,
  wire => digestLogin(wire, dialect, choose, quoted, times),
]

const tokens: readonly (readonly [client: string, does: string, dialect: clients.Dialect, created: (now: string) => string])[] = [
  ['agsh', 'Created with milliseconds and Z', clients.agsh, now => now],
  ['node-soap, KDSoap', 'Created with seconds and Z', clients.nodeSoap, now => now.replace(/\.\d+/, '')],
  ['zeep', 'Created with +00:00', clients.zeep, now => now.replace(/\.\d+Z/, '+00:00')],
  ['use-go', 'Created with nine fractional digits', clients.useGo, now => now.replace('Z', '456789Z')],
]

/** Core 5.9.4.3: what answers everybody, with a minimal request. */
const preAuth = [
  ['GetSystemDateAndTime', ''],
  ['GetHostname', ''],
  ['GetCapabilities', ''],
  ['GetServices', '<tds:IncludeCapability>false</tds:IncludeCapability>'],
  ['GetServiceCapabilities', ''],
  ['GetWsdlUrl', ''],
  ['GetEndpointReference', ''],
] as const

export const login: readonly Row[] = [
  [
    6,
    'curl --digest',
    'an empty POST gets a challenge, and the answer to it is served',
    async wire => {
      const empty = await wire.send(`POST /onvif/device_service HTTP/1.1\r\nHost: ${wire.host}\r\nContent-Length: 0\r\n\r\n`)
      assert.equal(empty.status, 401)
      assert.equal(faultOf(empty), 'NotAuthorized')
      const authorization = answerTo(md5(challengesOf(empty)), { login: admin })
      await wire.served(clients.curl, read, { ...bare, headers: [authorization] })
    },
  ],
  digestRow('PHP', 'algorithm and qop in quotes, and a rising count on a kept nonce', clients.php, true),
  digestRow('zeep by requests', 'a rising count on a kept nonce', clients.zeep, true),
  digestRow('gSOAP', 'qop in quotes', clients.gsoap, true),
  digestRow('KDSoap by Qt', 'MD5 without quotes', clients.kdsoap, false),
  digestRow('WCF', 'a rising count on a kept nonce, behind a byte-order mark', clients.wcf, false),
  digestRow('onvif-rs', 'only the first line of the challenges is read, and it is MD5', clients.onvifRs, false, challenges => {
    assert.match(first(challenges), /algorithm="?MD5"?/)
    return first(challenges)
  }),
  digestRow('agsh', 'SHA-256 is preferred, found behind the comma that joins the lines', clients.agsh, false, challenges => {
    const lines = challenges.join(', ').split(/, (?=Digest )/)
    assert.ok(lines.every(line => line.startsWith('Digest')))
    return lines.find(line => line.includes('SHA-256')) ?? ''
  }),
  [
    7,
    'UniFi Protect',
    'Basic is never offered',
    async wire => assert.ok(challengesOf(await wire.ask(clients.agsh, read, bare)).every(line => !/basic/i.test(line))),
  ],
  [
    8,
    'agsh, onvif-nvt, onvif-rs',
    'a request without credentials gets 401 and challenges',
    async wire => {
      for (const dialect of [clients.agsh, clients.nvt, clients.onvifRs]) {
        const answer = await wire.ask(dialect, read, bare)
        assert.equal(answer.status, 401)
        assert.equal(challengesOf(answer).length, 2)
        assert.equal(faultOf(answer), 'NotAuthorized')
      }
    },
  ],
  [
    8,
    'zeep-async, agsh',
    'a wrong token gets 400 with NotAuthorized, and words that both look for',
    async wire => {
      const answer = await wire.ask(clients.zeepAsync, read, { login: wrong })
      assert.equal(answer.status, 400)
      assert.equal(faultOf(answer), 'NotAuthorized')
      assert.match(answer.body, /sender not authorized/)
      await wire.served(clients.zeepAsync, read)
    },
  ],
  [
    8,
    'Frigate',
    'PasswordText, its second try, is refused and never looked at',
    async wire => {
      const message = messageOf(clients.zeepAsync, read, { login: admin })
        .replace('#PasswordDigest', '#PasswordText')
        .replace(/(#PasswordText">)[^<]*/, `$1${admin.password}`)
      const answer = await wire.send(http('POST /onvif/device_service HTTP/1.1', [`Host: ${wire.host}`], message))
      assert.equal(answer.status, 400)
      assert.equal(faultOf(answer), 'NotAuthorized')
    },
  ],
  ...tokens.map(
    ([client, does, dialect, created]): Row => [
      9,
      client,
      does,
      wire => wire.served(dialect, read, { created: created(new Date().toISOString()) }),
    ],
  ),
  [
    10,
    'libonvif',
    'one nonce for all calls of a second, which differ in the milliseconds of Created',
    async wire => {
      const nonce = Buffer.from('one-a-second-nonce')
      const now = Date.now()
      for (let ms = 0; ms < 5; ms++) await wire.served(clients.libonvif, read, { nonce, created: new Date(now - ms).toISOString() })
    },
  ],
  [
    10,
    'libonvif',
    'two calls within a millisecond are the same bytes, and the second is refused',
    async wire => {
      const request = requestOf(clients.libonvif, read, { host: wire.host, login: admin })
      assert.equal((await wire.send(request)).status, 200)
      const again = await wire.send(request)
      assert.equal(again.status, 400)
      assert.equal(faultOf(again), 'NotAuthorized')
    },
  ],
  [
    10,
    'ZoneMinder',
    'a nonce that can be guessed: a value that counts up, by two programs',
    async wire => {
      for (const [program, number] of [
        [0, 1],
        [0, 2],
        [1, 1],
        [1, 2],
      ] as const) {
        const created = new Date(Date.now() - program * 1000).toISOString().replace(/\.\d+/, '')
        await wire.served(clients.zoneMinder, read, { nonce: Buffer.from(`a value of ${number}`), created })
      }
    },
  ],
  [
    10,
    'KDSoap, the Java library',
    'every object of the program begins with the same nonces',
    async wire => {
      for (const ago of [3, 2, 1]) {
        for (const nonce of ['first', 'second']) {
          const created = new Date(Date.now() - ago * 1000).toISOString().replace(/\.\d+/, '')
          await wire.served(clients.kdsoap, read, { nonce: Buffer.from(`kd-${nonce}`), created })
        }
      }
    },
  ],
  [
    10,
    'agsh',
    'the token of its first try comes again beside HTTP Digest, which wins',
    async wire => {
      const sameToken = { nonce: Buffer.from('0123456789abcdef'), created: new Date().toISOString() }
      await wire.served(clients.agsh, read, sameToken)
      const challenge = md5(challengesOf(await wire.ask(clients.agsh, read, bare)))
      await wire.served(clients.agsh, read, { ...sameToken, headers: [answerTo(challenge, { login: admin })] })
    },
  ],
  [11, 'KDSoap', 'no EncodingType, and Username is the last child', wire => wire.served(clients.kdsoap, 'GetUsers')],
  [11, 'ZoneMinder', 'no EncodingType', wire => wire.served(clients.zoneMinder, 'GetUsers')],
  [11, 'gSOAP', 'mustUnderstand="true" and a Timestamp', wire => wire.served(clients.gsoap, 'GetUsers')],
  [11, 'onvif-nvt', 'a Timestamp of 10 s, and WS-Addressing', wire => wire.served(clients.nvt, 'GetUsers')],
  [11, 'node-soap', 'a wsu:Id that is no NCName, and a Timestamp', wire => wire.served(clients.nodeSoap, 'GetUsers')],
  [11, 'agsh, UniFi Protect', 'Security in the default namespace', wire => wire.served(clients.agsh, 'GetUsers')],
  [11, 'zeep', 'no mustUnderstand', wire => wire.served(clients.zeep, 'GetUsers')],
  [11, 'onvif-rs', 'a long nonce', wire => wire.served(clients.onvifRs, read, { nonce: Buffer.alloc(512, 'n') })],
  ...preAuth.map(
    ([operation, content]): Row => [
      12,
      'node-onvif, libonvif, PHP',
      `${operation} looks at no credentials: a wrong clock, an empty user, a wrong password, Basic`,
      async wire => {
        await wire.served(clients.nodeOnvif, operation, { content, created: '1970-01-01T00:00:00.000Z' })
        await wire.served(clients.libonvif, operation, { content, login: empty })
        await wire.served(clients.nodeOnvif, operation, { content, login: wrong })
        const basic = `Authorization: Basic ${Buffer.from('admin:guess').toString('base64')}`
        await wire.served(clients.php, operation, { content: content.replaceAll('tds:', 'ns1:'), ...bare, headers: [basic] })
      },
    ],
  ),
  [
    13,
    'onvif-rx',
    'every call comes twice, first bare; thirty of them lock nobody out',
    async wire => {
      for (let call = 0; call < 30; call++) {
        assert.equal((await wire.ask(clients.rx, read, bare)).status, 401)
        await wire.served(clients.rx, read)
      }
    },
  ],
  [
    13,
    'Synology, Go and every Digest client',
    'a bare request is not performed',
    async wire => {
      const content = '<tds:Name>changed-by-nobody</tds:Name>'
      assert.equal((await wire.ask(clients.useGo, 'SetHostname', { ...bare, content })).status, 401)
      assert.doesNotMatch((await wire.served(clients.useGo, 'GetHostname')).body, /changed-by-nobody/)
    },
  ],
  [
    14,
    'iSpy, ODM',
    'the Security block is not sent back',
    async wire => assert.doesNotMatch((await wire.served(clients.wcf, read)).body, /wssecurity|mustUnderstand/),
  ],
  [
    15,
    'PHP, onvif-go',
    'a password in Authorization: Basic is answered with Digest, and stands in no log',
    async wire => {
      const secret = Buffer.from(`${admin.name}:${admin.password}`).toString('base64')
      const answer = await wire.ask(clients.php, read, { ...bare, headers: [`Authorization: Basic ${secret}`] })
      assert.equal(answer.status, 401)
      assert.ok(challengesOf(answer).every(line => line.startsWith('Digest ')))
      const client = new Client(wire.t, wire.port)
      await client.send(`GET /onvif/download/system.log HTTP/1.1\r\nHost: ${wire.host}\r\nAuthorization: Basic ${secret}\r\n\r\n`)
      const download = await client.answer()
      assert.equal(download?.status, 401)
      assert.ok(challengesOf(download).every(line => line.startsWith('Digest ')))
      // What the daemon still has to write, it writes when it is asked for its log.
      const log = (await wire.served(clients.nodeOnvif, 'GetSystemLog', { content: '<tds:LogType>Access</tds:LogType>' })).body
      const files = readdirSync(join(wire.daemon.state, 'logs')).map(file => readFileSync(join(wire.daemon.state, 'logs', file), 'utf8'))
      for (const text of [log, wire.daemon.output(), ...files]) {
        assert.ok(!text.includes(secret))
        assert.ok(!text.includes(admin.password))
      }
    },
  ],
]
