import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeRoom } from './machine.ts'
import { reportOf, run } from './run.ts'

const room = makeRoom()
after(room.remove)

/** `npm run simulate -- --schedules 10000` has more of them, and without a number it goes on for as long as somebody likes. */
const secondsMax = 75
const schedulesMin = 200

test('schedules of chance: nothing acknowledged is lost, nothing refused is done, and nobody gets in who should not', async () => {
  let [done, steps, faults, deaths, upgrades] = [0, 0, 0, 0, 0]
  const [began, begun] = [process.cpuUsage(), performance.now()]
  for (let seed = 1; seed <= schedulesMin || performance.now() - begun < secondsMax * 1000; seed += 1) {
    done += 1
    const result = await run(seed, room.path)
    assert.equal(result.error, undefined, reportOf(result))
    for (const line of result.trace) {
      if (/^ {2}\S/.test(line)) steps += 1
      if (line.includes('fault:')) faults += 1
      if (/died|power cut, |kill, /.test(line)) deaths += 1
      if (/ upgrade to .* 200$/.test(line)) upgrades += 1
    }
  }
  const { user, system } = process.cpuUsage(began)
  console.log(
    `${done} schedules: ${steps} steps, ${faults} faults, ${deaths} deaths, ${upgrades} images taken, ${((user + system) / 1e6).toFixed(0)} s of CPU`,
  )
  assert.ok(steps > 2 * done && faults > done && deaths > done / 4 && upgrades > done / 20, 'the schedules do something')
})

test('a seed gives the same schedule every time, and in every process', async () => {
  for (const seed of [16, 40, 41, 42]) {
    const [first, second] = [await run(seed, room.path), await run(seed, room.path)]
    assert.deepEqual(first.trace, second.trace)
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const { stdout, stderr } = spawnSync(process.execPath, [main, '--seed', String(seed)], { encoding: 'utf8' })
    assert.ok((stdout + stderr).includes(`\n${first.trace.join('\n')}\n`), stdout + stderr)
  }
})
