import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { messageBytes } from '../../../src/platform/swupdate/ipc.ts'

/** Numbers of RECOVERY_STATUS. */
export const engineStates = { idle: 0, start: 1, run: 2, success: 3, failure: 4 } as const

/** An SWUpdate that does what a test tells it, on the same sockets and with the same messages. */
export interface FakeDaemon {
  state: number
  last: number
  /** What GET_STATUS gives, one at a time, whoever asks. */
  readonly queue: { readonly state: number; readonly text: string }[]
  /** What it says to every question for the status, without end. */
  chatter: string
  /** What it says to a request to install; empty: it acknowledges. */
  refusal: string
  /** What it does with bytes of an image; `whole` when the sender has ended behind the end of the archive. */
  onImage: (image: Buffer, whole: boolean, socket: Socket) => void
  /** Questions for the status that were open at the same time, at the most, and the number of all. */
  readonly asked: { atOnce: number; times: number }
  /** Requests to install. */
  readonly installs: number
  /** As long as it hangs it answers nothing. */
  hangs: boolean
  /** The last image connection has been closed by the other side. */
  readonly left: Promise<void>
  progress(message: Buffer): void
  /** As if it were killed: connections break, the sockets stay there. */
  die(): void
}

export async function startFakeDaemon(t: TestContext, folder: string): Promise<FakeDaemon> {
  const sockets = new Set<Socket>()
  const watchers = new Set<Socket>()
  const asked = { atOnce: 0, times: 0 }
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  let [open, installs] = [0, 0]

  const fake = {
    state: engineStates.idle as number,
    last: engineStates.idle as number,
    queue: [] as { readonly state: number; readonly text: string }[],
    chatter: '',
    refusal: '',
    onImage: (() => {}) as FakeDaemon['onImage'],
    asked,
    get installs() {
      return installs
    },
    hangs: false,
    left,
    progress(message: Buffer) {
      for (const watcher of watchers) watcher.write(message)
    },
    die() {
      for (const server of servers) server.close()
      for (const socket of sockets) socket.destroy()
    },
  }

  function answer(type: number, fill: (message: Buffer) => void = () => {}): Buffer {
    const message = Buffer.alloc(messageBytes)
    message.writeUInt32LE(0x1405_2001, 0)
    message.writeInt32LE(type, 4)
    fill(message)
    return message
  }

  function status(socket: Socket): void {
    asked.times += 1
    open += 1
    asked.atOnce = Math.max(asked.atOnce, open)
    // Not at once, so that two who ask at the same time are seen.
    setImmediate(() => {
      open -= 1
      const next = fake.queue.shift()
      socket.write(
        answer(1, message => {
          message.writeInt32LE(next?.state ?? fake.state, 8)
          message.writeInt32LE(fake.last, 12)
          message.write(next?.text ?? fake.chatter, 20)
        }),
      )
    })
  }

  function install(socket: Socket, first: Buffer): void {
    if (fake.refusal !== '') {
      socket.write(answer(2, message => message.write(fake.refusal, 8)))
      return
    }
    installs += 1
    fake.queue.length = 0
    socket.write(answer(1))
    let image = first
    socket.on('data', piece => {
      image = Buffer.concat([image, piece])
      fake.onImage(image, false, socket)
    })
    socket.on('end', () => {
      leave()
      if (image.includes('TRAILER!!!')) fake.onImage(image, true, socket)
      // What SWUpdate makes of a sender that goes away in the middle.
      else Object.assign(fake, { state: engineStates.idle, last: engineStates.failure })
      socket.end()
    })
  }

  const control = createServer({ allowHalfOpen: true }, socket => {
    let request = Buffer.alloc(0)
    const read = (piece: Buffer): void => {
      request = Buffer.concat([request, piece])
      if (request.length < messageBytes || fake.hangs) return
      socket.off('data', read)
      const type = request.readInt32LE(4)
      if (type === 0) install(socket, request.subarray(messageBytes))
      else if (type === 3) status(socket)
      else socket.write(answer(1, message => message.write('onvifd-virtual', 8)))
    }
    socket.on('data', read)
    socket.on('end', () => {
      if (request.length < messageBytes || request.readInt32LE(4) !== 0) socket.end()
    })
  })
  const progress = createServer(socket => watchers.add(socket))
  const servers: readonly Server[] = [control, progress]
  for (const [server, name] of [
    [control, 'sockinstctrl'],
    [progress, 'swupdateprog'],
  ] as const) {
    server.on('connection', socket => {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(join(folder, name), resolve))
  }
  t.after(fake.die)
  return fake
}
