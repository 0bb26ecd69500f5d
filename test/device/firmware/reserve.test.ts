import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReserve } from '../../../src/device/firmware/reserve.ts'
import { createSavedFile } from '../../../src/device/firmware/savedFile.ts'
import { limits } from '../../../src/limits.ts'
import { outcomes, SimulatedStorage } from '../../fault/simulatedStorage.ts'

const folder = '/state/upgrade'
const file = `${folder}/reserve`

/** A disk that is full as long as the reserve is there: every write of something else fails. */
function fullDisk(code = 'ENOSPC'): SimulatedStorage {
  const disk = new SimulatedStorage()
  let isThere = false
  disk.onChange = () => {
    const [operation, path] = disk.journal.at(-1) ?? []
    if (operation === 'rename' && path === `${file}.new`) isThere = true
    if (operation === 'unlink' && path === file) isThere = false
  }
  disk.failure = operation => (operation === 'pwrite' && isThere ? Object.assign(new Error(code), { code }) : undefined)
  return disk
}

const journalOn = (disk: SimulatedStorage) => createSavedFile(disk, folder, 'journal.json', limits.journalBytesMax)

test('case 16: where the disk is full, the reserve is released and the journal is written after all', async () => {
  for (const code of ['ENOSPC', 'EDQUOT']) {
    const disk = fullDisk(code)
    const reserve = createReserve(disk, folder)
    assert.equal(await reserve.prepare(), true)
    assert.equal(disk.content(file).length, limits.journalReserveBytes)
    await assert.rejects(journalOn(disk).save({ state: 'Failed' }), { code })
    await reserve.spend(() => journalOn(disk).save({ state: 'Failed' }))
    const next = disk.after('lost')
    assert.deepEqual(await journalOn(next).load(), { state: 'Failed' })
    assert.equal(await next.exists(file), false)
    assert.equal(await reserve.prepare(), true, 'it is made again when there is space')
  }
})

test('case 16: where the disk stays full, the error is told, and no half of a reserve takes the last space', async () => {
  const disk = new SimulatedStorage()
  disk.failure = operation => (operation === 'pwrite' ? Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }) : undefined)
  const reserve = createReserve(disk, folder)
  assert.equal(await reserve.prepare(), false)
  assert.deepEqual([await disk.exists(file), await disk.exists(`${file}.new`)], [false, false])
  await assert.rejects(
    reserve.spend(() => journalOn(disk).save({})),
    { code: 'ENOSPC' },
  )
  assert.equal(await reserve.release(), false)
})

test('a write that fails for another reason leaves the reserve alone, and is not repeated', async () => {
  const disk = new SimulatedStorage()
  const reserve = createReserve(disk, folder)
  await reserve.prepare()
  let tries = 0
  const failing = async () => {
    tries += 1
    throw Object.assign(new Error('EIO'), { code: 'EIO' })
  }
  await assert.rejects(reserve.spend(failing), { code: 'EIO' })
  assert.deepEqual([tries, await disk.exists(file)], [1, true])
})

test('a reserve is whole or not there, whenever the power fails', async () => {
  const disk = new SimulatedStorage()
  const found: SimulatedStorage[] = []
  disk.onChange = () => found.push(...outcomes.map(outcome => disk.after(outcome)))
  const { prepare } = createReserve(disk, folder)
  assert.deepEqual([await prepare(), await prepare()], [true, true])
  assert.equal(disk.journal.filter(([operation]) => operation === 'create').length, 1, 'it is made once')
  for (const each of found) {
    if (await each.exists(file)) assert.equal(each.content(file).length, limits.journalReserveBytes)
    assert.equal(await createReserve(each, folder).prepare(), true)
    assert.equal(each.after('lost').content(file).length, limits.journalReserveBytes)
  }
})
