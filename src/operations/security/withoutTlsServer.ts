import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from '../notImplemented.ts'

/** Of a device that has no HTTPS: nothing may be assigned to a server that nobody reaches. */
export const withoutTlsServer: Chapter<'tlsServer'> = {
  'tas:AddServerCertificateAssignment': notImplemented('tas:AddServerCertificateAssignment'),
  'tas:RemoveServerCertificateAssignment': notImplemented('tas:RemoveServerCertificateAssignment'),
  'tas:ReplaceServerCertificateAssignment': notImplemented('tas:ReplaceServerCertificateAssignment'),
  'tas:GetAssignedServerCertificates': notImplemented('tas:GetAssignedServerCertificates'),
  'tas:SetClientAuthenticationRequired': notImplemented('tas:SetClientAuthenticationRequired'),
  'tas:GetClientAuthenticationRequired': notImplemented('tas:GetClientAuthenticationRequired'),
  'tas:SetCnMapsToUser': notImplemented('tas:SetCnMapsToUser'),
  'tas:GetCnMapsToUser': notImplemented('tas:GetCnMapsToUser'),
  'tas:AddCertPathValidationPolicyAssignment': notImplemented('tas:AddCertPathValidationPolicyAssignment'),
  'tas:RemoveCertPathValidationPolicyAssignment': notImplemented('tas:RemoveCertPathValidationPolicyAssignment'),
  'tas:ReplaceCertPathValidationPolicyAssignment': notImplemented('tas:ReplaceCertPathValidationPolicyAssignment'),
  'tas:GetAssignedCertPathValidationPolicies': notImplemented('tas:GetAssignedCertPathValidationPolicies'),
  'tas:SetEnabledTLSVersions': notImplemented('tas:SetEnabledTLSVersions'),
  'tas:GetEnabledTLSVersions': notImplemented('tas:GetEnabledTLSVersions'),
}
