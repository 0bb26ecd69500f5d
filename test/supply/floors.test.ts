import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { minVersion } from 'semver'
import { run, temporaryFolder } from '../support/daemon.ts'
import { floors, refusedPackages } from './floors.ts'
import { readJson, readLockFile, recordOf, root, textOf } from './lockFile.ts'

const script = fileURLToPath(new URL('floors.ts', import.meta.url))

test('the lock and package.json let in nothing that is below a known fix', () => {
  assert.deepEqual(refusedPackages(readLockFile()), [])
})

test('npm run check ends with an error where a package at any depth is refused, and says which', async t => {
  assert.match(textOf(recordOf(readJson(`${root}package.json`).scripts).check) ?? '', /&& node test\/supply\/floors\.ts$/)
  const folder = await temporaryFolder(t)
  for (const { package: name, refused, advisory } of floors) {
    const version = minVersion(refused)?.version ?? ''
    const path = `node_modules/express/node_modules/${name}`
    const lock = join(folder, 'package-lock.json')
    await writeFile(lock, JSON.stringify({ packages: { '': {}, 'node_modules/express': { version: '5.3.0' }, [path]: { version } } }))
    const lines = refusedPackages(readLockFile(lock))
    assert.equal(lines.length, 1, `${name} ${version}`)
    assert.ok(lines[0]?.startsWith(`${path}: ${name} ${version} `) && lines[0].includes(advisory), lines[0])
    if (name !== 'busboy') continue
    const checked = await run(process.execPath, [script, lock])
    assert.deepEqual([checked.code, checked.stderr], [1, `${lines[0]}\n`])
  }
  assert.deepEqual([(await run(process.execPath, [script])).code, floors.length > 20], [0, true])
})

test('a range of package.json that would let one in is refused as well', () => {
  const project = { dependencies: { 'node-forge': '^1.3.1', busboy: '^1.6.0' }, peerDependencies: { semver: '7.5.1' } }
  assert.deepEqual(
    refusedPackages({ project, packages: [] }).map(line => line.replace(/ is in .*/, '')),
    ['dependencies of package.json: node-forge 1.3.1', 'peerDependencies of package.json: semver 7.5.1'],
  )
})

test('a prerelease of a fix is below it, and the fix itself is not', () => {
  const found = (version: string) =>
    refusedPackages({
      project: {},
      packages: [{ path: 'node_modules/axios', name: 'axios', version, isDevelopment: true, entry: {} }],
    }).length
  assert.deepEqual([found('1.16.0-beta.1'), found('1.16.0'), found('2.0.0')], [1, 0, 0])
})
