import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../limits.ts'
import { ClientError } from './errors.ts'
import { exchange } from './exchange.ts'
import { targetOf } from './session.ts'
import { type UploadAnswer, type UploadOptions, type UploadSource, upload } from './upload.ts'

export interface ResumingOptions extends Omit<UploadOptions, 'firstByte'> {
  /** The connection broke, and the upload is about to go on from this byte. */
  readonly onResume: (firstByte: number) => void
}

/** How one connection ended. After a break: what to tell where it does not go on. */
type Ending = { readonly answer: UploadAnswer } | { readonly brokenBy: ClientError }

/**
 * Like `upload`; where the connection breaks, asks the device by HEAD how much it has, and goes on from there. A device that does
 * not know the question never sees more than that one: many break a connection because they refuse the image. Throws ClientError.
 */
export async function uploadResuming(url: URL, source: UploadSource, options: ResumingOptions): Promise<UploadAnswer> {
  let ending = await uploadFrom(0, url, source, options)
  for (let resumes = 0; resumes < limits.clientResumesMax && isBroken(ending); resumes++) {
    const next = await goOn(url, source, options, 'answer' in ending)
    if (next === 'restarting') return { http: undefined, wasAway: true }
    if (!next) break
    ending = next
  }
  if ('answer' in ending) return ending.answer
  throw ending.brokenBy
}

/** A connection that ends after the last byte, without an answer, may have lost bytes that our side had already let go of. */
const isBroken = (ending: Ending): boolean => 'brokenBy' in ending || ending.answer.http === undefined

async function uploadFrom(firstByte: number, url: URL, source: UploadSource, options: UploadOptions, goesOn = false): Promise<Ending> {
  let sent = firstByte
  const onSent = (bytes: number) => {
    sent = bytes
    options.onSent(bytes)
  }
  try {
    return { answer: await upload(url, source, { ...options, onSent, firstByte }) }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    // When all has left, silence is the device's at work.
    const isBreak = error.kind === 'closed' || (error.kind === 'timeout' && sent < source.sizeBytes) || goesOn
    if (!isBreak) throw error
    return { brokenBy: error }
  }
}

/** The next part, once the device has noticed that the last one broke; undefined where it does not say where to go on. */
async function goOn(
  url: URL,
  source: UploadSource,
  options: ResumingOptions,
  wasSent: boolean,
): Promise<Ending | 'restarting' | undefined> {
  const { signal } = options
  const brokeMs = performance.now()
  for (;;) {
    const found = await askOffset(url, options)
    if (found === 'unknown') return undefined
    if (typeof found === 'number') {
      if (found >= source.sizeBytes) return undefined
      let goesOn = false
      const onSent = (bytes: number) => {
        if (!goesOn) options.onResume(found)
        goesOn = true
        options.onSent(bytes)
      }
      const ending = await uploadFrom(found, url, source, { ...options, onSent }, true)
      if (!isTooEarly(ending)) return ending
    }
    // A device that has all of it may go away, which others wait for.
    if (found === 'away' && wasSent) return 'restarting'
    const patienceMs = found === 'away' ? limits.clientResumeAwayMs : limits.clientResumeBusyMs
    if (performance.now() - brokeMs > patienceMs) return undefined
    await sleep(limits.clientResumePauseMs, undefined, { signal })
  }
}

/** 409: the device still waits for the old connection. 416: it has taken more from it since it was asked. */
const isTooEarly = (ending: Ending): boolean => 'answer' in ending && [409, 416].includes(ending.answer.http?.status ?? 0)

/** `busy`: not yet; `away`: nobody is there; `unknown`: this device does not say. */
async function askOffset(url: URL, { connections, digest, signal }: ResumingOptions): Promise<number | 'busy' | 'away' | 'unknown'> {
  for (let attempt = 1; ; attempt++) {
    const authorization = digest?.authorization('HEAD', targetOf(url))
    try {
      const { status, headers } = await exchange({
        url,
        method: 'HEAD',
        headers: authorization === undefined ? {} : { authorization },
        connections,
        timeoutMs: limits.clientPollTimeoutMs,
        answerBytesMax: limits.clientAnswerBytesMax,
        signal,
      })
      const offset = headers['upload-offset']?.[0] ?? ''
      if (status === 200 && /^\d{1,15}$/.test(offset)) return Number(offset)
      if (status === 409 && headers['x-onvifd-transaction']) return 'busy'
      if (status !== 401 || attempt === limits.clientLoginAttemptsMax) return 'unknown'
      if (digest?.challenged(headers['www-authenticate'] ?? []) !== 'retry') return 'unknown'
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      return ['unreachable', 'closed', 'timeout'].includes(error.kind) ? 'away' : 'unknown'
    }
  }
}
