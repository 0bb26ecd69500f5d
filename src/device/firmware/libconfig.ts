import { limits } from '../../limits.ts'

/**
 * Reads the syntax of libconfig 1.7 (its manual, chapter 5), in which Yocto writes `sw-description`: groups become objects,
 * arrays and lists become arrays. Throws where the text is something else, or deeper or longer than the limits.
 * `@include` is no part of it: SWUpdate does not allow it either.
 */
export function parseLibconfig(text: string): unknown {
  const reader = createReader(text)
  let values = 0

  function value(depth: number): unknown {
    values += 1
    if (values > limits.libconfigValuesMax) throw reader.wrong('too many settings')
    if (depth > limits.libconfigDepthMax) throw reader.wrong('nested too deep')
    if (reader.skip('{')) return settings('}', depth)
    if (reader.skip('[')) return elements(']', depth)
    if (reader.skip('(')) return elements(')', depth)
    return reader.scalar()
  }

  /** `name = value;` as often as there are. Between two of them there may be a semicolon, a comma or nothing. */
  function settings(end: string, depth: number): unknown {
    const group = new Map<string, unknown>()
    while (!reader.skip(end)) {
      const name = reader.take(/[A-Za-z*][-A-Za-z0-9_*]*/y)
      if (name === undefined) throw reader.wrong('no setting')
      if (group.has(name)) throw reader.wrong(`"${name}" is set twice`)
      if (!reader.skip('=') && !reader.skip(':')) throw reader.wrong(`no value for "${name}"`)
      group.set(name, value(depth + 1))
      if (!reader.skip(';')) reader.skip(',')
    }
    return Object.fromEntries(group)
  }

  function elements(end: string, depth: number): unknown {
    const list: unknown[] = []
    while (!reader.skip(end)) {
      list.push(value(depth + 1))
      // One comma behind the last element is allowed.
      if (reader.skip(',')) continue
      if (!reader.skip(end)) throw reader.wrong(`no "${end}"`)
      break
    }
    return list
  }

  return settings('', 0)
}

/** What may stand between two words. */
const gap = /(?:\s+|#[^\n]*|\/\/[^\n]*|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)*/y
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', a: '\x07', b: '\b' }

/** Takes words from the front of a text. What is taken is never looked at twice. */
function createReader(text: string) {
  let at = 0

  function take(pattern: RegExp): string | undefined {
    skipGap()
    return match(pattern)
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    const [word] = pattern.exec(text) ?? []
    at += word?.length ?? 0
    return word
  }

  function skipGap(): void {
    match(gap)
  }

  /** Whether `mark` comes next, which is passed over then; an empty one stands for the end of the text. */
  function skip(mark: string): boolean {
    skipGap()
    if (mark === '') return at === text.length
    if (!text.startsWith(mark, at)) return false
    at += mark.length
    return true
  }

  function scalar(): string | number | boolean {
    const quoted = take(/"(?:[^"\\]|\\[\s\S])*"/y)
    if (quoted !== undefined) return strings(quoted)
    const word = take(/[-+.0-9A-Za-z]+/y) ?? ''
    if (/^(true|false)$/i.test(word)) return word.toLowerCase() === 'true'
    const digits = word.replace(/L{1,2}$/, '')
    // Number() reads hexadecimal and binary digits as libconfig writes them.
    const number = /^([-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|0x[0-9a-f]+|0b[01]+)$/i.test(digits) ? Number(digits) : Number.NaN
    if (!Number.isFinite(number)) throw wrong('no value')
    return number
  }

  /** Strings that stand side by side are one. */
  function strings(first: string): string {
    const parts = [first]
    for (let next = take(/"(?:[^"\\]|\\[\s\S])*"/y); next !== undefined; next = take(/"(?:[^"\\]|\\[\s\S])*"/y)) parts.push(next)
    return parts
      .map(part =>
        part
          .slice(1, -1)
          .replaceAll(/\\(?:x([0-9A-Fa-f]{2})|([\s\S]))/g, (_, code: string | undefined, mark = '') =>
            code === undefined ? (escapes[mark] ?? mark) : String.fromCharCode(Number.parseInt(code, 16)),
          ),
      )
      .join('')
  }

  const wrong = (why: string): Error => new Error(`${why} in line ${text.slice(0, at).split('\n').length}`)

  return { take, skip, scalar, wrong }
}
