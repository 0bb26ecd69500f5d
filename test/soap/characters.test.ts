import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detached, escapeAttribute, escapeText, isBlank, replaceIllegal } from '../../src/soap/characters.ts'
import { parseXml } from '../../src/soap/xml.ts'

const texts = ['', 'plain', 'a & b', '<a>', ']]>', '"\'', '\r\n\t ', ' é漢\u{1f600}\ufffd', '&amp;']

for (const text of texts) {
  test(`${JSON.stringify(text)} comes back from text and attribute`, () => {
    const { text: inside, attributes } = parseXml(`<a b="${escapeAttribute(text)}">${escapeText(text)}</a>`)
    assert.deepEqual([inside, attributes[0]?.value], [text, text])
  })
}

for (const text of ['\u0000', 'a\u001f', '\u000b', '\ufffe', '\uffff', '\ud800', '\udc00a', '\u{1f600}\ud83d']) {
  test(`${JSON.stringify(text)} is no text for XML`, () => {
    assert.throws(() => escapeText(text), { message: 'a character that XML does not allow' })
    assert.throws(() => escapeAttribute(text), { message: 'a character that XML does not allow' })
    assert.match(escapeText(replaceIllegal(text)), /\ufffd/)
  })
}

test('blank is what XML calls so', () => {
  assert.ok(isBlank('') && isBlank(' \t\r\n'))
  assert.ok(!isBlank('\u00a0') && !isBlank('\f') && !isBlank(' x '))
})

test('a detached text is the same text', () => {
  for (const text of ['', 'short', 'longer than twelve', '漢'.repeat(20)]) assert.equal(detached(text), text)
})
