import type { UserLevel } from '../../src/onvif/handlers.ts'
import type { Random } from '../support/random.ts'
import { escaped } from './client.ts'
import type { Life } from './life.ts'

/** What clients have set, as a person would note it down. */
export interface Settings {
  readonly users: ReadonlyMap<string, { readonly level: UserLevel; readonly password: string }>
  readonly hostname: string
  readonly scopes: readonly string[]
  /** Aliases of passphrases in the keystore. */
  readonly passphrases: readonly string[]
}

/** The same for settings that are the same. */
export const textOf = ({ users, ...rest }: Settings): string =>
  JSON.stringify({ users: [...users].sort(([one], [other]) => (one < other ? -1 : 1)), ...rest })

/** What the device says that it is, down to the passwords. */
export async function observe({ users, network, scopes, keystore }: Life): Promise<Settings> {
  return {
    users: new Map(users.list().map(({ name, level }) => [name, { level, password: users.find(name)?.password ?? '' }])),
    hostname: (await network.hostname()).name,
    scopes: scopes.list().flatMap(({ uri, fixed }) => (fixed ? [] : [uri])),
    passphrases: keystore.passphrases.list().map(({ alias }) => alias ?? ''),
  }
}

/** A request, and what it means where it is taken. `refused`: the device has to say no. */
export interface Change {
  readonly name: string
  readonly body: string
  readonly next: Settings
  readonly refused: boolean
}

const names = ['admin', 'olga', 'ulf', 'vera', 'wim', 'Ærøskøbing'] as const
const levels = ['Administrator', 'Operator', 'User'] as const

/** One of everything that changes the settings; every fourth is one that the device must not take. */
export function drawChange(random: Random, settings: Settings): Change {
  return random.pick([createUsers, setUser, setUser, deleteUsers, setHostname, setScopes, addScopes, uploadPassphrase] as const)(
    random,
    settings,
  )
}

const newPassword = (random: Random): string => `Pw-${random.bytes(8).toString('hex')}`

const userXml = (name: string, password: string, level: string): string =>
  `<tds:User><tt:Username>${escaped(name)}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`

function createUsers(random: Random, settings: Settings): Change {
  const count = random.whole(1, 3)
  const users = new Map(settings.users)
  let [body, refused] = ['', false]
  for (let index = 0; index < count; index += 1) {
    const [name, level, password] = [random.pick(names), random.pick(levels), random.fraction() < 0.1 ? 'short' : newPassword(random)]
    body += userXml(name, password, level)
    refused ||= users.has(name) || password === 'short'
    users.set(name, { level, password })
  }
  return { name: `CreateUsers ${count}`, body: `<tds:CreateUsers>${body}</tds:CreateUsers>`, next: { ...settings, users }, refused }
}

function setUser(random: Random, settings: Settings): Change {
  const [name, level, password] = [random.pick(names), random.pick(levels), newPassword(random)]
  const users = new Map(settings.users)
  const isThere = users.has(name)
  users.set(name, { level, password })
  const body = `<tds:SetUser>${userXml(name, password, level)}</tds:SetUser>`
  return { name: `SetUser ${name} ${level}`, body, next: { ...settings, users }, refused: !isThere || !hasAdministrator(users) }
}

function deleteUsers(random: Random, settings: Settings): Change {
  const chosen = [...new Set([random.pick(names), random.pick(names)])]
  const users = new Map(settings.users)
  const areThere = chosen.every(name => users.delete(name))
  const body = `<tds:DeleteUsers>${chosen.map(name => `<tds:Username>${escaped(name)}</tds:Username>`).join('')}</tds:DeleteUsers>`
  return { name: `DeleteUsers ${chosen}`, body, next: { ...settings, users }, refused: !areThere || !hasAdministrator(users) }
}

const hasAdministrator = (users: Settings['users']): boolean => [...users.values()].some(({ level }) => level === 'Administrator')

function setHostname(random: Random, settings: Settings): Change {
  const refused = random.fraction() < 0.2
  const hostname = `${refused ? '-' : 'cam'}-${random.whole(1, 9999)}`
  return {
    name: `SetHostname ${hostname}`,
    body: `<tds:SetHostname><tds:Name>${hostname}</tds:Name></tds:SetHostname>`,
    next: { ...settings, hostname },
    refused,
  }
}

const newScope = (random: Random): string =>
  `onvif://www.onvif.org/location/${random.pick(['gate', 'hall', 'roof', 'yard'])}${random.whole(1, 99)}`

function setScopes(random: Random, settings: Settings): Change {
  const scopes = [...new Set(Array.from({ length: random.whole(1, 3) }, () => newScope(random)))]
  const refused = random.fraction() < 0.2
  const sent = refused ? [...scopes, 'no scope'] : scopes
  const body = `<tds:SetScopes>${sent.map(uri => `<tds:Scopes>${uri}</tds:Scopes>`).join('')}</tds:SetScopes>`
  return { name: `SetScopes ${scopes.length}`, body, next: { ...settings, scopes }, refused }
}

function addScopes(random: Random, settings: Settings): Change {
  const scope = newScope(random)
  const scopes = [...new Set([...settings.scopes, scope])]
  return {
    name: 'AddScopes',
    body: `<tds:AddScopes><tds:ScopeItem>${scope}</tds:ScopeItem></tds:AddScopes>`,
    next: { ...settings, scopes },
    refused: false,
  }
}

function uploadPassphrase(random: Random, settings: Settings): Change {
  const alias = `passphrase ${settings.passphrases.length + 1} ${random.whole(1, 999)}`
  const body = `<tas:UploadPassphrase><tas:Passphrase>${newPassword(random)}</tas:Passphrase><tas:PassphraseAlias>${alias}</tas:PassphraseAlias></tas:UploadPassphrase>`
  return { name: 'UploadPassphrase', body, next: { ...settings, passphrases: [...settings.passphrases, alias] }, refused: false }
}
