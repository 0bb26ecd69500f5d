import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeFirstCertificate } from '../../../src/device/certificates/firstCertificate.ts'
import type { Keystore } from '../../../src/device/certificates/keystore.ts'
import { openStore } from '../../../src/device/store.ts'
import { temporaryFolder } from '../../support/daemon.ts'
import { keystoreOn } from './lab.ts'

function killed(): never {
  throw new Error('killed')
}

/** Where a start ends on the way. */
const ends: Readonly<Record<string, (keystore: Keystore) => Keystore>> = {
  'while its key is made': keystore => ({ ...keystore, keys: { ...keystore.keys, whenReady: killed } }),
  'before the certificate': keystore => ({ ...keystore, certificates: { ...keystore.certificates, createSelfSigned: killed } }),
  'before the path': keystore => ({ ...keystore, paths: { ...keystore.paths, create: killed } }),
  'before the path is used': keystore => ({ ...keystore, tls: { ...keystore.tls, addPath: killed } }),
}

const held = ({ keys, certificates, paths, tls }: Keystore) =>
  [keys.list(), certificates.list(), paths.list(), tls.paths()].map(({ length }) => length)

const make = (keystore: Keystore) => makeFirstCertificate(keystore, ['localhost'], 'V1')

/** A start that ends there, what a client does then, and a start that does not. */
async function startTwice(t: TestContext, end: (keystore: Keystore) => Keystore, between: (keystore: Keystore) => unknown) {
  const file = join(await temporaryFolder(t), 'device.db')
  const first = openStore(file)
  const broken = keystoreOn(first)
  await assert.rejects(make(end(broken)), /killed/)
  between(broken)
  broken.stop()
  first.close()
  const second = openStore(file)
  t.after(() => second.close())
  const keystore = keystoreOn(second)
  await make(keystore)
  return keystore
}

for (const [when, end] of Object.entries(ends))
  test(`a start that ends ${when} leaves nothing that the next one keeps`, async t => {
    const keystore = await startTwice(t, end, ({ passphrases }) => passphrases.upload('of a client'))
    assert.deepEqual(held(keystore), [1, 1, 1, 1])
    assert.equal(keystore.passphrases.list().length, 1)
  })

test('what a client has found a use for is not taken away with what a start left', async t => {
  const end = ends['before the path'] ?? assert.fail()
  const keystore = await startTwice(t, end, ({ certificates, paths }) =>
    paths.create(
      certificates.list().map(({ id }) => id),
      'of a client',
    ),
  )
  assert.deepEqual(held(keystore), [2, 2, 2, 1])
})
