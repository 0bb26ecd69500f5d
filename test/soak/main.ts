import { parseArgs } from 'node:util'
import { atEveryCall, type CallsSummary, effects } from '../fault/calls.ts'
import { lacksStrace } from '../fault/traced.ts'
import { type SoakSummary, soak } from './soak.ts'
import { slopeOf, soakTraffic, type TrafficSummary } from './traffic.ts'
import { soakWrites, type WritesSummary } from './writes.ts'

const usage = `npm run soak -- [--kills 1000] [--minutes M]     upgrades, killed at random
npm run soak -- --writes [--kills 1000] [--minutes M]   writes of settings and restores, killed at random
npm run soak -- --calls [--effects kill,EIO] [--only REGEX] [--minutes M]   every writer, restore, factory default and first start,
                                                        every system call of it (strace); effects: ${effects.join(', ')}
npm run soak -- --minutes M                             mixed traffic, one request in ten hostile, reboots and upgrades between
Each with --seed N.`

const table = (of: ReadonlyMap<string, number>): string =>
  [...of]
    .sort(([, a], [, b]) => b - a)
    .map(([what, times]) => `  ${String(times).padStart(5)}  ${what}`)
    .join('\n')

/** Percentiles of these milliseconds. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part: number) => (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(0)
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${at(1)} ms of ${sorted.length}`
}

function startsOf(starts: readonly number[]): string {
  const slow = starts.filter(ms => ms > 1000).length
  return `Starts after kills: ${spread(starts)}; ${slow} took longer than 1 s`
}

function report({ kills, seconds, confirmed, struck, answers }: SoakSummary): string {
  const title = `${kills} kills in ${seconds.toFixed(0)} s, ${confirmed} images confirmed; nothing lost, never half.`
  return `${title}\nThe kills struck in the state\n${table(struck)}\nThe uploads were answered\n${table(answers)}`
}

function reportWrites({ kills, seconds, acknowledged, restored, struck, starts }: WritesSummary): string {
  const title = `${kills} kills in ${seconds.toFixed(0)} s, ${acknowledged} changes acknowledged, ${restored} restores among them; nothing lost, never half, nothing left over.`
  return `${title}\n${startsOf(starts)}\nThe kills struck during, and after the restart it was\n${table(struck)}`
}

function reportCalls({ points, seconds, complete, ends, violations, starts }: CallsSummary): string {
  if (violations.length > 0) process.exitCode = 1
  const title = `${points} points in ${seconds.toFixed(0)} s, ${complete} operations completely; ${violations.length} violations.`
  return [title, table(ends), startsOf(starts), ...violations].join('\n')
}

function reportTraffic({ seconds, latencies, hostile, events, reboots, upgrades, unheard, memory, descriptors }: TrafficSummary): string {
  const [first, last] = [memory.at(0)?.[1] ?? 0, memory.at(-1)?.[1] ?? 0]
  return [
    `${seconds.toFixed(0)} s, ${hostile} hostile requests, ${reboots} reboots, ${upgrades} upgrades, ${events} events`,
    ...Object.entries(latencies).map(([kind, values]) => `  ${kind.padEnd(10)} ${spread(values)}`),
    `  ${unheard} questions of discovery without an answer`,
    `Memory ${first.toFixed(0)} MiB, then ${last.toFixed(0)} MiB; ${slopeOf(memory).toFixed(0)} MiB an hour in the second half`,
    `Descriptors ${descriptors[0]}, then ${descriptors[1]}`,
  ].join('\n')
}

function numberOf(text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text)
  if (!(Number.isFinite(value) && value > 0)) throw new Error(`${text} is not a number above 0:\n${usage}`)
  return value
}

/** Prints what `line` says every five seconds. */
function every5Seconds<T>(line: (summary: T) => string): (summary: T) => void {
  let shown = performance.now()
  return summary => {
    if (performance.now() - shown < 5000) return
    shown = performance.now()
    process.stdout.write(`${line(summary)}\n`)
  }
}

try {
  const { values } = parseArgs({
    options: {
      ...{ kills: { type: 'string' }, seed: { type: 'string' }, minutes: { type: 'string' } },
      ...{ writes: { type: 'boolean' }, calls: { type: 'boolean' }, effects: { type: 'string' }, only: { type: 'string', default: '.' } },
    },
  })
  const kills = Math.ceil(numberOf(values.kills, 1000))
  const seed = Math.floor(numberOf(values.seed, Date.now() % 2 ** 31))
  const minutes = numberOf(values.minutes, 24 * 60)
  const end = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end.abort())
  const { signal } = end
  const print = (text: string) => void process.stdout.write(`${text}\n`)
  if (values.calls) {
    if (lacksStrace) throw new Error(lacksStrace)
    const asked = values.effects?.split(',') ?? effects
    const wanted = effects.filter(effect => asked.includes(effect))
    if (wanted.length < asked.length) throw new Error(`${values.effects} are not all effects:\n${usage}`)
    print(`every system call of every writer, seed ${seed}`)
    const onProgress = every5Seconds<CallsSummary>(
      ({ points, seconds, complete }) => `${points} points, ${seconds.toFixed(0)} s, ${complete} operations`,
    )
    const only = new RegExp(values.only)
    print(reportCalls(await atEveryCall({ seed, effects: wanted, pointsMax: Number.POSITIVE_INFINITY, minutes, only, onProgress, signal })))
  } else if (values.writes) {
    print(`soak of ${kills} kills during writes, seed ${seed}`)
    const onProgress = every5Seconds<WritesSummary>(({ kills: done, seconds }) => `${done}/${kills} kills, ${seconds.toFixed(0)} s`)
    print(reportWrites(await soakWrites({ seed, kills, minutes, onProgress, signal })))
  } else if (values.minutes !== undefined && values.kills === undefined) {
    print(`mixed traffic for ${minutes} minutes, seed ${seed}`)
    const onProgress = every5Seconds<TrafficSummary>(
      ({ seconds, latencies, memory }) => `${seconds.toFixed(0)} s, ${latencies.read.length} reads, ${memory.at(-1)?.[1].toFixed(0)} MiB`,
    )
    print(reportTraffic(await soakTraffic({ seed, minutes, onProgress, signal })))
  } else {
    print(`soak of ${kills} kills, seed ${seed}`)
    const onProgress = every5Seconds<SoakSummary>(
      ({ kills: done, seconds, confirmed }) => `${done}/${kills} kills, ${seconds.toFixed(0)} s, ${confirmed} images confirmed`,
    )
    print(report(await soak({ seed, kills, minutes, onProgress, signal })))
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
