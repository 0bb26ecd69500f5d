import assert from 'node:assert/strict'
import { appendFileSync, closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { createLogs } from '../../src/platform/logs.ts'

type Options = Parameters<typeof createLogs>[0]

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-logs-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function open(t: TestContext, options: Partial<Options> = {}) {
  const shown: string[] = []
  const folder = options.folder ?? folderOf(t)
  const terminal = { write: (text: string) => void shown.push(text) }
  const logs = await createLogs({
    level: 'info',
    format: 'json',
    folder,
    terminal,
    now: () => new Date('2031-02-03T04:05:06.789Z'),
    ...options,
  })
  t.after(() => logs.close())
  const lines = async (type: 'System' | 'Access'): Promise<Record<string, unknown>[]> =>
    String(await logs.read(type))
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line))
  return { logs, lines, shown, folder }
}

test('a line holds level, time of the device, fields and message', async t => {
  const { logs, lines } = await open(t)
  logs.system.warn({ user: 'ada', size: 3 }, 'disk nearly full')
  assert.deepEqual(await lines('System'), [
    { level: 'warn', time: '2031-02-03T04:05:06.789Z', user: 'ada', size: 3, msg: 'disk nearly full' },
  ])
})

test('each log has its own file, and the terminal shows the access log at debug only', async t => {
  for (const level of ['info', 'debug'] as const) {
    const { logs, lines, shown } = await open(t, { level })
    logs.system.info({}, 'started')
    logs.access.info({ operation: 'GetUsers' }, 'request')
    assert.deepEqual(
      (await lines('System')).map(line => line.msg),
      ['started'],
    )
    assert.deepEqual(
      (await lines('Access')).map(line => line.msg),
      ['request'],
    )
    assert.equal(shown.length, level === 'debug' ? 2 : 1)
  }
})

test('the terminal shows from its level on, the files from info on', async t => {
  const expected = { debug: 'debug info warn error', info: 'info warn error', warn: 'warn error', error: 'error', silent: '' }
  for (const level of ['debug', 'info', 'warn', 'error', 'silent'] as const) {
    const { logs, lines, shown } = await open(t, { level })
    for (const at of ['debug', 'info', 'warn', 'error'] as const) logs.system[at]({}, at)
    assert.equal(shown.map(line => JSON.parse(line).msg).join(' '), expected[level])
    assert.equal((await lines('System')).map(line => line.msg).join(' '), level === 'debug' ? expected.debug : expected.info)
  }
})

test('a secret is left out wherever it stands', async t => {
  const { logs, shown } = await open(t)
  const secret = 'Correct-horse-7'
  const names = [
    'password',
    'Password',
    'newPassword',
    'digest',
    'PasswordDigest',
    'nonce',
    'cnonce',
    'authorization',
    'Authorization',
    'passphrase',
    'privateKey',
    'uploadTicket',
  ]
  for (const name of names) {
    logs.system.error(
      { [name]: secret, nested: [{ [name]: { text: secret } }], err: Object.assign(new Error('no'), { [name]: secret }) },
      'refused',
    )
  }
  assert.equal(shown.length, names.length)
  assert.ok(!(shown.join('') + String(await logs.read('System'))).includes(secret))
})

test('an error is written with its cause', async t => {
  const { logs, lines } = await open(t)
  logs.system.error({ err: new Error('outer', { cause: Object.assign(new TypeError('inner'), { code: 'EIO' }) }) }, 'failed')
  const [line] = await lines('System')
  assert.match(
    JSON.stringify(line),
    /"err":\{"type":"Error","message":"outer","stack":"Error: outer.*"cause":\{"type":"TypeError","code":"EIO","message":"inner"/,
  )
})

test('text of a client forges no line and drives no terminal, in either format', async t => {
  const nasty = 'x\n{"level":"info","msg":"forged"}\r\n[2031-02-03 04:05:06] INFO: forged\u001b[2J\u009b31m\u0085\u2028\u202e%s\u0000'
  for (const format of ['json', 'pretty'] as const) {
    const { logs, lines, shown } = await open(t, { format })
    logs.system.info({ user: nasty, [nasty]: 1 }, nasty)
    assert.deepEqual(shown.length, 1)
    assert.doesNotMatch(shown.join('').trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
    assert.equal((await lines('System')).length, 1)
    assert.doesNotMatch(String(await logs.read('System')).trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
    assert.equal((await lines('System'))[0]?.user, nasty)
  }
})

test('what a client made long, wide or deep stays a line of bounded length', async t => {
  const { logs, shown } = await open(t)
  const deep: Record<string, unknown> = {}
  deep.self = deep
  logs.system.info(
    {
      long: 'x'.repeat(1_000_000),
      deep,
      wide: Array.from({ length: 100_000 }, () => 'y'),
      bytes: new Uint8Array(1_000_000),
      big: 10n ** 30n,
    },
    'odd',
  )
  assert.equal(shown.length, 1)
  assert.ok(shown.join('').length < 3 * limits.logFieldCharactersMax)
})

test('a line of more than logLineCharactersMax is told by its size alone, in the file and on the terminal', async t => {
  const { logs, lines, shown } = await open(t)
  const fields = Array.from({ length: Math.ceil(limits.logLineCharactersMax / limits.logFieldCharactersMax) - 1 }, () =>
    'x'.repeat(limits.logFieldCharactersMax),
  )
  const note = (more: number) => logs.system.info({ fields, more: 'y'.repeat(more) }, 'long')
  note(0)
  const room = limits.logLineCharactersMax - (shown[0] ?? '').length
  assert.ok(room > 0 && room < limits.logFieldCharactersMax, `${room}`)
  note(room)
  note(room + 1)
  const left = `a line of ${limits.logLineCharactersMax + 1} characters was left out`
  assert.deepEqual(
    (await lines('System')).map(({ msg }) => msg),
    ['long', 'long', left],
  )
  assert.deepEqual(
    shown.map(line => JSON.parse(line).msg),
    ['long', 'long', left],
  )
  assert.equal(shown[1]?.length, limits.logLineCharactersMax)
})

test('lines of the access log wait for others, and no more than logWaitingCharactersMax of them', async t => {
  const { logs, folder } = await open(t)
  const written = () => statSync(join(folder, 'access.log')).size
  logs.access.info({ text: '' }, 'request')
  const [first] = String(await logs.read('Access')).split(/(?<=\n)/)
  const [before, overhead] = [written(), first?.length ?? 0]
  // Nothing is waited for from here on: no timer writes these.
  for (let waiting = 0; waiting < limits.logWaitingCharactersMax; waiting += 1024)
    logs.access.info({ text: 'x'.repeat(1024 - overhead) }, 'request')
  assert.equal(written(), before)
  logs.access.info({ text: '' }, 'request')
  assert.equal(written(), before + limits.logWaitingCharactersMax + overhead)
})

test('a log never grows beyond its bound and keeps the newest lines, over restarts too', async t => {
  const folder = folderOf(t)
  let written = 0
  for (let start = 0; start < 3; start += 1) {
    const { logs, lines } = await open(t, { folder, level: 'silent' })
    for (let line = 0; line < 1500; line += 1) {
      written += 1
      logs.access.info({ written, text: 'z'.repeat(500) }, 'request')
    }
    const kept = await lines('Access')
    assert.equal(kept.at(-1)?.written, written)
    assert.ok(kept.length > (limits.logBytesMax / 2 / 600) * 0.9)
    const first = Number(kept[0]?.written)
    assert.deepEqual(
      kept.map(line => line.written),
      kept.map((_, index) => first + index),
    )
    logs.close()
  }
  const total = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  assert.ok(total <= limits.logBytesMax, `${total} bytes`)
})

test('a line torn by a power cut does not swallow the next one', async t => {
  const folder = folderOf(t)
  appendFileSync(join(folder, 'system.log'), '{"msg":"whole"}\n{"msg":"to')
  const { logs } = await open(t, { folder })
  logs.system.info({}, 'restarted')
  assert.match(String(await logs.read('System')), /^\{"msg":"whole"\}\n\{"msg":"to\n\{.*"msg":"restarted"\}\n$/)
})

test('nobody but the owner reads the files, and a closed log takes nothing any more', async t => {
  const { logs, folder } = await open(t)
  logs.system.info({}, 'last')
  logs.close()
  // The next file that is opened gets the number of the handle that was closed.
  const other = join(folder, 'other')
  const handles = [openSync(other, 'w'), openSync(other, 'w')]
  logs.system.info({}, 'too late')
  for (const handle of handles) closeSync(handle)
  assert.equal(statSync(other).size, 0)
  assert.equal(statSync(join(folder, 'system.log')).mode & 0o077, 0)
  assert.doesNotMatch(String(await logs.read('System')), /too late/)
})
