import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Contract } from '../../src/onvif/schema.ts'
import { createCodec } from '../../src/soap/codec.ts'
import { parseXml } from '../../src/soap/xml.ts'

// What XML Schema has and today's messages do not: choices, unions, defaults, bounded repetition, other kinds of wildcards.
const element = (name: string, type: string, min = 1, max = 1) => ({ kind: 'element', prefix: 'tds', name, type, min, max }) as const
const any = (namespace: string, processContents: 'lax' | 'skip' | 'strict', min = 0) =>
  ({ kind: 'any', namespace, target: 'tds', processContents, min }) as const
const complex = (...content: Extract<Contract['types'][string], { kind: 'complex' }>['content']) =>
  ({ kind: 'complex', content, attributes: [] }) as const

const contract: Contract = {
  namespaces: { xs: 'http://www.w3.org/2001/XMLSchema', tds: 'urn:d', tt: 'urn:t' },
  elements: Object.fromEntries(
    ['Choice', 'Optional', 'Union', 'Default', 'Standard', 'Few', 'Other', 'Own', 'Strict', 'Skip', 'Listed', 'Guest', 'Loop', 'Twice'].map(
      name => [`tds:${name}`, `tds:${name}`],
    ),
  ),
  types: {
    'tds:Choice': complex(
      {
        kind: 'choice',
        min: 1,
        max: 1,
        alternatives: [[element('A', 'xs:int')], [element('B', 'xs:int', 0), element('C', 'xs:int')], [any('urn:x', 'lax', 1)]],
      },
      element('Z', 'xs:int', 0),
    ),
    'tds:Optional': complex({ kind: 'choice', min: 1, max: 1, alternatives: [[element('A', 'xs:int', 0)], [element('B', 'xs:int')]] }),
    'tds:Union': complex(element('U', 'tds:IntOrWord')),
    'tds:IntOrWord': { kind: 'simple', union: ['xs:int', 'tds:Word'] },
    'tds:Word': { kind: 'simple', primitive: 'string', enumeration: ['all', 'none'] },
    'tds:Default': {
      kind: 'complex',
      content: [],
      attributes: [
        { prefix: '', name: 'n', type: 'xs:int', default: '5' },
        { prefix: 'tt', name: 'm', type: 'xs:int', required: true },
      ],
    },
    'tds:Standard': complex({ ...element('A', 'xs:int'), default: '7' }, { ...element('B', 'xs:boolean', 0), default: 'false' }),
    'tds:Few': complex(element('A', 'xs:int', 2, 3)),
    'tds:Other': complex(any('##other', 'lax', 1)),
    'tds:Own': complex(any('##targetNamespace', 'lax')),
    'tds:Strict': complex(any('##any', 'strict')),
    'tds:Skip': complex(any('##any', 'skip')),
    'tds:Listed': complex(any('##local urn:x', 'lax')),
    'tds:Guest': complex(element('A', 'xs:int')),
    'tds:Loop': complex(element('Loop', 'tds:Loop', 0)),
    'tds:Twice': complex({ kind: 'choice', min: 0, alternatives: [[element('A', 'xs:int')]] }),
  },
  operations: {},
  notifications: {},
}
const codec = createCodec(contract, { strict: true })

const cases: readonly (readonly [element: string, content: string, result: unknown])[] = [
  ['Choice', '<A>1</A>', { A: 1 }],
  ['Choice', '<B>1</B><C>2</C>', { B: 1, C: 2 }],
  ['Choice', '<C>2</C><Z>3</Z>', { C: 2, Z: 3 }],
  ['Choice', '<x:x/><Z>3</Z>', { $any: [], Z: 3 }],
  ['Choice', '', 'Choice lacks an element'],
  ['Choice', '<Z>3</Z>', 'Choice lacks an element'],
  ['Choice', '<B>1</B>', 'Choice lacks the element C'],
  ['Choice', '<A>1</A><C>2</C>', 'Choice/C is out of order or given too often'],
  ['Optional', '', {}],
  ['Optional', '<A>1</A>', { A: 1 }],
  ['Optional', '<B>1</B>', { B: 1 }],
  ['Union', '<U> 7 </U>', { U: 7 }],
  ['Union', '<U>all</U>', { U: 'all' }],
  ['Union', '<U>some</U>', 'Union/U is not xs:int or one of all, none'],
  ['Standard', '<A/>', { A: 7 }],
  ['Standard', '<A/><B/>', { A: 7, B: false }],
  ['Standard', '<A>1</A><B>true</B>', { A: 1, B: true }],
  ['Standard', '<A> </A>', 'Standard/A is not xs:int'],
  ['Standard', '', 'Standard lacks the element A'],
  ['Few', '<A>1</A>', 'Few lacks the element A'],
  ['Few', '<A>1</A><A>2</A><A>3</A>', { A: [1, 2, 3] }],
  ['Few', '<A>1</A><A>2</A><A>3</A><A>4</A>', 'Few/A[4] is out of order or given too often'],
  ['Other', '<x:x/>', { $any: [] }],
  ['Other', '', 'Other lacks an element'],
  ['Other', '<Guest/>', 'Other lacks an element'],
  ['Other', '<a xmlns=""/>', 'Other lacks an element'],
  ['Other', '<x:x><Guest/></x:x>', 'Other/x/Guest lacks the element A'],
  ['Own', '<Guest><A>1</A></Guest><Nothing/>', { $any: [{ element: 'tds:Guest', value: { A: 1 } }] }],
  ['Own', '<x:x/>', 'Own/x is not expected here'],
  ['Strict', '<Guest><A>1</A></Guest>', { $any: [{ element: 'tds:Guest', value: { A: 1 } }] }],
  ['Strict', '<x:x/>', 'Strict/x is not known to this service'],
  ['Skip', '<Guest><A>x</A></Guest>', {}],
  ['Listed', '<x:x/><a xmlns=""/>', {}],
  ['Listed', '<Guest/>', 'Listed/Guest is not expected here'],
  ['Loop', '<Loop><Loop/></Loop>', { Loop: { Loop: {} } }],
]

for (const [name, content, result] of cases) {
  test(`${name} of ${content === '' ? 'nothing' : content}: ${JSON.stringify(result)}`, () => {
    const read = () => codec.decode(`tds:${name}`, parseXml(`<${name} xmlns="urn:d" xmlns:x="urn:x">${content}</${name}>`))
    if (typeof result === 'string') assert.throws(read, { name: 'SoapFault', message: result })
    else assert.deepEqual(read(), result)
  })
}

test('attributes have namespaces and defaults', () => {
  const read = (attributes: string) => codec.decode('tds:Default', parseXml(`<Default xmlns="urn:d" xmlns:t="urn:t" ${attributes}/>`))
  assert.deepEqual(read('t:m="1"'), { n: 5, m: 1 })
  assert.deepEqual(read('t:m="1" n="2"'), { n: 2, m: 1 })
  assert.throws(() => read('m="1"'), { subcodes: ['ProhibAttr'], message: 'Default/@m is not allowed' })
  assert.throws(() => read('n="1"'), { subcodes: ['MissingAttr'], message: 'Default/@m is missing' })
  assert.equal(codec.encode('tds:Default', { m: 1 }), '<tds:Default tt:m="1"/>')
})

test('choices and unions are written', () => {
  assert.equal(codec.encode('tds:Choice', { Z: 3, C: 2 }), '<tds:Choice><tds:C>2</tds:C><tds:Z>3</tds:Z></tds:Choice>')
  assert.equal(codec.encode('tds:Optional', {}), '<tds:Optional/>')
  assert.equal(codec.encode('tds:Union', { U: 'none' }), '<tds:Union><tds:U>none</tds:U></tds:Union>')
  assert.throws(() => codec.encode('tds:Choice', {}), { message: 'tds:Choice lacks an alternative of a choice' })
  assert.throws(() => codec.encode('tds:Choice', { A: 1, C: 2 }), { message: 'tds:Choice has more than one alternative of a choice' })
  assert.throws(() => codec.encode('tds:Union', { U: 'some' }), { message: 'the value of tds:U is not xs:int or one of all, none' })
})

test('what is not implemented says so', () => {
  assert.throws(() => codec.decode('tds:Twice', parseXml('<Twice xmlns="urn:d"/>')), {
    message: 'a choice that repeats is not implemented',
  })
  const odd: Contract = { ...contract, types: { 'tds:Guest': complex(element('A', 'xs:gYear')) } }
  assert.throws(() => createCodec(odd).encode('tds:Guest', { A: 1 }), { message: 'xs:gYear is not implemented' })
})
