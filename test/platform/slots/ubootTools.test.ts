import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'
import { type BootRecord, loadBootRecord, saveBootRecord } from '../../../src/platform/slots/bootRecord.ts'
import { type RecordCopy, readEnvironment } from '../../../src/platform/slots/environment.ts'
import { launch } from '../../../src/platform/slots/launcher.ts'

const missing = ['fw_printenv', 'fw_setenv'].filter(command => spawnSync(command, ['--version']).error)
const skip = missing.length > 0 && `${missing.join(' and ')} not found: apt-get install libubootenv-tool`

const root = mkdtempSync(join(tmpdir(), 'onvifd-uboot-'))
after(() => rmSync(root, { recursive: true, force: true }))
const storage = createFileStorage()

/** Two copies with a config for the tools: files of their own, or places on one device as on an eMMC. */
function machine(kind: 'files' | 'device') {
  const folder = mkdtempSync(join(root, `${kind}-`))
  const bytes = kind === 'files' ? 8_192 : 16_384
  const copies: readonly [RecordCopy, RecordCopy] =
    kind === 'files'
      ? [
          { path: join(folder, 'env0.bin'), offset: 0, bytes },
          { path: join(folder, 'env1.bin'), offset: 0, bytes },
        ]
      : [
          { path: join(folder, 'mmcblk0'), offset: 65_536, bytes },
          { path: join(folder, 'mmcblk0'), offset: 131_072, bytes },
        ]
  for (const { path } of copies) writeFileSync(path, Buffer.alloc(kind === 'files' ? bytes : 262_144, 0xaa))
  const config = join(folder, 'fw_env.config')
  writeFileSync(config, copies.map(({ path, offset }) => `${path} 0x${offset.toString(16)} 0x${bytes.toString(16)}\n`).join(''))
  const tool = (command: string, ...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(command, ['-c', config, ...args], { encoding: 'utf8' })
    assert.equal(status, 0, `${command} ${args.join(' ')}: ${stderr}`)
    return stdout.trimEnd()
  }
  return {
    copies,
    set: (name: string, value: string) => tool('fw_setenv', name, value),
    get: (name: string) => tool('fw_printenv', '-n', name),
    all: () => tool('fw_printenv').split('\n'),
    flag: (index: 0 | 1) => readFileSync(copies[index].path).readUInt8(copies[index].offset + 4),
    damage(index: 0 | 1) {
      const { path, offset } = copies[index]
      const content = readFileSync(path)
      writeFileSync(path, content.fill(content.readUInt8(offset + 9) ^ 0xff, offset + 9, offset + 10))
    },
  }
}

const digest = 'ab'.repeat(32)
const record: BootRecord = {
  order: ['B', 'A'],
  left: { A: 3, B: 2 },
  confirmed: 'A',
  images: {
    A: { version: '1.0.0', sha256: digest, sizeBytes: 1_234, securityEpoch: 2, others: new Map() },
    B: {
      version: '1.1.0+build=7',
      sha256: digest,
      sizeBytes: 5_678,
      securityEpoch: 3,
      others: new Map([
        ['app', { sha256: digest, sizeBytes: 9, version: '7 or so' }],
        ['vendor-data', { sha256: digest, sizeBytes: 10, version: undefined }],
      ]),
    },
  },
  securityEpoch: 2,
  transaction: '01J',
}

for (const kind of ['files', 'device'] as const) {
  test(`fw_printenv reads what we wrote, and we what fw_setenv wrote: ${kind}`, { skip }, async () => {
    const { copies, set, get, all } = machine(kind)
    await saveBootRecord(storage, copies, record)
    assert.deepEqual(
      all().sort(),
      [
        'A_EPOCH=2',
        `A_SHA=${digest}`,
        'A_SIZE=1234',
        'A_VERSION=1.0.0',
        `B_APP_SHA=${digest}`,
        'B_APP_SIZE=9',
        'B_APP_VERSION=7 or so',
        'B_EPOCH=3',
        `B_SHA=${digest}`,
        'B_SIZE=5678',
        `B_VENDOR_DATA_SHA=${digest}`,
        'B_VENDOR_DATA_SIZE=10',
        'B_VERSION=1.1.0+build=7',
        'BOOT_A_LEFT=3',
        'BOOT_B_LEFT=2',
        'BOOT_ORDER=B A',
        'CONFIRMED=A',
        'EPOCH=2',
        'TXID=01J',
      ].sort(),
    )
    assert.deepEqual(await loadBootRecord(storage, copies), record)

    set('BOOT_ORDER', 'A B')
    set('bootcmd', 'run a; setenv x=y  and z')
    set('A_SHA_NOTE', 'not ours')
    set('A_FDT_SHA', 'not a digest')
    set('A_FDT_SIZE', '5')
    assert.deepEqual(await loadBootRecord(storage, copies), { ...record, order: ['A', 'B'] })
    await saveBootRecord(storage, copies, { ...record, images: { A: undefined, B: undefined }, transaction: undefined })
    assert.equal(get('bootcmd'), 'run a; setenv x=y  and z', 'what others keep there stays')
    assert.deepEqual(
      all()
        .filter(line => /^[AB]_|TXID/.test(line))
        .sort(),
      ['A_FDT_SHA=not a digest', 'A_FDT_SIZE=5', 'A_SHA_NOTE=not ours'],
    )
  })

  test(`a damaged copy is passed over by both sides and mended by whoever writes next: ${kind}`, { skip }, async () => {
    const { copies, set, get, damage } = machine(kind)
    const state = async () => (await readEnvironment(storage, copies)).state
    assert.equal(await state(), 'lost')
    await saveBootRecord(storage, copies, record)
    assert.equal(await state(), 'half')
    await saveBootRecord(storage, copies, record)
    assert.equal(await state(), 'whole')
    let epoch = 90
    const save = () => {
      epoch += 1
      return saveBootRecord(storage, copies, { ...record, securityEpoch: epoch })
    }
    for (const [index, newest] of [
      [0, 1],
      [1, 0],
      [0, 0],
      [1, 1],
    ] as const) {
      // So that the newest one is where it should be.
      await save()
      if (newest !== newestOf(copies)) await save()
      damage(index)
      assert.equal(await state(), 'half')
      const found = (await loadBootRecord(storage, copies))?.securityEpoch
      assert.equal(found, index === newest ? epoch - 1 : epoch)
      assert.equal(get('EPOCH'), String(found), 'both see the same')
      await save()
      assert.equal(await state(), 'whole')
      assert.equal(get('EPOCH'), String(epoch))
      damage(index)
      epoch += 1
      set('EPOCH', String(epoch))
      assert.equal(await state(), 'whole')
      assert.equal((await loadBootRecord(storage, copies))?.securityEpoch, epoch)
    }
  })
}

function newestOf([first, second]: readonly [RecordCopy, RecordCopy]): 0 | 1 {
  const flags = [first, second].map(({ path, offset }) => readFileSync(path).readUInt8(offset + 4))
  const [a = 0, b = 0] = flags
  return a === 255 && b === 0 ? 1 : b === 255 && a === 0 ? 0 : b > a ? 1 : 0
}

test('300 writes, by turns, go round the counter', { skip }, async () => {
  const { copies, set, get, flag } = machine('files')
  await saveBootRecord(storage, copies, record)
  const flags = new Set<number>()
  for (let write = 1; write <= 300; write += 1) {
    if (write % 2 === 0 && write % 3 === 0) set('EPOCH', String(write))
    else await saveBootRecord(storage, copies, { ...record, securityEpoch: write })
    assert.equal((await loadBootRecord(storage, copies))?.securityEpoch, write)
    if (write % 10 === 0 || (write > 250 && write < 260)) assert.equal(get('EPOCH'), String(write))
    flags.add(flag(write % 2 === 0 ? 0 : 1))
  }
  assert.ok(flags.has(255) && flags.has(0), 'it went round')
  assert.ok((flag(0) === 45) !== (flag(1) === 45), 'one more with each write')
})

test('both sides choose the same copy, whatever the counters are', { skip }, async () => {
  for (const [first, second] of [
    [0, 255],
    [255, 0],
    [1, 0],
    [0, 1],
    [200, 10],
    [10, 200],
    [254, 255],
    [7, 7],
  ] as const) {
    const { copies, get } = machine('files')
    for (const [copy, flag, epoch] of [
      [copies[0], first, 1],
      [copies[1], second, 2],
    ] as const) {
      const other = join(root, 'other')
      rmSync(other, { force: true })
      await saveBootRecord(
        storage,
        [
          { ...copy, path: other },
          { ...copy, path: `${other}2` },
        ],
        { ...record, securityEpoch: epoch },
      )
      const bytes = readFileSync(other)
      bytes.writeUInt8(flag, 4)
      writeFileSync(copy.path, bytes)
    }
    assert.equal(String((await loadBootRecord(storage, copies))?.securityEpoch), get('EPOCH'), `${first} and ${second}`)
  }
})

test('an environment in which nobody has said anything about slots is kept, and taken as it comes', { skip }, async () => {
  const { copies, set, get } = machine('files')
  await saveBootRecord(storage, copies, record)
  await saveBootRecord(storage, copies, record)
  set('ethaddr', '02:00:00:00:00:01')
  set('CONFIRMED', '')
  assert.equal(await loadBootRecord(storage, copies), undefined)
  assert.equal((await readEnvironment(storage, copies)).state, 'whole')
  assert.equal(await launch(storage, copies), 'A')
  await saveBootRecord(storage, copies, { ...record, confirmed: 'B' })
  assert.deepEqual([get('ethaddr'), get('CONFIRMED')], ['02:00:00:00:00:01', 'B'])
})

test('an environment that is full says so, and stays as it is', { skip }, async () => {
  const { copies, set, get } = machine('files')
  await saveBootRecord(storage, copies, record)
  set('large', 'x'.repeat(7_000))
  const others = new Map(
    Array.from({ length: 12 }, (_, index) => [`role${index}`, { sha256: digest, sizeBytes: 1, version: '1' }] as const),
  )
  const before = copies.map(({ path }) => readFileSync(path))
  await assert.rejects(
    saveBootRecord(storage, copies, {
      ...record,
      images: { A: { ...record.images.A, version: '1', sha256: digest, sizeBytes: 1, securityEpoch: 1, others }, B: undefined },
    }),
    {
      name: 'BackendError',
      reason: 'nospace',
      message: /full: it has 8192 bytes, and \d+ are needed/,
    },
  )
  assert.deepEqual(
    copies.map(({ path }) => readFileSync(path)),
    before,
  )
  assert.equal(get('large').length, 7_000)
})
