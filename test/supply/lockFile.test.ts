import assert from 'node:assert/strict'
import { test } from 'node:test'
import { licenceOf, productionPackages, readJson, readLockFile, root } from './lockFile.ts'

const lock = readLockFile()
const production = productionPackages(lock)

/** All of them leave the product's own licence as it is. */
const licences = new Set(['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', '(BSD-3-Clause OR GPL-2.0)'])

/** The README names each of them and says why it is there. */
const productionPackagesMax = 118

test('the lock belongs to this package.json', () => {
  const manifest = readJson(`${root}package.json`)
  for (const kind of ['dependencies', 'devDependencies', 'peerDependencies'])
    assert.deepEqual(lock.project[kind], manifest[kind], `run npm install --package-lock-only: ${kind} are others`)
})

test('every package is locked by its hash, and to no host', () => {
  assert.ok(lock.packages.length > production.length)
  for (const { path, version, entry } of lock.packages) {
    assert.match(String(entry.integrity), /^sha512-[A-Za-z0-9+/]{86}==$/, path)
    assert.equal(entry.resolved, undefined, path)
    assert.match(version, /^[0-9]+\.[0-9]+\.[0-9]+/, path)
  }
})

test('nothing that is installed for production runs a script meanwhile', () => {
  const scripted = lock.packages.filter(({ entry }) => entry.hasInstallScript !== undefined)
  assert.deepEqual(
    scripted.map(({ path }) => path),
    // Brings Node 24 where the machine has an older one.
    ['node_modules/node'],
  )
  assert.ok(scripted.every(({ isDevelopment }) => isDevelopment))
})

test('every package for production has a licence of the list', () => {
  const others = production.map(locked => `${licenceOf(locked)}: ${locked.path}`).filter(line => !licences.has(line.replace(/: .*/, '')))
  assert.deepEqual(others, [])
})

test('there are no more packages for production than were agreed to, and hardly one twice', () => {
  const names = production.map(({ name }) => name)
  assert.ok(names.length <= productionPackagesMax, `${names.length}: ${names.join(' ')}`)
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    ['tslib'],
    'two versions of one package',
  )
})

test('what only some need is not among them', () => {
  const names = new Set(production.map(({ name }) => name))
  for (const name of ['soap', 'pino-pretty', '@jellybrick/dbus-next', 'typescript', 'fast-xml-parser', 'tar-stream'])
    assert.ok(!names.has(name), name)
})
