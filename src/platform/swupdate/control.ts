import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { limits } from '../../limits.ts'
import { BackendError } from '../platform.ts'
import {
  createProgressReader,
  type EngineProgress,
  hardwareRequest,
  installRequest,
  messageBytes,
  parseAnswer,
  parseHardware,
  parseStatus,
  type Selection,
  type Status,
  statusRequest,
} from './ipc.ts'

/** The sockets of one SWUpdate. Every request has a connection of its own. What does not answer is `lost`. */
export interface Control {
  /** Takes the next message from the queue of the engine: nobody else must ask while an installation runs. */
  status(signal?: AbortSignal): Promise<Status>
  hardware(signal?: AbortSignal): Promise<{ readonly name: string; readonly revision: string } | undefined>
  /**
   * Throws BackendError `busy` where the engine is. The signal breaks off, also later: the connection is closed, which the engine
   * takes for a failed installation. Until then it waits for the image, without end.
   */
  install(selection: Selection, signal: AbortSignal): Promise<ImageStream>
  /** Reports until the returned function is called; an engine that does not report is none the worse for it. */
  watch(report: (progress: EngineProgress) => void): () => void
}

/** The way of an image into the engine. */
export interface ImageStream {
  /**
   * Resolves when the engine has taken the bytes. It closes the connection when it has seen enough, also on success: that is no
   * error here, and what the installation came to says its status alone.
   */
  write(bytes: Uint8Array): Promise<void>
  /** That was the whole image. */
  end(): void
}

export function createControl(folder: string): Control {
  const path = join(folder, 'sockinstctrl')

  async function ask(request: Buffer, signal?: AbortSignal): Promise<{ socket: Socket; answer: Buffer }> {
    if (signal?.aborted) throw new BackendError('lost', 'SWUpdate is not asked any more', { cause: signal.reason })
    const socket = connect(path)
    socket.write(request)
    const answer = readMessage(socket)
    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    const giveUp = () => reject(new Error('given up'))
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      return { socket, answer: await Promise.race([answer, givenUp]) }
    } catch (cause) {
      leave(socket, answer)
      throw new BackendError('lost', 'SWUpdate does not answer', { cause })
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  async function once<T>(request: Buffer, parse: (answer: Buffer) => T, signal?: AbortSignal): Promise<T> {
    const { socket, answer } = await ask(request, signal)
    socket.destroy()
    return parse(answer)
  }

  return {
    status: signal => once(statusRequest(), answer => parseStatus(answer) ?? strange(), signal),

    hardware: signal => once(hardwareRequest(), answer => parseHardware(answer), signal),

    async install(selection, signal) {
      const { socket, answer } = await ask(installRequest(selection), signal)
      const verdict = parseAnswer(answer)
      if (verdict?.acknowledged) return imageStream(socket, signal)
      socket.destroy()
      if (verdict === undefined) return strange()
      if (/in progress/i.test(verdict.why)) throw new BackendError('busy', 'SWUpdate is installing something else')
      throw new BackendError('io', `SWUpdate does not take ${selection.set},${selection.mode}: ${verdict.why || 'no reason given'}`)
    },

    watch(report) {
      const socket = connect(join(folder, 'swupdateprog'))
      const read = createProgressReader()
      socket.on('data', piece => {
        for (const progress of read(piece)) report(progress)
      })
      socket.on('error', () => {})
      return () => socket.destroy()
    },
  }
}

/** Not before the answer: SWUpdate 2022.12 does not survive to tell it to somebody who has gone (SIGPIPE). */
function leave(socket: Socket, answer: Promise<unknown>): void {
  const hangUp = () => socket.destroy()
  socket.setTimeout(limits.engineStopTimeoutMs, hangUp).unref()
  answer.then(hangUp, hangUp)
}

function readMessage(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let length = 0
    const take = (piece: Buffer): void => {
      pieces.push(piece)
      length += piece.length
      if (length < messageBytes) return
      socket.removeAllListeners('close').removeListener('data', take)
      resolve(Buffer.concat(pieces))
    }
    socket.on('data', take)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
  })
}

function imageStream(socket: Socket, signal: AbortSignal): ImageStream {
  const close = () => socket.destroy()
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })
  // Nothing comes this way any more, and what is not read would keep the end from being noticed.
  socket.on('error', () => {}).resume()
  return {
    write: bytes =>
      new Promise((resolve, reject) => {
        if (signal.aborted) reject(new BackendError('aborted', 'the installation was broken off'))
        else if (socket.writable) socket.write(bytes, () => resolve())
        else resolve()
      }),
    end() {
      if (socket.writable) socket.end()
    },
  }
}

function strange(): never {
  throw new BackendError('io', 'what answers on the socket of SWUpdate is not SWUpdate')
}
