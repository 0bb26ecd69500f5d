import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { OnvifClient } from '../../src/client/onvifClient.ts'
import { targetOf } from '../../src/client/session.ts'

export interface PostingAnswer {
  readonly status: number
  /** The reason code, or `ok`. */
  readonly reason: string
  readonly transaction: string | undefined
}

/** A POST to an upload URI whose body the test feeds, breaks off, or lets wait. */
export interface Posting {
  /** Resolves when the bytes have left this process, or nobody wants them any more. */
  write(bytes: Uint8Array): Promise<void>
  end(): void
  /** Resets the connection. */
  cut(): void
  /** Rejects where the connection breaks without one. */
  readonly answer: Promise<PostingAnswer>
}

/** `client` has logged in by Digest before, as it does for StartFirmwareUpgrade. Without a length the body is chunked. */
export function openPosting(client: OnvifClient, uri: string, lengthBytes?: number): Posting {
  const url = new URL(uri)
  const post = request(url, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/octet-stream',
      authorization: client.session.digestAt(url)?.authorization('POST', targetOf(url)) ?? '',
      ...(lengthBytes !== undefined && { 'content-length': String(lengthBytes) }),
    },
  })
  const closed = once(post, 'close')
  const answer = new Promise<PostingAnswer>((resolve, reject) => {
    post.once('response', response => readAnswer(response).then(resolve, reject))
    post.on('error', reject)
  })
  // A test that breaks the connection does not ask for the answer.
  answer.catch(() => {})
  const over = Promise.race([closed, answer]).catch(() => {})
  return {
    answer,
    async write(bytes) {
      if (post.destroyed) return
      await Promise.race([new Promise<void>(resolve => post.write(bytes, () => resolve())), over])
    },
    end: () => void post.end(),
    cut: () => void (post.socket?.resetAndDestroy() ?? post.destroy()),
  }
}

async function readAnswer(response: IncomingMessage): Promise<PostingAnswer> {
  let text = ''
  for await (const piece of response.setEncoding('utf8')) text += piece
  const transaction = response.headers['x-onvifd-transaction']
  return {
    status: response.statusCode ?? 0,
    reason: text.split(' ', 1)[0] ?? '',
    transaction: typeof transaction === 'string' ? transaction : undefined,
  }
}

/** Sends all of it. */
export async function post(client: OnvifClient, uri: string, body: Buffer): Promise<PostingAnswer> {
  const posting = openPosting(client, uri, body.length)
  void posting.write(body).then(posting.end)
  return posting.answer
}
