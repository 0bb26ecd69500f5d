import fc from 'fast-check'

/**
 * Texts that are XML documents, or nearly: from a grammar of the parts that scanners get wrong, then damaged here and there.
 * Small sets of names, prefixes and namespaces make clashes and undeclared prefixes frequent.
 */

/** Mostly one of the sound, now and then one of the others. */
function seldom(sound: readonly string[], others: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...sound) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
}

const name = fc.constantFrom('a', 'b', 'Envelope', 'é', '__proto__', 'constructor', 'a-1.x', '\u{10000}x', '漢', '·', '-a', '1a', '')
const prefix = fc.constantFrom('', '', '', 'p:', 'q:', 'xml:', 'xmlns:', 'é:', ':', 'p:q:')
const qualifiedName = fc.tuple(prefix, name).map(parts => parts.join(''))
const soundName = fc.constantFrom('a', 'b', 'p:a', 'q:b', 'p:é', '__proto__', '漢')
const elementName = fc.oneof({ weight: 50, arbitrary: soundName }, { weight: 1, arbitrary: qualifiedName })

const blanks = fc.constantFrom('', ' ', '\n', '\t', '\r\n', '  ')
const someBlanks = seldom([' ', ' ', '\n\t', '\r\n'], [''])
const namespace = fc.constantFrom(
  'urn:1',
  'urn:2',
  'urn:&#49;',
  '',
  'http://www.w3.org/XML/1998/namespace',
  'http://www.w3.org/2000/xmlns/',
  'urn:é',
)

const characterData = fc.constantFrom(
  ...[
    'text',
    ' ',
    '\r\n',
    '\r',
    'é漢\u{1f600}',
    '&amp;',
    '&lt;x&gt;',
    '&quot;&apos;',
    '&#13;',
    '&#x41;',
    '&#x1F600;',
    '&#0000000000000000065;',
    ']]',
    '>',
    '"',
    "'",
    '\t',
  ],
)
const brokenData = fc.constantFrom(
  ...[
    '&',
    '&nbsp;',
    '&#0;',
    '&#xD800;',
    '&#x110000;',
    '&#xFFFE;',
    '&#;',
    '&#x;',
    '&amp',
    '& amp;',
    ']]>',
    '\u0001',
    '\ufffe',
    '<',
    '&#99999999999999999999;',
  ],
)
const text = fc.oneof({ weight: 100, arbitrary: characterData }, { weight: 1, arbitrary: brokenData })
const texts = fc.array(text, { maxLength: 3 }).map(parts => parts.join(''))

const quoted = (value: fc.Arbitrary<string>) =>
  fc.tuple(fc.constantFrom('"', "'"), value).map(([quote, inner]) => quote + inner.replaceAll(quote, '').replaceAll('<', '') + quote)

const declaration = fc
  .tuple(fc.constantFrom('xmlns', 'xmlns:p', 'xmlns:q', 'xmlns:p', 'xmlns:xml', 'xmlns:xmlns'), quoted(namespace))
  .map(([attribute, value]) => `${attribute}=${value}`)
const soundDeclaration = fc.constantFrom('xmlns:p="urn:1"', 'xmlns:q="urn:2"', "xmlns='urn:1'", 'xmlns:q="urn:1"', 'xmlns=""')
const attribute = fc
  .tuple(fc.oneof({ weight: 50, arbitrary: soundName }, { weight: 1, arbitrary: qualifiedName }), blanks, blanks, quoted(texts))
  .map(([key, before, after, value]) => `${key}${before}=${after}${value}`)
const attributes = fc
  .array(
    fc.tuple(
      someBlanks,
      fc.oneof({ weight: 10, arbitrary: soundDeclaration }, { weight: 1, arbitrary: declaration }, { weight: 15, arbitrary: attribute }),
    ),
    {
      maxLength: 4,
    },
  )
  .map(all => all.map(([before, each]) => before + each).join(''))

const comment = seldom(['<!---->', '<!-- a < & -->', '<!-- - -->', '<!-- é\r\n -->'], ['<!-- -- -->', '<!--->', '<!-- --->', '<!- -->'])
const cdata = seldom(['<![CDATA[]]>', '<![CDATA[<x>&amp;\r\n]]>', '<![CDATA[]]]]>'], ['<![CDATA[a]]>b]]>', '<![cdata[]]>', '<![CDATA[>'])
const foreign = fc.constantFrom('<?pi x?>', '<!DOCTYPE a>', '<?xml version="1.0"?>', '<!ELEMENT a>', '<!', '<?', '</a>', '</>', '<>')

const { element } = fc.letrec<{ element: string; content: string }>(tie => ({
  element: fc
    .tuple(elementName, attributes, blanks, fc.boolean(), tie('content'), blanks)
    .map(([tag, inside, before, empty, content, after]) =>
      empty ? `<${tag}${inside}${before}/>` : `<${tag}${inside}${before}>${content}</${tag}${after}>`,
    ),
  content: fc
    .array(
      fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        { weight: 40, arbitrary: texts },
        { weight: 40, arbitrary: tie('element') },
        { weight: 10, arbitrary: comment },
        { weight: 10, arbitrary: cdata },
        { weight: 1, arbitrary: foreign },
      ),
      { maxLength: 4 },
    )
    .map(parts => parts.join('')),
}))

const opening = seldom(
  [
    '',
    '',
    '',
    '\ufeff',
    '<?xml version="1.0"?>',
    "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n",
    '\ufeff<?xml version="1.0" encoding="UTF-8"?>',
  ],
  [
    ' ',
    '\n<?xml version="1.0"?>',
    '<?xml version="1.1"?>',
    '<?xml version="1.0" encoding="ISO-8859-1"?>',
    '<?xml encoding="UTF-8"?>',
    '<?xml?>',
    '\ufeff\ufeff',
  ],
)
const misc = seldom(['', '\n', '<!-- after -->'], ['x', '<b/>', '&amp;', '<![CDATA[]]>', '<?pi?>', '\u00a0'])

/** The root declares the prefixes, so that most documents are sound. */
const rooted = fc
  .tuple(element, fc.integer({ min: 0, max: 5 }))
  .map(([inner, chance]) => (chance > 0 ? `<r xmlns:p="urn:1" xmlns:q="urn:2">${inner}</r>` : inner))

const document = fc.tuple(opening, rooted, misc).map(parts => parts.join(''))

type Damage = readonly [kind: 'delete' | 'insert' | 'repeat', at: number, length: number, character: string]

const damage: fc.Arbitrary<Damage> = fc.tuple(
  fc.constantFrom('delete', 'insert', 'repeat'),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 1, max: 6 }),
  fc.constantFrom(...'<>/&;:="\'![]-?# \r\n\t\u0000\u00a0\ufeffxa1é', '\ud800', '\udc00', '\u{10ffff}', 'xmlns', ']]>', '--'),
)

function apply(bytes: Buffer, [kind, position, length, character]: Damage): Buffer {
  const at = Math.floor(position * bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  if (kind === 'delete') return Buffer.concat([before, after.subarray(length)])
  return Buffer.concat([before, kind === 'insert' ? Buffer.from(character) : after.subarray(0, length), after])
}

/** Bytes, because damage may fall into the middle of a character. */
export const damagedDocument: fc.Arbitrary<Uint8Array> = fc
  .tuple(document, fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(damage, { maxLength: 3 }) }))
  .map(([text, damages]) => damages.reduce(apply, Buffer.from(text)))
