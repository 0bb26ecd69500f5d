import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { XmlDocument } from 'libxml2-wasm'
import { acceptedDifferences, compareModels, loadOfficial, officialFolder } from '../../wsdl/compare.ts'
import { generate, services } from '../../wsdl/generate.ts'
import { loadModel } from '../../wsdl/schemaLoader.ts'
import { loadSchema, provide } from '../support/schemaValidator.ts'

const root = resolve(import.meta.dirname, '../..')
const folder = join(root, 'wsdl')
const model = loadModel(services)

/** The model after a change to one file, which must contain `from`. */
function modelWith(file: string, from: string, to: string): ReturnType<typeof loadModel> {
  const read = (path: string): string => {
    const text = readFileSync(path, 'utf8')
    if (!path.endsWith(file)) return text
    assert.ok(text.includes(from), `${file} has no ${from}`)
    return text.replace(from, to)
  }
  return loadModel(services, { read })
}

test('the generated files are what wsdl/ compiles to', () => {
  for (const [file, text] of generate(model)) {
    assert.equal(readFileSync(join(root, file), 'utf8'), text, `${file} is stale: npm run generate`)
  }
})

test('libxml2 loads every schema as it stands', () => {
  const schemas = readdirSync(folder).filter(file => file.endsWith('.xsd'))
  assert.equal(schemas.length, 5)
  for (const file of schemas) provide(`memory:///wsdl/${file}`, readFileSync(join(folder, file)))
  for (const file of schemas) loadSchema(readFileSync(join(folder, file)), `memory:///wsdl/${file}`).dispose()
})

for (const [file, operations, portTypes] of [
  ['device.wsdl', 103, 1],
  ['security.wsdl', 62, 7],
] as const) {
  test(`${file} binds ${operations} operations, each with a line of documentation, and offers a service`, () => {
    using document = XmlDocument.fromString(readFileSync(join(folder, file), 'utf8'))
    const count = (path: string): number =>
      document.find(path, { w: 'http://schemas.xmlsoap.org/wsdl/', soap: 'http://schemas.xmlsoap.org/wsdl/soap12/' }).length
    assert.equal(count('/w:definitions/w:portType'), portTypes)
    assert.equal(count('/w:definitions/w:portType/w:operation'), operations)
    assert.equal(count('/w:definitions/w:portType/w:operation[string-length(w:documentation) > 10]'), operations)
    assert.equal(count('/w:definitions/w:binding/w:operation[soap:operation/@soapAction]'), operations)
    assert.equal(count('/w:definitions/w:message'), 2 * operations)
    assert.equal(count('/w:definitions/w:service/w:port/soap:address'), portTypes)
  })
}

test('wsdl/ says what the official files say, but for the differences that SOURCE.md explains', t => {
  if (!existsSync(officialFolder)) return t.skip(`the official files are not in ${officialFolder}`)
  const differences = compareModels(model, loadOfficial(officialFolder)).map(({ key }) => key)
  assert.deepEqual(differences.toSorted(), [...acceptedDifferences()].toSorted())
})

const mutations: readonly (readonly [what: string, file: string, from: string, to: string, keys: readonly string[]])[] = [
  ['an occurrence', 'types.xsd', '"Password" type="xs:string" minOccurs="0"', '"Password" type="xs:string"', ['tt:User/Password']],
  ['a type', 'types.xsd', '"FromDHCP" type="xs:boolean"', '"FromDHCP" type="xs:string"', ['tt:HostnameInformation/FromDHCP']],
  ['a missing attribute', 'device.xsd', '<xs:attribute name="Dot1X" type="xs:boolean"/>', '', ['tds:SecurityCapabilities/@Dot1X']],
  ['a required attribute', 'types.xsd', 'type="tt:ReferenceToken" use="required"', 'type="tt:ReferenceToken"', ['tt:DeviceEntity/@token']],
  ['a facet', 'types.xsd', '<xs:maxLength value="64"/>', '<xs:maxLength value="63"/>', ['type tt:ReferenceToken']],
  ['an enumeration value', 'types.xsd', '<xs:enumeration value="Operator"/>', '', ['type tt:UserLevel']],
  ['a wildcard', 'device.xsd', '##any" processContents="lax"/>', '##any" processContents="skip"/>', ['tds:Service/Capabilities/*']],
  ['an action', 'device.wsdl', 'device/wsdl/GetUsers"', 'device/wsdl/getUsers"', ['operation tds:GetUsers']],
  ['a binding', 'security.wsdl', 'name="JWTBinding"', 'name="JwtBinding"', ['portType tas:JWT']],
  [
    'a default',
    'security.xsd',
    '"critical" type="xs:boolean" default="false"',
    '"critical" type="xs:boolean"',
    ['tas:X509v3Extension/critical'],
  ],
  [
    'an alternative',
    'security.xsd',
    '<xs:element name="BasicRequestAttribute" type="tas:BasicRequestAttribute"/>',
    '<xs:element name="BasicRequestAttribute" type="xs:string"/><xs:element name="Other" type="tas:BasicRequestAttribute"/>',
    ['tas:CSRAttribute/BasicRequestAttribute', 'tas:CSRAttribute/Other', 'tas:CSRAttribute/anyAttribute'],
  ],
  [
    'an order',
    'types.xsd',
    '<xs:element name="Min" type="xs:int"/>\n      <xs:element name="Max" type="xs:int"/>',
    '<xs:element name="Max" type="xs:int"/>\n      <xs:element name="Min" type="xs:int"/>',
    ['tt:IntRange/Max', 'tt:IntRange/Min'],
  ],
]

for (const [what, file, from, to, keys] of mutations) {
  test(`the comparison sees ${what} that differs`, () => {
    const differences = compareModels(modelWith(file, from, to), model)
    assert.deepEqual(differences.map(({ key }) => key).toSorted(), keys)
  })
}

test('the loader refuses what the tables cannot express', () => {
  const refused = (from: string, to: string, reason: RegExp): void => assert.throws(() => modelWith('types.xsd', from, to), reason)
  const min = '<xs:element name="Min" type="xs:int"/>'
  refused(min, `<xs:choice maxOccurs="2">${min}</xs:choice>`, /a repeated choice is not supported/)
  refused(min, '<xs:element name="Min" type="xs:int" nillable="true"/>', /nillable is not supported/)
  refused(min, '<xs:element name="Min" type="tt:Nothing"/>', /there is no type tt:Nothing/)
  refused('<xs:maxLength value="64"/>', '<xs:fractionDigits value="2"/>', /facet fractionDigits is not supported/)
})
