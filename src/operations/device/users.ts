import type { UserRequest, Users } from '../../device/users.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { User } from '../../onvif/types.generated.ts'
import { notImplemented } from './notImplemented.ts'

/** Core 8.4. */
export function users({ users: subject }: { readonly users: Users }): Chapter<'users'> {
  return {
    async GetUsers() {
      return { User: subject.list().map(({ name, level }) => ({ Username: name, UserLevel: level })) }
    },

    async CreateUsers({ User }) {
      subject.create(User.map(fromWire))
      return {}
    },

    async SetUser({ User }) {
      subject.set(User.map(fromWire))
      return {}
    },

    async DeleteUsers({ Username }) {
      subject.delete(Username)
      return {}
    },

    GetUserRoles: notImplemented('GetUserRoles'),
    SetUserRole: notImplemented('SetUserRole'),
    DeleteUserRole: notImplemented('DeleteUserRole'),
    GetRemoteUser: notImplemented('GetRemoteUser'),
    SetRemoteUser: notImplemented('SetRemoteUser'),
    GetAccessPolicy: notImplemented('GetAccessPolicy'),
    SetAccessPolicy: notImplemented('SetAccessPolicy'),
  }
}

const fromWire = ({ Username, Password, UserLevel }: User): UserRequest => ({ name: Username, password: Password, level: UserLevel })
