import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createCrowd } from '../support/crowd.ts'
import { envelope, folder, load, password, residentMiB, startOnvifd, user } from './bed.ts'

const count = { 'slow head': 100, 'slow body': 100, idle: 2_000, 'stalled upload': 10, 'endless upload': 10 } as const
const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

/** What good clients notice of slow, idle and endless ones, with the bounds as they are, and what those leave behind. */
export async function benchCrowd(): Promise<void> {
  const { port, pid, stop } = await startOnvifd(join(folder, 'crowd'))
  const order = {
    port,
    body: envelope('<tds:GetHostname/>'),
    login: 'token',
    user,
    password,
    connections: 4,
    milliseconds: 10_000,
    rate: 100,
  } as const
  await load(order)
  const alone = await load(order)
  const before = { files: descriptors(pid), memory: residentMiB(pid, 'VmRSS') }
  console.log(
    '\nCrowd: 100 slow heads, 100 slow bodies, 2,000 idle connections, 10 stalled and 10 endless uploads at once; 100 good requests a second',
  )
  for (const round of [1, 2, 3]) {
    const crowd = createCrowd({
      port,
      counts: count,
      everyMs: 2_000,
      uploadPath: '/onvif/upload/abcdefghijklmnop',
      sources: ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'],
    })
    const among = await load(order)
    const most = { files: descriptors(pid), memory: residentMiB(pid, 'VmHWM') }
    for (let waited = 0; crowd.open() > 0 && waited < 700_000; waited += 200) await sleep(200)
    crowd.end()
    await sleep(1_000)
    const timesOf = ({ p50, p95, p99, failures }: typeof among) =>
      `p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, p99 ${p99.toFixed(1)} ms, ${failures} failed`
    console.log(`round ${round}: alone ${timesOf(alone)}; among them ${timesOf(among)}`)
    for (const [kind, { taken, refused, longestMs }] of crowd.tallies)
      console.log(
        `  ${taken} × ${kind}: the last one ended after ${(longestMs / 1000).toFixed(1)} s${refused > 0 ? `, ${refused} refused` : ''}`,
      )
    console.log(
      `  files ${before.files} before, ${most.files} among them, ${descriptors(pid)} afterwards; memory ${before.memory} MiB, ${most.memory} at most, ${residentMiB(pid, 'VmRSS')} afterwards`,
    )
  }
  await stop()
}
