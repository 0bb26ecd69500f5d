import { randomUUID } from 'node:crypto'
import { limits } from '../limits.ts'
import { type FaultName, fault } from '../onvif/faults.ts'
import { isHttpsAddress } from './httpsAddress.ts'
import type { Seal } from './seal.ts'
import type { Store } from './store.ts'

/** Kinds of places and the schemes of their addresses. Two slashes without a scheme begin the address of a share. */
const kinds = {
  NFS: /^(?:nfs:)?\/\/[^/?#@]+(?:[/?#]|$)/i,
  CIFS: /^(?:(?:cifs|smb):)?\/\/[^/?#@]+(?:[/?#]|$)/i,
  /** The bucket is part of the address; so is the container of the other one. */
  ObjectStorageS3: /^https?:\/\/[^/?#@]+(?:\/|$)/i,
  ObjectStorageAzure: /^https?:\/\/[^/?#@]+\/[^/?#]+/i,
} as const

export type StorageType = keyof typeof kinds
export const storageTypes: readonly StorageType[] = ['NFS', 'CIFS', 'ObjectStorageS3', 'ObjectStorageAzure']

/** From where the log-in of a place is to be had anew (Core 8.8.2). */
interface Renewal {
  readonly endpoint: string
  /** The token of the authorization server whose access tokens the endpoint takes. */
  readonly authorizationServer: string
  readonly policyId?: string | undefined
}

/** A place for recordings as anybody may see it (Core 8.8). */
interface Place {
  readonly type: StorageType
  /** Of an S3 storage; us-east-1 where it is absent. */
  readonly region?: string | undefined
  readonly localPath?: string | undefined
  readonly uri?: string | undefined
  /** Of the keystore: what the certificate of the server is held against. */
  readonly policyId?: string | undefined
  readonly renewal?: Renewal | undefined
}

export interface StorageConfiguration extends Place {
  readonly token: string
  readonly userName: string | undefined
}

export interface StorageRequest extends Omit<Place, 'type'> {
  readonly type: string
  readonly user?: { readonly name: string; readonly password: string | undefined; readonly token: string | undefined } | undefined
}

interface StoredUser {
  readonly name: string
  /** Both sealed in the context `storage:TOKEN`. */
  readonly password?: string | undefined
  readonly token?: string | undefined
}

interface Stored extends Place {
  readonly token: string
  readonly user?: StoredUser | undefined
}

interface Parts {
  readonly store: Store
  readonly seal: Seal
  readonly policies: { list(): readonly { id: string }[] }
  readonly authorizationServers: { isForDevices(token: string): boolean }
}

export type StorageConfigurations = ReturnType<typeof createStorageConfigurations>

/**
 * Where recordings would go (Core 8.8). Passwords and tokens are sealed, and no operation gives them back. They belong to the
 * address that they were sent with: where that changes they are forgotten, or an Operator could have them sent to a host of his own.
 */
export function createStorageConfigurations({ store, seal, policies, authorizationServers }: Parts) {
  const document = store.document<readonly Stored[]>(
    'storageConfigurations',
    stored => parseConfigurations(stored, seal),
    () => [],
  )

  function find(token: string): Stored {
    const found = document.get().find(configuration => configuration.token === token)
    if (!found) throw fault('NoConfig', `there is no storage configuration ${JSON.stringify(token.slice(0, 64))}`)
    return found
  }

  /** The place that is asked for, or the fault that says why there is none such. */
  function accepted(request: StorageRequest, name: FaultName): Place {
    const place = placeOf(request, name)
    const known = new Set(policies.list().map(({ id }) => id))
    if (policiesOf(place).some(id => !known.has(id))) throw fault(name, 'there is no such certification path validation policy')
    if (place.renewal && !authorizationServers.isForDevices(place.renewal.authorizationServer))
      throw fault(name, 'there is no such authorization server of the type OAuthClientCredentials')
    return place
  }

  function sealed(token: string, { user }: StorageRequest): StoredUser | undefined {
    const close = (secret: string | undefined) => secret && seal.seal(secret, `storage:${token}`)
    return user && { name: user.name, password: close(user.password), token: close(user.token) }
  }

  return {
    list: (): readonly StorageConfiguration[] => document.get().map(visible),

    /** Throws NoConfig. */
    get: (token: string): StorageConfiguration => visible(find(token)),

    /** Gives the token. Throws MaxStorageConfigurations, InvalidArgVal. */
    create(request: StorageRequest): string {
      const place = accepted(request, 'InvalidArgVal')
      const present = document.get()
      if (present.length >= limits.storageConfigurationsMax)
        throw fault('MaxStorageConfigurations', `the device keeps ${limits.storageConfigurationsMax} storage configurations`)
      const token = randomUUID()
      document.set([...present, { ...place, token, user: sealed(token, request) }])
      return token
    },

    /** What is absent stays as it is (Core 5.5) as long as the type does; log-ins as said above. Throws NoConfig, ConfigModify. */
    set(token: string, request: StorageRequest): void {
      const before = find(token)
      const same = before.type === request.type
      const place = accepted(same ? completed(request, before) : request, 'ConfigModify')
      const sameAddress = same && before.uri === place.uri
      const user = request.user ? merged(sealed(token, request), before.user, sameAddress) : sameAddress ? before.user : undefined
      document.set(document.get().map(other => (other.token === token ? { ...place, token, user } : other)))
    },

    /** Throws NoConfig. */
    delete(token: string): void {
      find(token)
      document.set(document.get().filter(other => other.token !== token))
    },

    /** What cannot be deleted from the keystore meanwhile (Security 5.2.4). */
    references: () => ({ policies: document.get().flatMap(policiesOf) }),

    /** The tokens of those that cannot be deleted meanwhile. */
    authorizationServers: (): readonly string[] => document.get().flatMap(({ renewal }) => renewal?.authorizationServer ?? []),
  }
}

const policiesOf = ({ policyId, renewal }: Place): readonly string[] => [policyId, renewal?.policyId].flatMap(id => id ?? [])

const visible = ({ user, ...place }: Stored): StorageConfiguration => ({ ...place, userName: user?.name })

const completed = (request: StorageRequest, before: Place): StorageRequest => ({
  ...request,
  region: request.region ?? before.region,
  localPath: request.localPath ?? before.localPath,
  uri: request.uri ?? before.uri,
  policyId: request.policyId ?? before.policyId,
  renewal: request.renewal ? { ...request.renewal, policyId: request.renewal.policyId ?? before.renewal?.policyId } : before.renewal,
})

/** A user whose secrets were not sent keeps those that he has at this address. */
function merged(sent: StoredUser | undefined, before: StoredUser | undefined, sameAddress: boolean): StoredUser | undefined {
  const silent = sent !== undefined && sent.password === undefined && sent.token === undefined
  return silent && sameAddress && before?.name === sent.name ? before : sent
}

function placeOf({ type, region, localPath, uri, user, policyId, renewal }: StorageRequest, name: FaultName): Place {
  const refuse = (reason: string) => fault(name, reason)
  const kind = storageTypes.find(known => known === type)
  if (!kind) throw refuse(`the type of a storage is one of ${storageTypes.join(', ')}`)
  const texts = [region, localPath, user?.name, policyId, renewal?.authorizationServer, renewal?.policyId]
  if (texts.some(text => (text ?? '').length > limits.storageTextCharactersMax) || (uri ?? '').length > limits.uriCharactersMax)
    throw refuse('a part of the storage configuration is too long')
  if ([user?.password, user?.token].some(secret => (secret ?? '').length > limits.storageSecretCharactersMax))
    throw refuse(`a password or token has at most ${limits.storageSecretCharactersMax} characters`)
  if (region !== undefined && !(kind === 'ObjectStorageS3' && /^[a-z0-9-]{1,64}$/.test(region)))
    throw refuse('a region is a name such as us-east-1, and only an S3 storage has one')
  const isObject = kind === 'ObjectStorageS3' || kind === 'ObjectStorageAzure'
  if (uri === undefined && (isObject || localPath === undefined)) throw refuse(`a storage of type ${kind} needs an address`)
  // Every user may read the address: a log-in has its own place, and so has what Azure appends to one.
  if (uri !== undefined && (!kinds[kind].test(uri) || (isObject && uri.includes('?'))))
    throw refuse(`the address does not suit the type ${kind}, or holds a log-in`)
  if (renewal && (!isHttpsAddress(renewal.endpoint) || renewal.endpoint.includes('?')))
    throw refuse('a storage configuration is renewed from an https address without a log-in and without a query')
  return { type: kind, region, localPath, uri, policyId, renewal }
}

function parseConfigurations(stored: unknown, seal: Seal): readonly Stored[] {
  if (!Array.isArray(stored) || stored.length > limits.storageConfigurationsMax) throw new Error('no list of storage configurations')
  const configurations = stored.map(parseOne)
  if (new Set(configurations.map(({ token }) => token)).size < configurations.length) throw new Error('a token is there twice')
  // Opened once, so that what was sealed with another key is refused before it replaces what is good.
  for (const { token, user } of configurations)
    for (const secret of [user?.password, user?.token]) if (secret !== undefined) seal.open(secret, `storage:${token}`)
  return configurations
}

function parseOne(stored: unknown): Stored {
  const { token, user, type, region, localPath, uri, policyId, renewal } = textsOf(stored)
  if (typeof token !== 'string' || typeof type !== 'string') throw new Error('no storage configuration')
  const place = { region: textOf(region), localPath: textOf(localPath), uri: textOf(uri), policyId: textOf(policyId) }
  const request = { ...place, type, renewal: renewal === undefined ? undefined : parseRenewal(renewal) }
  return { ...placeOf(request, 'InvalidArgVal'), token, user: user === undefined ? undefined : parseUser(user) }
}

function parseRenewal(stored: unknown): Renewal {
  const { endpoint, authorizationServer, policyId } = textsOf(stored)
  if (typeof endpoint !== 'string' || typeof authorizationServer !== 'string') throw new Error('no renewal')
  return { endpoint, authorizationServer, policyId: textOf(policyId) }
}

function parseUser(stored: unknown): StoredUser {
  const { name, password, token } = textsOf(stored)
  if (typeof name !== 'string') throw new Error('no user')
  return { name, password: textOf(password), token: textOf(token) }
}

function textsOf(stored: unknown): Readonly<Record<string, unknown>> {
  if (typeof stored !== 'object' || stored === null) throw new Error('no storage configuration')
  return { ...stored }
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw new Error('no text')
}
