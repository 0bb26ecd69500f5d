/** What XML 1.0 (fifth edition) says of single characters, and how text is made fit for a message. */

/** No characters of XML, 2.2. Quick to search for, but blind to lone surrogates. */
export const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

/** CONTROL and the surrogates that have lost their other half. */
export const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u

/** Bits of a UTF-16 unit; U+10000 to U+EFFFF may stand in names, and their surrogates with them. */
const NAME = 1
const NAME_START = 2
const classes = new Uint8Array(0x10000)

/** 2.3, without the colon (Namespaces in XML 1.0, 4). */
const nameStarts =
  'AZ__az\u00c0\u00d6\u00d8\u00f6\u00f8\u02ff\u0370\u037d\u037f\u1fff\u200c\u200d\u2070\u218f\u2c00\u2fef\u3001\udb7f\uf900\ufdcf\ufdf0\ufffd'
const nameOthers = '-.09\u00b7\u00b7\u0300\u036f\u203f\u2040\udc00\udfff'

/** The ranges are pairs of first and last. */
function classify(ranges: string, bits: number): void {
  for (let i = 0; i < ranges.length; i += 2) classes.fill(bits, ranges.charCodeAt(i), ranges.charCodeAt(i + 1) + 1)
}
classify(nameStarts, NAME | NAME_START)
classify(nameOthers, NAME)

/** NaN, which `charCodeAt` gives past the end, is no name character. */
export function isNameStart(code: number): boolean {
  return code >= 0 && classes[code] === (NAME | NAME_START)
}

export function isNameCharacter(code: number): boolean {
  return code >= 0 && classes[code] !== 0
}

/** Namespaces in XML 1.0: a name without a colon. */
export function isNcName(text: string): boolean {
  if (!isNameStart(text.charCodeAt(0))) return false
  for (let i = 1; i < text.length; i++) if (!isNameCharacter(text.charCodeAt(i))) return false
  return true
}

/** The character of `#65` or `#x41`, or undefined if that is no reference, or no character that XML allows. */
export function characterOf(reference: string): string | undefined {
  const [, hexadecimal, decimal] = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(reference) ?? []
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16)
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : undefined
  return character !== undefined && !ILLEGAL.test(character) ? character : undefined
}

/** Text as character data. Throws an Error on characters that XML cannot carry: nothing that came in through `parseXml` has them. */
export function escapeText(text: string): string {
  if (!/[&<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/.test(text)) return text
  return escapeEach(text, /[&<>\r]/g)
}

/** Text as an attribute value in double quotes. Throws like `escapeText`. */
export function escapeAttribute(text: string): string {
  if (!/[&<>"\r\n\t\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/.test(text)) return text
  return escapeEach(text, /[&<>"\r\n\t]/g)
}

function escapeEach(text: string, special: RegExp): string {
  if (ILLEGAL.test(text)) throw new Error('a character that XML does not allow')
  return text.replace(special, character => ESCAPES.get(character) ?? character)
}

const ESCAPES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ['\r', '&#13;'],
  ['\n', '&#10;'],
  ['\t', '&#9;'],
])

/** Text that came from anywhere, with the characters that XML cannot carry replaced. */
export function replaceIllegal(text: string): string {
  return text.replace(new RegExp(ILLEGAL, 'gu'), '\ufffd')
}

/** Of what XML calls blank; JavaScript knows more. */
export function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text)
}

/**
 * The same text in memory of its own. V8 lets a slice of 13 characters or more refer to the text that it was cut from, so that one
 * scope kept from a message would keep the whole message. A slice of a fresh concatenation refers to no more than that.
 */
export function detached(text: string): string {
  return text.length < 13 ? text : ` ${text}`.slice(1)
}
