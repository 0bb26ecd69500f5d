import { randomUUID } from 'node:crypto'
import { limits } from '../limits.ts'
import { fault } from '../onvif/faults.ts'
import { isHttpsAddress } from './httpsAddress.ts'
import type { Seal } from './seal.ts'
import type { Store } from './store.ts'

/** tas:AuthorizationServerConfigurationType. */
const types = ['OAuthAuthorizationCode', 'OAuthClientCredentials', 'OIDC2AuthorizationCode'] as const
type Type = (typeof types)[number]
export const authorizationServerTypes: readonly string[] = types

/** tas:ClientAuthenticationMethod, each with the part that the device proves with who it is. */
const proofs = {
  client_secret_basic: 'secret',
  client_secret_post: 'secret',
  client_secret_jwt: 'secret',
  private_key_jwt: 'keyId',
  tls_client_auth: 'certificateId',
  self_signed_tls_client_auth: 'certificateId',
} as const

type Method = keyof typeof proofs
const isMethod = (name: string): name is Method => Object.hasOwn(proofs, name)
export const clientAuthenticationMethods: readonly string[] = Object.keys(proofs)

const partNames = { secret: 'ClientSecret', keyId: 'KeyID', certificateId: 'CertificateID' } as const

/** As an Administrator may see it. */
interface Configuration {
  readonly type: Type
  readonly clientAuth?: Method | undefined
  readonly serverUri: string
  readonly clientId: string
  readonly scope?: string | undefined
  /** All three in the keystore; the policy is what the server's certificate is held against. */
  readonly keyId?: string | undefined
  readonly certificateId?: string | undefined
  readonly policyId?: string | undefined
}

export interface AuthorizationServer extends Configuration {
  readonly token: string
}

export interface AuthorizationServerRequest extends Omit<Configuration, 'type' | 'clientAuth' | 'clientId'> {
  readonly type: string
  readonly clientAuth?: string | undefined
  readonly clientId?: string | undefined
  readonly secret?: string | undefined
}

interface Stored extends AuthorizationServer {
  /** Sealed in the context `authorizationServer:TOKEN`. */
  readonly secret?: string | undefined
}

interface Parts {
  readonly store: Store
  readonly seal: Seal
  readonly keys: { list(): readonly { id: string; algorithm: string; status: string; hasPrivateKey: boolean }[] }
  readonly certificates: { list(): readonly { id: string; hasPrivateKey: boolean }[] }
  readonly policies: { list(): readonly { id: string }[] }
}

export type AuthorizationServers = ReturnType<typeof createAuthorizationServers>

/**
 * Where tokens for the device, or for its users, are to be had (Security 4.6, 5.5.5). No operation gives a secret back. It belongs to the
 * server and the client that it was sent for: with another one it is forgotten, or it could be had by pointing the device to a host of
 * one's own.
 */
export function createAuthorizationServers({ store, seal, keys, certificates, policies }: Parts) {
  const document = store.document<readonly Stored[]>(
    'authorizationServers',
    stored => parseServers(stored, seal),
    () => [],
  )
  const referrers: (() => readonly string[])[] = []

  function find(token: string): Stored {
    const found = document.get().find(server => server.token === token)
    if (!found) throw fault('NoConfig', `there is no authorization server ${JSON.stringify(token.slice(0, 64))}`)
    return found
  }

  const isReferredTo = (token: string): boolean => referrers.some(source => source().includes(token))

  /** What a request asks for, or the InvalidConfig that says why it cannot be had. */
  function accepted(request: AuthorizationServerRequest): Configuration {
    const configuration = checked(request)
    const { clientAuth, keyId, certificateId, policyId } = configuration
    const key = keys.list().find(({ id }) => id === keyId)
    const certificate = certificates.list().find(({ id }) => id === certificateId)
    if (keyId !== undefined && !key) throw refuse('there is no such key in the keystore')
    if (certificateId !== undefined && !certificate) throw refuse('there is no such certificate in the keystore')
    if (policyId !== undefined && !policies.list().some(({ id }) => id === policyId))
      throw refuse('there is no such certification path validation policy in the keystore')
    const proof = clientAuth && proofs[clientAuth]
    // RS256 and ES256 are what tokens are signed with (Security Baseline 11).
    const signs = key?.status === 'ok' && key.hasPrivateKey && /^(?:RSA-\d+|EC-P-256)$/.test(key.algorithm)
    if (proof === 'keyId' && !signs) throw refuse(`${clientAuth} needs a private key that is ready, RSA or on the curve P-256`)
    if (proof === 'certificateId' && !certificate?.hasPrivateKey) throw refuse(`${clientAuth} needs a certificate with its private key`)
    return configuration
  }

  const stored = (token: string, configuration: Configuration, secret: string | undefined): Stored => ({
    ...configuration,
    token,
    secret: secret && seal.seal(secret, contextOf(token)),
  })

  return {
    list: (): readonly AuthorizationServer[] => document.get().map(visible),

    /** Throws NoConfig. */
    get: (token: string): AuthorizationServer => visible(find(token)),

    /** Gives the token. Throws InvalidConfig, MaxAuthorizationServers. */
    create(request: AuthorizationServerRequest): string {
      const configuration = accepted(request)
      const present = document.get()
      if (present.length >= limits.authorizationServersMax)
        throw fault('MaxAuthorizationServers', `the device keeps ${limits.authorizationServersMax} authorization servers`)
      const token = randomUUID()
      document.set([...present, stored(token, configuration, request.secret)])
      return token
    },

    /** What is absent stays as it is (Core 5.5); secrets as said above. Throws NoConfig, InvalidConfig. */
    set(token: string, request: AuthorizationServerRequest): void {
      const before = find(token)
      const whole = completed(request, before, openSecret(before, seal))
      const configuration = accepted(whole)
      if (configuration.type !== before.type && isReferredTo(token)) throw refuse('a server that is in use keeps its type')
      const changed = stored(token, configuration, whole.secret)
      document.set(document.get().map(other => (other.token === token ? changed : other)))
    },

    /** Throws NoConfig, ReferenceExists. */
    delete(token: string): void {
      find(token)
      if (isReferredTo(token)) throw fault('ReferenceExists', 'the authorization server is in use')
      document.set(document.get().filter(other => other.token !== token))
    },

    /** Whether a device gets tokens there by itself: an authorization code is for a person (Security 4.6.2). */
    isForDevices: (token: string): boolean =>
      document.get().some(server => server.token === token && server.type === 'OAuthClientCredentials'),

    /** For what refers to these by their tokens: what `source` names is neither deleted nor made another type. */
    referTo: (source: () => readonly string[]): void => void referrers.push(source),

    /** What cannot be deleted from the keystore meanwhile (Security 5.2.4). */
    references() {
      const all = document.get()
      return {
        keys: all.flatMap(({ keyId = [] }) => keyId),
        certificates: all.flatMap(({ certificateId = [] }) => certificateId),
        policies: all.flatMap(({ policyId = [] }) => policyId),
      }
    },
  }
}

const contextOf = (token: string) => `authorizationServer:${token}`
const openSecret = ({ token, secret }: { readonly token: string; readonly secret?: string | undefined }, seal: Seal) =>
  secret === undefined ? undefined : seal.open(secret, contextOf(token))

const visible = ({ secret, ...server }: Stored): AuthorizationServer => server

function completed(request: AuthorizationServerRequest, before: Stored, secretBefore: string | undefined): AuthorizationServerRequest {
  const clientId = request.clientId ?? before.clientId
  const isSameClient = request.serverUri === before.serverUri && clientId === before.clientId
  return {
    ...request,
    clientAuth: request.clientAuth ?? before.clientAuth,
    clientId,
    secret: request.secret ?? (isSameClient ? secretBefore : undefined),
    scope: request.scope ?? before.scope,
    keyId: request.keyId ?? before.keyId,
    certificateId: request.certificateId ?? before.certificateId,
    policyId: request.policyId ?? before.policyId,
  }
}

const refuse = (reason: string) => fault('InvalidConfig', reason)

/** Printable ASCII (RFC 6749 A.1, A.2), and words of it without quotes and backslashes (A.4). */
const credential = /^[\x20-\x7e]+$/
const scopes = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

function checked(request: AuthorizationServerRequest): Configuration {
  const { serverUri, clientId, secret, scope, keyId, certificateId, policyId } = request
  const type = types.find(known => known === request.type)
  if (!type) throw refuse(`the type of an authorization server is one of ${types.join(', ')}`)
  const { clientAuth } = request
  if (clientAuth !== undefined && !isMethod(clientAuth))
    throw refuse(`the authentication of a client is one of ${clientAuthenticationMethods.join(', ')}`)
  if ([clientId, secret, scope, keyId, certificateId, policyId].some(text => (text ?? '').length > limits.authorizationTextCharactersMax))
    throw refuse(`a part of the configuration has at most ${limits.authorizationTextCharactersMax} characters`)
  if (!isHttpsAddress(serverUri))
    throw refuse(
      'the server is given by an https address without a log-in, such as https://id.example.org/.well-known/openid-configuration',
    )
  // Every flow begins with it (RFC 6749 2.2, 4.1.1; RFC 8705 2).
  if (clientId === undefined || !credential.test(clientId)) throw refuse('a ClientID is needed, in printable ASCII')
  if (secret !== undefined && !credential.test(secret)) throw refuse('a ClientSecret is printable ASCII')
  if (scope !== undefined && !scopes.test(scope)) throw refuse('a Scope is words with one space between them')
  // Security 4.6.2.
  if (type === 'OIDC2AuthorizationCode' && scope !== undefined && !scope.split(' ').includes('openid'))
    throw refuse('the Scope of OpenID Connect has the word openid')
  // The method where none is named (RFC 7591 2). A client that proves nothing can have authorization codes alone (RFC 6749 4.4).
  const method = clientAuth ?? (type === 'OAuthClientCredentials' ? 'client_secret_basic' : undefined)
  if (method !== undefined && request[proofs[method]] === undefined) throw refuse(`${method} needs a ${partNames[proofs[method]]}`)
  if (method === 'client_secret_jwt' && (secret ?? '').length < limits.hmacSecretBytesMin)
    throw refuse(`client_secret_jwt needs a ClientSecret of at least ${limits.hmacSecretBytesMin} characters`)
  return { type, clientAuth, serverUri, clientId, scope, keyId, certificateId, policyId }
}

function parseServers(stored: unknown, seal: Seal): readonly Stored[] {
  if (!Array.isArray(stored) || stored.length > limits.authorizationServersMax) throw new Error('no list of authorization servers')
  const servers = stored.map(one => parseServer(one, seal))
  if (new Set(servers.map(({ token }) => token)).size < servers.length) throw new Error('a token is there twice')
  return servers
}

/** The secret is opened, so that what was sealed with another key is refused before it replaces what is good. */
function parseServer(stored: unknown, seal: Seal): Stored {
  if (typeof stored !== 'object' || stored === null) throw new Error('no authorization server')
  const fields: Readonly<Record<string, unknown>> = { ...stored }
  const { token, type, serverUri } = fields
  if (typeof token !== 'string' || typeof type !== 'string' || typeof serverUri !== 'string') throw new Error('no authorization server')
  const secret = textOf(fields.secret)
  const configuration = checked({
    type,
    serverUri,
    secret: openSecret({ token, secret }, seal),
    clientAuth: textOf(fields.clientAuth),
    clientId: textOf(fields.clientId),
    scope: textOf(fields.scope),
    keyId: textOf(fields.keyId),
    certificateId: textOf(fields.certificateId),
    policyId: textOf(fields.policyId),
  })
  return { ...configuration, token, secret }
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw new Error('no text')
}
