import { randomUUID } from 'node:crypto'
import { limits } from '../limits.ts'
import { contract } from '../onvif/contract.generated.ts'
import { fault, type SoapFault } from '../onvif/faults.ts'
import type { XmlElement } from './xml.ts'

/** What a splitter finds, in this order for each part. The bytes of `data` are the caller's as long as he does not change them. */
interface PartSink {
  /** Names in lower case. */
  begin(headers: ReadonlyMap<string, string>): void
  data(bytes: Buffer): void
  end(): void
}

/**
 * Splits a multipart message (RFC 2046 5.1.1) piece by piece, wherever the pieces end. It keeps what may become a delimiter or
 * a head of a part, and nothing else. Throws the fault WellFormed.
 */
export class PartSplitter {
  readonly #delimiter: Buffer
  readonly #sink: PartSink
  #state: 'preamble' | 'delimiter' | 'head' | 'body' | 'epilogue' = 'preamble'
  #parts = 0
  /** The first delimiter may begin the message, without the line break that is part of every other one. */
  #kept: Buffer = Buffer.from('\r\n')

  constructor(boundary: string, sink: PartSink) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
    this.#sink = sink
  }

  write(piece: Buffer): void {
    let rest: Buffer | undefined = this.#state === 'body' ? this.#across(piece) : Buffer.concat([this.#kept, piece])
    this.#kept = nothing
    while (rest !== undefined) rest = this.#step(rest)
  }

  /** After the last piece. */
  finish(): void {
    if (this.#state !== 'epilogue') throw malformed('it has no end')
  }

  /** What was kept and this piece; without a copy of the piece where no delimiter begins in what was kept. */
  #across(piece: Buffer): Buffer {
    if (this.#kept.length === 0) return piece
    const seam = Buffer.concat([this.#kept, piece.subarray(0, this.#delimiter.length)])
    // A short piece does not decide it.
    if (piece.length < this.#delimiter.length || seam.includes(this.#delimiter)) return Buffer.concat([this.#kept, piece])
    this.#sink.data(this.#kept)
    return piece
  }

  /** Takes what can be decided and gives the rest, or keeps it for the next piece and gives undefined. */
  #step(bytes: Buffer): Buffer | undefined {
    switch (this.#state) {
      case 'preamble':
      case 'body':
        return this.#content(bytes)
      case 'delimiter':
        return this.#afterDelimiter(bytes)
      case 'head':
        return this.#head(bytes)
      case 'epilogue':
        return undefined
    }
  }

  #content(bytes: Buffer): Buffer | undefined {
    const inBody = this.#state === 'body'
    const found = bytes.indexOf(this.#delimiter)
    const end = found >= 0 ? found : Math.max(0, bytes.length - this.#delimiter.length + 1)
    if (inBody && end > 0) this.#sink.data(bytes.subarray(0, end))
    if (found < 0) return this.#keep(bytes.subarray(end), this.#delimiter.length)
    if (inBody) this.#sink.end()
    this.#state = 'delimiter'
    return bytes.subarray(found + this.#delimiter.length)
  }

  /** Two hyphens end the message; before the line break there may be blanks. */
  #afterDelimiter(bytes: Buffer): Buffer | undefined {
    if (bytes.length < 2) return this.#keep(bytes, 2)
    if (bytes.toString('latin1', 0, 2) === '--') {
      this.#state = 'epilogue'
      return undefined
    }
    const line = bytes.indexOf('\r\n')
    if (line < 0 || line > limits.partHeadBytesMax) return this.#keep(bytes, limits.partHeadBytesMax)
    if (/[^ \t]/.test(bytes.toString('latin1', 0, line))) throw malformed('there is something behind a boundary')
    this.#parts += 1
    if (this.#parts > limits.partsMax) throw malformed(`it has more than ${limits.partsMax} parts`)
    this.#state = 'head'
    return bytes.subarray(line)
  }

  /** Begins with the line break of the delimiter, so that no header at all looks like the end of many. */
  #head(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf('\r\n\r\n')
    // A part without a body may end with its head: the second line break is that of the delimiter then.
    const next = end + 2 + this.#delimiter.length
    if (end < 0 || end > limits.partHeadBytesMax || bytes.length < next)
      return this.#keep(bytes, limits.partHeadBytesMax + this.#delimiter.length)
    this.#sink.begin(headersOf(bytes.toString('latin1', 0, end)))
    this.#state = 'body'
    return bytes.subarray(bytes.subarray(end + 2, next).equals(this.#delimiter) ? end + 2 : end + 4)
  }

  #keep(bytes: Buffer, bytesMax: number): undefined {
    if (bytes.length > bytesMax) throw malformed('the head of a part is too long')
    this.#kept = Buffer.from(bytes)
    return undefined
  }
}

const nothing = Buffer.alloc(0)

function headersOf(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of text.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

export const malformed = (why: string): SoapFault => fault('WellFormed', `the multipart message is malformed: ${why}`)

/** A message as it came: its envelope, and what came beside it, by Content-ID. */
export interface Package {
  readonly envelope: Uint8Array
  readonly attachments: ReadonlyMap<string, Buffer>
  /** Whoever sends attachments can read them. */
  readonly isMultipart: boolean
}

/** Whether a message with this Content-Type is a package: anything else is all envelope. */
export const isPackage = (contentType: string): boolean => /^multipart\/related[ \t]*(?:;|$)/i.test(contentType)

/** A part as its head describes it. */
export interface PartHead {
  readonly id: string
  readonly encoding: string
}

export function partHeadOf(headers: ReadonlyMap<string, string>): PartHead {
  return { id: bare(headers.get('content-id') ?? ''), encoding: (headers.get('content-transfer-encoding') ?? 'binary').toLowerCase() }
}

/** Takes an MTOM message apart (XOP 1.0, RFC 2387); any other message is all envelope. Throws the fault WellFormed. */
export function unpack(body: Uint8Array, contentType = ''): Package {
  if (!isPackage(contentType)) return { envelope: body, attachments: new Map(), isMultipart: false }
  const { boundary, start } = packageParameters(contentType)
  const parts: (PartHead & { readonly pieces: Buffer[] })[] = []
  const splitter = new PartSplitter(boundary, {
    begin: headers => void parts.push({ ...partHeadOf(headers), pieces: [] }),
    data: bytes => void parts.at(-1)?.pieces.push(bytes),
    end: () => {},
  })
  splitter.write(asBuffer(body))
  splitter.finish()
  const root = start === undefined ? parts[0] : parts.find(({ id }) => id === start)
  if (!root) throw noRoot()
  const others = parts.filter(part => part !== root)
  const attachments = new Map(others.map(({ id, encoding, pieces }) => [id, decoded(pieces, encoding)]))
  if (attachments.size < others.length || (root.id !== '' && attachments.has(root.id))) throw sameId()
  return { envelope: decoded(root.pieces, root.encoding), attachments, isMultipart: true }
}

export function decoded(pieces: readonly Buffer[], encoding: string): Buffer {
  const [only = Buffer.alloc(0), ...more] = pieces
  const bytes = more.length === 0 ? only : Buffer.concat(pieces)
  return isBase64(encoding) ? Buffer.from(bytes.toString('latin1'), 'base64') : bytes
}

/** Whether a part has to be decoded. Throws the fault WellFormed for an encoding that is not taken. */
export function isBase64(encoding: string): boolean {
  if (encoding === 'base64') return true
  if (encoding === 'binary' || encoding === '8bit' || encoding === '7bit') return false
  throw malformed('the encoding of a part is not taken')
}

export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const noRoot = (): SoapFault => malformed('it has no root part')
export const sameId = (): SoapFault => malformed('two parts have the same Content-ID')

/** `<a@b>` → `a@b`. */
const bare = (id: string): string => id.replace(/^<(.*)>$/, '$1')

/** The boundary of a package, and the Content-ID of its root where it is named. Throws the fault WellFormed. */
export function packageParameters(contentType: string): { readonly boundary: string; readonly start: string | undefined } {
  const { boundary, start } = parametersOf(contentType)
  if (boundary === undefined || boundary.length > 70 || boundary === '') throw malformed('it names no boundary')
  return { boundary, start: start === undefined ? undefined : bare(start) }
}

/** Those of a media type (RFC 9110 5.6.6), quoted or not, names in lower case. */
function parametersOf(contentType: string): { readonly boundary?: string; readonly start?: string } {
  const parameters = contentType.matchAll(/;[ \t]*([A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g)
  return Object.fromEntries(
    [...parameters].map(([, name = '', quoted, token]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token]),
  )
}

/** The Content-ID that a `cid:` URI (RFC 2392) means; undefined for any other URI. */
export function contentIdOf(href: string): string | undefined {
  if (!/^cid:/i.test(href)) return undefined
  try {
    return decodeURIComponent(href.slice(4))
  } catch {
    return undefined
  }
}

export interface Attachment {
  readonly id: string
  readonly contentType: string
  readonly content: Uint8Array
}

/** An MTOM message of an envelope and what it refers to: the value of Content-Type, and the body. */
export function pack(envelope: Buffer, attachments: readonly Attachment[]): { readonly contentType: string; readonly body: Buffer } {
  const boundary = `onvifd-${randomUUID()}`
  const root = { id: 'envelope@onvifd', contentType: 'application/xop+xml; charset=utf-8; type="application/soap+xml"', content: envelope }
  const parts = [root, ...attachments].flatMap(({ id, contentType, content }) => [
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${id}>\r\n\r\n`),
    content,
  ])
  return {
    contentType: `multipart/related; boundary="${boundary}"; type="application/xop+xml"; start="<${root.id}>"; start-info="application/soap+xml"`,
    body: Buffer.concat([...parts, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  }
}

/**
 * The schema has a reference where an attachment goes, but some clients know no MTOM and write base64 there. Gives the message as
 * it should be, and what stood in it, by Content-ID. `names` are the elements that hold attachments.
 */
export function detachInline(
  body: XmlElement,
  names: readonly string[],
): { readonly body: XmlElement; readonly found: ReadonlyMap<string, Buffer> } {
  const found = new Map<string, Buffer>()
  const detach = (element: XmlElement): XmlElement => {
    if (element.children.length > 0) return { ...element, children: element.children.map(detach) }
    const text = element.text.replace(/\s+/g, '')
    if (!names.includes(element.name) || text === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return element
    const id = randomUUID()
    found.set(id, Buffer.from(text, 'base64'))
    const href = { namespace: '', name: 'href', value: `cid:${id}` }
    const include = { ...element, namespace: contract.namespaces.xop ?? '', name: 'Include', attributes: [href], children: [], text: '' }
    return { ...element, children: [include], text: '' }
  }
  return { body: detach(body), found }
}
