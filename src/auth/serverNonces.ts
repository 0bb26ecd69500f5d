import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { limits } from '../limits.ts'
import type { Clock } from '../platform/platform.ts'

export interface ServerNonces {
  make(): string
  /** `stale`: too old, crowded out, or made before the last start. `foreign`: nothing that `make` could have given. */
  judge(nonce: string): 'good' | 'stale' | 'foreign'
  /** Marks one count of a good nonce as used; false where it was used before, or lies too far back to tell. Only for verified requests. */
  use(nonce: string, count: number): boolean
}

/** When a nonce was made, and which one it is of all, … */
interface Stamp {
  readonly madeMs: number
  readonly number: number
}

/** … and the counts seen with it: bit i of `seen` stands for `highest - i`. */
interface Uses extends Stamp {
  highest: number
  seen: number
}

const stampBytes = 11
const tagBytes = 16
const form = /^[A-Za-z0-9_-]{36}$/

/**
 * Nonces of RFC 7616 5.4 that prove by themselves who made them and when, so that a challenge costs no memory: only a request
 * with the right password puts its nonce into the table. 27 bytes: milliseconds (6), number (5), tag (16).
 */
export function createServerNonces(clock: Pick<Clock, 'monotonicMs'>): ServerNonces {
  /** SHA-256 over key and stamp is a sound MAC here, at a tenth of HMAC's price: the length is fixed and half of the result cut off. */
  const keyAndStamp = Buffer.concat([randomBytes(32), Buffer.alloc(stampBytes)])
  const stamp = keyAndStamp.subarray(32)
  const used = new Map<string, Uses>()
  let made = 0
  /** Nonces up to this number that are not in the table may have been in it. */
  let forgotten = -1

  const tag = () => hash('sha256', keyAndStamp, 'buffer').subarray(0, tagBytes)
  const isOld = ({ madeMs }: Stamp) => clock.monotonicMs() - madeMs > limits.nonceLifetimeMs

  /** Undefined if this process did not make it. */
  function stampOf(nonce: string): Stamp | undefined {
    const bytes = Buffer.from(nonce, 'base64url')
    bytes.copy(stamp, 0, 0, stampBytes)
    if (!timingSafeEqual(bytes.subarray(stampBytes), tag())) return undefined
    return { madeMs: bytes.readUIntBE(0, 6), number: bytes.readUIntBE(6, 5) }
  }

  function makeRoom(): void {
    for (const [nonce, uses] of used) {
      if (!isOld(uses)) {
        if (used.size < limits.noncesMax) return
        forgotten = Math.max(forgotten, uses.number)
      }
      used.delete(nonce)
    }
  }

  return {
    make() {
      stamp.writeUIntBE(Math.floor(clock.monotonicMs()), 0, 6)
      stamp.writeUIntBE(made++, 6, 5)
      return Buffer.concat([stamp, tag()]).toString('base64url')
    },

    judge(nonce) {
      const uses = used.get(nonce)
      if (uses) return isOld(uses) ? 'stale' : 'good'
      if (!form.test(nonce)) return 'foreign'
      const genuine = stampOf(nonce)
      return !genuine || genuine.number <= forgotten || isOld(genuine) ? 'stale' : 'good'
    },

    use(nonce, count) {
      const uses = used.get(nonce)
      if (!uses) {
        const genuine = stampOf(nonce)
        if (!genuine) return false
        makeRoom()
        // A copy: as a part of the header it would keep all of it in memory.
        used.set(Buffer.from(nonce, 'latin1').toString('latin1'), { ...genuine, highest: count, seen: 1 })
        return true
      }
      const ahead = count - uses.highest
      if (ahead > 0) {
        uses.seen = ahead < limits.nonceCountsMax ? ((uses.seen << ahead) | 1) >>> 0 : 1
        uses.highest = count
        return true
      }
      if (-ahead >= limits.nonceCountsMax) return false
      const bit = (1 << -ahead) >>> 0
      if ((uses.seen & bit) !== 0) return false
      uses.seen = (uses.seen | bit) >>> 0
      return true
    },
  }
}
