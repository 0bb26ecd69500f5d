import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticate.ts'
import type { Bounds } from '../../src/http/reply.ts'
import { createHttpServer, type HttpOptions, type HttpServer } from '../../src/http/server.ts'
import type { Clock, Log } from '../../src/platform/platform.ts'
import type { SoapAnswer, SoapRequest } from '../../src/soap/message.ts'
import { memoryJournal } from '../auth/support.ts'

export const admin = { name: 'admin', level: 'Administrator', password: 'Correct-horse-7' } as const
export const operator = { name: 'olga', level: 'Operator', password: 'Nightshift-42' } as const

export interface Entry {
  readonly level: keyof Log
  readonly fields: Record<string, unknown>
  readonly message: string
}

/** A request of which all has come. */
export type WholeRequest = SoapRequest & { readonly body: Uint8Array }

export interface Door {
  readonly port: number
  readonly server: HttpServer
  readonly soap: WholeRequest[]
  readonly log: Entry[]
}

/** For doors behind which nobody asks for it. */
export const noFirmware: HttpOptions['firmware'] = {
  report: () => Promise.reject(new Error('there is no firmware')),
  command: () => Promise.reject(new Error('there is no firmware')),
  history: () => [],
}

interface Wishes
  extends Partial<Pick<HttpOptions, 'uploads' | 'downloads' | 'firmware' | 'admits' | 'isOwnName' | 'publicOrigin' | 'insteadPort'>> {
  readonly handle?: (request: WholeRequest) => Promise<SoapAnswer> | SoapAnswer
  /** Answers instead of `handle`, and gets the request before all of it has come. */
  readonly receive?: (request: SoapRequest) => Promise<SoapAnswer>
  readonly bounds?: Partial<Bounds>
}

/** A real listener on a free port of the loopback, with real log-in, in front of a service that notes what it is given. */
export async function openDoor(
  t: TestContext,
  { handle = () => soapAnswer('<ok/>'), receive, bounds, ...rest }: Wishes = {},
): Promise<Door> {
  const soap: WholeRequest[] = []
  const log: Entry[] = []
  const note = (level: keyof Log) => (fields: object, message: string) => void log.push({ level, fields: { ...fields }, message })
  const notes: Log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  const server = createHttpServer({
    async handle(request) {
      if (receive) return receive(request)
      const { body } = request
      const all = body instanceof Uint8Array ? body : await whole(body.bytes).catch(() => undefined)
      // As the service does where a message breaks off.
      if (all === undefined) return soapAnswer('<fault/>')
      soap.push({ ...request, body: all })
      return handle({ ...request, body: all })
    },
    authenticator: authenticator(),
    uploads: new Map(),
    downloads: new Map(),
    firmware: noFirmware,
    logs: { system: notes, access: notes },
    ...(bounds && { bounds }),
    ...rest,
  })
  const url = await server.listen('127.0.0.1', 0)
  t.after(() => server.close())
  return { port: Number(url.port), server, soap, log }
}

export async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

export function soapAnswer(text: string, afterReply = async () => {}): SoapAnswer {
  const headers = { 'content-type': 'application/soap+xml; charset=utf-8', 'content-length': String(Buffer.byteLength(text)) }
  return { status: 200, headers, body: text, afterReply }
}

function authenticator(): Authenticator {
  const clock: Clock = {
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    set: async () => {},
    after: (_delay, act) => {
      // A wrong password costs the next attempt a wait, which is no matter of this room.
      queueMicrotask(act)
      return () => {}
    },
  }
  const accounts = new Map([admin, operator].map(account => [account.name, account] as const))
  return createAuthenticator({
    accounts: { find: name => [...accounts.values()].find(a => a.name === name) },
    clock,
    journal: memoryJournal().journal,
  })
}

export interface Answer {
  readonly status: number
  /** Status line and header lines as they came. */
  readonly head: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** A client that sends exactly what it is told, and reads answers one by one. */
export class Client {
  readonly socket: Socket
  readonly closed: Promise<void>
  #received = Buffer.alloc(0)
  #ended = false
  #wake = () => {}

  constructor(t: TestContext, port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    t.after(() => this.socket.destroy())
    // A reset is one of the ends that a test waits for.
    this.socket.on('error', () => {})
    this.closed = new Promise(resolve => this.socket.once('close', () => resolve()))
    this.socket.on('data', piece => {
      this.#received = Buffer.concat([this.#received, piece])
      this.#wake()
    })
    for (const event of ['end', 'close']) {
      this.socket.on(event, () => {
        this.#ended = true
        this.#wake()
      })
    }
  }

  /** Resolves when the bytes have been handed to the system, or the connection is gone. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise(resolve => this.socket.write(bytes, () => resolve()))
  }

  async ended(): Promise<void> {
    while (!this.#ended) await this.#more()
  }

  /** The next answer; undefined when the connection ended before a whole one came. `bodiless` is for HEAD. */
  async answer(bodiless = false): Promise<Answer | undefined> {
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n')
      if (end >= 0) {
        const head = this.#received.toString('latin1', 0, end)
        const headers = new Map(
          [...head.matchAll(/^([^:\r\n]+): (.*)$/gm)].map(([, name = '', value = '']) => [name.toLowerCase(), value.trim()]),
        )
        const status = Number(head.slice(9, 12))
        const length = bodiless || status === 100 ? 0 : Number(headers.get('content-length') ?? 0)
        if (headers.get('transfer-encoding') === 'chunked' && !bodiless) {
          const last = this.#received.indexOf('0\r\n\r\n', end)
          if (last >= 0) return this.#cut(status, head, headers, end + 4, last + 5)
        } else if (this.#received.length >= end + 4 + length) return this.#cut(status, head, headers, end + 4, end + 4 + length)
      }
      if (this.#ended) return undefined
      await this.#more()
    }
  }

  #cut(status: number, head: string, headers: ReadonlyMap<string, string>, from: number, to: number): Answer {
    const body = this.#received.toString('utf8', from, to)
    this.#received = this.#received.subarray(to)
    return { status, head, headers, body }
  }

  #more(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}

/** One request on a connection of its own, ended by the client after its answer. */
export async function ask(t: TestContext, port: number, bytes: string | Uint8Array): Promise<Answer | undefined> {
  const client = new Client(t, port)
  await client.send(bytes)
  const answer = await client.answer(typeof bytes === 'string' && bytes.startsWith('HEAD'))
  client.socket.destroy()
  return answer
}

/** A request with a body and its length; `headers` are whole lines. */
export function post(path: string, body: string, headers: readonly string[] = []): string {
  return `POST ${path} HTTP/1.1\r\n${['Host: device', `Content-Length: ${Buffer.byteLength(body)}`, ...headers].join('\r\n')}\r\n\r\n${body}`
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** The Authorization line that answers the first challenge of `challenged`, RFC 7616 3.4. */
export function digest(
  challenged: Answer | undefined,
  method: string,
  uri: string,
  { name, password }: { name: string; password: string },
): string {
  const nonce = /^WWW-Authenticate: Digest .*?nonce="([^"]+)"/m.exec(challenged?.head ?? '')?.[1] ?? ''
  const response = md5(`${md5(`${name}:onvifd:${password}`)}:${nonce}:00000001:c:auth:${md5(`${method}:${uri}`)}`)
  return `Authorization: Digest username="${name}", realm="onvifd", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, cnonce="c", nc=00000001, qop=auth`
}

/** Resolves when `condition` holds, which other parts of this process bring about; rejects when they do not within five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it did not come about: ${condition}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}
