import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressError, parseServiceUrl, reachableAddresses } from '../../src/client/address.ts'

test('takes every way in which a person writes an address', () => {
  const cases = {
    'camera.local': 'http://camera.local/onvif/device_service',
    '192.168.1.20:8080': 'http://192.168.1.20:8080/onvif/device_service',
    'localhost:8080': 'http://localhost:8080/onvif/device_service',
    'http://192.168.1.20': 'http://192.168.1.20/onvif/device_service',
    'https://192.168.1.20/': 'https://192.168.1.20/onvif/device_service',
    'http://192.168.1.20/onvif/media#x': 'http://192.168.1.20/onvif/media',
    '192.168.1.20/onvif/events?a=1': 'http://192.168.1.20/onvif/events?a=1',
    '::1': 'http://[::1]/onvif/device_service',
    '[fe80::1]:8080': 'http://[fe80::1]:8080/onvif/device_service',
    ' camera.local ': 'http://camera.local/onvif/device_service',
  }
  for (const [written, meant] of Object.entries(cases)) assert.equal(parseServiceUrl(written).href, meant, written)
})

test('refuses what is no address, and passwords in one', () => {
  for (const text of ['', 'http://', 'a b', 'camera:99999', 'rtsp://camera/', 'http://admin:secret@camera/', 'admin@camera']) {
    assert.throws(() => parseServiceUrl(text), AddressError, text)
  }
})

test('tries the address that a device gave, then the host that answered, then its port, too', () => {
  const hrefs = (given: string, service: string) => reachableAddresses(given, new URL(service)).map(({ href }) => href)
  assert.deepEqual(hrefs('http://10.0.0.5/up/1', 'http://camera.example:8080/onvif/device_service'), [
    'http://10.0.0.5/up/1',
    'http://camera.example/up/1',
    'http://camera.example:8080/up/1',
  ])
  assert.deepEqual(hrefs('http://camera/up', 'http://camera/onvif/device_service'), ['http://camera/up'])
  assert.deepEqual(hrefs('/up?t=1', 'http://camera:81/onvif/device_service'), ['http://camera:81/up?t=1'])
  assert.deepEqual(hrefs('http://127.0.0.1:80/up', 'http://127.0.0.1:8080/onvif/device_service').length, 2)
  assert.deepEqual(hrefs('http://h:81/up', 'https://camera:8443/x'), ['http://h:81/up', 'http://camera:81/up'])
})

test('never sends an image to the asking machine itself because a device says so', () => {
  for (const own of ['127.0.0.1', 'localhost', '0.0.0.0', '[::1]', '[::]']) {
    const [first] = reachableAddresses(`http://${own}/up`, new URL('http://camera/onvif/device_service'))
    assert.equal(first?.href, 'http://camera/up', own)
  }
})

test('refuses an upload address that is none', () => {
  for (const given of ['ftp://camera/up', 'http://', 'file:///etc/passwd']) {
    assert.throws(() => reachableAddresses(given, new URL('http://camera/')), AddressError, given)
  }
})
