import { cpus } from 'node:os'
import type { Processor } from './platform.ts'

/** The cores of the host together; undefined where the host does not show them. */
export function createProcessor(): Processor | undefined {
  if (cpus().length === 0) return undefined
  return {
    times() {
      let busyMs = 0
      let totalMs = 0
      for (const { times } of cpus()) {
        const allMs = times.user + times.nice + times.sys + times.irq + times.idle
        busyMs += allMs - times.idle
        totalMs += allMs
      }
      return { busyMs, totalMs }
    },
  }
}
