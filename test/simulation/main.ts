import { parseArgs } from 'node:util'
import { makeRoom } from './machine.ts'
import { reportOf, run } from './run.ts'

const usage = 'npm run simulate -- [--seed N] [--schedules N] [--minutes N]'

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(Number.isFinite(value) && value > 0)) throw new Error(`${text} is not a number above 0: ${usage}`)
  return value
}

/** One seed with all that it does, or seeds one after the other until one is red or somebody has had enough. */
async function simulate(room: string): Promise<void> {
  const options = { seed: { type: 'string' }, schedules: { type: 'string' }, minutes: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  const [seed, schedules, minutes = Number.POSITIVE_INFINITY] = [values.seed, values.schedules, values.minutes].map(numberOf)
  const count = schedules ?? (seed === undefined ? Number.POSITIVE_INFINITY : 1)
  const first = Math.floor(seed ?? Date.now() % 2 ** 31)
  const began = performance.now()
  let shown = began
  let isOver = false
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => (isOver = true))
  process.stdout.write(`from seed ${first}\n`)
  for (let done = 0; done < count && !isOver; done += 1) {
    const result = await run(first + done, room)
    const seconds = (performance.now() - began) / 1000
    if (result.error !== undefined) throw new Error(`${reportOf(result)}\nschedule ${done + 1}, after ${seconds.toFixed(0)} s`)
    if (seed !== undefined && count === 1) process.stdout.write(`${result.trace.join('\n')}\n`)
    isOver ||= seconds > minutes * 60
    if (!isOver && done + 1 < count && performance.now() - shown < 5000) continue
    shown = performance.now()
    process.stdout.write(`${done + 1} schedules, ${seconds.toFixed(0)} s, up to seed ${first + done}: nothing found\n`)
  }
}

const room = makeRoom()
try {
  await simulate(room.path)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  room.remove()
}
