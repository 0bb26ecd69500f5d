import { admin } from '../support/daemon.ts'
import { envelope, type Login } from '../support/device.ts'
import { Violation } from './oracle.ts'

export interface Told {
  readonly status: number
  /** The challenges, where there are any, and the message. */
  readonly text: string
  readonly bytes: Buffer
  readonly contentType: string
}

/** A request by an address, in a connection of its own where nobody kept one. Rejects where the connection breaks. */
export async function tell(url: string, body: string, login: Login | 'nobody' = admin): Promise<Told> {
  const response = await fetch(url, {
    method: 'POST',
    body: envelope(body, login === 'nobody' ? undefined : login),
    signal: AbortSignal.timeout(20_000),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const contentType = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    text: `${response.headers.get('www-authenticate') ?? ''}\n${bytes.toString()}`,
    bytes,
    contentType,
  }
}

export const isFault = (text: string): boolean => /:Fault>/.test(text)

/** Like `tell`, where nothing else than a success will do. */
export async function must(url: string, body: string, login: Login = admin): Promise<string> {
  const { text } = await tell(url, body, login)
  if (isFault(text)) throw new Violation(`${body.slice(0, 200)} was answered with ${text.slice(0, 1000)}`)
  return text
}

/** Undefined where the device went away before it had answered. */
export async function tellOrLose(url: string, body: string): Promise<Told | undefined> {
  try {
    return await tell(url, body)
  } catch {
    return undefined
  }
}
