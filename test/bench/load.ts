/**
 * The client process of the bench: keeps a few connections busy for a while and reports what it saw.
 * Raw sockets, so that it costs less than the servers that it measures. Every answer's status is checked.
 */
import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

export interface LoadOrder {
  readonly port: number
  /**
   * `#` stands for a number from 1 to 200 that is another one each time and on each connection: SQLite does not write what is
   * there already, and connections must not get into each other's way.
   */
  readonly body: string
  /** Sent after each answer to `body`, for what has to be undone before it can be done again. */
  readonly undo?: string
  readonly login: 'none' | 'token' | 'digest'
  readonly user: string
  readonly password: string
  readonly connections: number
  readonly milliseconds: number
  /** Requests a second over all connections; without it each connection sends as soon as it has its answer. */
  readonly rate?: number
}

export interface LoadResult {
  readonly requests: number
  readonly failures: number
  readonly milliseconds: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

const target = '/onvif/device_service'
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** WSS UsernameToken Profile 1.0: Base64(SHA-1(nonce + created + password)). */
function withToken(body: string, user: string, password: string): string {
  const nonce = randomBytes(16)
  const created = new Date().toISOString()
  const digest = createHash('sha1').update(nonce).update(created).update(password).digest('base64')
  const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
  const wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
  const type = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest'
  const header = `<s:Header><Security s:mustUnderstand="1" xmlns="${wsse}"><UsernameToken><Username>${user}</Username><Password Type="${type}">${digest}</Password><Nonce>${nonce.toString('base64')}</Nonce><Created xmlns="${wsu}">${created}</Created></UsernameToken></Security></s:Header>`
  return body.replace('<s:Body>', `${header}<s:Body>`)
}

/** One connection with its own Digest nonce and count. */
class Connection {
  #nonce = ''
  #count = 0
  readonly #order: LoadOrder
  readonly #number: number
  readonly #socket: Socket

  constructor(order: LoadOrder, number: number) {
    this.#order = order
    this.#number = number
    this.#socket = connect({ host: '127.0.0.1', port: order.port, noDelay: true })
  }

  /** Sends the next request and gives the status of its answer. */
  async exchange(body: string, round: number): Promise<number> {
    const answer = this.#answer()
    this.#socket.write(this.#request(body.replaceAll('#', String(this.#number * 50 + (round % 50) + 1))))
    const { status, head } = await answer
    if (status !== 401 || this.#order.login !== 'digest') return status
    const challenge = /www-authenticate: Digest [^\r\n]*nonce="([^"]+)"[^\r\n]*/i.exec(head)
    if (challenge?.[1] === undefined || this.#nonce === challenge[1]) return status
    this.#nonce = challenge[1]
    this.#count = 0
    return this.exchange(body, round)
  }

  end(): void {
    this.#socket.destroy()
  }

  #request(body: string): string {
    const { login, user, password } = this.#order
    const message = login === 'token' ? withToken(body, user, password) : body
    return `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(message)}\r\n${this.#authorization(user, password)}\r\n${message}`
  }

  #authorization(user: string, password: string): string {
    if (this.#nonce === '') return ''
    const nc = (++this.#count).toString(16).padStart(8, '0')
    const response = md5(`${md5(`${user}:onvifd:${password}`)}:${this.#nonce}:${nc}:bench:auth:${md5(`POST:${target}`)}`)
    return `Authorization: Digest username="${user}", realm="onvifd", nonce="${this.#nonce}", uri="${target}", response="${response}", algorithm=MD5, cnonce="bench", nc=${nc}, qop=auth\r\n`
  }

  #answer(): Promise<{ status: number; head: string }> {
    return new Promise((resolve, reject) => {
      let received: Buffer = Buffer.alloc(0)
      let end = -1
      let needed = Number.POSITIVE_INFINITY
      const onData = (piece: Buffer) => {
        received = received.length === 0 ? piece : Buffer.concat([received, piece])
        if (end < 0) {
          end = received.indexOf('\r\n\r\n')
          if (end < 0) return
          const length = /content-length: (\d+)/i.exec(received.toString('latin1', 0, end))
          needed = end + 4 + Number(length?.[1] ?? 0)
        }
        if (received.length < needed) return
        this.#socket.off('data', onData).off('error', reject)
        const head = received.toString('latin1', 0, end)
        resolve({ status: Number(head.slice(9, 12)), head })
      }
      this.#socket.on('data', onData).once('error', reject)
    })
  }
}

/** Timers are good to a millisecond, which is enough: a little early or late evens out over a round. */
async function until(time: number): Promise<void> {
  const wait = time - performance.now()
  if (wait > 0) await new Promise(resolve => setTimeout(resolve, wait))
}

async function load(order: LoadOrder): Promise<LoadResult> {
  const connections = Array.from({ length: order.connections }, (_, number) => new Connection(order, number))
  const began = performance.now()
  const times: number[] = []
  let failures = 0
  await Promise.all(
    connections.map(async (connection, number) => {
      for (let round = 0; performance.now() - began < order.milliseconds; round++) {
        if (order.rate !== undefined) await until(began + ((round * order.connections + number) / order.rate) * 1000)
        for (const body of order.undo === undefined ? [order.body] : [order.body, order.undo]) {
          const sent = performance.now()
          const status = await connection.exchange(body, round)
          times.push(performance.now() - sent)
          if (status !== 200) failures++
        }
      }
      connection.end()
    }),
  )
  const milliseconds = performance.now() - began
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  return { requests: times.length, failures, milliseconds, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

if (process.send) {
  process.on('message', (order: LoadOrder) => {
    void load(order).then(result => process.send?.(result))
  })
}
