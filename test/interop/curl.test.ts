import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { admin, buildImage, curlUpload, eventually, run, startDaemon, temporaryFolder } from '../support/daemon.ts'

const envelope = (body: string) =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>${body}</s:Body></s:Envelope>`

/** One operation as a shell script would call it; gives HTTP status and answer. */
async function soap(url: string, body: string, user = admin): Promise<{ status: string; xml: string }> {
  const { stdout, stderr } = await run(
    'curl',
    [
      '-sS',
      '--config',
      '-',
      '--digest',
      '-H',
      'Content-Type: application/soap+xml; charset=utf-8',
      '--data-binary',
      envelope(body),
      '-w',
      '\n%{http_code}',
      url,
    ],
    { input: `user = "${user.name}:${user.password}"\n` },
  )
  assert.equal(stderr, '')
  const end = stdout.lastIndexOf('\n')
  return { status: stdout.slice(end + 1), xml: stdout.slice(0, end) }
}

test('curl --digest connects, manages users and upgrades', async t => {
  const device = await startDaemon(t)

  await t.test('reads the device information', async () => {
    const { status, xml } = await soap(device.url, '<tds:GetDeviceInformation/>')
    assert.equal(status, '200')
    assert.match(xml, /<tds:FirmwareVersion>1\.0\.0</)
  })

  await t.test('creates a user and logs in as it', async () => {
    const user =
      '<tds:User><tt:Username>olga</tt:Username><tt:Password>Nightshift-42</tt:Password><tt:UserLevel>Operator</tt:UserLevel></tds:User>'
    assert.equal((await soap(device.url, `<tds:CreateUsers>${user}</tds:CreateUsers>`)).status, '200')
    const olga = { name: 'olga', password: 'Nightshift-42' }
    assert.equal((await soap(device.url, '<tds:GetScopes/>', olga)).status, '200')
    assert.equal((await soap(device.url, '<tds:GetUsers/>', olga)).status, '401')
  })

  await t.test('is refused with a wrong password', async () => {
    const { status, xml } = await soap(device.url, '<tds:GetDeviceInformation/>', { name: admin.name, password: 'not the password' })
    assert.equal(status, '401')
    assert.match(xml, /NotAuthorized/)
  })

  await t.test('downloads both logs, the support file and the backup, and puts the backup back', async t => {
    const { xml } = await soap(device.url, '<tds:GetSystemUris/>')
    const uris = [...xml.matchAll(/(?:Uri)>(http[^<]+)</g)].map(match => match[1] ?? '')
    assert.equal(uris.length, 4, xml)
    const login = { input: `user = "${admin.name}:${admin.password}"\n` }
    for (const uri of uris) {
      const got = await run(
        'curl',
        ['-sS', '--config', '-', '--digest', '-o', '/dev/null', '-w', '%{http_code} %{size_download}', uri],
        login,
      )
      assert.match(got.stdout, /^200 [1-9]/, uri)
      assert.equal((await run('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', uri])).stdout, '401', `${uri} without log-in`)
    }

    const backup = join(await temporaryFolder(t), 'backup')
    await run('curl', ['-sS', '--config', '-', '--digest', '-o', backup, uris.at(-1) ?? ''], login)
    assert.equal((await soap(device.url, '<tds:SetHostname><tds:Name>changed-since</tds:Name></tds:SetHostname>')).status, '200')
    const restore = /<tds:UploadUri>([^<]+)</.exec((await soap(device.url, '<tds:StartSystemRestore/>')).xml)?.[1] ?? ''
    const restored = await curlUpload(restore, backup)
    assert.equal(restored.status, '200', restored.body)
    await eventually(async () => {
      const { status, xml } = await soap(device.url, '<tds:GetHostname/>')
      assert.equal(status, '200')
      assert.doesNotMatch(xml, /changed-since/)
    })
  })

  await t.test('starts an upgrade, posts the image and sees the new version', async t => {
    const image = await buildImage(t, device.state, '1.1.0')
    const { xml } = await soap(device.url, '<tds:StartFirmwareUpgrade/>')
    const uri = /<tds:UploadUri>([^<]+)</.exec(xml)?.[1] ?? ''
    const { status, body } = await curlUpload(uri, image)
    assert.equal(status, '200', body)
    await eventually(async () => assert.match((await soap(device.url, '<tds:GetDeviceInformation/>')).xml, /<tds:FirmwareVersion>1\.1\.0</))
    assert.equal((await soap(device.url, '<tds:GetScopes/>', { name: 'olga', password: 'Nightshift-42' })).status, '200', 'users survive')
  })
})
