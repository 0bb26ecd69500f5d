import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conform } from '../../src/client/conform.ts'
import { contract } from '../../src/onvif/contract.generated.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { parseXml } from '../../src/soap/xml.ts'

const codec = createCodec(contract)

/** What a client reads in an answer that a device wrote. */
function read(operation: string, content: string): unknown {
  const namespaces = 'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:acme="urn:acme"'
  const element = parseXml(`<tds:${operation}Response ${namespaces}>${content}</tds:${operation}Response>`)
  return codec.decode(`tds:${operation}Response`, conform(element, `tds:${operation}Response`))
}

const identity =
  '<tds:Model>A1</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>7</tds:SerialNumber><tds:HardwareId>b</tds:HardwareId>'
const expected = { Manufacturer: 'Acme', Model: 'A1', FirmwareVersion: '1.0', SerialNumber: '7', HardwareId: 'b' }

test('leaves out elements, attributes and texts that the contract does not know', () => {
  const content = `junk<acme:Extra/><tds:Manufacturer acme:id="1" lang="en">Acme</tds:Manufacturer>${identity}<tds:DeviceName>x</tds:DeviceName>`
  assert.deepEqual(read('GetDeviceInformation', content), expected)
})

test('takes elements in any order and in the other namespace of ONVIF', () => {
  assert.deepEqual(read('GetDeviceInformation', `${identity}<tt:Manufacturer>Acme</tt:Manufacturer>`), expected)
})

test('does not take an element of somebody else’s namespace for the one it is called like', () => {
  assert.throws(
    () => read('GetDeviceInformation', `${identity}<acme:Manufacturer>Evil</acme:Manufacturer>`),
    /lacks the element Manufacturer/,
  )
})

test('leaves out an optional value that breaks its rule, and stumbles over a mandatory one', () => {
  const time = (type: string, zone: string) =>
    `<tds:SystemDateAndTime><tt:DateTimeType>${type}</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>${zone}</tds:SystemDateAndTime>`
  const hostname = (name: string) => `<tds:HostnameInformation><tt:FromDHCP>${name}</tt:FromDHCP></tds:HostnameInformation>`
  assert.deepEqual(read('GetSystemDateAndTime', time('NTP', '')), { SystemDateAndTime: { DateTimeType: 'NTP', DaylightSavings: false } })
  assert.throws(() => read('GetSystemDateAndTime', time('Atomic', '')), /DateTimeType/)
  assert.throws(() => read('GetHostname', hostname('maybe')), /FromDHCP/)
  const link = (speed: string) =>
    `<tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>0:1</tt:HwAddress><tt:MTU>${speed}</tt:MTU></tt:Info></tds:NetworkInterfaces>`
  assert.deepEqual(read('GetNetworkInterfaces', link('big')), {
    NetworkInterfaces: [{ token: 'eth0', Enabled: true, Info: { Name: 'eth0', HwAddress: '0:1' } }],
  })
})

test('reads what it knows inside of wildcards', () => {
  const capabilities = '<tds:Capabilities><tds:Network acme:x="1" NTP="2"/><tds:Security/><tds:System/><tds:News/></tds:Capabilities>'
  const service = `<tds:Service><tds:Version><tt:Minor>6</tt:Minor><tt:Major>26</tt:Major></tds:Version><tds:Namespace>urn:n</tds:Namespace><tds:XAddr>http://c/</tds:XAddr><tds:Capabilities>${capabilities}</tds:Capabilities><acme:Note/></tds:Service>`
  assert.deepEqual(read('GetServices', service), {
    Service: [
      {
        Namespace: 'urn:n',
        XAddr: 'http://c/',
        Capabilities: { $any: [{ element: 'tds:Capabilities', value: { Network: { NTP: 2 }, Security: {}, System: {} } }] },
        Version: { Major: 26, Minor: 6 },
      },
    ],
  })
})

test('leaves out what a wildcard does not admit, and keeps what stands around it', () => {
  const network =
    '<tt:Network><tt:Extension><tt:News/><acme:Own/><tt:Dot11Configuration>true</tt:Dot11Configuration></tt:Extension></tt:Network>'
  const device = `<tds:Capabilities><tt:Device><tt:XAddr>http://c/</tt:XAddr>${network}</tt:Device></tds:Capabilities>`
  assert.deepEqual(read('GetCapabilities', device), {
    Capabilities: { Device: { XAddr: 'http://c/', Network: { Extension: { Dot11Configuration: true } } } },
  })
})
