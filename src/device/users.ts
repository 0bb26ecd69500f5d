import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import type { Caller, UserLevel } from '../onvif/handlers.ts'
import type { Seal } from './seal.ts'
import type { Store } from './store.ts'

/** A user as a request describes him. Anonymous can be written, but nobody can have it. */
export interface UserRequest {
  readonly name: string
  readonly password: string | undefined
  readonly level: UserLevel | 'Anonymous'
  /** What the level Extended needs, and no other one. */
  readonly roles?: readonly string[] | undefined
}

interface Parts {
  readonly store: Store
  readonly seal: Seal
  /** Why this password will not do for this user, beyond what holds for all: see passwordPolicy.ts. */
  readonly weaknessOf?: (name: string, password: string) => string | undefined
  /** How many of a user's last passwords cannot come again, the present one counted. */
  readonly remembered?: () => number
  readonly roleExists?: (name: string) => boolean
}

export type Users = ReturnType<typeof createUsers>

/**
 * A user with the clear password, which both kinds of digest need. It is a getter over a private field, so that no log, JSON or
 * copy of the object carries it along.
 */
export class Account implements Caller {
  readonly name: string
  readonly level: UserLevel
  declare readonly roles?: readonly string[]
  readonly #password: string

  constructor({ name, level, roles }: Caller, password: string) {
    this.name = name
    this.level = level
    if (roles) this.roles = roles
    this.#password = password
  }

  get password(): string {
    return this.#password
  }
}

interface StoredUser extends Caller {
  /** Sealed in the context `user:NAME`. */
  readonly password: string
  /** Those before it, latest first, as long as they are remembered; sealed like it. */
  readonly earlier?: readonly string[]
}

type Grant = Pick<Caller, 'level' | 'roles'>

/**
 * Who can log in (Core 8.4.3 to 8.4.6). Every change is for the whole list or none of it, and holds from the next request on.
 * Names are compared exactly, but no two of them look alike. Once there is an Administrator, there always is one.
 */
export function createUsers({ store, seal, weaknessOf = () => undefined, remembered = () => 0, roleExists = () => false }: Parts) {
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

  const sealed = (name: string, password: string) => seal.seal(password, `user:${name}`)

  /** The same weakness has one name in CreateUsers and another in SetUser. */
  function passwordOf(name: string, password: string | undefined, weak: 'Password' | 'PasswordTooWeak'): string {
    const accepted = assertPassword(name, password, weak)
    const weakness = weaknessOf(name, accepted)
    if (weakness !== undefined) throw fault(weak, weakness)
    return accepted
  }

  /** Core 5.9.4.2: nobody can be put among the anonymous. */
  function grantOf({ level, roles = [] }: Pick<UserRequest, 'level' | 'roles'>): Grant {
    if (level === 'Anonymous') throw fault('AnonymousNotAllowed', 'nobody can have the level Anonymous')
    if (level !== 'Extended') {
      if (roles.some(role => role !== `onvif:${level}`)) throw fault('InvalidArgVal', 'roles are for users of the level Extended')
      return { level }
    }
    if (roles.length === 0) throw fault('InvalidArgVal', 'a user of the level Extended needs at least one role')
    for (const role of roles) if (!roleExists(role)) throw fault('InvalidUserRole', `there is no role ${quote(role)}`)
    return { level, roles: [...new Set(roles)] }
  }

  /**
   * SetUser always brings a password: with the present one it changes the level alone, which is no password coming again.
   * Throws PasswordTooWeak for one that is remembered.
   */
  function renewed(user: StoredUser, grant: Grant, password: string): StoredUser {
    const { name } = user
    const known = [user.password, ...(user.earlier ?? [])]
    const isKnown = (text: string) => seal.open(text, `user:${name}`) === password
    if (isKnown(user.password) && !isSameGrant(user, grant)) return { ...strip(user), ...grant }
    const count = remembered()
    if (known.slice(0, count).some(isKnown)) throw fault('PasswordTooWeak', `the last ${count} passwords cannot be used again`)
    const earlier = known.slice(0, Math.max(count - 1, 0))
    return { name, ...grant, password: sealed(name, password), ...(earlier.length > 0 && { earlier }) }
  }

  return {
    list: (): readonly Caller[] => document.get().map(({ name, level, roles }) => ({ name, level, ...(roles && { roles }) })),

    find: (name: string): Account | undefined => accounts().get(name),

    isEmpty: (): boolean => document.get().length === 0,

    /**
     * Throws TooManyUsers, AnonymousNotAllowed, UsernameTooShort, UsernameTooLong, UsernameClash (also twice in the list, also a name
     * that looks the same), PasswordTooLong, Password, InvalidUserRole, InvalidArgVal (a character that no name can have, or roles
     * that do not go with the level).
     */
    create(requested: readonly UserRequest[]): void {
      const present = document.get()
      if (present.length + requested.length > limits.usersMax)
        throw fault('TooManyUsers', `the device has room for ${limits.usersMax} users`)
      const taken = new Set(present.map(user => looksOf(user.name)))
      const created = requested.map(({ name, password, ...rest }) => {
        assertName(name)
        const looks = looksOf(name)
        if (taken.has(looks))
          throw fault('UsernameClash', `the user ${quote(name)}, or one that looks the same, exists or is in the list twice`)
        taken.add(looks)
        return { name, ...grantOf(rest), password: sealed(name, passwordOf(name, password, 'Password')) }
      })
      if (created.length > 0) document.set([...present, ...created])
    },

    /**
     * Throws UsernameMissing, AnonymousNotAllowed, PasswordTooLong, PasswordTooWeak, FixedUser (no Administrator would be left),
     * InvalidUserRole, InvalidArgVal (a user twice in the list, or roles that do not go with the level).
     *
     * An absent password is not "keep": Core 8.4.6 has it considered as a wish to clear it, and no password is too weak.
     */
    set(requested: readonly UserRequest[]): void {
      const changed = new Map<string, StoredUser>()
      const present = new Map(document.get().map(user => [user.name, user]))
      for (const { name, password, ...rest } of requested) {
        const user = present.get(name)
        if (!user) throw fault('UsernameMissing', `there is no user ${quote(name)}`)
        if (changed.has(name)) throw fault('InvalidArgVal', `the user ${quote(name)} is in the list twice`)
        changed.set(name, renewed(user, grantOf(rest), passwordOf(name, password, 'PasswordTooWeak')))
      }
      const next = document.get().map(user => changed.get(user.name) ?? user)
      if (!hasAdministrator(next)) throw fault('FixedUser', 'the last Administrator cannot get another level')
      if (changed.size > 0) document.set(next)
    },

    /** The same for a user's own password alone (Core 8.4.6). Throws UsernameMissing, PasswordTooLong, PasswordTooWeak. */
    setPassword(name: string, password: string | undefined): void {
      const present = document.get()
      const user = present.find(other => other.name === name)
      if (!user) throw fault('UsernameMissing', `there is no user ${quote(name)}`)
      const changed = renewed(user, user, passwordOf(name, password, 'PasswordTooWeak'))
      document.set(present.map(other => (other === user ? changed : other)))
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
      document.set([{ name, level: 'Administrator', password: sealed(name, passwordOf(name, password, 'Password')) }])
    },
  }
}

const hasAdministrator = (users: readonly Caller[]): boolean => users.some(user => user.level === 'Administrator')

const strip = ({ name, password, earlier }: StoredUser) => ({ name, password, ...(earlier && { earlier }) })

const isSameGrant = (one: Grant, other: Grant): boolean => one.level === other.level && `${one.roles}` === `${other.roles}`

/** What is drawn with the same or nearly the same strokes: a person could not tell two such users apart (Unicode UAX 15, NFKC). */
const looksOf = (name: string): string => name.normalize('NFKC')

/**
 * A colon would make the A1 of HTTP Digest ambiguous (RFC 7616 3.4.2), quotes and backslashes are what clients forget to escape in
 * it, control characters forge lines of logs, what is not drawn (zero width, direction) makes two names look like one, and a blank at
 * an end is lost in XML and in forms.
 */
const allowedName = /^[^\p{C}\p{Zl}\p{Zp}\p{DI}:"\\]+$/u

function assertName(name: string): void {
  if (name === '') throw fault('UsernameTooShort', 'a user name has at least 1 character')
  if (lengthOf(name) > limits.userNameCharactersMax)
    throw fault('UsernameTooLong', `a user name has at most ${limits.userNameCharactersMax} characters`)
  if (!allowedName.test(name) || name.trim() !== name)
    throw fault('InvalidArgVal', 'a user name cannot have control characters, colons, quotes or backslashes, nor begin or end with a blank')
}

/** What holds for every password on this device, whatever the policy says. */
function assertPassword(name: string, password: string | undefined, weak: 'Password' | 'PasswordTooWeak'): string {
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

const unseal = (user: StoredUser, seal: Seal): Account => new Account(user, seal.open(user.password, `user:${user.name}`))

/** Every password is opened once, so that a list sealed with another key is refused before it replaces a good one. */
function parseUsers(stored: unknown, seal: Seal): readonly StoredUser[] {
  if (!Array.isArray(stored) || stored.length > limits.usersMax) throw new Error('no list of users')
  const users = stored.map(parseUser)
  if (new Set(users.map(user => user.name)).size < users.length) throw new Error('two users have the same name')
  if (!hasAdministrator(users)) throw new Error('there is no Administrator among the users')
  for (const { name, password, earlier = [] } of users) for (const text of [password, ...earlier]) seal.open(text, `user:${name}`)
  return users
}

function parseUser(stored: unknown): StoredUser {
  if (typeof stored !== 'object' || stored === null) throw new Error('no user')
  const { name, level, roles, password, earlier }: { readonly [K in keyof StoredUser]?: unknown } = stored
  if (typeof name !== 'string' || typeof password !== 'string') throw new Error('no user')
  if (level !== 'Administrator' && level !== 'Operator' && level !== 'User' && level !== 'Extended') throw new Error('no user level')
  if ((level === 'Extended') !== (roles !== undefined)) throw new Error('roles are for users of the level Extended')
  assertName(name)
  return {
    name,
    level,
    ...(roles !== undefined && { roles: textsOf(roles) }),
    password,
    ...(earlier !== undefined && { earlier: textsOf(earlier) }),
  }
}

function textsOf(stored: unknown): readonly string[] {
  if (!Array.isArray(stored) || stored.length === 0) throw new Error('no list of texts')
  return stored.map(text => {
    if (typeof text !== 'string') throw new Error('no list of texts')
    return text
  })
}
