import assert from 'node:assert/strict'
import { UploadRefusal } from '../../../src/device/upload.ts'
import { testClock } from '../../auth/support.ts'
import { SimulatedStorage } from '../../fault/simulatedStorage.ts'
import { start } from './workbench.ts'

/** A device that has started, on a disk and a clock that the test owns. */
export async function device(options: Parameters<typeof start>[2] = {}) {
  const storage = new SimulatedStorage()
  const clock = testClock()
  const started = await start(storage, clock, options)
  await started.firmware.resume(async () => {})
  return { storage, clock, ...started }
}

export const refusedWith = (status: number, reason: string) => (error: unknown) => {
  assert.ok(error instanceof UploadRefusal, String(error))
  assert.deepEqual([error.status, error.reason], [status, reason], error.message)
  return true
}

/** A body that the test writes to, piece by piece. */
export function pipe() {
  const waiting: Buffer[] = []
  let ring = () => {}
  let end: 'open' | 'closed' | 'broken' = 'open'
  return {
    write(bytes: Buffer) {
      waiting.push(bytes)
      ring()
    },
    close(how: 'closed' | 'broken') {
      end = how
      ring()
    },
    async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
      for (;;) {
        const piece = waiting.shift()
        if (piece) yield piece
        else if (end === 'broken') throw new Error('aborted')
        else if (end === 'closed') return
        else await new Promise<void>(resolve => (ring = resolve))
      }
    },
  }
}

/** Until everything that needs no time has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
}
