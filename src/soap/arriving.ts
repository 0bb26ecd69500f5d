import { randomUUID } from 'node:crypto'
import { limits } from '../limits.ts'
import { contract } from '../onvif/contract.generated.ts'
import { fault } from '../onvif/faults.ts'
import { Base64Decoder } from './base64.ts'
import { Gathered } from './gathered.ts'
import type { ArrivingBody } from './message.ts'
import {
  asBuffer,
  decoded,
  isBase64,
  isPackage,
  malformed,
  type Package,
  type PartHead,
  PartSplitter,
  packageParameters,
  partHeadOf,
  sameId,
  unpack,
} from './mtom.ts'
import { openTags, XmlError } from './xml.ts'

/** A message whose envelope is here while what the envelope refers to is still on its way. What follows can be read once. */
export interface Opening {
  readonly envelope: Uint8Array
  readonly isMultipart: boolean
  /** Waits for the rest, and gives it by Content-ID. */
  collect(): Promise<ReadonlyMap<string, Buffer>>
  /**
   * Goes on to the attachment with this Content-ID; undefined where the message ends without it. Its bytes end in a fault where the
   * message is not sound to its very end.
   */
  find(id: string): Promise<AsyncIterable<Buffer> | undefined>
}

type Pieces = AsyncIterator<Uint8Array, unknown, undefined>

/**
 * Reads a large message as far as it takes to know who sends what: to the end of the root part of a package, or to a long text of
 * base64 that stands where a reference should (`inline`). A package whose root comes later is read to its end, if it is not too
 * large for that. Throws faults, and what `body` ends in.
 */
export async function openMessage(body: ArrivingBody, contentType = '', inline = true): Promise<Opening | Package> {
  const pieces = body.bytes[Symbol.asyncIterator]()
  return isPackage(contentType) ? openPackage(pieces, contentType, body.lengthBytes) : openInline(pieces, inline)
}

// --- MTOM ---

async function openPackage(pieces: Pieces, contentType: string, lengthBytes: number | undefined): Promise<Opening | Package> {
  const { boundary, start } = packageParameters(contentType)
  const reader = new PartReader(pieces, boundary)
  const message = reader.keep()
  const root = await reader.part()
  if (root === undefined) throw malformed('it has no root part')
  if (start !== undefined && root.id !== start) {
    // Nobody can say who sends it before all of it is there.
    const late = () => malformed(`larger than ${limits.packageBytesMax} bytes, it has to begin with its root part`)
    if (lengthBytes !== undefined && lengthBytes > limits.packageBytesMax) throw late()
    while ((await reader.next()) !== undefined) if (message.length > limits.packageBytesMax) throw late()
    return unpack(message.bytes(), contentType)
  }
  reader.forget()
  const envelope = new Gathered()
  for await (const bytes of reader.content()) {
    envelope.add(bytes)
    if (envelope.length > limits.requestBytesMax) throw malformed('its root part is too large')
  }
  return {
    envelope: decoded([envelope.bytes()], root.encoding),
    isMultipart: true,
    async collect() {
      const found = new Map<string, Buffer>()
      for (let part = await reader.part(); part; part = await reader.part()) {
        const content = new Gathered()
        for await (const bytes of reader.content()) content.add(bytes)
        found.set(part.id, decoded([content.bytes()], part.encoding))
      }
      return found
    },
    async find(id) {
      for (let part = await reader.part(); part; part = await reader.part()) if (part.id === id) return partBytes(reader, part)
      return undefined
    },
  }
}

async function* partBytes(reader: PartReader, { encoding }: PartHead): AsyncGenerator<Buffer, void, undefined> {
  const decoder = isBase64(encoding) ? new Base64Decoder() : undefined
  for await (const bytes of reader.content()) yield decoder ? decoder.write(bytes) : bytes
  decoder?.finish()
  // Parts that nobody asked for.
  reader.allow(limits.packageBytesMax)
  while ((await reader.next()) !== undefined);
}

type Found =
  | { readonly kind: 'part'; readonly head: PartHead }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'end' }

/** The parts of a package in their order, read from its pieces as they are asked for. */
class PartReader {
  readonly #pieces: Pieces
  readonly #splitter: PartSplitter
  readonly #ids = new Set<string>()
  /** Of the last piece. */
  #found: Found[] = []
  #allowed = Number.POSITIVE_INFINITY
  #kept: Gathered | undefined

  constructor(pieces: Pieces, boundary: string) {
    this.#pieces = pieces
    this.#splitter = new PartSplitter(boundary, {
      begin: headers => this.#begin(partHeadOf(headers)),
      data: bytes => void this.#found.push({ kind: 'bytes', bytes }),
      end: () => void this.#found.push({ kind: 'end' }),
    })
  }

  #begin(head: PartHead): void {
    if (this.#ids.has(head.id)) throw sameId()
    // A root needs no name, and the parts behind it are lost without one.
    if (this.#ids.size > 0 || head.id !== '') this.#ids.add(head.id)
    this.#found.push({ kind: 'part', head })
  }

  /** Undefined at the end of the message. */
  async next(): Promise<Found | undefined> {
    for (;;) {
      const found = this.#found.shift()
      if (found) return found
      const { done, value } = await this.#pieces.next()
      if (done || !(value instanceof Uint8Array)) {
        this.#splitter.finish()
        return undefined
      }
      this.#allowed -= value.length
      if (this.#allowed < 0) throw malformed('too much follows the attachment')
      this.#kept?.add(asBuffer(value))
      this.#splitter.write(asBuffer(value))
    }
  }

  /** Goes on to the next part. */
  async part(): Promise<PartHead | undefined> {
    for (let found = await this.next(); found; found = await this.next()) if (found.kind === 'part') return found.head
    return undefined
  }

  /** Of the part that was just found. */
  async *content(): AsyncGenerator<Buffer, void, undefined> {
    for (let found = await this.next(); found?.kind === 'bytes'; found = await this.next()) yield found.bytes
  }

  /** No more than so many bytes from here on. */
  allow(bytes: number): void {
    this.#allowed = bytes
  }

  /** The message itself, from here on. */
  keep(): Gathered {
    this.#kept = new Gathered()
    return this.#kept
  }

  forget(): void {
    this.#kept = undefined
  }
}

// --- base64 in the place of a reference ---

const LESS = 0x3c
const GREATER = 0x3e

async function openInline(pieces: Pieces, inline: boolean): Promise<Opening | Package> {
  const message = new Gathered()
  /** Everything before is markup and short texts. */
  let searched = 0
  let searchAt = limits.inlineTextBytesMin
  for (let { done, value } = await pieces.next(); !done && value instanceof Uint8Array; { done, value } = await pieces.next()) {
    message.add(asBuffer(value))
    if (!inline || message.length < searchAt) continue
    searchAt = message.length + limits.inlineSearchBytes
    const found = searchText(message.bytes(), searched)
    if (found.isAttachment) return openText(message.bytes(), found.at, pieces)
    searched = found.at
  }
  return { envelope: message.bytes(), attachments: new Map(), isMultipart: false }
}

/** Looks from the end of a tag on: where an attachment begins, or where the last tag ends. */
function searchText(message: Buffer, from: number): { readonly at: number; readonly isAttachment: boolean } {
  let at = from
  for (;;) {
    const tag = message.indexOf(LESS, at)
    const end = tag < 0 ? message.length : tag
    // An attribute of the tag may have held a `>`, base64 does not.
    const text = end - at < limits.inlineTextBytesMin ? end : Math.max(at, message.lastIndexOf(GREATER, end - 1) + 1)
    const enough = text + limits.inlineTextBytesMin
    if (enough <= end && /^[A-Za-z0-9+/\s]*$/.test(message.toString('latin1', text, enough))) return { at: text, isAttachment: true }
    const next = tag < 0 ? 0 : message.indexOf(GREATER, tag) + 1
    if (next === 0) return { at, isAttachment: false }
    at = next
  }
}

/** Makes of what comes before the text the message that should have been sent. */
function openText(message: Buffer, at: number, pieces: Pieces): Opening {
  const beginning = message.subarray(0, at)
  const endTags = tagsOpenAfter(beginning).toReversed()
  const id = randomUUID()
  const include = `<Include xmlns="${contract.namespaces.xop}" href="cid:${id}"/>`
  const ending = endTags.map(tag => `</${tag}>`).join('')
  const bytes = textBytes(message.subarray(at), pieces, endTags)
  return {
    envelope: Buffer.concat([beginning, Buffer.from(include + ending)]),
    isMultipart: false,
    async collect() {
      const content = new Gathered()
      for await (const piece of bytes) content.add(piece)
      return new Map([[id, content.bytes()]])
    },
    find: async wanted => (wanted === id ? bytes : undefined),
  }
}

function tagsOpenAfter(beginning: Buffer): readonly string[] {
  try {
    const tags = openTags(beginning.toString('utf8'))
    if (tags.length === 0) throw fault('WellFormed', 'text outside of the root element')
    return tags
  } catch (error) {
    throw error instanceof XmlError ? fault('WellFormed', error.message) : error
  }
}

/** Decodes up to the next tag; from there to its end the message may hold the end tags that are due and nothing else. */
async function* textBytes(first: Buffer, pieces: Pieces, endTags: readonly string[]): AsyncGenerator<Buffer, void, undefined> {
  const decoder = new Base64Decoder()
  let piece = first
  let tag = piece.indexOf(LESS)
  for (; tag < 0; tag = piece.indexOf(LESS)) {
    yield decoder.write(piece)
    const { done, value } = await pieces.next()
    if (done || !(value instanceof Uint8Array)) throw fault('WellFormed', 'the message ends within the attachment')
    piece = asBuffer(value)
  }
  yield decoder.write(piece.subarray(0, tag))
  decoder.finish()

  const tail = new Gathered()
  tail.add(piece.subarray(tag))
  for (let { done, value } = await pieces.next(); !done && value instanceof Uint8Array; { done, value } = await pieces.next()) {
    tail.add(asBuffer(value))
    if (tail.length > limits.inlineTailBytesMax) break
  }
  const due = endTags.map(name => `</${name}>`).join('')
  if (
    tail.length > limits.inlineTailBytesMax ||
    tail
      .bytes()
      .toString('utf8')
      .replaceAll(/(?<=>|^)\s+|\s+(?=>)/g, '') !== due
  )
    throw fault('WellFormed', 'behind the attachment there is more than the end of the message')
}
