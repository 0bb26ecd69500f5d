import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client/onvifClient.ts'
import { unpack } from '../../src/soap/mtom.ts'
import { admin } from '../support/daemon.ts'
import { post } from '../support/posting.ts'
import { seeded } from '../support/random.ts'
import { startVictim, type Victim } from '../support/victim.ts'
import { isFault, must, tell, tellOrLose } from './asking.ts'
import { assertNoLeftovers } from './leftovers.ts'
import { Violation } from './oracle.ts'
import { areas, beginning, draw, read, type Settings, shown, toBegin } from './settings.ts'

export interface WritesOptions {
  readonly seed: number
  readonly kills: number
  readonly minutes: number
  readonly onProgress?: (summary: WritesSummary) => void
  readonly signal?: AbortSignal
}

export interface WritesSummary {
  kills: number
  seconds: number
  /** Changes and restores that the device acknowledged. */
  acknowledged: number
  restored: number
  /** Kills by what was under way, and by what came of it. */
  readonly struck: Map<string, number>
  /** Until the device said that it was ready: milliseconds. */
  readonly starts: number[]
}

/** Changes that were sent and not yet answered. */
interface Doubt {
  readonly what: string
  /** What every area may be besides what it was. */
  readonly next: Settings
  /** A restore is all of it or nothing, in all areas together. */
  readonly isOne: boolean
}

interface Snapshot {
  readonly file: Buffer
  readonly settings: Settings
}

const args = ['--discovery', 'off', '--tls', 'off', '--log-level', 'warn']
const backAfterRestoreSecondsMax = 20

/** SIGKILL after so many milliseconds, to the microsecond as far as the machine lets us. */
async function strike(device: Victim, afterMs: number): Promise<void> {
  const due = performance.now() + afterMs
  if (afterMs > 2) await sleep(afterMs - 2)
  while (performance.now() < due) await new Promise(setImmediate)
  device.process.kill('SIGKILL')
}

/**
 * Changes the settings of a real device in several connections at once, restores backups, kills the process at random microseconds,
 * and compares what the next start has with what was acknowledged. Throws Violation.
 */
export async function soakWrites({ seed, kills, minutes, onProgress = () => {}, signal }: WritesOptions): Promise<WritesSummary> {
  const random = seeded(seed)
  const folder = await mkdtemp(join(tmpdir(), 'onvifd-writes-'))
  const state = join(folder, 'state')
  const summary: WritesSummary = { kills: 0, seconds: 0, acknowledged: 0, restored: 0, struck: new Map(), starts: [] }
  const began = performance.now()
  /** What is so for certain, and what may have become of it since. */
  let settings = beginning
  let doubt: Doubt | undefined
  let snapshot: Snapshot | undefined
  let victim: Victim | undefined
  /** How long a start and a few writes take here and now. */
  let startMs = 500

  function start(): Victim {
    victim = startVictim({ state, args, env: { NODE_COMPILE_CACHE: join(folder, 'compiled') } })
    return victim
  }

  /** Compares all that can be read, and settles what was in doubt. */
  async function judge(url: string): Promise<string> {
    const outcomes = new Set<'before' | 'after'>()
    let now: Settings = settings
    for (const area of areas) {
      const found = await read[area](url)
      if (found === shown[area](settings)) {
        if (doubt && shown[area](doubt.next) !== found) outcomes.add('before')
        continue
      }
      if (!doubt || found !== shown[area](doubt.next))
        throw new Violation(`${area}: ${found}\nand not ${shown[area](settings)}\n${doubt ? `nor ${shown[area](doubt.next)}` : ''}`)
      outcomes.add('after')
      now = { ...now, [area]: doubt.next[area] }
    }
    if (doubt?.isOne && outcomes.size > 1) throw new Violation(`half of a restore: ${JSON.stringify(now)}`)
    settings = now
    const what = doubt ? `${doubt.what}: ${[...outcomes].sort().join(' and ') || 'no difference'}` : 'nothing'
    doubt = undefined
    // Names and levels are one thing, and what they log in with is another.
    for (const [name, { password }] of Object.entries(settings.users)) await must(url, '<tds:GetScopes/>', { name, password })
    return what
  }

  /** A change of several areas at once, each in a connection of its own. */
  async function write(url: string): Promise<void> {
    const chosen = areas.filter(() => random.fraction() < 0.6)
    const changes = chosen.map(area => ({ area, ...draw[area](random, settings) }))
    const merged: Settings = Object.assign({}, settings, ...changes.map(({ area, next }) => ({ [area]: next[area] })))
    doubt = { what: chosen.join(', ') || 'nothing', next: merged, isOne: false }
    const answers = await Promise.all(changes.map(async change => ({ ...change, told: await tellOrLose(url, change.body) })))
    for (const { area, next, told, body } of answers) {
      if (told && isFault(told.text)) throw new Violation(`${body} was answered with ${told.text}`)
      if (!told) continue
      summary.acknowledged += 1
      settings = { ...settings, [area]: next[area] }
    }
    if (answers.every(({ told }) => told)) doubt = undefined
    else if (!victim?.process.killed) throw new Violation('a connection broke, and nobody had killed the device')
  }

  async function backUp(url: string): Promise<void> {
    const { text, bytes, contentType } = await tell(url, '<tds:GetSystemBackup/>')
    const [file] = isFault(text) ? [] : [...unpack(bytes, contentType).attachments.values()]
    if (!file) throw new Violation(`no backup: ${text.slice(0, 500)}`)
    snapshot = { file: Buffer.from(file), settings }
  }

  async function restore(url: string, { file, settings: kept }: Snapshot): Promise<void> {
    const client = connect(url, { user: admin.name, password: admin.password, timeoutMs: 10_000 })
    try {
      const { UploadUri } = await client.call('StartSystemRestore', {})
      doubt = { what: 'restore', next: kept, isOne: true }
      const answer = await post(client, UploadUri, file)
      if (answer.status !== 200) throw new Violation(`the restore was answered with ${answer.status} ${answer.reason}`)
      summary.acknowledged += 1
      summary.restored += 1
      settings = kept
      doubt = undefined
    } finally {
      client.close()
    }
    const deadline = performance.now() + backAfterRestoreSecondsMax * 1000
    // It restarts now; until it is down it still answers.
    while ((victim?.reboots() ?? 0) === 0 && !victim?.isDead() && performance.now() < deadline) await sleep(2)
    for (;;) {
      try {
        await judge(url)
        return
      } catch (error) {
        if (error instanceof Violation || victim?.isDead() || performance.now() > deadline) throw error
        await sleep(5)
      }
    }
  }

  async function act(url: string): Promise<void> {
    const chance = random.fraction()
    if (snapshot && chance < 0.12) await restore(url, snapshot)
    else if (!snapshot || chance < 0.2) await backUp(url)
    else await write(url)
  }

  /** One start, and writes until it is killed. */
  async function live(): Promise<void> {
    const spawned = performance.now()
    const device = start()
    const atStart = random.fraction() < 0.15
    const at = random.fraction()
    let kill = atStart ? strike(device, at * startMs * 1.3) : undefined
    try {
      const url = await device.ready
      const took = performance.now() - spawned
      summary.starts.push(took)
      startMs += (took - startMs) / 4
      const struck = await judge(url)
      summary.struck.set(struck, (summary.struck.get(struck) ?? 0) + 1)
      await assertNoLeftovers(state)
      // A restore takes longer than other writes, and is followed by a restart within the process.
      kill ??= strike(device, at * random.pick([60, 120, 300, 900]))
      while (!device.process.killed) await act(url)
    } catch (error) {
      // Once it is killed, every call fails.
      if (error instanceof Violation || !device.process.killed) throw explained(error, device)
    }
    await kill
    await device.exited
    summary.kills += 1
  }

  try {
    await mkdir(state)
    const first = start()
    const url = await first.ready
    for (const body of toBegin) await must(url, body)
    await judge(url)
    first.process.kill('SIGTERM')
    await first.exited
    while (summary.kills < kills && performance.now() - began < minutes * 60_000 && !signal?.aborted) {
      await live()
      summary.seconds = (performance.now() - began) / 1000
      onProgress(summary)
    }
    const last = start()
    await judge(await last.ready)
    summary.seconds = (performance.now() - began) / 1000
    return summary
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new Violation(`seed ${seed}, after kill ${summary.kills}: ${what}`, { cause: error })
  } finally {
    await victim?.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

function explained(error: unknown, device: Victim): Error {
  if (error instanceof Violation) return error
  return new Violation(`${String(error)}\n${device.output().split('\n').slice(-30).join('\n')}`, { cause: error })
}
