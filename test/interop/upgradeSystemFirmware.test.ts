import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createClientAsync, WSSecurity } from 'soap'
import { admin, buildImage, type Daemon, eventually, run, startDaemon, temporaryFolder } from '../support/daemon.ts'
import { envelope } from '../support/device.ts'
import { packageEnd, packageType, partHead, rootPart } from '../support/firmwareMessage.ts'

const python = '/usr/bin/python3'
const script = fileURLToPath(new URL('./zeep_upgrade.py', import.meta.url))
const { code } = await run(python, ['-c', 'import zeep']).catch(() => ({ code: -1 }))
const withoutZeep = code === 0 ? false : 'python3-zeep is not installed'

const installed = /firmware 1\.1\.0 is installed/

/** A device, and an image that is too large to be collected. */
async function prepare(t: TestContext): Promise<{ readonly daemon: Daemon; readonly image: string }> {
  const daemon = await startDaemon(t)
  return { daemon, image: await buildImage(t, daemon.state, '1.1.0', 8_000_000) }
}

async function comesUp({ url }: Daemon): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(url, { method: 'POST', body: envelope('<tds:GetDeviceInformation/>', admin) })
    assert.match(await answer.text(), /FirmwareVersion>1\.1\.0</)
  })
}

for (const how of ['inline', 'package']) {
  test(`zeep upgrades with UpgradeSystemFirmware, ${how}`, { skip: withoutZeep }, async t => {
    const { daemon, image } = await prepare(t)
    const wsdl = `${daemon.origin}/onvif/wsdl/device.wsdl`
    const { stdout, stderr } = await run(python, ['-B', script, wsdl, daemon.url, image, how], { input: `${admin.password}\n` })
    assert.match(stdout, installed, stderr)
    await comesUp(daemon)
  })
}

test('npm soap upgrades with UpgradeSystemFirmware and an attachment', async t => {
  const { daemon, image } = await prepare(t)
  const client = await createClientAsync(`${daemon.origin}/onvif/wsdl/device.wsdl`, { forceSoap12Headers: true })
  client.setSecurity(new WSSecurity(admin.name, admin.password, { passwordType: 'PasswordDigest', hasTimeStamp: true, hasNonce: true }))
  const include = '<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:image"/>'
  const attachments = [{ mimetype: 'application/octet-stream', contentId: 'image', name: 'firmware.swu', body: await readFile(image) }]
  const [answer] = await client.UpgradeSystemFirmwareAsync({ Firmware: { $xml: include } }, { attachments })
  assert.match(JSON.stringify(answer), installed)
  await comesUp(daemon)
})

test('curl upgrades with UpgradeSystemFirmware, with HTTP Digest and Expect', async t => {
  const { daemon, image } = await prepare(t)
  const file = join(await temporaryFolder(t), 'message')
  await writeFile(
    file,
    Buffer.concat([Buffer.from(rootPart(undefined) + partHead('image')), await readFile(image), Buffer.from(packageEnd)]),
  )
  const args = ['--silent', '--show-error', '--config', '-', '--digest', '-H', `Content-Type: ${packageType}`, '-H', 'Expect: 100-continue']
  const { stdout, stderr } = await run('curl', [...args, '--data-binary', `@${file}`, daemon.url], {
    input: `user = "${admin.name}:${admin.password}"\n`,
  })
  assert.match(stdout, installed, stderr)
  await comesUp(daemon)
})
