import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { carryDocuments, type Document, lockFile, openStore, type Store, StoreError } from '../../src/device/store.ts'

const storeUrl = new URL('../../src/device/store.ts', import.meta.url)

function parseNumber(stored: unknown): number {
  if (typeof stored !== 'number' || stored < 0) throw new Error('no number')
  return stored
}

const numberIn = (store: Store, name: string, initial = 0): Document<number> => store.document(name, parseNumber, () => initial)

function temporaryFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'onvifd-store-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'device.db')
}

function inMemory(t: TestContext): Store {
  const store = openStore(':memory:')
  t.after(() => store.close())
  return store
}

test('a document is what it was initially until it is set, and after a restart what was set', t => {
  const path = temporaryFile(t)
  const first = openStore(path)
  const [kept, untouched] = [numberIn(first, 'kept', 1), numberIn(first, 'untouched', 2)]
  assert.equal(kept.get(), 1)
  kept.set(3)
  assert.deepEqual([kept.get(), untouched.get()], [3, 2])
  first.close()
  const second = openStore(path)
  assert.deepEqual([numberIn(second, 'kept', 10).get(), numberIn(second, 'untouched', 20).get()], [3, 20])
  second.close()
})

test('what is set survives the end of the process the moment set returns', async t => {
  const path = temporaryFile(t)
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '--eval',
      `import { openStore } from ${JSON.stringify(storeUrl.href)}
       const store = openStore(${JSON.stringify(path)})
       store.document('a', Number, () => 0).set(7)
       process.kill(process.pid, 'SIGKILL')`,
    ],
    { stdio: 'inherit' },
  )
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
  const store = openStore(path)
  assert.equal(numberIn(store, 'a').get(), 7)
  store.close()
})

test('a value is detached from the object that was set', t => {
  const store = inMemory(t)
  const list = store.document<number[]>(
    'list',
    stored => (Array.isArray(stored) ? stored.map(parseNumber) : []),
    () => [],
  )
  const mine = [1]
  list.set(mine)
  mine.push(2)
  assert.deepEqual(list.get(), [1])
})

test('what could not be read back is not written', t => {
  const store = inMemory(t)
  const number = numberIn(store, 'number', 1)
  assert.throws(() => number.set(-1), /no number/)
  assert.throws(() => number.set(Number.NaN), /no number/)
  assert.equal(number.get(), 1)
})

test('a document has one owner', t => {
  const store = inMemory(t)
  numberIn(store, 'mine')
  assert.throws(() => numberIn(store, 'mine'), /two owners/)
})

test('a transaction that throws leaves neither file nor memory changed', t => {
  const path = temporaryFile(t)
  const store = openStore(path)
  const [a, b] = [numberIn(store, 'a', 1), numberIn(store, 'b', 1)]
  a.set(2)
  const failing = () =>
    store.transaction(() => {
      a.set(3)
      b.set(3)
      a.set(4)
      assert.deepEqual([a.get(), b.get()], [4, 3], 'inside of the transaction the new values hold')
      throw new Error('no')
    })
  assert.throws(failing, /no/)
  assert.deepEqual([a.get(), b.get()], [2, 1])
  store.close()
  const again = openStore(path)
  assert.deepEqual([numberIn(again, 'a', 9).get(), numberIn(again, 'b', 9).get()], [2, 9])
  again.close()
})

test('a transaction inside of another one is part of it, and can fail by itself', t => {
  const store = inMemory(t)
  const [a, b] = [numberIn(store, 'a'), numberIn(store, 'b')]
  store.transaction(() => {
    a.set(1)
    assert.throws(() =>
      store.transaction(() => {
        a.set(2)
        b.set(2)
        throw new Error('inner')
      }),
    )
    assert.deepEqual([a.get(), b.get()], [1, 0])
    store.transaction(() => b.set(5))
  })
  assert.deepEqual([a.get(), b.get()], [1, 5])
  assert.throws(() =>
    store.transaction(() => {
      store.transaction(() => a.set(6))
      throw new Error('outer')
    }),
  )
  assert.deepEqual([a.get(), b.get()], [1, 5])
  assert.equal(
    store.transaction(() => 'result'),
    'result',
  )
})

test('a transaction that would wait is refused', t => {
  const store = inMemory(t)
  const a = numberIn(store, 'a')
  assert.throws(() => store.transaction(async () => a.set(1)), /cannot wait/)
  assert.equal(a.get(), 0)
})

test('a backup carries every document but the machine’s, and brings back exactly that state', t => {
  const store = inMemory(t)
  const [a, b, machine] = [numberIn(store, 'a', 1), numberIn(store, 'b', 1), numberIn(store, 'machine/clock', 1)]
  a.set(2)
  machine.set(2)
  const backup = JSON.parse(JSON.stringify(store.exportDocuments()))
  assert.deepEqual(backup, { a: 2, b: 1 })
  a.set(3)
  b.set(3)
  machine.set(3)
  store.importDocuments(backup)
  assert.deepEqual([a.get(), b.get(), machine.get()], [2, 1, 3])
  store.importDocuments({ b: 4 })
  assert.deepEqual([a.get(), b.get(), machine.get()], [1, 4, 3], 'what the backup does not have is as it was initially')
})

const badBackups: readonly (readonly [what: string, documents: Record<string, unknown>])[] = [
  ['a document that its subject refuses', { a: 5, b: 'five' }],
  ['a document that nobody knows', { a: 5, c: 5 }],
  ['a document of the machine', { a: 5, 'machine/clock': 5 }],
  ['a name that is special elsewhere', JSON.parse('{ "a": 5, "__proto__": 5 }')],
]

for (const [what, documents] of badBackups)
  test(`a backup with ${what} is refused as a whole`, t => {
    const store = inMemory(t)
    const [a, b, machine] = [numberIn(store, 'a'), numberIn(store, 'b'), numberIn(store, 'machine/clock')]
    assert.throws(() => store.importDocuments(documents), StoreError)
    assert.deepEqual([a.get(), b.get(), machine.get()], [0, 0, 0])
  })

test('a factory default spares the machine and what is to be kept', t => {
  const path = temporaryFile(t)
  const store = openStore(path)
  const names = ['a', 'b', 'machine/clock']
  for (const name of names) numberIn(store, name).set(5)
  store.clear(['b'])
  store.close()
  const again = openStore(path)
  assert.deepEqual(
    names.map(name => numberIn(again, name, 1).get()),
    [1, 5, 5],
  )
  again.close()
})

test('a factory default that is part of a failing transaction did not happen', t => {
  const store = inMemory(t)
  const a = numberIn(store, 'a')
  a.set(5)
  assert.throws(() =>
    store.transaction(() => {
      store.clear()
      assert.equal(a.get(), 0)
      throw new Error('no')
    }),
  )
  assert.equal(a.get(), 5)
})

/** Each takes a good file with one document and damages it. */
const damages: Record<string, { readonly harm: (path: string) => void; readonly message: RegExp }> = {
  'cut to nothing': { harm: path => truncateSync(path, 0), message: /is empty, or no state of onvifd\. Put back a copy/ },
  'cut in half': { harm: path => truncateSync(path, 4096), message: /is damaged\. Put back a copy/ },
  overwritten: { harm: path => writeFileSync(path, 'x'.repeat(8192)), message: /is damaged\. Put back a copy/ },
  'scribbled on': {
    harm: path => {
      const bytes = readFileSync(path)
      bytes.fill(0xa5, 4096, 4200)
      writeFileSync(path, bytes)
    },
    message: /is damaged\. Put back a copy/,
  },
  'exchanged for another database': {
    harm: path => {
      rmSync(path)
      const other = new DatabaseSync(path)
      other.exec('CREATE TABLE t (a)')
      other.close()
    },
    message: /or no state of onvifd\. Put back a copy/,
  },
  'written by a later version': {
    harm: path => execute(path, 'PRAGMA user_version = 2'),
    message: /has format 2 .* start the version that wrote it/,
  },
}

function execute(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

for (const [damage, { harm, message }] of Object.entries(damages))
  test(`a file that was ${damage} is reported and left as it is`, t => {
    const path = temporaryFile(t)
    const store = openStore(path)
    numberIn(store, 'a').set(1)
    store.close()
    harm(path)
    const before = readFileSync(path)
    assert.throws(() => openStore(path), { name: 'StoreError', message })
    assert.deepEqual(readFileSync(path), before)
  })

for (const value of ['{', '-1', '"one"', 'null', ''])
  test(`a document that reads ${JSON.stringify(value)} is reported, not replaced`, t => {
    const path = temporaryFile(t)
    const store = openStore(path)
    numberIn(store, 'a').set(1)
    store.close()
    execute(path, `UPDATE documents SET value = '${value}'`)
    const again = openStore(path)
    t.after(() => again.close())
    assert.throws(() => numberIn(again, 'a'), { name: 'StoreError', message: /its a cannot be read\. Put back a copy/ })
  })

test('a second process is kept out', t => {
  const path = temporaryFile(t)
  const store = openStore(path)
  numberIn(store, 'a').set(1)
  assert.throws(() => openStore(path), { name: 'StoreError', message: /is in use: stop the other onvifd first/ })
  store.close()
  openStore(path).close()
})

test('a folder that does not exist is a clear error', t => {
  assert.throws(() => openStore(join(temporaryFile(t), 'below', 'device.db')), { name: 'StoreError', message: /cannot be opened or made/ })
})

test('the file alone holds everything, also while it is in use', t => {
  const path = temporaryFile(t)
  const store = openStore(path)
  numberIn(store, 'a').set(1)
  const copy = `${path}.copy`
  copyFileSync(path, copy)
  store.close()
  const restored = openStore(copy)
  assert.equal(numberIn(restored, 'a').get(), 1)
  restored.close()
})

test('a store that could be opened again is in order, one that could not says so', t => {
  const path = temporaryFile(t)
  const store = openStore(path)
  t.after(() => store.close())
  const number = numberIn(store, 'a')
  numberIn(store, 'never set')
  number.set(1)
  store.verify()
  // Only this connection can write: what somebody scribbled is what a failing disk would be.
  store.settle()
  const bytes = readFileSync(path)
  bytes.fill(0xa5, 4096)
  writeFileSync(path, bytes)
  assert.throws(() => store.verify(), { name: 'StoreError', message: /is damaged/ })
})

test('settled, the file alone is the whole store, without its log', t => {
  const path = temporaryFile(t)
  const store = openStore(path)
  t.after(() => store.close())
  numberIn(store, 'a').set(1)
  store.settle()
  assert.equal(statSync(`${path}-wal`).size, 0)
  assert.throws(() => store.transaction(() => store.settle()), /locked|is being written/)
})

/** A file with these documents as they are. */
function fileWith(t: TestContext, documents: Readonly<Record<string, string>>): string {
  const path = temporaryFile(t)
  openStore(path).close()
  for (const [name, value] of Object.entries(documents)) execute(path, `INSERT INTO documents VALUES ('${name}', '${value}')`)
  return path
}

test('documents are carried from file to file where they can be read, and the others stay', t => {
  const documents = { a: parseNumber, b: parseNumber, c: parseNumber, d: parseNumber }
  const from = fileWith(t, { a: '1', b: '-1', c: '{', 'not asked for': '1' })
  const to = fileWith(t, { a: '9', b: '8', c: '7', d: '6', 'not asked for': '5' })
  carryDocuments(from, to, documents)
  const store = openStore(to)
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'not asked for'].map(name => numberIn(store, name).get()),
    [1, 8, 7, 6, 5],
  )
  store.close()
  const before = readFileSync(to)
  carryDocuments(from, to, documents)
  assert.deepEqual(readFileSync(to), before, 'what is the same already changes nothing')
  assert.throws(() => carryDocuments(`${from}.missing`, to, documents), StoreError)
  writeFileSync(from, 'no database at all')
  assert.throws(() => carryDocuments(from, to, documents), StoreError)
  assert.deepEqual(readFileSync(to), before)
})

test('a lock is held by one, in this process or another, and ends with its holder', async t => {
  const path = temporaryFile(t)
  const lock = lockFile(path)
  assert.throws(() => lockFile(path), { name: 'StoreError', message: /is in use: stop the other onvifd first/ })
  const child = (act: string) =>
    spawn(
      process.execPath,
      [
        '--input-type=module-typescript',
        '--eval',
        `import { lockFile } from ${JSON.stringify(storeUrl.href)}; const lock = lockFile(${JSON.stringify(path)}); ${act}`,
      ],
      { stdio: 'ignore' },
    )
  assert.deepEqual(await once(child(''), 'exit'), [1, null], 'another process is kept out')
  lock.release()
  assert.deepEqual(await once(child("process.kill(process.pid, 'SIGKILL')"), 'exit'), [null, 'SIGKILL'])
  lockFile(path).release()
})
