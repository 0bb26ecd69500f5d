import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { createLogs } from '../../src/platform/logs.ts'
import { startDaemon, temporaryFolder } from '../support/daemon.ts'
import { makeDisk } from './disk.ts'
import { ask } from './door.ts'

const forgeries: Readonly<Record<string, string>> = {
  'a line of its own': 'x\r\n{"level":"info","msg":"forged"}\r\n',
  'the end of the JSON': 'x","msg":"forged"}\n{"msg":"forged',
  'ANSI escapes': '\u001b[2K\u001b[1G\u001b]0;forged\u0007',
  'C1 controls': '\u009b2J\u0085{"msg":"forged"}',
  'line separators': '\u2028{"msg":"forged"}\u2029{"msg":"forged"}',
  'another reading direction': '\u202egnihton\u2066\u061c\u200f\u200b\ufeff',
  'much of it': 'forged '.repeat(20_000),
  'formats of printf': '%s%n%d%j%O %x',
}

/** What no line of a log may hold, whatever was sent. */
const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/

const escapeXml = (text: string) =>
  text.replace(/[&<>"\u0000-\u001f]/g, character =>
    character < ' ' && !'\r\n\t'.includes(character) ? '?' : `&#${character.charCodeAt(0)};`,
  )

/** As bytes, because no honest client lets such a head out of its hands. */
function send(port: number, bytes: Buffer): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.on('error', () => resolve()).on('close', () => resolve())
    socket.resume()
  })
}

for (const format of ['json', 'pretty'])
  test(`whatever somebody sends, each line of the logs is the device's own (--log-format ${format})`, async t => {
    const device = await startDaemon(t, ['--discovery', 'off', '--log-level', 'debug', '--log-format', format])
    const port = Number(new URL(device.url).port)
    for (const text of Object.values(forgeries)) {
      const name = escapeXml(text)
      for (const body of [
        `<tds:CreateUsers><tds:User><tt:Username>${name}</tt:Username><tt:Password>Only-looking-1</tt:Password><tt:UserLevel>User</tt:UserLevel></tds:User></tds:CreateUsers>`,
        `<tds:DeleteUsers><tds:Username>${name}</tds:Username></tds:DeleteUsers>`,
        `<tds:SetHostname><tds:Name>${name}</tds:Name></tds:SetHostname>`,
        `<tds:SetScopes><tds:Scopes>${name}</tds:Scopes></tds:SetScopes>`,
        `<tds:GetCapabilities><tds:Category>${name}</tds:Category></tds:GetCapabilities>`,
        `<tds:SendAuxiliaryCommand><tds:AuxiliaryCommand>${name}</tds:AuxiliaryCommand></tds:SendAuxiliaryCommand>`,
      ])
        await ask(device.url, body, 'token')
      const head = Buffer.from(text.slice(0, 4000), 'utf8')
      for (const line of [
        'User-Agent: ',
        'Host: ',
        'Authorization: Digest username="',
        'X-Forwarded-For: ',
        'SOAPAction: ',
        'Content-Type: ',
      ])
        await send(
          port,
          Buffer.concat([
            Buffer.from(`POST /onvif/device_service HTTP/1.1\r\nHost: x\r\n${line}`),
            head,
            Buffer.from('\r\nContent-Length: 0\r\n\r\n'),
          ]),
        )
      await send(port, Buffer.concat([Buffer.from('GET /'), head, Buffer.from(' HTTP/1.1\r\nHost: x\r\n\r\n')]))
    }
    // The last, because whoever guesses has to wait.
    for (const text of Object.values(forgeries).slice(0, limits.guessesFree))
      assert.equal((await ask(device.url, '<tds:GetUsers/>', 'token', { name: escapeXml(text), password: 'x' })).status, 400)
    assert.equal((await ask(device.url, '<tds:GetUsers/>', 'token')).status, 200)
    assert.equal(await device.stop(), 0)
    let lines = 0
    for (const name of readdirSync(join(device.state, 'logs'))) {
      const text = readFileSync(join(device.state, 'logs', name), 'utf8')
      assert.doesNotMatch(text, raw, name)
      for (const line of text.split('\n').slice(0, -1)) {
        lines++
        const entry: unknown = JSON.parse(line)
        assert.ok(typeof entry === 'object' && entry !== null && 'time' in entry && 'level' in entry, line.slice(0, 300))
        assert.ok(!('msg' in entry && entry.msg === 'forged'), line)
        assert.ok(line.length <= limits.logFieldCharactersMax + 1000 && !line.includes('was left out'), line.slice(0, 300))
      }
    }
    assert.ok(lines > 50, `${lines} lines`)
    assert.doesNotMatch(device.output(), raw)
    assert.doesNotMatch(device.output(), /^(\{"msg":"forged|forged|gnihton)/m)
    assert.ok(device.output().length < 5_000_000)
  })

test('logs stay within their bound on a full disk, and go on when there is room again', async t => {
  let end = async () => {}
  const disk = makeDisk(await temporaryFolder(t, () => end()), 8_388_608)
  if (typeof disk === 'string') return t.skip(disk)
  end = async () => disk.remove()
  const folder = join(disk.folder, 'logs')
  mkdirSync(folder)
  const logs = await createLogs({ level: 'silent', format: 'json', folder, terminal: { write: () => {} }, now: () => new Date() })
  const total = () => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  const write = (text: string, times: number) => {
    for (let i = 0; i < times; i++) {
      logs.system.info({ i, filler: 'z'.repeat(1000) }, text)
      logs.access.info({ i, filler: 'z'.repeat(1000) }, text)
    }
  }
  write('before', 400)
  for (const exhaust of [disk.fill, disk.useUpInodes]) {
    exhaust()
    write('while the disk takes nothing', 1500)
    assert.ok(total() <= 2 * limits.logBytesMax, `${total()} bytes`)
    disk.mend()
    write('after', 1500)
    for (const type of ['System', 'Access'] as const) {
      const text = String(await logs.read(type))
      const entries = text.split('\n').filter(line => line.startsWith('{"level"') && line.endsWith('}'))
      assert.match(entries.at(-1) ?? '', /"msg":"after"/)
      assert.ok(entries.length > 300)
    }
    assert.ok(total() <= 2 * limits.logBytesMax, `${total()} bytes`)
  }
  logs.close()
  assert.deepEqual(
    readdirSync(folder).filter(name => !/^(system|access)\.log(\.1)?$/.test(name)),
    [],
    'no leftovers',
  )
})

test('a line that would be longer than any may be is told by its size', async t => {
  const folder = await temporaryFolder(t)
  const shown: string[] = []
  const terminal = { write: (text: string) => void shown.push(text) }
  const logs = await createLogs({ level: 'info', format: 'json', folder, terminal, now: () => new Date() })
  const long = 'y'.repeat(limits.logFieldCharactersMax)
  logs.system.info({ many: Array.from({ length: 50 }, () => long) }, 'wide')
  logs.system.info({}, 'm'.repeat(1_000_000))
  const lines = String(await logs.read('System'))
    .trimEnd()
    .split('\n')
  assert.equal(lines.length, 2)
  for (const line of [...lines, ...shown]) assert.match(line, /"msg":"a line of \d+ characters was left out"/)
  logs.close()
})
