import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSavedFile } from '../../../src/device/firmware/savedFile.ts'
import { createFileStorage } from '../../../src/platform/fileStorage.ts'

test('two saves at once are one after the other, and the last is what is there', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-saved-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = createSavedFile(createFileStorage(), folder, 'journal.json', 65_536)
  for (let round = 0; round < 20; round++) {
    await Promise.all(['a', 'b', 'c'].map(letter => file.save({ round, text: letter.repeat(1_000 * (round % 3)) })))
    assert.deepEqual(await file.load(), { round, text: 'c'.repeat(1_000 * (round % 3)) })
  }
  assert.deepEqual(readdirSync(folder), ['journal.json'])
})

test('a save that fails does not keep the next from being made', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-saved-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const storage = createFileStorage()
  let failures = 1
  const failing = {
    ...storage,
    fsync: (path: string) => (failures-- > 0 ? Promise.reject(new Error('EIO')) : storage.fsync(path)),
  }
  const file = createSavedFile(failing, folder, 'journal.json', 65_536)
  const [first, second] = [file.save('first'), file.save('second')]
  await assert.rejects(first, /EIO/)
  await second
  assert.equal(await file.load(), 'second')
})
