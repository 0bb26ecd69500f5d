import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { limits } from '../../../src/limits.ts'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import { loadBootRecord, slotIds } from '../../../src/platform/slots/bootRecord.ts'
import { launch } from '../../../src/platform/slots/launcher.ts'
import { type Ran, run, temporaryFolder } from '../../support/daemon.ts'
import { type Random, seeded } from '../../support/random.ts'

const script = fileURLToPath(new URL('../../../docker/boot-launcher.sh', import.meta.url))
const found = (program: string, ...args: string[]) => spawnSync(program, args).error === undefined
const skip = found('fw_printenv', '--version') ? false : 'fw_printenv is missing (Debian: libubootenv-tool)'
/** What Debian's and busybox's initramfs call sh; any other sh will do where it is not there. */
const shell = found('dash', '-c', ':') ? 'dash' : 'sh'

type Variables = Readonly<Record<string, string>>

/** A copy as fw_setenv writes it. */
function copyOf(variables: Variables, flag: number): Buffer {
  const copy = Buffer.alloc(limits.bootRecordBytes)
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\0`)
  copy.write(lines.join(''), 5, 'latin1')
  copy.writeUInt8(flag, 4)
  copy.writeUInt32LE(crc32(copy.subarray(5)), 0)
  return copy
}

/** The config that names both copies, with their offset and size. */
async function writeConfig(folder: string): Promise<string> {
  const config = join(folder, 'fw_env.config')
  const size = `0x${limits.bootRecordBytes.toString(16)}`
  await writeFile(config, [0, 1].map(copy => `${join(folder, `env${copy}.bin`)} 0x0 ${size}\n`).join(''))
  return config
}

async function writeRecord(folder: string, copies: readonly Buffer[]): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const [index, copy] of copies.entries()) await writeFile(join(folder, `env${index}.bin`), copy)
  return writeConfig(folder)
}

const runScript = (args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Promise<Ran> =>
  run(shell, [script, ...args], { env, ...(cwd !== undefined && { cwd }) })

async function printed(config: string): Promise<Variables> {
  const { stdout } = await run('fw_printenv', ['-c', config])
  return Object.fromEntries(stdout.split('\n').flatMap(line => (line.includes('=') ? [line.split(/=(.*)/s)] : [])))
}

const tries = ['0', '0', '1', '2', '3', '007', '08', '3x', '0x10', ' 2', '+1', '-1', 'abc', '', undefined] as const
const orders = ['A', 'B', 'A B', 'A B', 'B A', 'B A', 'A A', 'C A', 'B C A', 'rescue', '*', ' B  A ', 'b a', '', undefined] as const

function generate(random: Random, confirmed: string | undefined): Variables {
  const all = {
    BOOT_ORDER: random.pick(orders),
    BOOT_A_LEFT: random.pick(tries),
    BOOT_B_LEFT: random.pick(tries),
    CONFIRMED: confirmed,
    B_SHA: 'ab'.repeat(32),
    B_VERSION: `1.${random.whole(0, 9)}.0`,
    EPOCH: String(random.whole(0, 9)),
    TXID: random.pick(['01J', undefined]),
    bootcmd: random.pick(['run x; y=z', 'setenv CONFIRMED=B', undefined]),
  }
  return Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

const damages = ['none', 'none', 'none', 'first', 'second', 'both'] as const

/** Two copies, one a write older than the other, and damaged now and then. Who wrote no slot as the confirmed one, wrote none twice. */
function generateCopies(random: Random): { readonly copies: readonly Buffer[]; readonly what: string } {
  const confirmed = random.pick(['A', 'A', 'A', 'B', 'B', 'B', 'C', '', undefined])
  const flag = random.whole(0, 255)
  const isFirstNewer = random.fraction() < 0.5
  const records = [generate(random, confirmed), generate(random, confirmed)]
  const damage = random.pick(damages)
  const copies = records.map((record, index) => {
    const copy = copyOf(record, (flag + ((index === 0) === isFirstNewer ? 1 : 0)) & 0xff)
    if (damage === 'both' || damage === (['first', 'second'] as const)[index]) copy.fill(0xa5, 40, 44)
    return copy
  })
  return { copies, what: JSON.stringify({ records, flag, isFirstNewer, damage }) }
}

test('the script and the launcher of the service choose the same slot and leave the same record', { skip }, async t => {
  const seed = Number(process.env.ONVIFD_TEST_SEED ?? 20_261)
  console.log(`boot records from seed ${seed}`)
  const random = seeded(seed)
  const root = await temporaryFolder(t)
  // What an order of `*` would become, if the shell looked for files.
  for (const name of slotIds) await writeFile(join(root, name), '')
  const storage = createFileStorage()
  const seen = { A: 0, B: 0, counted: 0, 'cannot be read': 0 }

  async function compare(number: number): Promise<void> {
    const { copies, what } = generateCopies(random)
    const [ours, theirs] = [join(root, `${number}-ts`), join(root, `${number}-sh`)]
    const [config, theirConfig] = [await writeRecord(ours, copies), await writeRecord(theirs, copies)]
    const slot = await launch(storage, ours)
    const { code, stdout, stderr } = await runScript([theirConfig], {}, root)
    assert.deepEqual([code, stdout], [0, `${slot}\n`], what)
    seen[slot] += 1
    if (stderr !== '') seen['cannot be read'] += 1

    assert.deepEqual(await loadBootRecord(storage, theirs), await loadBootRecord(storage, ours), what)
    const left = async (folder: string) => Promise.all([0, 1].map(copy => readFile(join(folder, `env${copy}.bin`))))
    const [afterOurs, afterTheirs] = [await left(ours), await left(theirs)]
    const touched = (after: readonly Buffer[]) => after.map((copy, index) => !copy.equals(copies[index] ?? assert.fail()))
    assert.deepEqual(touched(afterTheirs), touched(afterOurs), `the same copy is written, or none: ${what}`)
    if (!touched(afterOurs).includes(true)) return
    seen.counted += 1
    const [record, theirRecord] = [await printed(config), await printed(theirConfig)]
    // The service brings what it cannot read into order; the script touches nothing but the count.
    for (const name of [`BOOT_${slot}_LEFT`, 'CONFIRMED', 'B_SHA', 'B_VERSION', 'EPOCH', 'TXID', 'bootcmd'])
      assert.equal(theirRecord[name], record[name], `${name}: ${what}`)
  }

  const count = 200
  for (let number = 0; number < count; number += 4) await Promise.all([0, 1, 2, 3].map(offset => compare(number + offset)))
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 10, `${what}: ${times} of ${count}`)
})

const trial: Variables = { BOOT_ORDER: 'B A', BOOT_A_LEFT: '3', BOOT_B_LEFT: '3', CONFIRMED: 'A' }

test('three tries, then the confirmed slot', { skip }, async t => {
  const config = await writeRecord(await temporaryFolder(t), [copyOf(trial, 255), copyOf({ ...trial, CONFIRMED: 'B' }, 254)])
  const booted: string[] = []
  for (let start = 0; start < 5; start += 1) booted.push((await runScript([config])).stdout.trim())
  assert.deepEqual(booted, ['B', 'B', 'B', 'A', 'A'])
})

test('the script becomes the command of its slot', { skip }, async t => {
  const config = await writeRecord(await temporaryFolder(t), [copyOf(trial, 1), copyOf(trial, 0)])
  const commands = ['echo "one $0"; exit 3', 'echo two; exit 4']
  const second = await runScript([config, ...commands])
  assert.deepEqual([second.code, second.stdout, second.stderr], [4, 'two\n', 'boot-launcher: slot B\n'])
  await writeRecord(join(config, '..'), [copyOf({ ...trial, BOOT_ORDER: '' }, 2), Buffer.alloc(0)])
  const first = await runScript([config, ...commands])
  assert.deepEqual([first.code, first.stdout], [3, 'one sh\n'])
})

/** Programs of one's own before those of the machine. */
async function programs(t: TestContext, scripts: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(t)
  for (const [name, text] of Object.entries(scripts)) await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return folder
}

for (const [what, text] of [
  ['fails', 'exit 1'],
  ['says that it has written and has not', 'exit 0'],
] as const) {
  test(`a try that cannot be counted is not made: fw_setenv ${what}`, { skip }, async t => {
    const copies = [copyOf(trial, 1), copyOf(trial, 0)]
    const folder = await temporaryFolder(t)
    const config = await writeRecord(folder, copies)
    const path = `${await programs(t, { fw_setenv: text })}:${process.env.PATH}`
    const { code, stdout, stderr } = await runScript([config], { PATH: path })
    assert.deepEqual([code, stdout], [0, 'A\n'])
    assert.match(stderr, /the try of slot B cannot be counted: slot A, which is confirmed/)
    assert.deepEqual(await readFile(join(folder, 'env1.bin')), copies[1])
  })
}

test('a machine without a boot record, or without fw_printenv, boots slot A', { skip }, async t => {
  const folder = await temporaryFolder(t)
  const tools = await programs(t, {})
  await symlink('/bin/sh', join(tools, 'sh'))
  const config = await writeConfig(folder)
  for (const env of [{}, { PATH: tools }]) {
    const { code, stdout, stderr } = await run('/bin/sh', [script, config], { env })
    assert.deepEqual([code, stdout], [0, 'A\n'], stderr)
    assert.match(stderr, /the boot record cannot be read: slot A/)
  }
  const usage = await runScript([])
  assert.notEqual(usage.code, 0)
  assert.match(usage.stderr, /usage: boot-launcher\.sh FW_ENV_CONFIG/)
})
