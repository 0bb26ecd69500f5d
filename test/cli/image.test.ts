import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { onvifd, temporaryFolder } from '../support/daemon.ts'

test('images are built and inspected', async t => {
  const folder = await temporaryFolder(t)
  const [state, payload, image] = [join(folder, 'state'), join(folder, 'payload'), join(folder, 'image.swu')]
  await mkdir(state)
  await writeFile(payload, Buffer.alloc(2_500_000, 'rootfs'))
  const order = ['--payload', payload, '--state', state, '--epoch', '4', '--description', 'new \u001b[31mred', '--out', image]
  const built = await onvifd(['image', 'build', '--version', '1.2.3', ...order])
  assert.equal(built.code, 0, built.stderr)
  assert.match(built.stdout, /firmware 1\.2\.3 for onvifd-virtual revision 1\.0, 2\.5 MB\n$/)
  assert.deepEqual((await readdir(folder)).sort(), ['image.swu', 'payload', 'state'])

  await t.test('what was built is what is inspected, and its signature is good for those who trust the CA', async () => {
    const trusted = await onvifd(['image', 'inspect', image, '--state', state])
    assert.equal(trusted.code, 0, trusted.stderr)
    assert.match(trusted.stdout, /^Version +1\.2\.3$/m)
    assert.match(trusted.stdout, /^Description +new \[31mred$/m)
    assert.match(trusted.stdout, /^Security epoch +4$/m)
    assert.match(trusted.stdout, /^rootfs +rootfs\.img, 2\.5 MB, SHA-256 [0-9a-f]{64}$/m)
    assert.match(trusted.stdout, /^Signature +good, by .*signer/m)
    const byFile = await onvifd(['image', 'inspect', image, '--ca', join(state, 'firmware-ca', 'ca.pem'), '--json'])
    assert.equal(JSON.parse(byFile.stdout).signature.verdict, 'good')
  })

  await t.test('nobody is believed unless one says whom to trust, and another CA is not enough', async () => {
    const untold = await onvifd(['image', 'inspect', image])
    assert.equal(untold.code, 0)
    assert.match(untold.stdout, /^Signature +not checked/m)
    const elsewhere = join(folder, 'elsewhere')
    await mkdir(elsewhere)
    const foreign = await onvifd(['image', 'inspect', image, '--state', elsewhere])
    assert.equal(foreign.code, 1)
    assert.match(foreign.stdout, /^Signature +NOT to be trusted$/m)
    assert.match(foreign.stderr, /^onvifd: the signature is not to be trusted: .*\(signature\)\n$/)
  })

  await t.test('damage is found', async () => {
    const bytes = await readFile(image)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 100_000) ^ 1, bytes.length - 100_000)
    const damaged = join(folder, 'damaged.swu')
    await writeFile(damaged, bytes)
    const inspected = await onvifd(['image', 'inspect', damaged])
    assert.equal(inspected.code, 1)
    assert.match(inspected.stderr, /^onvifd: this is no sound image: .*\(hash\)\n$/)
    assert.match((await onvifd(['image', 'inspect', payload])).stderr, /^onvifd: this is no sound image: .*\(format\)\n$/)
  })

  await t.test('a failed build says what is missing, and leaves nothing behind', async () => {
    const workshop = join(folder, 'workshop')
    await mkdir(workshop)
    const cases: readonly (readonly [args: string[], code: number, says: RegExp])[] = [
      [['--payload', payload, '--key', 'k'], 2, /say who signs/],
      [['--payload', payload, '--state', state, '--key', 'k'], 2, /either --state, or --key and --cert/],
      [['--payload', payload, '--state', join(folder, 'nowhere')], 2, /name the folder that the device was started with/],
      [['--payload', payload, '--state', state, '--epoch', '-1'], 2, /whole number/],
      [['--state', state], 2, /--payload/],
      [['--payload', join(folder, 'nothing'), '--state', state], 1, /nothing does not exist/],
      [['--payload', '/dev/null', '--state', state], 1, /empty/],
    ]
    for (const [args, code, says] of cases) {
      const ran = await onvifd(['image', 'build', '--version', '1.0.0', '--out', join(workshop, 'second.swu'), ...args])
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`)
      assert.match(ran.stderr, says)
      assert.match(ran.stderr, /^onvifd: .*\n$/)
    }
    assert.deepEqual(await readdir(workshop), [])
  })
})
