import { fault } from '../onvif/faults.ts'
import type { Log } from '../platform/platform.ts'
import type { Store } from './store.ts'

/** The functions whose commands Core 8.7 reserves, with what can be asked of each. */
const reserved: Readonly<Record<string, readonly string[]>> = {
  'tt:Wiper': ['On', 'Off'],
  'tt:Washer': ['On', 'Off'],
  'tt:WashingProcedure': ['On', 'Off'],
  'tt:IRLamp': ['On', 'Off', 'Auto'],
}

/** Whether a device can have such a function: a reserved one, or one of its maker's, which is switched on and off. */
export const isAuxiliary = (name: string): boolean => Object.hasOwn(reserved, name) || /^(?!tt:)[A-Za-z][A-Za-z0-9._:-]{0,63}$/.test(name)

interface Parts {
  readonly store: Store
  readonly log: Log
  /** What the machine has, such as `tt:IRLamp`. */
  readonly functions: readonly string[]
}

export type Auxiliary = ReturnType<typeof createAuxiliary>

/** Core 8.7. What was commanded last belongs to the machine: it holds over a restart, and no backup starts a wiper. */
export function createAuxiliary({ store, log, functions }: Parts) {
  const document = store.document<Readonly<Record<string, string>>>('machine/auxiliary', parseStates, () => ({}))
  const commands = functions.flatMap(name => (reserved[name] ?? ['On', 'Off']).map(parameter => `${name}|${parameter}`))
  return {
    /** All that can be sent, as `tt:IRLamp|Auto`. */
    commands: (): readonly string[] => commands,

    /** What each function does now. */
    states: (): Readonly<Record<string, string>> => Object.fromEntries(functions.map(name => [name, document.get()[name] ?? 'Off'])),

    /** Throws AuxiliaryDataNotSupported. */
    send(command: string): void {
      if (!commands.includes(command))
        throw fault('AuxiliaryDataNotSupported', `this device has no command ${JSON.stringify(command.slice(0, 100))}`)
      const [name = '', state = ''] = command.split('|')
      document.set({ ...document.get(), [name]: state })
      log.info({ function: name, state }, 'auxiliary command')
    },

    /** All off: what is left of a factory default. */
    release(): void {
      document.set({})
    },
  }
}

function parseStates(stored: unknown): Readonly<Record<string, string>> {
  if (typeof stored !== 'object' || stored === null) throw new Error('no auxiliary functions')
  const entries = Object.entries(stored).map(([name, state]) => {
    if (!isAuxiliary(name) || typeof state !== 'string' || !(reserved[name] ?? ['On', 'Off']).includes(state))
      throw new Error('no auxiliary function')
    return [name, state] as const
  })
  return Object.fromEntries(entries)
}
