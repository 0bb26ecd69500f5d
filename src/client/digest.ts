import { createHash, randomBytes } from 'node:crypto'

const algorithms = new Map([
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
])

export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  /** As offered, or undefined where the device named none and means MD5. */
  readonly algorithm: string | undefined
  /** False for RFC 2069, which some devices still speak. */
  readonly qop: boolean
  readonly stale: boolean
}

export interface DigestLogin {
  /** Authorization header for one request, or undefined while no challenge is known. */
  authorization(method: string, target: string): string | undefined
  /**
   * Takes the WWW-Authenticate lines of a 401. `retry`: a request with a new Authorization may succeed; `refused`: the device
   * has seen these credentials on a nonce of its own and does not want them; `unsupported`: no Digest that we can answer.
   */
  challenged(lines: readonly string[]): 'retry' | 'refused' | 'unsupported'
  /** Takes the Authentication-Info lines of an answer, which may carry the next nonce (RFC 7616 3.5). */
  answered(lines: readonly string[]): void
}

/** The client's side of HTTP Digest (RFC 7616): a nonce is kept and its requests are counted until the device gives another. */
export function createDigestLogin(user: string, password: string, makeCnonce = () => randomBytes(16).toString('base64url')): DigestLogin {
  let challenge: Challenge | undefined
  let count = 0

  return {
    authorization(method, target) {
      return challenge && answerChallenge({ challenge, user, password, method, target, count: ++count, cnonce: makeCnonce() })
    },

    challenged(lines) {
      const offered = strongest(lines)
      if (!offered) return 'unsupported'
      // A first answer to a nonce that is refused, and not because the nonce is old, was wrong.
      const refused = challenge !== undefined && count === 1 && !offered.stale
      challenge = offered
      count = 0
      return refused ? 'refused' : 'retry'
    },

    answered(lines) {
      const next = lines.map(line => parameters(line).get('nextnonce')).find(nonce => nonce !== undefined)
      if (!challenge || next === undefined) return
      challenge = { ...challenge, nonce: next }
      count = 0
    },
  }
}

interface Answer {
  readonly challenge: Challenge
  readonly user: string
  readonly password: string
  readonly method: string
  readonly target: string
  readonly count: number
  readonly cnonce: string
}

/** RFC 7616 3.4.1. */
export function answerChallenge({ challenge, user, password, method, target, count, cnonce }: Answer): string {
  const { realm, nonce, opaque, algorithm, qop } = challenge
  const hash = (text: string) =>
    createHash(algorithms.get(algorithm?.toUpperCase() ?? 'MD5') ?? 'md5')
      .update(text)
      .digest('hex')
  const nc = count.toString(16).padStart(8, '0')
  const secret = hash(`${user}:${realm}:${password}`)
  const action = hash(`${method}:${target}`)
  const response = hash(qop ? `${secret}:${nonce}:${nc}:${cnonce}:auth:${action}` : `${secret}:${nonce}:${action}`)
  const fields = [userField(user), `realm=${quoted(realm)}`, `nonce=${quoted(nonce)}`, `uri=${quoted(target)}`, `response="${response}"`]
  if (algorithm !== undefined) fields.push(`algorithm=${algorithm}`)
  if (opaque !== undefined) fields.push(`opaque=${quoted(opaque)}`)
  if (qop) fields.push('qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`)
  return `Digest ${fields.join(', ')}`
}

/** RFC 7616 3.4: a name beyond ASCII goes into `username*`. */
function userField(user: string): string {
  if (/^[\x20-\x7e]*$/.test(user)) return `username=${quoted(user)}`
  return `username*=UTF-8''${encodeURIComponent(user).replace(/['()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)}`
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** The strongest Digest challenge that we can answer. There may be one a line, or several in one (RFC 9110 11.6.1). */
export function strongest(lines: readonly string[]): Challenge | undefined {
  const challenges = lines.flatMap(digestChallenges)
  for (const name of algorithms.keys()) {
    const found = challenges.find(({ algorithm }) => (algorithm ?? 'MD5').toUpperCase() === name)
    if (found) return found
  }
  return undefined
}

function digestChallenges(line: string): Challenge[] {
  // A scheme is a word at the start or after a comma that another word, not `=`, follows.
  const starts = [...outsideQuotes(line).matchAll(/(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)(?=\s+[A-Za-z]|\s*$|\s*,)/g)]
  return starts.flatMap((start, index) => {
    if (start[1]?.toLowerCase() !== 'digest') return []
    const fields = parameters(line.slice(start.index + start[0].length, starts[index + 1]?.index))
    const [realm, nonce, qop] = [fields.get('realm'), fields.get('nonce'), fields.get('qop')]
    if (realm === undefined || nonce === undefined) return []
    if (qop !== undefined && !qop.split(',').some(option => option.trim().toLowerCase() === 'auth')) return []
    const stale = fields.get('stale')?.toLowerCase() === 'true'
    return [{ realm, nonce, opaque: fields.get('opaque'), algorithm: fields.get('algorithm'), qop: qop !== undefined, stale }]
  })
}

/** The same length, with quoted strings blanked, so that nothing inside of them looks like structure. */
function outsideQuotes(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"?/g, text => '"'.repeat(text.length))
}

/** `name=value` and `name="value"`, names in lower case; the first of a name counts. */
function parameters(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', inQuotes, bare] of text.matchAll(/(?<![\w*-])([A-Za-z][\w*-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/g)) {
    const key = name.toLowerCase()
    if (!found.has(key)) found.set(key, inQuotes?.replace(/\\(.)/g, '$1') ?? bare ?? '')
  }
  return found
}
