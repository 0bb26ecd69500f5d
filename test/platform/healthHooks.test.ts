import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { runHealthHooks } from '../../src/platform/healthHooks.ts'
import type { Log } from '../../src/platform/platform.ts'
import { eventually, temporaryFolder } from '../support/daemon.ts'

/** A folder with these programs; what they write into `witness` stays readable. */
async function setUp(t: TestContext, programs: Readonly<Record<string, string>>) {
  const root = await temporaryFolder(t)
  const folder = join(root, 'health.d')
  const witness = join(root, 'witness')
  await mkdir(folder)
  for (const [name, script] of Object.entries(programs))
    await writeFile(join(folder, name), `#!/bin/sh\n${script.replaceAll('WITNESS', witness)}\n`, { mode: 0o755 })
  const told: { readonly level: string; readonly fields: object; readonly message: string }[] = []
  const tell = (level: string) => (fields: object, message: string) => void told.push({ level, fields, message })
  const log: Log = { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') }
  const abort = new AbortController()
  return {
    folder,
    told,
    abort,
    run: (timeoutMs?: number) => runHealthHooks(folder, log, abort.signal, timeoutMs),
    witnessed: async () => (await readFile(witness, 'utf8')).trim(),
  }
}

async function isGone(pid: number): Promise<void> {
  await eventually(async () => {
    // A process that has ended and whom nobody has waited for yet is gone as well.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone Z')
    assert.match(stat, / Z/)
  }, 5)
}

test('every program runs, by name and one after the other; what is none is passed over and told', async t => {
  const { folder, run, witnessed, told } = await setUp(t, {
    '20-second': 'echo second >> WITNESS',
    '10-first': 'sleep 0.1; echo first >> WITNESS',
    README: 'echo no program >> WITNESS',
  })
  await chmod(join(folder, 'README'), 0o644)
  await mkdir(join(folder, '30-folder'))
  await symlink('nowhere', join(folder, '40-dangling'))
  await run()
  assert.equal(await witnessed(), 'first\nsecond')
  assert.deepEqual(
    told.filter(({ level }) => level === 'info').map(({ fields, message }) => [fields, message]),
    ['30-folder', '40-dangling', 'README'].map(hook => [{ hook }, 'passed over: no program']),
  )
})

test('a folder without programs is content, a folder that is missing is not', async t => {
  const { run, folder } = await setUp(t, {})
  await run()
  const log: Log = { debug() {}, info() {}, warn() {}, error() {} }
  await assert.rejects(runHealthHooks(join(folder, 'missing'), log, new AbortController().signal), /cannot be read \(ENOENT\)/)
})

test('a program that ends with another number than 0 is named, with its output in the log, and nothing runs after it', async t => {
  const { run, told, witnessed } = await setUp(t, {
    a: 'echo ran >> WITNESS',
    b: 'echo one; echo no camera >&2; exit 3',
    c: 'echo ran >> WITNESS',
  })
  await assert.rejects(run(), { message: 'b ended with 3' })
  assert.equal(await witnessed(), 'ran')
  const [warning] = told.filter(({ level }) => level === 'warn')
  assert.deepEqual(warning?.fields, { hook: 'b', failure: 'ended with 3', output: 'one\nno camera\n' })
})

test('a program that is killed, or cannot be started, is named as well', async t => {
  const killed = await setUp(t, { a: 'kill -9 $$' })
  await assert.rejects(killed.run(), { message: 'a ended with SIGKILL' })
  const broken = await setUp(t, { a: '' })
  await writeFile(join(broken.folder, 'a'), '#!/nowhere/interpreter\n')
  await assert.rejects(broken.run(), { message: 'a cannot be started (ENOENT)' })
})

test('a program gets nothing but a path and a language: no secret, no input, no shell', async t => {
  process.env.ONVIFD_TEST_SECRET = 'Correct-horse-7'
  t.after(() => delete process.env.ONVIFD_TEST_SECRET)
  const { folder, run, witnessed } = await setUp(t, { a: 'env > WITNESS; echo "args $#" >> WITNESS; cat >> WITNESS; pwd >> WITNESS' })
  await writeFile(join(folder, '$(touch b) ; b'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  await run()
  const lines = (await witnessed()).split('\n')
  const names = lines.filter(line => line.includes('=')).map(line => line.split('=')[0])
  // PWD, SHLVL, _ and OLDPWD are the shell's own.
  assert.deepEqual(names.filter(name => !/^(PWD|SHLVL|_|OLDPWD)$/.test(name ?? '')).sort(), ['LC_ALL', 'PATH'])
  assert.deepEqual(lines.slice(-2), ['args 0', '/'])
})

test('a program that hangs is killed with all that it has started', async t => {
  const { run, witnessed } = await setUp(t, { a: 'sleep 600 & echo $! > WITNESS; wait' })
  await assert.rejects(run(500), { message: 'a did not end within 0.5 s' })
  await isGone(Number(await witnessed()))
})

test('a program that ends, and leaves another one behind that holds its output, is not waited for', async t => {
  const { run, witnessed } = await setUp(t, { a: 'sleep 600 & echo $! > WITNESS; exit 0' })
  const startedMs = performance.now()
  await run()
  assert.ok(performance.now() - startedMs < 5_000)
  await isGone(Number(await witnessed()))
})

test('a program that writes without an end is killed at once, and the log has the end of what was read', async t => {
  const { run, told } = await setUp(t, { a: 'while :; do echo yes; done' })
  const startedMs = performance.now()
  await assert.rejects(run(), { message: `a wrote more than ${limits.healthHookOutputBytesMax} bytes` })
  assert.ok(performance.now() - startedMs < limits.healthHookTimeoutMs)
  const fields = told.find(({ level }) => level === 'warn')?.fields
  const output = fields && 'output' in fields ? String(fields.output) : ''
  assert.ok(output.length > 0 && output.length <= limits.healthHookLoggedCharactersMax)
})

test('whoever calls the trial off kills the running program', async t => {
  const { run, abort, witnessed } = await setUp(t, { a: 'echo $$ > WITNESS; sleep 600', b: 'echo b > WITNESS' })
  const running = assert.rejects(run(), { message: 'a was broken off' })
  const pid = await eventually(async () => Number(await witnessed()) || assert.fail('not yet'))
  abort.abort()
  await running
  await isGone(pid)
  await assert.rejects(run(), { name: 'AbortError' })
  assert.equal(await witnessed(), String(pid))
})

test('more programs than there may be are refused', async t => {
  const names = Array.from({ length: limits.healthHooksMax + 1 }, (_, index) => [`h${index}`, 'echo ran > WITNESS'])
  const { run, witnessed } = await setUp(t, Object.fromEntries(names))
  await assert.rejects(run(), /there are 17 health hooks, and 16 may be/)
  await assert.rejects(witnessed(), { code: 'ENOENT' })
})
