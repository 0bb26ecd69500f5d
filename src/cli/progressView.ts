import { Presets, SingleBar } from 'cli-progress'
import type { UpgradeProgress } from '../client/upgradeFirmware.ts'
import { inWords } from './firmwareText.ts'
import { inBytes, inSeconds } from './text.ts'

export interface ProgressView {
  readonly show: (progress: UpgradeProgress) => void
  /** Leaves the terminal as it was; also after a failure. */
  readonly end: () => void
}

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean }

/** A bar on a terminal, plain lines into a file or a pipe. */
export function createProgressView(stream: Output): ProgressView {
  const meter = createMeter(stream)
  const say = (line: string) => {
    meter.end()
    stream.write(`${line}\n`)
  }
  return {
    show(progress) {
      if (progress.phase === 'upload') meter.update(progress.sentBytes, progress.totalBytes)
      else if (progress.phase === 'delay') say(`The device gets ready: ${inSeconds(progress.delayMs)}`)
      else if (progress.phase === 'resume') say(`The connection broke; going on after ${inBytes(progress.firstByte)}`)
      else if (progress.phase === 'follow') say(inWords(progress.report))
      else if (progress.phase === 'install') say('Sent; the device checks and installs the image')
      else say(`Accepted; the device restarts, which takes about ${inSeconds(progress.expectedMs)}`)
    },
    end: meter.end,
  }
}

export interface Meter {
  readonly update: (sentBytes: number, totalBytes: number) => void
  readonly end: () => void
}

/** How far an upload is. */
export const createMeter = (stream: Output): Meter => (stream.isTTY ? createBar(stream) : createLines(stream))

function createBar(stream: Output): Meter {
  const format = 'Upload {bar} {percentage}% | {sent} of {size} | {speed}/s | {left} left'
  const bar = new SingleBar({ format, stream, barsize: 25, hideCursor: false, forceRedraw: true }, Presets.shades_classic)
  let pace: Pace | undefined
  return {
    update(sentBytes, totalBytes) {
      if (sentBytes === 0 || !pace) {
        pace = createPace(sentBytes)
        bar.start(totalBytes, sentBytes, describe(sentBytes, totalBytes, pace))
      }
      bar.update(sentBytes, describe(sentBytes, totalBytes, pace))
    },
    end() {
      if (pace) bar.stop()
      pace = undefined
    },
  }
}

/** A line for each tenth. */
function createLines(stream: Output): Meter {
  let pace: Pace | undefined
  let tenths = -1
  return {
    update(sentBytes, totalBytes) {
      if (sentBytes === 0 || !pace) {
        pace = createPace(sentBytes)
        tenths = -1
      }
      const reached = Math.floor((sentBytes / totalBytes) * 10)
      if (reached === tenths) return
      tenths = reached
      const { sent, size, speed, left } = describe(sentBytes, totalBytes, pace)
      stream.write(
        sentBytes === 0 ? `Upload of ${size} begins\n` : `Upload ${reached * 10}%, ${sent} of ${size}, ${speed}/s, ${left} left\n`,
      )
    },
    end() {
      pace = undefined
    },
  }
}

function describe(sentBytes: number, totalBytes: number, pace: Pace) {
  const bytesPerSecond = pace(sentBytes)
  const left = bytesPerSecond > 0 ? inSeconds(((totalBytes - sentBytes) / bytesPerSecond) * 1000) : '…'
  return { sent: inBytes(sentBytes), size: inBytes(totalBytes), speed: inBytes(Math.round(bytesPerSecond)), left }
}

/** Takes the bytes sent so far and gives the speed of the last seconds in bytes a second: what a slower network still holds. */
type Pace = (sentBytes: number) => number

const windowMs = 5_000
const sampleMs = 100

function createPace(bytes: number, now = () => performance.now()): Pace {
  const samples = [{ at: now(), bytes }]
  return sentBytes => {
    const at = now()
    while (samples[1] && samples[1].at <= at - windowMs) samples.shift()
    const [oldest = { at, bytes: 0 }] = samples
    if (at - (samples.at(-1)?.at ?? 0) >= sampleMs) samples.push({ at, bytes: sentBytes })
    return at > oldest.at ? ((sentBytes - oldest.bytes) / (at - oldest.at)) * 1000 : 0
  }
}
