import { answerTo } from '../quirks/httpDigest.ts'
import { admin } from '../support/daemon.ts'
import { envelope, type Login } from '../support/device.ts'

export interface Reply {
  readonly status: number
  readonly text: string
  /** Status, headers and body: all that a client gets to see. */
  readonly all: string
  readonly challenges: readonly string[]
}

export async function post(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  const head = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  const challenges = (response.headers.get('www-authenticate') ?? '').split(/, (?=Digest )/).filter(line => line !== '')
  return { status: response.status, text, all: `${response.status}\n${head}\n${text}`, challenges }
}

/** One request, logged in by a token or by answering the challenge that it gets. */
export async function ask(url: string, body: string, by: 'token' | 'HTTP Digest' = 'HTTP Digest', login: Login = admin): Promise<Reply> {
  if (by === 'token') return post(url, envelope(body, login))
  const { challenges } = await post(url, envelope(body))
  return post(url, envelope(body), { authorization: authorizationFor(challenges[0] ?? '', login) })
}

export const authorizationFor = (challenge: string, login: Login, uri = '/onvif/device_service', count = 1): string =>
  answerTo(challenge, { login, uri, count }).replace(/^Authorization: /i, '')
