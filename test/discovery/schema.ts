import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { XmlDocument, XmlElement, XmlLibError, type XsdValidator } from 'libxml2-wasm'
import { officialFolder } from '../../wsdl/compare.ts'
import { loadSchema, provide } from '../support/schemaValidator.ts'

/** For `skip` of a test. */
export const lacksSchemas = existsSync(officialFolder) ? false : 'the official schemas are not beside the project'

const driver = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="http://www.w3.org/2003/05/soap-envelope" schemaLocation="http://www.w3.org/2003/05/soap-envelope"/>
  <xs:import namespace="http://schemas.xmlsoap.org/ws/2004/08/addressing" schemaLocation="http://schemas.xmlsoap.org/ws/2004/08/addressing"/>
  <xs:import namespace="http://schemas.xmlsoap.org/ws/2005/04/discovery" schemaLocation="http://schemas.xmlsoap.org/ws/2005/04/discovery/ws-discovery.xsd"/>
</xs:schema>`

let loaded: XsdValidator | undefined

function schema(): XsdValidator {
  if (loaded) return loaded
  const read = (file: string): string => readFileSync(join(officialFolder, file), 'utf8')
  for (const [, url, file] of read('catalog.xml').matchAll(/<system systemId="([^"]+)" uri="([^"]+)"/g))
    if (url !== undefined && file !== undefined) provide(url, read(file))
  loaded = loadSchema(driver, 'memory:///discovery/driver.xsd')
  return loaded
}

/** What libxml2 has against the envelope, and against each block of the Header and of the Body on its own. */
export function validateDiscovery(xml: string): readonly string[] {
  using document = XmlDocument.fromString(xml)
  const blocks = document.find('/s:Envelope/s:Header/* | /s:Envelope/s:Body/*', { s: 'http://www.w3.org/2003/05/soap-envelope' })
  return [document.root, ...blocks].flatMap(block => {
    if (!(block instanceof XmlElement)) return []
    try {
      schema().validate(block)
      return []
    } catch (error) {
      if (error instanceof XmlLibError) return error.details.map(({ message }) => message.trim())
      throw error
    }
  })
}
