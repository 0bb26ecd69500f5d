import assert from 'node:assert/strict'
import { copyFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run, temporaryFolder } from './support/daemon.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

test('the built package runs, and can be imported', async t => {
  const folder = await temporaryFolder(t)
  const built = await run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(root, 'src'),
    '--outDir',
    join(folder, 'dist'),
  ])
  assert.equal(built.code, 0, built.stdout)
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'wsdl'), join(folder, 'wsdl'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

  const help = await run(process.execPath, [join(folder, 'dist/cli/main.js'), 'serve', '--help'])
  assert.match(help.stdout, /--admin-password-file/, help.stderr)

  const script = `
    import { connect, createDevice } from 'onvifd'
    const device = await createDevice({ state: ${JSON.stringify(join(folder, 'state'))}, port: 0, adminPassword: 'Correct-horse-7' })
    const client = connect(await device.start(), { user: 'admin', password: 'Correct-horse-7' })
    console.log((await client.call('GetDeviceInformation', {})).FirmwareVersion)
    client.close()
    await device.stop()`
  const used = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder })
  assert.equal(used.stdout.trim(), '1.0.0', used.stderr)
})
