import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Seal } from './seal.ts'
import type { Store } from './store.ts'

/** With what this device logs in to other ones (Core 8.4.7, 8.4.8). */
export interface RemoteUser {
  readonly name: string
  /** Whoever connects derives the password for the other device from the one that is kept here. */
  readonly useDerivedPassword: boolean
}

interface StoredRemoteUser extends RemoteUser {
  /** Sealed in the context `remoteUser:NAME`; undefined where none was ever given. */
  readonly password?: string
}

export type RemoteUserAccount = ReturnType<typeof createRemoteUser>

/** There is one or none. His password goes in, is kept sealed, and is for whoever connects: no client ever gets it. */
export function createRemoteUser({ store, seal }: { readonly store: Store; readonly seal: Seal }) {
  const document = store.document<StoredRemoteUser | null>(
    'remoteUser',
    stored => parseRemoteUser(stored, seal),
    () => null,
  )

  return {
    get(): RemoteUser | undefined {
      const stored = document.get()
      return stored ? { name: stored.name, useDerivedPassword: stored.useDerivedPassword } : undefined
    },

    /** The original password, not a derived one. */
    password(): string | undefined {
      const stored = document.get()
      return stored?.password === undefined ? undefined : seal.open(stored.password, contextOf(stored.name))
    },

    /** Without a password the same user keeps the one he has (Core 5.5); that of another user would be no use. Throws InvalidArgVal. */
    set({ name, password, useDerivedPassword }: RemoteUser & { readonly password: string | undefined }): void {
      assertText('name', name)
      if (password !== undefined) assertText('password', password)
      const present = document.get()
      const kept = present?.name === name ? present.password : undefined
      const sealed = password === undefined ? kept : seal.seal(password, contextOf(name))
      document.set({ name, useDerivedPassword, ...(sealed !== undefined && { password: sealed }) })
    },

    remove: (): void => document.set(null),
  }
}

const contextOf = (name: string): string => `remoteUser:${name}`

/** The other device decides what its names look like; what no header and no log can carry is out. */
function assertText(what: string, text: string): void {
  if (text.length === 0 || text.length > limits.remoteUserCharactersMax || /[\p{Cc}\p{Cs}]/u.test(text))
    throw fault('InvalidArgVal', `the ${what} of the remote user has 1 to ${limits.remoteUserCharactersMax} characters, none for control`)
}

function parseRemoteUser(stored: unknown, seal: Seal): StoredRemoteUser | null {
  if (stored === null) return null
  if (typeof stored !== 'object') throw new Error('no remote user')
  const { name, useDerivedPassword, password }: { name?: unknown; useDerivedPassword?: unknown; password?: unknown } = stored
  if (typeof name !== 'string' || typeof useDerivedPassword !== 'boolean') throw new Error('no remote user')
  assertText('name', name)
  if (password === undefined) return { name, useDerivedPassword }
  if (typeof password !== 'string') throw new Error('no remote user')
  // Opened, so that what another device sealed is refused before it replaces what works.
  seal.open(password, contextOf(name))
  return { name, useDerivedPassword, password }
}
