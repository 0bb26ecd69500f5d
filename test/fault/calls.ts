import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Violation } from '../soak/oracle.ts'
import { seeded } from '../support/random.ts'
import { Bench } from './callsBench.ts'
import { type Answer, type Deed, deeds, type Prepared } from './callsDeeds.ts'
import { type Effect, injected, recordCalls, type SystemCall } from './traced.ts'

/** What befalls a call: the process is killed before it, or it fails. */
export const effects = ['kill', 'EIO', 'EIO of all from then on', 'ENOSPC', 'ENOSPC from then on', 'EMFILE'] as const
export type EffectName = (typeof effects)[number]

export interface CallsOptions {
  readonly seed: number
  readonly effects: readonly EffectName[]
  readonly pointsMax: number
  /** Of one deed. */
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

/** One effect on one call of one deed. */
interface Point {
  readonly effect: EffectName
  readonly call: SystemCall
}

const injections: Readonly<Record<EffectName, Effect>> = {
  kill: { inject: 'signal=KILL' },
  EIO: { inject: 'error=EIO' },
  'EIO of all from then on': { inject: 'error=EIO', lasts: 'all' },
  ENOSPC: { inject: 'error=ENOSPC' },
  'ENOSPC from then on': { inject: 'error=ENOSPC', lasts: 'its name' },
  EMFILE: { inject: 'error=EMFILE' },
}

/** Descriptors are short only where one is asked for; room only where something is written. */
function fits(effect: EffectName, { name, nthOfAny }: SystemCall): boolean {
  if (nthOfAny !== undefined && injections[effect].lasts) return false
  if (effect === 'EMFILE') return name.startsWith('open')
  if (effect.startsWith('ENOSPC')) return !/read|chmod|unlink/.test(name)
  return /^EIO$/.test(effect) || !/read/.test(name)
}

/** Everything that is the same for all points of one deed. */
interface Stage {
  readonly bench: Bench
  readonly deed: Deed
  readonly prepared: Prepared
  /** What is seen before; nothing, where the device is not there before. */
  readonly before: string | undefined
  readonly isDone: (seen: string) => boolean
}

/** The state must be the one before or the one after, as a whole. */
async function whichOf({ prepared, before, isDone }: Stage): Promise<'before' | 'after'> {
  const now = await prepared.look()
  if (now === before) return 'before'
  if (isDone(now)) return 'after'
  throw new Violation(`neither as before nor as after: ${now.slice(0, 6000)}\nbefore: ${before?.slice(0, 6000)}`)
}

/** What the next start finds, after a kill where the device still runs. */
async function afterRestart(stage: Stage, answer: Answer | undefined): Promise<'before' | 'after'> {
  const { bench, deed } = stage
  await bench.kill()
  await bench.start()
  if (deed.isFirstStart && answer && bench.madePassword() !== undefined)
    throw new Violation('it was up, and the next start is a first one again')
  return whichOf(stage)
}

/** Resolves to how it ended, as the summary counts it, and whether the folder is still as it was. */
async function killAt(stage: Stage, { call }: Point): Promise<readonly [end: string, isClean: boolean]> {
  const { bench, prepared } = stage
  const answer = await injected(bench.pid, call, injections.kill, async () => {
    const told = await prepared.act()
    // The log of the answer, and whatever follows it, may be the call that is waited for.
    if (told) await Promise.race([bench.exited(), new Promise(resolve => setTimeout(resolve, 300))])
    return told
  })
  const isStruck = bench.isDead()
  if (isStruck && !bench.isKilled()) throw new Violation(`the device has ended by itself:\n${bench.output()}`)
  const now = await afterRestart(stage, answer)
  if (answer?.isFault) throw new Violation(`a fault, and nothing was wrong: ${answer.text.slice(0, 500)}`)
  if (answer && now === 'before') throw new Violation('it was acknowledged and is lost')
  if (!answer && !isStruck) throw new Violation(`no answer, and the device is alive\n${bench.output()}`)
  return [isStruck ? `${answer ? 'answered, ' : ''}${now}` : 'ran through', now === 'before']
}

async function failAt(stage: Stage, { effect, call }: Point): Promise<readonly [end: string, isClean: boolean]> {
  const { bench, deed, prepared } = stage
  const answer = await injected(bench.pid, call, injections[effect], prepared.act)
  const hasEnded = bench.isDead()
  // A start may fail, and says so; whoever watches over the device tries again.
  const mayEnd = deed.isFirstStart ? !answer : deed.restarts && answer?.isFault === false
  if (hasEnded && (!mayEnd || bench.isKilled())) throw new Violation(`the device has ended:\n${bench.output()}`)
  if (!answer && !hasEnded) throw new Violation(`no answer\n${bench.output()}`)
  const failed = answer?.isFault ?? false
  const told = hasEnded ? `${answer ? 'a success, and ' : ''}no start` : failed ? 'a fault' : 'a success'
  if (!hasEnded) {
    const live = await whichOf(stage)
    if (live !== (failed ? 'before' : 'after')) throw new Violation(`${told}, and then it is as ${live}`)
  }
  // Every second time it is asked again, now that nothing fails any more: it has to recover without a restart.
  const again = failed && call.nth % 2 === 0
  if (again) await mustDo(prepared)
  const now = await afterRestart(stage, answer)
  if (now === 'before' && (!failed || again)) throw new Violation(`${again ? 'a fault, then ' : ''}a success, and lost after a restart`)
  // Only where nothing could be written any more, not even that it is not so, the next start may find what was refused.
  const isInDoubt = failed && !again && now === 'after'
  if (isInDoubt && injections[effect].lasts !== 'all') throw new Violation('a fault, and done at the next start')
  return [`${told}${again ? ', recovered' : isInDoubt ? ', done at the next start' : ''}`, now === 'before']
}

async function mustDo({ act }: Prepared): Promise<void> {
  const answer = await act()
  if (!answer || answer.isFault) throw new Violation(`nothing is wrong, and it was answered with ${answer?.text.slice(0, 1000)}`)
}

/**
 * Lets every deed run into every effect at every system call by which it changes its files, each time on a real process, and looks
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
  const queue = deeds.filter(({ name }) => only.test(name))
  try {
    await bench.empty()
    await bench.start()
    await bench.stop()
    await bench.keep('new')
    while (queue.length > 0 && !isOver()) {
      const [deed] = queue.splice(random.whole(0, queue.length - 1), 1)
      if (!deed) break
      const points = await stageOf(bench, deed, options).catch((error: unknown) => note(deed.name, error))
      if (!points) continue
      const left = points.all
      let met = 0
      while (left.length > 0 && !isOver()) {
        const [point] = left.splice(random.whole(0, left.length - 1), 1)
        if (point) await meet(points.stage, point)
        summary.seconds = (performance.now() - began) / 1000
        onProgress(summary)
        // A bounded run looks at more than one deed.
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
      note(`${stage.deed.name}, ${point.effect} at ${point.call.text} (${point.call.thread} ${point.call.nth})`, error)
    }
    await begin(stage)
  }
}

/** Everything as it is before the deed. */
async function begin({ bench, deed }: Pick<Stage, 'bench' | 'deed'>): Promise<void> {
  await bench.kill()
  await bench.putBack('prepared')
  if (deed.isFirstStart) bench.hold()
  else await bench.start()
}

/** Brings the device to where the deed begins, and finds out which calls it makes. */
async function stageOf(bench: Bench, deed: Deed, { effects: wanted }: CallsOptions) {
  await bench.kill()
  bench.manner = deed.manner ?? {}
  if (deed.isFirstStart) await bench.empty()
  else {
    await bench.putBack('new')
    await bench.start()
  }
  const prepared = await deed.prepare(bench)
  await bench.kill()
  await bench.keep('prepared')
  await begin({ bench, deed })
  const before = deed.isFirstStart ? undefined : await prepared.look()
  const reads = wanted.some(effect => effect !== 'kill')
  const calls = await recordCalls(bench.pid, bench.state, () => mustDo(prepared), { reads })
  if (calls.length === 0) throw new Violation(`${deed.name} was answered, and nothing was written`)
  const after = await prepared.look()
  const isDone = prepared.isDone ?? (seen => seen === after)
  if (after === before || !isDone(after)) throw new Violation(`${deed.name} does not show: ${after}`)
  const stage: Stage = { bench, deed, prepared, before, isDone }
  await begin(stage)
  const all = wanted.flatMap(effect => calls.filter(call => fits(effect, call)).map((call): Point => ({ effect, call })))
  return { stage, all }
}
