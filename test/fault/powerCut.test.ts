import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { limits } from '../../src/limits.ts'
import type { Clock } from '../../src/platform/platform.ts'
import { loadBootRecord, slotFile } from '../../src/platform/slots/bootRecord.ts'
import { launch } from '../../src/platform/slots/launcher.ts'
import { prepareSlots } from '../../src/platform/slots/prepareSlots.ts'
import { factoryContent, folder, image, pieces, service, uploadOf } from '../device/firmware/workbench.ts'
import { outcomes, SimulatedStorage } from './simulatedStorage.ts'

/** Time stands still, and no timer ever fires: a power cut needs neither, and the same disk stays the same disk. */
const clock: Clock = { now: () => new Date('2026-06-01T12:00:00Z'), monotonicMs: () => 0, async set() {}, after: () => () => {} }

const oldContent = randomBytes(limits.slotChunkBytes + 500)
const oldImage = await image(oldContent, { version: '1.0.1' })
/** Three writes, the last one short. */
const newContent = randomBytes(2 * limits.slotChunkBytes + 1_000)
const newImage = await image(newContent, { securityEpoch: 7 })

type Health = 'healthy' | 'sick' | 'dead'

class Violation extends Error {}

/** What runs. */
type Firmware = 'factory' | 'old' | 'new'

/**
 * A device from power-on until nothing more happens. A healthy image passes its self-check, a sick one fails it, and a dead one
 * never gets so far that our code runs. With `upload`, an administrator sends this image as soon as the device is idle.
 */
async function live(disk: SimulatedStorage, health: Health, upload: Buffer | undefined): Promise<Firmware> {
  let toUpload = upload
  for (let boots = 0; boots < 20; boots += 1) {
    await prepareSlots(disk, folder, { version: '1.0.0', content: factoryContent })
    const slot = await launch(disk, folder)
    const runs = wholeImage(disk, await loadBootRecord(disk, folder), slot)
    const isNew = runs === 'new'
    if (isNew && health === 'dead') continue
    const { firmware, power } = await service(disk, clock, slot)
    await firmware.resume(async () => {
      if (isNew && health === 'sick') throw new Error('sick')
    })
    if (power.reboots === 0 && toUpload) {
      const { ticket } = firmware.start('admin')
      const { afterReply } = await firmware.upload.receive(uploadOf(ticket), pieces(toUpload))
      toUpload = undefined
      await afterReply()
    }
    if (power.reboots > 0) continue
    const record = await loadBootRecord(disk, folder)
    if (record?.confirmed !== slot) throw new Violation('the running slot is not confirmed at the end')
    if (firmware.status().state !== 'Idle') throw new Violation(`the device ends in ${firmware.status().state}`)
    if (record.securityEpoch === 7 && !isNew) throw new Violation('the epoch was raised, and the old image runs')
    if (isNew && health !== 'healthy') throw new Violation(`a ${health} image was kept`)
    firmware.start('admin')
    return runs
  }
  throw new Violation('the device restarts for ever')
}

function wholeImage(disk: SimulatedStorage, record: Awaited<ReturnType<typeof loadBootRecord>>, slot: 'A' | 'B'): Firmware {
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
async function explore(
  start: SimulatedStorage,
  health: Health,
  deep: number,
  prepare: (disk: SimulatedStorage) => void = () => {},
): Promise<Survey> {
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
          prepare(next)
          found.push([next, `${trail} · cut after ${operations}: ${outcome}${journal}`])
        }
      }
    }
    disk.onChange = cut
    try {
      const runs = await live(disk, health, upload)
      if (upload && health === 'healthy' && runs !== 'new') throw new Violation('a healthy image was not installed')
      if (runs === 'factory' && !isFirst) throw new Violation('the device fell back to its factory image')
    } catch (error) {
      throw error instanceof Violation ? new Violation(`${error.message}${trail}`) : error
    }
    survey.ends += 1
    for (const [next, path] of found) await visit(next, undefined, left - 1, path)
  }

  prepare(start)
  await visit(start, newImage, deep, '')
  return survey
}

/** Power cuts one after the other. Four take five times as long. */
const cuts = 2

/** A device that has been upgraded once, so that both slots and both copies of the boot record have a past. */
async function upgradedOnce(): Promise<SimulatedStorage> {
  const disk = new SimulatedStorage()
  await live(disk, 'healthy', oldImage)
  return disk.after('lost')
}

for (const health of ['healthy', 'sick', 'dead'] as const) {
  test(`a power cut at any moment of an upgrade leaves a device that runs: ${health} image`, async () => {
    const survey = await explore(await upgradedOnce(), health, cuts)
    console.log(`${health} image: ${survey.cuts} power cuts, ${survey.ends} ends`)
    assert.ok(survey.cuts > 500, 'the power was cut')
  })
}

test('a power cut at any moment of the first start leaves a device that runs', async () => {
  const { cuts } = await explore(new SimulatedStorage(), 'healthy', 1)
  console.log(`first start and first upgrade: ${cuts} power cuts`)
})

const lying = (file: RegExp) => (disk: SimulatedStorage) => {
  disk.lie = path => file.test(path)
}

test('the exploration finds a sync that is missing', async () => {
  await assert.rejects(explore(await upgradedOnce(), 'healthy', 1, lying(/slot-.\.img$/)), /booted half-written/)
  await assert.rejects(explore(await upgradedOnce(), 'dead', 2, lying(/env.\.bin$/)), Violation)
})

test('a journal that is never synced costs nothing but the journal', async () => {
  await explore(await upgradedOnce(), 'healthy', 1, lying(/journal\.json/))
})
