import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Clock, Log } from '../platform/platform.ts'
import type { Store } from './store.ts'

/** How a relay behaves, Core 8.6. */
export interface RelaySettings {
  /** Bistable stays where it was put; Monostable goes back to inactive by itself. */
  readonly mode: 'Bistable' | 'Monostable'
  /** After this time; without a meaning for a bistable one. */
  readonly delayMs: number
  /** What the contact is while the relay is inactive. */
  readonly idle: 'open' | 'closed'
}

export interface RelayRequest extends Omit<RelaySettings, 'delayMs'> {
  /** Undefined where what was sent is no time that the device could wait. */
  readonly delayMs: number | undefined
}

export interface Relay extends RelaySettings {
  readonly token: string
  readonly active: boolean
  readonly contact: 'open' | 'closed'
}

interface Parts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** How many the machine has. */
  readonly count: number
  /** Told of every relay that has become active or inactive, by itself or by order. */
  readonly changed?: (token: string, active: boolean) => void
}

export type Relays = ReturnType<typeof createRelays>

const factory: RelaySettings = { mode: 'Bistable', delayMs: 1000, idle: 'open' }

/**
 * The relay outputs `relay1`, `relay2`, … Settings are carried by a backup. What a bistable relay was put to belongs to the
 * machine: it holds over a restart, and no backup moves a contact. A monostable one that was active falls back with the power.
 */
export function createRelays({ store, clock, log, count, changed = () => {} }: Parts) {
  const tokens = Array.from({ length: count }, (_, index) => `relay${index + 1}`)
  const settings = store.document<Readonly<Record<string, RelaySettings>>>('relays', parseSettings, () => ({}))
  const latched = store.document<readonly string[]>('machine/relays', parseTokens, () => [])
  /** Those monostable relays that are active, with what calls off their fall. */
  const pulses = new Map<string, () => void>()

  const settingsOf = (token: string): RelaySettings => settings.get()[token] ?? factory
  const isActive = (token: string): boolean => pulses.has(token) || latched.get().includes(token)
  const contactOf = (token: string) => (isActive(token) ? opposite[settingsOf(token).idle] : settingsOf(token).idle)

  function assertToken(token: string): void {
    if (!tokens.includes(token)) throw fault('RelayToken', `there is no relay ${JSON.stringify(token.slice(0, 64))}`)
  }

  function tell(token: string, why: string): void {
    log.info({ relay: token, active: isActive(token), contact: contactOf(token) }, why)
  }

  function endPulse(token: string): void {
    pulses.get(token)?.()
    pulses.delete(token)
  }

  function put(token: string, active: boolean): void {
    const wasActive = isActive(token)
    hold(token, active)
    if (active !== wasActive) changed(token, active)
  }

  /** By the store where it has to last, by a timer where it has not. */
  function hold(token: string, active: boolean): void {
    const { mode, delayMs } = settingsOf(token)
    const others = latched.get().filter(other => other !== token)
    latched.set(active && mode === 'Bistable' ? [...others, token] : others)
    endPulse(token)
    if (!active || mode === 'Bistable') return
    const fall = () => {
      pulses.delete(token)
      tell(token, 'a relay fell back')
      changed(token, false)
    }
    pulses.set(token, clock.after(delayMs, fall))
  }

  return {
    /** In the order of their numbers. */
    list: (): readonly Relay[] =>
      tokens.map(token => ({ token, ...settingsOf(token), active: isActive(token), contact: contactOf(token) })),

    /**
     * A relay that is active stays so; in monostable mode its time begins anew. Throws RelayToken, ModeError (no delay that a
     * monostable relay could have). A bistable one ignores the delay, and keeps the one that it had where that is no such time.
     */
    configure(token: string, { mode, delayMs, idle }: RelayRequest): void {
      assertToken(token)
      if (mode === 'Monostable' && delayMs === undefined)
        throw fault('ModeError', `the delay of a monostable relay is from 1 ms to ${limits.relayDelayMsMax / 1000} s`)
      const wasActive = isActive(token)
      store.transaction(() => {
        settings.set({ ...settings.get(), [token]: { mode, delayMs: delayMs ?? settingsOf(token).delayMs, idle } })
        put(token, wasActive)
      })
      tell(token, 'a relay was configured')
    },

    /** Throws RelayToken. */
    set(token: string, active: boolean): void {
      assertToken(token)
      put(token, active)
      tell(token, 'a relay was set')
    },

    /** All inactive: what is left of a factory default. */
    release(): void {
      for (const token of tokens) if (isActive(token)) put(token, false)
    },

    /** No timer runs on after it. */
    close(): void {
      for (const token of tokens) endPulse(token)
    },
  }
}

const opposite = { open: 'closed', closed: 'open' } as const

const isToken = (text: unknown): text is string => typeof text === 'string' && /^relay\d{1,3}$/.test(text)

/** Those of relays that the machine does not have stay for the day when it has them again. */
function parseTokens(stored: unknown): readonly string[] {
  if (!Array.isArray(stored) || stored.length > limits.relaysMax || !stored.every(isToken)) throw new Error('no list of relays')
  return stored
}

function parseSettings(stored: unknown): Readonly<Record<string, RelaySettings>> {
  if (typeof stored !== 'object' || stored === null) throw new Error('no relays')
  const entries = Object.entries(stored)
  if (entries.length > limits.relaysMax || !entries.every(([token]) => isToken(token))) throw new Error('no relays')
  return Object.fromEntries(entries.map(([token, value]) => [token, parseOne(value)]))
}

function parseOne(stored: unknown): RelaySettings {
  if (typeof stored !== 'object' || stored === null) throw new Error('no relay')
  const { mode, delayMs, idle }: { mode?: unknown; delayMs?: unknown; idle?: unknown } = stored
  if (mode !== 'Bistable' && mode !== 'Monostable') throw new Error('no relay mode')
  if (idle !== 'open' && idle !== 'closed') throw new Error('no idle state')
  if (typeof delayMs !== 'number' || !(delayMs >= 1 && delayMs <= limits.relayDelayMsMax)) throw new Error('no delay')
  return { mode, delayMs, idle }
}
