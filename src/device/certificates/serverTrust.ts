import { X509Certificate } from 'node:crypto'
import type { Clock } from '../../platform/platform.ts'
import { find } from './content.ts'
import type { ContentDocument } from './contentDocument.ts'
import type { Read } from './paths.ts'
import type { Crls } from './trust.ts'
import { validatePath } from './validation.ts'
import { readCertificate } from './x509/certificate.ts'

interface Parts {
  readonly content: ContentDocument
  readonly crls: Crls
  readonly read: Read
  readonly clock: Clock
  readonly allowLegacy: boolean
}

/**
 * Which servers the device believes where it is the client (Security 4.3). The TLS library sees to names and signatures; this adds
 * what it does not know of, the CRLs of the keystore above all. Throws CertPathValidationPolicyID.
 */
export function createServerTrust({ content, crls, read, clock, allowLegacy }: Parts) {
  return (policyId: string) => {
    const { certificates, policies } = content.get()
    const { anchorIds } = find(policies, policyId, 'CertPathValidationPolicyID')
    const anchors = anchorIds.map(id => read(find(certificates, id, 'CertificateID')))
    return {
      anchorsPem: anchors.map(({ der }) => new X509Certificate(der).toString()),

      /** What is wrong with a chain, the server's own certificate first; undefined where nothing is. */
      problemOf(chain: readonly Uint8Array[]): string | undefined {
        try {
          const path = chain.map(der => readCertificate(der, allowLegacy))
          const trust = { anchors, peer: 'server', requireClientAuthUsage: false, crls: crls.all(), now: clock.now(), allowLegacy } as const
          const verdict = validatePath(path, trust)
          return verdict.valid ? undefined : verdict.detail
        } catch (error) {
          return error instanceof Error ? error.message : 'it cannot be read'
        }
      },
    }
  }
}
