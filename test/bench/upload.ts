import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, cpSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { createDigestLogin } from '../../src/client/digest.ts'
import { connect } from '../../src/client/onvifClient.ts'
import { cpioHeader, cpioPadding } from '../../src/device/firmware/cpio.ts'
import {
  cpuSeconds,
  flag,
  folder,
  median,
  onvifd,
  optionOf,
  password,
  residentMiB,
  type Server,
  startOnvifd,
  startOther,
  user,
} from './bed.ts'
import type { LoopReport } from './loopWatch.ts'

const mib = Number(optionOf('mib') ?? (flag('quick') ? 128 : 1024))
const rounds = Number(optionOf('rounds') ?? (flag('quick') ? 3 : 5))

interface Upload {
  readonly seconds: number
  readonly cpu: number
  readonly peakMiB: number
}

interface OwnUpload extends Upload, LoopReport {
  /** Of GetSystemDateAndTime, asked meanwhile. */
  readonly latencies: readonly number[]
}

/** A device that has been started before and has its development CA; every round begins with a copy of it. */
async function makeDevice(): Promise<string> {
  const state = join(folder, 'device')
  await (await startOnvifd(state)).stop()
  return state
}

async function makeImage(state: string, name: string, mebibytes: number): Promise<string> {
  const [payload, image] = [join(folder, `${name}.img`), join(folder, `${name}.swu`)]
  const file = openSync(payload, 'w')
  const block = Buffer.alloc(1_048_576)
  for (let written = 0; written < mebibytes; written++) writeSync(file, randomFillSync(block))
  closeSync(file)
  await run(process.execPath, [onvifd, 'image', 'build', '--version', '2.0.0', '--payload', payload, '--state', state, '--out', image])
  rmSync(payload)
  // Or the disk would be busy with it while the first round is measured.
  const written = openSync(image, 'r')
  fsyncSync(written)
  closeSync(written)
  return image
}

async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', text => {
    output += text
  })
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${output}`)
  return output
}

/** Seconds by curl: it was written by others, is the same for all, and needs little CPU. The log-in is a matter of a millisecond. */
async function post(uri: string, image: string, login = ''): Promise<number> {
  const args = ['-s', '--config', '-', '-X', 'POST', '-T', image, '-H', 'Content-Type: application/octet-stream', '-o', '/dev/null']
  const output = await run('curl', [...(login ? ['--digest'] : []), ...args, '-w', '%{http_code} %{time_total}', uri], login)
  const [status, seconds] = output.split(' ')
  if (status !== '200') throw new Error(`the upload was answered with ${status}`)
  return Number(seconds)
}

async function toBaseline(image: string): Promise<Upload> {
  const file = join(folder, 'stored')
  const server = await startOther({ kind: 'upload', file })
  const before = cpuSeconds(server.pid)
  const seconds = await post(`http://127.0.0.1:${server.port}/`, image)
  const upload = { seconds, cpu: cpuSeconds(server.pid) - before, peakMiB: residentMiB(server.pid, 'VmHWM') }
  await server.stop()
  rmSync(file)
  return upload
}

async function toDevice(device: string, image: string): Promise<OwnUpload> {
  const state = join(folder, 'round')
  cpSync(device, state, { recursive: true })
  const server = await startOnvifd(state, { loopWatch: true })
  const uri = await uploadUri(server)
  const others = askMeanwhile(server.port)
  await others.first
  server.send('reset')
  const before = cpuSeconds(server.pid)
  const seconds = await post(uri, image, `user = "${user}:${password}"\n`)
  const cpu = cpuSeconds(server.pid) - before
  const latencies = others.stop()
  const loop = await loopReport(server)
  const upload = { seconds, cpu, peakMiB: residentMiB(server.pid, 'VmHWM'), latencies, ...loop }
  await server.stop()
  rmSync(state, { recursive: true })
  return upload
}

async function uploadUri({ port }: Server): Promise<string> {
  const client = connect(`http://127.0.0.1:${port}/onvif/device_service`, { user, password })
  return (await client.call('StartFirmwareUpgrade', {})).UploadUri
}

async function loopReport(server: Server): Promise<LoopReport> {
  const answer = server.answer()
  server.send('report')
  const report = await answer
  if (typeof report !== 'object' || report === null || !('lateMs' in report) || !('busyMs' in report)) throw new Error('no report')
  return { lateMs: Number(report.lateMs), busyMs: Number(report.busyMs) }
}

const question =
  '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'

/** 20 times a second on a connection of its own, whether the answer before has come or not. */
function askMeanwhile(port: number) {
  const agent = new Agent({ keepAlive: true })
  const latencies: number[] = []
  const first = Promise.withResolvers<void>()
  const ask = () => {
    const began = performance.now()
    const asked = request({ port, host: '127.0.0.1', path: '/onvif/device_service', method: 'POST', agent }, answer => {
      if (answer.statusCode !== 200) throw new Error(`answered with ${answer.statusCode}`)
      answer.resume().once('end', () => {
        latencies.push(performance.now() - began)
        first.resolve()
      })
    })
    // What is cut off at the end belongs to the reboot.
    asked.on('error', () => {})
    asked.end(question)
  }
  const timer = setInterval(ask, 50)
  return {
    first: first.promise,
    stop(): readonly number[] {
      clearInterval(timer)
      agent.destroy()
      // The first one loads and compiles.
      return latencies.slice(1)
    },
  }
}

const at = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

export async function benchUpload(): Promise<void> {
  const device = await makeDevice()
  await benchGarbage(device)
  console.log(
    `\nUpload of ${mib} MiB by curl, ${rounds} rounds in turn, each with new processes: the simplest server (pipe to a file, SHA-256, fsync) against the way to an activated slot (verified, written, synced, read back, recorded)`,
  )
  const image = await makeImage(device, 'image', mib)
  const [theirs, ours]: [Upload[], OwnUpload[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const [their, our] = [await toBaseline(image), await toDevice(device, image)]
    theirs.push(their)
    ours.push(our)
    console.log(
      `round ${round + 1}: ${their.seconds.toFixed(2)} s and ${our.seconds.toFixed(2)} s; ${their.cpu.toFixed(2)} and ${our.cpu.toFixed(2)} CPU s; peak ${their.peakMiB} and ${our.peakMiB} MiB; event loop late ${our.lateMs.toFixed(0)} ms, busy ${our.busyMs.toFixed(0)} ms; load ${loadavg()[0]?.toFixed(1)}`,
    )
  }
  rmSync(image)
  const ratios = theirs.map(({ seconds }, round) => seconds / (ours[round]?.seconds ?? Number.NaN))
  const speeds = (uploads: readonly Upload[]) => uploads.map(({ seconds }) => mib / seconds)
  const perGiB = (uploads: readonly Upload[]) => (median(uploads.map(({ cpu }) => cpu)) * 1024) / mib
  const latencies = ours.flatMap(({ latencies }) => latencies)
  console.log(
    [
      `speed           ${median(ratios).toFixed(2)} × theirs (best ${Math.max(...ratios).toFixed(2)}, worst ${Math.min(...ratios).toFixed(2)}); medians ${median(speeds(theirs)).toFixed(0)} and ${median(speeds(ours)).toFixed(0)} MiB/s`,
      `CPU per GiB     ${perGiB(theirs).toFixed(2)} and ${perGiB(ours).toFixed(2)} s`,
      `peak memory     ${Math.max(...theirs.map(({ peakMiB }) => peakMiB))} and ${Math.max(...ours.map(({ peakMiB }) => peakMiB))} MiB at the most`,
      `event loop      at the most ${Math.max(...ours.map(({ lateMs }) => lateMs)).toFixed(0)} ms late (median of rounds ${median(ours.map(({ lateMs }) => lateMs)).toFixed(0)}), busy at a stretch for ${Math.max(...ours.map(({ busyMs }) => busyMs)).toFixed(0)} ms`,
      `others served   GetSystemDateAndTime ${latencies.length} times: p50 ${at(latencies, 0.5).toFixed(1)}, p99 ${at(latencies, 0.99).toFixed(1)}, longest ${Math.max(...latencies).toFixed(1)} ms`,
    ].join('\n'),
  )
}

/** What is to be refused, and how fast: from the first byte of the body to the first byte of the answer. */
async function benchGarbage(device: string): Promise<void> {
  const good = readFileSync(await makeImage(device, 'small', 1))
  const noise = randomFillSync(Buffer.alloc(64 * 1_048_576))
  const files: ReadonlyMap<string, Buffer> = new Map([
    ['64 MiB of noise', noise],
    ['cpio with noise as description and signature, both as large as they may be', cpioOfNoise(noise)],
    ['an image with one bit of its signature turned', withWrongSignature(good)],
    ['an image with one bit of its payload turned', flipped(good, good.length - 4096)],
  ])
  console.log(
    '\nImages to refuse: ms from first byte to answer, and CPU ms, of a device that was just started; then the median of ten more',
  )
  for (const [name, body] of files) {
    const server = await startOnvifd(device, { log: 'error' })
    const refusals: { ms: number; cpu: number; text: string }[] = []
    for (let round = 0; round <= 10; round++) refusals.push(await refusalOf(server, body))
    const [first, ...more] = refusals
    await server.stop()
    const columns = [first?.ms, first?.cpu, median(more.map(({ ms }) => ms)), median(more.map(({ cpu }) => cpu))]
    console.log(`${name.padEnd(76)}${columns.map(value => value?.toFixed(0).padStart(6)).join('')}   ${first?.text.slice(0, 60)}`)
  }
}

function cpioOfNoise(noise: Buffer): Buffer {
  const entry = (name: string, sizeBytes: number) => [
    cpioHeader({ name, sizeBytes }, 0),
    noise.subarray(0, sizeBytes),
    Buffer.alloc(cpioPadding(sizeBytes)),
  ]
  return Buffer.concat([...entry('sw-description', 1_048_576), ...entry('sw-description.sig', 65_536), noise])
}

function flipped(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(offset) ^ 1, offset)
  return copy
}

/** The value of the signature stands at the end of its file (RFC 5652 5.3), behind which the next header begins. */
function withWrongSignature(image: Buffer): Buffer {
  const next = image.indexOf('07070', image.indexOf('sw-description.sig') + 19)
  let last = next - 1
  while (image.readUInt8(last) === 0) last--
  return flipped(image, last)
}

async function refusalOf(server: Server, body: Buffer): Promise<{ ms: number; cpu: number; text: string }> {
  const uri = new URL(await uploadUri(server))
  const login = createDigestLogin(user, password)
  login.challenged((await fetch(uri, { method: 'HEAD' })).headers.get('www-authenticate')?.split(/, (?=Digest)/) ?? [])
  const headers = {
    'Content-Length': body.length,
    Expect: '100-continue',
    Authorization: login.authorization('POST', uri.pathname) ?? '',
  }
  const posted = request(uri, { method: 'POST', headers, agent: false })
  posted.on('error', () => {})
  posted.flushHeaders()
  await once(posted, 'continue')
  const before = cpuSeconds(server.pid)
  const began = performance.now()
  posted.end(body)
  const [answer]: IncomingMessage[] = await once(posted, 'response')
  const ms = performance.now() - began
  const cpu = (cpuSeconds(server.pid) - before) * 1000
  let text = `${answer?.statusCode} `
  for await (const piece of answer ?? []) text += piece
  posted.destroy()
  if (answer?.statusCode !== 415) throw new Error(`answered with ${text}`)
  return { ms, cpu, text }
}
