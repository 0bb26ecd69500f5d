import type { Keystore } from '../../device/certificates/keystore.ts'
import type { Chapter } from '../../onvif/handlers.ts'

/** Security 5.3.3. The listener watches what is assigned here; connections that stand live on. */
export function tlsServer({ tls: subject }: Keystore): Chapter<'tlsServer'> {
  return {
    async 'tas:AddServerCertificateAssignment'({ CertificationPathID }) {
      subject.addPath(CertificationPathID)
      return {}
    },

    async 'tas:RemoveServerCertificateAssignment'({ CertificationPathID }) {
      subject.removePath(CertificationPathID)
      return {}
    },

    async 'tas:ReplaceServerCertificateAssignment'({ OldCertificationPathID, NewCertificationPathID }) {
      subject.replacePath(OldCertificationPathID, NewCertificationPathID)
      return {}
    },

    async 'tas:GetAssignedServerCertificates'() {
      return { CertificationPathID: subject.paths() }
    },

    async 'tas:SetClientAuthenticationRequired'({ clientAuthenticationRequired }) {
      subject.setClientAuthenticationRequired(clientAuthenticationRequired)
      return {}
    },

    async 'tas:GetClientAuthenticationRequired'() {
      return { clientAuthenticationRequired: subject.isClientAuthenticationRequired() }
    },

    async 'tas:SetCnMapsToUser'({ cnMapsToUser }) {
      subject.setCnMapsToUser(cnMapsToUser)
      return {}
    },

    async 'tas:GetCnMapsToUser'() {
      return { cnMapsToUser: subject.cnMapsToUser() }
    },

    async 'tas:AddCertPathValidationPolicyAssignment'({ CertPathValidationPolicyID }) {
      subject.addPolicy(CertPathValidationPolicyID)
      return {}
    },

    async 'tas:RemoveCertPathValidationPolicyAssignment'({ CertPathValidationPolicyID }) {
      subject.removePolicy(CertPathValidationPolicyID)
      return {}
    },

    async 'tas:ReplaceCertPathValidationPolicyAssignment'({ OldCertPathValidationPolicyID, NewCertPathValidationPolicyID }) {
      subject.replacePolicy(OldCertPathValidationPolicyID, NewCertPathValidationPolicyID)
      return {}
    },

    async 'tas:GetAssignedCertPathValidationPolicies'() {
      return { CertPathValidationPolicyID: subject.policies() }
    },

    async 'tas:SetEnabledTLSVersions'({ Versions }) {
      subject.setVersions(Versions)
      return {}
    },

    async 'tas:GetEnabledTLSVersions'() {
      return { Versions: subject.versions() }
    },
  }
}
