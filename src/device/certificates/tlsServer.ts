import { X509Certificate } from 'node:crypto'
import { limits } from '../../limits.ts'
import { type FaultName, fault } from '../../onvif/faults.ts'
import type { Clock } from '../../platform/platform.ts'
import { type Content, find, type StoredTls, type TlsVersion, tlsVersions } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import type { Keys } from './keys.ts'
import { leafHasPrivateKey, type Read } from './paths.ts'
import type { Crls } from './trust.ts'
import { type Invalidity, validatePath } from './validation.ts'
import { readCertificate } from './x509/certificate.ts'

/** What the server shows and does not tell: never for an answer or a log. */
export interface TlsIdentity {
  readonly pathId: string
  /** Secret. */
  readonly keyPem: string
  /** The certificate and what follows it in the path. */
  readonly chainPem: string
  /** For SNI: names, with `*` where the certificate has it, and addresses. */
  readonly hostNames: readonly string[]
}

/** What a TLS listener needs to know. */
export interface TlsSettings {
  /** The first is for clients that name no host, or one that nobody has. Empty: TLS cannot be enabled. */
  readonly identities: readonly TlsIdentity[]
  readonly versions: readonly TlsVersion[]
  readonly client: {
    /** Ask for a certificate: there is a policy to hold it against. */
    readonly asked: boolean
    readonly required: boolean
    readonly cnMapsToUser: boolean
    /** The trust anchors of all assigned policies, for the server to name its CAs. */
    readonly anchorsPem: readonly string[]
  }
}

export type ClientVerdict =
  | { readonly valid: true; readonly policyId: string; readonly commonNames: readonly string[] }
  | { readonly valid: false; readonly why: Invalidity; readonly detail: string }

interface Parts {
  readonly content: ContentDocument
  readonly keys: Keys
  readonly crls: Crls
  readonly read: Read
  readonly clock: Clock
  readonly allowLegacy: boolean
  /** Whether HTTPS is enabled (SetNetworkProtocols). */
  readonly isTlsEnabled: () => boolean
}

export type TlsServer = ReturnType<typeof createTlsServer>

/** What is assigned to the TLS server (Security 5.3). */
export function createTlsServer({ content, keys, crls, read, clock, allowLegacy, isTlsEnabled }: Parts) {
  const watchers = new Set<() => void>()
  const tls = (): StoredTls => content.get().tls
  const change = (part: Partial<StoredTls>) => content.change(all => ({ ...all, tls: { ...all.tls, ...part } }))

  content.watch((next, before) => {
    if (relevant(next) !== relevant(before)) for (const act of watchers) act()
  })

  function assertPath(id: string, missing: FaultName): void {
    const { certificateIds } = find(content.get().paths, id, missing)
    if (!leafHasPrivateKey(content.get(), certificateIds[0] ?? ''))
      throw fault('NoPrivateKey', 'there is no private key for the first certificate of the path')
  }

  function assertAssigned(list: readonly string[], id: string, name: FaultName): void {
    if (!list.includes(id)) throw fault(name, 'that is not assigned to the TLS server')
  }

  function identity(pathId: string): TlsIdentity {
    const { paths, certificates } = content.get()
    const chain = find(paths, pathId, 'CertificationPathID').certificateIds.map(id => find(certificates, id, 'CertificateID'))
    const [leaf] = chain
    if (!leaf) throw new Error('a path without certificates')
    const { hostNames, commonNames } = read(leaf)
    return {
      pathId,
      keyPem: keys.privateKey(leaf.keyId).export({ type: 'pkcs8', format: 'pem' }).toString(),
      chainPem: chain.map(each => pemOf(read(each).der)).join(''),
      // RFC 6125 6.4.4: the common name only where there is no other.
      hostNames: hostNames.length > 0 ? hostNames : commonNames,
    }
  }

  const anchors = (policyId: string) =>
    find(content.get().policies, policyId, 'CertPathValidationPolicyID').anchorIds.map(id =>
      read(find(content.get().certificates, id, 'CertificateID')),
    )

  return {
    /** Calls back after every change of what `settings` or `validateClient` say; the returned function ends it. */
    watch(act: () => void): () => void {
      watchers.add(act)
      return () => void watchers.delete(act)
    },

    settings(): TlsSettings {
      const { pathIds, policyIds, versions, clientAuthenticationRequired: required, cnMapsToUser } = tls()
      const anchorsPem = policyIds.flatMap(anchors).map(({ der }) => pemOf(der))
      const client = { asked: policyIds.length > 0, required, cnMapsToUser, anchorsPem: [...new Set(anchorsPem)] }
      return { identities: pathIds.map(identity), versions, client }
    },

    /**
     * Whether a client that showed this chain, its own certificate first, is one of those that an assigned policy believes. It has
     * proved in the handshake that the key is his.
     */
    validateClient(chain: readonly Uint8Array[]): ClientVerdict {
      let verdict: ClientVerdict = { valid: false, why: 'unknownCa', detail: 'no certification path validation policy is assigned' }
      try {
        const certificates = chain.slice(0, limits.certificationPathLengthMax).map(der => readCertificate(der, allowLegacy))
        for (const policyId of tls().policyIds) {
          const { requireClientAuthUsage } = find(content.get().policies, policyId, 'CertPathValidationPolicyID')
          const trust = { anchors: anchors(policyId), requireClientAuthUsage, crls: crls.all(), now: clock.now(), allowLegacy }
          const each = validatePath(certificates, trust)
          if (each.valid) return { valid: true, policyId, commonNames: certificates[0]?.commonNames ?? [] }
          // What one policy says of a path that it knows is worth more than that another does not know it.
          if (each.why !== 'unknownCa' || verdict.why === 'unknownCa') verdict = each
        }
      } catch (error) {
        return { valid: false, why: 'badCertificate', detail: error instanceof Error ? error.message : 'it cannot be read' }
      }
      return verdict
    },

    paths: (): readonly string[] => tls().pathIds,

    /** Once more is no error. Throws CertificationPathID, NoPrivateKey, MaximumNumberOfTLSCertificationPathsReached. */
    addPath(id: string): void {
      assertPath(id, 'CertificationPathID')
      const { pathIds } = tls()
      if (pathIds.includes(id)) return
      if (pathIds.length >= limits.tlsPathsMax)
        throw fault('MaximumNumberOfTLSCertificationPathsReached', `the TLS server takes ${limits.tlsPathsMax} paths`)
      change({ pathIds: [...pathIds, id] })
    },

    /** Throws OldCertificationPathID, and ReferenceExists while TLS is enabled. */
    removePath(id: string): void {
      const { pathIds } = tls()
      assertAssigned(pathIds, id, 'OldCertificationPathID')
      if (isTlsEnabled()) throw fault('ReferenceExists', 'the path is in use as long as HTTPS is enabled; it can be replaced')
      change({ pathIds: pathIds.filter(each => each !== id) })
    },

    /** The next handshake shows the other one. Throws OldCertificationPathID, NewCertificationPathID, NoPrivateKey. */
    replacePath(oldId: string, newId: string): void {
      const { pathIds } = tls()
      assertAssigned(pathIds, oldId, 'OldCertificationPathID')
      assertPath(newId, 'NewCertificationPathID')
      change({ pathIds: replaced(pathIds, oldId, newId) })
    },

    versions: (): readonly TlsVersion[] => tls().versions,

    /** Throws EmptyList, TLSVersion. */
    setVersions(versions: readonly string[]): void {
      if (versions.length === 0) throw fault('EmptyList', 'a TLS server without any version is one that nobody can use')
      const supported = supportedTlsVersions(allowLegacy)
      const unknown = versions.find(version => !supported.some(known => known === version))
      if (unknown !== undefined) throw fault('TLSVersion', `the versions are ${supported.join(', ')}`)
      change({ versions: supported.filter(version => versions.includes(version)) })
    },

    isClientAuthenticationRequired: (): boolean => tls().clientAuthenticationRequired,

    /** Throws EnablingClientAuthenticationFailed where no policy is assigned. */
    setClientAuthenticationRequired(required: boolean): void {
      if (required && tls().policyIds.length === 0)
        throw fault('EnablingClientAuthenticationFailed', 'no certification path validation policy is assigned to the TLS server')
      change({ clientAuthenticationRequired: required })
    },

    cnMapsToUser: (): boolean => tls().cnMapsToUser,

    /** Throws CnMapsToUserFailed where no policy is assigned. */
    setCnMapsToUser(maps: boolean): void {
      if (maps && tls().policyIds.length === 0)
        throw fault('CnMapsToUserFailed', 'no certification path validation policy is assigned to the TLS server')
      change({ cnMapsToUser: maps })
    },

    policies: (): readonly string[] => tls().policyIds,

    /** Once more is no error. Throws CertPathValidationPolicyID, MaximumNumberOfTLSCertPathValidationPoliciesReached. */
    addPolicy(id: string): void {
      find(content.get().policies, id, 'CertPathValidationPolicyID')
      const { policyIds } = tls()
      if (policyIds.includes(id)) return
      if (policyIds.length >= limits.tlsPoliciesMax)
        throw fault('MaximumNumberOfTLSCertPathValidationPoliciesReached', `the TLS server takes ${limits.tlsPoliciesMax} policies`)
      change({ policyIds: [...policyIds, id] })
    },

    /** Throws CertPathValidationPolicyID, and OperationProhibited where nobody could log in any more. */
    removePolicy(id: string): void {
      const { policyIds, clientAuthenticationRequired } = tls()
      assertAssigned(policyIds, id, 'CertPathValidationPolicyID')
      if (clientAuthenticationRequired && policyIds.length === 1)
        throw fault('OperationProhibited', 'clients have to authenticate, and without a policy none could')
      change({ policyIds: policyIds.filter(each => each !== id) })
    },

    /** Throws OldCertPathValidationPolicyID, NewCertPathValidationPolicyID. */
    replacePolicy(oldId: string, newId: string): void {
      const { policyIds } = tls()
      assertAssigned(policyIds, oldId, 'OldCertPathValidationPolicyID')
      find(content.get().policies, newId, 'NewCertPathValidationPolicyID')
      change({ policyIds: replaced(policyIds, oldId, newId) })
    },
  }
}

/** The old versions are there for devices that were told to (`--legacy-crypto`), and even then off until a client enables them. */
export const supportedTlsVersions = (allowLegacy: boolean): readonly TlsVersion[] => (allowLegacy ? tlsVersions : tlsVersions.slice(2))

const replaced = (list: readonly string[], oldId: string, newId: string): readonly string[] => [
  ...new Set(list.map(id => (id === oldId ? newId : id))),
]

/** What handshakes depend on, as a text to compare: IDs stay with what they name. */
function relevant({ tls, paths, policies, crls }: Content): string {
  return JSON.stringify([
    tls,
    paths.filter(({ id }) => tls.pathIds.includes(id)).map(({ certificateIds }) => certificateIds),
    policies.filter(({ id }) => tls.policyIds.includes(id)),
    crls.map(({ id }) => id),
  ])
}

const pemOf = (der: Buffer): string => new X509Certificate(der).toString()
