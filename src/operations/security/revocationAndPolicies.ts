import type { Keystore } from '../../device/certificates/keystore.ts'
import type { CrlEntry, PolicyRequest, ValidationPolicy } from '../../device/certificates/trust.ts'
import { fault } from '../../onvif/faults.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import type { CertPathValidationPolicy, CRL } from '../../onvif/types.generated.ts'

/** Security 5.2.6.4, 5.2.6.5. */
export function revocationAndPolicies({ crls, policies }: Keystore): Chapter<'revocationAndPolicies'> {
  return {
    async 'tas:UploadCRL'({ Crl, Alias }) {
      return { CrlID: crls.upload(Crl, Alias) }
    },

    async 'tas:GetCRL'({ CrlID }) {
      return { Crl: crlToWire(crls.get(CrlID)) }
    },

    async 'tas:GetAllCRLs'() {
      return { Crl: crls.list().map(crlToWire) }
    },

    async 'tas:DeleteCRL'({ CrlID }) {
      crls.delete(CrlID)
      return {}
    },

    async 'tas:CreateCertPathValidationPolicy'(request) {
      return { CertPathValidationPolicyID: policies.create(fromWire(request)) }
    },

    async 'tas:GetCertPathValidationPolicy'({ CertPathValidationPolicyID }) {
      return { CertPathValidationPolicy: toWire(policies.get(CertPathValidationPolicyID)) }
    },

    async 'tas:GetAllCertPathValidationPolicies'() {
      return { CertPathValidationPolicy: policies.list().map(toWire) }
    },

    /** The request names the policy twice, the first time as it likes. */
    async 'tas:SetCertPathValidationPolicy'({ CertPathValidationPolicyID, CertPathValidationPolicy: policy }) {
      const id = policy.CertPathValidationPolicyID
      if (CertPathValidationPolicyID !== undefined && CertPathValidationPolicyID !== id)
        throw fault('InvalidArgVal', 'the request names two policies')
      policies.set(id, fromWire(policy))
      return {}
    },

    async 'tas:DeleteCertPathValidationPolicy'({ CertPathValidationPolicyID }) {
      policies.delete(CertPathValidationPolicyID)
      return {}
    },
  }
}

/** The alias is not optional in this one. */
const crlToWire = ({ id, alias = '', der }: CrlEntry): CRL => ({ CRLID: id, Alias: alias, CRLContent: der })

const toWire = ({ id, alias, requireClientAuthUsage, useDeltaCrls, anchorIds }: ValidationPolicy): CertPathValidationPolicy => ({
  CertPathValidationPolicyID: id,
  Alias: alias,
  Parameters: { RequireTLSWWWClientAuthExtendedKeyUsage: requireClientAuthUsage, UseDeltaCRLs: useDeltaCrls },
  TrustAnchor: anchorIds.map(anchorId => ({ CertificateID: anchorId })),
})

const fromWire = ({ Alias, Parameters, TrustAnchor }: Omit<CertPathValidationPolicy, 'CertPathValidationPolicyID'>): PolicyRequest => ({
  alias: Alias,
  requireClientAuthUsage: Parameters.RequireTLSWWWClientAuthExtendedKeyUsage ?? false,
  useDeltaCrls: Parameters.UseDeltaCRLs ?? false,
  anchorIds: TrustAnchor.map(({ CertificateID }) => CertificateID),
})
