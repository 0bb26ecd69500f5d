import assert from 'node:assert/strict'
import { test } from 'node:test'
import { XmlDocument, XmlLibError } from 'libxml2-wasm'
import { contract } from '../../src/onvif/contract.generated.ts'
import type { QualifiedName, SimpleType } from '../../src/onvif/schema.ts'
import { builtIns } from '../../src/soap/builtIns.ts'
import { escapeText } from '../../src/soap/characters.ts'
import { simpleCodec } from '../../src/soap/simpleTypes.ts'
import { edges } from '../property/texts.ts'
import { loadSchema } from '../support/schemaValidator.ts'

/** A declaration in XML Schema of what the tables say. */
function schemaType(name: QualifiedName): string {
  // Anything, which nothing may restrict.
  if (name === 'xs:anySimpleType') return schemaType('xs:string')
  const type = contract.types[name]
  if (type?.kind !== 'simple') return `<xs:simpleType><xs:restriction base="${name}"/></xs:simpleType>`
  if (type.list) return `<xs:simpleType><xs:list itemType="${type.list}"/></xs:simpleType>`
  if (type.union) return `<xs:simpleType><xs:union>${type.union.map(schemaType).join('')}</xs:union></xs:simpleType>`
  return `<xs:simpleType><xs:restriction base="xs:${type.primitive}">${facets(type)}</xs:restriction></xs:simpleType>`
}

function facets({ enumeration = [], ...type }: SimpleType): string {
  const single = (['pattern', 'length', 'minLength', 'maxLength', 'minInclusive', 'maxInclusive'] as const).flatMap(facet =>
    type[facet] === undefined ? [] : [`<xs:${facet} value="${type[facet]}"/>`],
  )
  return [...single, ...enumeration.map(value => `<xs:enumeration value="${value}"/>`)].join('')
}

/** Where libxml2 is wrong, each with the section that says so. */
function excused(type: SimpleType | undefined, name: QualifiedName, text: string): boolean {
  if (type?.union) return type.union.some(member => excused(simpleType(member), member, text))
  const primitive = type?.primitive ?? (type?.list ?? name).slice('xs:'.length)
  switch (primitive) {
    case 'base64Binary': // XML Schema Part 2, 3.2.16: no characters but those of the alphabet, no bits that nobody needs
      return true
    case 'duration': // 3.2.6: a digit before and after the point; 4.3.6: blanks around do not count
    case 'dateTime':
      return /T(?:\.[0-9]|[0-9]+\.S)|^\s|\s$/.test(text)
    case 'integer': // no end, but ours: see `builtIns`
    case 'nonNegativeInteger':
    case 'positiveInteger':
      return /9{20}/.test(text)
    default:
      return false
  }
}

function simpleType(name: QualifiedName): SimpleType | undefined {
  const type = contract.types[name]
  return type?.kind === 'simple' ? type : undefined
}

const names = [
  ...[...builtIns.keys()].map(name => `xs:${name}`),
  ...Object.keys(contract.types).filter(name => contract.types[name]?.kind === 'simple'),
]

for (const name of names) {
  test(`${name} is judged as libxml2 judges it, and written as it is read`, () => {
    const codec = simpleCodec(name, contract)
    const schema = loadSchema(
      `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="e">${schemaType(name)}</xs:element></xs:schema>`,
      `memory:///edges/${name}.xsd`,
    )
    const type = contract.types[name]
    const isValid = (text: string) => {
      using document = XmlDocument.fromString(`<e>${escapeText(text)}</e>`)
      try {
        schema.validate(document)
        return true
      } catch (error) {
        if (error instanceof XmlLibError) return false
        throw error
      }
    }
    const candidates = type?.kind === 'simple' ? [...edges, ...(type.enumeration ?? [])] : edges
    for (const text of candidates) {
      const value = codec.read(text)
      if (!excused(type?.kind === 'simple' ? type : undefined, name, text))
        assert.equal(value !== undefined, isValid(text), JSON.stringify(text))
      if (value === undefined) continue
      const written = codec.write(value)
      assert.ok(written !== undefined && isValid(written), `${JSON.stringify(text)} was written as ${written}`)
      assert.deepEqual(codec.read(written), value)
    }
    schema.dispose()
  })
}

const read = (name: string, text: string) => simpleCodec(name, contract).read(text)

const base64: readonly (readonly [text: string, bytes: readonly number[] | undefined])[] = [
  ['', []],
  ['AA==', [0]],
  [' A A\n= = ', [0]],
  ['AAA=', [0, 0]],
  ['AAAA/+8=', [0, 0, 0, 255, 239]],
  ['AB==', undefined],
  ['AAB=', undefined],
  ['AAA', undefined],
  ['A===', undefined],
  ['=AAA', undefined],
  ['AA=A', undefined],
  ['AA==AAAA', undefined],
  ['-_-_', undefined],
  ['AAAé', undefined],
]

for (const [text, bytes] of base64) {
  test(`base64 ${JSON.stringify(text)} is ${bytes ? `${bytes.length} bytes` : 'refused'}`, () => {
    assert.deepEqual(read('xs:base64Binary', text), bytes && new Uint8Array(bytes))
  })
}

const values: readonly (readonly [type: string, text: string, value: unknown])[] = [
  ['xs:boolean', ' 1 ', true],
  ['xs:int', '-0', 0],
  ['xs:integer', '9007199254740991', 9007199254740991],
  ['xs:integer', '9007199254740992', undefined],
  ['xs:float', '1e-2', 0.01],
  ['xs:double', '-INF', -Infinity],
  ['xs:string', ' a  b ', ' a  b '],
  ['xs:token', ' a \n b ', 'a b'],
  ['xs:hexBinary', 'fF00', new Uint8Array([255, 0])],
  ['xs:duration', ' PT5S ', 'PT5S'],
  ['tt:IntList', ' 1\n2 ', [1, 2]],
  ['tt:IntList', '1 x', undefined],
  ['tt:StringList', '', []],
]

for (const [type, text, value] of values) {
  test(`${JSON.stringify(text)} is the ${type} ${JSON.stringify(value)}`, () => assert.deepEqual(read(type, text), value))
}

const unfit: readonly (readonly [type: string, value: unknown])[] = [
  ['xs:string', 1],
  ['xs:boolean', 'true'],
  ['xs:int', 2 ** 31],
  ['xs:int', 0.5],
  ['xs:int', '1'],
  ['xs:float', '1'],
  ['xs:dateTime', new Date()],
  ['xs:base64Binary', 'AAAA'],
  ['xs:hexBinary', [0]],
  ['tt:StringList', ['a b']],
  ['tt:StringList', ['']],
  ['tt:StringList', 'a'],
  ['tt:Name', 'x'.repeat(65)],
]

for (const [type, value] of unfit) {
  test(`${JSON.stringify(value)} cannot be written as ${type}`, () => assert.equal(simpleCodec(type, contract).write(value), undefined))
}
