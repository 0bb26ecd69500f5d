import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { XmlBufferInputProvider, XmlDocument, XmlElement, XmlLibError, XsdValidator, xmlRegisterInputProvider } from 'libxml2-wasm'
import { contract } from '../../src/onvif/contract.generated.ts'
import { officialFolder } from '../../wsdl/compare.ts'

const { tds = '', tas = '', tev = '', wsa = '' } = contract.namespaces

const root = resolve(import.meta.dirname, '../..')

const soapNamespace = 'http://www.w3.org/2003/05/soap-envelope'

/**
 * Validates a SOAP 1.2 message with libxml2: the envelope, and the one child of its Body by its declaration in wsdl/ (a fault by SOAP's).
 * Returns the errors, none for a valid message.
 */
export function validateMessage(xml: string | Uint8Array): string[] {
  return validate(xml, ours())
}

/** The same against ONVIF's own files; undefined where they are absent. */
export function validateMessageOfficially(xml: string | Uint8Array): string[] | undefined {
  return existsSync(officialFolder) ? validate(xml, official(officialFolder)) : undefined
}

/** Loads an XSD text by libxml2; throws with its words if that is not possible. Relative imports are looked up beside `url`. */
export function loadSchema(text: string | Uint8Array, url: string): XsdValidator {
  using document = XmlDocument.fromBuffer(Buffer.from(text), { url })
  return XsdValidator.fromDoc(document)
}

/** Makes a text known to libxml2 under a name that schemas may import. */
export function provide(url: string, text: string | Uint8Array): void {
  memory.addBuffer(url, Buffer.from(text))
}

const memory = new XmlBufferInputProvider({})
xmlRegisterInputProvider(memory)

function validate(xml: string | Uint8Array, schema: XsdValidator): string[] {
  try {
    using document = XmlDocument.fromBuffer(Buffer.from(xml))
    return [...new Set([...problems(() => schema.validate(document)), ...bodyProblems(document, schema)])]
  } catch (error) {
    if (error instanceof XmlLibError) return [`not well-formed: ${error.message.trim()}`]
    throw error
  }
}

/** The envelope's wildcard lets an undeclared element pass, and XmlDocument.validate an undeclared root; here both are errors. */
function bodyProblems(document: XmlDocument, schema: XsdValidator): string[] {
  const { root: envelope } = document
  if (envelope.name !== 'Envelope' || envelope.namespaceUri !== soapNamespace)
    return [`the root is ${envelope.name}, not a SOAP 1.2 Envelope`]
  const payload = document.find('/env:Envelope/env:Body/*', { env: soapNamespace })
  const [element] = payload
  if (payload.length !== 1 || !(element instanceof XmlElement)) return [`the Body has ${payload.length} children`]
  return problems(() => schema.validate(element))
}

function problems(check: () => void): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof XmlLibError) return error.details.map(({ line, message }) => `line ${line}: ${message.trim()}`)
    throw error
  }
}

// --- the schemas, loaded at first use ---

const driver = (envelope: string, resource: string): string => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="http://www.onvif.org/ver10/device/wsdl" schemaLocation="device.xsd"/>
  <xs:import namespace="http://www.onvif.org/ver10/advancedsecurity/wsdl" schemaLocation="security.xsd"/>
  <xs:import namespace="http://www.onvif.org/ver10/events/wsdl" schemaLocation="event.xsd"/>
  <xs:import namespace="http://docs.oasis-open.org/wsrf/r-2" schemaLocation="${resource}"/>
  <xs:import namespace="${soapNamespace}" schemaLocation="${envelope}"/>
</xs:schema>`

const ours = once(() => {
  for (const folder of [join(root, 'wsdl'), import.meta.dirname]) {
    for (const file of readdirSync(folder)) {
      if (file.endsWith('.xsd')) provide(`memory:///ours/${file}`, readFileSync(join(folder, file)))
    }
  }
  return loadSchema(driver('envelope.xsd', 'resource.xsd'), 'memory:///ours/driver.xsd')
})

const official = once((folder: string) => {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
  for (const [, url, file] of read('catalog.xml').matchAll(/<system systemId="([^"]+)" uri="([^"]+)"/g)) {
    if (url !== undefined && file !== undefined) provide(url, read(file))
  }
  /** The schema inside of a WSDL file, with the prefixes that it has from the file's root. */
  const inline = (file: string, prefixes: Readonly<Record<string, string>>): string => {
    const [schema] = /<xs:schema[\s\S]*<\/xs:schema>/.exec(read(file)) ?? []
    if (schema === undefined) throw new Error(`${file} has no inline schema`)
    const missing = { xs: 'http://www.w3.org/2001/XMLSchema', ...prefixes }
    const declarations = Object.entries(missing).map(([name, value]) =>
      schema.includes(`xmlns:${name}=`) ? '' : ` xmlns:${name}="${value}"`,
    )
    return schema.replace('<xs:schema', `<xs:schema${declarations.join('')}`)
  }
  const schemas = new Map([
    ['memory:///ver10/schema/common.xsd', read('ver10/schema/common.xsd')],
    ['memory:///ver10/schema/onvif.xsd', read('ver10/schema/onvif.xsd')],
    ['memory:///ver10/device/wsdl/device.xsd', inline('ver10/device/wsdl/devicemgmt.wsdl', { tds })],
    ['memory:///ver10/device/wsdl/security.xsd', inline('ver10/advancedsecurity/wsdl/advancedsecurity.wsdl', { tas })],
    ['memory:///ver10/device/wsdl/event.xsd', inline('ver10/events/wsdl/event.wsdl', { tev, wsa })],
  ])
  const load = (adapt: (text: string, url: string) => string): XsdValidator => {
    for (const [url, text] of schemas) provide(url, adapt(text, url))
    return loadSchema(
      driver('https://www.w3.org/2003/05/soap-envelope', 'http://docs.oasis-open.org/wsrf/r-2.xsd'),
      'memory:///ver10/device/wsdl/driver.xsd',
    )
  }
  try {
    return load(text => text)
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error
    return load((text, url) => withoutAmbiguity(text, typesIn(url, error)))
  }
})

/** XPaths of the types of one file that libxml2 complains about. */
const typesIn = (url: string, { details }: XmlLibError): string[] =>
  details.flatMap(({ file, xpath }) => (file === url && xpath !== undefined ? [xpath] : []))

/**
 * XSD 1.0 forbids a wildcard that can match the same element as the optional particle before it, and libxml2 refuses the whole file. In the
 * types that it names, the wildcard is narrowed to other namespaces, in memory; wsdl/SOURCE.md says which of them a message reaches.
 */
function withoutAmbiguity(text: string, refusedTypes: readonly string[]): string {
  using document = XmlDocument.fromString(text)
  for (const type of refusedTypes) {
    const wildcards = `${type}/xs:sequence/xs:any | ${type}/xs:complexContent/xs:extension/xs:sequence/xs:any`
    for (const wildcard of document.find(wildcards, { xs: 'http://www.w3.org/2001/XMLSchema' })) {
      if (wildcard instanceof XmlElement) wildcard.setAttr('namespace', '##other')
    }
  }
  return document.toString({ format: false })
}

function once<A extends unknown[], T>(create: (...args: A) => T): (...args: A) => T {
  let value: { readonly result: T } | undefined
  return (...args) => {
    value ??= { result: create(...args) }
    return value.result
  }
}
