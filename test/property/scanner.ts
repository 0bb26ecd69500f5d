import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { XmlElement as LibxmlElement, ParseOption, XmlCData, XmlDocument, XmlLibError, XmlText } from 'libxml2-wasm'
import { parseXml, type XmlElement, XmlError } from '../../src/soap/xml.ts'
import { damagedDocument } from './documents.ts'

interface Tree {
  readonly name: string
  readonly attributes: readonly string[]
  readonly children: readonly Tree[]
  readonly text: string
}

/** 'differs' is where the two differ for a reason. */
type Verdict = Tree | 'refused' | 'differs'

/** What libxml2 takes although XML 1.0 forbids it: by our words, and by the text. */
const laxities: readonly (readonly [message: RegExp, text: RegExp])[] = [
  // 3.1: no attribute twice.
  [/the prefix "xml" is declared twice/, /xmlns:xml/],
  // 2.8, production 26: a digit after the point.
  [/malformed XML declaration/, /^\ufeff?<\?xml[^>]*1\.["']/],
]

/** What libxml2 refuses and Namespaces in XML 1.0 does not: a namespace name that is no URI. */
const severities = /is not a valid URI/

function ours(bytes: Uint8Array): Verdict {
  if (!isUtf8(bytes)) return 'refused'
  const text = Buffer.from(bytes).toString('utf8')
  try {
    return treeOf(parseXml(text))
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    // Sound XML outside of the SOAP subset, or beyond the limits.
    if (error.kind === 'refused' || error.kind === 'limit') return 'differs'
    return laxities.some(([message, cause]) => message.test(error.message) && cause.test(text)) ? 'differs' : 'refused'
  }
}

function treeOf({ namespace, name, attributes, children, text }: XmlElement): Tree {
  return {
    name: `{${namespace}}${name}`,
    attributes: attributes.map(attribute => `{${attribute.namespace}}${attribute.name}=${attribute.value}`).sort(),
    children: children.map(treeOf),
    text,
  }
}

function libxml2(bytes: Uint8Array): Verdict {
  try {
    // IDs are a matter of DTDs and schemas, and the encoding is settled before the scanner.
    const option = ParseOption.XML_PARSE_SKIP_IDS | ParseOption.XML_PARSE_IGNORE_ENC | ParseOption.XML_PARSE_NO_XXE
    using document = XmlDocument.fromBuffer(bytes, { encoding: 'utf-8', option })
    return treeOfLibxml(document.root)
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error
    return severities.test(error.message) ? 'differs' : 'refused'
  }
}

function treeOfLibxml(element: LibxmlElement): Tree {
  const children: Tree[] = []
  let text = ''
  for (let node = element.firstChild; node; node = node.next) {
    if (node instanceof LibxmlElement) children.push(treeOfLibxml(node))
    else if (node instanceof XmlText || node instanceof XmlCData) text += node.content
  }
  const attributes = element.attrs.map(({ namespaceUri, name, content }) => `{${namespaceUri}}${name}=${content}`).sort()
  return { name: `{${element.namespaceUri}}${element.name}`, attributes, children, text }
}

/** The scanner and libxml2 accept the same documents, and see the same in them. */
export const scannerAgreesWithLibxml2 = fc.property(damagedDocument, bytes => {
  const [mine, theirs] = [ours(bytes), libxml2(bytes)]
  if (mine !== 'differs' && theirs !== 'differs') assert.deepEqual(mine, theirs, JSON.stringify(Buffer.from(bytes).toString('utf8')))
})
