import { createCertificate, deleteCertificates } from '../support/certificateRequests.ts'
import { admin } from '../support/daemon.ts'
import type { Random } from '../support/random.ts'
import { must } from './asking.ts'

interface Person {
  readonly level: 'Operator' | 'User'
  readonly password: string
}

/** What the clients of a soak set. Never changed in place. */
export interface Settings {
  readonly users: Readonly<Record<string, Person>>
  readonly scopes: readonly string[]
  readonly network: { readonly hostname: string; readonly dns: readonly string[]; readonly gateway: string }
  readonly certificates: readonly string[]
}

export type Area = keyof Settings
export const areas = ['users', 'scopes', 'network', 'certificates'] as const satisfies readonly Area[]

/** What stands inside of the Body, and all settings as they are when it is done. */
export interface Change {
  readonly body: string
  readonly next: Settings
}

const texts = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<\\w+:${name}>([^<]*)<`, 'g'))].map(([, text = '']) => text)
const joined = (items: readonly string[]): string => [...items].sort().join(' ')
const ownScope = /\/soak\//

/** As a client sees it, so that the same settings have the same text. Rejects where the device does not answer. */
export const read: Readonly<Record<Area, (url: string) => Promise<string>>> = {
  async users(url) {
    const xml = await must(url, '<tds:GetUsers/>')
    const levels = texts(xml, 'UserLevel')
    return joined(texts(xml, 'Username').map((name, index) => `${name}=${levels[index]}`))
  },
  scopes: async url => joined(texts(await must(url, '<tds:GetScopes/>'), 'ScopeItem').filter(uri => ownScope.test(uri))),
  async network(url) {
    const [name] = texts(await must(url, '<tds:GetHostname/>'), 'Name')
    const dns = texts(await must(url, '<tds:GetDNS/>'), 'IPv4Address')
    return `${name}; ${dns.join(' ')}; ${texts(await must(url, '<tds:GetNetworkDefaultGateway/>'), 'IPv4Address').join(' ')}`
  },
  certificates: async url => joined(texts(await must(url, '<tds:GetCertificates/>'), 'CertificateID')),
}

/** The text that `read` gives for these settings. */
export const shown: Readonly<Record<Area, (settings: Settings) => string>> = {
  users: ({ users }) => joined([`${admin.name}=Administrator`, ...Object.entries(users).map(([name, { level }]) => `${name}=${level}`)]),
  scopes: ({ scopes }) => joined(scopes),
  network: ({ network: { hostname, dns, gateway } }) => `${hostname}; ${dns.join(' ')}; ${gateway}`,
  certificates: ({ certificates }) => joined(certificates),
}

const list = (count: number, make: (index: number) => string): string => Array.from({ length: count }, (_, index) => make(index)).join('')
const some = (random: Random, from: readonly string[], most: number): string[] => {
  const left = [...from]
  return Array.from({ length: Math.min(left.length, random.whole(1, most)) }, () => left.splice(random.whole(0, left.length - 1), 1)).flat()
}
const user = (name: string, { level, password }: Person) =>
  `<tds:User><tt:Username>${name}</tt:Username><tt:Password>${password}</tt:Password><tt:UserLevel>${level}</tt:UserLevel></tds:User>`
const address = (random: Random) => `192.0.2.${random.whole(1, 254)}`

/** Another change of this area each time; most of several items at once, so that there is something to be done by half. */
export const draw: Readonly<Record<Area, (random: Random, settings: Settings) => Change>> = {
  users(random, settings) {
    const present = Object.keys(settings.users)
    const act = present.length === 0 ? 'create' : present.length > 5 ? 'delete' : random.pick(['create', 'set', 'delete'])
    const password = () => `Pass-${random.whole(100_000, 999_999)}-word`
    const users = { ...settings.users }
    if (act === 'delete') {
      const names = some(random, present, 3)
      for (const name of names) delete users[name]
      return {
        body: `<tds:DeleteUsers>${names.map(name => `<tds:Username>${name}</tds:Username>`).join('')}</tds:DeleteUsers>`,
        next: { ...settings, users },
      }
    }
    const names =
      act === 'set' ? some(random, present, 3) : Array.from({ length: random.whole(1, 3) }, (_, at) => `u${at}-${random.whole(0, 1e9)}`)
    // A user who is set always gets another level, by which the old one and the new one are told apart.
    for (const name of names) users[name] = { level: users[name]?.level === 'User' ? 'Operator' : 'User', password: password() }
    const operation = act === 'set' ? 'SetUser' : 'CreateUsers'
    const items = names.map(name => user(name, users[name] ?? { level: 'User', password: '' })).join('')
    return { body: `<tds:${operation}>${items}</tds:${operation}>`, next: { ...settings, users } }
  },

  scopes(random, settings) {
    const uri = () => `onvif://www.onvif.org/soak/${random.whole(0, 1e9)}`
    const present = settings.scopes
    if (present.length > 1 && random.fraction() < 0.3) {
      const gone = some(random, present, 2)
      return {
        body: `<tds:RemoveScopes>${gone.map(each => `<tds:ScopeItem>${each}</tds:ScopeItem>`).join('')}</tds:RemoveScopes>`,
        next: { ...settings, scopes: present.filter(each => !gone.includes(each)) },
      }
    }
    const fresh = Array.from({ length: random.whole(1, 4) }, uri)
    if (present.length < 20 && random.fraction() < 0.5) {
      return {
        body: `<tds:AddScopes>${fresh.map(each => `<tds:ScopeItem>${each}</tds:ScopeItem>`).join('')}</tds:AddScopes>`,
        next: { ...settings, scopes: [...present, ...fresh] },
      }
    }
    return {
      body: `<tds:SetScopes>${fresh.map(each => `<tds:Scopes>${each}</tds:Scopes>`).join('')}</tds:SetScopes>`,
      next: { ...settings, scopes: fresh },
    }
  },

  network(random, settings) {
    const { network } = settings
    const act = random.pick(['dns', 'hostname', 'gateway'])
    if (act === 'hostname') {
      const hostname = `cam-${random.whole(0, 1e9)}`
      return {
        body: `<tds:SetHostname><tds:Name>${hostname}</tds:Name></tds:SetHostname>`,
        next: { ...settings, network: { ...network, hostname } },
      }
    }
    if (act === 'gateway') {
      const gateway = address(random)
      return {
        body: `<tds:SetNetworkDefaultGateway><tds:IPv4Address>${gateway}</tds:IPv4Address></tds:SetNetworkDefaultGateway>`,
        next: { ...settings, network: { ...network, gateway } },
      }
    }
    const dns = [...new Set(Array.from({ length: random.whole(1, 3) }, () => address(random)))]
    const manual = list(
      dns.length,
      at => `<tds:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>${dns[at]}</tt:IPv4Address></tds:DNSManual>`,
    )
    return {
      body: `<tds:SetDNS><tds:FromDHCP>false</tds:FromDHCP>${manual}</tds:SetDNS>`,
      next: { ...settings, network: { ...network, dns } },
    }
  },

  certificates(random, settings) {
    const present = settings.certificates
    if (present.length > 0 && (present.length > 6 || random.fraction() < 0.5)) {
      const gone = some(random, present, 3)
      return { body: deleteCertificates(...gone), next: { ...settings, certificates: present.filter(id => !gone.includes(id)) } }
    }
    const id = `c${random.whole(0, 1e9)}`
    return { body: createCertificate(id), next: { ...settings, certificates: [...present, id] } }
  },
}

/** What a device has to be set to first, so that all of it is known. */
export const beginning: Settings = {
  users: {},
  scopes: ['onvif://www.onvif.org/soak/first'],
  network: { hostname: 'cam-first', dns: ['192.0.2.53'], gateway: '192.0.2.1' },
  certificates: [],
}

export const toBegin: readonly string[] = [
  '<tds:SetScopes><tds:Scopes>onvif://www.onvif.org/soak/first</tds:Scopes></tds:SetScopes>',
  '<tds:SetHostname><tds:Name>cam-first</tds:Name></tds:SetHostname>',
  '<tds:SetDNS><tds:FromDHCP>false</tds:FromDHCP><tds:DNSManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>192.0.2.53</tt:IPv4Address></tds:DNSManual></tds:SetDNS>',
  '<tds:SetNetworkDefaultGateway><tds:IPv4Address>192.0.2.1</tds:IPv4Address></tds:SetNetworkDefaultGateway>',
]
