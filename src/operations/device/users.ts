import type { AccessPolicy } from '../../device/accessPolicy.ts'
import type { Subscriptions } from '../../device/events/subscriptions.ts'
import type { RemoteUserAccount } from '../../device/remoteUser.ts'
import type { UserRoles } from '../../device/userRoles.ts'
import type { UserRequest, Users } from '../../device/users.ts'
import { fault } from '../../onvif/faults.ts'
import type { Call, Caller, Chapter, Permits } from '../../onvif/handlers.ts'
import { operations } from '../../onvif/operations.ts'
import type { User } from '../../onvif/types.generated.ts'

export interface UserSubjects {
  readonly users: Users
  readonly userRoles: UserRoles
  readonly remoteUser: RemoteUserAccount
  readonly accessPolicy: AccessPolicy
  readonly permits: Permits
  readonly subscriptions: Subscriptions
}

/** Core 8.4. `isFunction` says whether the device has what a role calls `tds:GetUsers`. */
export function users(subjects: UserSubjects, isFunction: (name: string) => boolean): Chapter<'users'> {
  const { users: subject, userRoles, remoteUser, accessPolicy, permits, subscriptions } = subjects

  /** What is delivered is ordered once and goes on without a log-in: it ends for whoever could not order it now. */
  function endDeliveries(): void {
    for (const user of subject.list())
      if (!permits(user, operations['tev:Subscribe'].access, 'tev:Subscribe')) subscriptions.endOf(user.name, 'consumer')
  }

  return {
    async GetUsers() {
      return { User: subject.list().map(toWire) }
    },

    async CreateUsers({ User }) {
      subject.create(User.map(fromWire))
      return {}
    },

    async SetUser({ User }, call) {
      if (call.ownOnly) setOwnPassword(subject, User, call)
      else subject.set(User.map(fromWire))
      endDeliveries()
      return {}
    },

    async DeleteUsers({ Username }) {
      subject.delete(Username)
      for (const name of Username) subscriptions.endOf(name)
      return {}
    },

    async GetUserRoles({ UserRole }) {
      const roles = UserRole === undefined ? userRoles.list() : [userRoles.find(UserRole)]
      return { UserRole: roles.map(({ name, functions }) => ({ Name: name, Functions: functions })) }
    },

    async SetUserRole({ UserRole: { Name, Functions } }) {
      userRoles.set({ name: Name, functions: Functions }, isFunction)
      endDeliveries()
      return {}
    },

    async DeleteUserRole({ UserRole }) {
      userRoles.delete(UserRole)
      return {}
    },

    async GetRemoteUser() {
      const present = remoteUser.get()
      return present ? { RemoteUser: { Username: present.name, UseDerivedPassword: present.useDerivedPassword } } : {}
    },

    async SetRemoteUser({ RemoteUser }) {
      if (RemoteUser === undefined) remoteUser.remove()
      else {
        const { Username, Password, UseDerivedPassword } = RemoteUser
        remoteUser.set({ name: Username, password: Password, useDerivedPassword: UseDerivedPassword })
      }
      return {}
    },

    async GetAccessPolicy() {
      return { PolicyFile: { contentType: 'application/json', Data: accessPolicy.file() } }
    },

    async SetAccessPolicy({ PolicyFile }) {
      accessPolicy.setFile(PolicyFile.Data)
      endDeliveries()
      return {}
    },
  }
}

/** Core 8.4.6, the policy ModifyPassword: everybody may change his own password; the level in that request means nothing. */
function setOwnPassword(users: Users, requested: readonly User[], { caller }: Call): void {
  const [own, ...others] = requested
  if (own === undefined || others.length > 0 || own.Username !== caller?.name)
    throw fault('NotAuthorized', `the level ${caller?.level} may change its own password and nothing else`)
  users.setPassword(own.Username, own.Password)
}

const fromWire = ({ Username, Password, UserLevel, Extension }: User): UserRequest => ({
  name: Username,
  password: Password,
  level: UserLevel,
  roles: Extension?.Roles,
})

const toWire = ({ name, level, roles }: Caller): User => ({
  Username: name,
  UserLevel: level,
  ...(roles && { Extension: { Roles: roles } }),
})
