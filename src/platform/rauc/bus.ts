import type { EventEmitter } from 'node:events'
import type { Message, MessageBus } from '@jellybrick/dbus-next'
import { limits } from '../../limits.ts'
import { BackendError, type Clock } from '../platform.ts'

type Dbus = typeof import('@jellybrick/dbus-next')

/** `system`, `session`, or an address as D-Bus writes it: `unix:path=/run/dbus/system_bus_socket`. */
export type BusAddress = string

export interface Call {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  readonly signature?: string
  readonly body?: readonly unknown[]
  /** Where the answer may take longer than answers do. */
  readonly timeoutMs?: number
}

/** One conversation over D-Bus. What others say comes as `unknown`. */
export interface Bus {
  /** Throws BusRefusal where the other side answers with an error, BackendError `lost` where nobody answers. */
  call(call: Call): Promise<readonly unknown[]>
  /** Signals of these rules are heard from now on. */
  match(rule: string): Promise<void>
  /** The next signal, or undefined where none comes in time. */
  signal(timeoutMs: number): Promise<Signal | undefined>
  /** A variant, as an argument of a call. */
  variant(signature: string, value: unknown): unknown
}

export interface Signal {
  readonly sender: string
  readonly interface: string
  readonly member: string
  readonly body: readonly unknown[]
}

/** The other side's answer was an error. */
export class BusRefusal extends Error {
  override readonly name = 'BusRefusal'
  /** `org.freedesktop.DBus.Error.ServiceUnknown` and the like. */
  readonly type: string

  constructor(type: string, text: string) {
    super(text)
    this.type = type
  }
}

/**
 * Holds a connection as long as `talk` runs, and no longer: a bus that was restarted between two conversations is nothing to
 * recover from, and nothing is left open that would keep a process alive.
 */
export async function withBus<T>(address: BusAddress, clock: Clock, talk: (bus: Bus) => Promise<T>): Promise<T> {
  const dbus = await load()
  const connection = address === 'system' ? dbus.systemBus() : dbus.sessionBus(address === 'session' ? {} : { busAddress: address })
  try {
    return await talk(conversation(dbus, connection, clock))
  } finally {
    connection.disconnect()
  }
}

/** The package is there on machines with RAUC alone. */
async function load(): Promise<Dbus> {
  try {
    return await import('@jellybrick/dbus-next')
  } catch (cause) {
    throw new BackendError('io', 'RAUC is reached over D-Bus, and the package for that is missing: npm install @jellybrick/dbus-next', {
      cause,
    })
  }
}

function conversation(dbus: Dbus, connection: MessageBus, clock: Clock): Bus {
  const broken = Promise.withResolvers<never>()
  // Met by whatever waits for an answer at that moment, if anything does.
  broken.promise.catch(() => {})
  // An event that its types do not know.
  const emitter: EventEmitter = connection
  emitter.on('error', cause => broken.reject(new BackendError('lost', 'D-Bus cannot be reached', { cause })))

  const heard: Signal[] = []
  let wake = () => {}
  connection.on('message', (message: Message) => {
    if (message.type !== dbus.MessageType.SIGNAL) return
    heard.push({ sender: message.sender, interface: message.interface, member: message.member, body: message.body })
    wake()
  })

  async function call({ timeoutMs = limits.busAnswerTimeoutMs, signature = '', body = [], ...to }: Call): Promise<readonly unknown[]> {
    const late = Promise.withResolvers<never>()
    const cancel = clock.after(timeoutMs, () => late.reject(new BackendError('lost', `${to.destination} does not answer`)))
    const answer = connection.call(new dbus.Message({ ...to, signature, body: [...body] }))
    // Whoever loses the race is looked after, too.
    answer.catch(() => {})
    try {
      return (await Promise.race([answer, late.promise, broken.promise]))?.body ?? []
    } catch (error) {
      if (error instanceof dbus.DBusError) throw new BusRefusal(error.type, error.text)
      throw error instanceof BackendError ? error : new BackendError('lost', 'D-Bus cannot be reached', { cause: error })
    } finally {
      cancel()
    }
  }

  return {
    call,

    async match(rule) {
      await call({ ...daemon, member: 'AddMatch', signature: 's', body: [rule] })
    },

    async signal(timeoutMs) {
      if (heard.length === 0) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const cancel = clock.after(timeoutMs, resolve)
        await Promise.race([promise, broken.promise]).finally(cancel)
      }
      return heard.shift()
    },

    variant: (signature, value) => new dbus.Variant(signature, value),
  }
}

/** The bus itself, as somebody to call. */
export const daemon = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
} as const
