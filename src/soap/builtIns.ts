import { detached, isNcName } from './characters.ts'
import type { SimpleCodec } from './simpleTypes.ts'

/** Leading and trailing blanks off, inner ones single: what most types do to text before they look at it. */
export function collapse(text: string): string {
  return /^[ \t\r\n]|[\t\r\n]| {2}|[ \t\r\n]$/.test(text) ? text.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '') : text
}

const string: SimpleCodec = {
  rule: 'xs:string',
  read: detached,
  write: value => (typeof value === 'string' ? value : undefined),
}

/** A type whose values stay text, collapsed. */
function textual(name: string, isValid: (text: string) => boolean): SimpleCodec {
  return {
    rule: `xs:${name}`,
    read: text => {
      const collapsed = collapse(text)
      return isValid(collapsed) ? detached(collapsed) : undefined
    },
    write: value => (typeof value === 'string' && isValid(collapse(value)) ? value : undefined),
  }
}

const boolean: SimpleCodec = {
  rule: 'xs:boolean',
  read: text => {
    const collapsed = collapse(text)
    if (collapsed === 'true' || collapsed === '1') return true
    if (collapsed === 'false' || collapsed === '0') return false
    return undefined
  },
  write: value => (typeof value === 'boolean' ? String(value) : undefined),
}

/** Integers beyond what a number holds exactly are refused even where the type, as xs:integer, has no end: no message needs them. */
function integer(name: string, min: number, max: number): SimpleCodec {
  const inRange = (value: number) => Number.isSafeInteger(value) && value >= min && value <= max
  return {
    rule: `xs:${name}`,
    read: text => {
      const collapsed = collapse(text)
      if (!/^[+-]?[0-9]+$/.test(collapsed)) return undefined
      const value = Number(collapsed) + 0 // no -0
      return inRange(value) ? value : undefined
    },
    write: value => (typeof value === 'number' && inRange(value) ? String(value) : undefined),
  }
}

const SPECIAL_FLOATS = new Map([
  ['INF', Infinity],
  ['-INF', -Infinity],
  ['NaN', NaN],
])

/** xs:float keeps the precision of a double: what was said comes back as it was said. */
function float(name: string): SimpleCodec {
  return {
    rule: `xs:${name}`,
    read: text => {
      const collapsed = collapse(text)
      if (/^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(collapsed)) return Number(collapsed) + 0
      return SPECIAL_FLOATS.get(collapsed)
    },
    write: value => {
      if (typeof value !== 'number') return undefined
      return Number.isNaN(value) ? 'NaN' : String(value).replace('Infinity', 'INF')
    },
  }
}

const base64Binary: SimpleCodec = {
  rule: 'xs:base64Binary',
  read: text => {
    const compact = text.replace(/[ \t\r\n]/g, '')
    // XML Schema Part 2, 3.2.16: the bits that the last character does not need are zero.
    const tail = compact.length % 4 === 0 ? /(?:[AQgw]==|[A-Za-z0-9+/][AEIMQUYcgkosw048]=|[A-Za-z0-9+/]{2})$|^$/ : undefined
    if (!tail?.test(compact) || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined
    return new Uint8Array(Buffer.from(compact, 'base64'))
  },
  write: value => (value instanceof Uint8Array ? asBuffer(value).toString('base64') : undefined),
}

const hexBinary: SimpleCodec = {
  rule: 'xs:hexBinary',
  read: text => {
    const collapsed = collapse(text)
    return /^(?:[0-9a-fA-F]{2})*$/.test(collapsed) ? new Uint8Array(Buffer.from(collapsed, 'hex')) : undefined
  },
  write: value => (value instanceof Uint8Array ? asBuffer(value).toString('hex').toUpperCase() : undefined),
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

const DATE_TIME =
  /^-?(?<year>[1-9][0-9]{4,}|[0-9]{4})-(?<month>0[1-9]|1[0-2])-(?<day>0[1-9]|[12][0-9]|3[01])T(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?)(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?$/

/** XML Schema Part 2, 3.2.7: a day that the calendar has, and no year 0. */
export function isDateTime(text: string): boolean {
  const { year, month, day } = DATE_TIME.exec(text)?.groups ?? {}
  if (year === undefined || year === '0000') return false
  return Number(day) <= daysIn(Number(month), Number(year.slice(-4)))
}

/** The Gregorian calendar repeats after 400 years, so the last four digits of the year are enough. */
function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** XML Schema Part 2, 3.2.6. */
export function isDuration(text: string): boolean {
  return /^-?P(?=[0-9T])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]+)?S)?)?$/.test(text)
}

const UNRESERVED = `A-Za-z0-9\\-._~!$&'()*+,;=`
/** XLink 1.0, 5.4: what has to be escaped before it is a URI may stand in xs:anyURI as it is. */
const ESCAPABLE = ' \\x7f-\\uffff<>"{}|\\\\^`'
const ESCAPED = '%[0-9A-Fa-f]{2}'
const PATH_CHARACTER = `(?:[${UNRESERVED}:@${ESCAPABLE}]|${ESCAPED})`
const NAME_CHARACTER = `(?:[${UNRESERVED}${ESCAPABLE}]|${ESCAPED})`
const AUTHORITY = `//(?:(?:${NAME_CHARACTER}|:)*@)?(?:\\[[^\\]]*\\]|${NAME_CHARACTER}*)(?::[0-9]{0,9})?(?:/${PATH_CHARACTER}*)*`
const ANY_PATH = `(?!//)(?:${PATH_CHARACTER}|/)*`
const PATH_WITHOUT_SCHEME = `(?!//)(?:(?:${NAME_CHARACTER}|@)*(?:/(?:${PATH_CHARACTER}|/)*)?)`
const QUERY_AND_FRAGMENT = `(?:\\?(?:${PATH_CHARACTER}|[/?])*)?(?:#(?:${PATH_CHARACTER}|[/?[\\]])*)?`
const URI_REFERENCE = new RegExp(
  `^(?:[A-Za-z][A-Za-z0-9+.\\-]*:(?:${AUTHORITY}|${ANY_PATH})|${AUTHORITY}|${PATH_WITHOUT_SCHEME})${QUERY_AND_FRAGMENT}$`,
)

/** The built-in types that the contract uses, by local name. */
export const builtIns: ReadonlyMap<string, SimpleCodec> = new Map([
  ['string', string],
  ['anySimpleType', { ...string, rule: 'xs:anySimpleType' }],
  ['token', textual('token', () => true)],
  ['language', textual('language', text => /^[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*$/.test(text))],
  ['NCName', textual('NCName', isNcName)],
  ['anyURI', textual('anyURI', text => URI_REFERENCE.test(text))],
  ['dateTime', textual('dateTime', isDateTime)],
  ['duration', textual('duration', isDuration)],
  ['boolean', boolean],
  ['int', integer('int', -2147483648, 2147483647)],
  ['integer', integer('integer', -Infinity, Infinity)],
  ['nonNegativeInteger', integer('nonNegativeInteger', 0, Infinity)],
  ['positiveInteger', integer('positiveInteger', 1, Infinity)],
  ['float', float('float')],
  ['double', float('double')],
  ['base64Binary', base64Binary],
  ['hexBinary', hexBinary],
])
