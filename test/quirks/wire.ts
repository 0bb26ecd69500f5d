import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Answer, Client } from '../http/door.ts'
import { admin, type Daemon } from '../support/daemon.ts'
import type { Login } from '../support/device.ts'
import { validateMessage } from '../support/schemaValidator.ts'
import type { Dialect, Wishes } from './dialects.ts'
import { requestOf } from './dialects.ts'

/** The connection of the tests to one daemon: every request leaves as the bytes that it is, on a connection of its own. */
export interface Wire {
  readonly t: TestContext
  readonly daemon: Daemon
  readonly port: number
  /** As a client writes it into its Host header. */
  readonly host: string
  /** The answer as it came; a SOAP message in it is valid by the schema, in a head that libonvif can read (rule 2). */
  send(bytes: Uint8Array | string): Promise<Answer>
  /** An operation in the manner of a client, logged in as the Administrator unless told otherwise. */
  ask(dialect: Dialect, operation: string, wishes?: Wishes): Promise<Answer>
  /** The same; the answer has to be the operation's own. */
  served(dialect: Dialect, operation: string, wishes?: Wishes): Promise<Answer>
}

export function wireTo(t: TestContext, daemon: Daemon): Wire {
  const { host, port } = new URL(daemon.url)
  async function send(bytes: Uint8Array | string): Promise<Answer> {
    const client = new Client(t, Number(port))
    void client.send(bytes)
    let answer = await client.answer()
    if (answer?.status === 100) answer = await client.answer()
    client.socket.destroy()
    assert.ok(answer, 'there was an answer')
    assertReadable(answer)
    return answer
  }
  const ask: Wire['ask'] = (dialect, operation, wishes = {}) => send(requestOf(dialect, operation, { host, login: admin, ...wishes }))
  return {
    t,
    daemon,
    port: Number(port),
    host,
    send,
    ask,
    async served(dialect, operation, wishes) {
      const answer = await ask(dialect, operation, wishes)
      assert.equal(answer.status, 200, answer.body)
      assert.match(answer.body, new RegExp(`<tds:${operation}Response[ />]`))
      return answer
    },
  }
}

/** What every client needs of every answer, rules 2, 3, 8, 14, 16 and 19. */
export function assertReadable({ head, headers, body }: Answer): void {
  assert.ok(head.length < 1024, 'the head is short')
  assert.match(head, /^Content-Length: \d+$/m, 'spelled as libonvif looks for it')
  assert.doesNotMatch(head, /^(?:Transfer-Encoding|Content-Encoding):/im)
  if (headers.get('content-type')?.startsWith('text/plain')) return
  assert.match(head, /^Content-Type: application\/soap\+xml; charset=utf-8$/m)
  assert.deepEqual(validateMessage(body), [], body)
  assert.match(body, /^<\?xml [^>]*>\s*<(?:s|S|SOAP-ENV|soap|env):Envelope [^>]*xmlns:tds="[^>]*xmlns:tt="/)
  assert.doesNotMatch(body, /wssecurity|UsernameToken>/, 'the log-in is not sent back')
}

/** The subcodes of a fault from outside in, `NotAuthorized`, or '' for an answer that is none. */
export const faultOf = ({ body }: Answer): string => [...body.matchAll(/<env:Value>ter:(\w+)</g)].map(([, name]) => name).join('/')

/** `rule` is the number in section 1 of the collection, or `table` for its section 2; `shows` sends it and asserts that it is served. */
export type Row = readonly [rule: number | 'table', client: string, does: string, shows: (wire: Wire) => Promise<unknown>]

export const children = (login: Login & { readonly level: string }, prefix: string): string =>
  `<${prefix}Username>${login.name}</${prefix}Username><${prefix}Password>${login.password}</${prefix}Password><${prefix}UserLevel>${login.level}</${prefix}UserLevel>`
