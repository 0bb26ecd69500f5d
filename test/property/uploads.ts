import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { OnvifFault } from '../../src/client/errors.ts'
import { targetOf } from '../../src/client/session.ts'
import { limits } from '../../src/limits.ts'
import type { Random } from '../support/random.ts'
import { damaged } from './damage.ts'
import { exchange, type FuzzBed, innards } from './fuzzBed.ts'

/** Nothing that is wrong with an upload may hold it up longer than silence does. */
const patienceMs = limits.uploadIdleTimeoutMs + limits.uploadCheckMs + 15_000

/** How the uploads ended, by status and reason. */
export type Verdicts = Map<string, number>

const asForm = (file: Buffer, boundary: string): Buffer =>
  Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n--${boundary}\r\n`),
    Buffer.from(`Content-Disposition: form-data; name="file"; filename="a.swu"\r\nContent-Type: application/octet-stream\r\n\r\n`),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])

const inChunks = (body: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])

function contentRange(random: Random, length: number): string {
  const number = () => random.pick([0, 1, length - 1, length, length + 1, random.whole(0, length), 2 ** 53, -1])
  return random.pick([
    `bytes ${number()}-${number()}/${number()}`,
    `bytes ${number()}-${number()}/*`,
    `bytes */${length}`,
    'items 0-1/2',
    `bytes 0-${length - 1}/${length}`,
  ])
}

/** The image within a request of an Administrator; what is wrong is the file, the form, the framing, or all of them. */
function request(random: Random, authorization: string, target: string, image: Buffer): Buffer {
  const file = random.pick([
    () => damaged(random, image),
    () => image.subarray(0, random.whole(0, image.length - 1)),
    // Nothing but the head and the description, which is where an image is judged.
    () => Buffer.concat([damaged(random, image.subarray(0, 2500)), image.subarray(2500)]),
    () => random.bytes(random.whole(0, 2000)),
  ])()
  const boundary = random.pick(['x', '----WebKitFormBoundary', '"', 'y'.repeat(70), ''])
  const isForm = random.fraction() < 0.25
  const form = isForm ? asForm(file, boundary) : file
  const body = isForm && random.fraction() < 0.5 ? damaged(random, form) : form
  const chunks = random.fraction() < 0.25
  const length = random.fraction() < 0.85 ? body.length : Math.max(0, body.length + random.whole(-50, 50))
  const headers = [
    'Host: x',
    'Connection: close',
    `Authorization: ${authorization}`,
    isForm
      ? `Content-Type: multipart/form-data; boundary=${boundary}`
      : random.pick(['Content-Type: application/octet-stream', 'X: y', 'Content-Type: multipart/mixed; boundary=x']),
    chunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`,
    ...(random.fraction() < 0.3 ? [`Content-Range: ${contentRange(random, body.length)}`] : []),
    ...(random.fraction() < 0.1 ? ['Expect: 100-continue'] : []),
  ]
  return Buffer.concat([
    Buffer.from(`POST ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`, 'latin1'),
    chunks ? inChunks(body) : body,
  ])
}

/** So many uploads to URIs that are good, each of something that is not, or of an image whose damage nobody can notice. */
export async function fuzzUploads({ client, port, image }: FuzzBed, random: Random, count: number): Promise<Verdicts> {
  const verdicts: Verdicts = new Map()
  for (let done = 0; done < count; done++) {
    const uri = new URL(await arm(client))
    const authorization = client.session.digestAt(uri)?.authorization('POST', targetOf(uri)) ?? ''
    const sent = request(random, authorization, targetOf(uri), image)
    const answer = await exchange(port, [sent], { patienceMs }).catch((error: unknown) => {
      throw new Error(`${String(error)} to ${JSON.stringify(sent.toString('latin1'))}`)
    })
    assert.doesNotMatch(answer, innards)
    const [, status = 'none', reason = ''] = /HTTP\/1\.1 (?!100)(\d+)[\s\S]*?\r\n\r\n(\w*)/.exec(answer) ?? []
    assert.notEqual(status, '500', answer)
    verdicts.set(`${status} ${reason}`, (verdicts.get(`${status} ${reason}`) ?? 0) + 1)
  }
  return verdicts
}

/** An image that was taken waits for its activation (`activate` is manual), and has to be given up first; any other upgrade ends by itself. */
async function arm({ url, session, call }: FuzzBed['client']): Promise<string> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      return (await call('StartFirmwareUpgrade', {})).UploadUri
    } catch (error) {
      if (!(error instanceof OnvifFault) || performance.now() > deadline) throw error
      if (/Installed/.test(error.message)) await abort(url, session)
      else await sleep(10)
    }
  }
}

async function abort(url: URL, session: FuzzBed['client']['session']): Promise<void> {
  const order = new URL('/onvif/firmware/abort', url)
  const authorization = session.digestAt(order)?.authorization('POST', targetOf(order)) ?? ''
  const answer = await fetch(order, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: '{}' })
  assert.equal(answer.status, 200, await answer.text())
}
