import { request } from 'node:https'
import { TLSSocket } from 'node:tls'
import type { PublishedKeys } from '../auth/configuredIssuers.ts'
import { type JwtKey, parseKeys } from '../auth/jwtIssuers.ts'
import { limits } from '../limits.ts'
import type { Clock, Log } from './platform.ts'

/** Which servers are believed. */
export interface ServerTrust {
  /** Certificates that a chain has to lead to. */
  readonly anchorsPem: readonly string[]
  /** What is wrong with a chain that leads there, the server's own certificate first; undefined where nothing is. */
  problemOf(chain: readonly Uint8Array[]): string | undefined
}

interface Parts {
  readonly clock: Clock
  readonly log: Log
  /** By a certification path validation policy. Without one, the CAs that everybody believes are those of Node. */
  readonly trustOf: (policyId: string) => ServerTrust
}

/** What one issuer published. */
interface Published {
  readonly name: string
  readonly keys: readonly JwtKey[]
  readonly atMs: number
}

interface Entry {
  published: Published | undefined
  triedMs: number
  running: Promise<void> | undefined
}

/**
 * The keys of issuers, by way of their metadata (RFC 8414 3.2). They are kept for a while, and asked for again when that is over
 * or a token names a key that is not among them. Tokens of unknown issuers make the device ask nobody.
 */
export function createPublishedKeys({ clock, log, trustOf }: Parts): PublishedKeys {
  const entries = new Map<string, Entry>()

  async function fetchInto(entry: Entry, metadata: string, trust: ServerTrust | undefined): Promise<void> {
    entry.triedMs = clock.monotonicMs()
    try {
      const { issuer, jwks_uri: address } = fieldsOf(JSON.parse(await get(metadata, trust, clock)))
      if (typeof issuer !== 'string' || typeof address !== 'string') throw new Error('the metadata name no issuer, or no keys')
      const keys = parseKeys(await get(address, trust, clock))
      entry.published = { name: issuer, keys, atMs: clock.monotonicMs() }
    } catch (error) {
      log.warn({ error, issuer: metadata }, 'the keys of an issuer of tokens cannot be had')
    } finally {
      entry.running = undefined
    }
  }

  return async ({ metadata, name, policyId, keyId }) => {
    const trust = policyId === undefined ? undefined : trustOf(policyId)
    // Under another policy it is another question.
    const question = JSON.stringify([metadata, trust?.anchorsPem])
    const entry: Entry = entries.get(question) ?? { published: undefined, triedMs: Number.NEGATIVE_INFINITY, running: undefined }
    entries.delete(question)
    entries.set(question, entry)
    const [oldest = ''] = entries.keys()
    if (entries.size > limits.jwtIssuersMax) entries.delete(oldest)

    const ageMs = () => clock.monotonicMs() - (entry.published?.atMs ?? Number.NEGATIVE_INFINITY)
    const isNamed = keyId === undefined || entry.published?.keys.some(({ id }) => id === undefined || id === keyId) === true
    const isDue = (ageMs() >= limits.jwtKeysFreshMs || !isNamed) && clock.monotonicMs() - entry.triedMs >= limits.jwtFetchPauseMs
    if (isDue) entry.running ??= fetchInto(entry, metadata, trust)
    await entry.running
    // RFC 8414 3.3: whoever says that he is somebody else is not believed.
    return entry.published?.name === name && ageMs() < limits.jwtKeysStaleMaxMs ? entry.published.keys : []
  }
}

/** What is published there. Redirections are not followed: what answers is what was named. */
function get(address: string, trust: ServerTrust | undefined, clock: Clock): Promise<string> {
  const url = URL.parse(address)
  if (url?.protocol !== 'https:') throw new Error('an issuer is asked by HTTPS alone')
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const options = {
    agent: false,
    headers: { accept: 'application/json' },
    ...(trust && { ca: [...trust.anchorsPem], allowPartialTrustChain: true }),
  }
  const asking = request(url, options, response => {
    const pieces: Buffer[] = []
    let bytes = 0
    const { socket, statusCode } = response
    const problem = trust && socket instanceof TLSSocket ? trust.problemOf(chainOf(socket)) : undefined
    if (problem !== undefined) asking.destroy(new Error(`the certificate of the server is not good: ${problem}`))
    else if (statusCode !== 200) asking.destroy(new Error(`the server answers ${statusCode}`))
    response.on('data', (piece: Buffer) => {
      bytes += piece.length
      pieces.push(piece)
      if (bytes > limits.jwtFileBytesMax) asking.destroy(new Error(`the answer is larger than ${limits.jwtFileBytesMax} bytes`))
    })
    response.on('error', reject)
    response.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')))
  })
  asking.on('error', reject).end()
  const callOff = clock.after(limits.jwtFetchTimeoutMs, () => asking.destroy(new Error('the server does not answer in time')))
  return promise.finally(callOff)
}

function chainOf(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let each = socket.getPeerX509Certificate()
  while (each && chain.length < limits.certificationPathLengthMax) {
    chain.push(each.raw)
    each = each.issuerCertificate
  }
  return chain
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('the metadata are no object')
  return { ...value }
}
