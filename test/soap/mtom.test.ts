import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'
import { contentIdOf, detachInline, PartSplitter, pack, unpack } from '../../src/soap/mtom.ts'
import { parseXml } from '../../src/soap/xml.ts'

const isMalformed = (error: unknown) => error instanceof SoapFault && error.subcodes.join() === 'WellFormed'

/** What a splitter finds in these pieces, each part as its headers and its content. */
function split(pieces: readonly Buffer[], boundary = 'b') {
  const parts: { headers: Record<string, string>; content: string; ended: boolean }[] = []
  const splitter = new PartSplitter(boundary, {
    begin: headers => void parts.push({ headers: Object.fromEntries(headers), content: '', ended: false }),
    data(bytes) {
      const part = parts.at(-1) ?? assert.fail('data before a part')
      part.content += bytes.toString('latin1')
    },
    end() {
      const part = parts.at(-1) ?? assert.fail('an end before a part')
      part.ended = true
    },
  })
  for (const piece of pieces) splitter.write(piece)
  splitter.finish()
  return parts
}

const message =
  'preamble\r\n--b \t\r\nContent-ID: <1>\r\nX-Long: a,\r\n b\r\n\r\none\r\n--\r\n-b\r\n--b\r\n\r\ntwo\r\n--b\r\nEmpty: 1\r\n\r\n--b\r\nContent-ID: 4\r\n\r\n\r\n--b--\r\nepilogue\r\n--b\r\n'
const expected = [
  { headers: { 'content-id': '<1>', 'x-long': 'a, b' }, content: 'one\r\n--\r\n-b', ended: true },
  { headers: {}, content: 'two', ended: true },
  { headers: { empty: '1' }, content: '', ended: true },
  { headers: { 'content-id': '4' }, content: '', ended: true },
]

test('a message is split at its boundary, wherever the pieces end', () => {
  const bytes = Buffer.from(message)
  assert.deepEqual(split([bytes]), expected)
  assert.deepEqual(split([...bytes].map(byte => Buffer.of(byte))), expected)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), cuts => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      assert.deepEqual(split(at.slice(1).map((end, index) => bytes.subarray(at[index], end))), expected)
    }),
  )
})

test('a splitter keeps no more than what may become a delimiter', () => {
  const seen: number[] = []
  const splitter = new PartSplitter('boundary', { begin() {}, data: bytes => void seen.push(bytes.length), end() {} })
  splitter.write(Buffer.from('--boundary\r\n\r\n'))
  for (let piece = 0; piece < 100; piece += 1) splitter.write(Buffer.alloc(65_536, '\r'))
  assert.ok(seen.reduce((sum, length) => sum + length) > 100 * 65_536 - 100)
})

test('what has no end, no boundary, or heads without end is malformed', () => {
  const cases = [
    '',
    'nothing',
    '--b',
    '--b\r\n',
    '--b\r\n\r\none',
    '--b\r\n\r\none\r\n--b',
    '--b\r\n\r\none\r\n--b-',
    '--bc\r\n\r\none\r\n--bc--',
    `--b\r\n${'x'.repeat(limits.partHeadBytesMax + 100)}\r\n\r\none\r\n--b--`,
    `--b${' '.repeat(limits.partHeadBytesMax + 100)}\r\n\r\none\r\n--b--`,
    `${'--b\r\n\r\none\r\n'.repeat(limits.partsMax + 1)}--b--`,
  ]
  for (const text of cases) {
    assert.throws(() => split([Buffer.from(text)]), isMalformed, JSON.stringify(text.slice(0, 40)))
    assert.throws(() => split([...Buffer.from(text)].map(byte => Buffer.of(byte))), isMalformed, JSON.stringify(text.slice(0, 40)))
  }
})

test('what is packed can be unpacked, whatever bytes it holds', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }), contents => {
      const attachments = contents.map((content, index) => ({ id: `${index}@x`, contentType: 'application/octet-stream', content }))
      const { contentType, body } = pack(Buffer.from('<a/>'), attachments)
      const { envelope, attachments: found, isMultipart } = unpack(body, contentType)
      assert.equal(String(envelope), '<a/>')
      assert.deepEqual(
        [...found].map(([id, bytes]) => [id, [...bytes]]),
        contents.map((content, index) => [`${index}@x`, [...content]]),
      )
      assert.ok(isMultipart)
    }),
  )
})

test('a plain message is all envelope', () => {
  for (const type of [undefined, 'application/soap+xml', 'multipart/relatedness; boundary=b'])
    assert.deepEqual(unpack(Buffer.from('x'), type), { envelope: Buffer.from('x'), attachments: new Map(), isMultipart: false })
})

const two =
  '--b\r\nContent-ID: <1>\r\n\r\nfirst\r\n--b\r\nContent-ID: <2>\r\nContent-Transfer-Encoding: BASE64\r\n\r\nc2Vj\r\nb25k\r\n--b--'

test('the root part is the one that start names, or the first one', () => {
  const read = (type: string) => {
    const { envelope, attachments } = unpack(Buffer.from(two), type)
    return [String(envelope), ...attachments.entries()].map(String)
  }
  assert.deepEqual(read('multipart/related; boundary=b'), ['first', '2,second'])
  assert.deepEqual(read('Multipart/Related; type="application/xop+xml"; START="<2>"; Boundary="b"'), ['second', '1,first'])
})

test('a multipart message that cannot be understood is refused', () => {
  for (const [type, body] of [
    ['multipart/related', two],
    ['multipart/related; boundary=""', two],
    [`multipart/related; boundary=${'b'.repeat(71)}`, two],
    ['multipart/related; boundary=b; start="<3>"', two],
    ['multipart/related; boundary=b', '--b--'],
    ['multipart/related; boundary=b', two.replace('<2>', '<1>').replace('--b\r\n', '--b\r\n\r\nroot\r\n--b\r\n')],
    ['multipart/related; boundary=b', two.replace('BASE64', 'quoted-printable')],
  ] as const)
    assert.throws(() => unpack(Buffer.from(body), type), isMalformed, type)
})

test('a reference is a cid: URI, its escapes undone', () => {
  assert.equal(contentIdOf('cid:a%40b'), 'a@b')
  assert.equal(contentIdOf('CID:a@b'), 'a@b')
  for (const href of ['', 'a@b', 'http://h/', 'cid:%zz']) assert.equal(contentIdOf(href), undefined)
})

test('base64 in the place of a reference becomes an attachment, anything else stays', () => {
  const { body, found } = detachInline(parseXml('<r><f><n>QUJD</n><d>QUJD\n REVG</d></f><d>no base64!</d><d/></r>'), ['d'])
  const [file, other, empty] = body.children
  const include = file?.children[1]?.children[0]
  assert.deepEqual([include?.name, include?.namespace, file?.children[1]?.text], ['Include', 'http://www.w3.org/2004/08/xop/include', ''])
  const id = contentIdOf(include?.attributes[0]?.value ?? '') ?? ''
  assert.equal(String(found.get(id)), 'ABCDEF')
  assert.deepEqual([file?.children[0]?.text, other?.text, empty?.children, found.size], ['QUJD', 'no base64!', [], 1])
})
