import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/limits.ts'
import { namespaceOf, parseXml, type XmlElement, XmlError, type XmlErrorKind } from '../../src/soap/xml.ts'

/** `{namespace}name @attribute=value "text" (children)`, without what is empty. */
function sketch({ namespace, name, attributes, text, children }: XmlElement): string {
  const expanded = (space: string, local: string) => (space === '' ? local : `{${space}}${local}`)
  return [
    expanded(namespace, name),
    ...attributes.map(attribute => `@${expanded(attribute.namespace, attribute.name)}=${attribute.value}`),
    ...(text === '' ? [] : [JSON.stringify(text)]),
    ...(children.length === 0 ? [] : [`(${children.map(sketch).join(' ')})`]),
  ].join(' ')
}

const accepted: readonly (readonly [what: string, xml: string, seen: string])[] = [
  ['an empty element', '<a/>', 'a'],
  ['an empty element with an end tag', '<a ></a\n>', 'a'],
  ['a byte-order mark', '\ufeff<a/>', 'a'],
  ['an XML declaration', `<?xml version='1.0' encoding="utf-8" standalone='no' ?>\r\n<a/>`, 'a'],
  ['blanks and comments around the root', '\n <!-- b -->\t<a/>\r\n<!-- c -->\n', 'a'],
  ['a default namespace and its end', '<a xmlns="urn:1"><b xmlns=""/><c/></a>', '{urn:1}a (b {urn:1}c)'],
  ['a prefix declared after its use', '<p:a p:b="1" xmlns:p="urn:1"/>', '{urn:1}a @{urn:1}b=1'],
  ['a prefix declared anew inside', '<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"/><p:c/></p:a>', '{urn:1}a ({urn:2}b {urn:1}c)'],
  ['the prefix xml', '<a xml:lang="en"/>', 'a @{http://www.w3.org/XML/1998/namespace}lang=en'],
  ['one name with and without namespace', '<a b="1" p:b="2" xmlns:p="urn:1"/>', 'a @b=1 @{urn:1}b=2'],
  ['text around children, joined', '<a>x<b/>y<!-- no -->z</a>', 'a "xyz" (b)'],
  ['the five entities', '<a b="&lt;&quot;">&amp;&lt;&gt;&quot;&apos;</a>', 'a @b=<" "&<>\\"\'"'],
  ['character references', '<a>&#65;&#x41;&#x1F600;&#0000000000065;</a>', `a ${JSON.stringify('AA\u{1f600}A')}`],
  ['CDATA sections', '<a>1<![CDATA[<&]]]]><![CDATA[>]]></a>', 'a "1<&]]>"'],
  ['line ends', '<a b="1\r\n2\r3\t4">1\r\n2\r3</a>', 'a @b=1 2 3 4 "1\\n2\\n3"'],
  ['line ends by reference, which stay', '<a b="&#13;&#10;">&#13;</a>', 'a @b=\r\n "\\r"'],
  ['names beyond ASCII', '<é:漢 xmlns:é="urn:1"/>', '{urn:1}漢'],
  ['names that mean something in JavaScript', '<__proto__ constructor="1"><toString/></__proto__>', '__proto__ @constructor=1 (toString)'],
]

for (const [what, xml, seen] of accepted) {
  test(`takes ${what}`, () => assert.equal(sketch(parseXml(xml)), seen))
}

const refused: readonly (readonly [what: string, xml: string, kind: XmlErrorKind, message: string])[] = [
  ['nothing', '', 'malformed', '1:1: the document has no root element'],
  [
    'blanks before the XML declaration',
    '\n<?xml version="1.0"?><a/>',
    'malformed',
    '2:1: the XML declaration is allowed at the very start only',
  ],
  [
    'an XML declaration with a blank that XML does not know',
    '<?xml version\u00a0="1.0"?><a/>',
    'malformed',
    '1:1: malformed XML declaration',
  ],
  ['an XML declaration without version', '<?xml encoding="UTF-8"?><a/>', 'malformed', '1:1: malformed XML declaration'],
  ['another encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>', 'refused', '1:1: the message claims another encoding than UTF-8'],
  ['a DTD', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'refused', '1:1: a document type declaration is not allowed in SOAP'],
  ['a processing instruction', '<a><?b c?></a>', 'refused', '1:4: processing instructions are not allowed in SOAP'],
  ['two roots', '<a/>\n<b/>', 'malformed', '2:1: a second root element'],
  ['text before the root', 'x<a/>', 'malformed', '1:1: text outside of the root element'],
  ['a no-break space after the root', '<a/>\u00a0', 'malformed', '1:5: text outside of the root element'],
  ['CDATA outside of the root', '<a/><![CDATA[]]>', 'malformed', '1:5: malformed markup'],
  ['an element that is not closed', '<a>\n<b></b>', 'malformed', '2:8: <a> is not closed'],
  ['a wrong end tag', '<a><b></a></b>', 'malformed', '1:7: </b> expected'],
  ['a longer end tag', '<a></ab>', 'malformed', '1:7: </a> expected'],
  ['an end tag by another prefix', '<p:a xmlns:p="urn:1" xmlns:q="urn:1"></q:a>', 'malformed', '1:38: </p:a> expected'],
  ['an end tag alone', '</a>', 'malformed', '1:1: an end tag without a start tag'],
  ['an undeclared prefix', '<p:a/>', 'namespace', '1:5: the prefix p is not declared'],
  ['an undeclared prefix of an attribute', '<a p:b=""/>', 'namespace', '1:10: the prefix p is not declared'],
  ['a prefix beyond its element', '<a><b xmlns:p="urn:1"/><p:c/></a>', 'namespace', '1:28: the prefix p is not declared'],
  ['a prefix that is undeclared again', '<a xmlns:p=""/>', 'namespace', '1:14: the prefix p cannot be undeclared'],
  ['a redefinition of xml', '<a xmlns:xml="urn:1"/>', 'namespace', '1:21: the prefixes xml and xmlns and their namespaces are reserved'],
  ['a name with two colons', '<a:b:c xmlns:a="urn:1"/>', 'malformed', '1:5: a blank, > or /> expected'],
  ['an attribute given twice', '<a b="" b=""/>', 'malformed', '1:13: attribute b is given twice'],
  [
    'an attribute given twice by two prefixes',
    '<a p:b="" q:b="" xmlns:p="urn:1" xmlns:q="urn:1"/>',
    'malformed',
    '1:49: attribute b is given twice',
  ],
  ['a prefix declared twice', '<a xmlns:p="urn:1" xmlns:p="urn:2"/>', 'malformed', '1:35: the prefix "p" is declared twice'],
  ['attributes without a blank between', '<a b=""c=""/>', 'malformed', '1:8: a blank, > or /> expected'],
  ['an attribute without quotes', '<a b=c/>', 'malformed', '1:6: the attribute value is not in quotes'],
  ['an attribute without value', '<a b/>', 'malformed', '1:5: = expected after the attribute name'],
  ['< in an attribute', '<a b="<"/>', 'malformed', '1:6: < in an attribute value'],
  ['a name that begins with a digit', '<1/>', 'malformed', '1:2: a name expected'],
  ['a tag that never ends', '<a b="">\n<c', 'malformed', '2:3: a blank, > or /> expected'],
  ['an unknown entity', '<a>\n  &nbsp;</a>', 'malformed', '2:3: this & begins no entity and no character of XML'],
  ['a reference to a character that is none', '<a b="x&#xD800;"/>', 'malformed', '1:8: this & begins no entity and no character of XML'],
  ['a reference beyond Unicode', '<a>&#x110000;</a>', 'malformed', '1:4: this & begins no entity and no character of XML'],
  ['& alone', '<a>a & b</a>', 'malformed', '1:6: this & begins no entity and no character of XML'],
  [']]> in text', '<a>x]]></a>', 'malformed', '1:5: ]]> in text'],
  ['-- in a comment', '<a><!-- -- --></a>', 'malformed', '1:4: malformed comment'],
  ['a control character', '<a>\n\u0001</a>', 'malformed', '2:1: a character that XML does not allow'],
  ['half a character', '<a>\ud83d</a>', 'malformed', '1:4: a character that XML does not allow'],
]

for (const [what, xml, kind, message] of refused) {
  test(`refuses ${what}`, () => assert.throws(() => parseXml(xml), { name: 'XmlError', kind, message }))
}

const beyond: readonly (readonly [what: string, xml: (n: number) => string, max: number])[] = [
  ['depth', n => '<a>'.repeat(n) + '</a>'.repeat(n), limits.xmlDepthMax],
  ['elements', n => `<a>${'<b/>'.repeat(n - 1)}</a>`, limits.xmlElementsMax],
  ['attributes', n => `<a ${Array.from({ length: n }, (_, i) => `b${i}=""`).join(' ')}/>`, limits.xmlAttributesMax],
  ['the length of a name', n => `<${'a'.repeat(n)}/>`, limits.xmlNameCharactersMax],
]

for (const [what, xml, max] of beyond) {
  test(`takes ${max} and no more: ${what}`, () => {
    assert.ok(parseXml(xml(max)))
    assert.throws(() => parseXml(xml(max + 1)), { name: 'XmlError', kind: 'limit' })
  })
}

test('bounds the namespace declarations in force', () => {
  const nested = (n: number) =>
    Array.from({ length: n }, (_, i) => `<a xmlns:p${i}="urn:1" xmlns:q${i}="urn:1">`).join('') + '</a>'.repeat(n)
  assert.ok(parseXml(nested(10), { ...limits, xmlNamespacesMax: 21 }))
  assert.throws(() => parseXml(nested(10), { ...limits, xmlNamespacesMax: 20 }), { kind: 'limit' })
})

test('knows what a prefix means at each element', () => {
  const root = parseXml('<a xmlns="urn:0" xmlns:p="urn:1"><b xmlns:p="urn:2"/></a>')
  const [inner] = root.children
  assert.ok(inner)
  assert.deepEqual(
    [root, inner].map(({ scope }) => [namespaceOf('p', scope), namespaceOf('', scope), namespaceOf('q', scope)]),
    [
      ['urn:1', 'urn:0', undefined],
      ['urn:2', 'urn:0', undefined],
    ],
  )
})

test('leaves no trace on the prototypes', () => {
  parseXml('<__proto__ polluted="1" __proto__="2"><polluted/></__proto__>')
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

test('a thousand kilobytes in small pieces take no more time than they should', () => {
  const pieces = 150_000
  const began = performance.now()
  const { text } = parseXml(`<a>${'&#65;<!---->'.repeat(pieces / 2)}${'<![CDATA[b]]>'.repeat(pieces / 2)}</a>`)
  assert.equal(text.length, pieces)
  assert.ok(performance.now() - began < 2_000, 'a quadratic scanner takes minutes')
})

test('a message of errors has no more of the text than names', () => {
  const long = 'x'.repeat(100_000)
  for (const xml of [`<a>&${long};</a>`, `<?xml version="1.0" encoding="${long}"?><a/>`, `<a b="${long}`, `<a>${long}`]) {
    assert.throws(
      () => parseXml(xml),
      (error: unknown) => error instanceof XmlError && error.message.length < 400,
    )
  }
})
