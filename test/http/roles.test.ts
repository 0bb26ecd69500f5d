import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDevice, type Device } from '../../src/createDevice.ts'
import { authorizationOf, nonceIn } from '../auth/support.ts'
import { admin, temporaryFolder } from '../support/daemon.ts'
import { envelope } from '../support/device.ts'

const vera = { name: 'vera', password: 'Looking-after-1' }

test('a role opens the files that go with its operations, and no others', async t => {
  let device: Device | undefined
  const state = await temporaryFolder(t, async () => device?.stop())
  device = await createDevice({ state, port: 0, bootTime: 0, logLevel: 'silent', adminPassword: admin.password })
  const service = new URL(await device.start())

  const ask = async (body: string, login: { readonly name: string; readonly password: string }) =>
    fetch(service, { method: 'POST', body: envelope(body, login) })
  /** The status of the answer to whoever answers the challenge. */
  async function reach(method: string, path: string): Promise<number> {
    const url = new URL(path, service)
    const challenged = await fetch(url, { method })
    const nonce = nonceIn(challenged.headers.get('www-authenticate') ?? '')
    const authorization = authorizationOf({ user: vera.name, password: vera.password, nonce, uri: url.pathname, method })
    return (await fetch(url, { method, headers: { authorization } })).status
  }
  const give = async (functions: string) =>
    assert.equal(
      (
        await ask(
          `<tds:SetUserRole><tds:UserRole><tt:Name>keeper</tt:Name><tt:Functions>${functions}</tt:Functions></tds:UserRole></tds:SetUserRole>`,
          admin,
        )
      ).status,
      200,
    )

  await give('tds:GetSystemLog')
  const user = `<tds:User><tt:Username>vera</tt:Username><tt:Password>${vera.password}</tt:Password><tt:UserLevel>Extended</tt:UserLevel><tt:Extension><tt:Roles>keeper</tt:Roles></tt:Extension></tds:User>`
  assert.equal((await ask(`<tds:CreateUsers>${user}</tds:CreateUsers>`, admin)).status, 200)
  const statuses = async () => [
    await reach('GET', '/onvif/download/system.log'),
    await reach('GET', '/onvif/download/access.log'),
    await reach('GET', '/onvif/download/support.tar'),
    await reach('GET', '/onvif/download/backup'),
    await reach('POST', '/onvif/upload/nothing-was-started'),
    await reach('POST', '/onvif/restore/nothing-was-started'),
  ]
  assert.deepEqual(await statuses(), [200, 200, 401, 401, 401, 401])
  await give('tds:GetSystemBackup tds:StartFirmwareUpgrade')
  assert.deepEqual(await statuses(), [401, 401, 401, 200, 404, 401])
  await give('tds:GetSystemSupportInformation tds:StartSystemRestore')
  assert.deepEqual(await statuses(), [401, 401, 200, 401, 401, 404])
})
