import { type Config, ConfigError } from './config.ts'
import type { LoadTrust } from './device/firmware/image.ts'
import { limits } from './limits.ts'
import { lockSlots } from './platform/lockFile.ts'
import { type MachineDescription, readMachineFile } from './platform/machineFile.ts'
import type { AntiRollbackStore, Clock, Log, Storage, UpdateBackend } from './platform/platform.ts'
import type { RecordPlace } from './platform/slots/environment.ts'
import { launch } from './platform/slots/launcher.ts'
import { type SlotLayout, virtualLayout } from './platform/slots/layout.ts'
import { prepareSlots } from './platform/slots/prepareSlots.ts'
import { createSlotEngine } from './platform/slots/slotEngine.ts'
import { type StateFolder, subfolder } from './platform/stateFolder.ts'
import type { SwupdateSettings } from './platform/swupdate/swupdateEngine.ts'

interface Parts {
  readonly config: Config
  readonly state: StateFolder
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly trust: LoadTrust
  /** Where the machine has one. */
  readonly antiRollback: AntiRollbackStore | undefined
}

export interface Engine {
  readonly backend: UpdateBackend
  /** Another process may write the slots from now on. */
  close(): void
}

/** The factory's firmware of the virtual device: version 1.0.0 and nothing that anybody would want to run. */
const factoryImage = { version: '1.0.0', content: Buffer.from('onvifd virtual device, factory firmware 1.0.0\n') }
const virtualBoard = { name: 'onvifd-virtual', revision: '1.0' }

/**
 * Who writes firmware here, as the operator has chosen; an engine that was chosen is never replaced by another. Engines that are
 * not asked for are not loaded. Throws ConfigError, StateError or BackendError where it cannot be used.
 */
export async function createEngine(parts: Parts): Promise<Engine> {
  const { config, clock } = parts
  const machine = config.machine === undefined ? undefined : readMachineFile(config.machine)
  const name = config.engine === 'auto' ? await firstThere(machine, parts) : config.engine
  return name === 'rauc' ? createRauc(parts, raucOf(machine), clock) : createOnSlots(parts, machine, name)
}

async function firstThere(machine: MachineDescription | undefined, { clock, log, state }: Parts): Promise<'rauc' | 'swupdate' | 'builtin'> {
  if (machine?.rauc) {
    const { raucProbe } = await import('./platform/rauc/raucEngine.ts')
    const { usable, reason } = await raucProbe({ bus: machine.rauc.bus, clock })
    if (usable) return 'rauc'
    log.info({ reason }, 'RAUC cannot be used here')
  }
  if (machine?.swupdate) {
    const { swupdateProbe } = await import('./platform/swupdate/probe.ts')
    const { usable, reason } = await swupdateProbe(swupdateOf(machine, state), clock)
    if (usable) return 'swupdate'
    log.info({ reason }, 'SWUpdate cannot be used here')
  }
  return 'builtin'
}

function raucOf(machine: MachineDescription | undefined): NonNullable<MachineDescription['rauc']> {
  if (machine?.rauc === undefined) throw new ConfigError('--engine rauc: the file of --machine has to say "rauc"')
  return machine.rauc
}

function swupdateOf(machine: MachineDescription | undefined, state: StateFolder): SwupdateSettings {
  const { sockets, command } = machine?.swupdate ?? {}
  if (command) return { run: 'once', command, folder: sockets ?? subfolder(state, 'swupdate') }
  if (sockets !== undefined) return { run: 'daemon', folder: sockets }
  throw new ConfigError('--engine swupdate: the file of --machine has to say "swupdate", with its sockets or its command')
}

async function createRauc(
  { config, storage, trust }: Parts,
  { bus, staging, plain, bundleBytesMax }: NonNullable<MachineDescription['rauc']>,
  clock: Clock,
): Promise<Engine> {
  const { createRaucEngine } = await import('./platform/rauc/raucEngine.ts')
  const backend = await createRaucEngine({
    bus,
    storage,
    folder: staging,
    bundleBytesMax,
    plain,
    trust,
    downgrade: config.downgrade,
    clock,
  })
  return { backend, close() {} }
}

async function createOnSlots(parts: Parts, machine: MachineDescription | undefined, name: 'builtin' | 'swupdate'): Promise<Engine> {
  const { config, state, storage, clock, log, trust, antiRollback } = parts
  const { layout, record } = placesOf(machine, state)
  // Before the first write, which counts a try of whoever starts. What is in the state folder is locked with it.
  const lock = machine?.slots ? lockSlots(layout) : { release() {} }
  try {
    if (machine?.slots === undefined) await prepareSlots(storage, slotFolder(state), factoryImage)
    const running = machine?.running ?? (await launch(storage, record))
    const board = machine?.board ?? virtualBoard
    const slots = createSlotEngine({
      storage,
      layout,
      record,
      running,
      board,
      trust,
      clock,
      log,
      downgrade: config.downgrade,
      antiRollback,
    })
    if (name === 'builtin') return { backend: slots, close: lock.release }
    const [{ swupdateProbe }, { createSwupdateEngine }] = await Promise.all([
      import('./platform/swupdate/probe.ts'),
      import('./platform/swupdate/swupdateEngine.ts'),
    ])
    const settings = swupdateOf(machine, state)
    const { usable, reason } = await swupdateProbe(settings, clock)
    if (!usable) throw new ConfigError(`--engine swupdate: ${reason}`)
    return { backend: createSwupdateEngine({ slots, settings, running, board, trust, storage, clock }), close: lock.release }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Those of the machine, or files in the state folder. */
function placesOf(
  machine: MachineDescription | undefined,
  state: StateFolder,
): { readonly layout: SlotLayout; readonly record: RecordPlace } {
  if (machine?.slots && machine.bootRecord) return { layout: machine.slots, record: machine.bootRecord }
  const folder = slotFolder(state)
  return { layout: virtualLayout(folder, limits.virtualSlotBytesMax, limits.virtualAppBytesMax), record: folder }
}

const slotFolder = (state: StateFolder): string => subfolder(state, 'slots')
