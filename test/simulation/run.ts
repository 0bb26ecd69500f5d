import { loadImage } from '../../src/device/firmware/loadImage.ts'
import { seeded } from '../support/random.ts'
import { seedChance, takeOver, watchSettings } from './faults.ts'
import { type MachineState, type Mistake, makeRoom } from './machine.ts'
import { Simulation } from './simulation.ts'
import { schedule } from './steps.ts'

/** What a schedule came to. */
export interface Run {
  readonly seed: number
  /** One line for everything that was done and what came of it: the same seed gives the same lines. */
  readonly trace: readonly string[]
  /** What went wrong, if anything did. */
  readonly error: unknown
}

takeOver()
// A first time that takes longer than the others would be time that no seed decides.
await loadImage()
/** Most schedules begin where a first start has ended: to make a database takes as long as everything else. */
const started = await firstStart()

async function firstStart(): Promise<MachineState> {
  const room = makeRoom()
  try {
    seedChance(0)
    const simulation = new Simulation(seeded(0), room.path)
    await simulation.begin()
    await simulation.down()
    return simulation.machine.state()
  } finally {
    room.remove()
  }
}

/**
 * One schedule, which the seed alone decides. `room` is a folder for what no port leads to. Never rejects. Stacks take a tenth of the
 * time, because node:crypto and missing files throw by the dozen, and nobody reads them: only what is red is run once more with them.
 */
export async function run(seed: number, room: string, mistake: Mistake = {}): Promise<Run> {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    const first = await runOnce(seed, room, mistake)
    if (first.error === undefined) return first
    Error.stackTraceLimit = stackTraceLimit
    const second = await runOnce(seed, room, mistake)
    return second.error === undefined ? first : second
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

async function runOnce(seed: number, room: string, mistake: Mistake): Promise<Run> {
  // Two streams: what the device draws does not change what is done to it.
  seedChance(seed ^ 0x5eed)
  const simulation = new Simulation(seeded(seed), room, mistake)
  const { trace, machine } = simulation
  if (seed % 16 !== 0) machine.become(started)
  try {
    await schedule(simulation)
    return { seed, trace, error: undefined }
  } catch (error) {
    return { seed, trace, error }
  } finally {
    machine.nemesis.kill('kept', 'kill')
    watchSettings(undefined)
  }
}

/** For the person who has to find out. */
export function reportOf({ seed, trace, error }: Run): string {
  const what = error instanceof Error ? (error.name === 'Violation' ? error.message : error.stack) : String(error)
  return `seed ${seed}: ${what}\n${trace.join('\n')}\nagain: npm run simulate -- --seed ${seed}`
}
