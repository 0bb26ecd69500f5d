import { limits } from '../../limits.ts'
import { type FaultName, fault } from '../../onvif/faults.ts'
import { assertAlias, assertRoom, type Content, find, newId, type StoredCrl, type StoredPolicy } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import { reading } from './faultNames.ts'
import type { Read } from './paths.ts'
import { type Crl, isCrlOf, readCrl } from './x509/crl.ts'

export interface CrlEntry {
  readonly id: string
  readonly alias: string | undefined
  readonly der: Buffer
}

/** tas:CertPathValidationPolicy. */
export interface ValidationPolicy {
  readonly id: string
  readonly alias: string | undefined
  readonly requireClientAuthUsage: boolean
  readonly useDeltaCrls: boolean
  /** Certificates that are believed. */
  readonly anchorIds: readonly string[]
}

export interface PolicyRequest extends Omit<ValidationPolicy, 'id' | 'alias'> {
  readonly alias?: string | undefined
}

interface Parts {
  readonly content: ContentDocument
  readonly read: Read
  readonly allowLegacy: boolean
}

export type Crls = ReturnType<typeof createCrls>

/** Certificate revocation lists (Security 5.2.6.4). Each is honoured wherever a path goes through its issuer. */
export function createCrls({ content, read: readCertificate, allowLegacy }: Parts) {
  const parsed = new Map<string, Crl>()

  function read({ id, der }: StoredCrl): Crl {
    const known = parsed.get(id)
    if (known) return known
    const crl = readCrl(Buffer.from(der, 'base64'), true)
    parsed.set(id, crl)
    return crl
  }

  // At the start, so that no handshake has to wait for all of them.
  for (const entry of content.get().crls) read(entry)
  content.watch(({ crls }) => {
    const present = new Set(crls.map(({ id }) => id))
    for (const id of parsed.keys()) if (!present.has(id)) parsed.delete(id)
  })
  const visible = ({ id, alias, der }: StoredCrl): CrlEntry => ({ id, alias, der: Buffer.from(der, 'base64') })

  return {
    list: (): readonly CrlEntry[] => content.get().crls.map(visible),

    /** Throws CRLID. */
    get: (id: string): CrlEntry => visible(find(content.get().crls, id, 'CRLID')),

    /** What they say, read once. */
    all: (): readonly Crl[] => content.get().crls.map(read),

    /** Throws BadCRL, UnsupportedSignatureAlgorithm, MaximumNumberOfCRLsReached. */
    upload(der: Uint8Array, alias?: string): string {
      assertAlias(alias)
      const crl = reading('BadCRL', () => readCrl(der, allowLegacy))
      const id = newId('CRL')
      content.change(all => {
        assertRoom(all.crls, limits.crlsMax, 'MaximumNumberOfCRLsReached')
        const issuer = all.certificates.filter(each => readCertificate(each).subject.equals(crl.issuer))
        const signer = issuer.find(each => isCrlOf(crl, readCertificate(each), allowLegacy))
        // Of an issuer that is not here it may be anybody's; of one that is here, it must be his.
        if (issuer.length > 0 && !signer) throw fault('BadCRL', 'the CRL is not signed by its issuer, whose certificate is in the keystore')
        return { ...all, crls: [...all.crls, { id, alias, der: Buffer.from(der).toString('base64'), issuerId: signer?.id }] }
      })
      return id
    },

    /** Throws CRLID. */
    delete(id: string): void {
      find(content.get().crls, id, 'CRLID')
      content.assertUnreferenced('crls', id)
      content.change(all => ({ ...all, crls: all.crls.filter(each => each.id !== id) }))
    },
  }
}

/** Certification path validation policies (Security 4.3, 5.2.6.5): whom to believe, and what for. */
export function createPolicies({ content }: { readonly content: ContentDocument }) {
  return {
    list: (): readonly ValidationPolicy[] => content.get().policies.map(visible),

    /** Throws CertPathValidationPolicyID. */
    get: (id: string): ValidationPolicy => visible(find(content.get().policies, id, 'CertPathValidationPolicyID')),

    /** Throws CertificateID, CertPathValidationParameters, MaximumNumberOfCertPathValidationPoliciesReached. */
    create(request: PolicyRequest): string {
      let id = ''
      content.change(all => {
        const added = addPolicy(all, request)
        id = added.id
        return added.content
      })
      return id
    },

    /** Throws CertPathValidationPolicyID, CertificateID, CertPathValidationParameters. */
    set(id: string, request: PolicyRequest): void {
      const present = find(content.get().policies, id, 'CertPathValidationPolicyID')
      content.change(all => {
        const changed = { ...present, ...checked(all, request), alias: request.alias ?? present.alias }
        return { ...all, policies: all.policies.map(each => (each.id === id ? changed : each)) }
      })
    },

    /** Throws CertPathValidationPolicyID, ReferenceExists. */
    delete(id: string): void {
      find(content.get().policies, id, 'CertPathValidationPolicyID')
      content.assertUnreferenced('policies', id)
      content.change(all => ({ ...all, policies: all.policies.filter(each => each.id !== id) }))
    },
  }
}

const visible = ({ id, alias, requireClientAuthUsage, useDeltaCrls, anchorIds }: StoredPolicy): ValidationPolicy => ({
  id,
  alias,
  requireClientAuthUsage,
  useDeltaCrls,
  anchorIds,
})

export function addPolicy(all: Content, request: PolicyRequest & { readonly isMade?: boolean }, missing: FaultName = 'CertificateID') {
  assertRoom(all.policies, limits.validationPoliciesMax, 'MaximumNumberOfCertPathValidationPoliciesReached')
  const id = newId('CertPathValidationPolicy')
  const policy: StoredPolicy = { id, ...checked(all, request, missing), isMade: request.isMade }
  return { id, content: { ...all, policies: [...all.policies, policy] } }
}

function checked(all: Content, request: PolicyRequest, missing: FaultName = 'CertificateID') {
  const { alias, requireClientAuthUsage, useDeltaCrls, anchorIds } = request
  assertAlias(alias)
  if (useDeltaCrls) throw fault('CertPathValidationParameters', 'this device has no delta CRLs')
  if (anchorIds.length === 0 || anchorIds.length > limits.trustAnchorsMax)
    throw fault('CertPathValidationParameters', `a policy has 1 to ${limits.trustAnchorsMax} trust anchors`)
  for (const anchorId of anchorIds) find(all.certificates, anchorId, missing)
  return { alias, requireClientAuthUsage, useDeltaCrls, anchorIds: [...new Set(anchorIds)] }
}
