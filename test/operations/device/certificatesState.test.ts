import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createBackup } from '../../../src/device/backup/backup.ts'
import { createForeignKeys } from '../../../src/device/backup/foreignKeys.ts'
import { createRestore } from '../../../src/device/backup/restore.ts'
import { createKeystore } from '../../../src/device/certificates/keystore.ts'
import { createSeal } from '../../../src/device/seal.ts'
import { openStore } from '../../../src/device/store.ts'
import { handClock, silent } from '../../device/certificates/lab.ts'
import { certificateStatus, createCertificate, dot1x, loadWithKey, tds } from '../../support/certificateRequests.ts'
import { testDevice } from '../../support/device.ts'
import { makeIdentity } from '../../support/identities.ts'
import { createTestDevice } from './testDevice.ts'

const author = { user: 'admin', remoteAddress: '192.0.2.99' }
const peap = { token: 'office', identity: 'camera', eapMethod: 25, caCertificateTokens: [], password: 'open sesame' }

/** A machine with a key of its own. Twice on one store: before and after a restart. */
function machine(passphrase: string | undefined, key = randomBytes(32), store = openStore(':memory:')) {
  const foreignKeys = createForeignKeys({ store, key })
  const seal = createSeal(key, foreignKeys.list)
  const clock = handClock()
  const keystore = createKeystore({ store, seal, clock, log: silent, isTlsEnabled: () => false })
  const identity = { manufacturer: 'onvifd', model: 'M', serialNumber: 'V1', hardwareId: 'h', uuid: 'u' }
  const backup = createBackup({ store, key, passphrase, foreignKeys, clock, identity })
  const power = { bootTimeMs: 0, reboot: async () => {} }
  const restore = createRestore({ backup, store, foreignKeys, clock, power, log: silent, interrupt: async () => {} })
  return { key, store, keystore, backup, restore }
}

test('a backup carries keys and passwords to another machine with the same passphrase, which uses them and hands them on', async () => {
  const first = machine('the passphrase of the operator')
  const made = await first.keystore.device.certificates.create({ token: 'mine', subject: 'CN=camera' })
  first.keystore.device.certificates.setStatuses([{ token: 'mine', enabled: true }])
  first.keystore.device.dot1x.create(peap)
  const pem = first.keystore.tls.settings().identities[0]?.keyPem
  let file = await first.backup.make()
  for (const form of ['latin1', 'base64'] as const) assert.ok(!file.toString(form).includes('open sesame'))

  for (const round of ['to a second machine', 'and from there to a third']) {
    const next = machine('the passphrase of the operator')
    await next.restore.restore(file, author)
    const { keystore } = next
    assert.deepEqual(keystore.device.certificates.own(), [made], round)
    assert.equal(keystore.tls.settings().identities[0]?.keyPem, pem)
    assert.deepEqual(
      keystore.passphrases.list().map(({ id }) => keystore.passphrases.open(id)),
      ['open sesame'],
    )
    assert.ok((await keystore.device.certificates.request('mine')).length > 100)
    file = await next.backup.make()
  }

  const stranger = machine('another passphrase')
  await stranger.keystore.device.certificates.create({ token: 'its own', subject: 'CN=stranger' })
  await assert.rejects(stranger.restore.restore(file, author), /passphrase|another key/)
  assert.deepEqual(
    stranger.keystore.device.certificates.own().map(({ token }) => token),
    ['its own'],
  )
})

test('Soft keeps the keystore, by which the device is reached; Hard leaves nothing of it', async t => {
  for (const type of ['Soft', 'Hard'] as const) {
    const { perform, keystore, store, reboots } = await createTestDevice(t)
    await perform('CreateCertificate', { CertificateID: 'mine' })
    await perform('SetCertificatesStatus', { CertificateStatus: [{ CertificateID: 'mine', Status: true }] })
    keystore.device.dot1x.create(peap)
    const before = store.exportDocuments().keystore
    await perform('SetSystemFactoryDefault', { FactoryDefault: type })
    assert.equal(reboots.length, 1)
    if (type === 'Soft') assert.deepEqual(store.exportDocuments().keystore, before)
    else
      assert.deepEqual(
        [keystore.keys.list(), keystore.certificates.list(), keystore.passphrases.list(), keystore.tls.paths(), keystore.dot1x.list()],
        [[], [], [], [], []],
      )
  }
})

test('support learns of the certificates, and no file or answer holds a secret in the clear', async t => {
  const device = await testDevice(t)
  const { der, pkcs8 } = await makeIdentity('somebody')
  const secret = 'open sesame, quickly'
  for (const request of [
    createCertificate('mine'),
    certificateStatus('mine', true),
    loadWithKey(['brought', der, pkcs8]),
    dot1x('CreateDot1XConfiguration', 'office', { own: `<tt:Password>${secret}</tt:Password>` }),
  ])
    assert.equal((await device.ask(request)).fault, undefined)
  const { xml: support } = await device.ask(tds('GetSystemSupportInformation'))
  for (const known of ['CN=camera', 'CN=somebody', 'office', 'EC-P-256']) assert.ok(support.includes(known), known)

  const { xml: log } = await device.ask(tds('GetSystemLog', '<tds:LogType>Access</tds:LogType>'))
  assert.ok(log.includes('LoadCertificateWithPrivateKey'))
  const answers = [support, log, (await device.ask(tds('GetDot1XConfigurations'))).xml, (await device.ask(tds('GetCertificates'))).xml]
  const files = readdirSync(device.state, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name)).toString('latin1'))
  // What begins every private key on this curve, and the middle of this one, which no alignment of base64 hides.
  const inTheMiddle = [0, 1, 2].map(start =>
    pkcs8
      .subarray(40 + start, 64 + start)
      .toString('base64')
      .slice(2, -4),
  )
  for (const text of [...answers, ...files])
    for (const hidden of [secret, 'PRIVATE KEY', pkcs8.subarray(40, 64).toString('latin1'), ...inTheMiddle])
      assert.ok(!text.includes(hidden), hidden)
  assert.ok(
    files.some(text => text.includes('office')),
    'the store is among the files',
  )
})
