import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Attachment, pack } from '../../../src/soap/mtom.ts'
import { admin, temporaryFolder } from '../../support/daemon.ts'
import { envelope, type TestDevice, testDevice } from '../../support/device.ts'

/** As an MTOM client sends it: always as a package, with whatever belongs to it. */
function sendPackage({ send }: TestDevice, body: string, attachments: readonly Attachment[] = [], type = (text: string) => text) {
  const { contentType, body: bytes } = pack(Buffer.from(envelope(body, admin)), attachments)
  return send(bytes, undefined, type(contentType))
}

const restoreSystem = (...files: readonly string[]) =>
  `<tds:RestoreSystem>${files.map(data => `<tds:BackupFiles><tt:Name>onvifd.backup</tt:Name><tt:Data xmime:contentType="application/octet-stream">${data}</tt:Data></tds:BackupFiles>`).join('')}</tds:RestoreSystem>`
const include = (href: string) => `<xop:Include href="${href}"/>`
const attached = (content: Uint8Array, id = 'a@b'): Attachment => ({ id, contentType: 'application/octet-stream', content })
const setHostname = (name: string) => `<tds:SetHostname><tds:Name>${name}</tds:Name></tds:SetHostname>`
const hostname = async ({ ask }: TestDevice) => /<tt:Name>([^<]*)</.exec((await ask('<tds:GetHostname/>')).xml)?.[1]

async function backupOf({ ask }: TestDevice): Promise<Buffer> {
  const { headers, xml, attachments } = await ask('<tds:GetSystemBackup/>')
  assert.match(
    String(headers['content-type']),
    /^multipart\/related; .*type="application\/xop\+xml"; .*start-info="application\/soap\+xml"/,
  )
  const id = /<tt:Name>onvifd\.backup<.*href="cid:([^"]+)"/.exec(xml)?.[1] ?? assert.fail(xml)
  return attachments.get(id) ?? assert.fail(`nothing is named ${id}`)
}

/** A device whose hostname was `before` when the backup was made, and is `after` now. */
async function usedDevice(t: TestContext, options = {}) {
  const device = await testDevice(t, options)
  await device.ask(setHostname('before'))
  const backup = await backupOf(device)
  await device.ask(setHostname('after'))
  return { device, backup }
}

test('a backup that came as an attachment is restored from an attachment, and the device restarts', async t => {
  const { device, backup } = await usedDevice(t)
  assert.match((await device.ask('<tds:GetServiceCapabilities/>')).xml, / SystemBackup="true"/)
  const { status, headers } = await sendPackage(device, restoreSystem(include('cid:a%40b')), [attached(backup)])
  assert.equal(status, 200)
  assert.equal(headers['content-type'], 'application/soap+xml; charset=utf-8', 'an answer without attachments is plain')
  await device.restart()
  assert.equal(await hostname(device), 'before')
})

test('a client that knows no MTOM may send base64, unless the device is strict', async t => {
  const { device, backup } = await usedDevice(t)
  assert.equal((await device.ask(restoreSystem(backup.toString('base64').replace(/.{76}/g, '$&\r\n')))).status, 200)
  await device.restart()
  assert.equal(await hostname(device), 'before')
  const strict = await usedDevice(t, { strict: true })
  assert.equal((await strict.device.ask(restoreSystem(strict.backup.toString('base64')))).status, 400)
  assert.equal(await hostname(strict.device), 'after')
})

test('what is no backup, is not there, or is more than one file is refused, and nothing changes', async t => {
  const { device, backup } = await usedDevice(t)
  const broken = Buffer.from(backup)
  broken.writeUInt8(broken.readUInt8(200) ^ 1, 200)
  const one = include('cid:a@b')
  for (const [body, content] of [
    [restoreSystem(one), broken],
    [restoreSystem(one), Buffer.from('rubbish')],
    [restoreSystem(one), Buffer.alloc(0)],
    [restoreSystem(include('cid:other')), backup],
    [restoreSystem(include('http://192.0.2.1/backup')), backup],
    [restoreSystem(one, one), backup],
  ] as const)
    assert.equal((await sendPackage(device, body, [attached(content)])).fault, 'Sender/InvalidArgVal/InvalidBackupFile', body)
  assert.equal((await device.ask(restoreSystem('QUJD'))).fault, 'Sender/InvalidArgVal/InvalidBackupFile')
  await device.restart()
  assert.equal(await hostname(device), 'after')
})

test('a package that is none, and one whose log-in is wrong, are refused', async t => {
  const { device, backup } = await usedDevice(t)
  const wrong = (contentType: string) => contentType.replace(/boundary="/, 'boundary="x')
  assert.equal((await sendPackage(device, '<tds:GetHostname/>', [], wrong)).fault, 'Sender/WellFormed')
  const { contentType, body } = pack(Buffer.from(envelope(restoreSystem(include('cid:a@b')))), [attached(backup)])
  const { status, headers } = await device.send(body, undefined, contentType)
  assert.equal(status, 401)
  assert.ok(headers['www-authenticate'])
  assert.equal(await hostname(device), 'after')
})

test('logs and support information come as attachments to those who send packages, and as text to everybody else', async t => {
  const device = await testDevice(t)
  const log = '<tds:GetSystemLog><tds:LogType>Access</tds:LogType></tds:GetSystemLog>'
  for (const [request, type, begins] of [
    [log, 'text/plain; charset=utf-8', '{'],
    ['<tds:GetSystemSupportInformation/>', 'application/x-tar', 'onvifd-'],
  ] as const) {
    await device.ask('<tds:GetHostname/>')
    const plain = await device.ask(request)
    assert.match(plain.xml, /<tt:String>/)
    assert.equal(plain.attachments.size, 0)
    const { xml, attachments } = await sendPackage(device, request)
    assert.match(xml, /<tt:Binary xmime:contentType="([^"]+)"><xop:Include href="cid:1@onvifd"\/><\/tt:Binary>/)
    assert.ok(xml.includes(`="${type}"`), xml)
    assert.ok(attachments.get('1@onvifd')?.toString().startsWith(begins))
  }
})

test('with a passphrase file a replacement device takes the backup, users included', async t => {
  const folder = await temporaryFolder(t, async () => {})
  const backupPassphraseFile = join(folder, 'passphrase')
  writeFileSync(backupPassphraseFile, 'a passphrase for tests\nand a second line\n')
  const { device, backup } = await usedDevice(t, { backupPassphraseFile })
  await device.createEveryLevel()
  const withUsers = await backupOf(device)
  assert.ok(backup.toString('latin1').startsWith('onvifd backup 2 passphrase\n'))
  const replacement = await testDevice(t, { backupPassphraseFile, adminPassword: 'Correct-horse-12' })
  const { contentType, body } = pack(
    Buffer.from(envelope(restoreSystem(include('cid:a@b')), { name: 'admin', password: 'Correct-horse-12' })),
    [attached(withUsers)],
  )
  assert.equal((await replacement.send(body, undefined, contentType)).status, 200)
  await replacement.restart()
  assert.equal(await hostname(replacement), 'after')
  assert.match((await replacement.ask('<tds:GetUsers/>')).xml, /olga.*ulrich/s)

  writeFileSync(backupPassphraseFile, 'short\n')
  await assert.rejects(testDevice(t, { backupPassphraseFile }), /needs 12 characters/)
  await assert.rejects(testDevice(t, { backupPassphraseFile: join(folder, 'none') }), /cannot be read/)
})
