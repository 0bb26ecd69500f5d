import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { networkOf } from '../auth/guessing.ts'
import type { Bounds } from './reply.ts'
import { remoteAddressOf } from './request.ts'

/** Who comes from one address, or from one network of IPv6. */
interface Source {
  count: number
  /** Connections on which nothing was asked yet, the oldest first. */
  readonly fresh: Set<Socket>
}

export type Guests = ReturnType<typeof createGuests>

/**
 * How many connections the device has, on all of its ports, and who may have another one. A source may have `connectionShare` times
 * as many as are left for all: one alone gets three quarters, several get less each, and whoever comes first from somewhere else
 * always finds room (the dynamic thresholds of Choudhury and Hahne, by which switches share their memory). Where there is none at all,
 * the newcomer is lost, and `whenFull` sees to it that his second try is not.
 */
export function createGuests(bounds: Pick<Bounds, 'connectionsMax' | 'connectionShare' | 'descriptorShare'>, whenFull: () => void) {
  const sources = new Map<string, Source>()
  const max = Math.min(bounds.connectionsMax, Math.floor(descriptorsMax() * bounds.descriptorShare))
  let total = 0

  /** The newcomer takes the place of a connection of the same source on which nothing was ever asked. */
  function makeRoom({ fresh }: Source): boolean {
    for (const idle of fresh) {
      fresh.delete(idle)
      idle.destroy()
      return true
    }
    return false
  }

  return {
    /** False where it has to go. Otherwise it counts until it is closed. */
    admit(socket: Socket): boolean {
      const name = networkOf(remoteAddressOf({ socket }))
      const source: Source = sources.get(name) ?? { count: 0, fresh: new Set() }
      const left = max - total
      if (source.count >= bounds.connectionShare * left && !makeRoom(source)) {
        if (left <= 0) whenFull()
        return false
      }
      sources.set(name, source)
      total += 1
      source.count += 1
      source.fresh.add(socket)
      socket.once('close', () => {
        total -= 1
        source.count -= 1
        source.fresh.delete(socket)
        if (source.count === 0) sources.delete(name)
      })
      return true
    },

    /** Something was asked on it. */
    hasAsked(socket: Socket): void {
      sources.get(networkOf(remoteAddressOf({ socket })))?.fresh.delete(socket)
    },
  }
}

/** Files that the process may have open; where the system does not tell, it is not asked to keep any back. */
function descriptorsMax(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
