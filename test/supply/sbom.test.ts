import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { run } from '../support/daemon.ts'
import { licenceOf, productionPackages, readLockFile, recordOf, root, textOf } from './lockFile.ts'

const lacksNpm = spawnSync('npm', ['--version']).error !== undefined && 'npm not found'

const listOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.map(recordOf) : [])

test('npm run sbom names every package for production, with version, licence and hash', { skip: lacksNpm }, async () => {
  const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'sbom'], { cwd: root })
  assert.equal(code, 0, stderr)
  const bom = recordOf(JSON.parse(stdout))
  assert.deepEqual([bom.bomFormat, textOf(bom.specVersion) !== undefined], ['CycloneDX', true])
  const product = recordOf(recordOf(bom.metadata).component)
  assert.deepEqual([product.name, product.version], ['onvifd', '0.1.0'])

  const described = listOf(bom.components).map(({ name, version, purl, licenses, hashes }) => {
    const [{ license, expression } = {}] = listOf(licenses)
    const [{ alg, content } = {}] = listOf(hashes)
    const hash = `sha512-${Buffer.from(String(content), 'hex').toString('base64')}`
    return [name, version, purl, expression ?? recordOf(license).id ?? recordOf(license).name, alg, hash].join(' ')
  })
  const installed = productionPackages(readLockFile()).map(locked => {
    const { name, version, entry } = locked
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
    return [name, version, purl, licenceOf(locked), 'SHA-512', entry.integrity].join(' ')
  })
  assert.deepEqual(described.toSorted(), installed.toSorted())

  const known = new Set(listOf(bom.dependencies).map(({ ref }) => ref))
  assert.equal(known.size, installed.length + 1, 'what needs what is told for each, and for the product')
})
