import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cam, type DeviceInformation } from 'onvif'
import { admin, buildImage, curlUpload, eventually, startDaemon } from '../support/daemon.ts'

declare module 'onvif' {
  interface Cam {
    _request(options: { service: string; body: string }, done: (error: Error | null, data: unknown, xml: string) => void): void
    _envelopeHeader(): string
    _envelopeFooter(): string
  }
}

/** The package answers by callback; its promises would hide which call failed. */
const ask = <T>(call: (done: (error: Error | null | false, value: T) => void) => void) =>
  new Promise<T>((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))))

async function connect(origin: string, username: string, password: string): Promise<Cam> {
  const { hostname, port } = new URL(origin)
  const cam = new Cam({ hostname, port: Number(port), username, password, timeout: 5000, autoconnect: false })
  await ask(done => cam.connect(done))
  return cam
}

test('npm onvif connects, manages users and upgrades', async t => {
  const device = await startDaemon(t)
  const cam = await connect(device.origin, admin.name, admin.password)

  await t.test('reads the device information', async () => {
    const information = await ask<DeviceInformation | undefined>(done => cam.getDeviceInformation(done))
    assert.equal(information?.manufacturer, 'onvifd')
    assert.equal(information?.firmwareVersion, '1.0.0')
  })

  await t.test('reads the list of services, which it cannot where there is only one', async () => {
    const services = JSON.stringify(await ask(done => cam.getServices(true, done)))
    assert.match(services, /device_service.*security_service/)
  })

  await t.test('creates a user and logs in as it', async () => {
    await ask(done => cam.createUsers([{ username: 'olga', password: 'Nightshift-42', userLevel: 'Operator' }], done))
    const olga = await connect(device.origin, 'olga', 'Nightshift-42')
    assert.match(JSON.stringify(await ask(done => olga.getScopes(done))), /hardware/)
  })

  await t.test('is refused with a wrong password', async () => {
    const stranger = await connect(device.origin, admin.name, 'not the password')
    await assert.rejects(
      ask(done => stranger.getDeviceInformation(done)),
      /auth/i,
    )
  })

  await t.test('starts an upgrade, posts the image and sees the new version', async t => {
    const image = await buildImage(t, device.state, '1.1.0')
    const body = `${cam._envelopeHeader()}<StartFirmwareUpgrade xmlns="http://www.onvif.org/ver10/device/wsdl"/>${cam._envelopeFooter()}`
    const xml = await new Promise<string>((resolve, reject) =>
      cam._request({ service: 'device', body }, (error, _data, text) => (error ? reject(error) : resolve(text))),
    )
    const uri = /<tds:UploadUri>([^<]+)</.exec(xml)?.[1]
    assert.ok(uri, xml)
    assert.equal((await curlUpload(uri, image)).status, '200')
    await eventually(async () => {
      const again = await connect(device.origin, admin.name, admin.password)
      const information = await ask<DeviceInformation | undefined>(done => again.getDeviceInformation(done))
      assert.equal(information?.firmwareVersion, '1.1.0')
    })
  })
})
