import { connect, type Socket } from 'node:net'

/** Clients that want a device for themselves, as far as connections go. */
export type Kind = 'slow head' | 'slow body' | 'idle' | 'stalled upload' | 'endless upload'

export interface Order {
  readonly port: number
  readonly counts: Readonly<Record<Kind, number>>
  /** How often the slow ones send a byte, and the endless ones a piece. */
  readonly everyMs: number
  readonly uploadPath: string
  /** Addresses of the loopback from which they come, in turn. */
  readonly sources: readonly string[]
}

export interface Tally {
  /** Connections that were taken, and what became of them. */
  taken: number
  refused: number
  /** How long the last one of those lasted that the device ended, in milliseconds. */
  longestMs: number
  open: number
}

const service = '/onvif/device_service'
const head = (path: string, length: number) => `POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Length: ${length}\r\n\r\n`

/** What each kind says at first, and then again and again. */
const ways: Readonly<Record<Kind, (uploadPath: string) => { readonly first: string; readonly again: string | Buffer | undefined }>> = {
  'slow head': () => ({ first: `POST ${service} HTTP/1.1\r\nX-A: `, again: 'a' }),
  'slow body': () => ({ first: head(service, 1_000_000), again: ' ' }),
  idle: () => ({ first: '', again: undefined }),
  'stalled upload': path => ({ first: `${head(path, 100_000_000)}070701`, again: undefined }),
  'endless upload': path => ({ first: head(path, 4_000_000_000), again: Buffer.alloc(16_384) }),
}

/** The idle ones first: they are those that make room for others of their source. */
export const kinds = ['idle', 'slow head', 'slow body', 'stalled upload', 'endless upload'] as const

/** Begins all of them within half a second. They never end by themselves, and never read more than they have to. */
export function createCrowd({ port, counts, everyMs, uploadPath, sources }: Order) {
  const tallies = new Map<Kind, Tally>(kinds.map(kind => [kind, { taken: 0, refused: 0, longestMs: 0, open: 0 }]))
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let number = 0

  function come(kind: Kind, tally: Tally): void {
    const { first, again } = ways[kind](uploadPath)
    const localAddress = sources[number++ % sources.length]
    const socket = connect({ port, host: '127.0.0.1', ...(localAddress !== undefined && { localAddress }) })
    sockets.add(socket)
    let began = 0
    let drip: NodeJS.Timeout | undefined
    socket.on('error', () => {})
    socket.once('connect', () => {
      began = performance.now()
      tally.taken += 1
      tally.open += 1
      if (first !== '') socket.write(first)
      if (again === undefined) return
      drip = setInterval(() => {
        if (socket.writableLength < 65_536) socket.write(again)
      }, everyMs)
      timers.add(drip)
    })
    socket.once('close', () => {
      clearInterval(drip)
      sockets.delete(socket)
      if (began === 0) {
        tally.refused += 1
        return
      }
      tally.open -= 1
      tally.longestMs = Math.max(tally.longestMs, performance.now() - began)
    })
    // The device has ended its half: whoever answers that with his own is gone.
    socket.resume()
  }

  // In waves: where the queue of the listener overflows, the kernel leaves connections that only their client has.
  const waiting = kinds.flatMap(kind => Array.from({ length: counts[kind] }, () => kind))
  const wave = setInterval(() => {
    for (const kind of waiting.splice(0, 100)) {
      const tally = tallies.get(kind)
      if (tally) come(kind, tally)
    }
    if (waiting.length === 0) clearInterval(wave)
  }, 20)
  timers.add(wave)

  return {
    tallies,
    open: (): number => waiting.length + sockets.size,
    end(): void {
      for (const timer of timers) clearInterval(timer)
      for (const socket of sockets) socket.destroy()
    },
  }
}
