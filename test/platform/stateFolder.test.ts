import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockStateFolder, openStateFolder, StateError, writeDurably } from '../../src/platform/stateFolder.ts'
import { temporaryFolder } from '../support/daemon.ts'

test('the key is made once, for the owner alone', async t => {
  const folder = join(await temporaryFolder(t), 'state')
  const { key } = openStateFolder(folder)
  assert.equal(key.length, 32)
  assert.deepEqual(openStateFolder(folder).key, key)
  assert.equal(statSync(join(folder, 'device.key')).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
})

test('a folder with a part missing or damaged is refused and left as it is', async t => {
  const folder = join(await temporaryFolder(t), 'state')
  openStateFolder(folder)
  const key = join(folder, 'device.key')

  truncateSync(key, 31)
  assert.throws(() => openStateFolder(folder), StateError)
  assert.equal(statSync(key).size, 31)

  rmSync(key)
  writeFileSync(join(folder, 'device.db'), 'settings')
  assert.throws(() => openStateFolder(folder), /device\.key is missing/)

  writeDurably(key, Buffer.alloc(32, 1))
  openStateFolder(folder)
  mkdirSync(join(folder, 'slots'))
  rmSync(join(folder, 'device.db'))
  assert.throws(() => openStateFolder(folder), /device\.db is missing/)
})

test('a file is written as a whole, over the one before', async t => {
  const file = join(await temporaryFolder(t), 'sub', 'file')
  writeDurably(file, 'one')
  writeDurably(file, Buffer.from('two'))
  assert.equal(readFileSync(file, 'utf8'), 'two')
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('a folder belongs to one device at a time', async t => {
  const folder = join(await temporaryFolder(t), 'state')
  const state = openStateFolder(folder)
  const lock = lockStateFolder(state)
  assert.equal(statSync(join(folder, 'device.lock')).mode & 0o777, 0o600)
  assert.throws(() => lockStateFolder(openStateFolder(folder)), { name: 'StoreError', message: /device\.lock is in use/ })
  lock.release()
  lockStateFolder(state).release()
})
