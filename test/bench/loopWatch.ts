/**
 * Loaded into a server with `--import` to measure its event loop from within without changing it: `reset` begins, `report` sends the
 * longest time for which a timer of 2 ms was late, and how much of that the thread itself was busy. The rest it waited for a core.
 */
const everyMs = 2

export interface LoopReport {
  readonly lateMs: number
  /** Of the gap in which it was busy for longest, which may be another one. */
  readonly busyMs: number
}

let worst: LoopReport = { lateMs: 0, busyMs: 0 }
let seenMs = performance.now()
let seen = process.threadCpuUsage()

function look(): void {
  const nowMs = performance.now()
  const { user, system } = process.threadCpuUsage(seen)
  const gapMs = nowMs - seenMs - everyMs
  worst = { lateMs: Math.max(worst.lateMs, gapMs), busyMs: Math.max(worst.busyMs, (user + system) / 1000) }
  start()
}

function start(): void {
  seenMs = performance.now()
  seen = process.threadCpuUsage()
  setTimeout(look, everyMs).unref()
}

process.on('message', message => {
  if (message === 'reset') worst = { lateMs: 0, busyMs: 0 }
  if (message === 'report') process.send?.(worst)
})
process.channel?.unref()
start()
