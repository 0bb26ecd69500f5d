import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openStore, type Store } from '../../src/device/store.ts'
import { makeStoreFile, openStoreFile } from '../../src/platform/storeFile.ts'

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-storefile-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const numberIn = (store: Store) => store.document('number', Number, () => 0)

test('a new file is for its owner alone, and so is its log', t => {
  const folder = temporaryFolder(t)
  const store = openStoreFile(join(folder, 'device.db'))
  numberIn(store).set(1)
  const files = readdirSync(folder)
  assert.deepEqual(files.sort(), ['device.db', 'device.db-wal'])
  for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file)
  store.close()
})

test('a file that everybody could read is closed to them', t => {
  const path = join(temporaryFolder(t), 'device.db')
  openStoreFile(path).close()
  chmodSync(path, 0o644)
  openStoreFile(path).close()
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('what a first start that was killed left behind is swept away', t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'device.db')
  // The log of a database that somebody deleted must not be played into the new one.
  const deleted = openStore(path)
  numberIn(deleted).set(9)
  for (const file of ['device.db.new', 'device.db.new-wal']) writeFileSync(join(folder, file), 'half of it')
  rmSync(path)
  const store = openStoreFile(path)
  assert.equal(numberIn(store).get(), 0)
  store.close()
  deleted.close()
})

test('an empty file is damage, not a first start', t => {
  const path = join(temporaryFolder(t), 'device.db')
  openStoreFile(path).close()
  truncateSync(path, 0)
  assert.throws(() => openStoreFile(path), { name: 'StoreError', message: /is empty/ })
})

test('a file can be made before it is opened, and making it again changes nothing', t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'device.db')
  makeStoreFile(path)
  assert.deepEqual(readdirSync(folder), ['device.db'])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const store = openStoreFile(path)
  numberIn(store).set(7)
  store.close()
  makeStoreFile(path)
  const again = openStoreFile(path)
  assert.equal(numberIn(again).get(), 7)
  again.close()
})
