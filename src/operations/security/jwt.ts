import type { Jwt } from '../../device/jwt.ts'
import type { Chapter } from '../../onvif/handlers.ts'
import { notImplemented } from '../notImplemented.ts'

/** Security 5.5.6. */
export function jwt(subject: Jwt): Chapter<'jwt'> {
  return {
    async 'tas:GetJWTConfiguration'() {
      const { audiences, trustedIssuers, keyIds, policyId, claims } = subject.get()
      return {
        Configuration: {
          Audiences: audiences,
          TrustedIssuers: trustedIssuers,
          KeyID: keyIds,
          ValidationPolicy: policyId,
          CustomClaims: claims.map(({ name, values }) => ({ Name: name, SupportedValues: values })),
        },
      }
    },

    async 'tas:SetJWTConfiguration'({
      Configuration: { Audiences, TrustedIssuers = [], KeyID = [], ValidationPolicy, CustomClaims = [] },
    }) {
      subject.set({
        audiences: Audiences,
        trustedIssuers: TrustedIssuers,
        keyIds: KeyID,
        policyId: ValidationPolicy,
        claims: CustomClaims.map(({ Name, SupportedValues }) => ({ name: Name, values: SupportedValues })),
      })
      return {}
    },
  }
}

/** Of a device that has no HTTPS: tokens are taken nowhere else (Security 4.4). */
export const withoutJwt: Chapter<'jwt'> = {
  'tas:GetJWTConfiguration': notImplemented('tas:GetJWTConfiguration'),
  'tas:SetJWTConfiguration': notImplemented('tas:SetJWTConfiguration'),
}
