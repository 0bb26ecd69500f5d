import { limits } from '../limits.ts'
import { CONTROL, characterOf, ILLEGAL, isNameCharacter, isNameStart } from './characters.ts'

/** An attribute; namespace declarations are not among them. */
export interface XmlAttribute {
  /** Namespace name; '' where the attribute has no prefix. */
  readonly namespace: string
  readonly name: string
  readonly value: string
}

/** An element with its names resolved. Comments are gone, CDATA sections are text. */
export interface XmlElement {
  /** Namespace name; '' for none. */
  readonly namespace: string
  readonly name: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly XmlElement[]
  /** The character data directly inside this element, joined. */
  readonly text: string
  /** What a prefix inside the content means here, for values that are qualified names. */
  readonly scope: NamespaceScope
}

/** One namespace declaration and all those around it, innermost first. */
export interface NamespaceScope {
  readonly prefix: string
  readonly namespace: string
  readonly outer: NamespaceScope | undefined
  /** How many declarations are in force, this one included. */
  readonly size: number
}

/**
 * Why a text is no message: `malformed` breaks XML 1.0, `namespace` breaks Namespaces in XML 1.0, `refused` is sound XML
 * outside of what SOAP messages may use (DTD, processing instruction, encoding), `limit` is more than we take.
 */
export type XmlErrorKind = 'malformed' | 'namespace' | 'refused' | 'limit'

export class XmlError extends Error {
  override readonly name = 'XmlError'
  readonly kind: XmlErrorKind

  constructor(kind: XmlErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

type XmlLimitName = 'xmlDepthMax' | 'xmlElementsMax' | 'xmlAttributesMax' | 'xmlNamespacesMax' | 'xmlNameCharactersMax'

export interface XmlLimits extends Readonly<Record<XmlLimitName, number>> {
  /** The namespace of prefixes that nobody declares; without it they are an error. */
  readonly undeclared?: string
}

/**
 * Reads the subset of XML that SOAP 1.2 Part 1, 5 allows in a message: no DTD, hence no entities but the five of XML itself, no
 * processing instructions. One pass, straight to the tree, everything bounded. Throws XmlError with line and column.
 */
export function parseXml(text: string, bounds: XmlLimits = limits): XmlElement {
  return new Scanner(text, bounds).document()
}

/** The tags, the outermost first, that are open where the text breaks off. Throws XmlError where it is no beginning of a message. */
export function openTags(text: string, bounds: XmlLimits = limits): readonly string[] {
  return new Scanner(text, bounds).read()
}

/** The namespace that a prefix stands for, or undefined if it is not declared; '' asks for the default namespace. */
export function namespaceOf(prefix: string, scope: NamespaceScope): string | undefined {
  for (let at: NamespaceScope | undefined = scope; at; at = at.outer) if (at.prefix === prefix) return at.namespace
  return prefix === '' ? '' : undefined
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

const outermost: NamespaceScope = { prefix: 'xml', namespace: XML_NAMESPACE, outer: undefined, size: 1 }

/** Shared by the many elements that have none, so that a leaf costs one object. Never written to: see `append`. */
const noAttributes: XmlAttribute[] = []
const noChildren: OpenElement[] = []

/** An element whose content is still being read. */
interface OpenElement extends XmlElement {
  readonly attributes: XmlAttribute[]
  children: OpenElement[]
  text: string
}

const XML_DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.[0-9]+\1(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])(?<encoding>[A-Za-z][A-Za-z0-9._-]*)\2)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\4)?[ \t\n]*\?>$/

const ENTITIES = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

const TAB = 0x09
const LINE_FEED = 0x0a
const SPACE = 0x20
const EXCLAMATION = 0x21
const QUOTE = 0x22
const APOSTROPHE = 0x27
const SLASH = 0x2f
const COLON = 0x3a
const EQUALS = 0x3d
const GREATER = 0x3e
const QUESTION = 0x3f

class Scanner {
  readonly #text: string
  readonly #bounds: XmlLimits
  #at = 0
  #root: OpenElement | undefined
  /** The element whose content is being read, and below it those around it with their tags as written. */
  #current: OpenElement | undefined
  readonly #outer: OpenElement[] = []
  readonly #tags: string[] = []
  /** The declarations in force where the scanner is. */
  #scope = outermost
  #elements = 0

  constructor(text: string, bounds: XmlLimits) {
    const started = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
    this.#text = started.includes('\r') ? started.replace(/\r\n?/g, '\n') : started
    this.#bounds = bounds
  }

  document(): XmlElement {
    this.read()
    if (this.#current) throw this.#error('malformed', `<${this.#tags.at(-1)}> is not closed`)
    if (!this.#root) throw this.#error('malformed', 'the document has no root element')
    return this.#root
  }

  /** Gives the tags that are open at the end. */
  read(): readonly string[] {
    this.#refuseIllegalCharacters()
    this.#declaration()
    while (this.#at < this.#text.length) {
      this.#characters()
      if (this.#at < this.#text.length) this.#markup()
    }
    return this.#tags
  }

  /** XML 1.0, 2.2. Lone surrogates count: they are no characters. */
  #refuseIllegalCharacters(): void {
    if (!CONTROL.test(this.#text) && this.#text.isWellFormed()) return
    this.#at = this.#text.search(ILLEGAL)
    throw this.#error('malformed', 'a character that XML does not allow')
  }

  /** XML 1.0, 2.8. The encoding is settled before: it must not claim another. */
  #declaration(): void {
    if (!/^<\?xml[ \t\n]/.test(this.#text)) return
    const end = this.#text.indexOf('?>') + 2
    const match = XML_DECLARATION.exec(this.#text.slice(0, end))
    if (!match) throw this.#error('malformed', 'malformed XML declaration')
    const encoding = match.groups?.encoding
    if (encoding && !/^(utf-?8|us-ascii)$/i.test(encoding)) throw this.#error('refused', 'the message claims another encoding than UTF-8')
    this.#at = end
  }

  /** Everything up to the next markup. */
  #characters(): void {
    const start = this.#at
    const next = this.#text.indexOf('<', start)
    const end = next < 0 ? this.#text.length : next
    if (end === start) return
    const raw = this.#text.slice(start, end)
    if (this.#current) {
      if (raw.includes(']]>')) throw this.#error('malformed', ']]> in text', start + raw.indexOf(']]>'))
      this.#current.text += this.#expand(raw, start)
    } else if (/[^ \t\n]/.test(raw)) {
      throw this.#error('malformed', 'text outside of the root element')
    }
    this.#at = end
  }

  #markup(): void {
    switch (this.#text.charCodeAt(this.#at + 1)) {
      case SLASH:
        this.#endTag()
        break
      case EXCLAMATION:
        this.#commentOrCdata()
        break
      case QUESTION:
        throw /^<\?xml[ \t\n?]/i.test(this.#text.slice(this.#at, this.#at + 6))
          ? this.#error('malformed', 'the XML declaration is allowed at the very start only')
          : this.#error('refused', 'processing instructions are not allowed in SOAP')
      default:
        this.#startTag()
    }
  }

  /** Comment or CDATA section. A document type declaration has no place in SOAP (SOAP 1.2 Part 1, 5). */
  #commentOrCdata(): void {
    const start = this.#at
    if (this.#text.startsWith('<!--', start)) {
      const end = this.#text.indexOf('--', start + 4)
      if (end < 0 || this.#text.charCodeAt(end + 2) !== GREATER) throw this.#error('malformed', 'malformed comment')
      this.#at = end + 3
    } else if (this.#text.startsWith('<![CDATA[', start) && this.#current) {
      const end = this.#text.indexOf(']]>', start + 9)
      if (end < 0) throw this.#error('malformed', 'CDATA section without end')
      this.#current.text += this.#text.slice(start + 9, end)
      this.#at = end + 3
    } else if (this.#text.startsWith('<!DOCTYPE', start)) {
      throw this.#error('refused', 'a document type declaration is not allowed in SOAP')
    } else {
      throw this.#error('malformed', 'malformed markup')
    }
  }

  #startTag(): void {
    if (this.#root && !this.#current) throw this.#error('malformed', 'a second root element')
    if (++this.#elements > this.#bounds.xmlElementsMax) throw this.#error('limit', 'too many elements')
    const start = ++this.#at
    const first = this.#ncName()
    const prefixed = this.#take(COLON)
    const name = prefixed ? this.#ncName() : first
    const tag = prefixed ? this.#text.slice(start, this.#at) : name

    this.#scope = this.#current ? this.#current.scope : outermost
    const attributes = this.#attributes()
    const namespace = this.#resolve(prefixed ? first : '')
    const element: OpenElement = { namespace, name, attributes, children: noChildren, text: '', scope: this.#scope }
    this.#append(element)

    const empty = this.#take(SLASH)
    if (!this.#take(GREATER)) throw this.#error('malformed', '> expected')
    if (!empty) this.#enter(element, tag)
  }

  #append(element: OpenElement): void {
    const parent = this.#current
    if (!parent) this.#root = element
    else if (parent.children === noChildren) parent.children = [element]
    else parent.children.push(element)
  }

  #enter(element: OpenElement, tag: string): void {
    if (this.#tags.length >= this.#bounds.xmlDepthMax) throw this.#error('limit', 'elements are nested too deep')
    if (this.#current) this.#outer.push(this.#current)
    this.#current = element
    this.#tags.push(tag)
  }

  #endTag(): void {
    const tag = this.#tags.pop()
    if (tag === undefined) throw this.#error('malformed', 'an end tag without a start tag')
    if (!this.#text.startsWith(tag, this.#at + 2)) throw this.#error('malformed', `</${tag}> expected`)
    this.#at += 2 + tag.length
    this.#blanks()
    if (!this.#take(GREATER)) throw this.#error('malformed', `</${tag}> expected`)
    this.#current = this.#outer.pop()
  }

  /** Reads up to the `>` or `/` that ends the start tag. */
  #attributes(): XmlAttribute[] {
    const around = this.#scope
    let attributes = noAttributes
    let prefixes: string[] | undefined
    for (let count = 1; ; count++) {
      const separated = this.#blanks()
      const code = this.#text.charCodeAt(this.#at)
      if (code === GREATER || code === SLASH) break
      if (!separated) throw this.#error('malformed', 'a blank, > or /> expected')
      if (count > this.#bounds.xmlAttributesMax) throw this.#error('limit', 'too many attributes')
      const first = this.#ncName()
      const prefixed = this.#take(COLON)
      const name = prefixed ? this.#ncName() : first
      const value = this.#attributeValue()
      if (first === 'xmlns') {
        this.#declare(prefixed ? name : '', value, around)
      } else {
        if (attributes === noAttributes) attributes = []
        attributes.push({ namespace: '', name, value })
        if (prefixed) {
          prefixes ??= []
          prefixes[attributes.length - 1] = first
        }
      }
    }
    if (prefixes) attributes = this.#resolveAttributes(attributes, prefixes)
    this.#refuseDuplicates(attributes)
    return attributes
  }

  /** Prefixes are resolved last, because a declaration may follow its use. */
  #resolveAttributes(attributes: readonly XmlAttribute[], prefixes: readonly (string | undefined)[]): XmlAttribute[] {
    return attributes.map((attribute, index) => {
      const prefix = prefixes[index]
      return prefix === undefined ? attribute : { ...attribute, namespace: this.#resolve(prefix) }
    })
  }

  /** Namespaces in XML 1.0, 6.3: two prefixes for one namespace make duplicates, too. */
  #refuseDuplicates(attributes: readonly XmlAttribute[]): void {
    for (let i = 1; i < attributes.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [attributes[i], attributes[j]]
        if (a?.name === b?.name && a?.namespace === b?.namespace) throw this.#error('malformed', `attribute ${a?.name} is given twice`)
      }
    }
  }

  /** Namespaces in XML 1.0, 3 and 5. */
  #declare(prefix: string, namespace: string, around: NamespaceScope): void {
    const isXml = prefix === 'xml' && namespace === XML_NAMESPACE
    const reserved = prefix === 'xmlns' || prefix === 'xml' || namespace === XML_NAMESPACE || namespace === XMLNS_NAMESPACE
    if (reserved && !isXml) throw this.#error('namespace', 'the prefixes xml and xmlns and their namespaces are reserved')
    if (prefix !== '' && namespace === '') throw this.#error('namespace', `the prefix ${prefix} cannot be undeclared`)
    for (let at = this.#scope; at !== around && at.outer; at = at.outer) {
      if (at.prefix === prefix) throw this.#error('malformed', `the prefix "${prefix}" is declared twice`)
    }
    const size = this.#scope.size + 1
    if (size > this.#bounds.xmlNamespacesMax) throw this.#error('limit', 'too many namespace declarations')
    this.#scope = { prefix, namespace, outer: this.#scope, size }
  }

  #resolve(prefix: string): string {
    const namespace = namespaceOf(prefix, this.#scope) ?? this.#bounds.undeclared
    if (namespace === undefined) throw this.#error('namespace', `the prefix ${prefix} is not declared`)
    return namespace
  }

  /** `= "value"`, normalised as XML 1.0, 3.3.3 says. */
  #attributeValue(): string {
    this.#blanks()
    if (!this.#take(EQUALS)) throw this.#error('malformed', '= expected after the attribute name')
    this.#blanks()
    const quote = this.#text.charCodeAt(this.#at)
    if (quote !== QUOTE && quote !== APOSTROPHE) throw this.#error('malformed', 'the attribute value is not in quotes')
    const start = this.#at + 1
    const end = this.#text.indexOf(quote === QUOTE ? '"' : "'", start)
    if (end < 0) throw this.#error('malformed', 'the attribute value has no end')
    const raw = this.#text.slice(start, end)
    if (raw.includes('<')) throw this.#error('malformed', '< in an attribute value')
    const value = this.#expand(/[\t\n]/.test(raw) ? raw.replace(/[\t\n]/g, ' ') : raw, start)
    this.#at = end + 1
    return value
  }

  /** Replaces character references and the five entities of XML 1.0, 4.6. */
  #expand(raw: string, start: number): string {
    if (!raw.includes('&')) return raw
    return raw.replace(/&(?:([^;&]*);)?/g, (_, reference: string | undefined, offset: number) => {
      const character = ENTITIES.get(reference ?? '') ?? characterOf(reference ?? '')
      if (character === undefined) throw this.#error('malformed', 'this & begins no entity and no character of XML', start + offset)
      return character
    })
  }

  /** A name without a colon. */
  #ncName(): string {
    const start = this.#at
    if (!isNameStart(this.#text.charCodeAt(start))) throw this.#error('malformed', 'a name expected')
    let at = start + 1
    while (isNameCharacter(this.#text.charCodeAt(at))) at++
    if (at - start > this.#bounds.xmlNameCharactersMax) throw this.#error('limit', 'the name is too long')
    this.#at = at
    return this.#text.slice(start, at)
  }

  /** Skips blanks; tells whether there were any. Carriage returns are gone already. */
  #blanks(): boolean {
    const start = this.#at
    let code = this.#text.charCodeAt(start)
    while (code === SPACE || code === LINE_FEED || code === TAB) code = this.#text.charCodeAt(++this.#at)
    return this.#at > start
  }

  /** Steps over one expected character, if it is there. */
  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false
    this.#at++
    return true
  }

  #error(kind: XmlErrorKind, message: string, at = this.#at): XmlError {
    const before = this.#text.slice(0, at)
    const line = before.split('\n').length
    const column = at - before.lastIndexOf('\n')
    return new XmlError(kind, `${line}:${column}: ${message}`)
  }
}
