/**
 * The messages of SWUpdate's two Unix sockets, `sockinstctrl` and `swupdateprog`, as its C structures lie in memory on a 64-bit
 * little-endian machine (network_ipc.h and progress_ipc.h of 2022.12; the first is the same in all later releases).
 */

/** Every request and every answer on the control socket. */
export const messageBytes = 3_120
const magic = 0x1405_2001
const requestTypes = { install: 0, status: 3, hardware: 12 } as const
const acknowledged = 1
const refused = 2

/** RECOVERY_STATUS, in the order of its numbers. */
const states = ['IDLE', 'START', 'RUN', 'SUCCESS', 'FAILURE', 'DOWNLOAD', 'DONE', 'SUBPROCESS', 'PROGRESS'] as const
export type EngineState = (typeof states)[number]

/** Which of the alternatives of an image is wanted: `stable,copy-b`. */
export interface Selection {
  readonly set: string
  readonly mode: string
}

function request(type: keyof typeof requestTypes): Buffer {
  const message = Buffer.alloc(messageBytes)
  message.writeUInt32LE(magic, 0)
  message.writeInt32LE(requestTypes[type], 4)
  return message
}

export const statusRequest = (): Buffer => request('status')
export const hardwareRequest = (): Buffer => request('hardware')

/** When it is acknowledged, the image follows on the same connection. */
export function installRequest({ set, mode }: Selection): Buffer {
  const message = request('install')
  const [apiVersion, sourceLocal] = [1, 4]
  message.writeUInt32LE(apiVersion, 8)
  message.writeInt32LE(sourceLocal, 12)
  writeText(message, set, 544, 256)
  writeText(message, mode, 800, 256)
  return message
}

export type Answer = { readonly acknowledged: true } | { readonly acknowledged: false; readonly why: string }

/** Undefined where it is no message of SWUpdate. */
export function parseAnswer(message: Buffer): Answer | undefined {
  if (!isMessage(message)) return undefined
  const type = message.readInt32LE(4)
  if (type === acknowledged) return { acknowledged: true }
  return type === refused ? { acknowledged: false, why: readText(message, 8, 128) } : undefined
}

export interface Status {
  /** Of the message in `text`, or where there is none, of the engine now. */
  readonly state: EngineState
  /** How the last installation ended; while one is under way, the one before it. */
  readonly last: EngineState
  /** The next message of the queue that all askers share; empty where it is. */
  readonly text: string
}

export function parseStatus(message: Buffer): Status | undefined {
  if (!isMessage(message)) return undefined
  const [state, last] = [states[message.readUInt32LE(8)], states[message.readUInt32LE(12)]]
  return state && last && { state, last, text: readText(message, 20, 2_048) }
}

/** For which board the engine takes images. */
export function parseHardware(message: Buffer): { readonly name: string; readonly revision: string } | undefined {
  if (!parseAnswer(message)?.acknowledged) return undefined
  return { name: readText(message, 8, 256), revision: readText(message, 264, 256) }
}

export interface EngineProgress {
  readonly state: EngineState
  /** 0 to 100, of all steps. */
  readonly percent: number
}

/** Of 2022.12 with natural alignment; since API 2.0 packed, and the engine introduces itself with a version and `ACK`. */
const layouts = {
  aligned: { bytes: 2_416, steps: 24 },
  packed: { bytes: 2_408, steps: 20 },
} as const
const introductionBytes = 8

/** Takes the pieces of a progress connection, and gives the messages that they complete. */
export function createProgressReader(): (piece: Buffer) => readonly EngineProgress[] {
  let waiting: Buffer = Buffer.alloc(0)
  let layout: (typeof layouts)[keyof typeof layouts] | undefined
  return piece => {
    waiting = Buffer.concat([waiting, piece])
    if (layout === undefined) {
      if (waiting.length < introductionBytes) return []
      layout = waiting.toString('latin1', 4, 7) === 'ACK' ? layouts.packed : layouts.aligned
      if (layout === layouts.packed) waiting = waiting.subarray(introductionBytes)
    }
    const found: EngineProgress[] = []
    for (; waiting.length >= layout.bytes; waiting = waiting.subarray(layout.bytes)) {
      const progress = parseProgress(waiting, layout.steps)
      if (progress) found.push(progress)
    }
    return found
  }
}

/** The count of steps, the present one, beginning with 1, and its percentage stand behind each other. */
function parseProgress(message: Buffer, at: number): EngineProgress | undefined {
  const state = states[message.readUInt32LE(4)]
  const [steps, step, percent] = [message.readUInt32LE(at), message.readUInt32LE(at + 4), message.readUInt32LE(at + 8)]
  if (state === undefined) return undefined
  const done = steps === 0 ? 0 : (Math.max(0, step - 1) * 100 + Math.min(percent, 100)) / steps
  return { state, percent: Math.min(100, Math.floor(done)) }
}

const isMessage = (message: Buffer): boolean => message.length === messageBytes && message.readUInt32LE(0) === magic

/** A text of C: it ends with a NUL, or where its place ends. */
function readText(message: Buffer, offset: number, bytes: number): string {
  const place = message.subarray(offset, offset + bytes)
  const end = place.indexOf(0)
  return place.toString('utf8', 0, end === -1 ? bytes : end)
}

function writeText(message: Buffer, text: string, offset: number, bytes: number): void {
  if (Buffer.byteLength(text) >= bytes || text.includes('\0')) throw new Error(`"${text}" does not fit into a request to SWUpdate`)
  message.write(text, offset)
}
