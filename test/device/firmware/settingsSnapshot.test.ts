import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createReserve } from '../../../src/device/firmware/reserve.ts'
import { createSettingsSnapshot } from '../../../src/device/firmware/settingsSnapshot.ts'
import { limits } from '../../../src/limits.ts'
import type { Log, RecordState, SlotInfo } from '../../../src/platform/platform.ts'
import { outcomes, SimulatedStorage } from '../../fault/simulatedStorage.ts'

const folder = '/state/upgrade'
const database = '/state/device.db'
const log = `${database}-wal`
/** Three chunks, the last one short; what a new image makes of them is shorter. */
const before = randomBytes(2 * limits.slotChunkBytes + 777)
const after = randomBytes(limits.slotChunkBytes)
const upgrade = '01TRANSACTION'

function snapshotOn(storage: SimulatedStorage, { carry = () => {} }: { carry?: (present: string, restored: string) => void } = {}) {
  const told: string[] = []
  const tell = (_: object, message: string) => void told.push(message)
  const log: Log = { debug() {}, info: tell, warn: tell, error: tell }
  return { told, ...createSettingsSnapshot({ storage, folder, databaseFile: database, carry, log }) }
}

/** What the engine says: which slot runs, which is the confirmed one, and which is next. */
function slots(running: string, confirmed: string, next: string, transaction: string | undefined = upgrade): readonly SlotInfo[] {
  return ['A', 'B'].map(id => ({
    id,
    running: id === running,
    confirmed: id === confirmed,
    next: id === next,
    version: '1.0.0',
    sha256: undefined,
    triesLeft: 1,
    transaction: id === confirmed ? undefined : transaction,
  }))
}

const idle = slots('A', 'A', 'A')
const activated = slots('A', 'A', 'B')
const trial = slots('B', 'A', 'B')
const committed = slots('B', 'B', 'B')

async function freshDisk(): Promise<SimulatedStorage> {
  const disk = new SimulatedStorage()
  await disk.create(database)
  await disk.pwrite(database, 0, before)
  await disk.fsync(database)
  await disk.create(`${folder}/journal.json`)
  await disk.fsync(`${folder}/journal.json`)
  await disk.fsyncDir('/state')
  await disk.fsyncDir(folder)
  return disk
}

/** What a new image does as soon as the settings are its own: it migrates them, and its log is not empty when the power fails. */
async function migrate(disk: SimulatedStorage): Promise<void> {
  await disk.create(database)
  await disk.pwrite(database, 0, after)
  await disk.fsync(database)
  await disk.create(log)
  await disk.pwrite(log, 0, Buffer.from('changes of the new image'))
  await disk.fsync(log)
  await disk.fsyncDir('/state')
}

const isBefore = (disk: SimulatedStorage): boolean => disk.content(database).equals(before)

async function assertOldSettings(disk: SimulatedStorage, trail: string): Promise<void> {
  // A surviving disk must have it, not only the cache.
  for (const outcome of outcomes) {
    const found = disk.after(outcome)
    assert.ok(isBefore(found), `the settings are the old ones${trail}`)
    assert.equal(await found.exists(log), false, `no log of the new image is played into them${trail}`)
  }
}

/** Lets the power fail after every operation of `act`, with every outcome; gives the disks, each once. */
async function cuts(start: SimulatedStorage, act: (disk: SimulatedStorage) => Promise<unknown>) {
  const found = new Map<string, { readonly disk: SimulatedStorage; readonly trail: string }>()
  const disk = start.after('lost')
  let operations = 0
  disk.onChange = () => {
    operations += 1
    for (const outcome of outcomes) {
      const next = disk.after(outcome)
      found.set(next.digest(), { disk: next, trail: ` · cut after ${operations}: ${outcome}` })
    }
  }
  await act(disk)
  disk.onChange = () => {}
  return { end: disk, found: [...found.values()] }
}

const keep = (disk: SimulatedStorage) => snapshotOn(disk).keep('A', upgrade, before)
const start = (disk: SimulatedStorage, found: readonly SlotInfo[], record: RecordState = 'whole') =>
  snapshotOn(disk).reconcile(found, record)

async function kept(): Promise<SimulatedStorage> {
  const disk = await freshDisk()
  await keep(disk)
  return disk.after('lost')
}

async function tried(): Promise<SimulatedStorage> {
  const disk = await kept()
  assert.equal(await start(disk, trial), 'kept')
  await migrate(disk)
  return disk.after('lost')
}

test('a new image that is given up leaves the settings as they were before it, and no snapshot', async () => {
  const disk = await tried()
  const snapshot = snapshotOn(disk)
  assert.equal(await snapshot.reconcile(idle, 'whole'), 'restored')
  await assertOldSettings(disk, '')
  assert.deepEqual(snapshot.told, ['the settings are again those from before the upgrade'])
  for (const file of ['settings.kept', 'settings.used', 'settings.kept.new']) assert.equal(await disk.exists(`${folder}/${file}`), false)
  const next = disk.after('lost')
  await migrate(next)
  assert.equal(await start(next, idle), 'none', 'what is set from then on stays')
  assert.equal(isBefore(next), false)
})

test('the log of the new image is gone for good before its database is replaced', async () => {
  const disk = await tried()
  await start(disk, idle)
  const changes = disk.journal.filter(([operation]) => operation !== 'read').map(([operation, path]) => `${operation} ${path}`)
  const [unlinked, replaced] = [`unlink ${log}`, `rename ${database}.restored`].map(change => changes.indexOf(change))
  assert.deepEqual(changes.slice(unlinked, replaced), [`unlink ${log}`, 'fsyncDir /state'])
})

test('a new image that is kept keeps its settings, whenever its start is cut off', async () => {
  const { end, found } = await cuts(await tried(), async disk => {
    await snapshotOn(disk).drop()
    assert.equal(await start(disk, committed), 'none')
  })
  assert.ok(found.length > 1)
  for (const { disk, trail } of [...found, { disk: end, trail: '' }]) {
    assert.equal(await start(disk, committed), 'none', trail)
    assert.ok(disk.content(database).equals(after), trail)
    assert.equal(await disk.after('lost').exists(`${folder}/settings.used`), false, trail)
  }
})

test('where a commit was cut off before its snapshot was dropped, the next start drops it, and the settings stay', async () => {
  const disk = await tried()
  assert.equal(await start(disk, committed), 'none')
  assert.ok(disk.content(database).equals(after))
  assert.equal(await disk.exists(`${folder}/settings.used`), false)
})

test('a power cut while the snapshot is made changes nothing', async () => {
  const { found } = await cuts(await freshDisk(), keep)
  assert.ok(found.length > 10, `${found.length} disks`)
  for (const { disk, trail } of found) {
    assert.equal(await start(disk, idle), 'none', trail)
    await assertOldSettings(disk, trail)
    for (const name of ['kept', 'kept.new']) assert.equal(await disk.exists(`${folder}/settings.${name}`), false, trail)
  }
})

test('a power cut at any moment of a trial, and two of them while the old slot comes back: the settings are the old ones', async () => {
  let disks = 0
  /** The new image starts and works on the settings; then the old slot is back. */
  const { found } = await cuts(await kept(), async disk => {
    await start(disk, trial)
    await migrate(disk)
  })
  assert.ok(found.length > 5, `${found.length} disks`)
  for (const first of found) {
    const second = await cuts(first.disk, disk => start(disk, idle))
    await assertOldSettings(second.end, first.trail)
    for (const { disk, trail } of second.found) {
      const third = await cuts(disk, again => start(again, idle))
      await assertOldSettings(third.end, first.trail + trail)
      for (const last of third.found) {
        disks += 1
        await start(last.disk, idle)
        await assertOldSettings(last.disk, first.trail + trail + last.trail)
      }
    }
  }
  console.log(`${disks} disks after three power cuts`)
  assert.ok(disks > 100)
})

test('a new image that is started twice, after a power cut, can still be given up', async () => {
  const { found } = await cuts(await kept(), async disk => {
    await start(disk, trial)
    await migrate(disk)
  })
  for (const { disk, trail } of found) {
    assert.equal(await start(disk, trial), 'kept', trail)
    await migrate(disk)
    assert.equal(await start(disk.after('lost'), idle), 'restored', trail)
  }
})

test('a snapshot that was never used is dropped without a change, once the old slot is next again', async () => {
  const disk = await kept()
  await migrate(disk)
  assert.equal(await start(disk, activated), 'kept', 'the reboot was lost, the way back is still needed')
  assert.equal(await start(disk, idle), 'none')
  assert.ok(disk.content(database).equals(after), 'settings made on the old slot stay')
  assert.equal(await disk.exists(`${folder}/settings.kept`), false)
})

test('the old slot that comes back for once, with the new one next, has its own settings, and the way back stays', async () => {
  const disk = await tried()
  assert.equal(await start(disk, activated), 'restored')
  await assertOldSettings(disk, '')
  assert.equal(await start(disk, trial), 'kept')
  await migrate(disk)
  assert.equal(await start(disk, idle), 'restored')
  await assertOldSettings(disk, '')
})

test('while the boot record is lost nothing is dropped, and the old slot has its own settings', async () => {
  const disk = await tried()
  const unknown = slots('B', 'B', 'B')
  assert.equal(await start(disk, unknown, 'lost'), 'kept')
  assert.ok(disk.content(database).equals(after))
  assert.equal(await start(disk, idle, 'lost'), 'restored')
  await assertOldSettings(disk, '')
})

test('a snapshot of another upgrade is no way back from this one', async () => {
  const disk = await kept()
  assert.equal(await start(disk, slots('B', 'A', 'B', '01ANOTHER')), 'none')
  await migrate(disk)
  assert.equal(await start(disk, idle), 'none')
  assert.ok(disk.content(database).equals(after))
  assert.equal(await start(await kept(), slots('B', 'A', 'B', undefined)), 'kept', 'an engine may not know the transaction')
})

test('what is left of the last upgrade is not taken for the snapshot of this one', async () => {
  // Slot B is confirmed, and what it was tried with was not dropped: the disk failed just then.
  const disk = await tried()
  await snapshotOn(disk).keep('B', '01NEXT', after)
  assert.equal(await disk.exists(`${folder}/settings.used`), false)
  assert.equal(await start(disk.after('lost'), slots('A', 'B', 'A', '01NEXT')), 'kept')
})

test('the last snapshot of an upgrade counts', async () => {
  const disk = await kept()
  await snapshotOn(disk).keep('A', upgrade, after)
  await start(disk, trial)
  assert.equal(await start(disk, idle), 'restored')
  assert.ok(disk.content(database).equals(after))
})

const sizes: readonly number[] = [0, 20, 200, before.length]

test('a damaged snapshot is never put back: the present settings stay, and the log says so', async () => {
  const whole = (await tried()).content(`${folder}/settings.used`)
  const flipped = (at: number) => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    return bytes
  }
  const damages = [
    ...[0, 10, 60, whole.indexOf('\n'), whole.indexOf('\n') + 1, whole.length - 1].map(flipped),
    ...sizes.map(size => whole.subarray(0, size)),
    Buffer.concat([whole, Buffer.of(0)]),
    Buffer.concat([Buffer.alloc(8, '0'), whole.subarray(8)]),
  ]
  for (const damage of damages) {
    const disk = await tried()
    disk.damage(`${folder}/settings.used`, damage)
    const snapshot = snapshotOn(disk)
    assert.equal(await snapshot.reconcile(idle, 'whole'), 'none')
    assert.ok(disk.content(database).equals(after))
    assert.deepEqual(snapshot.told, ['the snapshot of the settings is damaged: the present settings stay'])
    assert.deepEqual([await disk.exists(`${folder}/settings.used`), await disk.exists(`${database}.restored`)], [false, false])
    assert.equal(await start(disk, idle), 'none')
  }
})

test('a disk that does not keep the snapshot, or has no space for it, is told before anything depends on it', async () => {
  const disk = await kept()
  const lying = disk.after('lost')
  lying.onChange = () => {
    const path = `${folder}/settings.kept.new`
    if (lying.journal.at(-1)?.[0] !== 'fsync') return
    const content = Buffer.from(lying.content(path))
    content.writeUInt8(content.readUInt8(content.length - 1) ^ 1, content.length - 1)
    lying.damage(path, content)
  }
  await assert.rejects(snapshotOn(lying).keep('A', upgrade, after), { name: 'BackendError', reason: 'io' })

  const full = disk.after('lost')
  full.failure = operation => (operation === 'pwrite' ? Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }) : undefined)
  await assert.rejects(snapshotOn(full).keep('A', upgrade, after), { code: 'ENOSPC' })
  for (const each of [lying, full]) {
    each.onChange = () => {}
    each.failure = () => undefined
    await start(each, trial)
    assert.equal(await start(each, idle), 'restored')
    assert.ok(isBefore(each), 'the one before is still there')
  }
  const large = Buffer.alloc(limits.settingsBytesMax + 1)
  await assert.rejects(snapshotOn(disk).keep('A', upgrade, large), { name: 'BackendError', reason: 'nospace' })
})

test('where the disk fails at the way back, the start fails, and the next one goes on', async () => {
  for (const failing of ['create', 'pwrite', 'fsync', 'rename', 'unlink', 'fsyncDir'] as const) {
    const disk = await tried()
    disk.failure = operation => (operation === failing ? Object.assign(new Error('EIO'), { code: 'EIO' }) : undefined)
    await assert.rejects(start(disk, idle), { code: 'EIO' }, failing)
    const next = disk.after('lost')
    assert.equal(await start(next, idle), 'restored', failing)
    await assertOldSettings(next, ` after a failing ${failing}`)
  }
})

test('a full disk does not keep the old slot from its settings, as long as there is a reserve', async () => {
  const disk = await tried()
  await createReserve(disk, folder).prepare()
  let isReserved = true
  disk.onChange = () => {
    if (disk.journal.at(-1)?.join(' ') === `unlink ${folder}/reserve`) isReserved = false
  }
  disk.failure = operation => (operation === 'pwrite' && isReserved ? Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }) : undefined)
  assert.equal(await start(disk, idle), 'restored')
  await assertOldSettings(disk, '')
})

test('what belongs to the machine is taken over before the present settings are touched; where that fails they go back as a whole', async () => {
  const disk = await tried()
  const carried: string[] = []
  // An earlier start was cut off here.
  await disk.create(`${database}.restored-wal`)
  const carry = (present: string, restored: string) => {
    carried.push(present, restored)
    assert.throws(() => disk.content(`${restored}-wal`), { code: 'ENOENT' })
    assert.ok(disk.content(present).equals(after) && disk.content(restored).equals(before))
    disk.damage(restored, Buffer.from('the old settings with the present clock'))
  }
  await snapshotOn(disk, { carry }).reconcile(idle, 'whole')
  assert.deepEqual(carried, [database, `${database}.restored`])
  assert.equal(disk.content(database).toString(), 'the old settings with the present clock')

  const unreadable = await tried()
  const failing = (_: string, restored: string) => {
    unreadable.damage(restored, Buffer.from('half of it'))
    void unreadable.create(`${restored}-wal`)
    throw new Error('no database')
  }
  const snapshot = snapshotOn(unreadable, { carry: failing })
  assert.equal(await snapshot.reconcile(idle, 'whole'), 'restored')
  await assertOldSettings(unreadable, '')
  assert.match(snapshot.told[0] ?? '', /the present ones cannot be read/)
  assert.equal(await unreadable.exists(`${database}.restored-wal`), false)
})

test('the file says what it is: a line with slot, transaction and digest, then the settings', async () => {
  const content = (await kept()).content(`${folder}/settings.kept`)
  const end = content.indexOf('\n')
  assert.deepEqual(JSON.parse(content.toString('utf8', 8, end)), {
    form: 1,
    slot: 'A',
    transaction: upgrade,
    sha256: createHash('sha256').update(before).digest('hex'),
  })
  assert.ok(content.subarray(end + 1).equals(before))
})
