import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { createFirmware } from '../../src/device/firmware/firmware.ts'
import { createHealth } from '../../src/device/firmware/health.ts'
import { createSettingsSnapshot } from '../../src/device/firmware/settingsSnapshot.ts'
import { limits } from '../../src/limits.ts'
import type { Clock, Storage, UpdateBackend } from '../../src/platform/platform.ts'
import { loadBootRecord, type Slot, saveBootRecord, slotFile } from '../../src/platform/slots/bootRecord.ts'
import { launch, nextSlot } from '../../src/platform/slots/launcher.ts'
import { virtualLayout } from '../../src/platform/slots/layout.ts'
import { prepareSlots } from '../../src/platform/slots/prepareSlots.ts'
import { createSlotEngine } from '../../src/platform/slots/slotEngine.ts'
import { appBytesMax, board, ca, factoryContent, folder, image, pieces, silent, trusting, uploadOf } from '../device/firmware/workbench.ts'
import { outcomes, SimulatedStorage } from './simulatedStorage.ts'

/** Time stands still, and no timer fires but the one that ends a trial: a power cut needs none. */
const clock: Clock = { now: () => new Date('2026-06-01T12:00:00Z'), monotonicMs: () => 0, async set() {}, after: () => () => {} }

const oldContent = randomBytes(limits.slotChunkBytes + 500)
const oldImage = await image(oldContent, { version: '1.0.1' })
/** Three writes, the last one short. */
const newContent = randomBytes(2 * limits.slotChunkBytes + 1_000)
const newImage = await image(newContent, { securityEpoch: 7 })
const database = '/state/device.db'

type Health = 'healthy' | 'sick' | 'dead'

class Violation extends Error {}

/** What runs. Its settings are in a form of its own, which only itself and what is newer can read. */
type Firmware = 'factory' | 'old' | 'new'

/** A mistake that somebody could make; what is not named is as shipped. */
interface Mistake {
  /** The disk as the code sees it. */
  readonly storage?: (disk: SimulatedStorage) => Storage
  readonly launch?: (storage: Storage) => Promise<Slot>
  readonly backend?: (engineOn: (storage: Storage) => UpdateBackend, disk: SimulatedStorage) => UpdateBackend
  /** Before anything else at each start. */
  readonly start?: (disk: SimulatedStorage) => Promise<void>
}

/**
 * A device from power-on until nothing more happens. A healthy image passes its self-check, a sick one fails it, and a dead one
 * never gets so far that our code runs. With `upload`, an administrator sends this image as soon as the device is idle.
 */
async function live(disk: SimulatedStorage, health: Health, upload: Buffer | undefined, mistake: Mistake): Promise<Firmware> {
  const storage = mistake.storage?.(disk) ?? disk
  let toUpload = upload
  for (let boots = 0; boots < 20; boots += 1) {
    await prepareSlots(storage, folder, { version: '1.0.0', content: factoryContent })
    const slot = await (mistake.launch?.(storage) ?? launch(storage, folder))
    const runs = wholeImage(disk, await loadBootRecord(disk, folder), slot)
    const isNew = runs === 'new'
    if (isNew && health === 'dead') continue
    await mistake.start?.(disk)
    const { firmware, reboots } = await service(disk, storage, slot, runs, health, mistake)
    await firmware.resume()
    if (reboots() === 0 && toUpload) {
      const { ticket } = firmware.start('admin')
      const { afterReply } = await firmware.upload.receive(uploadOf(ticket), pieces(toUpload))
      toUpload = undefined
      await afterReply()
    }
    if (reboots() > 0) continue
    const record = await loadBootRecord(disk, folder)
    if (record?.confirmed !== slot) throw new Violation('the running slot is not confirmed at the end')
    if (firmware.status().state !== 'Idle') throw new Violation(`the device ends in ${firmware.status().state}`)
    if (record.securityEpoch === 7 && !isNew) throw new Violation('the epoch was raised, and the old image runs')
    if (isNew && health !== 'healthy') throw new Violation(`a ${health} image was kept`)
    if ((await settingsOf(storage)) !== runs) throw new Violation('the settings are not those of the image that runs')
    firmware.start('admin')
    return runs
  }
  throw new Violation('the device restarts for ever')
}

/** One start of our code in this slot. */
async function service(disk: SimulatedStorage, storage: Storage, slot: Slot, runs: Firmware, health: Health, mistake: Mistake) {
  const layout = virtualLayout(folder, 4_194_304, appBytesMax)
  const trust = trusting(ca.caPem)
  const engineOn = (on: Storage) =>
    createSlotEngine({ storage: on, layout, record: folder, running: slot, board, trust, clock, log: silent })
  const backend = mistake.backend?.(engineOn, disk) ?? engineOn(storage)
  const snapshot = createSettingsSnapshot({ storage, folder, databaseFile: database, carry() {}, log: silent })
  await snapshot.reconcile(await backend.slots(), await backend.record())
  await openSettings(storage, runs)

  let reboots = 0
  let giveUp = () => {}
  const isSick = runs === 'new' && health === 'sick'
  const trial = createHealth({
    clock: {
      ...clock,
      // A sick image stays sick: its deadline comes as soon as it has failed.
      after(delayMs, act) {
        if (delayMs === trialMs) giveUp = act
        return () => {}
      },
    },
    checks: [
      {
        name: 'own request',
        async run() {
          if (!isSick) return
          setImmediate(giveUp)
          throw new Error('sick')
        },
      },
    ],
    settleMs: 0,
    deadlineMs: trialMs,
    confirm: 'auto',
    log: silent,
  })
  const firmware = await createFirmware({
    backend,
    clock,
    storage,
    power: {
      bootTimeMs: 2_000,
      async reboot() {
        reboots += 1
      },
    },
    log: silent,
    folder,
    hold: false,
    health: trial,
    settings: {
      keep: async (id, transaction) => snapshot.keep(id, transaction, Buffer.from(await settingsOf(storage))),
      drop: snapshot.drop,
    },
  })
  return { firmware, reboots: () => reboots }
}

const trialMs = 300_000
const forms: readonly Firmware[] = ['factory', 'old', 'new']

/** As a start does: reads what is there, and brings it into its own form, all or nothing. */
async function openSettings(storage: Storage, runs: Firmware): Promise<void> {
  if (await storage.exists(database)) {
    const form = forms.indexOf(runs)
    const found = await settingsOf(storage)
    if (!forms.slice(0, form + 1).some(known => known === found)) throw new Violation(`${runs} cannot read the settings of ${found}`)
    if (found === runs) return
  }
  const temporary = `${database}.new`
  await storage.create(temporary)
  await storage.pwrite(temporary, 0, Buffer.from(runs))
  await storage.fsync(temporary)
  await storage.rename(temporary, database)
  await storage.fsyncDir('/state')
}

const settingsOf = async (storage: Storage): Promise<string> => (await storage.read(database, 0, Buffer.alloc(16))).toString()

function wholeImage(disk: SimulatedStorage, record: Awaited<ReturnType<typeof loadBootRecord>>, slot: Slot): Firmware {
  const size = record?.images[slot]?.sizeBytes ?? 0
  const content = disk.content(slotFile(folder, slot)).subarray(0, size)
  if (content.equals(newContent)) return 'new'
  if (content.equals(oldContent)) return 'old'
  if (content.equals(factoryContent)) return 'factory'
  throw new Violation(`slot ${slot} was booted half-written`)
}

interface Survey {
  /** Power cuts that led to different disks. */
  cuts: number
  ends: number
}

/**
 * Cuts the power after every operation of a life, lets each of the five things happen to the disk, with and without the journal,
 * lives on from there, and cuts again, `deep` times in all. A disk that was seen with as many cuts left is not looked at again.
 */
async function explore(start: SimulatedStorage, health: Health, deep: number, mistake: Mistake = {}): Promise<Survey> {
  const survey: Survey = { cuts: 0, ends: 0 }
  const isFirst = !(await start.exists(slotFile(folder, 'A')))
  const seen = new Set<string>()

  async function visit(disk: SimulatedStorage, upload: Buffer | undefined, left: number, trail: string): Promise<void> {
    const found: (readonly [disk: SimulatedStorage, trail: string])[] = []
    let operations = 0
    const cut = () => {
      operations += 1
      if (left === 0) return
      for (const outcome of outcomes) {
        for (const journal of ['', ' without journal']) {
          const next = disk.after(outcome)
          if (journal) next.remove(`${folder}/journal.json`)
          const key = `${left} ${next.digest()}`
          if (seen.has(key)) continue
          seen.add(key)
          survey.cuts += 1
          found.push([next, `${trail} · cut after ${operations}: ${outcome}${journal}`])
        }
      }
    }
    disk.onChange = cut
    try {
      const runs = await live(disk, health, upload, mistake)
      if (upload && health === 'healthy' && runs !== 'new') throw new Violation('a healthy image was not installed')
      if (runs === 'factory' && !isFirst) throw new Violation('the device fell back to its factory image')
    } catch (error) {
      throw error instanceof Violation ? new Violation(`${error.message}${trail}`) : error
    }
    survey.ends += 1
    for (const [next, path] of found) await visit(next, undefined, left - 1, path)
  }

  await visit(start, newImage, deep, '')
  return survey
}

/** Power cuts one after the other. Four take five times as long. */
const cuts = 2

/** A device that has been upgraded once, so that both slots and both copies of the boot record have a past. */
async function upgradedOnce(): Promise<SimulatedStorage> {
  const disk = new SimulatedStorage()
  await live(disk, 'healthy', oldImage, {})
  return disk.after('lost')
}

for (const health of ['healthy', 'sick', 'dead'] as const) {
  test(`case 13: a power cut at any moment of an upgrade leaves a device that runs: ${health} image`, async () => {
    const survey = await explore(await upgradedOnce(), health, cuts)
    console.log(`${health} image: ${survey.cuts} power cuts, ${survey.ends} ends`)
    assert.ok(survey.cuts > 500, 'the power was cut')
  })
}

test('a power cut at any moment of the first start leaves a device that runs', async () => {
  const { cuts } = await explore(new SimulatedStorage(), 'healthy', 1)
  console.log(`first start and first upgrade: ${cuts} power cuts`)
})

/** A disk that says it has synced these files, and has not. */
const lying = (files: RegExp) => (disk: SimulatedStorage) => {
  disk.lie = path => files.test(path)
  return disk
}

/** Every write of the boot record goes into both copies, and then both are synced. */
function bothCopiesAtOnce(disk: SimulatedStorage): Storage {
  const copies = ['env0.bin', 'env1.bin'].map(name => `${folder}/${name}`)
  const forBoth = (path: string, act: (path: string) => Promise<void>) =>
    (copies.includes(path) ? copies : [path]).reduce((before, each) => before.then(() => act(each)), Promise.resolve())
  return {
    create: (path, size) => disk.create(path, size),
    pwrite: (path, offset, bytes) => forBoth(path, each => disk.pwrite(each, offset, bytes)),
    fsync: path => forBoth(path, each => disk.fsync(each)),
    rename: (from, to) => disk.rename(from, to),
    fsyncDir: path => disk.fsyncDir(path),
    unlink: path => disk.unlink(path),
    read: (path, offset, into) => disk.read(path, offset, into),
    exists: path => disk.exists(path),
  }
}

/** What the shipped engine does, done on another disk first, comes to this one in the wrong order. */
function activatingFirst(engineOn: (storage: Storage) => UpdateBackend, disk: SimulatedStorage): UpdateBackend {
  return {
    ...engineOn(disk),
    async install(image, context) {
      const elsewhere = disk.after('kept')
      const engine = engineOn(elsewhere)
      const installed = await engine.install(image, context)
      await engine.activate(installed.target, context.transaction)
      const record = (await loadBootRecord(elsewhere, folder)) ?? assert.fail('no record')
      await saveBootRecord(disk, folder, record)
      const path = slotFile(folder, installed.target === 'A' ? 'A' : 'B')
      await disk.pwrite(path, 0, elsewhere.content(path))
      await disk.fsync(path)
      return installed
    },
  }
}

function raisingTheEpochAtOnce(engineOn: (storage: Storage) => UpdateBackend, disk: SimulatedStorage): UpdateBackend {
  const engine = engineOn(disk)
  return {
    ...engine,
    async install(image, context) {
      const installed = await engine.install(image, context)
      const record = (await loadBootRecord(disk, folder)) ?? assert.fail('no record')
      await saveBootRecord(disk, folder, { ...record, securityEpoch: installed.head.securityEpoch ?? 0 })
      return installed
    },
  }
}

/** A start that takes an unreadable journal for the end of the world. */
async function trustTheJournal(disk: SimulatedStorage): Promise<void> {
  const path = `${folder}/journal.json`
  if (!(await disk.exists(path))) return
  const text = disk.content(path).toString()
  if (crc32(text.slice(8)).toString(16).padStart(8, '0') !== text.slice(0, 8)) throw new Violation('the device does not start')
}

const mistakes: readonly (readonly [name: string, health: Health, deep: number, finding: RegExp, mistake: Mistake])[] = [
  ['a slot is not synced', 'healthy', 1, /booted half-written/, { storage: lying(/slot-.\.img$/) }],
  ['the boot record is not synced', 'dead', 2, /./, { storage: lying(/env.\.bin$/) }],
  ['the slot is activated before it is written', 'healthy', 1, /booted half-written|factory/, { backend: activatingFirst }],
  [
    'both copies of the boot record are written at once',
    'healthy',
    1,
    /booted half-written|factory|Recovery/,
    { storage: bothCopiesAtOnce },
  ],
  ['nobody counts the tries', 'dead', 1, /restarts for ever/, { launch: async storage => nextSlot(await loadBootRecord(storage, folder)) }],
  ['the epoch is raised at the installation', 'dead', 1, /the epoch was raised/, { backend: raisingTheEpochAtOnce }],
  ['a journal that was not synced is trusted', 'healthy', 1, /does not start/, { storage: lying(/journal\.json/), start: trustTheJournal }],
  ['the snapshot of the settings is not synced', 'sick', 1, /settings/, { storage: lying(/settings\./) }],
]

for (const [name, health, deep, finding, mistake] of mistakes) {
  test(`the exploration finds it where ${name}`, async () => {
    await assert.rejects(explore(await upgradedOnce(), health, deep, mistake), error => {
      assert.ok(error instanceof Violation, String(error))
      assert.match(error.message, finding)
      return true
    })
  })
}

test('case 21: a journal that is never synced costs nothing but the journal', async () => {
  await explore(await upgradedOnce(), 'healthy', 1, { storage: lying(/journal\.json/) })
})
