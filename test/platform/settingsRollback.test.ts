import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createSettingsSnapshot } from '../../src/device/firmware/settingsSnapshot.ts'
import { carryDocuments, type Store } from '../../src/device/store.ts'
import { createFileStorage } from '../../src/platform/fileStorage.ts'
import type { Log, SlotInfo } from '../../src/platform/platform.ts'
import { openStoreFile, readStoreFile } from '../../src/platform/storeFile.ts'
import { clockDocument, createClock, parseClockOffset } from '../../src/platform/virtual/clock.ts'
import { temporaryFolder } from '../support/daemon.ts'

const slots = (running: string, confirmed: string, next: string): readonly SlotInfo[] =>
  ['A', 'B'].map(id => ({
    id,
    running: id === running,
    confirmed: id === confirmed,
    next: id === next,
    version: '1.0.0',
    sha256: undefined,
    triesLeft: 1,
    transaction: id === confirmed ? undefined : 'tx',
  }))

/** The settings of a device on a real disk, and the snapshots of them. */
async function setUp(t: TestContext) {
  const state = await temporaryFolder(t)
  const database = join(state, 'device.db')
  const folder = join(state, 'upgrade')
  mkdirSync(folder)
  const told: string[] = []
  const tell = (_: object, message: string) => void told.push(message)
  const log: Log = { debug() {}, info: tell, warn: tell, error: tell }
  const snapshot = createSettingsSnapshot({
    storage: createFileStorage(),
    folder,
    databaseFile: database,
    carry: (present, restored) => carryDocuments(present, restored, { [clockDocument]: parseClockOffset }),
    log,
  })
  const software = (store: Store) => ({
    store,
    scopes: store.document<string>('scopes', String, () => 'factory'),
    users: store.document<string>('users', String, () => 'factory'),
    identity: store.document<string>('machine/identity', String, () => 'who I am'),
  })
  return { state, database, folder, snapshot, told, start: () => software(openStoreFile(database)) }
}

/** As it stands in the file: names and texts, and the number of the schema. */
function documentsIn(path: string): unknown {
  const database = new DatabaseSync(path)
  const rows = database.prepare('SELECT name, value FROM documents ORDER BY name').all()
  const schema = database.prepare('PRAGMA user_version').get()
  database.close()
  return {
    schema: { ...schema },
    rows: rows.map(row => ({ ...row })).filter(({ name }) => !String(name).startsWith('machine/')),
  }
}

/** The software of the new image: it is ahead of the schema of the old one, and is killed with the work still in its log. */
async function migrateAndDie(path: string): Promise<void> {
  const script = `
    import { DatabaseSync } from 'node:sqlite'
    const database = new DatabaseSync(${JSON.stringify(path)})
    database.exec(\`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
      BEGIN;
      UPDATE documents SET value = '{"new":"shape"}' WHERE name = 'scopes';
      DELETE FROM documents WHERE name = 'users';
      INSERT INTO documents VALUES ('wormholes', '7'), ('machine/clock', '3600000') ON CONFLICT DO UPDATE SET value = excluded.value;
      ALTER TABLE documents ADD COLUMN changed INTEGER;
      PRAGMA user_version = 2;
      COMMIT\`)
    process.kill(process.pid, 'SIGKILL')`
  const [, signal] = await once(spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' }), 'exit')
  assert.equal(signal, 'SIGKILL')
}

test('case 64: settings that a new image has migrated are byte by byte the old ones after its rollback, in the old schema', async t => {
  const { state, database, folder, snapshot, told, start } = await setUp(t)
  const old = start()
  old.scopes.set('set on the old image')
  old.users.set('ada')
  old.identity.set('who I am')
  const content = readStoreFile(old.store, database)
  await snapshot.keep('A', 'tx', content)
  const before = documentsIn(writeCopy(state, content))
  old.store.close()

  assert.equal(await snapshot.reconcile(slots('B', 'A', 'B'), 'whole'), 'kept')
  await migrateAndDie(database)
  assert.ok(existsSync(`${database}-wal`), 'the log of the new image is there')
  for (const file of ['', '-wal']) copyFileSync(`${database}${file}`, join(state, `migrated.db${file}`))
  assert.throws(
    () => openStoreFile(join(state, 'migrated.db')),
    { name: 'StoreError', message: /has format 2/ },
    'the old software cannot read it',
  )

  assert.equal(await snapshot.reconcile(slots('A', 'A', 'A'), 'whole'), 'restored')
  assert.deepEqual(documentsIn(database), before)
  const again = start()
  assert.deepEqual([again.scopes.get(), again.users.get(), again.identity.get()], ['set on the old image', 'ada', 'who I am'])
  const clock = createClock(again.store)
  assert.ok(clock.now().getTime() - Date.now() > 3_500_000, 'the time that was set during the trial holds')
  assert.equal(statSync(database).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), [])
  assert.deepEqual(told, ['the settings are again those from before the upgrade'])
  again.store.close()
  assert.deepEqual(readdirSync(state).sort(), ['copy.db', 'device.db', 'device.db-wal', 'migrated.db', 'upgrade'])
})

/** A copy outside of the snapshot, to compare with. */
function writeCopy(state: string, content: Buffer): string {
  const path = join(state, 'copy.db')
  writeFileSync(path, content)
  return path
}

test('case 64: where nothing of the machine has changed, the whole file is the one from before', async t => {
  const { database, snapshot, start } = await setUp(t)
  const old = start()
  old.scopes.set('set on the old image')
  const content = readStoreFile(old.store, database)
  await snapshot.keep('A', 'tx', content)
  old.store.close()
  await snapshot.reconcile(slots('B', 'A', 'B'), 'whole')
  const trial = start()
  trial.scopes.set('set during the trial')
  trial.store.close()
  await snapshot.reconcile(slots('A', 'A', 'A'), 'whole')
  assert.ok(readFileSync(database).equals(content))
})

test('settings that were changed during a trial stay where the image is kept', async t => {
  const { database, folder, snapshot, start } = await setUp(t)
  const old = start()
  old.users.set('ada')
  await snapshot.keep('A', 'tx', readStoreFile(old.store, database))
  old.store.close()
  await snapshot.reconcile(slots('B', 'A', 'B'), 'whole')
  const trial = start()
  trial.users.set('grace')
  await snapshot.drop()
  trial.store.close()
  assert.equal(await snapshot.reconcile(slots('B', 'B', 'B'), 'whole'), 'none')
  const next = start()
  assert.equal(next.users.get(), 'grace')
  next.store.close()
  assert.deepEqual(readdirSync(folder), [])
})

test('case 64: settings that the new image has destroyed come back as a whole', async t => {
  const { database, snapshot, told, start } = await setUp(t)
  const old = start()
  old.scopes.set('set on the old image')
  const content = readStoreFile(old.store, database)
  await snapshot.keep('A', 'tx', content)
  old.store.close()
  await snapshot.reconcile(slots('B', 'A', 'B'), 'whole')
  writeFileSync(database, 'this was a database')
  writeFileSync(`${database}-wal`, 'and this its log')
  assert.equal(await snapshot.reconcile(slots('A', 'A', 'A'), 'whole'), 'restored')
  assert.ok(readFileSync(database).equals(content))
  assert.equal(existsSync(`${database}-wal`), false)
  assert.match(told[0] ?? '', /the present ones cannot be read/)
  start().store.close()
})

test('a copy of the settings is whole while the store goes on', async t => {
  const { database, state, start } = await setUp(t)
  const { store, scopes } = start()
  for (let round = 0; round < 20; round += 1) {
    scopes.set(`round ${round} ${'x'.repeat(round * 500)}`)
    const path = writeCopy(state, readStoreFile(store, database))
    const copy = openStoreFile(path)
    assert.match(copy.document('scopes', String, () => '').get(), new RegExp(`^round ${round} x*$`))
    copy.close()
  }
  store.close()
})
