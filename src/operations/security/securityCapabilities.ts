import { authorizationServerTypes, clientAuthenticationMethods } from '../../device/authorizationServers.ts'
import { dot1xMethods } from '../../device/certificates/dot1x.ts'
import { ellipticCurves, rsaKeyLengths } from '../../device/certificates/keys.ts'
import { supportedTlsVersions } from '../../device/certificates/tlsServer.ts'
import { signingAlgorithms } from '../../device/certificates/x509/algorithms.ts'
import { limits } from '../../limits.ts'
import type { Chapter, OperationOf } from '../../onvif/handlers.ts'
import type { AdvancedSecurityCapabilities, KeystoreCapabilities, TLSServerCapabilities } from '../../onvif/types.generated.ts'

/** What a capability is computed from. */
export interface SecurityFeatures {
  /** Whether the operation does what it says. */
  readonly has: (operation: Exclude<OperationOf<'tas'>, keyof Chapter<'securityCapabilities'>>) => boolean
  readonly allowLegacy: boolean
}

/** Security 5.5.7. */
export function securityCapabilities(features: SecurityFeatures): Chapter<'securityCapabilities'> {
  return {
    async 'tas:GetServiceCapabilities'() {
      return { Capabilities: capabilitiesOf(features) }
    },
  }
}

/** Static while the device runs. What is not there is left out, as the numbers of places are at least 1. */
function capabilitiesOf(features: SecurityFeatures): AdvancedSecurityCapabilities {
  const { has } = features
  return {
    KeystoreCapabilities: keystore(features),
    TLSServerCapabilities: has('tas:AddServerCertificateAssignment') ? server(features) : {},
    Dot1XCapabilities: has('tas:AddDot1XConfiguration')
      ? { MaximumNumberOfDot1XConfigurations: limits.dot1xConfigurationsMax, Dot1XMethods: dot1xMethods }
      : undefined,
    AuthorizationServer: has('tas:CreateAuthorizationServerConfiguration')
      ? {
          MaxConfigurations: limits.authorizationServersMax,
          ConfigurationTypesSupported: authorizationServerTypes,
          ClientAuthenticationMethodsSupported: clientAuthenticationMethods,
        }
      : undefined,
  }
}

function keystore({ has, allowLegacy }: SecurityFeatures): KeystoreCapabilities {
  const [rsa, ecc] = [has('tas:CreateRSAKeyPair'), has('tas:CreateECCKeyPair')]
  const [requests, selfSigned] = [has('tas:CreatePKCS10CSR'), has('tas:CreateSelfSignedCertificate')]
  const [pkcs8, pkcs12] = [has('tas:UploadKeyPairInPKCS8'), has('tas:UploadCertificateWithPrivateKeyInPKCS12')]
  return {
    SignatureAlgorithms: signingAlgorithms(allowLegacy).map(algorithm => ({ algorithm })),
    MaximumNumberOfKeys: limits.keysMax,
    MaximumNumberOfCertificates: limits.certificatesMax,
    MaximumNumberOfCertificationPaths: limits.certificationPathsMax,
    SetCertPath: has('tas:SetCertificationPath') && has('tas:SetCertPathValidationPolicy'),
    // Four of these have two names; the older ones are deprecated, and what test tools and clients look for.
    RSAKeyPairGeneration: rsa,
    ECCKeyPairGeneration: ecc,
    KeyPairGeneration: [...(rsa ? ['RSA'] : []), ...(ecc ? ['ECC'] : [])],
    RSAKeyLengths: rsaKeyLengths,
    EllipticCurves: ellipticCurves,
    PKCS10ExternalCertificationWithRSA: requests,
    PKCS10: requests,
    SelfSignedCertificateCreationWithRSA: selfSigned,
    SelfSignedCertificateCreation: selfSigned,
    X509Versions: [3],
    MaximumNumberOfPassphrases: has('tas:UploadPassphrase') ? limits.passphrasesMax : 0,
    PKCS8RSAKeyPairUpload: pkcs8,
    PKCS8: pkcs8,
    PKCS12CertificateWithRSAPrivateKeyUpload: pkcs12,
    PKCS12: pkcs12,
    PasswordBasedEncryptionAlgorithms: ['PBES2', ...(allowLegacy ? ['pbeWithSHAAnd3-KeyTripleDES-CBC'] : [])],
    PasswordBasedMACAlgorithms: ['hmacWithSHA256', 'hmacWithSHA384', 'hmacWithSHA512', 'PBMAC1'],
    MaximumNumberOfCRLs: has('tas:UploadCRL') ? limits.crlsMax : 0,
    MaximumNumberOfCertificationPathValidationPolicies: has('tas:CreateCertPathValidationPolicy') ? limits.validationPoliciesMax : 0,
    EnforceTLSWebClientAuthExtKeyUsage: has('tas:CreateCertPathValidationPolicy'),
    NoPrivateKeySharing: false,
  }
}

const server = ({ has, allowLegacy }: SecurityFeatures): TLSServerCapabilities => ({
  TLSServerSupported: supportedTlsVersions(allowLegacy),
  EnabledVersionsSupported: has('tas:SetEnabledTLSVersions'),
  MaximumNumberOfTLSCertificationPaths: limits.tlsPathsMax,
  TLSClientAuthSupported: has('tas:SetClientAuthenticationRequired'),
  CnMapsToUserSupported: has('tas:SetCnMapsToUser'),
  MaximumNumberOfTLSCertificationPathValidationPolicies: has('tas:AddCertPathValidationPolicyAssignment') ? limits.tlsPoliciesMax : 0,
})
