import { limits } from '../../limits.ts'
import { BackendError, type Clock } from '../platform.ts'
import { type Bus, type BusAddress, BusRefusal, daemon, type Signal, withBus } from './bus.ts'

const serviceName = 'de.pengutronix.rauc'
const installer = { destination: serviceName, path: '/', interface: 'de.pengutronix.rauc.Installer' } as const
const properties = { destination: serviceName, path: '/', interface: 'org.freedesktop.DBus.Properties' } as const

/** A slot as RAUC knows it. */
export interface RaucSlot {
  /** As in RAUC's system.conf, such as `rootfs.1`. */
  readonly name: string
  readonly class: string
  /** What the boot loader calls it; slots that are not booted have none. */
  readonly bootname: string | undefined
  readonly isBooted: boolean
  /** Whether the boot loader would boot it. */
  readonly isBootable: boolean
  /** Whether what RAUC wrote there is complete. False also where RAUC never wrote it. */
  readonly isComplete: boolean
  readonly version: string | undefined
  readonly sha256: string | undefined
  /** When RAUC wrote it last, as UTC (RFC 3339), and how many times it has. */
  readonly installedAt: string | undefined
  readonly installedCount: string | undefined
}

export type News =
  | { readonly name: 'progress'; readonly percent: number }
  /** An installation ended, whosever it was: the signal does not say. */
  | { readonly name: 'completed' }
  /** The service is not there any more. */
  | { readonly name: 'gone' }
  /** Somebody said something. */
  | { readonly name: 'other' }

/** A conversation with the RAUC service. Everything throws BackendError `busy` where RAUC installs, and `lost` where it is not there. */
export interface Rauc {
  /** Of this machine. */
  compatible(): Promise<string>
  /** What a bundle says of itself, once RAUC has verified it. */
  info(bundle: string): Promise<{ readonly compatible: string; readonly version: string }>
  slots(): Promise<readonly RaucSlot[]>
  /** Name of the slot that the boot loader takes next; undefined where it cannot be read. */
  primary(): Promise<string | undefined>
  mark(state: 'good' | 'bad' | 'active', slot: string): Promise<void>
  /** Returns when it has begun. */
  install(bundle: string): Promise<void>
  /** Why the last installation failed; empty where it did not. Wiped when one begins. */
  lastError(): Promise<string>
  /** Undefined where nothing is heard in time. */
  news(timeoutMs: number): Promise<News | undefined>
}

export const withRauc = <T>(address: BusAddress, clock: Clock, talk: (rauc: Rauc) => Promise<T>): Promise<T> =>
  withBus(address, clock, async bus => talk(await conversation(bus)))

/** Whether RAUC is there, or is started as soon as it is called. */
export async function isAvailable(bus: Bus): Promise<boolean> {
  const lists = ['ListNames', 'ListActivatableNames'].map(member => bus.call({ ...daemon, member }))
  return (await Promise.all(lists)).some(([names]) => Array.isArray(names) && names.includes(serviceName))
}

async function conversation(bus: Bus): Promise<Rauc> {
  // Signals first, calls then: whoever ends in between is heard.
  await bus.match(`type='signal',sender='${serviceName}',path='/'`)
  await bus.match(`type='signal',sender='${daemon.destination}',member='NameOwnerChanged',arg0='${serviceName}'`)
  const owner = (await ownerOf(bus)) ?? (await started(bus))

  const ask = (member: string, signature = '', body: readonly unknown[] = [], timeoutMs: number = limits.busAnswerTimeoutMs) =>
    answered(bus.call({ ...installer, member, signature, body, timeoutMs }))

  const property = async (name: string): Promise<string> =>
    text((await answered(bus.call({ ...properties, member: 'Get', signature: 'ss', body: [installer.interface, name] }))).map(heldBy)[0])

  /** Anybody on the bus may send us a signal of any name; the sender cannot be forged. */
  function understand({ sender, member, body }: Signal): News {
    if (sender === daemon.destination && member === 'NameOwnerChanged' && body[1] === owner) return { name: 'gone' }
    if (sender !== owner) return { name: 'other' }
    if (member === 'Completed') return { name: 'completed' }
    const progress = member === 'PropertiesChanged' ? heldBy(entries(body[1]).get('Progress')) : undefined
    return Array.isArray(progress) && typeof progress[0] === 'number' ? { name: 'progress', percent: progress[0] } : { name: 'other' }
  }

  return {
    compatible: () => property('Compatible'),
    lastError: () => property('LastError'),

    async info(bundle) {
      // RAUC verifies the bundle before it answers.
      const [compatible, version] = await ask('Info', 's', [bundle], limits.engineSilentTimeoutMs)
      return { compatible: text(compatible), version: text(version) }
    },

    async slots() {
      const [slots] = await ask('GetSlotStatus')
      if (!Array.isArray(slots)) throw misunderstood('GetSlotStatus')
      return slots.map(raucSlot)
    },

    async primary() {
      try {
        return text((await ask('GetPrimary'))[0])
      } catch (error) {
        if (error instanceof BusRefusal) return undefined
        throw error
      }
    },

    async mark(state, slot) {
      await ask('Mark', 'ss', [state, slot])
    },

    async install(bundle) {
      await ask('InstallBundle', 'sa{sv}', [bundle, {}])
    },

    async news(timeoutMs) {
      const signal = await bus.signal(timeoutMs)
      return signal && understand(signal)
    },
  }
}

async function ownerOf(bus: Bus): Promise<unknown> {
  try {
    return (await bus.call({ ...daemon, member: 'GetNameOwner', signature: 's', body: [serviceName] }))[0]
  } catch (error) {
    if (error instanceof BusRefusal) return undefined
    throw error
  }
}

async function started(bus: Bus): Promise<unknown> {
  await answered(bus.call({ ...daemon, member: 'StartServiceByName', signature: 'su', body: [serviceName, 0] }))
  return ownerOf(bus)
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof BusRefusal)) throw error
    // RAUC 1.8 has one error for everything, and tells it apart by its text.
    if (/already processing a different method/i.test(error.message)) {
      throw new BackendError('busy', 'RAUC is busy with another installation', { cause: error })
    }
    if (/^org\.freedesktop\.DBus\.Error\.(ServiceUnknown|NameHasNoOwner|NoReply|Disconnected|Timeout|TimedOut|Spawn\..*)$/.test(error.type))
      throw new BackendError('lost', 'the RAUC service is not there', { cause: error })
    throw error
  }
}

function raucSlot(value: unknown): RaucSlot {
  const [name, members]: readonly unknown[] = Array.isArray(value) ? value : []
  const given = entries(members)
  const optional = (key: string): string | undefined => {
    const member = heldBy(given.get(key))
    return member === undefined || member === '' ? undefined : String(member)
  }
  return {
    name: text(name),
    class: optional('class') ?? '',
    bootname: optional('bootname'),
    isBooted: optional('state') === 'booted',
    isBootable: optional('boot-status') === 'good',
    isComplete: optional('status') === 'ok',
    version: optional('bundle.version'),
    sha256: optional('sha256'),
    installedAt: optional('installed.timestamp'),
    installedCount: optional('installed.count'),
  }
}

/** A dictionary of D-Bus. */
const entries = (value: unknown): ReadonlyMap<string, unknown> =>
  new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])

/** What a variant holds. */
const heldBy = (variant: unknown): unknown =>
  typeof variant === 'object' && variant !== null && 'value' in variant ? variant.value : undefined

function text(value: unknown): string {
  if (typeof value !== 'string') throw misunderstood('the answer')
  return value
}

const misunderstood = (what: string): BackendError => new BackendError('io', `${what} of RAUC cannot be understood`)
