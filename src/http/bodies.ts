import type { Socket } from 'node:net'
import { networkOf } from '../auth/guessing.ts'
import type { Bounds } from './reply.ts'
import { remoteAddressOf } from './request.ts'

/** What one request has in memory. */
export interface Room {
  /** Makes it as large as this; false where that is more than is left for its source. */
  fits(bytes: number): boolean
  /** It is answered, or its sender is known. May be called again. */
  leave(): void
}

export type Bodies = ReturnType<typeof createBodies>

/**
 * The bodies of requests whose senders nobody knows yet, all together. Small ones always fit: they are as good as answered when they
 * are here, and no crowd of large ones keeps them out. The others share `bodiesBytesMax` as connections share theirs (guests.ts): a
 * source may have `connectionShare` times as much as is left, so that whoever comes first from somewhere else finds room.
 */
export function createBodies({
  bodiesBytesMax,
  bodyFreeBytes,
  connectionShare,
}: Pick<Bounds, 'bodiesBytesMax' | 'bodyFreeBytes' | 'connectionShare'>) {
  const sources = new Map<string, number>()
  let total = 0

  function change(source: string, by: number): void {
    total += by
    const left = (sources.get(source) ?? 0) + by
    if (left > 0) sources.set(source, left)
    else sources.delete(source)
  }

  return {
    /** Counts from the first byte that does not fit into what is free. */
    enter(socket: Socket): Room {
      let source: string | undefined
      let taken = 0
      let isOver = false
      return {
        fits(bytes) {
          if (isOver || bytes <= bodyFreeBytes) return true
          source ??= networkOf(remoteAddressOf({ socket }))
          const more = bytes - taken
          const left = bodiesBytesMax - total - more
          if ((sources.get(source) ?? 0) + more > connectionShare * left) return false
          taken = bytes
          change(source, more)
          return true
        },
        leave() {
          isOver = true
          if (source !== undefined && taken > 0) change(source, -taken)
          taken = 0
        },
      }
    },
  }
}
