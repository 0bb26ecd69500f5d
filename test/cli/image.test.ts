import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeDevelopmentCa } from '../../src/device/firmware/developmentCa.ts'
import { certificate, key, lacksTools, leafExtensions, makeCertificate, makeCrl, makeRoot } from '../device/firmware/openssl.ts'
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

test('an image of several files is built, by two signers', async t => {
  const folder = await temporaryFolder(t)
  const at = (name: string): string => join(folder, name)
  await writeFile(at('root'), Buffer.alloc(100_000, 'rootfs'))
  await writeFile(at('app'), Buffer.alloc(50_000, 'app'))
  for (const name of ['a', 'b']) {
    const { caPem, signerPem, signerKeyPem } = await makeDevelopmentCa(new Date())
    await writeFile(at(`${name}.ca`), caPem)
    await writeFile(at(`${name}.pem`), signerPem)
    await writeFile(at(`${name}.key`), signerKeyPem)
  }
  await writeFile(at('ca.pem'), `${await readFile(at('a.ca'), 'utf8')}${await readFile(at('b.ca'), 'utf8')}`)
  const files = ['--payload', at('root'), '--payload', `app=${at('app')}`, '--payload-version', 'app=3.3.0', '--gzip']
  const more = ['--device-b', 'app=/dev/mmcblk0p6', '--min-version', '0.9.0', '--allow-downgrade', '--epoch', '2']
  const signers = ['a', 'b'].flatMap(name => ['--key', at(`${name}.key`), '--cert', at(`${name}.pem`)])
  const build = ['image', 'build', '--version', '1.2.3', '--out', at('image.swu')]
  const built = await onvifd([...build, ...files, ...more, ...signers])
  assert.equal(built.code, 0, built.stderr)

  const inspected = await onvifd(['image', 'inspect', at('image.swu'), '--ca', at('ca.pem'), '--signers', '2'])
  assert.equal(inspected.code, 0, inspected.stderr)
  assert.match(inspected.stdout, /^rootfs +rootfs\.img\.gz, \d+ B, gzip, SHA-256 [0-9a-f]{64}$/m)
  assert.match(inspected.stdout, /^app +app\.img\.gz, \d+ B, version 3\.3\.0, gzip, SHA-256 [0-9a-f]{64}$/m)
  assert.match(inspected.stdout, /^Installs over +0\.9\.0 and newer$/m)
  assert.match(inspected.stdout, /^Downgrade +allowed by its maker$/m)
  assert.match(inspected.stdout, /^Signature +good, by .*signer and .*signer$/m)

  await t.test('all of its signers have to be trusted, and enough of them', async () => {
    for (const [args, says] of [
      [['--ca', at('a.ca')], /does not lead to a trusted CA \(signature\)/],
      [['--ca', at('ca.pem'), '--signers', '3'], /signatures with 2 keys, and this device wants 3 \(signature\)/],
    ] as const) {
      const refused = await onvifd(['image', 'inspect', at('image.swu'), ...args])
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, says)
    }
  })

  await t.test('what does not fit together is said', async () => {
    for (const [args, says] of [
      [[...files, '--payload', `app=${at('root')}`, ...signers], /--payload comes twice for the role app/],
      [[...files, '--payload-version', 'data=1', ...signers], /no --payload with the role data/],
      [['--payload', `App=${at('app')}`, ...signers], /a role has small letters/],
      [[...files, ...signers.slice(2), '--cert', at('a.pem')], /say who signs/],
      [[...files, '--signature', at('root')], /--signature needs --detached/],
      [[...files, '--detached', at('parts')], /--out and --cert come with --signature/],
    ] as const) {
      const ran = await onvifd([...build, ...args])
      assert.equal(ran.code, 2, ran.stderr)
      assert.match(ran.stderr, says)
    }
    const only = await onvifd([...build, '--payload', `app=${at('app')}`, ...signers])
    assert.match(only.stderr, /no file with the role rootfs/)
  })
})

test('an image is signed elsewhere as --help says it', { skip: lacksTools }, async t => {
  const folder = await temporaryFolder(t)
  const at = (name: string): string => join(folder, name)
  const { stdout: help } = await onvifd(['image', 'build', '--help'])
  makeRoot('root')
  makeCertificate('signer', 'root', leafExtensions, 'rsa:2048')
  await writeFile(at('rootfs.img'), Buffer.alloc(100_000, 'rootfs'))
  await writeFile(at('signer.key'), key('signer'))
  await writeFile(at('signer.pem'), certificate('signer'))
  await writeFile(at('ca.pem'), certificate('root'))
  const prepared = await onvifd([
    'image',
    'build',
    '--version',
    '2.0.0',
    '--payload',
    at('rootfs.img'),
    '--gzip',
    '--detached',
    at('parts'),
  ])
  assert.equal(prepared.code, 0, prepared.stderr)
  const commands = help.slice(help.indexOf('Signed elsewhere')).replaceAll('\\\n', ' ').split('\n')
  const command = (start: string): readonly string[] => {
    const line = commands.find(text => text.trim().startsWith(start)) ?? assert.fail(`${start} is not in the help`)
    return line.split('#')[0]?.trim().split(/\s+/).slice(1) ?? []
  }

  for (const [start, cert] of [
    ['openssl dgst', ['--cert', at('signer.pem')]],
    ['openssl cms', []],
  ] as const) {
    execFileSync('openssl', command(start), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    const finish = ['image', 'build', '--detached', at('parts'), '--signature', at('signature'), ...cert, '--out', at('acme.swu')]
    const finished = await onvifd(finish)
    assert.equal(finished.code, 0, finished.stderr)
    const inspected = await onvifd(['image', 'inspect', at('acme.swu'), '--ca', at('ca.pem')])
    assert.match(inspected.stdout, /^Signature +good, by CN=signer$/m, start)
  }

  await t.test('a signature that does not fit makes no image, nor do other files', async () => {
    const finish = ['image', 'build', '--detached', at('parts'), '--signature', at('signature'), '--out', at('second.swu')]
    await writeFile(at('signature'), Buffer.alloc(256, 1))
    assert.match((await onvifd([...finish, '--cert', at('signer.pem')])).stderr, /does not verify/)
    assert.match((await onvifd(finish)).stderr, /one --cert for every --signature/)
    assert.match((await onvifd([...finish, '--payload', at('rootfs.img')])).stderr, /is in .*parts already/)
    await writeFile(join(at('parts'), 'rootfs.img.gz'), 'other')
    assert.match((await onvifd(finish)).stderr, /rootfs\.img\.gz is not what was signed/)
    assert.ok(!(await readdir(folder)).some(name => name.startsWith('second')))
  })

  await t.test('a revoked signer is shown', async () => {
    await writeFile(at('crl.pem'), makeCrl('root', ['signer']))
    const inspected = await onvifd(['image', 'inspect', at('acme.swu'), '--ca', at('ca.pem'), '--crl', at('crl.pem')])
    assert.equal(inspected.code, 1)
    assert.match(inspected.stdout, /^Signature +NOT to be trusted: revoked$/m)
    assert.match(inspected.stderr, /CN=signer has been revoked \(revoked\)/)
  })
})
