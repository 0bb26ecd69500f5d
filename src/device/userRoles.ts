import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import { functionName, type UserLevel } from '../onvif/handlers.ts'
import type { OperationName } from '../onvif/types.generated.ts'
import type { Store } from './store.ts'

export interface UserRole {
  readonly name: string
  /** Operations with the prefix of their service, as in `tds:GetUsers`; none for the roles that ONVIF defines. */
  readonly functions: readonly string[]
}

interface Parts {
  readonly store: Store
  /** Whether somebody has the role. */
  readonly isUsed: (name: string) => boolean
}

export type UserRoles = ReturnType<typeof createUserRoles>

const levels = ['Administrator', 'Operator', 'User'] as const
const predefined: readonly UserRole[] = levels.map(level => ({ name: `onvif:${level}`, functions: [] }))

/**
 * What users of the level Extended may do (Core 5.9.4.5, 8.4.10): a role of ONVIF's opens what the access policy opens for its level,
 * any other one the functions in its list, whatever their access class, and nothing else. Names are compared exactly.
 */
export function createUserRoles({ store, isUsed }: Parts) {
  const document = store.document<readonly UserRole[]>('userRoles', parseRoles, () => [])
  const all = () => [...predefined, ...document.get()]

  return {
    list: (): readonly UserRole[] => all(),

    exists: (name: string): boolean => all().some(role => role.name === name),

    /** Throws InvalidUserRole. */
    find(name: string): UserRole {
      return all().find(role => role.name === name) ?? missing(name)
    },

    /** Whether one of the roles opens the operation; `levelMay` says what the access policy opens for a level. */
    permit(names: readonly string[], operation: OperationName | undefined, levelMay: (level: UserLevel) => boolean): boolean {
      if (levels.some(level => names.includes(`onvif:${level}`) && levelMay(level))) return true
      if (operation === undefined) return false
      const wanted = functionName(operation)
      return document.get().some(({ name, functions }) => names.includes(name) && functions.includes(wanted))
    },

    /**
     * Makes the role, or gives it other functions. `isImplemented` says which the device has.
     * Throws OnvifPrefix, TooManyUserRoles, FunctionNotImplemented, InvalidArgVal.
     */
    set({ name, functions }: UserRole, isImplemented: (called: string) => boolean): void {
      assertOwn(name)
      assertName(name)
      const absent = functions.find(called => !isImplemented(called))
      if (absent !== undefined) throw fault('FunctionNotImplemented', `this device has no function ${quote(absent)}; one is "tds:GetUsers"`)
      const role = { name, functions: [...new Set(functions)] }
      const present = document.get()
      const next = present.some(other => other.name === name)
        ? present.map(other => (other.name === name ? role : other))
        : [...present, role]
      if (predefined.length + next.length > limits.userRolesMax)
        throw fault('TooManyUserRoles', `the device has room for ${limits.userRolesMax} roles, ${predefined.length} of them ONVIF's`)
      document.set(next)
    },

    /** Throws OnvifPrefix, InvalidUserRole, OperationProhibited (somebody has it: he would get whatever gets this name next). */
    delete(name: string): void {
      assertOwn(name)
      const present = document.get()
      if (!present.some(role => role.name === name)) missing(name)
      if (isUsed(name)) throw fault('OperationProhibited', `there are users with the role ${quote(name)}`)
      document.set(present.filter(role => role.name !== name))
    },
  }
}

function missing(name: string): never {
  throw fault('InvalidUserRole', `there is no role ${quote(name)}`)
}

function assertOwn(name: string): void {
  if (/^onvif:/i.test(name)) throw fault('OnvifPrefix', 'the roles that begin with "onvif:" are not for clients to make, change or delete')
}

/** Names travel in lists with blanks between them; what cannot be seen makes two of them look alike. */
const allowedName = /^[^\p{C}\p{Z}\p{DI}]+$/u

function assertName(name: string): void {
  if (name.length > limits.userRoleCharactersMax || !allowedName.test(name) || name.normalize('NFKC') !== name)
    throw fault('InvalidArgVal', `a role has a name of 1 to ${limits.userRoleCharactersMax} characters (NFKC) without blanks`)
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 100))

function parseRoles(stored: unknown): readonly UserRole[] {
  if (!Array.isArray(stored) || predefined.length + stored.length > limits.userRolesMax) throw new Error('no list of roles')
  const roles = stored.map(parseRole)
  if (new Set(roles.map(role => role.name)).size < roles.length) throw new Error('two roles have the same name')
  return roles
}

function parseRole(stored: unknown): UserRole {
  if (typeof stored !== 'object' || stored === null) throw new Error('no role')
  const { name, functions }: { name?: unknown; functions?: unknown } = stored
  if (typeof name !== 'string' || !Array.isArray(functions)) throw new Error('no role')
  assertOwn(name)
  assertName(name)
  return {
    name,
    functions: functions.map(called => {
      if (typeof called !== 'string') throw new Error('a role has no list of functions')
      return called
    }),
  }
}
