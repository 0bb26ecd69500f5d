import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { productionPackages, readJson, readLockFile, recordOf } from './supply/lockFile.ts'
import { admin, run, startDaemon, temporaryFolder } from './support/daemon.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

const missing = ['npm', 'tar'].filter(command => spawnSync(command, ['--version']).error)

/** The package as it is before it is packed, without what it depends on. */
async function buildInto(folder: string): Promise<void> {
  const built = await run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(root, 'src'),
    '--outDir',
    join(folder, 'dist'),
  ])
  assert.equal(built.code, 0, built.stdout)
  for (const name of ['package.json', 'README.md', 'LICENSE', 'wsdl']) await cp(join(root, name), join(folder, name), { recursive: true })
}

/** A device and its client in a program that depends on onvifd. */
async function useAsLibrary(folder: string): Promise<void> {
  const script = `
    import { connect, createDevice } from 'onvifd'
    const device = await createDevice({ state: ${JSON.stringify(join(folder, 'state'))}, port: 0, adminPassword: 'Correct-horse-7' })
    const client = connect(await device.start(), { user: 'admin', password: 'Correct-horse-7' })
    console.log((await client.call('GetDeviceInformation', {})).FirmwareVersion)
    client.close()
    await device.stop()`
  const used = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder })
  assert.equal(used.stdout.trim(), '1.0.0', used.stderr)
}

test('the built package runs, and can be imported', async t => {
  const folder = await temporaryFolder(t)
  await buildInto(folder)
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const help = await run(process.execPath, [join(folder, 'dist/cli/main.js'), 'serve', '--help'])
  assert.match(help.stdout, /--admin-password-file/, help.stderr)
  await useAsLibrary(folder)
})

test('the packed package, installed for production and without scripts, does all that a device does', async t => {
  if (missing.length > 0) return t.skip(`${missing.join(' and ')} not found`)
  const folder = await temporaryFolder(t)
  const source = join(folder, 'source')
  await mkdir(source)
  await buildInto(source)
  const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: source })
  assert.equal(packed.code, 0, packed.stderr)
  const unpacked = await run('tar', ['-xf', join(folder, 'onvifd-0.1.0.tgz'), '-C', folder])
  assert.equal(unpacked.code, 0, unpacked.stderr)

  const home = join(folder, 'package')
  await cp(join(root, 'package-lock.json'), join(home, 'package-lock.json'))
  const flags = ['--omit=dev', '--ignore-scripts', '--offline', '--no-audit', '--no-fund']
  const installed = await run('npm', ['ci', ...flags], { cwd: home })
  if (/ENOTCACHED/.test(installed.stderr)) return t.skip('npm has not all packages in its cache: npm ci with a network brings them')
  assert.equal(installed.code, 0, installed.stderr)
  const there = Object.keys(recordOf(readJson(join(home, 'node_modules/.package-lock.json')).packages))
  assert.deepEqual(
    there.toSorted(),
    productionPackages(readLockFile())
      .map(({ path }) => path)
      .toSorted(),
  )

  await t.test('as a library', () => useAsLibrary(home))

  const program = join(home, 'dist/cli/main.js')
  const onvifd = (...args: string[]) => run(process.execPath, [program, ...args], { env: { ONVIFD_PASSWORD: admin.password } })

  await t.test('as a daemon that is upgraded, with lines of JSON where those for people are not installed', async t => {
    const daemon = await startDaemon(t, ['--log-format', 'pretty'], { program })
    const info = await onvifd('info', daemon.url, '--user', admin.name)
    assert.match(info.stdout, /1\.0\.0/, info.stderr)
    const image = join(folder, 'firmware.swu')
    const payload = join(root, 'LICENSE')
    const built = await onvifd('image', 'build', '--version', '1.1.0', '--payload', payload, '--state', daemon.state, '--out', image)
    assert.equal(built.code, 0, built.stderr)
    const upgraded = await onvifd('upgrade', daemon.url, image, '--user', admin.name)
    assert.equal(upgraded.code, 0, upgraded.stderr)
    assert.match(daemon.output(), /^\{"level":"info".*npm install pino-pretty"\}$/m)
    assert.equal(await daemon.stop(), 0)
  })

  await t.test('`onvifd call` says which package it needs', async () => {
    const called = await onvifd('call', 'http://127.0.0.1:1', 'GetHostname', '--user', admin.name)
    assert.deepEqual([called.code, called.stderr], [1, 'onvifd: the package that reads a WSDL is missing: npm install soap\n'])
  })
})
