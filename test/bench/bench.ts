/**
 * `npm run bench`: ours against raw node:http answering the same bytes and against node-soap serving the same operation, all in one run.
 * Server and client are separate processes; rounds are interleaved and their medians shown, so that a noisy machine disturbs all alike.
 * `-- --quick` takes shorter rounds, `-- --only soap|writes|upload|start|keys|login|events|subscribers` a part, `-- --mib 256` smaller images; TMPDIR says on which disk.
 */
import { closeSync, fsyncSync, openSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openStore } from '../../src/device/store.ts'
import {
  cpuSeconds,
  envelope,
  flag,
  folder,
  load,
  median,
  optionOf,
  password,
  residentMiB,
  type Server,
  startOnvifd,
  startOther,
  user,
  withToken,
} from './bed.ts'
import { benchCrowd } from './crowd.ts'
import { benchEvents, benchSlowSubscribers } from './events.ts'
import type { LoadOrder } from './load.ts'
import { benchLogin } from './login.ts'
import { benchUpload } from './upload.ts'

const only = optionOf('only')
const wanted = (part: string) => only === undefined || only === part
const roundMs = flag('quick') ? 500 : 2000
const rounds = flag('quick') ? 3 : 5

const scopes = Array.from(
  { length: 40 },
  (_, index) => `<tds:Scopes>onvif://www.onvif.org/location/building/#/${'x'.repeat(40)}/${index}</tds:Scopes>`,
).join('')

const interfaceSettings =
  '<tds:SetNetworkInterfaces><tds:InterfaceToken>eth0</tds:InterfaceToken><tds:NetworkInterface><tt:Enabled>true</tt:Enabled><tt:MTU>1500</tt:MTU><tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Manual><tt:Address>192.0.2.#</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual><tt:DHCP>false</tt:DHCP></tt:IPv4></tds:NetworkInterface></tds:SetNetworkInterfaces>'

interface Scenario {
  readonly name: string
  readonly body: string
  readonly undo?: string
  readonly login: 'none' | 'token' | 'digest'
  readonly against: readonly string[]
}

const scenarios: readonly Scenario[] = [
  { name: 'GetSystemDateAndTime, no log-in', body: '<tds:GetSystemDateAndTime/>', login: 'none', against: ['raw', 'soap'] },
  { name: 'GetDeviceInformation, WS-UsernameToken', body: '<tds:GetDeviceInformation/>', login: 'token', against: ['raw', 'soap'] },
  { name: 'GetDeviceInformation, HTTP Digest', body: '<tds:GetDeviceInformation/>', login: 'digest', against: ['raw'] },
  {
    name: 'GetServices with capabilities, no log-in',
    body: '<tds:GetServices><tds:IncludeCapability>true</tds:IncludeCapability></tds:GetServices>',
    login: 'none',
    against: ['raw'],
  },
  {
    name: 'SetScopes 4 KB, WS-UsernameToken (durable)',
    body: `<tds:SetScopes>${scopes}</tds:SetScopes>`,
    login: 'token',
    against: ['raw'],
  },
  { name: 'SetNetworkInterfaces 1.25 KB, token (durable)', body: interfaceSettings, login: 'token', against: ['raw'] },
  {
    name: 'CreateUsers + DeleteUsers, token (durable)',
    body: '<tds:CreateUsers><tds:User><tt:Username>load-#</tt:Username><tt:Password>Bench-the-device-2</tt:Password><tt:UserLevel>User</tt:UserLevel></tds:User></tds:CreateUsers>',
    undo: '<tds:DeleteUsers><tds:Username>load-#</tds:Username></tds:DeleteUsers>',
    login: 'token',
    against: ['raw'],
  },
]

/** The bytes that ours answers, for the raw server to answer too. */
async function answerOf(server: Server, body: string, login: string): Promise<Buffer> {
  if (login === 'none') {
    const response = await fetch(`http://127.0.0.1:${server.port}/onvif/device_service`, { method: 'POST', body: envelope(body) })
    return Buffer.from(await response.arrayBuffer())
  }
  const operation = /<tds:(\w+)/.exec(body)?.[1] ?? ''
  return Buffer.from(envelope(`<tds:${operation}Response>${operation.startsWith('Get') ? 'x'.repeat(300) : ''}</tds:${operation}Response>`))
}

/** What all servers are asked at, so that the kernel wakes each of them and the client as often. */
const evenRate = 2000

/**
 * Twice: as fast as four connections go, and at the same rate for all. The first flatters a server that is faster than the client: the
 * client never sleeps then, and waking it is a good part of what an answer costs.
 */
async function benchSoap(): Promise<void> {
  console.log(
    `\nSOAP: server CPU per request and its ratio to raw node:http answering as many bytes; four connections, first as fast as they go, then ${evenRate} requests/s`,
  )
  const titles = ['req/s', 'µs CPU', '× raw', 'p50 ms', 'p99 ms', 'µs even', '× raw', 'RSS MiB']
  console.log(`${'operation'.padEnd(46)} ${'server'.padEnd(8)}${titles.map(title => title.padStart(9)).join('')}`)
  const ours = await startOnvifd(join(folder, 'soap'))
  const soap = await startOther({ kind: 'soap', file: '' })
  for (const { name, body, undo, login, against } of scenarios) {
    const answer = join(folder, 'answer.xml')
    writeFileSync(answer, await answerOf(ours, body, login))
    const raw = await startOther({ kind: 'raw', file: answer })
    const servers = new Map([
      ['raw', raw],
      ...(against.some(other => other === 'soap') ? ([['soap', soap]] as const) : []),
      ['onvifd', ours],
    ])
    const measured = new Map<string, { cpu: number[]; even: number[]; rate: number[]; p50: number[]; p99: number[] }>()
    for (let round = -1; round < rounds; round++) {
      for (const [kind, server] of servers) {
        const ask = async (rate?: number) => {
          const before = cpuSeconds(server.pid)
          const result = await load({
            port: server.port,
            body: envelope(body),
            ...(undo !== undefined && { undo: envelope(undo) }),
            ...(rate !== undefined && { rate }),
            login,
            user,
            password,
            connections: 4,
            milliseconds: round < 0 ? 1000 : roundMs,
          })
          if (result.failures > 2) throw new Error(`${kind} failed ${result.failures} of ${result.requests} requests of ${name}`)
          return { ...result, cpu: ((cpuSeconds(server.pid) - before) / result.requests) * 1e6 }
        }
        const fast = await ask()
        if (round < 0) continue // warm-up
        const even = await ask(evenRate)
        const figures = measured.get(kind) ?? { cpu: [], even: [], rate: [], p50: [], p99: [] }
        measured.set(kind, figures)
        figures.cpu.push(fast.cpu)
        figures.even.push(even.cpu)
        figures.rate.push((fast.requests / fast.milliseconds) * 1000)
        figures.p50.push(fast.p50)
        figures.p99.push(fast.p99)
      }
    }
    const base = measured.get('raw')
    for (const [kind, { cpu, even, rate, p50, p99 }] of measured) {
      const columns = [
        median(rate).toFixed(0),
        median(cpu).toFixed(1),
        (median(cpu) / median(base?.cpu ?? [])).toFixed(2),
        median(p50).toFixed(2),
        median(p99).toFixed(2),
        median(even).toFixed(1),
        (median(even) / median(base?.even ?? [])).toFixed(2),
        String(residentMiB(servers.get(kind)?.pid ?? 0, 'VmRSS')),
      ]
      console.log(`${name.padEnd(46)} ${kind.padEnd(8)}${columns.map(column => column.padStart(9)).join('')}`)
    }
    await raw.stop()
  }
}

/** What a change costs that outlives a power cut, and what it would cost if the disk were not waited for. */
function benchWrites(): void {
  console.log('\nDurable writes of 1 KB, a second, one after the other')
  // Another one each time: SQLite does not write what is there already.
  let count = 0
  const value = () => String(count++).padEnd(1_000, 'x')
  const store = openStore(join(folder, 'store.db'))
  const document = store.document<string>('bench', String, () => '')
  report('the store of the device, with fsync', () => document.set(value()))
  store.close()
  for (const mode of ['FULL', 'OFF']) {
    const database = new DatabaseSync(join(folder, `plain-${mode}.db`))
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${mode}; CREATE TABLE documents (name TEXT PRIMARY KEY, value TEXT)`)
    const upsert = database.prepare('INSERT INTO documents VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
    report(`node:sqlite, synchronous = ${mode}, ${mode === 'OFF' ? 'without' : 'with'} fsync`, () => upsert.run('bench', value()))
    database.close()
  }
  const file = openSync(join(folder, 'plain'), 'w')
  report('a file, with fsync', () => {
    writeSync(file, value(), 0)
    fsyncSync(file)
  })
  report('a file, without fsync', () => writeSync(file, value(), 0))
  closeSync(file)
}

function report(name: string, write: () => unknown): void {
  const rates = Array.from({ length: rounds }, () => {
    const began = performance.now()
    let count = 0
    for (; performance.now() - began < roundMs / 2; count++) write()
    return (count / (performance.now() - began)) * 1000
  })
  console.log(`${name.padEnd(52)} ${median(rates).toFixed(0).padStart(8)} writes/s`)
}

async function benchStart(): Promise<void> {
  const starts: number[] = []
  let idle = 0
  for (let round = 0; round < rounds; round++) {
    const server = await startOnvifd(join(folder, 'start'))
    const began = performance.now()
    await fetch(`http://127.0.0.1:${server.port}/onvif/device_service`, { method: 'POST', body: envelope('<tds:GetSystemDateAndTime/>') })
    starts.push(server.startMs + performance.now() - began)
    await new Promise(resolve => setTimeout(resolve, 2000))
    idle = residentMiB(server.pid, 'VmRSS')
    await server.stop()
  }
  console.log(
    `\nStart: first answer ${starts[0]?.toFixed(0)} ms after the process was started on an empty folder, ${median(starts.slice(1)).toFixed(0)} ms on a used one; idle RSS ${idle} MiB`,
  )
}

/** Forty orders at once: what is left for everybody else while the keys are made. */
async function benchKeys(): Promise<void> {
  const server = await startOnvifd(join(folder, 'keys'), { more: ['--tls', 'self-signed', '--https-port', '0'] })
  const body = envelope('<tds:GetSystemDateAndTime/>')
  const order: LoadOrder = { port: server.port, body, login: 'none', user, password, connections: 4, milliseconds: 2 * roundMs }
  const rate = async () => {
    const { requests, milliseconds, failures, p99 } = await load(order)
    if (failures > 0) throw new Error(`${failures} requests failed`)
    return { rate: (requests / milliseconds) * 1000, p99 }
  }
  await rate()
  const alone = await rate()
  const key = `<tas:CreateRSAKeyPair xmlns:tas="http://www.onvif.org/ver10/advancedsecurity/wsdl"><tas:KeyLength>3072</tas:KeyLength></tas:CreateRSAKeyPair>`
  const orders = Array.from({ length: 40 }, async () => {
    const began = performance.now()
    const options = { method: 'POST', body: withToken(envelope(key)) }
    const { status } = await fetch(`http://127.0.0.1:${server.port}/onvif/device_service`, options)
    if (status !== 200) throw new Error(`a key was refused with ${status}`)
    return performance.now() - began
  })
  const taken = await Promise.all(orders)
  const before = cpuSeconds(server.pid)
  const meanwhile = await rate()
  const cpu = cpuSeconds(server.pid) - before
  console.log(
    `\nKeys: GetSystemDateAndTime ${alone.rate.toFixed(0)} requests/s alone (p99 ${alone.p99.toFixed(1)} ms), ${meanwhile.rate.toFixed(0)} while 40 RSA-3072 pairs are made (p99 ${meanwhile.p99.toFixed(1)} ms; ${cpu.toFixed(1)} s CPU in ${(order.milliseconds / 1000).toFixed(0)} s): ${((meanwhile.rate / alone.rate) * 100).toFixed(0)} %; the orders were answered within ${Math.max(...taken).toFixed(0)} ms`,
  )
  for (const [name, extra] of [
    ['off', ['--tls', 'off']],
    ['self-signed', ['--tls', 'self-signed', '--https-port', '0']],
  ] as const) {
    const starts: number[] = []
    for (let round = 0; round < rounds; round++) {
      const { startMs, stop } = await startOnvifd(join(folder, `start-${name}-${round}`), { more: extra })
      starts.push(startMs)
      await stop()
    }
    console.log(`First start on an empty folder with --tls ${name}: ready after ${median(starts).toFixed(0)} ms`)
  }
}

const load1 = () => loadavg()[0]?.toFixed(1)
console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, load ${load1()} before; files in ${tmpdir()} (file system ${statfsSync(folder).type.toString(16)})`,
)
if (wanted('start')) await benchStart()
if (wanted('soap')) await benchSoap()
if (wanted('writes')) benchWrites()
if (wanted('upload')) await benchUpload()
if (wanted('keys')) await benchKeys()
if (wanted('login')) await benchLogin()
if (wanted('events')) await benchEvents({ rounds, roundMs })
if (wanted('crowd')) await benchCrowd()
// Eight minutes: only for those who ask for it.
if (only === 'subscribers') await benchSlowSubscribers()
process.exit()
