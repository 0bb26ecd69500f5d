import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeRoom } from './machine.ts'
import { run } from './run.ts'
import { testSchedules } from './schedules.ts'

const room = makeRoom()
after(room.remove)

/** The other half is in simulationSecondHalf.test.ts; `npm run simulate` goes on for as long as somebody likes. */
testSchedules(1, 5_000)

test('a seed gives the same schedule every time, and in every process', async () => {
  for (const seed of [16, 40, 41, 42]) {
    const [first, second] = [await run(seed, room.path), await run(seed, room.path)]
    assert.deepEqual(first.trace, second.trace)
    const main = fileURLToPath(new URL('main.ts', import.meta.url))
    const { stdout, stderr } = spawnSync(process.execPath, [main, '--seed', String(seed)], { encoding: 'utf8' })
    assert.ok((stdout + stderr).includes(`\n${first.trace.join('\n')}\n`), stdout + stderr)
  }
})
