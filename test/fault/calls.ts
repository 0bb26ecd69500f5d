import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFault, must, tell, tellOrLose } from '../soak/asking.ts'
import { assertNoLeftovers } from '../soak/leftovers.ts'
import { Violation } from '../soak/oracle.ts'
import { freePort } from '../support/freePort.ts'
import { seeded } from '../support/random.ts'
import { startVictim, type Victim } from '../support/victim.ts'
import { type Circumstances, equippedFlags, type Writer, writeOf, writers } from '../support/writers.ts'
import { type Effect, injected, oneWorker, recordCalls, type SystemCall } from './traced.ts'

/** What befalls a call: the process is killed before it, or it fails. */
export const effects = ['kill', 'EIO', 'ENOSPC', 'ENOSPC from then on', 'EMFILE'] as const
export type EffectName = (typeof effects)[number]

export interface CallsOptions {
  readonly seed: number
  readonly effects: readonly EffectName[]
  readonly pointsMax: number
  /** Of one writer. */
  readonly pointsEach?: number
  readonly minutes: number
  readonly only?: RegExp | undefined
  readonly onProgress?: (summary: CallsSummary) => void
  readonly signal?: AbortSignal
}

export interface CallsSummary {
  points: number
  seconds: number
  /** Operations of which every point was reached. */
  complete: number
  /** How it ended, by effect: `kill: before`, `EIO: fault`, … */
  readonly ends: Map<string, number>
  /** What must never be, each with its point. */
  readonly violations: string[]
  /** Of all starts after a kill, milliseconds until the device answered. */
  readonly starts: number[]
}

/** One effect on one call of one writer. */
interface Point {
  readonly effect: EffectName
  readonly call: SystemCall
}

const injections: Readonly<Record<EffectName, Effect>> = {
  kill: { inject: 'signal=KILL' },
  EIO: { inject: 'error=EIO' },
  ENOSPC: { inject: 'error=ENOSPC' },
  'ENOSPC from then on': { inject: 'error=ENOSPC', lasts: true },
  EMFILE: { inject: 'error=EMFILE' },
}

/** Descriptors are short only where one is asked for; room only where something is written. */
function fits(effect: EffectName, { name }: SystemCall): boolean {
  if (effect === 'EMFILE') return name.startsWith('open')
  if (effect.startsWith('ENOSPC')) return !/read|chmod|unlink/.test(name)
  return effect !== 'kill' || !/read/.test(name)
}

const args = [...equippedFlags, '--discovery', 'off']

/** A device on a folder, which is started, killed and put back as often as somebody wants. */
class Bench {
  readonly #root: string
  readonly state: string
  readonly starts: number[] = []
  #victim: Victim | undefined
  url = ''

  constructor(root: string) {
    this.#root = root
    this.state = join(root, 'state')
  }

  get pid(): number {
    return this.#victim?.process.pid ?? 0
  }

  isDead = (): boolean => this.#victim?.isDead() ?? true
  output = (): string => this.#victim?.output() ?? ''

  async start(): Promise<void> {
    const spawned = performance.now()
    const env = { ...oneWorker, NODE_COMPILE_CACHE: join(this.#root, 'compiled') }
    this.#victim = startVictim({ state: this.state, args, env })
    this.url = await this.#victim.ready
    this.starts.push(performance.now() - spawned)
    await assertNoLeftovers(this.state)
  }

  /** Ends it by itself, so that what it compiled is kept. */
  async stop(): Promise<void> {
    this.#victim?.process.kill('SIGTERM')
    await this.#victim?.exited
  }

  kill = async (): Promise<void> => void (await this.#victim?.kill())
  exited = async (): Promise<void> => void (await this.#victim?.exited)

  async keep(name: string): Promise<void> {
    await this.forget(name)
    await cp(this.state, join(this.#root, name), { recursive: true })
  }

  async putBack(name: string): Promise<void> {
    await rm(this.state, { recursive: true, force: true })
    await cp(join(this.#root, name), this.state, { recursive: true })
  }

  forget = (name: string): Promise<void> => rm(join(this.#root, name), { recursive: true, force: true })
}

/** What a writer changes, as a client sees it now; the same text for the same settings. */
async function look({ read }: Writer, { url }: Bench, circumstances: Circumstances): Promise<string> {
  const request = typeof read === 'string' ? read : read(circumstances)
  const { text } = request === 'challenge' ? await tell(url, '<tds:GetUsers/>', undefined) : await tell(url, request)
  const shown = text
    .replace(/<tt:Data[^>]*>([^<]*)</, (_, data) => `${Buffer.from(String(data), 'base64')}<`)
    .replaceAll(`>${circumstances.freePort}<`, '>FREE<')
    .replaceAll(`>${new URL(url).port}<`, '>OWN<')
    .replace(/<tt:(UTC|Local)DateTime>[\s\S]*?<\/tt:\1DateTime>/g, '')
    .replace(/nonce="[^"]*"/g, '')
  return request.includes('AccessPolicy') ? shown.replace(/\s/g, '') : shown
}

function isDone({ shows }: Writer, text: string, circumstances: Circumstances): boolean {
  return (shows instanceof RegExp ? shows : shows(circumstances)).test(text)
}

/** Everything that is the same for all points of one writer. */
interface Stage {
  readonly bench: Bench
  readonly writer: Writer
  readonly circumstances: Circumstances
  /** What is seen before. */
  readonly before: string
}

const portsOf = ({ url }: Bench): readonly number[] => [Number(new URL(url).port)]
const requestOf = ({ bench, writer, circumstances }: Stage) => writeOf(writer, { ...circumstances, ports: portsOf(bench) })

/** The state must be the one before or the one after, as a whole. */
async function whichOf({ bench, writer, circumstances, before }: Stage): Promise<'before' | 'after'> {
  const now = await look(writer, bench, circumstances)
  if (now === before) return 'before'
  if (isDone(writer, now, circumstances)) return 'after'
  throw new Violation(`neither as before nor as after: ${now.slice(0, 2000)}\nbefore: ${before.slice(0, 2000)}`)
}

/** Resolves to how it ended, as the summary counts it, and whether the folder is still as it was. */
async function killAt(stage: Stage, { call }: Point): Promise<readonly [end: string, isClean: boolean]> {
  const { bench } = stage
  const answer = await injected(bench.pid, call, injections.kill, async () => {
    const told = await tellOrLose(bench.url, requestOf(stage))
    // The log of the answer, and whatever follows it, may be the call that is waited for.
    if (told) await Promise.race([bench.exited(), new Promise(resolve => setTimeout(resolve, 300))])
    return told
  })
  const isStruck = bench.isDead()
  await bench.kill()
  await bench.start()
  const now = await whichOf(stage)
  if (answer && isFault(answer.text)) throw new Violation(`a fault, and nothing was wrong: ${answer.text.slice(0, 500)}`)
  if (answer && now === 'before') throw new Violation('it was acknowledged and is lost')
  if (!answer && !isStruck) throw new Violation(`no answer, and the device is alive\n${bench.output()}`)
  return [isStruck ? `${answer ? 'answered, ' : ''}${now}` : 'ran through', now === 'before']
}

async function failAt(stage: Stage, { effect, call }: Point): Promise<readonly [end: string, isClean: boolean]> {
  const { bench } = stage
  const answer = await injected(bench.pid, call, injections[effect], async () => tellOrLose(bench.url, requestOf(stage)))
  if (bench.isDead()) throw new Violation(`the device has ended:\n${bench.output()}`)
  if (!answer) throw new Violation(`no answer\n${bench.output()}`)
  const failed = isFault(answer.text)
  const live = await whichOf(stage)
  if (live !== (failed ? 'before' : 'after')) throw new Violation(`${failed ? 'a fault' : 'a success'}, and then it is as ${live}`)
  // Every second time it is asked again, now that nothing fails any more: it has to recover without a restart.
  const again = failed && call.nth % 2 === 0
  if (again) await must(bench.url, requestOf(stage))
  await bench.kill()
  await bench.start()
  const now = await whichOf(stage)
  if (now === 'before' && (!failed || again)) throw new Violation(`${again ? 'a fault, then ' : ''}a success, and lost after a restart`)
  // What failed at the sync of the log stands there as a whole, and the next start takes it: as where a connection breaks before its answer.
  const end = again ? ', recovered' : failed && now === 'after' ? ', done at the next start' : ''
  return [`${failed ? 'a fault' : 'a success'}${end}`, now === 'before']
}

/**
 * Lets every writer run into every effect at every system call by which it changes its files, each time on a real process, and looks
 * at what the next start finds.
 */
export async function atEveryCall(options: CallsOptions): Promise<CallsSummary> {
  const { seed, pointsMax, pointsEach = Number.POSITIVE_INFINITY, minutes, only = /./, onProgress = () => {}, signal } = options
  const random = seeded(seed)
  const root = await mkdtemp(join(tmpdir(), 'onvifd-calls-'))
  const bench = new Bench(root)
  const summary: CallsSummary = { points: 0, seconds: 0, complete: 0, ends: new Map(), violations: [], starts: bench.starts }
  const began = performance.now()
  const isOver = () => signal?.aborted || summary.points >= pointsMax || performance.now() - began > minutes * 60_000
  const queue = writers.filter(({ operation }) => only.test(operation))
  try {
    await mkdir(bench.state)
    await bench.start()
    await bench.stop()
    await bench.keep('new')
    while (queue.length > 0 && !isOver()) {
      const [writer] = queue.splice(random.whole(0, queue.length - 1), 1)
      if (!writer) break
      const points = await stageOf(bench, writer, options).catch((error: unknown) => note(writer.operation, error))
      if (!points) continue
      const left = points.all
      let met = 0
      while (left.length > 0 && !isOver()) {
        const [point] = left.splice(random.whole(0, left.length - 1), 1)
        if (point) await meet(points.stage, point)
        summary.seconds = (performance.now() - began) / 1000
        onProgress(summary)
        // A bounded run looks at more than one writer.
        met += 1
        if (met === pointsEach) break
      }
      if (left.length === 0) summary.complete += 1
    }
    return summary
  } finally {
    await bench.kill()
    await rm(root, { recursive: true, force: true })
  }

  function note(what: string, error: unknown): void {
    summary.violations.push(`${what}: ${error instanceof Error ? error.message : String(error)}\n${bench.output()}`)
  }

  async function meet(stage: Stage, point: Point): Promise<void> {
    summary.points += 1
    try {
      const [end, isClean] = await (point.effect === 'kill' ? killAt(stage, point) : failAt(stage, point))
      const key = `${point.effect}: ${end}`
      summary.ends.set(key, (summary.ends.get(key) ?? 0) + 1)
      if (isClean) return
    } catch (error) {
      note(`${stage.writer.operation}, ${point.effect} at ${point.call.text} (${point.call.thread} ${point.call.nth})`, error)
    }
    await bench.kill()
    await bench.putBack('prepared')
    await bench.start()
  }
}

/** Brings the device to where the writer begins, and finds out which calls it makes. */
async function stageOf(bench: Bench, writer: Writer, { effects: wanted }: CallsOptions) {
  await bench.kill()
  await bench.putBack('new')
  await bench.start()
  const free = await freePort()
  let prepared = ''
  const { prepare = [] } = writer
  for (const request of typeof prepare === 'string' ? [prepare] : prepare) {
    const body = typeof request === 'string' ? request : request({ prepared, freePort: free, ports: portsOf(bench) })
    prepared += await must(bench.url, body)
  }
  const circumstances: Circumstances = { prepared, freePort: free, ports: portsOf(bench) }
  await bench.kill()
  await bench.keep('prepared')
  await bench.start()
  const stage: Stage = { bench, writer, circumstances, before: await look(writer, bench, circumstances) }
  const reads = wanted.some(effect => effect !== 'kill')
  const calls = await recordCalls(bench.pid, bench.state, () => must(bench.url, requestOf(stage)), { reads })
  if (calls.length === 0) throw new Violation(`${writer.operation} was answered, and nothing was written`)
  const after = await look(writer, bench, circumstances)
  if (!isDone(writer, after, circumstances)) throw new Violation(`${writer.operation} does not show: ${after}`)
  await bench.kill()
  await bench.putBack('prepared')
  await bench.start()
  const all = wanted.flatMap(effect => calls.filter(call => fits(effect, call)).map((call): Point => ({ effect, call })))
  return { stage, all }
}
