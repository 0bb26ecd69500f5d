import { readFileSync } from 'node:fs'
import { limits } from '../../src/limits.ts'

/** One entry of limits.ts as a person reads it. */
export interface Budget {
  readonly chapter: string
  readonly name: keyof typeof limits
  /** With its unit. */
  readonly value: string
  /** What the comment says that stands above it. */
  readonly reason: string
}

const isName = (text: string): text is keyof typeof limits => Object.hasOwn(limits, text)

const units = [
  [/BytesPerSecond/, 'bytes/s'],
  [/Bytes/, 'bytes'],
  [/Characters/, 'characters'],
  [/Ms(?:Max|Min|$)|Ms[A-Z]/, 'ms'],
  [/Seconds/, 's'],
  [/Bits/, 'bits'],
  [/Percent/, '%'],
  [/PerSecond/, 'per second'],
] as const

const separated = (value: number): string => value.toLocaleString('en-GB', { maximumFractionDigits: 3 })

/** A number as it stands there, and as people say it where that is shorter. */
function written(name: string, value: number): string {
  const unit = units.find(([pattern]) => pattern.test(name))?.[1]
  if (unit === undefined) return separated(value)
  const plain = `${separated(value)} ${unit}`
  if (unit === 'ms' && value >= 1_000) return `${separated(value / 1_000)} s`
  const [power, prefix] = [
    [40, 'Ti'],
    [30, 'Gi'],
    [20, 'Mi'],
    [10, 'Ki'],
  ].find((each): each is [number, string] => typeof each[0] === 'number' && value >= 2 ** each[0] && value % 2 ** (each[0] - 2) === 0) ?? [
    0,
    '',
  ]
  return unit === 'bytes' && power > 0 ? `${separated(value / 2 ** power)} ${prefix}B` : plain
}

/** All of them, as the file has them. Throws where one has no reason. */
export function readBudgets(): readonly Budget[] {
  const budgets: Budget[] = []
  let [chapter, reason] = ['', '']
  for (const line of readFileSync(new URL('../../src/limits.ts', import.meta.url), 'utf8').split('\n')) {
    chapter = /^ {2}\/\/ (.*)$/.exec(line)?.[1] ?? chapter
    const comment = /^ {2}\/\*\* (.*) \*\/$/.exec(line)?.[1]
    if (comment !== undefined) reason = comment
    const name = /^ {2}(\w+): /.exec(line)?.[1] ?? ''
    if (!isName(name)) continue
    if (reason === '') throw new Error(`${name} has no reason`)
    budgets.push({ chapter, name, value: written(name, limits[name]), reason })
    reason = ''
  }
  return budgets
}
