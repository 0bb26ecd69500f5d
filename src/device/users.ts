import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Caller, UserLevel } from '../onvif/handlers.ts'
import type { Seal } from './seal.ts'
import type { Store } from './store.ts'

/** A user as a request describes him. Anonymous and Extended can be written, but nobody can have them here. */
export interface UserRequest {
  readonly name: string
  readonly password: string | undefined
  readonly level: UserLevel | 'Anonymous' | 'Extended'
}

export type Users = ReturnType<typeof createUsers>

/**
 * A user with the clear password, which both kinds of digest need. It is a getter over a private field, so that no log, JSON or
 * copy of the object carries it along.
 */
class Account implements Caller {
  readonly name: string
  readonly level: UserLevel
  readonly #password: string

  constructor(name: string, level: UserLevel, password: string) {
    this.name = name
    this.level = level
    this.#password = password
  }

  get password(): string {
    return this.#password
  }
}

interface StoredUser extends Caller {
  /** Sealed in the context `user:NAME`. */
  readonly password: string
}

/**
 * Who can log in (Core 8.4.3 to 8.4.6). Every change is for the whole list or none of it, and holds from the next request on.
 * Names are compared exactly. Once there is an Administrator, there always is one.
 */
export function createUsers({ store, seal }: { readonly store: Store; readonly seal: Seal }) {
  const document = store.document<readonly StoredUser[]>(
    'users',
    stored => parseUsers(stored, seal),
    () => [],
  )
  let unsealed: { readonly from: readonly StoredUser[]; readonly accounts: ReadonlyMap<string, Account> } | undefined

  function accounts(): ReadonlyMap<string, Account> {
    const from = document.get()
    if (unsealed?.from !== from) unsealed = { from, accounts: new Map(from.map(user => [user.name, unseal(user, seal)])) }
    return unsealed.accounts
  }

  const sealed = (name: string, level: UserLevel, password: string): StoredUser => ({
    name,
    level,
    password: seal.seal(password, `user:${name}`),
  })

  return {
    list: (): readonly Caller[] => document.get().map(({ name, level }) => ({ name, level })),

    find: (name: string): Account | undefined => accounts().get(name),

    isEmpty: (): boolean => document.get().length === 0,

    /**
     * Throws TooManyUsers, AnonymousNotAllowed, UsernameTooShort, UsernameTooLong, UsernameClash (also twice in the list),
     * PasswordTooLong, Password, InvalidArgVal (level Extended, or a character that no name can have).
     */
    create(requested: readonly UserRequest[]): void {
      const present = document.get()
      if (present.length + requested.length > limits.usersMax)
        throw fault('TooManyUsers', `the device has room for ${limits.usersMax} users`)
      const taken = new Set(present.map(user => user.name))
      const created = requested.map(({ name, password, level }) => {
        assertName(name)
        if (taken.has(name)) throw fault('UsernameClash', `the user ${quote(name)} exists already, or is in the list twice`)
        taken.add(name)
        return sealed(name, levelOf(level), passwordOf(name, password, 'Password'))
      })
      if (created.length > 0) document.set([...present, ...created])
    },

    /**
     * Throws UsernameMissing, AnonymousNotAllowed, PasswordTooLong, PasswordTooWeak, FixedUser (no Administrator would be left),
     * InvalidArgVal (level Extended, or a user twice in the list).
     *
     * An absent password is not "keep": Core 8.4.6 has it considered as a wish to clear it, and no password is too weak.
     */
    set(requested: readonly UserRequest[]): void {
      const changed = new Map<string, StoredUser>()
      const present = new Set(document.get().map(user => user.name))
      for (const { name, password, level } of requested) {
        if (!present.has(name)) throw fault('UsernameMissing', `there is no user ${quote(name)}`)
        if (changed.has(name)) throw fault('InvalidArgVal', `the user ${quote(name)} is in the list twice`)
        changed.set(name, sealed(name, levelOf(level), passwordOf(name, password, 'PasswordTooWeak')))
      }
      const next = document.get().map(user => changed.get(user.name) ?? user)
      if (!hasAdministrator(next)) throw fault('FixedUser', 'the last Administrator cannot get another level')
      if (changed.size > 0) document.set(next)
    },

    /** Throws UsernameMissing, FixedUser (no Administrator would be left). A name that is in the list twice counts once. */
    delete(names: readonly string[]): void {
      const present = new Set(document.get().map(user => user.name))
      for (const name of names) if (!present.has(name)) throw fault('UsernameMissing', `there is no user ${quote(name)}`)
      const deleted = new Set(names)
      const next = document.get().filter(user => !deleted.has(user.name))
      if (!hasAdministrator(next)) throw fault('FixedUser', 'the last Administrator cannot be deleted')
      if (deleted.size > 0) document.set(next)
    },

    /** First start and factory default: this Administrator and nobody else. Throws what `create` throws for a name or a password. */
    reset(name: string, password: string): void {
      assertName(name)
      document.set([sealed(name, 'Administrator', passwordOf(name, password, 'Password'))])
    },
  }
}

const hasAdministrator = (users: readonly Caller[]): boolean => users.some(user => user.level === 'Administrator')

/** Core 5.9.4.2: nobody can be put among the anonymous. Extended needs user roles, which this device does not have. */
function levelOf(level: UserRequest['level']): UserLevel {
  if (level === 'Anonymous') throw fault('AnonymousNotAllowed', 'nobody can have the level Anonymous')
  if (level === 'Extended') throw fault('InvalidArgVal', 'the level Extended needs user roles, which this device does not have')
  return level
}

/**
 * A colon would make the A1 of HTTP Digest ambiguous (RFC 7616 3.4.2), quotes and backslashes are what clients forget to escape in
 * it, control characters forge lines of logs, and a blank at an end is lost in XML and in forms.
 */
const allowedName = /^[^\p{C}\p{Zl}\p{Zp}:"\\]+$/u

function assertName(name: string): void {
  if (name === '') throw fault('UsernameTooShort', 'a user name has at least 1 character')
  if (lengthOf(name) > limits.userNameCharactersMax)
    throw fault('UsernameTooLong', `a user name has at most ${limits.userNameCharactersMax} characters`)
  if (!allowedName.test(name) || name.trim() !== name)
    throw fault('InvalidArgVal', 'a user name cannot have control characters, colons, quotes or backslashes, nor begin or end with a blank')
}

/** The same weakness has one name in CreateUsers and another in SetUser. */
function passwordOf(name: string, password: string | undefined, weak: 'Password' | 'PasswordTooWeak'): string {
  const length = lengthOf(password ?? '')
  if (length > limits.passwordCharactersMax)
    throw fault('PasswordTooLong', `a password has at most ${limits.passwordCharactersMax} characters`)
  if (password === undefined || length === 0) throw fault(weak, 'a user without a password is not allowed')
  if (length < limits.passwordCharactersMin) throw fault(weak, `a password has at least ${limits.passwordCharactersMin} characters`)
  if (password.toLowerCase() === name.toLowerCase()) throw fault(weak, 'the user name is no password')
  return password
}

/** Characters as a person counts them, not UTF-16 units. */
const lengthOf = (text: string): number => [...text].length

const quote = (name: string): string => JSON.stringify(name.slice(0, 100))

const unseal = ({ name, level, password }: StoredUser, seal: Seal): Account => new Account(name, level, seal.open(password, `user:${name}`))

/** Every password is opened once, so that a list sealed with another key is refused before it replaces a good one. */
function parseUsers(stored: unknown, seal: Seal): readonly StoredUser[] {
  if (!Array.isArray(stored) || stored.length > limits.usersMax) throw new Error('no list of users')
  const users = stored.map(parseUser)
  if (new Set(users.map(user => user.name)).size < users.length) throw new Error('two users have the same name')
  if (!hasAdministrator(users)) throw new Error('there is no Administrator among the users')
  for (const user of users) unseal(user, seal)
  return users
}

function parseUser(stored: unknown): StoredUser {
  if (typeof stored !== 'object' || stored === null) throw new Error('no user')
  const { name, level, password }: { name?: unknown; level?: unknown; password?: unknown } = stored
  if (typeof name !== 'string' || typeof password !== 'string') throw new Error('no user')
  if (level !== 'Administrator' && level !== 'Operator' && level !== 'User') throw new Error('no user level')
  assertName(name)
  return { name, level, password }
}
