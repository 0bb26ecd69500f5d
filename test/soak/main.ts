import { parseArgs } from 'node:util'
import { type SoakSummary, soak } from './soak.ts'

const usage = 'npm run soak -- [--kills 1000] [--seed N] [--minutes M]'

const table = (of: ReadonlyMap<string, number>): string =>
  [...of]
    .sort(([, a], [, b]) => b - a)
    .map(([what, times]) => `  ${String(times).padStart(5)}  ${what}`)
    .join('\n')

function report({ kills, seconds, confirmed, struck, answers }: SoakSummary): string {
  const title = `${kills} kills in ${seconds.toFixed(0)} s, ${confirmed} images confirmed; nothing lost, never half.`
  return `${title}\nThe kills struck in the state\n${table(struck)}\nThe uploads were answered\n${table(answers)}\n`
}

function numberOf(text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text)
  if (!(Number.isFinite(value) && value > 0)) throw new Error(`${text} is not a number above 0: ${usage}`)
  return value
}

try {
  const { values } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' }, minutes: { type: 'string' } } })
  const kills = Math.ceil(numberOf(values.kills, 1000))
  const seed = Math.floor(numberOf(values.seed, Date.now() % 2 ** 31))
  const end = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => end.abort())
  process.stdout.write(`soak of ${kills} kills, seed ${seed}\n`)
  let shown = performance.now()
  const onProgress = ({ kills: done, seconds, confirmed }: SoakSummary) => {
    if (performance.now() - shown < 5000) return
    shown = performance.now()
    process.stdout.write(`${done}/${kills} kills, ${seconds.toFixed(0)} s, ${confirmed} images confirmed\n`)
  }
  const summary = await soak({ seed, kills, minutes: numberOf(values.minutes, 24 * 60), onProgress, signal: end.signal })
  process.stdout.write(report(summary))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
