import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/limits.ts'
import { SoapFault } from '../../src/onvif/faults.ts'
import { type Opening, openMessage } from '../../src/soap/arriving.ts'
import { Base64Decoder } from '../../src/soap/base64.ts'
import type { ArrivingBody } from '../../src/soap/message.ts'
import { contentIdOf, type Package } from '../../src/soap/mtom.ts'
import { parseXml, type XmlElement } from '../../src/soap/xml.ts'

const raises = (subcode: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SoapFault, String(error))
  assert.deepEqual(error.subcodes, [subcode], error.message)
  assert.match(error.message, text)
  return true
}

/** A body that comes in these pieces; `taken` counts the bytes that were asked for. */
function arriving(pieces: readonly Buffer[], lengthBytes?: number): ArrivingBody & { readonly taken: number } {
  let taken = 0
  async function* read() {
    for (const piece of pieces) {
      taken += piece.length
      yield piece
    }
  }
  return {
    bytes: read(),
    lengthBytes,
    signal: new AbortController().signal,
    admit() {},
    get taken() {
      return taken
    },
  }
}

const cut = (bytes: Buffer, at: readonly number[]) =>
  [0, ...[...at].sort((a, b) => a - b)].map((from, index, all) => bytes.subarray(from, all[index + 1] ?? bytes.length))
const each = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, index * size + size))

function opened(message: Opening | Package): Opening {
  assert.ok('find' in message, 'it is all there')
  return message
}

async function whole(bytes: AsyncIterable<Buffer> | undefined): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of bytes ?? assert.fail('there is no such part')) pieces.push(piece)
  return Buffer.concat(pieces)
}

// --- MTOM ---

const type = 'multipart/related; boundary=b; type="application/xop+xml"'
const image = Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7) & 0xff))
const part = (id: string, content: Buffer | string, ...headers: readonly string[]) =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-ID: <${id}>\r\n${headers.map(line => `${line}\r\n`).join('')}\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])
const end = Buffer.from('--b--\r\n')
const good = Buffer.concat([part('root', '<a/>'), part('other', 'x'), part('image', image), part('last', 'y'), end])

test('a package gives its envelope first, and then the attachment that is wanted, wherever the pieces end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(good.length), { maxLength: 12 }), async cuts => {
      const message = opened(await openMessage(arriving(cut(good, cuts)), type))
      assert.equal(String(message.envelope), '<a/>')
      assert.ok(message.isMultipart)
      assert.ok((await whole(await message.find('image'))).equals(image))
    }),
  )
})

test('the envelope is there before anything behind it has been asked for', async () => {
  const body = arriving(each(Buffer.concat([part('root', '<a/>'), part('image', image), end]), 100))
  const message = opened(await openMessage(body, `${type}; start="<root>"`))
  assert.equal(String(message.envelope), '<a/>')
  assert.equal(body.taken, 100)
  const bytes = await message.find('image')
  assert.ok(body.taken <= 200)
  assert.ok((await whole(bytes)).equals(image))
})

test('a part in base64 is decoded on its way', async () => {
  const lines = image.toString('base64').replace(/.{76}/g, '$&\r\n')
  const message = Buffer.concat([part('root', '<a/>'), part('image', lines, 'Content-Transfer-Encoding: BASE64'), end])
  for (const size of [1, 7, 1_000, 100_000]) {
    const { find } = opened(await openMessage(arriving(each(message, size)), type))
    assert.ok((await whole(await find('image'))).equals(image), `${size}`)
  }
})

test('everything that follows can be collected instead', async () => {
  const { collect } = opened(await openMessage(arriving(each(good, 100)), type))
  assert.deepEqual(
    [...(await collect()).entries()].map(([id, bytes]) => [id, bytes.length]),
    [
      ['other', 1],
      ['image', image.length],
      ['last', 1],
    ],
  )
})

test('a root that is not the first part is waited for, where the message may be held at all', async () => {
  const late = Buffer.concat([part('image', image), part('root', '<a/>'), end])
  const message = await openMessage(arriving(each(late, 100)), `${type}; start="<root>"`)
  assert.ok('attachments' in message && message.attachments.get('image')?.equals(image))
  assert.equal(String(message.envelope), '<a/>')

  const declared = arriving(each(late, 100), limits.packageBytesMax + 1)
  await assert.rejects(openMessage(declared, `${type}; start="<root>"`), raises('WellFormed', /has to begin with its root part/))
  assert.ok(declared.taken < 300, 'it is refused at the first head')
  const large = arriving([part('image', ''), ...Array.from({ length: 200 }, () => Buffer.alloc(65_536))])
  await assert.rejects(openMessage(large, `${type}; start="<root>"`), raises('WellFormed', /has to begin with its root part/))
  assert.ok(large.taken < limits.packageBytesMax + 200_000)
})

const surplus = Buffer.alloc(limits.packageBytesMax + 70_000)
/** What is wrong shows when all of the attachment has been read, and never later. */
const unsound: readonly (readonly [title: string, message: Buffer, text: RegExp])[] = [
  ['no end', good.subarray(0, -end.length), /no end/],
  ['cut in the attachment', good.subarray(0, 3_000), /no end/],
  ['a second part of its name', Buffer.concat([good.subarray(0, -end.length), part('image', 'z'), end]), /same Content-ID/],
  ['a second root', Buffer.concat([good.subarray(0, -end.length), part('root', '<b/>'), end]), /same Content-ID/],
  ['too much in another part', Buffer.concat([good.subarray(0, -end.length), part('more', surplus), end]), /too much follows/],
  ['too much behind the end', Buffer.concat([good, surplus]), /too much follows/],
  ['base64 that is none', Buffer.concat([part('root', ''), part('image', 'QUJ*', 'Content-Transfer-Encoding: base64'), end]), /not base64/],
]
for (const [title, bytes, text] of unsound) {
  test(`a package with ${title} ends in a fault`, async () => {
    const read = async () => whole(await opened(await openMessage(arriving(each(bytes, 1_000)), type)).find('image'))
    await assert.rejects(read(), (error: unknown) => error instanceof SoapFault && text.test(error.message))
  })
}

test('what cannot be opened is refused', async () => {
  const open = (bytes: Buffer, contentType = type) => openMessage(arriving(each(bytes, 65_536)), contentType)
  await assert.rejects(open(good, 'multipart/related; boundary=c'), raises('WellFormed', /no end/))
  await assert.rejects(open(good, 'multipart/related'), raises('WellFormed', /no boundary/))
  await assert.rejects(open(end), raises('WellFormed', /no root part/))
  await assert.rejects(
    open(Buffer.concat([part('root', Buffer.alloc(limits.requestBytesMax + 1)), end])),
    raises('WellFormed', /root part is too large/),
  )
  assert.equal(await opened(await open(good)).find('none'), undefined)
})

// --- inline ---

const large = randomBytes(150_000)
const before = '<?xml version="1.0"?>\n<s:E xmlns:s="urn:s" xmlns="urn:d"><s:B>\n <Up><Fw a="x>y">'
const after = '</Fw\n></Up>\n </s:B></s:E >\n'
const inline = Buffer.from(before + large.toString('base64').replace(/.{76}/g, '$&\n') + after)

function includeOf(envelope: Uint8Array): { readonly path: string; readonly id: string } {
  const path: string[] = []
  let element: XmlElement | undefined = parseXml(Buffer.from(envelope).toString())
  let include = element
  for (; element; element = element.children[0]) {
    path.push(element.name)
    include = element
  }
  assert.equal(include.namespace, 'http://www.w3.org/2004/08/xop/include')
  return { path: path.join('/'), id: contentIdOf(include.attributes[0]?.value ?? '') ?? '' }
}

test('a long text of base64 becomes an attachment, and the message is what it should have been', async () => {
  for (const size of [1_000, 65_536, 1_000_000]) {
    const body = arriving(each(inline, size))
    const message = opened(await openMessage(body))
    if (size < 20_000)
      assert.ok(body.taken < limits.inlineTextBytesMin + limits.inlineSearchBytes + 2 * size, `${body.taken} of ${inline.length}`)
    const { path, id } = includeOf(message.envelope)
    assert.equal(path, 'E/B/Up/Fw/Include')
    assert.equal(message.isMultipart, false)
    assert.equal(await message.find('another'), undefined)
    assert.ok((await whole(await message.find(id))).equals(large))
  }
  const { envelope, collect } = opened(await openMessage(arriving(each(inline, 10_000))))
  assert.ok((await collect()).get(includeOf(envelope).id)?.equals(large))
})

test('a message without such a text is all envelope, and so is every message where it is not wanted', async () => {
  const short = Buffer.from(`${before}${'QUJD'.repeat(16_000)}${after}`)
  const spoiled = Buffer.from(`${before}${'QUJD'.repeat(10_000)}!${'QUJD'.repeat(20_000)}${after}`)
  for (const [bytes, wanted] of [
    [short, true],
    [spoiled, true],
    [inline, false],
  ] as const) {
    const message = await openMessage(arriving(each(bytes, 9_999)), undefined, wanted)
    assert.ok('attachments' in message && Buffer.from(message.envelope).equals(bytes))
  }
})

const text = large.toString('base64')
const spoiltInline: readonly (readonly [title: string, message: string, subcode: string])[] = [
  ['garbage in the middle', `${before}${text.slice(0, 120_000)}*${text.slice(120_000)}${after}`, 'InvalidArgVal'],
  ['the other alphabet', `${before}${text.slice(0, 120_000)}-_-_${text.slice(120_000)}${after}`, 'InvalidArgVal'],
  ['padding in the middle', `${before}${text.slice(0, 120_000)}QQ==${text.slice(120_000)}${after}`, 'InvalidArgVal'],
  ['a character too many', `${before}${text}A${after}`, 'InvalidArgVal'],
  ['a character reference', `${before}${text.slice(0, 120_000)}&#65;${text.slice(120_000)}${after}`, 'InvalidArgVal'],
  ['no end', before + text, 'WellFormed'],
  ['half an end', before + text + after.slice(0, -8), 'WellFormed'],
  ['a second Body', `${before}${text}</Fw></Up></s:B><s:B><Other/></s:B></s:E>`, 'WellFormed'],
  ['a second element', `${before}${text}</Fw><Fw/></Up></s:B></s:E>`, 'WellFormed'],
  ['an attribute in an end tag', `${before}${text}</Fw a="b"></Up></s:B></s:E>`, 'WellFormed'],
  ['a comment', `${before}${text}<!-- --></Fw></Up></s:B></s:E>`, 'WellFormed'],
  ['text behind it', `${before}${text}${after}x`, 'WellFormed'],
  ['end tags in another order', `${before}${text}</Up></Fw></s:B></s:E>`, 'WellFormed'],
  ['a blank within an end tag', `${before}${text}</ Fw></Up></s:B></s:E>`, 'WellFormed'],
  ['blanks without end', `${before}${text}${after}${' '.repeat(5_000)}`, 'WellFormed'],
]
for (const [title, message, subcode] of spoiltInline) {
  test(`an inline attachment with ${title} ends in a fault`, async () => {
    for (const size of [997, 65_536]) {
      const { envelope, find } = opened(await openMessage(arriving(each(Buffer.from(message), size))))
      const content = await find(includeOf(envelope).id)
      await assert.rejects(whole(content), raises(subcode, /./))
    }
  })
}

test('beyond inlineTailBytesMax what follows an inline attachment is no end of a message, and is not read on', async () => {
  const padded = (tailBytes: number) => `${before}${text}${after}${' '.repeat(tailBytes - after.length)}`
  for (const size of [997, 65_536]) {
    const read = async (message: string) => {
      const body = arriving(each(Buffer.from(message), size))
      const { envelope, find } = opened(await openMessage(body))
      return { body, content: whole(await find(includeOf(envelope).id)) }
    }
    assert.ok((await (await read(padded(limits.inlineTailBytesMax))).content).equals(large))
    await assert.rejects((await read(padded(limits.inlineTailBytesMax + 1))).content, raises('WellFormed', /more than the end/))
    const { body, content } = await read(padded(1_000_000))
    await assert.rejects(content, raises('WellFormed', /more than the end/))
    assert.ok(body.taken <= before.length + text.length + limits.inlineTailBytesMax + 2 * size, `${body.taken}`)
  }
})

test('a long text at a place where no message is, is malformed', async () => {
  const long = 'QUJD'.repeat(20_000)
  for (const message of [long, `<a></a>${long}`, `<a b="x>${long}`, `<!-- x>${long}`, `<a><b></a>${long}`])
    await assert.rejects(openMessage(arriving([Buffer.from(message)])), raises('WellFormed', /./), message.slice(0, 20))
})

test('base64 is decoded wherever its pieces end, and nothing else is', () => {
  const decode = (pieces: readonly Buffer[]) => {
    const decoder = new Base64Decoder()
    const bytes = Buffer.concat(pieces.map(piece => decoder.write(piece)))
    decoder.finish()
    return bytes
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(60), { maxLength: 5 }), (bytes, cuts) => {
      const characters = Buffer.from(Buffer.from(bytes).toString('base64').replace(/.{5}/g, '$& \r\n\t'))
      assert.deepEqual(
        decode(
          cut(
            characters,
            cuts.map(at => at % (characters.length + 1)),
          ),
        ),
        Buffer.from(bytes),
      )
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('A', 'b', '=', '-', '_', '*', '+', '\u00e4'), maxLength: 12 }), characters => {
      const isBase64 = /^(?:[Ab+]{4})*(?:[Ab+]{2}==|[Ab+]{3}=)?$/.test(characters)
      if (isBase64) assert.ok(decode([Buffer.from(characters, 'latin1')]))
      else assert.throws(() => decode([Buffer.from(characters, 'latin1')]), raises('InvalidArgVal', /not base64/))
    }),
  )
})
