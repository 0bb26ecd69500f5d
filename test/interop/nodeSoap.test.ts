import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Client, createClientAsync, WSSecurity } from 'soap'
import { admin, buildImage, curlUpload, eventually, startDaemon } from '../support/daemon.ts'

/** A client made from the WSDL that the device itself serves. */
async function connect(origin: string, name: string, password: string): Promise<Client> {
  const client = await createClientAsync(`${origin}/onvif/wsdl/device.wsdl`, { forceSoap12Headers: true })
  client.setSecurity(new WSSecurity(name, password, { passwordType: 'PasswordDigest', hasTimeStamp: true, hasNonce: true }))
  return client
}

/** Calls an operation by its name; node-soap answers with a tuple whose first member is the message. */
async function call(client: Client, operation: string, request: object): Promise<Record<string, unknown>> {
  const [answer] = await client[`${operation}Async`](request)
  return answer
}

test('npm soap reads our WSDL, connects, manages users and upgrades', async t => {
  const device = await startDaemon(t)
  const client = await connect(device.origin, admin.name, admin.password)

  await t.test('finds all operations and the address by which it came', async () => {
    assert.equal(Object.keys(client.describe()).length, 1)
    assert.match(JSON.stringify(client.describe()), /"StartFirmwareUpgrade"/)
    assert.match(JSON.stringify(await call(client, 'GetServices', { IncludeCapability: false })), new RegExp(device.url))
  })

  await t.test('reads the device information', async () => {
    const information = await call(client, 'GetDeviceInformation', {})
    assert.equal(information.Manufacturer, 'onvifd')
    assert.equal(information.FirmwareVersion, '1.0.0')
  })

  await t.test('creates a user and logs in as it', async () => {
    await call(client, 'CreateUsers', { User: [{ 'tt:Username': 'olga', 'tt:Password': 'Nightshift-42', 'tt:UserLevel': 'Operator' }] })
    const olga = await connect(device.origin, 'olga', 'Nightshift-42')
    assert.equal((await call(olga, 'GetDeviceInformation', {})).Manufacturer, 'onvifd')
    await assert.rejects(call(olga, 'GetUsers', {}), /may not call|NotAuthorized|401/)
  })

  await t.test('is refused with a wrong password', async () => {
    const stranger = await connect(device.origin, admin.name, 'not the password')
    await assert.rejects(call(stranger, 'GetDeviceInformation', {}), /not authorized|NotAuthorized|400/i)
  })

  await t.test('starts an upgrade, posts the image and sees the new version', async t => {
    const image = await buildImage(t, device.state, '1.1.0')
    const { UploadUri } = await call(client, 'StartFirmwareUpgrade', {})
    assert.equal((await curlUpload(String(UploadUri), image)).status, '200')
    await eventually(async () => {
      const again = await connect(device.origin, admin.name, admin.password)
      assert.equal((await call(again, 'GetDeviceInformation', {})).FirmwareVersion, '1.1.0')
    })
  })
})
