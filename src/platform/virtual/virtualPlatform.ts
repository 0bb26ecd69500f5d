import type { Seal } from '../../device/seal.ts'
import type { Store } from '../../device/store.ts'
import type { Clock, Platform, Power, Processor, Storage, UpdateBackend } from '../platform.ts'
import { createIdentity } from './identity.ts'
import { createNetwork } from './network.ts'

export interface VirtualMachine {
  readonly store: Store
  readonly seal: Seal
  readonly clock: Clock
  readonly model: string
  /** Instead of the serial number that was made on first start. */
  readonly serialNumber: string | undefined
  /** Names of its network interfaces; the first is a wired one. */
  readonly interfaces: readonly string[]
  /** The address that the device listens on, as the socket gives it. */
  readonly listenAddress: () => string
  /** How long the machine is down when it restarts. */
  readonly bootTimeMs: number
  /** Gives the order to restart: stop, wait for `downMs`, start again from what is on the disk. */
  readonly restart: (reason: string, downMs: number) => Promise<void>
  /** Of a real machine, instead of the two. */
  readonly power?: Power | undefined
  /** Of the host; undefined where it tells nothing. */
  readonly processor?: Processor | undefined
  readonly storage: Storage
  readonly update: UpdateBackend
}

/**
 * A machine made of memory and the state folder. What belongs to the machine are the documents under `machine/`, identity and
 * clock: no backup carries them and no factory default resets them, as a real machine keeps its type plate and its battery.
 * The network's settings are settings like those of the subjects.
 */
export function virtualPlatform(machine: VirtualMachine): Platform {
  const { store, seal, clock, model, serialNumber, interfaces, listenAddress, bootTimeMs, restart, power, processor, storage, update } =
    machine
  const { hwAddress, ...identity } = createIdentity(store, model, serialNumber)
  const tail = identity.serialNumber.replace(/[^A-Za-z0-9]/g, '').slice(-6) || identity.uuid.slice(-6)
  return {
    identity,
    clock,
    storage,
    network: createNetwork({ store, seal, defaultHostname: `onvifd-${tail.toLowerCase()}`, hwAddress, interfaces, listenAddress }),
    power: power ?? { bootTimeMs, reboot: reason => restart(reason, bootTimeMs) },
    processor,
    update,
  }
}
