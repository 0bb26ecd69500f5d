import { randomUUID } from 'node:crypto'
import { limits } from '../../limits.ts'
import { type FaultName, fault } from '../../onvif/faults.ts'

/** tas:KeyStatus. */
export type KeyStatus = 'ok' | 'generating' | 'corrupt'

interface Entry {
  /** Made here, an NCName, and never a second time. */
  readonly id: string
  /** What the client calls it. */
  readonly alias?: string | undefined
}

/** A key pair, or the public half of somebody else's. */
export interface StoredKey extends Entry {
  /** `RSA-3072`, `EC-P-256`. */
  readonly algorithm: string
  readonly status: KeyStatus
  /** It was made elsewhere. */
  readonly external: boolean
  /** SubjectPublicKeyInfo in DER and base64; absent as long as there is none. */
  readonly publicKey?: string | undefined
  /** PKCS #8 in base64, sealed in the context `key:ID`; absent where there is only the public half. */
  readonly privateKey?: string | undefined
}

export interface StoredCertificate extends Entry {
  readonly keyId: string
  /** Base64. */
  readonly der: string
  /** What a client of the Device service calls it, where that is not its ID. */
  readonly token?: string | undefined
}

/** Made by the device for something that the Device service has no other way to say, and gone together with that. */
interface Made {
  readonly isMade?: boolean | undefined
}

/** A certificate, and each time the one that issued it. */
export interface StoredPath extends Entry, Made {
  readonly certificateIds: readonly string[]
}

export interface StoredCrl extends Entry {
  readonly der: string
  /** The certificate whose list it is, if it was there at the upload. */
  readonly issuerId?: string | undefined
}

export interface StoredPassphrase extends Entry, Made {
  /** Sealed in the context `passphrase:ID`. */
  readonly sealed: string
}

/** A certification path validation policy (Security 4.3). */
export interface StoredPolicy extends Entry, Made {
  readonly requireClientAuthUsage: boolean
  readonly useDeltaCrls: boolean
  readonly anchorIds: readonly string[]
}

export const tlsVersions = ['1.0', '1.1', '1.2', '1.3'] as const
export type TlsVersion = (typeof tlsVersions)[number]

export interface StoredTls {
  /** In the order in which they were assigned: the first is for clients that name no host. */
  readonly pathIds: readonly string[]
  readonly policyIds: readonly string[]
  readonly versions: readonly TlsVersion[]
  readonly clientAuthenticationRequired: boolean
  readonly cnMapsToUser: boolean
}

/** One stage of IEEE 802.1X (tas:Dot1XStage). */
export interface Dot1XStage {
  readonly method: string
  readonly identity?: string | undefined
  readonly pathId?: string | undefined
  readonly passphraseId?: string | undefined
  readonly policyId?: string | undefined
  readonly inner?: Dot1XStage | undefined
}

export interface StoredDot1X extends Entry {
  readonly outer: Dot1XStage
  /** What a client of the Device service calls it, where that is not its ID. */
  readonly token?: string | undefined
}

export interface Content {
  readonly keys: readonly StoredKey[]
  readonly certificates: readonly StoredCertificate[]
  readonly paths: readonly StoredPath[]
  readonly crls: readonly StoredCrl[]
  readonly passphrases: readonly StoredPassphrase[]
  readonly policies: readonly StoredPolicy[]
  readonly tls: StoredTls
  readonly dot1x: readonly StoredDot1X[]
  /** The configuration of an interface, by the token of that. */
  readonly dot1xInterfaces: Readonly<Record<string, string>>
}

export type Kind = 'keys' | 'certificates' | 'paths' | 'crls' | 'passphrases' | 'policies' | 'dot1x'

/** What something outside of the keystore refers to, such as a configuration of JWT: it cannot be deleted. */
export type References = Readonly<Partial<Record<Kind, readonly string[]>>>

export const emptyContent: Content = {
  keys: [],
  certificates: [],
  paths: [],
  crls: [],
  passphrases: [],
  policies: [],
  tls: { pathIds: [], policyIds: [], versions: ['1.2', '1.3'], clientAuthenticationRequired: false, cnMapsToUser: false },
  dot1x: [],
  dot1xInterfaces: {},
}

/** What the rest of the keystore needs of this kind. */
export function referencesTo(content: Content, kind: Kind): readonly (string | undefined)[] {
  const stages = content.dot1x.flatMap(({ outer }) => stagesOf(outer))
  switch (kind) {
    case 'keys':
      return content.certificates.map(({ keyId }) => keyId)
    case 'certificates':
      return [
        ...content.paths.flatMap(({ certificateIds }) => certificateIds),
        ...content.crls.map(({ issuerId }) => issuerId),
        ...content.policies.flatMap(({ anchorIds }) => anchorIds),
      ]
    case 'paths':
      return [...content.tls.pathIds, ...stages.map(({ pathId }) => pathId)]
    case 'passphrases':
      return stages.map(({ passphraseId }) => passphraseId)
    case 'policies':
      return [...content.tls.policyIds, ...stages.map(({ policyId }) => policyId)]
    case 'dot1x':
      return Object.values(content.dot1xInterfaces)
    case 'crls':
      return []
  }
}

export const stagesOf = (stage: Dot1XStage): readonly Dot1XStage[] => [stage, ...(stage.inner ? stagesOf(stage.inner) : [])]

/** Without what was made for something that is gone, unless something outside of the keystore refers to it now. */
export function withoutLeftovers(content: Content, isReferredTo: (kind: Kind, id: string) => boolean): Content {
  const isLeft = (kind: Kind) => {
    const used = new Set(referencesTo(content, kind))
    return ({ id, isMade }: Entry & Made) => isMade === true && !used.has(id) && !isReferredTo(kind, id)
  }
  const [path, passphrase, policy] = [isLeft('paths'), isLeft('passphrases'), isLeft('policies')]
  return {
    ...content,
    paths: content.paths.filter(each => !path(each)),
    passphrases: content.passphrases.filter(each => !passphrase(each)),
    policies: content.policies.filter(each => !policy(each)),
  }
}

/** Random, so that no ID comes again (Security 5.2.4), and an NCName of at most 64 characters. */
export const newId = (prefix: string): string => `${prefix}-${randomUUID()}`

/** Throws the fault `name` where there is none such. */
export function find<T extends { readonly id: string }>(list: readonly T[], id: string, name: FaultName): T {
  const found = list.find(each => each.id === id)
  if (!found) throw fault(name, `there is no ${quote(id)} in the keystore`)
  return found
}

/** Throws InvalidArgVal. */
export function assertAlias(alias: string | undefined): void {
  if (alias !== undefined && (alias.length > limits.keystoreTextCharactersMax || /[\p{Cc}\p{Cs}]/u.test(alias)))
    throw fault('InvalidArgVal', `an alias has at most ${limits.keystoreTextCharactersMax} characters, and no control characters`)
}

export function assertRoom(list: readonly unknown[], max: number, name: FaultName): void {
  if (list.length >= max) throw fault(name, `the keystore has room for ${max} of these`)
}

export const quote = (text: string): string => JSON.stringify(text.slice(0, 64))
