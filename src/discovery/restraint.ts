import { limits } from '../limits.ts'

/** How many answers may go where. Time is handed in, in milliseconds that only run forward. */
export class Restraint {
  readonly #sources = new Map<string, Bucket>()
  readonly #all: Bucket = { tokens: limits.discoveryAnswersBurstOfAll, atMs: 0 }
  /** Questions that were answered lately, the oldest first. */
  readonly #answered = new Map<string, number>()

  /**
   * Whether a question may be answered. SOAP over UDP sends a question several times, with one MessageID from one port: it is answered
   * once. Some programs send one and the same MessageID for ever, so it is forgotten after `limits.discoveryRepeatMs`, and means
   * nothing from another port.
   */
  allows(source: { readonly address: string; readonly port: number }, messageId: string, nowMs: number): boolean {
    const key = `${source.address} ${source.port} ${messageId}`
    for (const [old, atMs] of this.#answered) {
      if (nowMs - atMs < limits.discoveryRepeatMs && this.#answered.size < limits.discoveryRepeatsMax) break
      this.#answered.delete(old)
    }
    if (this.#answered.has(key)) return false
    const own = this.#bucketOf(source.address, nowMs)
    refill(own, nowMs, limits.discoveryAnswersBurst, limits.discoveryAnswersPerSecond)
    refill(this.#all, nowMs, limits.discoveryAnswersBurstOfAll, limits.discoveryAnswersPerSecondOfAll)
    if (own.tokens < 1 || this.#all.tokens < 1) return false
    own.tokens--
    this.#all.tokens--
    this.#answered.set(key, nowMs)
    return true
  }

  #bucketOf(address: string, nowMs: number): Bucket {
    const bucket = this.#sources.get(address) ?? { tokens: limits.discoveryAnswersBurst, atMs: nowMs }
    this.#sources.delete(address)
    this.#sources.set(address, bucket)
    const [quietest] = this.#sources.keys()
    if (this.#sources.size > limits.discoverySourcesMax && quietest !== undefined) this.#sources.delete(quietest)
    return bucket
  }
}

interface Bucket {
  tokens: number
  atMs: number
}

function refill(bucket: Bucket, nowMs: number, burst: number, perSecond: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond)
  bucket.atMs = nowMs
}
