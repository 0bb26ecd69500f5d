import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Bounds } from './reply.ts'

/** A connection on which an answer is, or was, held back. */
interface Line {
  /** Of the answers that are not out yet: a client may send several requests before it reads. */
  readonly open: Set<AbortController>
  /** Answers held back on it now. */
  held: number
  isDead: boolean
}

const lines = new WeakMap<Socket, Line>()
const held = new Set<Socket>()

/**
 * Somebody holds an answer back for as long as he likes, until `release`. Meanwhile silence is ours, not the client's, and ends
 * nothing; a client that has vanished without a word is found by TCP keep-alive. The signal is aborted when the client is gone before
 * the answer is out; what becomes of the connection later is no news about this answer. The end of the client's half of the connection
 * counts as his end: nobody can tell them apart, and what he was to be told keeps.
 */
export function hold(socket: Socket, response: ServerResponse, { keepAliveMs }: Bounds): AbortSignal {
  const line = lines.get(socket) ?? newLine(socket, keepAliveMs)
  const gone = new AbortController()
  line.held += 1
  if (line.isDead) gone.abort()
  else {
    held.add(socket)
    line.open.add(gone)
    response.once('finish', () => line.open.delete(gone))
  }
  socket.setTimeout(0)
  return gone.signal
}

/** The answer is about to go out: from here on it is for the client to take it. */
export function release(socket: Socket, { silenceTimeoutMs }: Bounds): void {
  const line = lines.get(socket)
  if (!line) return
  line.held -= 1
  if (line.held > 0) return
  held.delete(socket)
  socket.setTimeout(silenceTimeoutMs)
}

/**
 * What takes long by its nature and has bounds of its own, an upload, ends no sooner because its port is given up; silence while the
 * device works is ours.
 */
export function occupy(socket: Socket): void {
  held.add(socket)
  socket.setTimeout(0)
}

export function vacate(socket: Socket, { silenceTimeoutMs }: Bounds): void {
  if (!lines.get(socket)?.held) held.delete(socket)
  socket.setTimeout(silenceTimeoutMs)
}

/** The connections on which an answer is held back now, or an upload runs. */
export const heldConnections = (): Iterable<Socket> => held

/** What is listened for is listened for once for each connection, because clients ask on and on. */
function newLine(socket: Socket, keepAliveMs: number): Line {
  const line: Line = { open: new Set(), held: 0, isDead: false }
  const hangUp = () => {
    line.isDead = true
    held.delete(socket)
    for (const gone of line.open) gone.abort()
    line.open.clear()
  }
  socket.once('end', hangUp).once('close', hangUp)
  if (socket.destroyed || socket.readableEnded) hangUp()
  else socket.setKeepAlive(true, keepAliveMs)
  lines.set(socket, line)
  return line
}
