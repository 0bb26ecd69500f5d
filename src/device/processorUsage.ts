import { limits } from '../limits.ts'
import type { Clock, Processor } from '../platform/platform.ts'

interface Parts {
  readonly processor: Processor
  readonly clock: Pick<Clock, 'after'>
  /** Told the percentage, 0 to 100, of all cores together. */
  readonly changed: (percent: number) => void
}

/** Looks now and then how busy the processor has been since the last look (Core 8.9.1), and tells what differs by a step from what it told last. */
export function createProcessorUsage({ processor, clock, changed }: Parts) {
  let before = processor.times()
  let told: number | undefined
  // Soon, so that whoever connects early gets a value.
  let cancel = clock.after(limits.processorFirstLookMs, look)

  function look(): void {
    const now = processor.times()
    const spentMs = now.totalMs - before.totalMs
    if (spentMs > 0) tell(Math.round((100 * (now.busyMs - before.busyMs)) / spentMs))
    before = now
    cancel = clock.after(limits.processorLookMs, look)
  }

  function tell(percent: number): void {
    if (told !== undefined && Math.abs(percent - told) < limits.processorStepPercent) return
    told = Math.min(100, Math.max(0, percent))
    changed(told)
  }

  return {
    close: (): void => cancel(),
  }
}
