import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { makeRoom } from './machine.ts'
import { reportOf, run } from './run.ts'

/** Of one test: some fifteen seconds of CPU, so that a machine that is ten times slower still ends before a test is given up. */
const schedulesEach = 1_000

/** Schedules of these seeds, each as in every run before: two files have half of them each, so that two processors share the work. */
export function testSchedules(first: number, last: number): void {
  const room = makeRoom()
  after(room.remove)
  for (let from = first; from <= last; from += schedulesEach) {
    const to = Math.min(from + schedulesEach - 1, last)
    const name = `schedules ${from} to ${to}: nothing acknowledged is lost, nothing refused is done, and nobody gets in who should not`
    test(name, () => live(from, to, room.path))
  }
}

async function live(from: number, to: number, room: string): Promise<void> {
  let [steps, faults, deaths, upgrades] = [0, 0, 0, 0]
  const began = process.cpuUsage()
  for (let seed = from; seed <= to; seed += 1) {
    const result = await run(seed, room)
    assert.equal(result.error, undefined, reportOf(result))
    for (const line of result.trace) {
      if (/^ {2}\S/.test(line)) steps += 1
      if (line.includes('fault:')) faults += 1
      if (/died|power cut, |kill, /.test(line)) deaths += 1
      if (/ upgrade to .* 200$/.test(line)) upgrades += 1
    }
  }
  const { user, system } = process.cpuUsage(began)
  const done = to - from + 1
  const seconds = ((user + system) / 1e6).toFixed(0)
  console.log(`${done} schedules: ${steps} steps, ${faults} faults, ${deaths} deaths, ${upgrades} images taken, ${seconds} s of CPU`)
  assert.ok(steps > 2 * done && faults > done && deaths > done / 4 && upgrades > done / 20, 'the schedules do something')
}
