import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extract } from 'tar-stream'
import { createTestDevice } from '../operations/device/testDevice.ts'

async function unpack(archive: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  const reader = extract()
  reader.end(archive)
  for await (const entry of reader) {
    const pieces: Buffer[] = []
    for await (const piece of entry) if (Buffer.isBuffer(piece)) pieces.push(piece)
    files.set(entry.header.name, String(Buffer.concat(pieces)))
  }
  return files
}

test('the archive holds device, settings, upgrades and both logs', async t => {
  const { supportInformation, logs } = await createTestDevice(t)
  logs.system.info({}, 'from the system')
  logs.access.info({}, 'from the access')
  const files = await unpack(await supportInformation.archive())
  assert.deepEqual(
    [...files.keys()],
    ['device.json', 'settings.json', 'upgrades.json', 'system.log', 'access.log'].map(name => `onvifd-V1/${name}`),
  )
  const json = (name: string) => JSON.parse(files.get(`onvifd-V1/${name}.json`) ?? '')
  assert.deepEqual(
    [json('device').serialNumber, json('device').slots[0].version, json('settings').users, json('upgrades')],
    ['V1', '1.0.0', [{ name: 'admin', level: 'Administrator' }], []],
  )
  assert.match(files.get('onvifd-V1/system.log') ?? '', /from the system/)
  assert.match(files.get('onvifd-V1/access.log') ?? '', /from the access/)
})

test('the text form holds the same sheets without the logs', async t => {
  const { perform } = await createTestDevice(t)
  const text = (await perform('GetSystemSupportInformation', {})).SupportInformation.String ?? ''
  assert.deepEqual(text.match(/^== .* ==$/gm), ['== device ==', '== settings ==', '== upgrades =='])
})

test('neither holds a password, sealed or clear, or a ticket', async t => {
  const { supportInformation, perform, store, users } = await createTestDevice(t)
  const { UploadUri } = await perform('StartFirmwareUpgrade', {})
  const everything = (await supportInformation.text()) + String(await supportInformation.archive())
  const [{ password: sealed }] = JSON.parse(JSON.stringify(store.exportDocuments())).users
  for (const secret of [users.find('admin')?.password, sealed, UploadUri.slice(-22)]) {
    assert.equal(typeof secret, 'string')
    assert.ok(!everything.includes(secret))
  }
})
