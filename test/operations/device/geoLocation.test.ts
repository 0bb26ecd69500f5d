import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/limits.ts'
import { type TestDevice, testDevice } from '../../support/device.ts'

const entry = (attributes: string, content = '<tt:GeoLocation lon="8.7" lat="50.1" elevation="112.5"/>') =>
  `<tds:Location ${attributes}>${content}</tds:Location>`
const set = (...entries: readonly string[]) => `<tds:SetGeoLocation>${entries.join('')}</tds:SetGeoLocation>`
const remove = (...entries: readonly string[]) => `<tds:DeleteGeoLocation>${entries.join('')}</tds:DeleteGeoLocation>`
const read = async ({ ask }: TestDevice) =>
  /<tds:GetGeoLocationResponse.*(?=<\/env:Body>)/s.exec((await ask('<tds:GetGeoLocation/>')).xml)?.[0]

test('locations are set, read back, and still there after a restart', async t => {
  const device = await testDevice(t)
  assert.equal(await read(device), '<tds:GetGeoLocationResponse/>')
  const everything =
    '<tt:GeoLocation lon="-180" lat="90" elevation="-12000"/><tt:GeoOrientation roll="0.5" pitch="-3" yaw="359.9"/><tt:LocalLocation x="1" y="2.25" z="-3"/><tt:LocalOrientation pan="1" tilt="2" roll="3"/>'
  const first = entry('Entity="Device" GeoSource="http://192.0.2.9/onvif/device_service"', everything)
  const { fault } = await device.ask(set(first, entry('Entity="VideoSource" Token="cam1" AutoGeo="false"')))
  assert.equal(fault, undefined)
  const expected = `<tds:GetGeoLocationResponse>${first}${entry('Entity="VideoSource" Token="cam1"')}</tds:GetGeoLocationResponse>`
  assert.equal(await read(device), expected)
  await device.restart()
  assert.equal(await read(device), expected)
})

test('an entry that is set again keeps nothing of the old one, and entries that are not named stay', async t => {
  const device = await testDevice(t)
  await device.ask(set(entry('Entity="Device"', '<tt:GeoLocation lon="1" lat="2"/><tt:GeoOrientation yaw="3"/>'), entry('Token="other"')))
  await device.ask(set(entry('Entity="Device"', '<tt:GeoLocation lat="4"/>')))
  assert.equal(
    await read(device),
    `<tds:GetGeoLocationResponse>${entry('Entity="Device"', '<tt:GeoLocation lat="4"/>')}${entry('Token="other"')}</tds:GetGeoLocationResponse>`,
  )
})

test('a list with one bad entry changes nothing', async t => {
  const device = await testDevice(t)
  await device.ask(set(entry('Entity="Device"')))
  const before = await read(device)
  const good = entry('Entity="VideoSource"')
  const cases: readonly (readonly [string, string])[] = [
    [entry('Entity="Device" AutoGeo="true"'), 'Sender/InvalidArgVal/NoAutoGeo'],
    [entry('Entity="Elsewhere"'), 'Sender/InvalidArgVal'],
    [good, 'Sender/InvalidArgVal'],
    [entry('Entity="VideoSource" Token=""'), 'Sender/InvalidArgVal'],
    [entry(`GeoSource="http://h/${'x'.repeat(limits.uriCharactersMax)}"`), 'Sender/InvalidArgVal'],
    ...['lon="180.1"', 'lat="-90.5"', 'lat="NaN"', 'elevation="INF"', 'elevation="1e6"'].map(
      part => [entry('', `<tt:GeoLocation ${part}/>`), 'Sender/InvalidArgVal'] as const,
    ),
    [entry('', '<tt:GeoOrientation yaw="361"/>'), 'Sender/InvalidArgVal'],
    [entry('', '<tt:LocalLocation x="-INF"/>'), 'Sender/InvalidArgVal'],
    [entry('', '<tt:LocalOrientation tilt="-400"/>'), 'Sender/InvalidArgVal'],
  ]
  for (const [bad, expected] of cases) {
    assert.equal((await device.ask(set(good, bad))).fault, expected, bad)
    assert.equal(await read(device), before)
  }
})

test('there is room for so many entries and not one more', async t => {
  const device = await testDevice(t)
  const many = Array.from({ length: limits.geoLocationsMax }, (_, index) => entry(`Entity="VideoSource" Token="${index}"`))
  assert.equal((await device.ask(set(...many))).fault, undefined)
  const before = await read(device)
  assert.equal((await device.ask(set(entry('Entity="Device"')))).fault, 'Receiver/Action/TooManyEntries')
  assert.equal((await device.ask(set(...many))).fault, undefined, 'what is there already needs no room')
  assert.equal(await read(device), before)
  const { xml } = await device.ask('<tds:GetServiceCapabilities/>')
  assert.match(xml, new RegExp(` GeoLocationEntries="${limits.geoLocationsMax}"`))
})

test('entries are deleted by entity and token, all of the list or none; a fixed one stays until it is set free', async t => {
  const device = await testDevice(t)
  await device.ask(
    set(entry('Entity="Device" Fixed="true"'), entry('Entity="VideoSource" Token="a"'), entry('Entity="VideoSource" Token="b"')),
  )
  const before = await read(device)
  const a = entry('Entity="VideoSource" Token="a"', '')
  assert.equal((await device.ask(remove(a, entry('Entity="VideoSource"', '')))).fault, 'Sender/InvalidArgVal/NoConfig')
  assert.equal((await device.ask(remove(a, entry('Entity="Device"', '')))).fault, 'Sender/InvalidArgVal/Fixed')
  assert.equal(await read(device), before)
  await device.ask(set(entry('Entity="Device"')))
  assert.equal((await device.ask(remove(a, a, entry('Entity="Device"', '')))).fault, undefined)
  const left = `<tds:GetGeoLocationResponse>${entry('Entity="VideoSource" Token="b"')}</tds:GetGeoLocationResponse>`
  assert.equal(await read(device), left)
  await device.restart()
  assert.equal(await read(device), left)
})
