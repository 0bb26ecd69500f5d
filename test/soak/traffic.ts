import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { watchEvents } from '../../src/client/events.ts'
import { connect, type OnvifClient } from '../../src/client/onvifClient.ts'
import { freePort } from '../discovery/bed.ts'
import { probe } from '../discovery/questions.ts'
import { damaged } from '../property/damage.ts'
import { exchange } from '../property/fuzzBed.ts'
import { hostileRequest } from '../property/wire.ts'
import { admin } from '../support/daemon.ts'
import { openPosting, post } from '../support/posting.ts'
import { type Random, seeded } from '../support/random.ts'
import { isFault, must, tell } from './asking.ts'
import { createImageMaker } from './images.ts'
import { Violation } from './oracle.ts'
import { areas, beginning, draw, read, type Settings, shown, toBegin } from './settings.ts'

export interface TrafficOptions {
  readonly seed: number
  readonly minutes: number
  readonly onProgress?: (summary: TrafficSummary) => void
  readonly signal?: AbortSignal
}

export const kinds = ['read', 'write', 'upload', 'discovery'] as const

export interface TrafficSummary {
  seconds: number
  /** Milliseconds of every answer, by what was asked. */
  readonly latencies: Readonly<Record<(typeof kinds)[number], number[]>>
  hostile: number
  events: number
  reboots: number
  upgrades: number
  /** Sound questions of discovery without an answer: datagrams may be lost. */
  unheard: number
  /** Of the process, every two seconds: MiB in memory, by seconds since the beginning. */
  readonly memory: (readonly [seconds: number, mib: number])[]
  /** At the beginning, and when everybody has gone again. */
  descriptors: readonly [before: number, after: number]
}

/** Where hostile requests come from, so that a pause for guessed passwords meets nobody else. */
const hostileAddress = '127.0.0.66'
const hostileShare = 0.1
/** Between one reboot and the next. */
const upSeconds = 12
/** A device that is down for longer than this has not come back. */
const downSecondsMax = 20

const readers: readonly [string, ...string[]] = [
  '<tds:GetUsers/>',
  '<tds:GetScopes/>',
  '<tds:GetDeviceInformation/>',
  '<tds:GetNetworkInterfaces/>',
  '<tds:GetSystemDateAndTime/>',
  '<tds:GetCapabilities/>',
  '<tds:GetServices><tds:IncludeCapability>true</tds:IncludeCapability></tds:GetServices>',
]

/** Mixed traffic to a real process, with reboots and upgrades between. Throws Violation; ends the process and removes its folder. */
export async function soakTraffic({ seed, minutes, onProgress = () => {}, signal }: TrafficOptions): Promise<TrafficSummary> {
  const folder = await mkdtemp(join(tmpdir(), 'onvifd-traffic-'))
  const state = join(folder, 'state')
  const summary: TrafficSummary = {
    seconds: 0,
    latencies: { read: [], write: [], upload: [], discovery: [] },
    ...{ hostile: 0, events: 0, reboots: 0, upgrades: 0, unheard: 0 },
    memory: [],
    descriptors: [0, 0],
  }
  await mkdir(state)
  const makeImage = await createImageMaker(state, seeded(seed + 1))
  const discoveryPort = await freePort()
  const { child, url, output } = await startDevice(state, discoveryPort)
  const pid = child.pid ?? 0
  const began = performance.now()
  const over = new AbortController()
  const isOver = () => over.signal.aborted
  /** While somebody has it restart, nobody can expect an answer. */
  let isDown = false
  let settings = beginning

  /** Gives undefined where the device was down before or after; otherwise what fails is a violation. */
  async function during<T>(act: () => Promise<T>): Promise<T | undefined> {
    const was = isDown
    try {
      return await act()
    } catch (error) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Violation(`the device has ended: ${output()}`)
      if (error instanceof Violation || !(was || isDown)) throw error
      await sleep(20)
      return undefined
    }
  }

  async function timed(kind: (typeof kinds)[number], act: () => Promise<unknown>): Promise<void> {
    const asked = performance.now()
    if ((await during(() => act().then(() => true))) === true) summary.latencies[kind].push(performance.now() - asked)
  }

  async function hostility(random: Random): Promise<void> {
    const bytes = damaged(random, hostileRequest(random))
    await during(() => exchange(portOf(url), [bytes], { from: hostileAddress }))
    summary.hostile += 1
  }

  async function reading(random: Random): Promise<void> {
    while (!isOver()) {
      if (random.fraction() < hostileShare) await hostility(random)
      else await timed('read', () => must(url, random.pick(readers)))
      await sleep(random.whole(0, 20))
    }
  }

  async function writing(random: Random): Promise<void> {
    while (!isOver()) {
      if (random.fraction() < hostileShare) await hostility(random)
      const area = random.pick(areas)
      const change = draw[area](random, settings)
      let isTold = false
      await timed('write', async () => {
        const { text } = await tell(url, change.body)
        if (isFault(text)) throw new Violation(`${change.body} was answered with ${text}`)
        isTold = true
      })
      settings = isTold ? change.next : await whichOf(area, settings, change.next)
      await sleep(random.whole(10, 100))
    }
  }

  /** Of a change without an answer: whether it was done. */
  async function whichOf(area: (typeof areas)[number], before: Settings, after: Settings): Promise<Settings> {
    for (;;) {
      const found = await during(() => read[area](url))
      if (found === undefined && isOver()) return before
      if (found === shown[area](before)) return before
      if (found === shown[area](after)) return after
      if (found !== undefined) throw new Violation(`${area}: ${found}, and neither ${shown[area](before)} nor ${shown[area](after)}`)
    }
  }

  /** Images that are refused, and uploads that break off. The good ones are the operator's. */
  async function uploading(random: Random, client: OnvifClient): Promise<void> {
    while (!isOver()) {
      const image = await makeImage(random.pick(['hash', 'signature', 'truncated']), random.whole(20_000, 400_000))
      if (!isDown) {
        const uri = await during(async () => (await client.call('StartFirmwareUpgrade', {})).UploadUri).catch(() => undefined)
        if (uri === undefined) await sleep(500)
        else if (random.fraction() < 0.3) {
          const posting = openPosting(client, uri, image.bytes.length)
          await posting.write(image.bytes.subarray(0, random.whole(0, image.bytes.length)))
          posting.cut()
        } else {
          await timed('upload', async () => {
            const { status } = await post(client, uri, image.bytes)
            if (status === 200) throw new Violation(`an image that is ${image.kind} was taken`)
          })
        }
      }
      await sleep(random.whole(200, 1500))
    }
  }

  async function pulling(client: OnvifClient): Promise<void> {
    for await (const _ of watchEvents(client, { signal: over.signal })) summary.events += 1
  }

  async function searching(random: Random): Promise<void> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    while (!isOver()) {
      const asked = performance.now()
      const wasDown = isDown
      const packet = Buffer.from(probe())
      const isSound = random.fraction() >= hostileShare
      socket.send(isSound ? packet : damaged(random, packet), discoveryPort, '127.0.0.1')
      const heard = await Promise.race([once(socket, 'message'), sleep(1500)])
      if (heard) summary.latencies.discovery.push(performance.now() - asked)
      else if (isSound && !wasDown && !isDown) summary.unheard += 1
      await sleep(random.whole(300, 900))
    }
    socket.close()
  }

  /** Reboots and upgrades, in turn; each has to bring the device back as it was. */
  async function operating(client: OnvifClient): Promise<void> {
    for (let turn = 0; ; turn += 1) {
      await sleep(upSeconds * 1000, undefined, { signal: over.signal }).catch(() => {})
      if (isOver()) return
      isDown = true
      const isUpgrade = turn % 2 === 1
      const begun = performance.now()
      const late = () => performance.now() - begun > downSecondsMax * 1000
      if (isUpgrade) await upgrade(client, late)
      else await client.call('SystemReboot', {})
      // Until it has gone, it still answers.
      await sleep(600)
      while (!(await isUp())) if (late()) throw new Violation(`the device has not come back after ${downSecondsMax} s:\n${output()}`)
      isDown = false
      summary[isUpgrade ? 'upgrades' : 'reboots'] += 1
    }
  }

  async function upgrade(client: OnvifClient, late: () => boolean): Promise<void> {
    const { bytes } = await makeImage('good', 300_000)
    for (;;) {
      try {
        const { UploadUri } = await client.call('StartFirmwareUpgrade', {})
        const { status, reason } = await post(client, UploadUri, bytes)
        if (status === 200) return
        if (status !== 409 && status !== 410) throw new Violation(`a good image was answered with ${status} ${reason}`)
      } catch (error) {
        // Somebody else's upload is under way.
        if (error instanceof Violation || late()) throw error
      }
      await sleep(200)
    }
  }

  async function isUp(): Promise<boolean> {
    return must(url, '<tds:GetUsers/>').then(
      () => true,
      () => sleep(20).then(() => false),
    )
  }

  async function watching(): Promise<void> {
    while (!isOver()) {
      summary.seconds = (performance.now() - began) / 1000
      summary.memory.push([summary.seconds, residentMiB(pid)])
      onProgress(summary)
      await sleep(2000, undefined, { signal: over.signal }).catch(() => {})
    }
  }

  const clients = [1, 2, 3].map(() => connect(url, { user: admin.name, password: admin.password, timeoutMs: 20_000 }))
  const [first, second, third] = clients
  try {
    if (!first || !second || !third) throw new Error('three clients')
    for (const body of toBegin) await must(url, body)
    const before = await quietDescriptors(pid)
    const randoms = [1, 2, 3, 4, 5, 6].map(index => seeded(seed + index))
    const [a, b, c, d, e, f] = randoms
    if (!a || !b || !c || !d || !e || !f) throw new Error('six sources of chance')
    const all = [
      reading(a),
      reading(b),
      reading(c),
      writing(d),
      uploading(e, first),
      searching(f),
      pulling(second),
      operating(third),
      watching(),
    ]
    const ends = sleep(minutes * 60_000, undefined, { signal: signal ?? new AbortController().signal }).catch(() => {})
    await Promise.race([ends, ...all.map(each => each.then(() => new Promise<never>(() => {})))])
    over.abort()
    await Promise.all(all)
    for (const area of areas) {
      const found = await read[area](url)
      if (found !== shown[area](settings)) throw new Violation(`${area}: ${found}, and not ${shown[area](settings)}`)
    }
    for (const client of clients) client.close()
    summary.descriptors = [before, await quietDescriptors(pid)]
    summary.seconds = (performance.now() - began) / 1000
    return summary
  } catch (error) {
    throw new Violation(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    over.abort()
    for (const client of clients) client.close()
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
}

const portOf = (url: string): number => Number(new URL(url).port)
const residentMiB = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** When connections that nobody uses any more have been closed: the fewest within some seconds. */
async function quietDescriptors(pid: number): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY
  for (let look = 0; look < 30; look++) {
    fewest = Math.min(fewest, readdirSync(`/proc/${pid}/fd`).length)
    await sleep(200)
  }
  return fewest
}

/** What `onvifd serve` sets for itself. */
const asServed = ['--max-semi-space-size=1', '--semi-space-growth-factor=1']

async function startDevice(state: string, discoveryPort: number): Promise<{ child: ChildProcess; url: string; output: () => string }> {
  const program = fileURLToPath(new URL('./trafficDevice.ts', import.meta.url))
  const child = spawn(process.execPath, [...asServed, program, state, String(discoveryPort)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text = `${text}${piece}`.slice(-20_000)
  })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', line => resolve(line.replace('ready ', '')))
    child.once('exit', code => reject(new Error(`the device ended with ${code}: ${text}`)))
  })
  return { child, url, output: () => text }
}

/** MiB an hour, by least squares over the second half: the first one fills what is kept. */
export function slopeOf(memory: TrafficSummary['memory']): number {
  const half = memory.slice(Math.floor(memory.length / 2))
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(half.map(([at]) => at)), mean(half.map(([, mib]) => mib))]
  const above = half.reduce((sum, [at, mib]) => sum + (at - x) * (mib - y), 0)
  const below = half.reduce((sum, [at]) => sum + (at - x) ** 2, 0)
  return below === 0 ? 0 : (above / below) * 3600
}
